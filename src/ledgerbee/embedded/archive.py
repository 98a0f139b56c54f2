"""A backup as one file: a tar of the database's dump and of the attached files that lie in a folder.

    database.dump                          pg_dump's custom format
    attachments/<company>/<ab>/<abcd...>   a file's content, by its SHA-256
    complete                               nothing: says that nothing was cut off

A backup from before there were attachments is the dump itself; it still restores.
"""

import os
import re
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from ledgerbee.platform.blobs.store import Folder
from ledgerbee.platform.files import create_private, naming

DUMP_MAGIC: Final = b"PGDMP"
_DUMP: Final = "database.dump"
_FOLDER: Final = "attachments/"
_END: Final = "complete"
_BLOB: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/([0-9a-f]{2})/\1[0-9a-f]{62}")


class NoBackupError(Exception):
    """The file is no backup of ours, or not a whole one."""


def pack(target: Path, dump: Path, blobs: Path) -> None:
    """Write `target` (which is there, and empty) from a dump and from what lies in the folder by now.

    Blobs of attachments that the dump refers to are there: they are stored before, and posted ones are never removed.
    """
    with naming(target), tarfile.open(target, "w") as tar:
        tar.add(dump, _DUMP, filter=_plain)
        for path in _blobs_in(blobs):
            try:
                tar.add(path, _FOLDER + path.relative_to(blobs).as_posix(), filter=_plain)
            except FileNotFoundError:
                continue  # one that was never posted, and is gone again
            _forget(tar)
        tar.addfile(_plain(tarfile.TarInfo(_END)))


def is_dump(source: Path) -> bool:
    """Whether a file is a dump itself. Raises `OSError`."""
    with naming(source), source.open("rb") as file:
        return file.read(len(DUMP_MAGIC)) == DUMP_MAGIC


def unpack_dump(source: Path, target: Path) -> None:
    """Write the dump that a backup holds to `target`. Raises `NoBackupError`, `OSError`."""
    with naming(target), os.fdopen(create_private(target), "wb") as file:
        copy_dump(source, file, target)


def copy_dump(source: Path, target: IO[bytes], place: Path) -> None:
    """Write the dump that a backup holds into an open file at `place`. Raises `NoBackupError`, `OSError`."""
    with _opened(source) as members:
        name, content = next(members, (None, None))
        if name != _DUMP or content is None:
            raise NoBackupError("it does not begin with the database")
        with naming(place):
            shutil.copyfileobj(content, target)
            target.flush()


def check_whole(source: Path) -> None:
    """Read a backup to its end. Raises `NoBackupError`, `OSError`."""
    with _opened(source) as members:
        for _ in members:
            pass


def put_back(source: Path, blobs: Path) -> None:
    """Add the blobs that a backup holds and the folder lacks; none is replaced. Raises `NoBackupError`, `OSError`."""
    folder = Folder(blobs)
    with _opened(source) as members:
        for member, content in members:
            name = member.removeprefix(_FOLDER)
            if member != _DUMP and not (blobs / name).exists():
                folder.add(name, content.read())


@contextmanager
def _opened(source: Path) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """The files in a backup by name, in its order."""
    try:
        with naming(source), tarfile.open(source, "r:") as tar:
            yield _members(tar)
    except (tarfile.TarError, EOFError) as fault:
        raise NoBackupError(str(fault)) from fault


def _members(tar: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    """Nothing but what `pack` writes is taken, so no name leads anywhere else."""
    while (member := tar.next()) is None or member.name != _END:
        if member is None:
            raise NoBackupError("its end is missing")
        is_blob = member.name.startswith(_FOLDER) and _BLOB.fullmatch(member.name.removeprefix(_FOLDER))
        content = tar.extractfile(member) if member.isreg() and (is_blob or member.name == _DUMP) else None
        if content is None:
            raise NoBackupError(f"it holds {member.name!r}")
        yield member.name, content
        _forget(tar)


def _forget(tar: tarfile.TarFile) -> None:
    """Drop what tarfile remembers of every file: memory stays the same however many there are."""
    tar.members.clear()  # type: ignore[attr-defined]


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Without the account's name and number: they mean nothing elsewhere."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _blobs_in(folder: Path) -> Iterator[Path]:
    if folder.is_dir():
        for path in folder.glob("*/*/*"):
            if _BLOB.fullmatch(path.relative_to(folder).as_posix()):
                yield path
