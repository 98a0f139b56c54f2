"""Imports whose database goes away: what failed beside what is told is asked for, and leaves no noise."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from tests.api.test_imports import PATH, lines, row, send, work_off
from tests.conftest import Api
from tests.ledger_books import as_owner, books_of

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports.entered import rows_of
from ledgerbee.ledger.imports.model import ImportId, JournalImport, Place
from ledgerbee.ledger.imports.run import Chunk, Rows, carry_out
from ledgerbee.ledger.imports.source import Parts
from ledgerbee.platform.db import DATABASE_UNAVAILABLE, CompanySession


class _LosesTheDatabase:
    """The rows of a file; once the first chunk is with the database its sessions end, and nothing more can be read."""

    summary = None

    def __init__(self, rows: Rows, database_url: str) -> None:
        self.rows = rows
        self.database_url = database_url

    async def chunks(self, start: Place) -> AsyncIterator[Chunk]:
        async for chunk in self.rows.chunks(start):
            yield chunk
            owner = await as_owner(self.database_url)
            await owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            )
            await owner.close()
            while any("_Run._post" in repr(task.get_coro()) for task in asyncio.all_tasks()):  # noqa: ASYNC110  the run's own task
                await asyncio.sleep(0.01)
            raise DATABASE_UNAVAILABLE.error()


async def test_posting_and_reading_fail_together(api: Api, database_url: str) -> None:
    books = await books_of(api)
    sent = (await send(api, lines(*(row() for _ in range(1_000))))).json()["id"]
    session = CompanySession(api.database, api.clock, api.tenant)

    async def reader(state: JournalImport) -> Rows:
        return _LosesTheDatabase(await rows_of(session, state, Parts(ImportId(UUID(sent)), session.read)), database_url)

    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    with pytest.raises(LedgerBeeError) as fault:
        await carry_out(session, ImportId(UUID(sent)), reader)
    ended_by = fault.value.error_code
    del fault  # its traceback holds the tasks, which are told of when nobody holds them
    gc.collect()
    await asyncio.sleep(0)
    asyncio.get_running_loop().set_exception_handler(None)
    assert ended_by is DATABASE_UNAVAILABLE
    assert told == []
    assert (await api.get(f"{PATH}/{sent}")).json()["status"] == "running"
    found = await work_off(api, sent, 2)
    assert (found["status"], found["entriesPosted"]) == ("completed", 1_000)
    assert (await books.verify_all()).passed
