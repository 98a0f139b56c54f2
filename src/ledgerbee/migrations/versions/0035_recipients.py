"""Mail to several addresses, each with a state of its own, and kept: sql/0035_recipients.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0035_recipients"
down_revision = "0034_acceptance"


def upgrade() -> None:
    run_sql_file("0035_recipients.sql")
