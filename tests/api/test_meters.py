"""Meters, and who may report to one (contract 2.10)."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from tests.api.catalog_steps import UNKNOWN, new_meter, problems, refusal
from tests.api.usage_steps import REPORT, Metering, metering
from tests.conftest import Api

from ledgerbee.tenancy.company import actions as companies

PATH = "/v1/meters"
TODAY = date(2026, 3, 16)


class TestKeeping:
    async def test_a_meter_sums_up_unless_told_otherwise(self, api: Api) -> None:
        made = await api.post(PATH, {"name": " API calls "})
        assert made.status_code == 201
        meter = made.json()
        assert meter == {
            "id": meter["id"],
            "name": "API calls",
            "description": None,
            "unit": None,
            "aggregation": "SUM",
            "uniqueKey": None,
            "status": "ACTIVE",
            "createdAt": "2026-03-16T12:00:00.000Z",
            "archivedAt": None,
        }
        assert (await api.get(f"{PATH}/{meter['id']}")).json() == meter

    @pytest.mark.parametrize("aggregation", ["SUM", "COUNT", "MAX", "LAST", "UNIQUE_COUNT"])
    async def test_each_aggregation(self, api: Api, aggregation: str) -> None:
        fields = {"name": "Seats", "unit": "seats", "description": "Who logged in", "aggregation": aggregation}
        unique = {"uniqueKey": "userId"} if aggregation == "UNIQUE_COUNT" else {}
        meter = (await api.post(PATH, {**fields, **unique})).json()
        assert {name: meter[name] for name in fields} == fields
        assert meter["uniqueKey"] == unique.get("uniqueKey")

    @pytest.mark.parametrize(
        ("fields", "faults"),
        [
            ({"name": ""}, {"name": "minLength"}),
            ({"name": "a/b"}, {"name": "matches"}),
            ({"name": ".."}, {"name": "matches"}),
            ({"name": None}, {"name": "isString"}),
            ({"aggregation": "AVG"}, {"aggregation": "isEnum"}),
            ({"uniqueKey": "userId"}, {"uniqueKey": "isEmpty"}),
            ({"uniqueKey": "userId", "aggregation": "COUNT"}, {"uniqueKey": "isEmpty"}),
            ({"uniqueKey": "a[b]", "aggregation": "UNIQUE_COUNT"}, {"uniqueKey": "matches"}),
            ({"name": "a/b", "aggregation": "AVG"}, {"name": "matches", "aggregation": "isEnum"}),
        ],
    )
    async def test_what_is_wrong_is_told(self, api: Api, fields: dict[str, Any], faults: dict[str, str]) -> None:
        assert problems(await api.post(PATH, {"name": "Calls", **fields})) == faults
        assert (await api.get(PATH)).json()["total"] == 0

    async def test_a_name_is_one_meters(self, api: Api, other_api: Api) -> None:
        assert (await api.post(PATH, {"name": "Calls"})).status_code == 201
        taken = await api.post(PATH, {"name": "Calls", "aggregation": "MAX"})
        assert refusal(taken) == (409, "METER_NAME_ALREADY_EXISTS")
        assert taken.json()["details"] == {"property": "name", "value": "Calls"}
        assert (await other_api.post(PATH, {"name": "Calls"})).status_code == 201

    async def test_lists(self, api: Api) -> None:
        for name in ("Api calls", "Storage", "api tokens"):
            await api.post(PATH, {"name": name})
        archived = (await api.get(f"{PATH}?search=storage")).json()["data"][0]
        await api.post(f"{PATH}/{archived['id']}/archive")
        names = [one["name"] for one in (await api.get(f"{PATH}?search=API&sortBy=name&sortOrder=ASC")).json()["data"]]
        assert names == ["Api calls", "api tokens"]
        active = (await api.get(f"{PATH}?status=ACTIVE&limit=1&page=2")).json()
        assert (active["total"], active["totalPages"], len(active["data"])) == (2, 2, 1)
        assert [one["name"] for one in (await api.get(f"{PATH}?status=ARCHIVED")).json()["data"]] == ["Storage"]

    async def test_an_archived_meter_stays_so(self, api: Api) -> None:
        meter = await new_meter(api)
        api.clock.advance(hours=1)
        archived = (await api.post(f"{PATH}/{meter}/archive")).json()
        assert (archived["status"], archived["archivedAt"]) == ("ARCHIVED", "2026-03-16T13:00:00.000Z")
        api.clock.advance(hours=1)
        assert (await api.post(f"{PATH}/{meter}/archive")).json() == archived
        told = (await api.get(f"/v1/audit-events?objectId={meter}")).json()["data"]
        assert sorted(one["type"] for one in told) == ["meter.archived", "meter.created"]

    @pytest.mark.parametrize(
        ("held", "missing"),
        [(["CustomerPortal", "MeteredProducts"], "Subscription"), (["Subscription"], "MeteredProducts")],
    )
    async def test_licences(self, api: Api, held: list[str], missing: str) -> None:
        meter = await new_meter(api)
        await api.run(lambda context: companies.set_licenses(context, held))
        asked = [
            await api.get(PATH),
            await api.post(PATH, {"name": "Calls"}),
            await api.get(f"{PATH}/{meter}/subscriptions"),
            await api.post(REPORT, {"meterId": meter, "customerId": UNKNOWN, "value": 1}),
            await api.get("/v1/usage/events"),
        ]
        for refused in asked:
            assert refusal(refused) == (403, "LICENSE.REQUIRED")
            assert refused.json()["details"] == {"licenseKey": missing}


class TestWhoMayReport:
    async def listed(self, made: Metering, meter_id: str | None = None) -> list[dict[str, Any]]:
        by_id = await made.api.get(f"{PATH}/{meter_id or made.meter_id}/subscriptions")
        assert by_id.status_code == 200, by_id.text
        body = by_id.json()
        by_name = await made.api.get(f"{PATH}/by-name/{body['meterName']}/subscriptions")
        assert by_name.json() == body
        assert body["meterId"] == (meter_id or made.meter_id)
        found: list[dict[str, Any]] = body["subscriptions"]
        return found

    async def test_the_subscriptions_of_today(self, api: Api) -> None:
        made = await metering(api)
        assert await self.listed(made) == []
        other = await made.new_price()
        chain = await made.span(date(2026, 1, 1))
        await made.span(date(2026, 2, 1), subscription_id=chain, price_id=other, chain_starts_on=date(2026, 1, 1))
        customer = (await api.get(f"/v1/customers/{made.customer_id}")).json()
        product = {"productId": made.product["id"], "productName": "API access"}
        assert await self.listed(made) == [
            {
                "subscriptionId": str(chain),
                "customerId": made.customer_id,
                "customerName": customer["name"],
                "products": [{**product, "priceId": price} for price in sorted([made.price_id, other])],
            }
        ]

    async def test_neither_ended_nor_paused_nor_future_ones(self, api: Api) -> None:
        made = await metering(api)
        await made.span(date(2026, 1, 1), TODAY)  # ended yesterday
        paused = await made.span(date(2026, 1, 1), date(2026, 3, 1))
        await made.span(date(2026, 4, 1), subscription_id=paused, chain_starts_on=date(2026, 1, 1))
        await made.span(TODAY + timedelta(days=1))
        last_day = await made.span(date(2026, 2, 1), TODAY + timedelta(days=1))
        first_day = await made.span(TODAY)
        assert [one["subscriptionId"] for one in await self.listed(made)] == [str(last_day), str(first_day)]

    async def test_the_day_is_the_companys(self, api: Api) -> None:
        made = await metering(api)
        chain = await made.span(TODAY + timedelta(days=1))
        api.clock.advance(hours=10, minutes=59)  # 23:59 in Copenhagen
        assert await self.listed(made) == []
        api.clock.advance(minutes=1)
        assert [one["subscriptionId"] for one in await self.listed(made)] == [str(chain)]

    async def test_nobody_reports_to_an_archived_meter_or_another(self, api: Api, other_api: Api) -> None:
        made = await metering(api)
        await made.span(date(2026, 1, 1))
        assert await self.listed(made, await new_meter(api)) == []
        await api.post(f"{PATH}/{made.meter_id}/archive")
        assert await self.listed(made) == []
        for path in (f"{made.meter_id}/subscriptions", "by-name/nothing/subscriptions", f"{UNKNOWN}/subscriptions"):
            assert refusal(await other_api.get(f"{PATH}/{path}")) == (404, "METER_NOT_FOUND")

    async def test_a_name_may_have_anything_but_a_slash(self, api: Api) -> None:
        for name in ("Åbne sager %20 #1?", "a+b c", "'; DROP"):
            meter = await new_meter(api, name=name)
            found = await api.get(f"{PATH}/by-name/{quote(name, safe='')}/subscriptions")
            assert found.json()["meterId"] == meter
