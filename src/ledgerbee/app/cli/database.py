"""`ledgerbee db`: the embedded database's status, console, backup and restore."""

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from ledgerbee.app.cli.session import AsJson, DataDir, access, data_dir_of, plain_errors, print_json
from ledgerbee.app.config import Settings
from ledgerbee.platform import postgres
from ledgerbee.platform.migrate import migrate as migrate_database

app = typer.Typer(no_args_is_help=True, help="The database: status, console, backup and restore.")


@app.command()
def status(as_json: AsJson = False, data_dir: DataDir = None) -> None:
    """Tell whether the embedded database runs, its version and its size."""
    with plain_errors():
        folder = data_dir_of(data_dir, Settings())
        found = postgres.status(folder)
    if as_json:
        print_json({"state": found.state, "version": found.version, "sizeBytes": found.size, "dataDir": folder})
    else:
        typer.echo(f"{found.state}  PostgreSQL {found.version or '-'}  {found.size // 1024**2} MiB  {folder}")


@app.command()
def migrate(data_dir: DataDir = None) -> None:
    """Bring the database to this release's schema (every other command does so too)."""
    with plain_errors(), access(data_dir):
        typer.echo("The database has this release's schema.")


@app.command()
def psql(data_dir: DataDir = None) -> None:
    """Open the SQL console as the schema's owner."""
    with plain_errors(), postgres.running(data_dir_of(data_dir, Settings())) as server:
        command, environment = postgres.psql_command(server)
        done = subprocess.run(command, env={**os.environ, **environment}, check=False)  # noqa: S603  our own psql
    raise typer.Exit(done.returncode)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; replaced only when the backup is whole.")],
    data_dir: DataDir = None,
) -> None:
    """Write a backup while everything runs on."""
    with plain_errors(), postgres.running(data_dir_of(data_dir, Settings())) as server:
        postgres.backup(server, file)
    typer.echo(f"Backup written: {file}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup made by `db backup`.")],
    force: Annotated[bool, typer.Option(help="Close other connections to the database first.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Put a backup in place of the database; when it fails, the database stays as it was."""
    with plain_errors(), postgres.running(data_dir_of(data_dir, Settings())) as server:
        asyncio.run(migrate_database(server.dsn()))  # the application role has to exist before its grants
        postgres.restore(server, file, force=force)
        asyncio.run(migrate_database(server.dsn()))
    typer.echo(f"Restored: {file}")
