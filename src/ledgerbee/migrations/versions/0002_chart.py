"""Creates the tables of sql/0002_chart.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0002_chart"
down_revision = "0001_platform"


def upgrade() -> None:
    run_sql_file("0002_chart.sql")
