"""A database knows its mark: sql/0031_cell_mark.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0031_cell_mark"
down_revision = "0030_e_invoices"


def upgrade() -> None:
    run_sql_file("0031_cell_mark.sql")
