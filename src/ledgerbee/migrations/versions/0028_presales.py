"""Quotes and order confirmations: sql/0028_presales.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0028_presales"
down_revision = "0027_guards"


def upgrade() -> None:
    run_sql_file("0028_presales.sql")
