"""A worker for tests that moves test clocks: `python -m tests.runtime.clock_worker FOLDER`, on `DATABASE_URL`.

Its one daily task notes each day in FOLDER/days, as begun and as done, and in between waits on days for which there is
a file FOLDER/gate-DAY.
"""

import asyncio
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from tests.runtime.worker import limits_of

from ledgerbee.app.config import Settings
from ledgerbee.app.worker_process import run_worker
from ledgerbee.platform import logs
from ledgerbee.platform.context import Context
from ledgerbee.platform.daily import CompanyDay, DailyTask
from ledgerbee.tenancy.clocks.jobs import advances_of
from ledgerbee.tenancy.clocks.model import ADVANCE_JOB


def tasks_of(folder: Path) -> list[DailyTask]:
    """The task that notes its days."""

    async def run(day: CompanyDay) -> None:
        async def today(context: Context) -> str:
            return context.today.isoformat()

        text = await day.write(today)
        _note(folder, f"begun {text}")
        while (folder / f"gate-{text}").exists():  # noqa: ASYNC110  another process removes it
            await asyncio.sleep(0.02)
        _note(folder, f"done {text}")

    return [DailyTask(name="noting", run=run)]


def _note(folder: Path, text: str) -> None:
    with (folder / "days").open("a") as notes:
        notes.write(text + "\n")


if __name__ == "__main__":
    logs.configure("INFO")
    limits, kind = limits_of('{"heartbeat_timeout": 0.5, "poll": 0.1}', advances_of(tasks_of(Path(sys.argv[1]))))
    kind = replace(kind, first_pause=timedelta(milliseconds=100))
    run_worker(Settings(), jobs={ADVANCE_JOB: kind}, limits=limits)
