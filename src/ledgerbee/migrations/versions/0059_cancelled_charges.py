"""Charges that are cancelled before their owner has confirmed them: sql/0059_cancelled_charges.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0059_cancelled_charges"
down_revision = "0058_pay_first"


def upgrade() -> None:
    run_sql_file("0059_cancelled_charges.sql")
