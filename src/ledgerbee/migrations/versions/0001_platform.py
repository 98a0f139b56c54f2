"""Creates the tables of sql/0001_platform.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0001_platform"
down_revision = None


def upgrade() -> None:
    run_sql_file("0001_platform.sql")
