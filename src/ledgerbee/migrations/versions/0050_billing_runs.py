"""Billing runs and their results: sql/0050_billing_runs.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0050_billing_runs"
down_revision = "0049_subscriptions"


def upgrade() -> None:
    run_sql_file("0050_billing_runs.sql")
