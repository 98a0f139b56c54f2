"""How parents are invoiced, and whose subscription a line of an invoice is of: sql/0051_parents.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0051_parents"
down_revision = "0050_billing_runs"


def upgrade() -> None:
    run_sql_file("0051_parents.sql")
