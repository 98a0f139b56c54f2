"""Sandboxes with a test clock, and the daily tasks of every company: sql/0046_test_clock.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0046_test_clock"
down_revision = "0045_deferrals"


def upgrade() -> None:
    run_sql_file("0046_test_clock.sql")
