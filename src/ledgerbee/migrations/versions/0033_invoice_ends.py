"""How invoices end that aren't paid: sql/0033_invoice_ends.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0033_invoice_ends"
down_revision = "0032_invoice_settlement"


def upgrade() -> None:
    run_sql_file("0033_invoice_ends.sql")
