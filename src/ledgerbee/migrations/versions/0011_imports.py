"""Creates the tables of sql/0011_imports.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0011_imports"
down_revision = "0010_attachments"


def upgrade() -> None:
    run_sql_file("0011_imports.sql")
