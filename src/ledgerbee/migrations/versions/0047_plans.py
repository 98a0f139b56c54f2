"""Subscription plans and their versions: sql/0047_plans.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0047_plans"
down_revision = "0046_test_clock"


def upgrade() -> None:
    run_sql_file("0047_plans.sql")
