"""A worker process for tests: `python -m tests.runtime.worker JOB LIMITS`, on the database of `DATABASE_URL`.

It knows one job, JOB: one of the application's, or one of its own that does what its payload says. That notes in the
file `notes` that it began, then waits for the file `gate` to be there, fails, dies or ends. LIMITS is a JSON object:
fields of `Limits`, times in seconds.
"""

import asyncio
import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from ledgerbee.app import logs
from ledgerbee.app.config import Settings
from ledgerbee.app.jobs import JOBS
from ledgerbee.app.worker import Limits
from ledgerbee.app.worker_process import run_worker
from ledgerbee.platform.jobs import JobRun


async def act(run: JobRun) -> None:
    """The job."""
    todo = run.payload
    note(todo, f"begun {run.attempt}")
    if todo.get("die"):
        os.kill(os.getpid(), signal.SIGKILL)
    if gate := todo.get("gate"):
        while not Path(gate).exists():  # noqa: ASYNC110, ASYNC240  another process makes it
            await asyncio.sleep(0.02)
    if todo.get("fail"):
        raise RuntimeError("as told")
    note(todo, "ended")


def note(todo: Any, text: str) -> None:
    """Add a line to the job's notes."""
    with Path(todo["notes"]).open("a") as notes:
        notes.write(text + "\n")


def limits_of(text: str) -> Limits:
    """The limits that the argument names."""
    given: dict[str, Any] = json.loads(text)
    for name, value in list(given.items()):
        if not name.startswith("max_"):
            given[name] = timedelta(seconds=value)
    return Limits(**given)


if __name__ == "__main__":
    logs.configure("INFO")
    run_worker(Settings(), jobs={sys.argv[1]: JOBS.get(sys.argv[1], act)}, limits=limits_of(sys.argv[2]))
