"""Files and folders that outlive a power cut."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Have an `OSError` name the file that was worked on: those of reading and writing name none."""
    try:
        yield
    except OSError as fault:
        if fault.filename is None:
            fault.filename = str(path)
        raise


def explained(fault: OSError) -> str:
    """What failed and where, in words."""
    return f"{fault.filename}: {fault.strerror}" if fault.filename is not None else str(fault.strerror or fault)


def create_private(path: Path) -> int:
    """The descriptor of a new file that is its owner's alone, open to be written. Raises `OSError`."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def sync_folder(path: Path) -> None:
    """Make a rename inside the folder survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
