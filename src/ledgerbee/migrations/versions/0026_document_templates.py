"""How documents look by their template: sql/0026_document_templates.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0026_document_templates"
down_revision = "0025_cells"


def upgrade() -> None:
    run_sql_file("0026_document_templates.sql")
