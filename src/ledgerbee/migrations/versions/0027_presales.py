"""Quotes and order confirmations: sql/0027_presales.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0027_presales"
down_revision = "0026_document_templates"


def upgrade() -> None:
    run_sql_file("0027_presales.sql")
