"""What settles an invoice beside payments and credit notes: sql/0032_invoice_settlement.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0032_invoice_settlement"
down_revision = "0031_cell_mark"


def upgrade() -> None:
    run_sql_file("0032_invoice_settlement.sql")
