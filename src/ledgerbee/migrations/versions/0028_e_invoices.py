"""What e-invoices need: sql/0028_e_invoices.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0028_e_invoices"
down_revision = "0026_document_templates"


def upgrade() -> None:
    run_sql_file("0028_e_invoices.sql")
