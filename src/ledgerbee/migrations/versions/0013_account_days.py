"""Creates and fills the table of sql/0013_account_days.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0013_account_days"
down_revision = "0012_drafts"


def upgrade() -> None:
    run_sql_file("0013_account_days.sql")
