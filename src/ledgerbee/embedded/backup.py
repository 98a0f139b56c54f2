"""psql, backups and restores. The tools run as the caller, through the socket: the files are the caller's."""

import os
import re
import secrets
import subprocess
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

from ledgerbee.embedded import archive
from ledgerbee.embedded.errors import BackupError, BinariesError, DatabaseInUseError, RestoreError
from ledgerbee.embedded.parts import part_in
from ledgerbee.embedded.server import DATABASE, Server
from ledgerbee.platform import tether
from ledgerbee.platform.files import explained, sync_folder

# Databases and files that a restore makes on its way; one that was killed leaves them, the next one drops them.
FRESH, REPLACED = f"{DATABASE}_restored_", f"{DATABASE}_replaced_"
LEFTOVER_DATABASES = f"^({FRESH}|{REPLACED})[0-9a-f]{{8}}$"
UNPACKED = ".restore-"
MAX_JOBS = 4
#: How often those who are connected are disconnected for a restore; each try waits up to five seconds for them to go.
SWAP_TRIES = 10
_CONNECTED = f"""
    SELECT count(*), string_agg(DISTINCT coalesce(nullif(application_name, ''), 'process ' || pid), ', ')
    FROM pg_stat_activity WHERE datname = '{DATABASE}' AND backend_type = 'client backend';
"""  # noqa: S608 - a constant
_MISSING_ROLE = re.compile(r'role "(.+)" does not exist$', re.MULTILINE)


def psql_command(server: Server) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of a psql on the database, for `tether.run_in_foreground` or `subprocess`."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return [_program(server, "psql"), "--dbname", server.dsn()], environment


def backup(server: Server, file: Path, *, blobs: Path | None = None) -> None:
    """Write the embedded database and the attached files of the folder `blobs` to one file: see `write`."""
    write(
        file,
        lambda dump: _tool(server, "pg_dump", "--format=custom", f"--file={dump}", f"--dbname={server.dsn()}"),
        blobs,
    )


def write(file: Path, make_dump: Callable[[Path], object], blobs: Path | None) -> None:
    """Write a database, as of one moment, and the attached files of the folder `blobs` to one file.

    `make_dump` runs pg_dump into the file that it is given; work goes on meanwhile. Without `blobs` the file is
    pg_dump's custom format, else a tar (see `archive.py`). An older file of that name is replaced when the new one is
    whole and on disk. Roles are not part of it, nor are rights and settings of the database itself
    (`GRANT … ON DATABASE`, `ALTER DATABASE … SET`).

    Raises:
        BackupError: it could not be made.
    """
    target = backup_target(file)
    try:
        with ExitStack() as stack:
            dump = whole = stack.enter_context(part_in(target.parent))
            if blobs is not None:
                dump = stack.enter_context(part_in(target.parent))
            make_dump(dump)
            if blobs is not None:
                archive.pack(whole, dump, blobs)
            descriptor = os.open(whole, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            whole.replace(target)
        sync_folder(target.parent)
    except OSError as error:
        raise BackupError(f"The backup {target} can't be written: {explained(error)}.") from error
    except subprocess.CalledProcessError as error:
        raise BackupError(f"The backup {target} was not made: {said_last(error.stderr)}") from error


def backup_target(file: Path) -> Path:
    """The absolute path of a backup to write. Asked before anything is done for the backup.

    Raises:
        BackupError: no file can be written there.
    """
    target = file.expanduser().absolute()
    try:
        os.stat(f"{target.parent}/.")  # noqa: PTH116 - a Path drops the dot, which asks for a folder
        if not target.exists() or target.is_file():
            return target
    except OSError as error:
        raise BackupError(f"The backup {target} can't be written: {error.strerror}.") from error
    raise BackupError(f"{target} is there and is no regular file: name another.")  # a device would be replaced


def said_last(errors: str) -> str:
    """What a program of PostgreSQL ended with, in one line."""
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    return (
        next((line for line in lines if "error:" in line), lines[-1] if lines else "it did not say why").rstrip(".")
        + "."
    )


def restore(
    server: Server,
    file: Path,
    *,
    blobs: Path | None = None,
    force: bool = False,
    check: Callable[[str], None] | None = None,
) -> None:
    """Replace the database by what is in a backup, in one step at the end: a restore that fails changes nothing.

    The backup goes into a fresh database, which then takes the name of the old one. Roles that the backup gives rights
    to and that this server lacks are made, without the right to log in. `check` is called with the fresh database's
    connection URI before the swap; what it raises calls the restore off. With `force` those who are connected are
    disconnected, otherwise they are a reason to refuse. Attached files that the folder `blobs` lacks are added to it
    before the swap, and stay if that fails: nothing refers to them, and they replace nothing.

    Raises:
        RestoreError: the file is no backup, or does not restore.
        DatabaseInUseError: someone is connected.
    """
    source = file.expanduser().absolute()
    try:
        for leftover in server.data_dir.glob(f"{UNPACKED}*"):
            leftover.unlink(missing_ok=True)
        if archive.is_dump(source):
            _replace(server, source, force=force, check=check)
            return
        dump = server.data_dir / f"{UNPACKED}{secrets.token_hex(4)}"

        def check_and_put_back(url: str) -> None:
            if check is not None:
                check(url)
            if blobs is not None:
                archive.put_back(source, blobs)

        try:
            archive.unpack_dump(source, dump)
            _replace(server, dump, force=force, check=check_and_put_back)
            if blobs is not None:  # again, for what those who were still at work on the old database have removed
                archive.put_back(source, blobs)
        finally:
            dump.unlink(missing_ok=True)
    except archive.NoBackupError as error:
        raise RestoreError(f"{source} is no whole backup of ours: {error}.") from error
    except OSError as error:
        raise RestoreError(f"The backup {source} was not restored: {explained(error)}.") from error
    except subprocess.CalledProcessError as error:
        raise RestoreError(
            f"The backup {source} was not restored; the database in {server.data_dir} is as before:\n"
            f"{error.stderr.strip()}"
        ) from error


def _replace(server: Server, dump: Path, *, force: bool, check: Callable[[str], None] | None) -> None:
    fresh = FRESH + secrets.token_hex(4)
    made_roles: list[str] = []
    try:
        if not force:
            _refuse_when_in_use(server)
        _drop_leftovers(server)
        try:
            _fill(server, dump, fresh)
        except subprocess.CalledProcessError as error:
            if not _MISSING_ROLE.search(error.stderr):
                raise
            made_roles = _make_missing_roles(server, dump, fresh)
            _fill(server, dump, fresh)
        _sql(server, "ANALYZE;", database=fresh)
        if check is not None:
            check(server.dsn(database=fresh))
        _swap(server, fresh, force=force)
    except BaseException:
        with suppress(subprocess.CalledProcessError):  # what stays behind harms nobody and goes with the next restore
            drop_roles = (f"DROP ROLE {_quoted(name)};" for name in made_roles)
            _sql(server, f"DROP DATABASE IF EXISTS {fresh} WITH (FORCE);", *drop_roles)
        raise
    with suppress(subprocess.CalledProcessError):  # the restore is done; the old one goes with the next
        _drop_leftovers(server)


def _refuse_when_in_use(server: Server) -> None:
    count, who = _sql(server, _CONNECTED).split("|")
    if count != "0":
        raise DatabaseInUseError(
            f"{count} connections use the database ({who}). Stop ledgerbee serve and other programs first, "
            "or use --force to disconnect them."
        )


def _fill(server: Server, source: Path, fresh: str) -> None:
    """Make the database `fresh` anew and restore into it, stopping at the first fault. Closed until swapped in."""
    _sql(
        server,
        f"DROP DATABASE IF EXISTS {fresh};",
        f"CREATE DATABASE {fresh} TEMPLATE template0;",
        f"REVOKE CONNECT ON DATABASE {fresh} FROM PUBLIC;",
    )
    jobs = min(MAX_JOBS, os.cpu_count() or 1)
    _tool(
        server, "pg_restore", "--exit-on-error", f"--jobs={jobs}", f"--dbname={server.dsn(database=fresh)}", str(source)
    )


def _make_missing_roles(server: Server, source: Path, fresh: str) -> list[str]:
    """Make the roles that the backup names and this server lacks: all at once, found by restoring without the rows."""
    _sql(server, f"DROP DATABASE IF EXISTS {fresh};", f"CREATE DATABASE {fresh} TEMPLATE template0;")
    try:
        _tool(server, "pg_restore", "--schema-only", f"--dbname={server.dsn(database=fresh)}", str(source))
    except subprocess.CalledProcessError as error:
        missing = sorted(set(_MISSING_ROLE.findall(error.stderr)))
        _sql(server, *(f"CREATE ROLE {_quoted(name)} NOLOGIN;" for name in missing))
        return missing
    return []


def _swap(server: Server, fresh: str, *, force: bool) -> None:
    """Give the fresh database the name of the old one. Raises `DatabaseInUseError`.

    Who is disconnected may be back before the renaming holds its lock (whoever comes later waits for that, and finds
    the new database): with `force` those are disconnected too, again and again.
    """
    for tries_left in reversed(range(SWAP_TRIES if force else 1)):
        try:
            _rename(server, fresh, disconnect=force)
        except subprocess.CalledProcessError as error:
            if "is being accessed by other users" not in error.stderr:
                raise
            if not tries_left:
                raise DatabaseInUseError(
                    "Programs connected to the database during the restore; it is as before. Stop them and try again."
                ) from error
        else:
            return


def _rename(server: Server, fresh: str, *, disconnect: bool) -> None:
    old = REPLACED + secrets.token_hex(4)
    others = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{DATABASE}';"  # noqa: S608
    _sql(
        server,
        "BEGIN;",
        others if disconnect else "",
        f"ALTER DATABASE {DATABASE} RENAME TO {old};",
        f"ALTER DATABASE {fresh} RENAME TO {DATABASE};",
        f"GRANT CONNECT ON DATABASE {DATABASE} TO PUBLIC;",
        "COMMIT;",
    )


def _drop_leftovers(server: Server) -> None:
    names = _sql(server, f"SELECT datname FROM pg_database WHERE datname ~ '{LEFTOVER_DATABASES}';")  # noqa: S608
    _sql(server, *(f"DROP DATABASE {name} WITH (FORCE);" for name in names.split()))


def _sql(server: Server, *statements: str, database: str = "postgres") -> str:
    """Run statements one by one and give what they print, columns parted by `|`."""
    quiet = ["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]
    return _tool(
        server, "psql", *quiet, f"--dbname={server.dsn(database=database)}", stdin="\n".join(statements)
    ).strip()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _tool(server: Server, program: str, *arguments: str, stdin: str = "") -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return tether.run(
        [_program(server, program), *arguments],
        stdin=stdin,
        environment={**environment, "LC_ALL": "C", "PGCLIENTENCODING": "UTF8"},
    ).stdout


def _program(server: Server, name: str) -> str:
    program = server.bin_dir / name
    if not program.exists():
        raise BinariesError(f"{server.bin_dir} has no {name}: install PostgreSQL's client programs as well.")
    return str(program)
