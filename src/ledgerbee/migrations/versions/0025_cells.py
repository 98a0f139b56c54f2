"""Functions of the owner take the company, triggers their table's name: sql/0025_cells.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0025_cells"
down_revision = "0024_application_role"


def upgrade() -> None:
    run_sql_file("0025_cells.sql")
