"""However much is asked for, others have their turn and a piece is in memory; what comes is whole and in order.

Calls are counted, not seconds: they are the same on any machine.
"""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
import pytest_asyncio
from starlette.types import Message
from tests.conftest import Api, SteeredClock, new_company
from tests.contract.test_steps_of_bodies import Steps
from tests.ledger_books import BANK, CAPITAL, Books, books_of

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.entries.rules.portions import MAX_AT_ONCE
from ledgerbee.ledger.entries.store import lines as lines_store
from ledgerbee.platform import event_json
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database
from ledgerbee.tenancy.audit import store as audit

#: Bytes of a piece at most: of long events more, which are read as the database keeps them.
_MOST_BYTES: Final = 500_000
_MOST_BYTES_OF_EVENTS: Final = 2_000_000
#: Calls of functions between two turns of others; a million take about a tenth of a second.
_MOST_CALLS: Final = 20_000
#: The same where an entry is written, which is done in one step.
_MOST_CALLS_OF_WRITES: Final = 80_000
#: Lines of the entries and drafts that there are: some that make a page long together, and some that are long alone.
_LINES: Final = (2, 3_000, 2, 400, 400, 400, 2, 1_000, 1_002, 2, 2_000, *[2] * 30)
_ENTRIES, _DRAFTS, _EVENTS, _CUSTOMERS = "/v1/journal-entries", "/v2/draft-journal-entries", "/v1/audit-events", 1_200


@dataclass
class Client:
    """Takes an answer piece by piece; `between` is what happens when a piece has come."""

    api: Api
    between: Callable[[int], Awaitable[None]] | None = None
    status: int = 0
    headers: dict[bytes, bytes] = field(default_factory=dict)
    pieces: list[bytes] = field(default_factory=list)
    is_complete: bool = False

    async def get(self, path: str, method: str = "GET") -> "Client":
        parts = urlsplit(f"/api{path}")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(b"x-api-key", self.api.key.encode()), (b"host", b"ledgerbee.test")],
            "client": ("127.0.0.1", 40000),
            "server": ("ledgerbee.test", 80),
        }
        transport = self.api.http._transport
        assert isinstance(transport, httpx.ASGITransport)
        await transport.app(scope, self._receive, self._send)
        return self

    @property
    def body(self) -> bytes:
        return b"".join(self.pieces)

    async def _receive(self) -> Message:
        if not self.status:
            return {"type": "http.request", "body": b"", "more_body": False}
        return await asyncio.Future()

    async def _send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], dict(message["headers"])
            return
        self.pieces.append(message["body"])
        self.is_complete = not message.get("more_body", False)
        if self.between is not None and not self.is_complete:
            await self.between(len(self.pieces))


def _entry(books: Books, lines: int, day: int) -> dict[str, Any]:
    sides = [
        {"accountId": str(books.accounts[number]), "side": side, "amount": "10", "description": f'Linje "{side}"],'}
        for number, side in ((BANK, "DEBIT"), (CAPITAL, "CREDIT"))
    ]
    return {
        "entryType": "JOURNAL_ENTRY",
        "date": f"2026-03-{day:02}",
        "originalAmount": str(5 * lines),
        "description": '"lines":[],"attachmentCount":',
        "lines": sides * (lines // 2),
    }


@pytest_asyncio.fixture(scope="module")
async def books(http: httpx.AsyncClient, database: Database) -> Books:
    """A company with much to read."""
    return await _books(await new_company(http, database, SteeredClock()))


@pytest_asyncio.fixture
async def own_books(api: Api) -> Books:
    """As `books`, for a test that changes them."""
    return await books_of(api)


async def _books(api: Api) -> Books:
    books = await books_of(api)
    for path in ("/v2/journal-entries", _DRAFTS):
        for number, lines in enumerate(_LINES):
            made = await api.post(path, _entry(books, lines, 1 + number % 15))
            assert made.status_code == 201, made.text
    group = (await api.get("/v1/customer-groups")).json()[0]["id"]
    body = {"customerGroupId": group, "name": "Nordlys", "customerType": "company", "countryCode": "DK"}
    made = await api.post("/v1/customers", {**body, "customerNumber": "9", "vatZone": "domestic"})
    assert made.status_code == 201, made.text

    async def copy(context: Context) -> None:
        columns = await context.connection.fetchval(
            "SELECT string_agg(attname, ', ') FROM pg_attribute WHERE attrelid = 'customers'::regclass AND attnum > 0"
            " AND NOT attisdropped AND attgenerated = '' AND attname NOT IN ('id', 'number')"
        )
        await context.connection.execute(
            f"INSERT INTO customers (id, number, {columns}) SELECT gen_random_uuid(), 'K' || n, {columns}"
            f" FROM customers CROSS JOIN generate_series(1, {_CUSTOMERS}) n WHERE company_id = $1",
            context.company_id,
        )

    await api.run(copy)
    return books


async def _id_of_longest(api: Api, path: str) -> str:
    found = (await api.get(f"{path}?limit=100")).json()["data"]
    return str(max(found, key=lambda one: len(one["lines"]))["id"])


@pytest_asyncio.fixture(scope="module")
async def paths(books: Books) -> dict[str, str]:
    """What is asked for, by the operation's name."""
    api = books.api
    events = (await api.get(f"{_EVENTS}?limit=100&type=journal_entry.posted")).json()["data"]
    event = max(events, key=lambda one: len(one["data"]["lines"]))["id"]
    return {
        "entries": f"{_ENTRIES}?limit=100",
        "entry": f"{_ENTRIES}/{await _id_of_longest(api, _ENTRIES)}",
        "drafts": f"{_DRAFTS}?limit=100",
        "drafts v1": f"{_DRAFTS.replace('v2', 'v1')}?limit=100",
        "draft": f"{_DRAFTS}/{await _id_of_longest(api, _DRAFTS)}",
        "draft v1": f"{_DRAFTS.replace('v2', 'v1')}/{await _id_of_longest(api, _DRAFTS)}",
        "events": f"{_EVENTS}?limit=100",
        "event": f"{_EVENTS}/{event}",
        "customers": "/v1/customers",
    }


_NAMES: Final = (
    "entries", "entry", "drafts", "drafts v1", "draft", "draft v1", "events", "event", "customers"
)  # fmt: skip


async def _counted(work: Awaitable[Any]) -> tuple[Steps, Any]:
    """What the event loop did while it was awaited, and what came of it."""
    steps = Steps()
    neighbour = asyncio.create_task(steps.take_turns())
    await asyncio.sleep(0)
    before: Callable[..., Any] | None = sys.getprofile()
    sys.setprofile(steps.count)
    try:
        return steps, await work
    finally:
        sys.setprofile(before)
        neighbour.cancel()


@pytest.mark.parametrize("name", _NAMES)
async def test_others_have_their_turn_and_little_is_in_memory(books: Books, paths: dict[str, str], name: str) -> None:
    path = paths[name]
    steps, answer = await _counted(Client(books.api).get(path))
    assert (answer.status, answer.is_complete) == (200, True)
    assert b"content-length" not in answer.headers
    assert max(map(len, answer.pieces)) <= (_MOST_BYTES_OF_EVENTS if name.startswith("event") else _MOST_BYTES)
    assert steps.most <= _MOST_CALLS
    assert steps.turns > 10


@pytest.mark.parametrize("name", _NAMES)
async def test_it_is_what_would_come_as_a_whole(
    books: Books, paths: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = paths[name]
    in_pieces = await Client(books.api).get(path)
    monkeypatch.setattr(lines_store, "MAX_AT_ONCE", 10**6)
    monkeypatch.setattr(audit, "_SELECT", audit._SELECT.replace(f"<= {event_json.MAX_INLINE}", "<= 1000000000"))
    monkeypatch.setattr("ledgerbee.http.arrays.CHUNK", 10**6)
    whole = await Client(books.api).get(path)
    assert whole.headers[b"content-length"] == str(len(whole.body)).encode()
    assert in_pieces.body == whole.body


async def test_an_event_in_parts_says_the_same(
    books: Books, paths: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the blanks that the database writes stay in it."""
    path = paths["event"]
    as_ever = (await Client(books.api).get(path)).body
    monkeypatch.setattr(event_json, "MAX_AT_ONCE", 20_000)
    monkeypatch.setattr(event_json, "MAX_PART", 70_001)
    in_parts = await Client(books.api).get(path)
    assert max(map(len, in_parts.pieces)) <= 70_001
    assert json.loads(in_parts.body) == json.loads(as_ever)


@pytest.mark.parametrize("path", [_ENTRIES, _DRAFTS])
@pytest.mark.parametrize("limit", [1, 7, 100])
async def test_all_pages_have_everything_once_and_in_order(books: Books, path: str, limit: int) -> None:
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = (await books.api.get(f"{path}?limit={limit}&page={page}")).json()
        assert (answer["total"], answer["page"], answer["limit"]) == (len(_LINES), page, limit)
        assert len(answer["data"]) == min(limit, len(_LINES) - (page - 1) * limit)
        found += answer["data"]
        if page == answer["totalPages"]:
            break
        page += 1
    assert len({one["id"] for one in found}) == len(found) == len(_LINES)
    assert sorted(len(one["lines"]) for one in found) == sorted(_LINES)
    assert [one["date"] for one in found] == sorted((one["date"] for one in found), reverse=True)
    for one in found:
        assert (await books.api.get(f"{path}/{one['id']}")).json() == one
        assert [line["side"] for line in one["lines"]] == ["DEBIT", "CREDIT"] * (len(one["lines"]) // 2)
        assert len({line["id"] for line in one["lines"]}) == len(one["lines"])


#: Locks that the application's own sessions hold on what is read here. Others have some too, now and then: autovacuum.
_HELD: Final = """
SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE datname = current_database() AND backend_type = 'client backend' AND application_name = 'ledgerbee'
  AND locktype = 'relation' AND database = datid
  AND relation IN (
    'journal_entries'::regclass, 'draft_journal_entries'::regclass, 'customers'::regclass, 'events'::regclass
  )
"""


@pytest.mark.parametrize("name", _NAMES)
async def test_who_takes_its_time_holds_no_connection_of_the_database(
    books: Books, paths: dict[str, str], name: str, database_url: str
) -> None:
    path = paths[name]
    # As the owner: the roles of the application are not told what other sessions do.
    owner = await asyncpg.connect(database_url)

    async def look(_: int) -> None:
        assert await owner.fetchval(_HELD) == 0

    try:
        answer = await Client(books.api, look).get(path)
    finally:
        await owner.close()
    assert answer.is_complete
    assert len(answer.pieces) > 2


@pytest.mark.parametrize("name", _NAMES)
async def test_a_head_reads_no_more_than_it_tells(books: Books, paths: dict[str, str], name: str) -> None:
    path = paths[name]
    answer = await Client(books.api).get(path, "HEAD")
    assert (answer.status, answer.is_complete, answer.pieces) == (200, True, [b""])


@pytest.mark.parametrize("path", ["/v1/dimensions", "/v1/dimensions/{id}"])
async def test_a_large_tree_is_written_beside_the_event_loop(own_books: Books, path: str) -> None:
    api = own_books.api
    dimension = (await api.post("/v1/dimensions", {"name": "Afdeling", "isUnique": False})).json()["id"]
    assert (await api.post(f"/v1/dimensions/{dimension}/values", {"name": "Jylland"})).status_code == 201

    async def copy(context: Context) -> None:
        await context.connection.execute(
            "INSERT INTO dimension_values (company_id, id, dimension_id, name, created_at, updated_at)"
            " SELECT company_id, gen_random_uuid(), dimension_id, 'By ' || n, created_at, updated_at"
            " FROM dimension_values CROSS JOIN generate_series(1, 9999) n WHERE company_id = $1",
            context.company_id,
        )

    await api.run(copy)
    steps, answer = await _counted(api.get(path.format(id=dimension)))
    (found,) = answer.json() if isinstance(answer.json(), list) else [answer.json()]
    assert len({value["id"] for value in found["values"]}) == 10_000
    assert steps.most <= _MOST_CALLS
    assert answer.content == json.dumps(answer.json(), ensure_ascii=False, separators=(",", ":")).encode()


async def _two_drafts(books: Books) -> tuple[str, str]:
    """Ids of a long draft and of the one behind it."""
    made = []
    for lines, day in ((2, 1), (MAX_AT_ONCE + 2, 2)):
        answer = await books.api.post(_DRAFTS, _entry(books, lines, day))
        assert answer.status_code == 201
        made.append(str(answer.json()["id"]))
    return made[1], made[0]


def _at_first(work: Callable[[], Awaitable[httpx.Response]]) -> Callable[[int], Awaitable[None]]:
    """Does it when the first lines have come."""

    async def between(pieces: int) -> None:
        if pieces == 2:
            assert (await work()).status_code < 300

    return between


async def test_a_page_leaves_out_a_draft_that_has_gone_meanwhile(own_books: Books) -> None:
    long, short = await _two_drafts(own_books)
    delete = _at_first(lambda: own_books.api.delete(f"{_DRAFTS}/{short}"))
    answer = await Client(own_books.api, delete).get(_DRAFTS)
    assert [one["id"] for one in json.loads(answer.body)["data"]] == [long]
    assert len(json.loads(answer.body)["data"][0]["lines"]) == MAX_AT_ONCE + 2


@pytest.mark.parametrize("is_page", [True, False])
@pytest.mark.parametrize("changes", [{"description": "Anders"}, None])
async def test_half_a_draft_is_not_made_whole_by_another(
    own_books: Books, changes: dict[str, str] | None, is_page: bool
) -> None:
    """What changes (None: is deleted) while it is read ends the answer there, which isn't complete."""
    long, _ = await _two_drafts(own_books)
    path = f"{_DRAFTS}/{long}"
    api = own_books.api
    change = _at_first(lambda: api.patch(path, changes) if changes else api.delete(path))
    client = Client(api, change)
    with pytest.raises(LedgerBeeError, match="while the answer was being read"):
        await client.get(_DRAFTS if is_page else path)
    assert (client.status, client.is_complete) == (200, False)


async def test_a_key_that_is_revoked_meanwhile_reads_no_more(own_books: Books) -> None:
    await _two_drafts(own_books)
    key = (await own_books.api.get("/v1/api-keys")).json()[0]["id"]
    client = Client(own_books.api, _at_first(lambda: own_books.api.delete(f"/v1/api-keys/{key}")))
    with pytest.raises(LedgerBeeError):
        await client.get(_DRAFTS)
    assert not client.is_complete


async def test_a_client_that_has_left_is_read_for_no_more(own_books: Books) -> None:
    await _two_drafts(own_books)
    client = Client(own_books.api)

    async def gone() -> Message:
        return {"type": "http.disconnect"} if client.status else {"type": "http.request", "body": b""}

    client._receive = gone  # type: ignore[method-assign]
    await client.get(_DRAFTS)
    assert len(client.pieces) == 1


async def test_a_page_that_is_short_has_its_length(own_books: Books) -> None:
    answer = await own_books.api.post("/v2/journal-entries", _entry(own_books, MAX_AT_ONCE, 1))
    assert answer.status_code == 201
    for path in (_ENTRIES, f"{_ENTRIES}/{answer.json()['id']}"):
        listed = await Client(own_books.api).get(path)
        assert listed.headers[b"content-length"] == str(len(listed.body)).encode()
        assert len(listed.pieces) == 1


@pytest.mark.parametrize("name", ["reverse", "correct", "change", "book", "delete"])
async def test_others_have_their_turn_when_much_is_written(own_books: Books, name: str) -> None:
    api = own_books.api
    made = []
    for path in ("/v2/journal-entries", "/v2/journal-entries", _DRAFTS):
        answer = await api.post(path, _entry(own_books, 9_000, 1))
        assert answer.status_code == 201
        made.append(answer.json()["id"])
    draft = f"{_DRAFTS}/{made[2]}"
    work: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
        "reverse": lambda: api.post(f"{_ENTRIES}/reverse-batch", {"journalEntryIds": made[:2]}),
        "correct": lambda: api.patch(f"{_ENTRIES}/{made[0]}", {"reference": "A"}),
        "change": lambda: api.patch(draft, {"reference": "A"}),
        "book": lambda: api.post(f"{draft}/book"),
        "delete": lambda: api.delete(draft),
    }
    steps, answer = await _counted(work[name]())
    assert answer.status_code < 300, answer.text[:300]
    assert steps.most <= _MOST_CALLS_OF_WRITES
