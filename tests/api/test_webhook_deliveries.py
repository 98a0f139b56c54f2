"""The log of a webhook endpoint, and what is sent to it once more (decisions "Webhooks")."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.api.webhook_steps import PATH, changed, customer, deliver, end, events, log, made, shown, tell
from tests.conftest import Api
from tests.table_rows import rows_of

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context

ATTEMPTS: list[dict[str, Any]] = [
    {"at": "2026-03-16T12:00:01.250Z", "status": 503, "durationMs": 84, "answer": "Try later", "error": None},
    {"at": "2026-03-16T12:00:31.000Z", "status": None, "durationMs": 15000, "answer": None, "error": "Timed out"},
]


async def told(api: Api, number: int) -> list[dict[str, Any]]:
    """The events of so many new customers."""
    before = len(await events(api, "customer.created"))
    for each in range(before, before + number):
        await customer(api, f"C-{each}")
    return (await events(api, "customer.created"))[before:]


async def replay(api: Api, endpoint: dict[str, Any], **body: Any) -> httpx.Response:
    return await api.post(f"{PATH}/{endpoint['id']}/replay", body)


async def count(api: Api, endpoint: dict[str, Any], **body: Any) -> int:
    answer = await replay(api, endpoint, **body)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["count"])


async def is_due(api: Api) -> bool:
    """Whether whoever sends was told to look."""

    async def work(context: Context) -> bool:
        await context.connection.execute("SET LOCAL ROLE NONE")
        found: bool = await context.connection.fetchval(
            "SELECT due_at <= $2 FROM webhook_companies WHERE company_id = $1", context.company_id, context.now
        )
        return found

    found: bool = await api.run(work)
    return found


async def sent_all(api: Api) -> None:
    """As if the worker had looked: nothing is due."""

    async def work(context: Context) -> None:
        await context.connection.execute("SELECT set_webhooks_due($1, NULL)", context.company_id)

    await api.run(work)


class TestLog:
    async def test_a_delivery_with_its_attempts(self, api: Api) -> None:
        endpoint = await made(api)
        (event,) = await told(api, 1)
        delivery = await deliver(api, endpoint, event, "pending", ATTEMPTS)
        (listed,) = await log(api, endpoint)
        assert listed == {
            "id": delivery,
            "eventId": str(event["id"]),
            "eventType": "customer.created",
            "objectId": str(event["object_id"]),
            "status": "pending",
            "attempts": [{**ATTEMPTS[0], "at": "2026-03-16T12:00:01.250Z"}, ATTEMPTS[1]],
            "nextAttemptAt": "2026-03-16T13:00:00.000Z",
            "createdAt": "2026-03-16T12:00:00.000Z",
            "finishedAt": None,
        }
        assert (await api.get(f"{PATH}/{endpoint['id']}/deliveries/{delivery}")).json() == listed

    async def test_pages_newest_first_narrowed_down(self, api: Api) -> None:
        endpoint, other = await made(api), await made(api)
        first, second = await told(api, 2)
        await api.patch(f"/v1/customers/{first['object_id']}", {"name": "Ny Havn"})
        (update,) = await events(api, "customer.updated")
        ids = [
            await deliver(api, endpoint, event, status)
            for event, status in ((first, "failed"), (second, "delivered"), (update, "skipped"), (first, "delivered"))
        ][::-1]
        await deliver(api, other, first, "failed")
        path = f"{PATH}/{endpoint['id']}/deliveries"
        answer = (await api.get(path, params={"limit": 3})).json()
        assert [one["id"] for one in answer["data"]] == ids[:3]
        assert {name: answer[name] for name in answer if name != "data"} == {
            "total": 4, "page": 1, "limit": 3, "totalPages": 2,
        }  # fmt: skip
        for query, places in (
            ({"page": 2, "limit": 3}, [3]),
            ({"status": "delivered"}, [0, 2]),
            ({"status": "pending"}, []),
            ({"eventType": "customer.updated"}, [1]),
            ({"eventType": "no.such"}, []),
            ({"objectId": str(first["object_id"])}, [0, 1, 3]),
            ({"eventId": str(first["id"])}, [0, 3]),
            ({"eventId": str(first["id"]), "status": "failed"}, [3]),
            ({"objectId": str(first["object_id"]), "eventType": "customer.created", "status": "failed"}, [3]),
            ({"objectId": str(new_id())}, []),
        ):
            assert [one["id"] for one in await log(api, endpoint, **query)] == [ids[place] for place in places], query
        for bad in ({"status": "sent"}, {"eventId": "x"}, {"sortBy": "createdAt"}, {"limit": 101}):
            assert (await api.get(path, params=bad)).status_code == 400, bad

    async def test_a_delivery_of_another_endpoint_is_none_of_it(self, api: Api, other_api: Api) -> None:
        endpoint, other, strange = await made(api), await made(api), await made(other_api)
        (event,) = await told(api, 1)
        delivery = await deliver(api, other, event, "failed")
        before = await rows_of(api)
        for api_of, one, code in (
            (api, endpoint, "WEBHOOK_DELIVERY_NOT_FOUND"),
            (other_api, strange, "WEBHOOK_DELIVERY_NOT_FOUND"),
            (other_api, other, "WEBHOOK_ENDPOINT_NOT_FOUND"),
        ):
            path = f"{PATH}/{one['id']}/deliveries/{delivery}"
            for answer in (await api_of.get(path), await api_of.post(f"{path}/redeliver")):
                assert (answer.status_code, answer.json()["code"]) == (404, code)
        assert (await replay(other_api, other, failed=True)).json()["code"] == "WEBHOOK_ENDPOINT_NOT_FOUND"
        assert await rows_of(api) == before


class TestRedelivering:
    async def redeliver(self, api: Api, endpoint: dict[str, Any], delivery: str) -> httpx.Response:
        return await api.post(f"{PATH}/{endpoint['id']}/deliveries/{delivery}/redeliver")

    @pytest.mark.parametrize("status", ["delivered", "failed", "skipped"])
    async def test_it_is_a_delivery_of_its_own(self, api: Api, status: str) -> None:
        endpoint = await made(api)
        (event,) = await told(api, 1)
        past = await deliver(api, endpoint, event, status, ATTEMPTS)
        await sent_all(api)
        api.clock.advance(hours=2)
        answer = await self.redeliver(api, endpoint, past)
        assert answer.status_code == 200, answer.text
        new = answer.json()
        assert new["id"] != past
        assert (new["eventId"], new["status"], new["attempts"]) == (str(event["id"]), "pending", [])
        assert new["nextAttemptAt"] == new["createdAt"] == "2026-03-16T14:00:00.000Z"
        assert [one["id"] for one in await log(api, endpoint)] == [new["id"], past]
        assert (await shown(api, endpoint))["nextAttemptAt"] == "2026-03-16T14:00:00.000Z"
        assert await is_due(api)
        (audited,) = await events(api, "webhook_endpoint.replayed")
        assert audited["data"]["replay"] == {"count": 1, "eventIds": [str(event["id"])]}
        assert audited["data"]["id"] == endpoint["id"]

    async def test_what_waits_for_its_next_attempt_is_tried_now(self, api: Api) -> None:
        endpoint = await made(api)
        (event,) = await told(api, 1)
        waiting = await deliver(api, endpoint, event, "pending", ATTEMPTS)
        await sent_all(api)
        answers = [await self.redeliver(api, endpoint, waiting) for _ in range(2)]
        for answer in answers:
            assert (answer.json()["id"], answer.json()["nextAttemptAt"]) == (waiting, "2026-03-16T12:00:00.000Z")
            assert answer.json()["attempts"] == ATTEMPTS
        assert len(await log(api, endpoint)) == 1
        assert await is_due(api)
        assert len(await events(api, "webhook_endpoint.replayed")) == 2

    async def test_behind_an_earlier_event_of_its_object_it_waits(self, api: Api) -> None:
        endpoint = await made(api)
        (first,) = await told(api, 1)
        await api.patch(f"/v1/customers/{first['object_id']}", {"name": "Ny Havn"})
        (second,) = await events(api, "customer.updated")
        await deliver(api, endpoint, first, "pending", ATTEMPTS)
        past = await deliver(api, endpoint, second, "failed")
        answer = await self.redeliver(api, endpoint, past)
        assert (answer.json()["status"], answer.json()["nextAttemptAt"]) == ("pending", None)

    async def test_several_at_once_make_one(self, api: Api) -> None:
        endpoint = await made(api)
        (event,) = await told(api, 1)
        past = await deliver(api, endpoint, event, "failed")
        answers = await asyncio.gather(*(self.redeliver(api, endpoint, past) for _ in range(5)))
        assert len({one.json()["id"] for one in answers}) == 1
        assert len(await log(api, endpoint)) == 2

    async def test_not_to_a_disabled_one(self, api: Api) -> None:
        endpoint = await made(api)
        (event,) = await told(api, 1)
        past = await deliver(api, endpoint, event, "failed")
        await changed(api, endpoint, isEnabled=False)
        answer = await self.redeliver(api, endpoint, past)
        assert (answer.status_code, answer.json()["code"]) == (409, "WEBHOOK_ENDPOINT_INVALID_STATE")
        assert answer.json()["details"] == {"status": "disabled_by_user"}


class TestReplaying:
    async def test_what_was_skipped_comes_in_the_order_of_its_object(self, api: Api) -> None:
        """Forty events were skipped while the endpoint was disabled: all are sent, none twice."""
        endpoint = await made(api)
        (first,) = await told(api, 1)
        for number in range(38):
            await api.patch(f"/v1/customers/{first['object_id']}", {"name": f"Havn {number}"})
        (other,) = await told(api, 1)
        all_events = [first, *await events(api, "customer.updated"), other]
        for event in all_events:
            await deliver(api, endpoint, event, "skipped")
        assert await count(api, endpoint, failed=True) == 40
        waiting = (await log(api, endpoint, status="pending", limit=100))[::-1]
        assert [one["eventId"] for one in waiting] == [str(event["id"]) for event in all_events]
        due = [one["eventId"] for one in waiting if one["nextAttemptAt"] is not None]
        assert due == [str(first["id"]), str(other["id"])]
        assert await count(api, endpoint, failed=True) == 0
        assert (await shown(api, endpoint))["pendingCount"] == 40
        (audited,) = await events(api, "webhook_endpoint.replayed")
        assert audited["data"]["replay"] == {"count": 40, "failed": True}

    async def test_only_what_has_not_been_delivered_since(self, api: Api) -> None:
        endpoint, other = await made(api), await made(api)
        history = {
            "failed": ["failed"],
            "skipped": ["skipped"],
            "again": ["failed", "delivered", "failed"],
            "delivered": ["delivered"],
            "at last": ["failed", "skipped", "delivered"],
            "queued": ["failed", "pending"],
            "waiting": ["pending"],
        }
        by_name = dict(zip(history, await told(api, len(history)), strict=True))
        for name, statuses in history.items():
            for status in statuses:
                await deliver(api, endpoint, by_name[name], status)
            await deliver(api, other, by_name[name], "failed")
        before = {one["id"] for one in await log(api, endpoint, limit=100)}
        assert await count(api, endpoint, failed=True) == 3
        new = [one for one in await log(api, endpoint, limit=100) if one["id"] not in before]
        expected = {str(by_name[name]["id"]) for name in ("failed", "skipped", "again")}
        assert {one["eventId"] for one in new} == expected
        assert (await shown(api, other))["pendingCount"] == 0
        # Given up once more, they can be replayed once more.
        await end(api, by_name["failed"]["id"], "failed")
        await end(api, by_name["again"]["id"], "delivered")
        assert await count(api, endpoint, failed=True) == 1

    async def test_named_events_whatever_it_subscribes_to(self, api: Api) -> None:
        created = await told(api, 2)
        assert (await api.post("/v1/projects", {"name": "Havnen"})).status_code == 201
        (project,) = await events(api, "project.created")
        endpoint = await made(api, enabledEvents=["invoice.paid"])
        wanted = [str(one["id"]) for one in (project, *created)]
        assert await count(api, endpoint, eventIds=wanted) == 3
        assert {one["eventId"] for one in await log(api, endpoint, status="pending")} == set(wanted)
        assert await count(api, endpoint, eventIds=wanted) == 0

    async def test_what_is_about_to_be_sent_is_left_to_that(self, api: Api) -> None:
        endpoint = await made(api)
        (event,) = await told(api, 1)
        assert await count(api, endpoint, eventIds=[str(event["id"])]) == 0
        assert await count(api, endpoint, **{"from": "2026-03-16T00:00:00Z"}) == 0
        ping = (await api.post(f"{PATH}/{endpoint['id']}/test")).json()["eventId"]
        assert await count(api, endpoint, eventIds=[ping]) == 0
        await tell(api, endpoint)
        assert await count(api, endpoint, eventIds=[str(event["id"]), ping]) == 2

    async def test_unknown_events_are_named(self, api: Api, other_api: Api) -> None:
        endpoint, other = await made(api), await made(api)
        (event,), (strange,) = await told(api, 1), await told(other_api, 1)
        (audited, *_) = await events(api, "webhook_endpoint.created")
        ping = (await api.post(f"{PATH}/{other['id']}/test")).json()["eventId"]
        await tell(api, endpoint)
        for missing in (str(new_id()), str(strange["id"]), str(audited["id"]), ping):
            answer = await replay(api, endpoint, eventIds=[str(event["id"]), missing])
            assert (answer.status_code, answer.json()["code"]) == (404, "EVENT_NOT_FOUND")
            assert answer.json()["details"] == {"property": "eventIds.1", "eventId": missing}
        answer = await replay(api, endpoint, eventIds=[missing, str(event["id"]), str(strange["id"])])
        assert answer.json()["details"]["properties"] == ["eventIds.0", "eventIds.2"]
        assert await log(api, endpoint) == []

    async def test_events_of_a_time(self, api: Api) -> None:
        early = await told(api, 1)
        api.clock.advance(hours=5)
        between = await told(api, 2)
        await api.patch(f"/v1/customers/{between[0]['object_id']}", {"name": "Ny Havn"})
        api.clock.advance(hours=5)
        late = await told(api, 1)
        endpoint, other = await made(api), await made(api, enabledEvents=["ping", "quote.sent"])
        await tell(api, endpoint)
        await tell(api, other)
        await deliver(api, endpoint, between[0], "delivered")
        time = {"from": "2026-03-16T17:00:00Z", "to": "2026-03-16T18:00:00+01:00"}
        assert await count(api, endpoint, **time) == 3
        updates = await events(api, "customer.updated")
        sent = [one["eventId"] for one in (await log(api, endpoint, status="pending"))[::-1]]
        assert sent == [str(one["id"]) for one in (*between, *updates)]
        assert await count(api, endpoint, **{"from": "2026-03-16T17:00:00.001Z"}) == len(late)
        assert await count(api, endpoint, **{"from": "2026-03-16T11:00:00Z"}) == len(early)
        assert await count(api, other, **{"from": "2026-03-16T00:00:00Z"}) == 0
        audited = [one["data"]["replay"] for one in await events(api, "webhook_endpoint.replayed")]
        assert audited[0] == {"count": 3, "from": "2026-03-16T17:00:00.000Z", "to": "2026-03-16T17:00:00.000Z"}
        assert audited[1] == {"count": 1, "from": "2026-03-16T17:00:00.001Z"}

    async def test_posted_entries_of_a_time(self, api: Api) -> None:
        lines = [{"accountId": await account(api), "side": side, "amount": "5.00"} for side in ("DEBIT", "CREDIT")]
        entry = {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "5.00", "lines": lines}
        assert (await api.post("/v1/journal-entries", entry)).status_code == 201
        await told(api, 1)
        endpoint = await made(api, enabledEvents=["journal_entry.posted"])
        assert await count(api, endpoint, **{"from": "2026-03-16T12:00:00Z"}) == 1

    @pytest.mark.parametrize(
        ("body", "named"),
        [
            ({}, {"eventIds"}),
            ({"failed": False}, {"eventIds"}),
            ({"failed": 1}, {"failed"}),
            ({"eventIds": []}, {"eventIds"}),
            ({"eventIds": ["x"]}, {"eventIds.0"}),
            ({"eventIds": [str(new_id())] * 2}, {"eventIds"}),
            ({"eventIds": [str(UUID(int=number)) for number in range(1001)]}, {"eventIds"}),
            ({"failed": True, "from": "2026-03-16T00:00:00Z"}, {"failed", "from"}),
            ({"to": "2026-03-16T00:00:00Z"}, {"to"}),
            ({"from": "2026-03-16"}, {"from"}),
            ({"from": "2025-12-16T11:59:59Z"}, {"from"}),
            ({"from": "2026-03-16T00:00:00Z", "to": "2026-03-15T00:00:00Z"}, {"to"}),
        ],
    )
    async def test_what_is_refused(self, api: Api, body: dict[str, Any], named: set[str]) -> None:
        endpoint = await made(api)
        (event,) = await told(api, 1)
        await deliver(api, endpoint, event, "failed")
        before = await rows_of(api)
        answer = await replay(api, endpoint, **body)
        assert answer.status_code == 400, answer.text
        assert {one["property"] for one in answer.json()["details"]["validationErrors"]} == named
        assert await rows_of(api) == before

    async def test_not_to_a_disabled_one(self, api: Api) -> None:
        endpoint = await made(api)
        (event,) = await told(api, 1)
        await deliver(api, endpoint, event, "failed")
        await changed(api, endpoint, isEnabled=False)
        for body in ({"failed": True}, {"eventIds": [str(event["id"])]}, {"from": "2026-03-16T00:00:00Z"}):
            answer = await replay(api, endpoint, **body)
            assert (answer.status_code, answer.json()["code"]) == (409, "WEBHOOK_ENDPOINT_INVALID_STATE")

    async def test_several_at_once_send_nothing_twice(self, api: Api) -> None:
        endpoint = await made(api)
        for event in await told(api, 5):
            await deliver(api, endpoint, event, "failed")
        counts = await asyncio.gather(*(count(api, endpoint, failed=True) for _ in range(4)))
        assert sorted(counts) == [0, 0, 0, 5]

    async def test_a_replay_against_a_disabling(self, api: Api) -> None:
        """Whoever comes first: nothing waits for an endpoint that is disabled."""
        endpoint = await made(api)
        for event in await told(api, 5):
            await deliver(api, endpoint, event, "failed")
        replayed, _ = await asyncio.gather(replay(api, endpoint, failed=True), changed(api, endpoint, isEnabled=False))
        assert replayed.status_code in {200, 409}
        after = await shown(api, endpoint)
        assert (after["status"], after["pendingCount"]) == ("disabled_by_user", 0)
        assert after["skippedCount"] == (5 if replayed.status_code == 200 else 0)

    async def test_more_than_one_statement_makes(self, api: Api) -> None:
        await add_events(api, 12_000)
        api.clock.advance(seconds=5)
        endpoint = await made(api)
        assert await count(api, endpoint, **{"from": "2026-03-16T12:00:00Z"}) == 12_000
        assert (await shown(api, endpoint))["pendingCount"] == 10_000  # as far as it counts
        assert (await api.get(f"{PATH}/{endpoint['id']}/deliveries")).json()["total"] == 12_000
        assert await count(api, endpoint, **{"from": "2026-03-16T12:00:00Z"}) == 0
        assert await due_events(api) == 1_000  # one of each object
        disabled = await changed(api, endpoint, isEnabled=False)
        assert (disabled["pendingCount"], disabled["skippedCount"]) == (2_000, 10_000)  # the worker does the rest

    async def test_no_more_than_a_hundred_thousand_at_once(self, api: Api) -> None:
        await add_events(api, 100_001)
        api.clock.advance(seconds=5)
        endpoint = await made(api)
        answer = await replay(api, endpoint, **{"from": "2026-03-16T00:00:00Z"})
        assert (answer.status_code, answer.json()["code"]) == (400, "WEBHOOK_REPLAY_TOO_LARGE")
        assert answer.json()["details"] == {"limit": 100_000}
        assert await log(api, endpoint) == []


async def account(api: Api) -> str:
    """An account that can be posted on."""
    found = (await api.get("/v1/accounts")).json()
    return str(next(one["id"] for one in found if one["accountNumber"] == 6480))


async def due_events(api: Api) -> int:
    """How many deliveries are due."""

    async def work(context: Context) -> int:
        statement = "SELECT count(*) FROM webhook_deliveries WHERE company_id = $1 AND next_attempt_at IS NOT NULL"
        found: int = await context.connection.fetchval(statement, context.company_id)
        return found

    found: int = await api.run(work)
    return found


async def add_events(api: Api, number: int) -> None:
    """So many events of a thousand objects, a second later."""

    async def work(context: Context) -> None:
        await context.connection.execute("SET LOCAL ROLE NONE")
        await context.connection.execute(
            "WITH counted AS (UPDATE event_counters SET last_position = last_position + $2 WHERE company_id = $1"
            " RETURNING last_position - $2 AS before),"
            " objects AS MATERIALIZED (SELECT n, gen_random_uuid() AS id FROM generate_series(0, 999) n)"
            " INSERT INTO events (company_id, id, type, object_id, sequence, data, actor, request_id, occurred_at,"
            " position) SELECT $1, gen_random_uuid(), 'customer.updated', o.id, s.i / 1000 + 1, '{}', 'operator:tests',"
            " 'test', $3::timestamptz + interval '1 second', c.before + s.i + 1"
            " FROM counted c, generate_series(0, $2::int - 1) s (i) JOIN objects o ON o.n = s.i % 1000",
            context.company_id,
            number,
            context.now,
        )

    await api.run(work)
