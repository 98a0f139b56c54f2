"""Which days credit notes took off deferred revenue: sql/0053_credited_days.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0053_credited_days"
down_revision = "0052_usage_backfills"


def upgrade() -> None:
    run_sql_file("0053_credited_days.sql")
