"""How people sign in, and invitations to companies: sql/0061_sign_in.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0061_sign_in"
down_revision = "0060_users"


def upgrade() -> None:
    run_sql_file("0061_sign_in.sql")
