"""Credit notes: sql/0027_credit_notes.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0027_credit_notes"
down_revision = "0026_document_templates"


def upgrade() -> None:
    run_sql_file("0027_credit_notes.sql")
