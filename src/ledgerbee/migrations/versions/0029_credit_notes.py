"""Credit notes: sql/0029_credit_notes.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0029_credit_notes"
down_revision = "0028_presales"


def upgrade() -> None:
    run_sql_file("0029_credit_notes.sql")
