"""People who sign in, their companies, and applications that work for them: sql/0060_users.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0060_users"
down_revision = "0059_cancelled_charges"


def upgrade() -> None:
    run_sql_file("0060_users.sql")
