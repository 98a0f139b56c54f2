"""Commands that are carried out together, and what becomes of them when the database goes away under them."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest
from fastapi import Response
from tests.conftest import Api

from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import DATABASE_UNAVAILABLE
from ledgerbee.platform.together import Together

NO = ErrorCode("NO", 400, "No")
#: The application's role may not; the login behind it may.
_END_THIS_SESSION = "SET ROLE NONE; SELECT pg_terminate_backend(pg_backend_pid())"


async def all_at_once(api: Api, work: object, commands: Sequence[str]) -> list[object]:
    """What each of the commands is answered, carried out in one transaction where that can be."""
    together = Together(api.database)
    return await asyncio.gather(
        *(
            together.run(api.tenant, None, api.clock(), work, command, Response)  # type: ignore[arg-type]
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
