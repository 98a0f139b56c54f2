"""Buyers answer quotes by links: sql/0034_acceptance.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0034_acceptance"
down_revision = "0033_invoice_ends"


def upgrade() -> None:
    run_sql_file("0034_acceptance.sql")
