"""The feed of events over HTTP: each event once, in the order of the commits, nothing that isn't for integrators."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from tests.api.test_ledger_verify import tampered
from tests.conftest import Api
from tests.ledger_books import Books, books_of

from ledgerbee.core.ids import new_id
from ledgerbee.platform import event_json
from ledgerbee.platform.context import Context
from ledgerbee.webhooks.events import store

PATH = "/v1/events"
OF_LAST = "company_id = $1 AND position = (SELECT max(position) FROM events WHERE company_id = $1)"
OF_CHANGED = (
    "company_id = $1 AND object_id ="
    " (SELECT object_id FROM events WHERE company_id = $1 GROUP BY object_id HAVING count(*) = 3)"
)


async def page_of(api: Api, **query: Any) -> dict[str, Any]:
    answer = await api.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def pages(api: Api, **query: Any) -> AsyncIterator[list[dict[str, Any]]]:
    """All pages from the beginning, as a client reads them, until the cursor stays where it is."""
    cursor = "0"
    while True:
        page = await page_of(api, after=cursor, **query)
        yield page["data"]
        if page["nextCursor"] == cursor:
            return
        cursor = page["nextCursor"]


async def fed(api: Api, **query: Any) -> list[dict[str, Any]]:
    return [event async for page in pages(api, **query) for event in page]


async def customer(api: Api, number: str) -> str:
    groups = (await api.get("/v1/customer-groups")).json()
    body = {
        "customerNumber": number, "customerType": "company", "name": f"Havn {number}", "vatZone": "domestic",
        "countryCode": "DK", "customerGroupId": groups[0]["id"],
    }  # fmt: skip
    answer = await api.post("/v1/customers", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def entry(books: Books, amount: str = "1.00") -> dict[str, Any]:
    lines = [
        {"accountId": str(books.accounts[number]), "side": side, "amount": amount}
        for number, side in ((6480, "DEBIT"), (1010, "CREDIT"))
    ]
    return {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": amount, "lines": lines}


async def emitted(api: Api, *topics: str, data: dict[str, Any] | None = None) -> None:
    """Events of new objects, told in one transaction."""

    async def work(context: Context) -> None:
        for topic in topics:
            context.emit(topic, new_id(), data or {})

    await api.run(work)


def types(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"] for event in events]


async def test_an_event_is_what_a_receiver_gets_and_where_it_stands(api: Api) -> None:
    start = (await page_of(api))["nextCursor"]
    api.clock.advance(minutes=1)
    id_ = await customer(api, "1")
    api.clock.advance(minutes=1)
    changed = (await api.patch(f"/v1/customers/{id_}", {"city": "Ribe"})).json()
    page = await page_of(api, after=start)
    first, second = page["data"]
    assert second == {
        "id": second["id"],
        "type": "customer.updated",
        "timestamp": "2026-03-16T12:02:00.000Z",
        "objectId": id_,
        "sequence": 2,
        "position": first["position"] + 1,
        "data": {"sequence": 2, **changed},
    }
    assert next(iter(second["data"])) == "sequence"
    assert (first["type"], first["sequence"], first["timestamp"]) == ("customer.created", 1, "2026-03-16T12:01:00.000Z")
    assert page["nextCursor"] == str(second["position"])
    assert (await api.get(f"{PATH}/{second['id']}")).json() == second
    assert await page_of(api, after=page["nextCursor"]) == {"data": [], "nextCursor": page["nextCursor"]}
    assert await page_of(api, after=first["position"]) == {"data": [second], "nextCursor": page["nextCursor"]}


async def test_filters_and_pages(api: Api) -> None:
    books = await books_of(api)
    ids = []
    for number in range(5):
        api.clock.advance(minutes=1)
        ids.append(await customer(api, str(number)))
        assert (await api.post("/v2/journal-entries", entry(books))).status_code == 201
    api.clock.advance(minutes=1)
    await api.patch(f"/v1/customers/{ids[3]}", {"city": "Ribe"})
    everything = await fed(api)
    assert types(everything) == ["customer.created", "journal_entry.posted"] * 5 + ["customer.updated"]
    assert [one["position"] for one in everything] == sorted(one["position"] for one in everything)
    for limit in (1, 2, 11, 100):
        assert await fed(api, limit=limit) == everything
        for wanted in ("customer.created", "customer.updated,customer.created", "journal_entry.posted",
                       "customer.updated,journal_entry.posted", "quote.accepted,payout.paid", "ping"):  # fmt: skip
            assert await fed(api, types=wanted, limit=limit) == [one for one in everything if one["type"] in wanted]
        assert await fed(api, objectId=ids[3], limit=limit) == [one for one in everything if one["objectId"] == ids[3]]
    (updated,) = await fed(api, objectId=ids[3], types="customer.updated,invoice.sent")
    assert updated == everything[-1]
    assert await fed(api, objectId=ids[3], types="invoice.sent") == []
    between = {"from": "2026-03-16T12:02:00Z", "to": "2026-03-16T13:03:00+01:00"}
    assert await fed(api, **between) == everything[2:6]
    assert await fed(api, types="customer.created", **between, limit=1) == everything[2:6:2]
    assert await fed(api, objectId=ids[3], **between) == []
    assert await fed(api, to="2026-03-16T11:00:00Z") == []
    assert await fed(api, **{"from": "2026-03-17T11:00:00Z", "to": "9999-12-31T23:59:59Z"}) == []
    # Everything was looked at: a page without events goes on behind them.
    assert (await page_of(api, types="ping"))["nextCursor"] == str(everything[-1]["position"])
    assert (await page_of(api, to="2026-03-16T12:02:30Z"))["nextCursor"] == str(everything[-1]["position"])


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("after=x", "after"), ("after=", "after"), ("after=-1", "after"), ("after=1.0", "after"),
        ("after=1234567890123456789", "after"), ("after=%D9%A1", "after"), ("limit=0", "limit"), ("limit=101", "limit"),
        ("types=", "types"), ("types=invoice.send", "types"), ("types=invoice.sent,", "types"),
        ("types=company.updated", "types"), ("types=ping,{x}", "types"), ("types=ping&types=invoice.sent", "types"),
        ("objectId=1", "objectId"), ("from=yesterday", "from"), ("to=2026-03-16T12:00:00", "to"), ("page=1", "page"),
    ],
)  # fmt: skip
async def test_what_cannot_be_asked(api: Api, query: str, place: str) -> None:
    answer = await api.get(f"{PATH}?{query}")
    assert answer.status_code == 400
    assert [one["property"] for one in answer.json()["details"]["validationErrors"]] == [place]


async def test_a_cursor_past_the_end_is_refused(api: Api) -> None:
    """It was never given: whoever has one would wait in silence for events that it then misses."""
    end = int((await page_of(api))["nextCursor"])
    answer = await api.get(PATH, params={"after": end + 1})
    assert answer.status_code == 400
    await customer(api, "1")
    assert len((await page_of(api, after=end))["data"]) == 1


async def test_what_auditors_alone_are_told_counts_and_is_not_shown(api: Api) -> None:
    made = await api.post("/v1/dimensions", {"name": "Department", "isUnique": False})
    assert made.status_code == 201, made.text
    dimension = (await api.get("/v1/audit-events", params={"type": "dimension.created"})).json()["data"][0]
    assert (await api.get(f"{PATH}/{dimension['id']}")).json()["code"] == "EVENT_NOT_FOUND"
    assert await fed(api, objectId=dimension["objectId"]) == []
    before = await page_of(api)
    assert before["data"] == []
    await customer(api, "1")
    (created,) = (await page_of(api, after=before["nextCursor"]))["data"]
    assert created["position"] == int(before["nextCursor"]) + 1


async def test_a_page_looks_at_so_many_events_at_most(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "MAX_LOOKED_AT", 10)
    await emitted(api, "billing.invoice_overdue", *["dimension.created"] * 35, "billing.invoice_paid")
    found = [types(page) async for page in pages(api)]
    assert [page for page in found if page] == [["billing.invoice_overdue"], ["billing.invoice_paid"]]
    assert len(found) > 4
    rare = [types(page) async for page in pages(api, types="billing.invoice_overdue,billing.invoice_paid")]
    assert rare[0] == [
        "billing.invoice_overdue",
        "billing.invoice_paid",
    ]  # found by its own index, however far away it is


async def test_another_company_sees_nothing_of_it(api: Api, other_api: Api) -> None:
    id_ = await customer(api, "1")
    (event,) = await fed(api)
    assert (await other_api.get(f"{PATH}/{event['id']}")).status_code == 404
    assert await fed(other_api) == []
    assert await fed(other_api, objectId=id_) == []


async def test_it_takes_its_scope(api: Api) -> None:
    made = (await api.post("/v1/api-keys", {"name": "k", "scopes": ["audit-read", "invoices-read"]})).json()
    assert (await api.get(PATH, headers={"x-api-key": made["key"]})).status_code == 403
    made = (await api.post("/v1/api-keys", {"name": "k", "scopes": ["events-read"]})).json()
    assert (await api.get(PATH, headers={"x-api-key": made["key"]})).status_code == 200


async def test_events_are_shown_for_ninety_days(api: Api) -> None:
    old = await customer(api, "1")
    (first,) = await fed(api)
    api.clock.advance(days=60)
    await customer(api, "2")
    api.clock.advance(days=30)
    assert len(await fed(api)) == 2
    api.clock.advance(seconds=1)
    (second,) = await fed(api)
    assert second["data"]["customerNumber"] == "2"
    for query in ({"types": "customer.created"}, {"from": "2026-01-01T00:00:00Z"}, {"limit": 1}):
        assert await fed(api, **query) == [second]
    assert await fed(api, objectId=old) == []
    assert (await api.get(f"{PATH}/{first['id']}")).status_code == 404
    assert (await api.get(f"/v1/audit-events/{first['id']}")).status_code == 200
    api.clock.advance(days=90)
    assert await page_of(api) == {"data": [], "nextCursor": str(second["position"])}


async def test_what_was_rolled_back_is_not_told_and_leaves_no_hole(api: Api) -> None:
    start = int((await page_of(api))["nextCursor"])

    async def work(context: Context) -> None:
        context.emit("customer.created", new_id(), {})
        await context.connection.execute("SELECT 1 / (SELECT 0)")

    with pytest.raises(Exception, match="division by zero"):
        await api.run(work)

    async def fails_at_commit(context: Context) -> None:
        """Written, and undone: a trigger refuses at COMMIT."""
        await context.connection.execute(
            "INSERT INTO events (company_id, id, type, object_id, sequence, data, actor, request_id, occurred_at)"
            " VALUES ($1, $2, 'x.y', $2, 1, '{}', 'x', 'x', $3)",
            context.company_id, new_id(), context.now,
        )  # fmt: skip
        raise ValueError("changed my mind")

    with pytest.raises(ValueError, match="mind"):
        await api.run(fails_at_commit)
    assert await page_of(api, after=start) == {"data": [], "nextCursor": str(start)}
    await customer(api, "1")
    assert [event["position"] for event in await fed(api)] == [start + 1]


async def test_events_of_a_batch_are_in_its_order(api: Api) -> None:
    books = await books_of(api)
    entries = [entry(books, f"{number}.00") for number in range(1, 31)]
    assert (await api.post("/v2/journal-entries/batch", {"entries": entries})).status_code == 201
    shown = await fed(api, limit=7)
    assert [event["data"]["originalAmount"] for event in shown] == [f"{number}.00" for number in range(1, 31)]
    assert len({event["timestamp"] for event in shown}) == 1
    first = shown[0]["position"]
    assert [event["position"] for event in shown] == list(range(first, first + 30))


async def test_a_reader_misses_nothing_of_eight_writers(api: Api) -> None:
    """It polls while they write; what it has seen in the end is all there is, each once, and in order."""
    books = await books_of(api)
    done = asyncio.Event()

    async def write(writer: int) -> None:
        for number in range(12):
            id_ = await customer(api, f"{writer}-{number}")
            made, changed = await asyncio.gather(
                api.post("/v2/journal-entries", entry(books)), api.patch(f"/v1/customers/{id_}", {"city": "Ribe"})
            )
            assert (made.status_code, changed.status_code) == (201, 200)
            refused = await api.post("/v2/journal-entries", {**entry(books), "date": "2001-01-01"})
            assert refused.status_code >= 400

    async def read(**query: Any) -> list[dict[str, Any]]:
        seen: list[dict[str, Any]] = []
        cursor = "0"
        while True:
            was_done = done.is_set()
            page = await page_of(api, after=cursor, **query)
            seen += page["data"]
            if was_done and page["nextCursor"] == cursor:
                return seen
            assert int(page["nextCursor"]) >= int(cursor)
            cursor = page["nextCursor"]

    async def writers() -> None:
        await asyncio.gather(*(write(writer) for writer in range(8)))
        done.set()

    everything, few, rare, _ = await asyncio.gather(
        read(limit=100), read(limit=3), read(types="customer.updated"), writers()
    )
    assert everything == few == await fed(api)
    assert rare == [event for event in everything if event["type"] == "customer.updated"]
    assert len(everything) == 8 * 12 * 3
    assert len({event["id"] for event in everything}) == len(everything)
    assert (await books.verify_all()).passed


async def test_long_events_come_in_pieces_and_say_the_same(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    long = {"name": "Ærø" * 10, "lines": [{"n": n, "text": f"line {n}"} for n in range(900)]}
    await emitted(api, "billing.invoice_paid", "billing.invoice_paid", data=long)
    await emitted(api, "billing.invoice_paid")
    whole = await page_of(api)
    assert [event["data"] for event in whole["data"]] == [{"sequence": 1, **long}] * 2 + [{"sequence": 1}]
    assert (await api.get(f"{PATH}/{whole['data'][0]['id']}")).json() == whole["data"][0]
    monkeypatch.setattr(event_json, "MAX_AT_ONCE", 20_000)
    monkeypatch.setattr(event_json, "MAX_PART", 7_001)
    assert await page_of(api) == whole


@pytest.mark.parametrize(
    ("page", "index"),
    [
        (store._IN_ORDER, "events_position"),
        (store._OF_TYPES, "events_rare_type_position"),
        (store._OF_OBJECT, "events_object_sequence"),
    ],
    ids=["in order", "of types", "of an object"],
)
async def test_a_page_is_read_off_an_index(api: Api, database_url: str, page: str, index: str) -> None:
    """By a plan that serves every company, with statistics of many events: none is walked past, and few are sorted."""
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute("SET session_replication_role = replica")
        await owner.execute(
            "INSERT INTO events (company_id, id, type, object_id, sequence, data, actor, request_id, occurred_at,"
            " position) SELECT $1, gen_random_uuid(), CASE n % 10 WHEN 1 THEN 'billing.invoice_paid' WHEN 2 THEN"
            " 'billing.invoice_overdue' ELSE 'dimension.updated' END,"
            " CASE n % 500 WHEN 1 THEN $1 ELSE gen_random_uuid() END, n + 1000,"
            " '{}', 'x', 'x', $2, n + 1000 FROM generate_series(1, 20000) n",
            api.company_id, api.clock(),
        )  # fmt: skip
        await owner.execute("ANALYZE events")
    finally:
        await owner.close()
    kinds = ["uuid", "bigint", "bigint", "timestamptz", "timestamptz", "text[]", "bigint", "uuid"]
    values = [f"'{api.company_id}'", "0", "30000", "'-infinity'", "'infinity'", "'{billing.invoice_paid,ping}'", "25"]
    values += [f"'{api.company_id}'"] if "$8" in page else []

    async def plan(context: Context) -> str:
        statement = f"{store._SELECT.format(page=f'({page})')} ORDER BY p.position"
        await context.connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await context.connection.execute(f"PREPARE page ({', '.join(kinds[: len(values)])}) AS {statement}")
        rows = await context.connection.fetch(f"EXPLAIN (ANALYZE) EXECUTE page ({', '.join(values)})")
        await context.connection.execute("DEALLOCATE page")
        return "\n".join(row[0] for row in rows)

    shown = await api.run(plan)
    assert set(re.findall(r"Scan(?: Backward)? using (\w+) on events", shown)) == {index}, shown
    assert "Tid Scan on events" in shown
    assert "Seq Scan" not in shown
    removed = sum(int(number) for number in re.findall(r"Rows Removed by Filter: (\d+)", shown))
    sorted_rows = [float(number) for number in re.findall(r"Sort .*rows=([0-9.]+)", shown)]
    assert removed <= 300, shown
    assert max(sorted_rows, default=0) <= 25, shown


async def test_no_event_tells_the_address_that_lets_a_buyer_answer(api: Api) -> None:
    price = {"billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE", "unitAmount": "80"}
    group = (await api.get("/v1/product-groups")).json()["data"][0]["id"]
    product = (await api.post("/v1/products", {"number": "P", "name": "Honey", "productGroupId": group})).json()
    price_id = (await api.post("/v1/product-prices", {**price, "productId": product["id"]})).json()["id"]
    lines = [{"priceId": price_id, "quantity": 1}]
    body = {"customerId": await customer(api, "1"), "date": "2026-03-16", "lines": lines}
    quote = (await api.post("/v1/quotes", body)).json()["id"]
    sent = await api.post(f"/v1/quotes/{quote}/send", {"deliveryType": "Manual"})
    address = sent.json()["acceptanceUrl"]
    assert (await api.post(f"/v1/quotes/{quote}/acceptance-link/revoke")).status_code < 500
    told = json.dumps(await fed(api))
    assert "quote.sent" in told
    assert address.rpartition("/")[2] not in told
    assert "acceptanceUrl" not in told


@pytest.mark.parametrize(
    "statements",
    [
        # The last one, told of an object of its own: nothing but its position tells that it is gone.
        [f"DELETE FROM events WHERE {OF_LAST}"],
        [f"UPDATE events SET position = position + 1 WHERE {OF_LAST}"],
        ["UPDATE event_counters SET last_position = last_position + 1 WHERE company_id = $1"],
        ["DELETE FROM event_counters WHERE company_id = $1"],
        ["UPDATE events SET position = 0 WHERE company_id = $1 AND sequence = 2"],
        # Two of one object change places: all positions are there.
        [f"UPDATE events SET sequence = {after} WHERE {OF_CHANGED} AND sequence = {before}"
         for before, after in ((2, 9), (3, 2), (9, 3))],
    ],
)  # fmt: skip
async def test_verify_finds_positions_that_are_not_as_counted(
    api: Api, database_url: str, statements: list[str]
) -> None:
    books = await books_of(api)
    id_ = await customer(api, "1")
    for city in ("Ribe", "Aarhus"):
        await api.patch(f"/v1/customers/{id_}", {"city": city})
    await customer(api, "2")
    assert (await books.verify_all()).passed
    await tampered(books, database_url, *statements)
    fault = (await books.verify_all()).fault
    assert fault is not None
    assert "event" in fault.what
