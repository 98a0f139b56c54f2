"""Usage by file, and backfills of usage: sql/0053_usage_backfills.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0053_usage_backfills"
down_revision = "0050_billing_runs"


def upgrade() -> None:
    run_sql_file("0053_usage_backfills.sql")
