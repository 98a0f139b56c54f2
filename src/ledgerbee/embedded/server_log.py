"""What the server says: its own log, and what it said before that was open."""

import os
from datetime import datetime
from pathlib import Path
from typing import Final

from ledgerbee.embedded.accounts import own_account
from ledgerbee.embedded.folder import DataFolder

_LINES: Final = 15


def broke_down(data_dir: Path, since: datetime) -> str | None:
    """What made the server end by itself since then, in its own words, and where it says so; None if nothing did."""
    folder = DataFolder(data_dir.expanduser().resolve(), own_account())
    lines = panics(folder, since)
    return f"{lines[-1].partition(' PANIC:  ')[2].rstrip('.')}. See {_file(folder)}" if lines else None


def panics(folder: DataFolder, since: datetime) -> list[str]:
    """The lines of the log in which the server said that it can't go on, oldest first. `since` is in UTC."""
    lines = read_end(_file(folder), 65_536).splitlines()
    return [line for line in lines if " PANIC:  " in line and line[:19] >= f"{since:%F %T}"]


def tail(folder: DataFolder) -> str:
    """The last lines of where the server wrote last."""
    lines = read_end(_file(folder)).splitlines()[-_LINES:]
    return "\n".join(f"  {line}" for line in lines or ["nothing. Is there room on the disk?"])


def _file(folder: DataFolder) -> Path:
    """The server's own log, or what it said before that was open (or when there was no room to open it)."""
    logs = sorted((folder.cluster / "log").glob("*.log"), key=lambda log: log.lstat().st_mtime)
    is_open = "redirecting log output" in read_end(folder.startup_log)
    return logs[-1] if is_open and logs and logs[-1].lstat().st_size else folder.startup_log


def read_end(path: Path, most: int = 8192) -> str:
    """The last few kilobytes of a log (`most` bytes); links are not followed, the folder is another account's."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    try:
        start = max(0, os.fstat(descriptor).st_size - most)
        return os.pread(descriptor, most, start).decode(errors="replace")
    finally:
        os.close(descriptor)
