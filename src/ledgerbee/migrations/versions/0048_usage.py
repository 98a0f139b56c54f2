"""Meters, usage events, what they sum up to by day, and who may report them: sql/0048_usage.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0048_usage"
down_revision = "0047_plans"


def upgrade() -> None:
    run_sql_file("0048_usage.sql")
