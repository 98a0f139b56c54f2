"""Refunds of charges, disputes, and what went back of a charge: sql/0056_refunds.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0056_refunds"
down_revision = "0055_sandbox_provider"


def upgrade() -> None:
    run_sql_file("0056_refunds.sql")
