"""Commands that are carried out together, and what becomes of them when the database goes away under them."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from fastapi import Response
from tests.conftest import Api

from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.http.command_batcher import MAX_BATCH, MAX_WAITING, CommandBatcher
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import DATABASE_UNAVAILABLE, TOO_MUCH_CONTENTION

NO = ErrorCode("NO", 400, "No")
#: The application's role may not; the login behind it may.
_END_THIS_SESSION = "SET ROLE NONE; SELECT pg_terminate_backend(pg_backend_pid())"


async def all_at_once(api: Api, work: object, commands: Sequence[str]) -> list[object]:
    """What each of the commands is answered, carried out in one transaction where that can be."""
    batcher = CommandBatcher(api.database)
    return await asyncio.gather(
        *(
            batcher.run(api.tenant, None, api.clock(), work, command, Response)  # type: ignore[arg-type]
            for command in commands
        ),
        return_exceptions=True,
    )


async def test_a_lost_connection_is_everyones_and_nothing_is_carried_out_twice(api: Api) -> None:
    """The answer to a COMMIT may be what was lost: trying again is the callers', who have their keys."""
    runs: list[list[str]] = []

    async def work(contexts: Sequence[Context], commands: Sequence[str]) -> list[str]:
        runs.append(list(commands))
        if "b" in commands:
            await contexts[0].connection.execute(_END_THIS_SESSION)
        return list(commands)

    answers = await all_at_once(api, work, "abcd")
    assert runs == [["a", "b", "c", "d"]]
    assert [isinstance(answer, LedgerBeeError) and answer.error_code for answer in answers] == [
        DATABASE_UNAVAILABLE
    ] * 4


async def test_what_the_database_refuses_of_one_leaves_the_others_alone(api: Api) -> None:
    async def work(contexts: Sequence[Context], commands: Sequence[str]) -> list[str]:
        if "c" in commands:
            await contexts[0].connection.execute("SELECT 1 / 0")
        return list(commands)

    answers = await all_at_once(api, work, "abcd")
    assert [answer.body for answer in answers if isinstance(answer, Response)] == [b"a", b"b", b"d"]
    assert isinstance(answers[2], asyncpg.DivisionByZeroError)


async def test_a_refusal_of_ones_own_is_ones_own(api: Api) -> None:
    async def work(_: Sequence[Context], commands: Sequence[str]) -> list[str | LedgerBeeError]:
        return [NO.error() if command == "c" else command for command in commands]

    answers = await all_at_once(api, work, "abcd")
    assert [isinstance(answer, LedgerBeeError) for answer in answers] == [False, False, True, False]


class Gate:
    """Work whose first transaction waits until it is told to go on; it notes who shares each."""

    def __init__(self) -> None:
        self.runs: list[list[str]] = []
        self.inside, self.go = asyncio.Event(), asyncio.Event()

    async def work(self, _: Sequence[Context], commands: Sequence[str]) -> list[str]:
        self.runs.append(list(commands))
        self.inside.set()
        await self.go.wait()
        return list(commands)


def start(batcher: CommandBatcher, api: Api, gate: Gate, command: str, size: int = 1) -> asyncio.Task[Response]:
    """Have a command carried out."""
    return asyncio.create_task(batcher.run(api.tenant, None, api.clock(), gate.work, command, Response, size))


async def test_they_are_carried_out_in_order_a_hundred_at_a_time(api: Api) -> None:
    gate, batcher = Gate(), CommandBatcher(api.database)
    tasks = [start(batcher, api, gate, "first")]
    await gate.inside.wait()
    names = [str(n) for n in range(2 * MAX_BATCH + 50)]
    tasks += [start(batcher, api, gate, name) for name in names]
    await asyncio.sleep(0)
    gate.go.set()
    answers = await asyncio.gather(*tasks)
    assert gate.runs == [["first"], names[:MAX_BATCH], names[MAX_BATCH : 2 * MAX_BATCH], names[-50:]]
    assert [bytes(answer.body).decode() for answer in answers] == ["first", *names]


async def test_big_ones_make_nobody_wait_for_all_of_them(api: Api) -> None:
    gate, batcher = Gate(), CommandBatcher(api.database)
    tasks = [start(batcher, api, gate, "first")]
    await gate.inside.wait()
    sizes = {"a": 9_000, "b": 999, "c": 1, "d": 1, "bigger": 20_000, "e": 1, "biggest": 30_000}
    tasks += [start(batcher, api, gate, name, size) for name, size in sizes.items()]
    await asyncio.sleep(0)
    gate.go.set()
    await asyncio.gather(*tasks)
    assert gate.runs == [["first"], ["a", "b", "c"], ["d"], ["bigger"], ["e"], ["biggest"]]


async def test_more_than_can_be_carried_out_are_sent_away(api: Api) -> None:
    """Only those beyond the limit; whoever waits is carried out, and then there is room again."""
    gate, batcher = Gate(), CommandBatcher(api.database)
    first = start(batcher, api, gate, "first")
    await gate.inside.wait()
    tasks = [start(batcher, api, gate, str(n)) for n in range(MAX_WAITING + 5)]
    done, _ = await asyncio.wait(tasks, timeout=0.2)
    refused = [task.exception() for task in done]
    assert [isinstance(fault, LedgerBeeError) and fault.error_code for fault in refused] == [TOO_MUCH_CONTENTION] * 5
    gate.go.set()
    answers = await asyncio.gather(first, *tasks[:MAX_WAITING])
    assert len(answers) == MAX_WAITING + 1
    assert (await start(batcher, api, gate, "later")).body == b"later"


async def test_whoever_comes_when_the_queue_ends_is_carried_out(api: Api) -> None:
    """At every step of the event loop around the end of a transaction, and of the next."""
    batcher = CommandBatcher(api.database)
    gate = Gate()
    gate.go.set()

    async def later(steps: int) -> Response:
        for _ in range(steps):
            await asyncio.sleep(0)
        return await start(batcher, api, gate, f"after {steps}")

    followers: list[asyncio.Task[Response]] = []

    def follow(_: asyncio.Task[Response]) -> None:
        followers[:] = [asyncio.create_task(later(steps)) for steps in range(8)]

    for round_ in range(20):
        first = start(batcher, api, gate, "first")
        first.add_done_callback(follow)
        async with asyncio.timeout(10):
            await first
            await asyncio.sleep(0)
            answers = await asyncio.gather(*followers)
        assert [answer.body for answer in answers] == [f"after {n}".encode() for n in range(8)], round_


async def test_companies_and_kinds_of_commands_have_queues_of_their_own(api: Api, other_api: Api) -> None:
    gate, other, batcher = Gate(), Gate(), CommandBatcher(api.database)
    other.go.set()
    held = [start(batcher, api, gate, "held")]
    await gate.inside.wait()
    held += [start(batcher, api, gate, "waits")]
    answers = await asyncio.gather(start(batcher, api, other, "other kind"), start(batcher, other_api, other, "theirs"))
    assert [answer.body for answer in answers] == [b"other kind", b"theirs"]
    assert sorted(other.runs) == [["other kind"], ["theirs"]]
    gate.go.set()
    await asyncio.gather(*held)
    assert gate.runs == [["held"], ["waits"]]


@pytest.mark.parametrize(
    "statement",
    [_END_THIS_SESSION, "DO $$BEGIN RAISE 'x' USING ERRCODE = '57P02'; END$$"],
)
async def test_a_server_that_goes_down_under_a_query_is_unavailable(api: Api, statement: str) -> None:
    async def work(context: Context) -> None:
        await context.connection.execute(statement)

    with pytest.raises(LedgerBeeError) as refused:
        await api.run(work)
    assert refused.value.error_code is DATABASE_UNAVAILABLE
    async with api.database.connection() as connection:
        assert await connection.fetchval("SELECT 1") == 1
    with pytest.raises(LedgerBeeError) as refused:
        async with api.database.connection() as connection:
            await connection.execute(statement)
    assert refused.value.error_code is DATABASE_UNAVAILABLE
