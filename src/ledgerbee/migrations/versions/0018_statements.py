"""Corrects the totals of the charts that companies have (sql/0018_statements.sql)."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0018_statements"
down_revision = "0017_payments_and_prices"


def upgrade() -> None:
    run_sql_file("0018_statements.sql")
