"""Payouts of payment providers, and what doesn't agree with their lists: sql/0057_payouts.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0057_payouts"
down_revision = "0056_refunds"


def upgrade() -> None:
    run_sql_file("0057_payouts.sql")
