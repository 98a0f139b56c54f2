"""Runs sql/0016_financial_years.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0016_financial_years"
down_revision = "0015_vat_rates"


def upgrade() -> None:
    run_sql_file("0016_financial_years.sql")
