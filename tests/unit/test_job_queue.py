"""What the worker does about its queue while the database is away."""

import asyncpg
import pytest

from ledgerbee.platform import job_queue


@pytest.mark.parametrize(
    "fault",
    [
        asyncpg.CannotConnectNowError("the database system is starting up"),
        asyncpg.AdminShutdownError("terminating connection due to administrator command"),
        asyncpg.CrashShutdownError("terminating connection because of crash of another server process"),
        asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
        ConnectionRefusedError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_a_database_that_goes_and_comes_is_waited_for(fault: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_queue, "_PAUSE_S", 0)
    faults = [fault, fault]

    async def work() -> str:
        if faults:
            raise faults.pop()
        return "done"

    assert await job_queue.retry_while_unavailable(work) == "done"
    assert faults == []
