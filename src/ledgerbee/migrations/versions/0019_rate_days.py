"""Adds the index of sql/0019_rate_days.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0019_rate_days"
down_revision = "0018_statements"


def upgrade() -> None:
    run_sql_file("0019_rate_days.sql")
