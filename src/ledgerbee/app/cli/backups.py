"""`ledgerbee db backup` and `db restore`: of the embedded database and of the operator's own."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from ledgerbee.app.cli import store
from ledgerbee.app.cli.books import verify_companies
from ledgerbee.app.cli.options import (
    AsJson,
    DataDir,
    a_file,
    a_path,
    embedded_dir,
    fail,
    note,
    print_result,
)

if TYPE_CHECKING:
    from ledgerbee.app.config import Settings

#: Makes a login that may back up; needs an administrator.
BACKUP_ROLE_SQL: Final = (
    "CREATE ROLE ledgerbee_backup LOGIN BYPASSRLS PASSWORD '...'; GRANT pg_read_all_data TO ledgerbee_backup;"
)


def backup(
    file: Annotated[
        Path,
        typer.Argument(parser=a_path, metavar="FILE", help="File to write; replaced only when the backup is whole."),
    ],
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Write a backup of the database and of the folder of attached files while everything runs on."""
    from ledgerbee import embedded as postgres
    from ledgerbee.app.config import Settings

    settings = Settings()
    for left, size in postgres.remove_left(postgres.backup_target(file).parent).items():
        note(f"Removed {left} ({size:,} bytes), which a backup that was killed had left.")
    folder = embedded_dir(data_dir, settings)
    if folder is None:
        _backup_own(settings, file)
    else:
        if postgres.status(folder).state is postgres.State.ABSENT:
            fail(f"There is no database in {folder} to back up.")
        with postgres.running(folder) as server:
            asyncio.run(_check_is_ours(server.dsn(), "the embedded one", settings.cell))
            postgres.backup(server, file, blobs=_blobs_of(settings, folder))
            _note_backup(server.dsn(), file)
    size = file.expanduser().stat().st_size
    done = f"Backup written: {file} ({size:,} bytes)"
    print_result({"file": file.absolute(), "sizeBytes": size}, done, as_json=as_json)


def restore(
    file: Annotated[Path, typer.Argument(parser=a_file, metavar="FILE", help="A backup made by `db backup`.")],
    force: Annotated[
        bool, typer.Option("--force", help="Close other connections to the embedded database first.")
    ] = False,
    verify: Annotated[bool, typer.Option(help="Recompute the restored books afterwards, as `verify` does.")] = True,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Put a backup in place of the embedded database, or into an empty database of your own.

    When it fails, the database is as it was. Attached files that are missing are added; none is replaced or removed.
    Restore nothing that you did not make: a backup holds code that the database runs.
    """
    from ledgerbee import embedded as postgres
    from ledgerbee.app.config import Settings
    from ledgerbee.migrations.migrate import migrate_restored

    settings = Settings()
    folder = embedded_dir(data_dir, settings)
    if folder is None:
        if force:
            fail("--force is for the embedded database: one of your own has to be empty.")
        _restore_own(settings, file)
    else:
        with postgres.running(folder) as server:
            blobs = _blobs_of(settings, folder)
            _check_folder(server.dsn(), blobs)
            postgres.restore(
                server,
                file,
                blobs=blobs,
                force=force,
                check=lambda url: asyncio.run(migrate_restored(url, file, settings.cell)),
            )
            _check_folder(server.dsn(), blobs, claim=True)
    audits = verify_companies(data_dir).values() if verify else None
    faults = None if audits is None else [str(audit.fault) for audit in audits if not audit.passed]
    verified = None if faults is None else not faults
    done = f"Restored: {file}" + (", and its books are right" if verified else "")
    print_result({"file": file.absolute(), "verified": verified}, done, as_json=as_json)
    if faults:
        fail(f"It is restored, and its books are not right: {faults[0]}. See `ledgerbee verify`.")


def _note_backup(url: str, file: Path) -> None:
    """Leave a word for `doctor`, in the database, of when the last backup was made, and where."""
    import asyncpg

    from ledgerbee.app.cli.reach import DatabaseUnusableError, connected
    from ledgerbee.core.dates import system_clock

    target = file.expanduser().absolute()
    path = str(target).encode(errors="replace").decode()

    async def write(size: int) -> None:
        async with connected(url, "DATABASE_URL") as connection:
            await store.upsert_last_backup(connection, store.Backup(system_clock(), socket.gethostname(), path, size))

    try:
        asyncio.run(write(target.stat().st_size))
    except asyncpg.UndefinedTableError:
        pass  # a schema of an older release
    except (asyncpg.PostgresError, asyncpg.InterfaceError, DatabaseUnusableError, OSError) as fault:
        note(f"The backup is made; `ledgerbee doctor` will not know of it: {' '.join(str(fault).split())}")


def _check_folder(url: str, blobs: Path | None, *, claim: bool = False) -> None:
    """Refuse a folder of attached files that is another database's; it becomes this one's if `claim` says so."""
    if blobs is None:
        return
    from ledgerbee.app.cli.reach import connected
    from ledgerbee.platform.blobs import marker

    async def ask() -> marker.Identity | None:
        async with connected(url, "DATABASE_URL") as connection:
            return await marker.identity_of(connection)

    (marker.claim if claim else marker.check)(blobs, asyncio.run(ask()))


def _backup_own(settings: "Settings", file: Path) -> None:
    from ledgerbee import embedded as postgres
    from ledgerbee.app.cli.reach import check_logins, place_of
    from ledgerbee.embedded import client

    assert settings.database_url is not None
    url = settings.database_backup_url or settings.database_url
    setting = "LEDGERBEE_DATABASE_BACKUP_URL" if settings.database_backup_url else "DATABASE_URL"
    asyncio.run(check_logins(settings, backs_up=True))
    asyncio.run(_check_is_ours(url, setting, settings.cell))
    tools = client.tools_for(asyncio.run(_check_reads_all(url, setting)))

    def make_dump(target: Path) -> None:
        note(f"Backing up {place_of(url)} with pg_dump {tools.major}.")
        client.dump(tools, url, target)

    postgres.write(file, make_dump, _blobs_of(settings, None))
    _note_backup(settings.database_url, file)


async def _check_is_ours(url: str, setting: str, cell: str) -> None:
    """Refuse a database that is of another cell, empty or of something else: no restore would take its backup."""
    import asyncpg

    from ledgerbee.app.cli.reach import connected, place_of
    from ledgerbee.migrations.migrate import IS_OURS
    from ledgerbee.platform import cell_mark

    async with connected(url, setting) as connection:
        if not await connection.fetchval(IS_OURS):
            fail(f"The database {place_of(url)} ({setting}) holds no books of ledgerbee: there is nothing to back up.")
        with suppress(asyncpg.InsufficientPrivilegeError):  # `_check_reads_all` says what the login may not read
            await cell_mark.check(connection, cell)


async def _check_reads_all(url: str, setting: str) -> int:
    """Refuse a login that would back up less than everything; the server's major version."""
    from ledgerbee.app.cli.reach import connected

    async with connected(url, setting) as connection:
        login = await store.get_login(connection)
        if not await store.passes_row_security(connection):
            fail(
                f"The login {login} ({setting}) is held to row-level security and can't back up all companies. Have an "
                f"administrator run: {BACKUP_ROLE_SQL} and set LEDGERBEE_DATABASE_BACKUP_URL to that login."
            )
        if unreadable := await store.find_unreadable(connection):
            fail(f"The login {login} ({setting}) may not read {unreadable}: GRANT pg_read_all_data TO {login};")
        return int(connection.get_server_version().major)


def _restore_own(settings: "Settings", file: Path) -> None:
    from ledgerbee.app.cli.reach import check_logins, check_owner
    from ledgerbee.embedded import client
    from ledgerbee.migrations.migrate import check_revision, ensure_roles, migrate_restored
    from ledgerbee.platform import cell_mark

    url = settings.database_url
    assert url is not None
    asyncio.run(check_owner(url))
    asyncio.run(check_logins(settings))
    tools = client.tools_for(asyncio.run(_check_empty(url)))
    blobs = _blobs_of(settings, None)
    _check_folder(url, blobs)
    backup_file = file.expanduser().absolute()
    with client.unpacked(backup_file, blobs) as dump:
        check_revision(client.schema_of(tools, dump, backup_file), backup_file)
        cell_mark.check_found(client.mark_of(tools, dump, backup_file), settings.cell, f"backup {backup_file}")
        asyncio.run(ensure_roles(url))
        client.restore_into(tools, url, dump, backup_file)
    asyncio.run(migrate_restored(url, backup_file, settings.cell))
    _check_folder(url, blobs, claim=True)


async def _check_empty(url: str) -> int:
    """Refuse a database that holds anything; the server's major version."""
    from ledgerbee.app.cli.reach import connected, place_of

    async with connected(url, "DATABASE_URL") as connection:
        if not await store.is_empty(connection):
            fail(
                f"The database {place_of(url)} (DATABASE_URL) is not empty, and a restore replaces nothing: create a "
                "new database with the same owner, and name it in DATABASE_URL."
            )
        return connection.get_server_version().major


def _blobs_of(settings: "Settings", folder: Path | None) -> Path | None:
    """The folder of attached files; None where a bucket has them, which is not the backup's."""
    from ledgerbee.app.blobs import blob_folder

    if settings.attachments_bucket is not None:
        note(f"Attached files are in the bucket {settings.attachments_bucket}: backups leave them to it.")
        return None
    return blob_folder(settings, folder)
