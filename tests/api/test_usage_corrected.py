"""Amending and withdrawing usage, and the lists of it."""

import asyncio
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from tests.api.catalog_steps import UNKNOWN, new_meter, problems, refusal
from tests.api.usage_steps import EVENTS, KEY, UNATTRIBUTED, Metering, metering
from tests.conftest import Api
from tests.table_rows import rows_of

from ledgerbee.core.ids import new_id

JAN, FEB, MAR, APR = (date(2026, month, 1) for month in range(1, 5))
TENTH = date(2026, 2, 10)


@pytest_asyncio.fixture
async def made(api: Api) -> Metering:
    return await metering(api)


class TestAmending:
    async def test_value(self, made: Metering) -> None:
        chain = await made.span(JAN)
        event = await made.reported(5, TENTH, metadata={"a": 1.25})
        await made.reported(7, TENTH)
        before = await made.event(event)
        amended = await made.api.patch(f"{EVENTS}/{event}", {"value": "2.5"})
        assert amended.json() == {**before, "value": 2.5}
        assert await made.event(event) == amended.json()
        assert await made.quantity(chain, FEB, MAR) == (2, Decimal("9.5"))
        assert await made.late() == []
        told = (await made.api.get(f"/v1/audit-events?objectId={event}")).json()["data"]
        (entry,) = [(await made.api.get(f"/v1/audit-events/{one['id']}")).json() for one in told]
        assert (entry["type"], entry["before"]["value"], entry["data"]["value"]) == ("usage_event.amended", 5, 2.5)
        assert await made.fault() is None

    async def test_to_another_day_of_another_subscription(self, made: Metering) -> None:
        one = await made.span(JAN, FEB, billed_until=FEB)
        other = await made.span(FEB, billed_until=MAR)
        event = await made.reported(5, TENTH)
        await made.reported(1, TENTH)
        amended = await made.api.patch(f"{EVENTS}/{event}", {"timestamp": "2026-01-20T10:00:00+01:00"})
        found = amended.json()
        assert (found["day"], found["timestamp"]) == ("2026-01-20", "2026-01-20T09:00:00.000Z")
        assert found["subscriptionId"] == str(one)
        assert await made.quantity(one, JAN, FEB) == (1, Decimal(5))
        assert await made.quantity(other, FEB, MAR) == (1, Decimal(1))
        late = {(chain, day): events for chain, _, day, events in await made.late()}
        assert late == {(str(one), date(2026, 1, 20)): 1, (str(other), TENTH): 1}
        assert await made.fault() is None

    async def test_to_where_nobody_has_it_and_back(self, made: Metering) -> None:
        chain = await made.span(FEB)
        event = await made.reported(5, TENTH)
        away = await made.api.patch(f"{EVENTS}/{event}", {"timestamp": f"{JAN}T12:00:00Z"})
        assert (away.json()["subscriptionId"], away.json()["status"]) == (None, "unattributed")
        told = (await made.api.get(f"/v1/events?objectId={made.customer_id}&types=usage.unattributed")).json()["data"]
        assert [one["data"]["day"] for one in told] == ["2026-01-01"]
        named = {"subscriptionId": str(new_id())}
        assert (
            await made.api.patch(f"{EVENTS}/{event}", {"timestamp": f"{TENTH}T12:00:00Z", "metadata": named})
        ).json()["subscriptionId"] is None
        back = await made.api.patch(f"{EVENTS}/{event}", {"metadata": {"subscriptionId": str(chain)}})
        assert back.json()["subscriptionId"] == str(chain)
        assert await made.quantity(chain, FEB, MAR) == (1, Decimal(5))
        assert await made.fault() is None

    @pytest.mark.parametrize(
        ("aggregation", "before", "after"), [("MAX", 9, 5), ("LAST", 3, 5), ("UNIQUE_COUNT", 3, 2)]
    )
    async def test_what_is_no_sum_is_counted_anew(self, api: Api, aggregation: str, before: int, after: int) -> None:
        made = await metering(api, aggregation=aggregation)
        chain = await made.span(JAN)
        largest = await made.reported(9, TENTH)
        await made.reported(5, TENTH)
        last = await made.reported(3, TENTH)
        assert (await made.quantity(chain, FEB, MAR))[1] == before
        await made.api.patch(f"{EVENTS}/{largest}", {"value": 4})
        await made.api.patch(f"{EVENTS}/{last}", {"value": 4, "timestamp": f"{TENTH}T11:00:00Z"})
        assert (await made.quantity(chain, FEB, MAR))[1] == after
        assert await made.fault() is None

    @pytest.mark.parametrize(
        ("body", "faults"),
        [
            ({"value": None}, {"value": "isNumber"}),
            ({"value": -1}, {"value": "min"}),
            ({"timestamp": "2026-03-18T00:00:00Z"}, {"timestamp": "maxDate"}),
            ({"timestamp": None}, {"timestamp": "isISO8601"}),
            ({"metadata": {"subscriptionId": "x"}}, {"metadata.subscriptionId": "isUuid"}),
            ({"customerId": UNKNOWN}, {"customerId": "whitelistValidation"}),
            ({"timestamp": "2026-03-18T00:00:00Z", "value": "x"}, {"timestamp": "maxDate", "value": "isNumber"}),
        ],
    )
    async def test_what_is_wrong_changes_nothing(self, api: Api, body: dict[str, Any], faults: dict[str, str]) -> None:
        made = await metering(api, aggregation="MAX")
        event = await made.reported(5, TENTH)
        before = await rows_of(api)
        assert problems(await api.patch(f"{EVENTS}/{event}", body)) == faults
        assert await rows_of(api) == before

    async def test_the_same_is_no_change(self, made: Metering) -> None:
        event = await made.reported(5, TENTH, metadata={"a": 1})
        before = await rows_of(made.api)
        same = {"value": 5.0, "timestamp": f"{TENTH}T13:00:00+01:00", "metadata": {"a": 1}}
        for body in ({}, same):
            assert (await made.api.patch(f"{EVENTS}/{event}", body)).status_code == 200
        assert await rows_of(made.api) == before

    async def test_its_key_says_what_was_reported(self, made: Metering) -> None:
        event = await made.reported(5, key="k-1")
        await made.api.patch(f"{EVENTS}/{event}", {"value": 6})
        assert (await made.report(5, "k-1")).json() == {"status": "duplicate"}
        assert refusal(await made.report(6, "k-1")) == (409, "IDEMPOTENCY_KEY_REUSED")


class TestWithdrawing:
    async def test_it_counts_no_more(self, made: Metering) -> None:
        chain = await made.span(JAN, billed_until=MAR)
        event = await made.reported(5, TENTH, key="k-1")
        await made.reported(7, TENTH)
        withdrawn = await made.api.post(f"{EVENTS}/{event}/withdraw")
        assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "withdrawn")
        assert await made.quantity(chain, FEB, MAR) == (1, Decimal(7))
        assert await made.usage() == await made.usage() | {"accepted": 1, "attributed": 1}
        assert [(day, price) for _, price, day, _ in await made.late()] == [(TENTH, made.price_id)]
        assert (await made.report(5, "k-1", timestamp=f"{TENTH}T12:00:00Z")).json() == {"status": "duplicate"}
        assert await made.fault() is None

    async def test_once(self, made: Metering) -> None:
        event = await made.reported(5)
        answers = await asyncio.gather(*(made.api.post(f"{EVENTS}/{event}/withdraw") for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409]
        refused = await made.api.post(f"{EVENTS}/{event}/withdraw")
        assert refusal(refused) == (409, "USAGE_EVENT_INVALID_STATE")
        assert refused.json()["details"] == {"status": "withdrawn"}
        assert refusal(await made.api.patch(f"{EVENTS}/{event}", {"value": 1})) == (409, "USAGE_EVENT_INVALID_STATE")
        assert await made.change_spans("SELECT $1::uuid") == 0

    async def test_of_a_trial_and_too_late_nothing_is_late(self, made: Metering) -> None:
        await made.span(JAN, FEB, is_trial=True, billed_until=MAR)
        await made.span(FEB, MAR, billed_until=MAR, closes_on=date(2026, 3, 10))
        for day, status in ((date(2026, 1, 10), "attributed"), (TENTH, "too_late")):
            event = await made.reported(5, day)
            assert (await made.event(event))["status"] == status
            assert (await made.api.patch(f"{EVENTS}/{event}", {"value": 6})).status_code == 200
            assert (await made.api.post(f"{EVENTS}/{event}/withdraw")).status_code == 200
        assert await made.late() == []
        assert await made.fault() is None

    async def test_while_more_comes_in(self, api: Api) -> None:
        made = await metering(api, aggregation="MAX")
        chain = await made.span(JAN)
        events = [await made.reported(100 + n, TENTH) for n in range(8)]

        async def use() -> None:
            await made.batch(*(made.keyed(n, timestamp=f"{TENTH}T12:00:00Z") for n in range(10)))
            await made.reported(1, TENTH)

        await asyncio.gather(
            *(made.api.post(f"{EVENTS}/{event}/withdraw") for event in events), *(use() for _ in range(8))
        )
        assert await made.quantity(chain, FEB, MAR) == (88, Decimal(9))
        assert await made.fault() is None

    async def test_unattributed_ones(self, made: Metering) -> None:
        event = await made.reported(5)
        await made.api.post(f"{EVENTS}/{event}/withdraw")
        assert (await made.api.get(UNATTRIBUTED)).json()["total"] == 0
        assert (await made.usage())["accepted"] == 0
        assert (await made.api.get(EVENTS)).json()["data"][0]["status"] == "withdrawn"


class TestLists:
    async def test_pages_of_days_newest_first(self, made: Metering) -> None:
        other_customer, other_meter = await made.new_customer(), await new_meter(made.api)
        ids = []
        for n in range(30):
            fields = {"customerId": other_customer} if n % 3 == 0 else {"meterId": other_meter} if n % 3 == 1 else {}
            ids.append(await made.reported(n, JAN + timedelta(days=n // 2), **fields))
        await made.api.post(f"{EVENTS}/{ids[5]}/withdraw")
        newest_first = list(reversed(ids))
        for page in range(1, 5):
            found = (await made.api.get(EVENTS, params={"page": page, "limit": 8})).json()
            assert (found["total"], found["page"], found["totalPages"]) == (30, page, 4)
            assert [one["id"] for one in found["data"]] == newest_first[8 * page - 8 : 8 * page]
        assert (await made.api.get(EVENTS, params={"page": 5, "limit": 8})).json()["data"] == []
        for query, wanted in (
            ({"customerId": other_customer}, lambda n: n % 3 == 0),
            ({"meterId": other_meter}, lambda n: n % 3 == 1),
            ({"meterId": made.meter_id, "customerId": made.customer_id}, lambda n: n % 3 == 2),
            ({"from": "2026-01-03", "to": "2026-01-04"}, lambda n: 4 <= n < 8),
            ({"from": "2026-01-15"}, lambda n: n >= 28),
            ({"customerId": UNKNOWN}, lambda _: False),
        ):
            found = (await made.api.get(EVENTS, params={**query, "limit": 100})).json()
            assert [one["id"] for one in found["data"]] == [ids[n] for n in range(29, -1, -1) if wanted(n)]
            assert found["total"] == len(found["data"])
            unattributed = (await made.api.get(UNATTRIBUTED, params={**query, "limit": 100})).json()
            assert (
                unattributed["total"]
                == len(unattributed["data"])
                == len([n for n in range(30) if wanted(n) and n != 5])
            )

    async def test_days_in_the_wrong_order(self, made: Metering) -> None:
        query = {"from": "2026-02-01", "to": "2026-01-31"}
        for path in (EVENTS, UNATTRIBUTED, f"/v1/meters/{made.meter_id}/usage"):
            assert problems(await made.api.get(path, params=query)) == {"to": "minDate"}
            assert problems(await made.api.get(path, params={"from": "2026-02-30"})) == {"from": "isDateString"}
            assert problems(await made.api.get(path, params={"customerId": "x"})) == {"customerId": "isUuid"}

    async def test_usage_of_a_customer_and_of_days(self, made: Metering, other_api: Api) -> None:
        await made.span(JAN)
        other = await made.new_customer()
        await made.reported(1, JAN)
        await made.reported(2, FEB)
        await made.reported(4, FEB, customerId=other)
        assert (await made.usage(customerId=made.customer_id))["quantity"] == 3
        assert (await made.usage(customerId=made.customer_id, **{"from": "2026-02-01"}))["quantity"] == 2
        assert (await made.usage(customerId=other))["unattributed"] == 1
        assert (await made.usage(customerId=UNKNOWN))["accepted"] == 0
        assert (await made.usage(to="2026-01-31"))["accepted"] == 1
        assert refusal(await other_api.get(f"/v1/meters/{made.meter_id}/usage")) == (404, "METER_NOT_FOUND")


class TestGrace:
    async def test_days_of_grace(self, api: Api) -> None:
        assert (await api.get("/v1/company")).json()["usageGraceDays"] == 0
        changed = await api.patch("/v1/company", {"usageGraceDays": 31})
        assert changed.json()["usageGraceDays"] == 31
        for value, rule in ((-1, "min"), (32, "max"), ("1", "isInt"), (1.5, "isInt"), (None, "isInt")):
            assert problems(await api.patch("/v1/company", {"usageGraceDays": value})) == {"usageGraceDays": rule}
        assert (await api.get("/v1/company")).json()["usageGraceDays"] == 31


async def test_another_companys_events_are_nobodys(api: Api, other_api: Api) -> None:
    made, theirs = await metering(api), await metering(other_api)
    event = await theirs.reported(5)
    assert refusal(await api.patch(f"{EVENTS}/{event}", {"value": 1})) == (404, "USAGE_EVENT_NOT_FOUND")
    assert refusal(await api.post(f"{EVENTS}/{event}/withdraw")) == (404, "USAGE_EVENT_NOT_FOUND")
    assert (await api.get(EVENTS)).json()["total"] == 0
    assert (await made.report(5, headers_key := str(new_id()))).status_code == 202
    assert (await theirs.api.post("/v1/meters/report", theirs.body(5), headers={KEY: headers_key})).status_code == 202
