"""Usage by file, and backfills of usage: sql/0052_usage_backfills.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0052_usage_backfills"
down_revision = "0051_parents"


def upgrade() -> None:
    run_sql_file("0052_usage_backfills.sql")
