"""E-invoices that are sent over a network: sql/0036_e_invoice_transport.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0036_e_invoice_transport"
down_revision = "0035_recipients"


def upgrade() -> None:
    run_sql_file("0036_e_invoice_transport.sql")
