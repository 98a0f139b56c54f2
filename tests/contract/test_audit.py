"""Every change leaves an event: who made it, by which credential, from where, and how the object was before."""

import json
from typing import Any, Final

import pytest
from tests.conftest import SteeredClock
from tests.contract.operations import OF_COMPANIES, Row
from tests.contract.test_operations import call, make_deletable, path_of
from tests.contract.world import NewWorld, World

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context

#: A POST with a scope to read makes something up and keeps nothing: the preview of a document template.
CHANGING: Final = tuple(row for row in OF_COMPANIES if row.method != "GET" and not (row.scope or "").endswith("-read"))


async def events(world: World) -> list[dict[str, Any]]:
    """All events of the company, in the order in which they were told."""

    async def work(context: Context) -> list[dict[str, Any]]:
        rows = await context.connection.fetch(
            "SELECT * FROM events WHERE company_id = $1 ORDER BY position", context.company_id
        )
        return [dict(row) for row in rows]

    return list(await world.api.run(work))


async def prepared(row: Row, new_world: NewWorld, clock: SteeredClock) -> World:
    """A new company in the state in which the operation changes something."""
    world = await new_world()
    api, ids = world.api, world.ids
    if row.prepare is not None:
        await row.prepare(world)
    if row.method == "DELETE":
        await make_deletable(world)
    path = row.path
    if path.endswith(("/activate", "/set-default")) and "prices" in path:
        price = {"billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE", "unitAmount": 1}
        second = (await api.post("/v1/product-prices", {**price, "productId": ids["productId"]})).json()
        ids["productPriceId"] = second["id"]
        if path.endswith("/activate"):
            assert (await api.post(f"/v1/product-prices/{second['id']}/disable")).status_code == 200
    elif path.endswith("/activate"):
        assert (await api.post(f"/v1/subscription-plans/{ids['planId']}/archive")).status_code == 200
    elif path.endswith("/set-default"):
        body = {"name": "Second", "documentType": "invoice-template", "language": "en"}
        ids["documentTemplateId"] = (await api.post("/v1/document-templates", body)).json()["id"]
    elif path.endswith("/rates"):
        codes = (await api.get("/v1/vat-codes")).json()
        ids["vatCodeId"] = next(code["id"] for code in codes if code["vatRate"] == 25)
    clock.advance(seconds=1)
    return world


#: Their rows are a log by themselves, which grows by thousands a second: each is there as it came in.
LOGS: Final = {
    "POST /v1/meters/report",
    "POST /v1/meters/report-batch",
    "POST /v1/usage/backfills/{usageBackfillId}/events",
}
#: What it does is told by the entries that it posts; in a new company nothing is due.
POSTS: Final = {"POST /v1/deferred-revenue/recognize"}


@pytest.mark.parametrize("row", [row for row in CHANGING if str(row) not in LOGS | POSTS], ids=str)
async def test_every_change_leaves_an_event(row: Row, new_world: NewWorld, clock: SteeredClock) -> None:
    world = await prepared(row, new_world, clock)
    before = await events(world)
    body = None
    if row.path.endswith("/rates"):
        body = {"rates": [{"vatRate": 25}, {"validFrom": "2026-01-01", "vatRate": 20}]}
    options = {"json": body} if body else {}
    answer = await call(row, world, path_of(row, world.ids), world.api.key, **options)
    assert answer.status_code == row.success, answer.text
    told = (await events(world))[len(before) :]
    assert told, "an operation that changes something tells nothing"
    key = (await world.api.get("/v1/api-keys")).json()[-1]
    for event in told:
        assert event["actor"] == f"api_key:{key['id']}"
        assert (event["credential_kind"], str(event["credential_id"])) == ("api_key", key["id"])
        assert event["address"] == "127.0.0.1"
        assert event["request_id"] == answer.headers["X-Request-Id"]
        assert event["occurred_at"] == clock()


@pytest.mark.parametrize("row", CHANGING, ids=str)
async def test_what_is_refused_leaves_none(row: Row, world: World) -> None:
    before = await events(world)
    path = path_of(row, {**world.ids, **{name: str(new_id()) for name in row.id_names}})
    answer = await world.api.request(row.method, path, json={"noSuchField": 1})
    assert answer.status_code >= 400, answer.text
    assert await events(world) == before


@pytest.mark.parametrize("row", [row for row in CHANGING if row.method in {"PATCH", "PUT"} and row.id_names], ids=str)
async def test_a_change_has_the_object_before_and_after(row: Row, new_world: NewWorld, clock: SteeredClock) -> None:
    """The same request again changes nothing, and then nothing is told."""
    world = await prepared(row, new_world, clock)
    count = len(await events(world))
    path = path_of(row, world.ids)
    body = row.sent(world)["json"]
    if row.path.endswith("/rates"):
        body = {"rates": [{"vatRate": 25}, {"validFrom": "2026-01-01", "vatRate": 20}]}
    first = await world.api.request(row.method, path, json=body)
    assert first.status_code == row.success, first.text
    *_, event = (await events(world))[count:]
    assert event["before"] is not None
    assert event["before"] != event["data"]
    shown = first.json()
    if shown.get("id", shown.get("clientId")) == str(event["object_id"]):
        assert {name for name in body if event["data"].get(name) != shown.get(name)} == set()
        assert not body or {name for name in body if event["before"].get(name) != shown.get(name)} != set()
    unchanged = {name for name in event["data"] if event["data"][name] == event["before"].get(name)}
    assert "id" in unchanged or "clientId" in unchanged
    count = len(await events(world))
    clock.advance(seconds=1)
    again = await world.api.request(row.method, path, json=body)
    assert again.status_code == row.success, again.text
    assert len(await events(world)) == count


@pytest.mark.parametrize("row", [row for row in CHANGING if row.method == "DELETE"], ids=str)
async def test_what_is_deleted_is_told_as_it_was(row: Row, new_world: NewWorld, clock: SteeredClock) -> None:
    world = await prepared(row, new_world, clock)
    count = len(await events(world))
    answer = await call(row, world, path_of(row, world.ids), world.api.key)
    assert answer.status_code == 204, answer.text
    *_, event = (await events(world))[count:]
    assert event["type"].endswith((".cancelled", ".deleted", ".removed", ".revoked", "project.updated"))
    assert event["before"] is not None
    if event["type"].endswith(".deleted"):
        assert event["before"] == event["data"]


async def test_no_event_has_a_secret(new_world: NewWorld) -> None:
    """Whatever is shown once is in no event, nor is its hash; a logo's content isn't either."""
    world = await new_world()
    secrets = [world.api.key]
    for row in CHANGING:
        if row.method != "DELETE":
            answer = await call(row, world, path_of(row, world.ids), world.api.key)
            shown = answer.json() if answer.content else {}
            secrets += [shown[name] for name in ("key", "clientSecret") if shown.get(name)]
    assert len(secrets) >= 4

    async def hashes(context: Context) -> list[str]:
        await context.connection.execute("SET LOCAL ROLE NONE")
        rows = await context.connection.fetch(
            "SELECT secret_hash FROM credentials WHERE company_id = $1", context.company_id
        )
        return [row["secret_hash"].hex() for row in rows]

    secrets += await world.api.run(hashes)
    told = "\n".join(json.dumps(event, default=str) for event in await events(world))
    assert [secret for secret in secrets if secret in told] == []
