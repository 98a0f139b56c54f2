"""Guards that look at tables refuse to look for another company: sql/0027_guards.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0027_guards"
down_revision = "0026_document_templates"


def upgrade() -> None:
    run_sql_file("0027_guards.sql")
