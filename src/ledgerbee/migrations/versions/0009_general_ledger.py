"""Creates the tables of sql/0009_general_ledger.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0009_general_ledger"
down_revision = "0008_dimensions"


def upgrade() -> None:
    run_sql_file("0009_general_ledger.sql")
