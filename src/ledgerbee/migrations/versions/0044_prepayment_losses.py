"""What is given up of prepayments, and invoices that are credited in full: sql/0044_prepayment_losses.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0044_prepayment_losses"
down_revision = "0043_incoming_messages"


def upgrade() -> None:
    run_sql_file("0044_prepayment_losses.sql")
