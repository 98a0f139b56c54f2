"""`ledgerbee db`: the database's status, console, backup and restore."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ledgerbee.app.cli import backups, store
from ledgerbee.app.cli.options import AsJson, DataDir, embedded_dir, fail, print_result

if TYPE_CHECKING:
    from ledgerbee.app.config import Settings
    from ledgerbee.embedded import Status

app = typer.Typer(no_args_is_help=True, help="The database: status, console, backup and restore.")


@app.command()
def status(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Tell whether the database runs, its version and its size. Starts nothing."""
    from ledgerbee import embedded as postgres
    from ledgerbee.app.config import Settings

    settings = Settings()
    folder = embedded_dir(data_dir, settings)
    found = _ask_server(settings) if folder is None else postgres.status(folder)
    facts = {"state": found.state, "version": found.version, "sizeBytes": found.size, "dataDir": folder}
    where = folder or "DATABASE_URL"
    line = f"{found.state}  PostgreSQL {found.version or '-'}  {found.size // 1024**2} MiB  {where}"
    print_result(facts, line, as_json=as_json)


@app.command()
def migrate(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Bring the database to this release's schema (every other command does so too)."""
    from ledgerbee.app.cli.session import access
    from ledgerbee.migrations.migrate import head_revision

    with access(data_dir):
        schema = head_revision()
    print_result({"schema": schema}, f"The database has this release's schema: {schema}.", as_json=as_json)


@app.command()
def psql(data_dir: DataDir = None) -> None:
    """Open the SQL console of the embedded database as the schema's owner."""
    import os

    from ledgerbee import embedded as postgres
    from ledgerbee.platform import tether

    with postgres.running(_embedded(data_dir, 'psql "$DATABASE_URL"')) as server:
        command, environment = postgres.psql_command(server)
        status = tether.run_in_foreground(command, environment={**os.environ, **environment})
    raise typer.Exit(status)


app.command("backup")(backups.backup)
app.command("restore")(backups.restore)


def _embedded(data_dir: Path | None, instead: str) -> Path:
    """The embedded database's folder. A database of the operator's has tools of its own."""
    from ledgerbee.app.config import Settings

    folder = embedded_dir(data_dir, Settings())
    if folder is None:
        fail(
            f"DATABASE_URL is set, and this command is for the embedded database. Use {instead}, or name a --data-dir."
        )
    return folder


def _ask_server(settings: "Settings") -> "Status":
    """The version and the size in bytes of the database that `DATABASE_URL` names."""
    import asyncio

    from ledgerbee.app.cli.reach import check_logins, connected
    from ledgerbee.embedded import State, Status
    from ledgerbee.platform import cell_mark

    async def ask() -> Status:
        assert settings.database_url is not None
        await check_logins(settings)
        async with connected(settings.database_url, "DATABASE_URL") as connection:
            await cell_mark.check(connection, settings.cell)
            version = str(connection.get_server_version().major)
            size = await store.get_size(connection)
        return Status(State.RUNNING, version, size, pid=None, serving=None)

    return asyncio.run(ask())
