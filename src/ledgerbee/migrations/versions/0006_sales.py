"""Creates the tables of sql/0006_sales.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0006_sales"
down_revision = "0005_catalog"


def upgrade() -> None:
    run_sql_file("0006_sales.sql")
