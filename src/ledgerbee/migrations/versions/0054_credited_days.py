"""Which days credit notes took off deferred revenue: sql/0054_credited_days.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0054_credited_days"
down_revision = "0050_billing_runs"


def upgrade() -> None:
    run_sql_file("0054_credited_days.sql")
