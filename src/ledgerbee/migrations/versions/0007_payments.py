"""Creates the tables of sql/0007_payments.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0007_payments"
down_revision = "0006_sales"


def upgrade() -> None:
    run_sql_file("0007_payments.sql")
