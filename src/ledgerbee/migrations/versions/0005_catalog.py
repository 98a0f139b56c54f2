"""Creates the tables of sql/0005_catalog.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0005_catalog"
down_revision = "0004_ledger"


def upgrade() -> None:
    run_sql_file("0005_catalog.sql")
