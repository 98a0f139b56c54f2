"""Uploads of files to import: what a company may have waiting, and what becomes of one whose key, or disk, is gone."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from tests.api.test_imports import PATH, lines, parts_of, row, send, work_off
from tests.conftest import BLOBS, Api, SteeredClock, new_company
from tests.ledger_books import Books, books_of

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.core.dates import format_moment
from ledgerbee.ledger.imports import store
from ledgerbee.ledger.imports.model import PART_BYTES
from ledgerbee.platform.db import Database
from ledgerbee.platform.job_turns import SPACING_S

#: A little more than a part, in valid rows.
PART = lines(*(row() for _ in range(6_000))).encode()


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


@pytest_asyncio.fixture
async def narrow(database_url: str, database: Database, clock: SteeredClock) -> AsyncIterator[tuple[Api, Api]]:
    """Two companies on a server where each may have 3 MiB of imports waiting, and a file 2 MiB."""
    settings = Settings(attachments_dir=BLOBS.path, max_import_mb=2, max_waiting_imports_mb=3)
    async with LifespanManager(create_app(database_url, settings, clock=clock)) as manager:
        transport = httpx.ASGITransport(manager.app, client=("127.0.0.1", 40000))
        async with httpx.AsyncClient(transport=transport, base_url="http://ledgerbee.test") as client:
            yield await new_company(client, database, clock), await new_company(client, database, clock)


async def kept(api: Api) -> tuple[int, int]:
    """The bytes that the company has waiting, and those that are counted."""

    async def work(context: Any) -> Any:
        return await context.connection.fetchrow(
            "SELECT (SELECT coalesce(sum(length(data)), 0)::bigint FROM import_parts WHERE company_id = $1),"
            " (SELECT coalesce(sum(bytes_kept), 0)::bigint FROM journal_imports WHERE company_id = $1)",
            context.company_id,
        )

    there, counted = await api.run(work)
    return there, counted


async def statuses(api: Api) -> list[str]:
    return [found["status"] for found in (await api.get(PATH)).json()["data"]]


async def test_what_waits_is_limited_for_each_company(narrow: tuple[Api, Api]) -> None:
    api, other = narrow
    first = await send(api, PART + b"\n" * 500_000)
    assert first.status_code == 202
    assert await kept(api) == (len(PART) + 500_000,) * 2
    refused = await send(api, PART + b"\n" * 500_000)  # its length is announced: nothing of it is taken
    assert (refused.status_code, refused.json()["code"]) == (429, "JOURNAL_IMPORT_QUOTA_EXCEEDED")
    assert refused.json()["details"] == {
        "waitingImports": 2, "maxImports": 1000,
        "waitingBytes": len(PART) + 500_000, "maxBytes": 3 * PART_BYTES,
    }  # fmt: skip
    assert refused.headers["retry-after"] == "60"
    assert await statuses(api) == ["queued"]

    async def unannounced() -> AsyncIterator[bytes]:
        yield PART
        yield b"\n" * 500_000

    refused = await send(api, unannounced())
    assert (refused.status_code, refused.json()["code"]) == (429, "JOURNAL_IMPORT_QUOTA_EXCEEDED")
    assert await statuses(api) == ["queued"]
    assert await kept(api) == (len(PART) + 500_000,) * 2
    assert (await send(other, PART)).status_code == 202

    await api.post(f"{PATH}/{first.json()['id']}/cancel")
    assert await kept(api) == (0, 0)
    assert (await send(api, PART)).status_code == 202


async def test_uploads_under_way_count(narrow: tuple[Api, Api]) -> None:
    api, _ = narrow

    async def slow() -> AsyncIterator[bytes]:
        yield PART
        assert (await send(api, PART)).status_code == 202
        assert (await send(api, PART)).status_code == 429
        yield b"\n"

    assert (await send(api, slow())).status_code == 202


async def test_the_number_that_waits_is_limited(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "check_quota", replace(store.TABLES, max_waiting=2).check_quota)
    assert [(await send(books.api, lines(row()))).status_code for _ in range(3)] == [202, 202, 429]


async def test_what_is_worked_off_counts_no_more(books: Books) -> None:
    content = lines(*(row(f"{n}.00", description="x" * 1000) for n in range(1, 2501)))
    sent = (await send(books.api, content)).json()
    assert await kept(books.api) == (len(content),) * 2
    assert (await work_off(books.api, sent["id"]))["status"] == "completed"
    assert await kept(books.api) == (0, 0)


async def new_key(api: Api, **fields: Any) -> Api:
    made = await api.post("/v1/api-keys", {"name": "upload", "scopes": ["journal-entries-write"], **fields})
    assert made.status_code == 201, made.text
    return Api(api.http, api.company_id, made.json()["key"], api.database, api.clock, {"x-id": made.json()["id"]})


async def revoked(api: Api, key: Api) -> None:
    assert (await api.delete(f"/v1/api-keys/{key.headers['x-id']}")).status_code == 204


async def expired(api: Api, _: Api) -> None:
    api.clock.advance(minutes=2)


@pytest.mark.parametrize("ends", [revoked, expired])
@pytest.mark.parametrize("before", [0, 2])
async def test_a_key_that_ends_in_mid_upload_stops_it(
    books: Books, ends: Callable[[Api, Api], Awaitable[None]], before: int
) -> None:
    api = books.api
    expires = {"expiresAt": format_moment(api.clock() + timedelta(minutes=1))} if ends is expired else {}
    key = await new_key(api, **expires)
    came: list[int] = []

    async def upload() -> AsyncIterator[bytes]:
        for _ in range(before):
            yield PART
        assert await parts_of(api) == before
        await ends(api, key)
        for number in range(10):
            came.append(number)
            yield PART

    answer = await send(key, upload())
    assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED")
    assert came == [0]
    assert await statuses(api) == []
    assert await kept(api) == (0, 0)


async def test_a_key_that_ends_with_the_upload_queues_nothing(books: Books) -> None:
    key = await new_key(books.api)

    async def upload() -> AsyncIterator[bytes]:
        yield PART
        await revoked(books.api, key)
        yield b""

    answer = await send(key, upload())
    assert answer.status_code == 401
    assert await statuses(books.api) == []
    assert await kept(books.api) == (0, 0)


async def test_a_key_that_was_revoked_before_brings_nothing(books: Books) -> None:
    """This process remembers it from its last use."""
    key = await new_key(books.api)
    assert (await send(key, PART)).status_code == 202
    await revoked(books.api, key)
    assert (await send(key, PART)).status_code == 401
    assert await statuses(books.api) == ["queued"]


async def test_a_credential_that_only_changed_goes_on(books: Books) -> None:
    """As when the company's time zone is changed: what is remembered of all its keys is stale."""

    async def upload() -> AsyncIterator[bytes]:
        for zone in ("Europe/Berlin", "Europe/Copenhagen", "Europe/Berlin"):
            yield PART
            assert (await books.api.patch("/v1/company", {"timeZone": zone})).status_code == 200

    answer = await send(books.api, upload())
    assert answer.status_code == 202, answer.text
    assert answer.json()["bytesTotal"] == 3 * len(PART)


@pytest_asyncio.fixture
async def full_disk(database_url: str) -> AsyncIterator[None]:
    """No second part of a file finds room."""
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$;"
        " CREATE TRIGGER no_room BEFORE INSERT ON import_parts FOR EACH ROW WHEN (NEW.part > 0)"
        " EXECUTE FUNCTION no_room()"
    )
    yield
    await owner.execute("DROP TRIGGER no_room ON import_parts; DROP FUNCTION no_room()")
    await owner.close()


@pytest.mark.usefixtures("full_disk")
async def test_a_full_disk_is_told_and_nothing_stays(books: Books) -> None:
    answer = await send(books.api, PART * 3)
    assert (answer.status_code, answer.json()["code"]) == (507, "STORAGE_FULL")
    assert answer.headers["retry-after"] == "60"
    assert await statuses(books.api) == []
    assert await kept(books.api) == (0, 0)


async def test_uploads_that_end_at_once_get_their_turns(books: Books) -> None:
    """Each behind the one before, whichever is first: none is refused since another took its turn meanwhile."""
    for _ in range(5):
        answers = await asyncio.gather(*(send(books.api, lines(row())) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {202}

    async def turns_given(context: Any) -> list[int]:
        rows = await context.connection.fetch(
            "SELECT -priority AS turn FROM pgqueuer WHERE job_company(payload) = $1", str(context.company_id)
        )
        return sorted(row["turn"] for row in rows)

    given = await books.api.run(turns_given)
    assert len(given) == 40
    assert all(later - earlier >= SPACING_S for earlier, later in pairwise(given))
