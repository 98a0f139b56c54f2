"""Subscriptions, their versions, changes and charges: sql/0049_subscriptions.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0049_subscriptions"
down_revision = "0048_usage"


def upgrade() -> None:
    run_sql_file("0049_subscriptions.sql")
