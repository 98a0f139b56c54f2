"""Creates the tables of sql/0003_parties.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0003_parties"
down_revision = "0002_chart"


def upgrade() -> None:
    run_sql_file("0003_parties.sql")
