"""Uploads that never become imports: an answer that is an error, or was given before, leaves nothing of them."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

import asyncpg
import pytest
from starlette.requests import ClientDisconnect
from tests.api.test_imports import PATH, lines, row, send
from tests.api.test_imports_uploads import PART, expired, kept, narrow, new_key, revoked
from tests.api.test_oauth import make_client, token_of
from tests.conftest import BLOBS, Api

from ledgerbee.core.dates import format_moment, system_clock
from ledgerbee.ledger.imports import actions, store
from ledgerbee.ledger.imports.jobs import end_broken_uploads
from ledgerbee.ledger.imports.model import FileToImport, ImportFormat, ImportStatus
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import SYSTEM

__all__ = ["narrow"]

FILE: Final = lines(row("1.00"))
KEY: Final = {"x-api-idempotency-key": "books"}

Meanwhile = Callable[[], Awaitable[object]]


async def nothing() -> None:
    """Nothing happens while the file comes in."""


async def upload(
    parts: Iterable[bytes], meanwhile: Meanwhile = nothing, fault: type[BaseException] | None = None
) -> Any:
    """A body of unknown length: something happens, and may go wrong, before its last part."""
    *first, last = parts
    for part in first:
        yield part
    await meanwhile()
    if fault is not None:
        raise fault
    yield last


async def imports_of(api: Api) -> tuple[Any, list[Any], tuple[int, int]]:
    """The list of imports, their events, and what is kept of their files."""
    listed = (await api.get(f"{PATH}?limit=100")).json()["data"]
    told = (await api.get("/v1/audit-events?limit=100")).json()["data"]
    return listed, [event for event in told if event["type"].startswith("journal_import.")], await kept(api)


async def the_same_again(api: Api) -> Any:
    return await send(api, FILE, **KEY)


async def another_file(api: Api) -> Any:
    return await send(api, lines(row("2.00")), **KEY)


async def a_longer_file(api: Api) -> Any:
    return await send(api, upload([PART, b"\n"]), **KEY)


async def another_name(api: Api) -> Any:
    return await send(api, FILE, query="fileName=other.jsonl", **KEY)


async def another_type(api: Api) -> Any:
    return await send(api, FILE, "text/csv", **KEY)


async def a_key_in_use(api: Api) -> Any:
    async def first(_: Context) -> Any:
        return await send(api, FILE, **{"x-api-idempotency-key": "other"})

    return await api.run(first, key="other")


async def a_revoked_key(api: Api) -> Any:
    key = await new_key(api)
    return await send(key, upload([PART, b"\n"], lambda: revoked(api, key)))


async def a_revoked_key_at_the_end(api: Api) -> Any:
    key = await new_key(api)
    return await send(key, upload([PART, b""], lambda: revoked(api, key)))


async def an_expired_key(api: Api) -> Any:
    key = await new_key(api, expiresAt=format_moment(api.clock() + timedelta(minutes=1)))
    return await send(key, upload([PART, b"\n"], lambda: expired(api, key)))


async def a_client_that_may_no_longer(api: Api) -> Any:
    client = await make_client(api, scopes=["journal-entries-write", "accounts-read"])
    token = await token_of(api.http, client)

    async def narrowed() -> None:
        changed = await api.patch(f"/v1/oauth-clients/{client['client_id']}", {"scopes": ["accounts-read"]})
        assert changed.status_code == 200, changed.text

    headers = {"authorization": f"Bearer {token}", "content-type": "application/x-ndjson"}
    return await api.http.post(f"/api{PATH}", content=upload([PART, b"\n"], narrowed), headers=headers)


async def a_file_that_is_too_long(api: Api) -> Any:
    return await send(api, upload([PART, PART, PART]))


async def more_than_may_wait(api: Api) -> Any:
    assert (await send(api, b"\n" * 1_900_000)).status_code == 202
    return await send(api, upload([PART, PART[:700_000], b"\n"]))


async def an_unforeseen_fault(api: Api) -> Any:
    return await send(api, upload([PART, b""], fault=RuntimeError))


async def a_wrong_parameter(api: Api) -> Any:
    return await send(api, FILE, query="encoding=x")


CASES: Final[dict[Callable[[Api], Awaitable[Any]], tuple[int, str | None]]] = {
    the_same_again: (202, None),
    another_file: (409, "IDEMPOTENCY_KEY_REUSED"),
    a_longer_file: (409, "IDEMPOTENCY_KEY_REUSED"),
    another_name: (409, "IDEMPOTENCY_KEY_REUSED"),
    another_type: (409, "IDEMPOTENCY_KEY_REUSED"),
    a_key_in_use: (409, "IDEMPOTENCY_KEY_IN_USE"),
    a_revoked_key: (401, "UNAUTHORIZED"),
    a_revoked_key_at_the_end: (401, "UNAUTHORIZED"),
    an_expired_key: (401, "UNAUTHORIZED"),
    a_client_that_may_no_longer: (401, "UNAUTHORIZED"),
    a_file_that_is_too_long: (413, "PAYLOAD_TOO_LARGE"),
    more_than_may_wait: (429, "JOURNAL_IMPORT_QUOTA_EXCEEDED"),
    an_unforeseen_fault: (500, "INTERNAL_ERROR"),
    a_wrong_parameter: (400, "SHARED_VALIDATION_FAILED"),
}


@pytest.mark.parametrize("ends", CASES, ids=lambda ends: ends.__name__)
async def test_what_is_answered_otherwise_leaves_nothing(
    narrow: tuple[Api, Api], ends: Callable[[Api], Awaitable[Any]]
) -> None:
    api, _ = narrow
    first = await send(api, FILE, **KEY)
    assert first.status_code == 202
    before = await imports_of(api)
    answer = await ends(api)
    status, code = CASES[ends]
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    after = await imports_of(api)
    if ends is more_than_may_wait:  # what was there before it
        waiting, *listed = after[0]
        assert waiting["status"] == "queued"
        assert (listed, after[2]) == (before[0], tuple(length + 1_900_000 for length in before[2]))
        assert after[1][1:] == before[1]
    else:
        assert after == before
    if ends is the_same_again:
        assert answer.json() == first.json()
        assert answer.headers["idempotent-replayed"] == "true"


@dataclass
class Broken:
    """An upload that broke off, and what it was sent with."""

    key: Api
    begun: datetime
    sent: dict[str, str] = field(default_factory=lambda: {"x-request-id": "broken-upload"})


async def broken_off(api: Api, before: int) -> Broken:
    """Break an upload off behind so many parts, ninety seconds after it began."""
    broken = Broken(await new_key(api), api.clock())

    async def later() -> None:
        api.clock.advance(seconds=90)

    with suppress(ClientDisconnect):
        await send(broken.key, upload([PART] * before + [b""], later, ClientDisconnect), **broken.sent)
    return broken


@pytest.mark.parametrize("before", [0, 1, 3])
async def test_one_that_broke_off_stays_as_failed_and_is_told(api: Api, before: int) -> None:
    broken = await broken_off(api, before)
    (found,), (event,), there = await imports_of(api)
    assert (found["status"], found["failure"]) == ("failed", "The upload broke off")
    ended = format_moment(broken.begun + timedelta(seconds=90))
    assert (found["createdAt"], found["completedAt"]) == (format_moment(broken.begun), ended)
    assert there == (0, 0)
    key_id = broken.key.headers["x-id"]
    assert event["type"] == "journal_import.failed"
    assert (event["objectId"], event["sequence"], event["occurredAt"]) == (found["id"], 1, ended)
    assert (event["actor"], event["credentialKind"], event["credentialId"]) == (f"api_key:{key_id}", "api_key", key_id)
    assert (event["address"], event["requestId"]) == ("127.0.0.1", "broken-upload")
    assert event["data"] == found
    assert event["before"] == {**found, "status": "receiving", "failure": None, "completedAt": None}


async def test_one_whose_key_was_revoked_before_it_broke_off_leaves_nothing(api: Api) -> None:
    """As whatever else the key had sent."""
    key = await new_key(api)
    with suppress(ClientDisconnect):
        await send(key, upload([PART, b""], lambda: revoked(api, key), ClientDisconnect))
    assert await imports_of(api) == ([], [], (0, 0))


async def test_one_of_a_killed_process_is_ended_by_the_worker(api: Api) -> None:
    async def left(context: Context) -> UUID:
        begun = await actions.new_import(context, FileToImport(ImportFormat.CSV, None), ImportStatus.RECEIVING)
        await store.insert(context, begun)
        await store.TABLES.add_part(context, begun.id, 0, b"entry")
        return begun.id

    import_id = await api.run(left)
    await end_broken_uploads(api.database, BLOBS, system_clock() + timedelta(minutes=50))
    (found,), told, there = await imports_of(api)
    assert (found["status"], told, there) == ("receiving", [], (5, 5))
    moment = system_clock() + timedelta(minutes=70)
    for _ in range(2):
        await end_broken_uploads(api.database, BLOBS, moment)
        (found,), (event,), there = await imports_of(api)
        assert (found["id"], found["status"], found["failure"]) == (str(import_id), "failed", "The upload broke off")
        assert there == (0, 0)
        assert (event["type"], event["actor"]) == ("journal_import.failed", str(SYSTEM))
        assert (event["occurredAt"], event["data"], event["before"]["status"]) == (
            format_moment(moment), found, "receiving",
        )  # fmt: skip


async def test_the_worker_leaves_what_goes_on(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part came, or the file was whole, after the worker had asked for what is silent."""
    found: list[Any] = []

    async def asked(_: Any, __: datetime) -> list[tuple[UUID, UUID]]:
        return [(api.company_id, UUID(one["id"])) for one in (await api.get(PATH)).json()["data"]]

    monkeypatch.setattr(store, "silent_uploads", asked)

    async def swept() -> None:
        await end_broken_uploads(api.database, BLOBS, system_clock() + timedelta(minutes=50))
        found.extend((await api.get(PATH)).json()["data"])

    answer = await send(api, upload([PART, b"\n"], swept))
    assert answer.status_code == 202, answer.text
    assert [one["status"] for one in found] == ["receiving"]
    await end_broken_uploads(api.database, BLOBS, system_clock() + timedelta(minutes=90))
    assert [one["status"] for one in (await api.get(PATH)).json()["data"]] == ["queued"]


async def test_an_upload_may_take_longer_than_clocks_may_differ(api: Api, database_url: str) -> None:
    """Its end is a moment of its own, not that of its beginning."""
    owner = await asyncpg.connect(database_url)
    before = await owner.fetchval("SELECT clock_tolerance FROM application_trust")
    api.clock.now = datetime.now(UTC) - timedelta(hours=3)

    async def later() -> None:
        api.clock.now = datetime.now(UTC)

    try:
        await owner.execute("UPDATE application_trust SET clock_tolerance = '1 hour'")
        answer = await send(api, upload([PART, b"\n"], later))
        assert answer.status_code == 202, answer.text
        broken = await send(api, upload([PART, b"\n"], fault=ClientDisconnect))
        assert broken.status_code == 400
        assert [event["type"] for event in (await imports_of(api))[1]] == [
            "journal_import.failed", "journal_import.created",
        ]  # fmt: skip
    finally:
        await owner.execute("UPDATE application_trust SET clock_tolerance = $1", before)
        await owner.close()
