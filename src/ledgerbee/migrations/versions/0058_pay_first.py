"""Subscriptions that begin when they are paid, and what follows the last decline: sql/0058_pay_first.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0058_pay_first"
down_revision = "0057_payouts"


def upgrade() -> None:
    run_sql_file("0058_pay_first.sql")
