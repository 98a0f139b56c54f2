"""A job's fault may say anything: that keeps no other job from being taken off the queue."""

import asyncio
import logging
from datetime import timedelta

import pytest
from tests.conftest import BLOBS, Api

from ledgerbee.app.worker import Worker
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobKind, JobRun
from ledgerbee.platform.mail import Mailer

TIMEOUT_S = 120
JOB = "says_anything"


async def fail(run: JobRun) -> None:
    """Fail as the payload says, at first for another try."""
    if said := run.payload["says"]:
        raise ValueError(said.replace("NUL", "\0").replace("HALF", "\ud800"))


async def give_up(_: JobRun, __: str) -> None:
    """Nothing is to be ended."""


async def test_a_text_that_the_database_does_not_take_holds_its_own_job_only(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "pgqueuer")  # what it logs no report of a test could hold
    kind = JobKind(
        run=fail, give_up=give_up, is_foreseen=lambda _: True, max_attempts=2, max_unforeseen=2,
        first_pause=timedelta(milliseconds=100), longest_pause=timedelta(milliseconds=100),
    )  # fmt: skip

    async def enqueue(context: Context) -> None:
        for said in ("NUL", "a HALF of a pair", ""):
            context.enqueue(JOB, says=said)

    async def both_are_held() -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while True:
                async with api.database.connection() as connection:
                    rows = await connection.fetch("SELECT status::text FROM pgqueuer WHERE entrypoint = $1", JOB)
                if [row["status"] for row in rows] == ["failed", "failed"]:
                    return
                await asyncio.sleep(0.05)

    await api.run(enqueue)
    worker = Worker(api.database, Mailer(None, "a@b.dk"), BLOBS, api.clock, jobs={JOB: kind}, timetable={})
    task = asyncio.create_task(worker.run())
    try:
        await both_are_held()
    finally:
        worker.stop()
        await task
