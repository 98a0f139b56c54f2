"""Credit of customers, used on invoices or paid back: sql/0039_customer_credit.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0039_customer_credit"
down_revision = "0037_incoming_documents"


def upgrade() -> None:
    run_sql_file("0039_customer_credit.sql")
