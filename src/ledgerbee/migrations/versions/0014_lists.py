"""Replaces the indexes of sql/0014_lists.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0014_lists"
down_revision = "0013_account_days"


def upgrade() -> None:
    run_sql_file("0014_lists.sql")
