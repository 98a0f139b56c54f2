"""Messages that brought e-invoices, and their statuses: sql/0043_incoming_messages.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0043_incoming_messages"
down_revision = "0042_webhooks"


def upgrade() -> None:
    run_sql_file("0043_incoming_messages.sql")
