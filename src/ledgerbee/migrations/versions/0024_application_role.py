"""What the application's role may do and no more: sql/0024_application_role.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0024_application_role"
down_revision = "0023_fair_share"


def upgrade() -> None:
    run_sql_file("0024_application_role.sql")
