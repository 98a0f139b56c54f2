"""Creates the tables of sql/0010_attachments.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0010_attachments"
down_revision = "0009_general_ledger"


def upgrade() -> None:
    run_sql_file("0010_attachments.sql")
