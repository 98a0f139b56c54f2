"""A worker process for tests: `python -m tests.runtime.worker JOB LIMITS`, on the database of `DATABASE_URL`.

It knows one job, JOB: one of the application's, or one of its own that does what its payload says. That notes in the
file `notes` that it began, then waits for the file `gate` to be there, fails, dies or ends. LIMITS is a JSON object:
fields of `Limits` and `JobKind`, times in seconds.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from ledgerbee.app.config import Settings
from ledgerbee.app.jobs import JOBS
from ledgerbee.app.worker import Limits
from ledgerbee.app.worker_process import run_worker
from ledgerbee.platform import logs
from ledgerbee.platform.jobs import JobKind, JobRun


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


async def give_up(run: JobRun, reason: str) -> None:
    """What the job works on is ended."""
    note(run.payload, f"given up: {reason}")
    if run.payload.get("fail_again"):
        raise RuntimeError("as told, once more")


TEST_JOB = JobKind(
    run=act, give_up=give_up, is_foreseen=lambda _: False, max_attempts=8, max_unforeseen=8,
    first_pause=timedelta(seconds=15), longest_pause=timedelta(hours=16),
)  # fmt: skip


def limits_of(text: str, kind: JobKind) -> tuple[Limits, JobKind]:
    """The limits that the argument names: the worker's own, and those of the kind of job."""
    given: dict[str, Any] = json.loads(text)
    for name, value in list(given.items()):
        if not name.startswith("max_"):
            given[name] = timedelta(seconds=value)
    if "max_unforeseen" in given:
        given["max_attempts"] = max(given["max_unforeseen"], given.get("max_attempts", 1))
    own = {field.name for field in fields(Limits)}
    limits = Limits(**{name: value for name, value in given.items() if name in own})
    return limits, replace(kind, **{name: value for name, value in given.items() if name not in own})


if __name__ == "__main__":
    logs.configure("INFO")
    name = sys.argv[1]
    limits, kind = limits_of(sys.argv[2], JOBS.get(name, TEST_JOB))
    run_worker(Settings(), jobs={name: kind}, limits=limits)
