"""Creates the tables of sql/0012_drafts.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0012_drafts"
down_revision = "0011_imports"


def upgrade() -> None:
    run_sql_file("0012_drafts.sql")
