"""Background jobs run by real worker processes, which are stopped and killed."""

import asyncio
import json
import signal
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.runtime.processes import PATIENCE, Program, cli_json, refusal, wait_for

from ledgerbee.app.jobs import END_GIVEN_UP, TIMETABLE
from ledgerbee.platform.context import Context

#: A worker that dies is missed soon.
IMPATIENT = {"heartbeat_timeout": 0.5, "poll": 0.1}


@dataclass
class Bench:
    """A company, a job of its own name, and workers that run it on the tests' database."""

    api: Api
    database_url: str
    folder: Path
    job: str
    workers: list[Program] = field(default_factory=list)

    async def enqueue(self, **payload: Any) -> Path:
        """Have the job run, in a transaction of the company. The file with its notes."""
        notes = self.folder / f"notes-{uuid.uuid4().hex}"

        async def work(context: Context) -> None:
            context.enqueue(self.job, notes=str(notes), **payload)

        await self.api.run(work)
        return notes

    def worker(self, **limits: float) -> Program:
        """Start another worker."""
        folder = self.folder / f"worker-{len(self.workers)}"
        folder.mkdir()
        command: list[str | Path] = [sys.executable, "-m", "tests.runtime.worker", self.job, json.dumps(limits)]
        self.workers.append(Program.start(command, folder, DATABASE_URL=self.database_url))
        return self.workers[-1]

    async def rows(self) -> list[asyncpg.Record]:
        """The job's rows in the queue."""
        async with self.api.database.connection() as connection:
            return await connection.fetch("SELECT * FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", self.job)


@pytest_asyncio.fixture
async def bench(api: Api, database_url: str, tmp_path: Path) -> AsyncIterator[Bench]:
    bench = Bench(api, database_url, tmp_path, f"test_{uuid.uuid4().hex}")
    yield bench
    for worker in bench.workers:
        worker.process.kill()
        worker.end()
    async with bench.api.database.connection() as connection:
        await connection.execute("DELETE FROM pgqueuer WHERE entrypoint = $1", bench.job)


def lines(notes: Path) -> list[str]:
    return notes.read_text().splitlines() if notes.exists() else []


def says(notes: Path, *expected: str) -> Callable[[], bool]:
    return lambda: lines(notes) == list(expected)


class RolledBackError(Exception):
    pass


async def test_a_job_runs_once_its_transaction_has_committed_and_never_if_it_has_not(bench: Bench) -> None:
    unwanted = bench.folder / "unwanted"

    async def fails(context: Context) -> None:
        context.enqueue(bench.job, notes=str(unwanted))
        raise RolledBackError

    with pytest.raises(RolledBackError):
        await bench.api.run(fails)
    before = await bench.enqueue()
    worker = bench.worker()
    wait_for(says(before, "begun 1", "ended"))
    after = await bench.enqueue()
    wait_for(says(after, "begun 1", "ended"))
    assert worker.stop() == 0
    assert await bench.rows() == []
    assert not unwanted.exists()
    done = [line for line in worker.log if line["event"] == "job.done"]
    assert {(line["job"], line["attempt"]) for line in done} == {(bench.job, 1)}
    assert len(done) == 2


async def test_a_killed_workers_job_is_run_by_the_next(bench: Bench) -> None:
    gate = bench.folder / "gate"
    notes = await bench.enqueue(gate=str(gate))
    first = bench.worker(**IMPATIENT)
    wait_for(says(notes, "begun 1"))
    first.send(signal.SIGKILL)
    first.end()
    assert [row["status"] for row in await bench.rows()] == ["picked"]
    gate.touch()
    second = bench.worker(**IMPATIENT)
    wait_for(says(notes, "begun 1", "begun 1", "ended"))
    assert second.stop() == 0
    assert await bench.rows() == []


async def test_a_stopping_worker_finishes_its_job_or_puts_it_back(bench: Bench) -> None:
    gate = bench.folder / "gate"
    notes = await bench.enqueue(gate=str(gate))
    patient = bench.worker()
    wait_for(says(notes, "begun 1"))
    patient.send(signal.SIGTERM)
    await asyncio.sleep(0.5)  # it has heard it
    late = await bench.enqueue()
    gate.touch()
    assert patient.end() == 0
    assert lines(notes) == ["begun 1", "ended"]
    assert lines(late) == []

    never = await bench.enqueue(gate=str(bench.folder / "never"))
    hasty = bench.worker(grace=0.2)
    wait_for(says(never, "begun 1"))
    assert hasty.stop() == 0
    (row,) = [row for row in await bench.rows() if str(never) in row["payload"].decode()]
    assert (row["status"], row["attempts"]) == ("queued", 1)
    assert row["execute_after"] <= datetime.now(row["execute_after"].tzinfo) + timedelta(seconds=1)  # at once


async def test_a_failing_job_is_tried_again_then_held_and_run_again_when_told(
    bench: Bench, http: httpx.AsyncClient
) -> None:
    notes = await bench.enqueue(fail=True)
    worker = bench.worker(max_unforeseen=3, first_pause=0.1, longest_pause=0.2, poll=0.1)
    held = worker.wait_for_event("job.held")
    assert (held["job"], held["attempt"], held["error"]) == (bench.job, 3, "RuntimeError: as told")
    wait_for(says(notes, "begun 1", "begun 2", "begun 3", "given up: an unforeseen error stopped it 3 times"))
    (row,) = wait_for(lambda: _of(bench, cli_json("jobs", "list", DATABASE_URL=bench.database_url)["jobs"]))
    assert worker.stop() == 0
    assert row["companyId"] == str(bench.api.company_id)
    assert (row["attempts"], row["error"]) == (3, "RuntimeError: as told")
    assert f'ledgerbee_jobs{{job="{bench.job}",state="held"}} 1.0' in (await http.get("/metrics")).text

    assert refusal("jobs", "retry", DATABASE_URL=bench.database_url) == "Name the jobs by id, or say --all."
    said = refusal("jobs", "retry", str(row["id"]), "999999999", DATABASE_URL=bench.database_url)
    assert said == f"Not held: 999999999. Released: {row['id']}."
    assert [(row["status"], row["attempts"]) for row in await bench.rows()] == [("queued", 0)]
    assert f'ledgerbee_jobs{{job="{bench.job}",state="waiting"}} 1.0' in (await http.get("/metrics")).text
    assert f'ledgerbee_job_overdue_seconds{{job="{bench.job}"}}' in (await http.get("/metrics")).text


def _of(bench: Bench, jobs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [job for job in jobs if job["job"] == bench.job]


async def test_a_job_that_kills_its_workers_is_held_and_those_beside_it_are_not(bench: Bench) -> None:
    notes = await bench.enqueue(die=True)
    beside = await bench.enqueue()
    for deaths in (1, 2):
        assert bench.worker(**IMPATIENT, max_interruptions=1).end() == -signal.SIGKILL
        assert lines(notes) == ["begun 1"] * deaths
    last = bench.worker(**IMPATIENT, max_interruptions=1)
    held = last.wait_for_event("job.held")
    assert (held["job"], held["error"]) == (bench.job, "2 workers died while they ran it")
    wait_for(lambda: "ended" in lines(beside))
    assert last.stop() == 0
    assert [row["status"] for row in await bench.rows()] == ["failed"]
    assert lines(notes) == ["begun 1"] * 2 + ["given up: 2 workers of the program died with it"]


async def test_what_can_not_be_ended_is_told_and_looked_at_once_more(bench: Bench) -> None:
    notes = await bench.enqueue(fail=True, fail_again=True)
    worker = bench.worker(max_unforeseen=1, first_pause=0.1, poll=0.1)
    told = worker.wait_for_event("job.not_ended")
    assert (told["job"], told["error"]) == (bench.job, "RuntimeError: as told, once more")
    once = "given up: an unforeseen error stopped it once"
    wait_for(says(notes, "begun 1", once))
    assert worker.stop() == 0
    async with bench.api.database.connection() as connection:
        await connection.execute(
            "INSERT INTO pgqueuer_schedules (entrypoint, expression, next_run)"
            " VALUES ($1, $2, now() - interval '1 hour')"
            " ON CONFLICT (entrypoint, expression) DO UPDATE SET next_run = excluded.next_run",
            *END_GIVEN_UP,
        )
    again = bench.worker(poll=0.1)
    wait_for(says(notes, "begun 1", once, "given up: it was tried again and again in vain"))
    assert again.stop() == 0
    assert [row["status"] for row in await bench.rows()] == ["failed"]


async def test_what_is_due_by_timetable_runs(bench: Bench) -> None:
    """Overdue since nobody worked: it runs at the start."""
    owner = await asyncpg.connect(bench.database_url)
    async with bench.api.database.connection() as connection:
        due_jobs = {**TIMETABLE, END_GIVEN_UP[0]: (END_GIVEN_UP[1], None)}
        for name, (crontab, _) in due_jobs.items():
            await connection.execute(
                "INSERT INTO pgqueuer_schedules (entrypoint, expression, next_run)"
                " VALUES ($1, $2, now() - interval '1 hour')"
                " ON CONFLICT (entrypoint, expression) DO UPDATE SET next_run = excluded.next_run",
                name,
                crontab,
            )
        await owner.execute("INSERT INTO rate_limit_hits VALUES ('test', now() - interval '2 hours')")
        await connection.execute(
            "INSERT INTO pgqueuer_log (created, job_id, status, priority, entrypoint)"
            " VALUES (now() - interval '40 days', 0, 'successful', 0, $1)",
            bench.job,
        )
        worker = bench.worker()
        hits = "SELECT count(*) FROM rate_limit_hits WHERE bucket = 'test'"
        due = "SELECT count(*) FROM pgqueuer_schedules WHERE next_run <= now()"
        told = f"SELECT ({hits}) + ({due}) + count(*) FROM pgqueuer_log WHERE entrypoint = '{bench.job}'"
        async with asyncio.timeout(PATIENCE):
            while await owner.fetchval(told):  # noqa: ASYNC110  another process is at it
                await asyncio.sleep(0.05)
        await owner.close()
        rows = await connection.fetch("SELECT entrypoint FROM pgqueuer_schedules WHERE next_run > now()")
    assert worker.stop() == 0
    assert (
        {row["entrypoint"] for row in rows}
        == {
            "end_broken_uploads",
            "end_broken_usage_uploads",
            "end_given_up",
            "purge_authorizations",
            "purge_expired",
            "purge_job_log",
            "purge_staged_commands",
            "purge_webhook_deliveries",
            "release_blob_leases",
            "start_days",
        }
        == {*TIMETABLE, END_GIVEN_UP[0]}
    )
