"""Locks between processes: `flock` on files in the data folder.

The kernel drops such a lock when the last process holding the open file is gone, however it went, so nothing here
goes stale. The lock belongs to the open file and not to the process: a child that inherits the descriptor holds it
too, which is how a running server (and each of its backends) shows that it lives.
"""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledgerbee.embedded.accounts import open_own
from ledgerbee.embedded.errors import DataFolderError

POLL_SECONDS = 0.02
WAIT_SECONDS = 600.0


def open_lock(path: Path) -> int:
    """Open the lock file, made when missing; the caller closes the descriptor, which is also how it unlocks."""
    try:
        return open_own(path, os.O_RDWR | os.O_CREAT)
    except OSError as error:
        raise DataFolderError(
            f"The lock file {path} can't be opened: {error.strerror}. Run as the account that owns the data folder."
        ) from error


def try_exclusive(descriptor: int) -> bool:
    """Take the lock for this holder alone, without waiting. A failed try loses a shared lock that was held."""
    return _try(descriptor, fcntl.LOCK_EX)


def try_shared(descriptor: int) -> bool:
    """Take the lock together with other sharers, without waiting."""
    return _try(descriptor, fcntl.LOCK_SH)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_note(descriptor: int, text: str) -> None:
    """Replace the lock file's content, which says who holds it or in what sense."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, text.encode(), 0)


def read_note(descriptor: int) -> str:
    """The lock file's content."""
    return os.pread(descriptor, 2000, 0).decode(errors="replace").strip()


@contextmanager
def exclusive(path: Path) -> Iterator[int]:
    """Hold the lock for the length of the block; the descriptor is given so that children can hold it too.

    Raises:
        DataFolderError: someone else held it for the whole of `WAIT_SECONDS`.
    """
    descriptor = open_lock(path)
    try:
        deadline = time.monotonic() + WAIT_SECONDS
        while not try_exclusive(descriptor):
            if time.monotonic() > deadline:
                raise DataFolderError(
                    f"Process {read_note(descriptor) or '(unknown)'} has been starting or stopping the database in "
                    f"{path.parent.parent} for over {WAIT_SECONDS:.0f} seconds. See what it waits for, or end it."
                )
            time.sleep(POLL_SECONDS)
        write_note(descriptor, str(os.getpid()))
        yield descriptor
    finally:
        os.close(descriptor)
