"""Webhooks, and the order of events: sql/0042_webhooks.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0042_webhooks"
down_revision = "0041_incoming_answers"


def upgrade() -> None:
    run_sql_file("0042_webhooks.sql")
