"""What e-invoices need: sql/0030_e_invoices.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0030_e_invoices"
down_revision = "0029_credit_notes"


def upgrade() -> None:
    run_sql_file("0030_e_invoices.sql")
