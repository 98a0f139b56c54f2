"""Creates the tables of sql/0008_dimensions.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0008_dimensions"
down_revision = "0007_payments"


def upgrade() -> None:
    run_sql_file("0008_dimensions.sql")
