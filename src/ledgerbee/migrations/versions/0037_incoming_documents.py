"""E-invoices that come in: sql/0037_incoming_documents.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0037_incoming_documents"
down_revision = "0036_e_invoice_transport"


def upgrade() -> None:
    run_sql_file("0037_incoming_documents.sql")
