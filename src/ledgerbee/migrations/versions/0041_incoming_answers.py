"""Answers to e-invoices that came in: sql/0041_incoming_answers.sql."""

from ledgerbee.migrations.run_sql import run_sql_file

revision = "0041_incoming_answers"
down_revision = "0040_prepayments"


def upgrade() -> None:
    run_sql_file("0041_incoming_answers.sql")
