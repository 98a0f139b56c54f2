"""A step of a test clock whose worker is killed in the middle of a day goes on with the next worker."""

import signal
import sys
from datetime import date
from pathlib import Path

import httpx
from tests.conftest import SteeredClock, new_company
from tests.runtime.processes import Program, wait_for
from tests.sandboxes import ask, clock_of, days_from

from ledgerbee.core.dates import day_in, system_clock
from ledgerbee.platform.db import Database
from ledgerbee.tenancy.clocks.model import ADVANCE_JOB


async def test_a_step_goes_on_after_its_worker_was_killed(
    http: httpx.AsyncClient, database: Database, database_url: str, clock: SteeredClock, tmp_path: Path
) -> None:
    clock.now = system_clock()  # as the workers have it
    async with database.connection() as connection:
        await connection.execute("DELETE FROM pgqueuer WHERE entrypoint = $1", ADVANCE_JOB)  # of other tests
    sandbox = await new_company(http, database, clock, is_sandbox=True)
    today = day_in(clock.now, "Europe/Copenhagen")
    days = [day.isoformat() for day in days_from(today, 6)]
    gate = tmp_path / f"gate-{days[3]}"
    gate.touch()
    notes = tmp_path / "days"

    def said() -> list[str]:
        return notes.read_text().splitlines() if notes.exists() else []

    def worker(name: str) -> Program:
        folder = tmp_path / name
        folder.mkdir()
        command: list[str | Path] = [sys.executable, "-m", "tests.runtime.clock_worker", tmp_path]
        return Program.start(command, folder, DATABASE_URL=database_url)

    await ask(sandbox, date.fromisoformat(days[5]))
    first = worker("first")
    before = [f"{word} {day}" for day in days[:3] for word in ("begun", "done")]
    wait_for(lambda: said() == [*before, f"begun {days[3]}"])
    under_way = await clock_of(sandbox)
    assert (under_way["status"], under_way["today"], under_way["progress"]) == (
        "advancing", days[3], {"day": 3, "of": 5},
    )  # fmt: skip
    first.send(signal.SIGKILL)
    first.end()
    gate.unlink()
    second = worker("second")
    after = [f"{word} {day}" for day in days[3:] for word in ("begun", "done")]
    wait_for(lambda: said() == [*before, f"begun {days[3]}", *after])
    assert second.stop() == 0
    done = await clock_of(sandbox)
    assert (done["status"], done["today"]) == ("idle", days[5])
