"""A database knows its mark: sql/0028_cell_mark.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0028_cell_mark"
down_revision = "0026_document_templates"


def upgrade() -> None:
    run_sql_file("0028_cell_mark.sql")
