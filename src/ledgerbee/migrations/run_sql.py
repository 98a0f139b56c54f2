"""Runs a revision's SQL file as it is written: no placeholders, one statement a message."""

from importlib.resources import files

import sqlparse
from alembic import op


def run_sql_file(name: str) -> None:
    """Execute `sql/<name>` inside the revision's transaction."""
    run_sql(files("ledgerbee.migrations").joinpath("sql", name).read_text("utf-8"))


def run_sql(text: str) -> None:
    """Execute a script of several statements inside the revision's transaction.

    Each is prepared, which takes one command only: PostgreSQL refuses what should have been split and wasn't.
    """
    for statement in sqlparse.split(text):
        op.get_bind().exec_driver_sql(statement)
