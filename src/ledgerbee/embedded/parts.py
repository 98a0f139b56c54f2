"""Files that a backup is written into before it has its name.

Who writes one holds a lock on it, which the kernel drops with the process: a file that nobody holds is one that a
killed backup has left. Where the file system has no such locks, none is taken for left.
"""

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from ledgerbee.platform.files import create_private

_NAME: Final = re.compile(r"\.ledgerbee-backup-[0-9a-f]{8}\.part")


@contextmanager
def part_in(folder: Path) -> Iterator[Path]:
    """A new file in the folder, readable by its owner only, for the length of the block or until it is renamed."""
    part, descriptor = _made(folder)
    try:
        yield part
    finally:
        with suppress(OSError):
            if _is_at(descriptor, part):
                part.unlink()
        os.close(descriptor)


def left_in(folder: Path) -> dict[Path, int]:
    """The files that killed backups have left in a folder, and their sizes in bytes. Those of others are not listed."""
    with suppress(OSError):
        parts = sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))
        return {path: size for path in parts if (size := _size_if_left(path, remove=False)) is not None}
    return {}


def remove_left(folder: Path) -> dict[Path, int]:
    """The same, and they are removed. Raises nothing: what can't be removed is not listed."""
    return {path: size for path in left_in(folder) if (size := _size_if_left(path, remove=True)) is not None}


def _made(folder: Path) -> tuple[Path, int]:
    while True:
        path = folder / f".ledgerbee-backup-{secrets.token_hex(4)}.part"
        descriptor = create_private(path)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:  # somebody just looks whether it was left
            path.unlink(missing_ok=True)
        except OSError:  # no locks here
            return path, descriptor
        else:
            if _is_at(descriptor, path):
                return path, descriptor
        os.close(descriptor)


def _size_if_left(path: Path, *, remove: bool) -> int | None:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not _is_at(descriptor, path):
            return None
        if remove:
            path.unlink()
        return os.fstat(descriptor).st_size
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False
