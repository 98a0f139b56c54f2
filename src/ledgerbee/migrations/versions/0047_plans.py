"""Subscription plans and their versions: sql/0047_plans.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0047_plans"
down_revision = "0045_deferrals"


def upgrade() -> None:
    run_sql_file("0047_plans.sql")
