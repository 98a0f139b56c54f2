"""Runs a revision's SQL file as it is written: many statements, no placeholders."""

from importlib.resources import files

from alembic import op
from sqlalchemy.util import await_only


def run_sql_file(name: str) -> None:
    """Execute `sql/<name>` inside the revision's transaction."""
    run_sql(files("ledgerbee.migrations").joinpath("sql", name).read_text("utf-8"))


def run_sql(text: str) -> None:
    """Execute a script of several statements inside the revision's transaction."""
    adapted = op.get_bind().connection.dbapi_connection
    assert adapted is not None
    # The driver's own simple protocol: prepared statements take one command only. Touching the transaction
    # first makes SQLAlchemy's lazy BEGIN happen before the script.
    op.get_bind().exec_driver_sql("SELECT 1")
    await_only(adapted.driver_connection.execute(text))
