"""Prepayment invoices and their deduction: sql/0040_prepayments.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0040_prepayments"
down_revision = "0039_customer_credit"


def upgrade() -> None:
    run_sql_file("0040_prepayments.sql")
