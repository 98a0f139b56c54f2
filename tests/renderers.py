"""The processes that set documents for this one, as the system shows them."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path


def renderers(parent: int | None = None) -> dict[int, str]:
    """Those of a process (default: this one), by id, with their states: R, S, T (stopped), Z (ended)."""
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and b"ledgerbee.sales.rendering" in (entry / "cmdline").read_bytes():
                state, above = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
                if int(above) == (parent or os.getpid()):
                    found[int(entry.name)] = state
    return found


async def stopped(other_than: set[int], parent: int | None = None) -> int:
    """The id of the next process that is started beside these: it stands still from its start."""
    while not (new := renderers(parent).keys() - other_than):  # noqa: ASYNC110  nobody tells of a process
        await asyncio.sleep(0.005)
    (pid,) = new
    os.kill(pid, signal.SIGSTOP)
    return pid
