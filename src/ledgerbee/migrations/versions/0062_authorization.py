"""Clients, authorization codes and refresh tokens of applications: sql/0062_authorization.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0062_authorization"
down_revision = "0061_sign_in"


def upgrade() -> None:
    run_sql_file("0062_authorization.sql")
