"""Creates the tables of sql/0004_ledger.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0004_ledger"
down_revision = "0003_parties"


def upgrade() -> None:
    run_sql_file("0004_ledger.sql")
