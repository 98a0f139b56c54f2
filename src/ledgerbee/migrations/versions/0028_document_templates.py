"""How documents look by their template: sql/0028_document_templates.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0028_document_templates"
down_revision = "0024_application_role"


def upgrade() -> None:
    run_sql_file("0028_document_templates.sql")
