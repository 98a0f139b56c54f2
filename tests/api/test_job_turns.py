"""The turns of jobs: companies one after the other, within a company the oldest first, nobody for ever."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest_asyncio
from tests.conftest import Api

from ledgerbee.platform.context import Context
from ledgerbee.platform.job_turns import SPACING_S, others_wait

#: A kind of job of each test's own, which no worker knows.
Name = str


@pytest_asyncio.fixture
async def name(api: Api) -> AsyncIterator[Name]:
    name = f"test_{uuid.uuid4().hex}"
    yield name
    async with api.database.connection() as connection:
        await connection.execute("DELETE FROM pgqueuer WHERE entrypoint = $1", name)


async def enqueue(
    api: Api, name: Name, *notes: str, delay: timedelta | None = None, is_continuation: bool = False
) -> None:
    async def work(context: Context) -> None:
        for note in notes:
            context.enqueue(name, note=note, delay=delay, is_continuation=is_continuation)

    await api.run(work)


async def order(api: Api, name: Name) -> list[str]:
    """The jobs as the worker would take them."""
    async with api.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT convert_from(payload, 'UTF8')::jsonb ->> 'note' AS note FROM pgqueuer WHERE entrypoint = $1"
            " ORDER BY priority DESC, id",
            name,
        )
    return [row["note"] for row in rows]


async def test_one_job_is_not_behind_anothers_many(api: Api, other_api: Api, name: Name) -> None:
    await enqueue(api, name, *(f"a{number}" for number in range(20)))
    await enqueue(api, name, "a20")
    api.clock.advance(seconds=5)
    await enqueue(other_api, name, "b0", "b1")
    found = await order(api, name)
    assert found[:4] == ["a0", "b0", "a1", "b1"]
    assert [note for note in found if note[0] == "a"] == [f"a{number}" for number in range(21)]


async def test_nobody_waits_for_ever(api: Api, other_api: Api, name: Name) -> None:
    """Whatever comes later than a job's turn comes behind it."""
    await enqueue(api, name, "a0", "a1", "a2")
    for number in range(4):
        await enqueue(other_api, name, f"b{number}")
        await finish(api, name, f"b{number}" if number < 3 else "")
        api.clock.advance(seconds=SPACING_S)
    assert await order(api, name) == ["a0", "a1", "a2", "b3"]


async def finish(api: Api, name: Name, note: str) -> None:
    async with api.database.connection() as connection:
        await connection.execute(
            "DELETE FROM pgqueuer WHERE entrypoint = $1 AND convert_from(payload, 'UTF8')::jsonb ->> 'note' = $2",
            name,
            note,
        )


async def test_work_that_was_done_meanwhile_is_not_held_against_anybody(api: Api, other_api: Api, name: Name) -> None:
    await enqueue(api, name, "a0", "a1", "a2")
    for number in range(3):
        await finish(api, name, f"a{number}")
    await enqueue(api, name, "a3")
    api.clock.advance(seconds=1)
    await enqueue(other_api, name, "b0")
    assert await order(api, name) == ["a3", "b0"]


async def test_what_goes_on_is_before_the_companys_own_and_behind_the_others(
    api: Api, other_api: Api, name: Name
) -> None:
    await enqueue(api, name, "a0", "a1")
    await finish(api, name, "a0")
    api.clock.advance(seconds=10)
    await enqueue(other_api, name, "b0")
    await enqueue(api, name, "a0 goes on", is_continuation=True)
    assert await order(api, name) == ["b0", "a0 goes on", "a1"]
    api.clock.advance(seconds=1)
    await enqueue(other_api, name, "b1", is_continuation=True)
    assert await order(api, name) == ["a0 goes on", "b1", "b0", "a1"]
    api.clock.advance(hours=1)
    await enqueue(api, name, "a1 goes on", is_continuation=True)
    assert await order(api, name) == ["b1", "a1 goes on", "b0", "a0 goes on", "a1"]


async def test_a_later_job_has_a_later_turn(api: Api, name: Name) -> None:
    await enqueue(api, name, "later", delay=timedelta(hours=1))
    await enqueue(api, name, "at once")
    await enqueue(api, name, "goes on", is_continuation=True)
    assert sorted(await order(api, name)) == ["at once", "goes on", "later"]
    await enqueue(api, name, "far", delay=timedelta(days=200_000))
    await enqueue(api, name, "behind it", "and behind that")
    assert set((await order(api, name))[-3:]) == {"far", "behind it", "and behind that"}


async def test_who_waits_besides(api: Api, other_api: Api, name: Name) -> None:
    async def asked() -> tuple[bool, bool]:
        async with api.database.connection() as connection:
            return (
                await others_wait(connection, api.company_id, name),
                await others_wait(connection, other_api.company_id, name),
            )

    assert await asked() == (False, False)
    await enqueue(api, name, "a")
    assert await asked() == (False, True)
    await finish(api, name, "a")
    await enqueue(api, name, "later", delay=timedelta(hours=1))
    assert await asked() == (False, False)


async def test_a_job_that_is_put_back_meanwhile_keeps_nobody_from_asking_for_another(api: Api) -> None:
    """A worker puts back what has failed at any moment: the next turn is behind it by then."""
    company_id = str(api.company_id)

    async def ask() -> int:
        return (await api.post("/v1/billing-runs", {"asOf": "2026-01-01", "dryRun": True})).status_code

    async with api.database.connection() as connection:
        await connection.execute("SET ROLE NONE")
        assert await ask() == 202
        failed = await connection.fetchval(
            "UPDATE pgqueuer SET priority = priority - 3600 WHERE job_company(payload) = $1 RETURNING id", company_id
        )

        async def fail_on_and_on() -> None:
            while True:
                await connection.execute("UPDATE pgqueuer SET status = 'picked' WHERE id = $1", failed)
                await connection.execute(
                    "DELETE FROM pgqueuer WHERE job_company(payload) = $1 AND id <> $2", company_id, failed
                )
                await connection.execute("UPDATE pgqueuer SET status = 'queued' WHERE id = $1", failed)

        failing = asyncio.create_task(fail_on_and_on())
        answers = [await ask() for _ in range(40)]
        failing.cancel()
        with suppress(asyncio.CancelledError):
            await failing
        await connection.execute("DELETE FROM pgqueuer WHERE job_company(payload) = $1", company_id)
        await connection.execute("RESET ROLE")
    assert answers == [202] * 40
