"""Lets payments be taken back and computes which prices are in use, by sql/0017_payments_and_prices.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0017_payments_and_prices"
down_revision = "0016_financial_years"


def upgrade() -> None:
    run_sql_file("0017_payments_and_prices.sql")
