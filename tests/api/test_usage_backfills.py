"""Backfills: usage of some days told anew, on the days that are open and on those that are billed."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio
from tests.api.catalog_steps import UNKNOWN, new_meter, problems, refusal
from tests.api.usage_steps import EVENTS, Metering, metering
from tests.billing import Biller
from tests.conftest import Api

from ledgerbee.core.ids import new_id

PATH = "/v1/usage/backfills"
JAN, FEB, MAR = (date(2026, month, 1) for month in range(1, 4))
TENTH = date(2026, 2, 10)
FEBRUARY = {"from": "2026-02-01", "to": "2026-02-28"}


@pytest_asyncio.fixture
async def made(api: Api) -> Metering:
    return await metering(api)


async def opened(made: Metering, **fields: Any) -> str:
    answer = await made.api.post(PATH, {"meterId": made.meter_id, **FEBRUARY, **fields})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def told(made: Metering, backfill: str, *events: dict[str, Any]) -> dict[str, int]:
    answer = await made.api.post(f"{PATH}/{backfill}/events", {"events": list(events)})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


async def moved(made: Metering, backfill: str, verb: str) -> dict[str, Any]:
    answer = await made.api.post(f"{PATH}/{backfill}/{verb}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def on(made: Metering, value: Any, key: str | None = None, day: str = "2026-02-10", **fields: Any) -> dict[str, Any]:
    return made.keyed(value, key, timestamp=f"{day}T12:00:00Z", **fields)


class TestInForce:
    async def test_stands_in_the_place_of_what_came_before_and_gives_it_back(self, made: Metering) -> None:
        chain = await made.span(JAN)
        await made.reported(1, date(2026, 1, 31))
        first = await made.reported(5, TENTH)
        kept = await made.report(7, "k-1", timestamp="2026-02-11T12:00:00Z")
        before = await made.usage()
        events = (await made.api.get(EVENTS)).json()

        backfill = await opened(made, customerId=made.customer_id)
        # Nothing of it counts, or is listed, before it is closed.
        assert await told(made, backfill, on(made, 2, "b-1"), on(made, 3, "b-2"), on(made, 2, "b-1")) == {
            "accepted": 2, "kept": 0, "duplicates": 1,
        }  # fmt: skip
        assert await told(made, backfill, on(made, 7, "k-1", "2026-02-11"), on(made, 3, "b-2")) == {
            "accepted": 0, "kept": 1, "duplicates": 1,
        }  # fmt: skip
        assert (await made.usage(), (await made.api.get(EVENTS)).json()) == (before, events)
        assert await made.quantity(chain, FEB, MAR) == (2, Decimal(12))
        assert (await made.api.get(f"{PATH}/{backfill}")).json()["events"] == 3
        # Its keys are taken at every door.
        assert (await made.report(2, "b-1", timestamp="2026-02-10T12:00:00Z")).json() == {"status": "duplicate"}
        made.api.clock.now += timedelta(seconds=1)
        await made.reported(100, TENTH)  # came in since it was opened: stays

        shown = (await made.api.get(f"{PATH}/{backfill}/preview")).json()
        assert shown["total"] == 1
        (customer,) = shown["data"]
        assert customer["customerId"] == made.customer_id
        assert (customer["before"], customer["after"]) == (
            {"events": 3, "quantity": 112}, {"events": 4, "quantity": 112},
        )  # fmt: skip
        assert customer["periods"] == []
        assert await made.quantity(chain, FEB, MAR) == (3, Decimal(112))

        closed = await moved(made, backfill, "close")
        assert (closed["status"], closed["events"], closed["superseded"]) == ("closed", 3, 1)
        assert await made.quantity(chain, FEB, MAR) == (4, Decimal(112))
        assert (await made.event(first))["status"] == "superseded"
        assert (await made.event(kept.json()["requestId"]))["status"] == "attributed"
        assert (await made.usage())["accepted"] == before["accepted"] - 1 + 2 + 1
        assert (await made.api.get(EVENTS)).json()["total"] == events["total"] + 3
        for change in (made.api.patch(f"{EVENTS}/{first}", {"value": 1}), made.api.post(f"{EVENTS}/{first}/withdraw")):
            assert (await change).json()["code"] == "USAGE_EVENT_INVALID_STATE"
        assert await made.fault() is None

        reverted = await moved(made, backfill, "revert")
        assert (reverted["status"], reverted["revertedAt"] is not None) == ("reverted", True)
        assert await made.quantity(chain, FEB, MAR) == (3, Decimal(112))
        assert (await made.event(first))["status"] == "attributed"
        assert (await made.api.get(EVENTS)).json()["total"] == events["total"] + 1
        assert await made.fault() is None
        # What was its own can be told again.
        again = await opened(made)
        assert await told(made, again, on(made, 2, "b-1")) == {"accepted": 0, "kept": 1, "duplicates": 0}
        await moved(made, again, "close")
        assert await made.quantity(chain, FEB, MAR) == (1, Decimal(2))
        assert await made.fault() is None

    async def test_withdrawn_and_unattributed_events_and_settled_subscriptions(self, made: Metering) -> None:
        await made.span(JAN, TENTH, closes_on=date(2026, 3, 12))
        settled = await made.reported(5, date(2026, 2, 9))  # received after it was settled
        other = await made.new_customer()
        span = await made.span(FEB, customer_id=other)
        event = await made.report(4, "w-1", customerId=other, timestamp="2026-02-20T12:00:00Z")
        event_id = event.json()["requestId"]
        await made.api.post(f"{EVENTS}/{event_id}/withdraw")

        backfill = await opened(made)
        lost = on(made, 9, "u-1")
        found = await told(
            made, backfill, lost, on(made, 1, "s-1", "2026-02-09"), on(made, 4, "w-1", "2026-02-20", customerId=other)
        )
        assert found == {"accepted": 2, "kept": 1, "duplicates": 0}
        assert (await moved(made, backfill, "close"))["superseded"] == 0
        assert (await made.event(settled))["status"] == "too_late"
        assert (await made.event(event_id))["status"] == "attributed"
        assert await made.quantity(span, FEB, MAR) == (1, Decimal(4))
        usage = await made.usage()
        assert (usage["tooLate"], usage["unattributed"], usage["open"]) == (2, 1, 1)
        topics = (await made.api.get(f"/v1/audit-events?objectId={made.customer_id}")).json()["data"]
        assert [one["type"] for one in topics].count("usage.unattributed") == 1
        assert await made.fault() is None
        await moved(made, backfill, "revert")
        assert (await made.event(event_id))["status"] == "withdrawn"
        assert (await made.usage())["accepted"] == 1
        assert await made.fault() is None

    async def test_of_billed_days_the_next_bill_has_the_difference(self, api: Api) -> None:
        biller = Biller(api)
        meter, price = await biller.metered("2")
        subscription = await biller.subscribe(await biller.plan(price, interval="month"), "2026-02-01")
        customer = (await biller.subscription(subscription))["customerId"]
        for value, day in (("10", "2026-02-03"), ("5", "2026-02-10")):
            await biller.use(meter, subscription, value, day)
        await biller.bill()
        assert [one["subtotal"] for one in await biller.invoices()] == ["30.00"]
        made = Metering(api, meter, price, {}, customer)

        async def replaced(key: str, *values: int) -> str:
            backfill = await opened(made, meterId=meter)
            await told(made, backfill, *(on(made, value, f"{key}-{n}") for n, value in enumerate(values)))
            return backfill

        await biller.use(meter, subscription, "1", "2026-02-11")  # late already
        backfill = await replaced("more", 10, 10, 1)
        before = await made.usage()
        shown = (await made.api.get(f"{PATH}/{backfill}/preview")).json()["data"]
        (period,) = shown[0]["periods"]
        assert period == {
            "subscriptionId": subscription, "priceId": price, "from": "2026-02-01", "to": "2026-02-28",
            "currency": "DKK", "before": {"events": 2, "quantity": 15, "amount": "30.00"},
            "after": {"events": 3, "quantity": 21, "amount": "42.00"}, "difference": "12.00",
        }  # fmt: skip
        assert await made.usage() == before
        await biller.check_books()

        # Closed and reverted before the next bill: that has what it would have had.
        await moved(made, backfill, "close")
        await biller.check_books()
        await moved(made, backfill, "revert")
        assert await made.usage() == before == {**before, "billed": 2, "open": 1, "quantity": 16}
        await biller.check_books()

        again = await replaced("more", 10, 10, 1)
        await moved(made, again, "close")
        biller.on("2026-04-01")
        await biller.bill()
        assert [one["subtotal"] for one in await biller.invoices()] == ["30.00", "12.00"]
        assert (await made.usage())["billed"] == 3
        await biller.check_books()

        # What was billed of it is given back when it is reverted.
        await moved(made, again, "revert")
        await biller.check_books()
        biller.on("2026-05-01")
        await biller.bill()
        charged = sum(Decimal(one["amount"]) for one in await biller.charges(subscription))
        assert charged == Decimal(32)
        assert (await made.usage())["billed"] == 3
        await biller.check_books()


class TestRefused:
    async def test_what_cannot_be_opened(self, made: Metering) -> None:
        for body, wrong in (
            ({"from": "2026-02-01", "to": "2026-01-31", "meterId": made.meter_id}, {"to"}),
            ({"from": "2024-02-01", "to": "2026-02-01", "meterId": made.meter_id}, {"to"}),
            ({"from": "2026-02-01", "to": "2026-03-17", "meterId": made.meter_id}, {"to"}),
            (FEBRUARY, {"meterId"}),
        ):
            assert set(problems(await made.api.post(PATH, body))) == wrong, body
        assert refusal(await made.api.post(PATH, {"meterId": UNKNOWN, **FEBRUARY}))[:2] == (404, "METER_NOT_FOUND")
        body = {"meterId": made.meter_id, "customerId": UNKNOWN, **FEBRUARY}
        assert refusal(await made.api.post(PATH, body))[:2] == (404, "CUSTOMER_NOT_FOUND")
        archived = await new_meter(made.api)
        await made.api.post(f"/v1/meters/{archived}/archive")
        assert refusal(await made.api.post(PATH, {"meterId": archived, **FEBRUARY}))[1] == "METER_INVALID_STATE"
        assert (await made.api.get(PATH)).json()["total"] == 0

    async def test_one_of_the_same_usage_at_a_time_and_the_later_one_goes_first(self, made: Metering) -> None:
        first = await opened(made, customerId=made.customer_id)
        await opened(made, customerId=await made.new_customer())
        await opened(made, **{"from": "2026-01-01", "to": "2026-01-31"})
        again = await made.api.post(PATH, {"meterId": made.meter_id, "from": "2026-02-28", "to": "2026-03-01"})
        assert again.json()["code"] == "USAGE_BACKFILL_OVERLAPS"
        assert (await moved(made, first, "close"))["superseded"] == 0
        second = await opened(made, customerId=made.customer_id)
        assert (await made.api.post(f"{PATH}/{first}/revert")).json()["details"] == {"usageBackfillId": second}
        await moved(made, second, "close")
        assert (await made.api.post(f"{PATH}/{first}/revert")).json()["code"] == "USAGE_BACKFILL_OVERLAPS"
        await moved(made, second, "revert")
        await moved(made, first, "revert")
        listed = (await made.api.get(PATH, params={"meterId": made.meter_id, "status": "reverted"})).json()
        assert [one["id"] for one in listed["data"]] == [second, first]

    async def test_events_and_verbs_that_do_not_go(self, made: Metering) -> None:
        await made.report(1, "taken", timestamp="2026-01-10T12:00:00Z")
        other_meter, other = await new_meter(made.api), await made.new_customer()
        backfill = await opened(made, customerId=made.customer_id)
        sent = [
            on(made, 1, day="2026-01-31"),
            on(made, 1, day="2026-02-28"),
            on(made, 1, meterId=other_meter),
            on(made, 1, customerId=other),
            on(made, 1, "taken"),
            on(made, 1),
        ]
        sent[1]["timestamp"] = "2026-02-28T23:30:00Z"  # already March in Copenhagen
        answer = await made.api.post(f"{PATH}/{backfill}/events", {"events": sent})
        assert set(problems(answer)) == {
            "events.0.timestamp",
            "events.1.timestamp",
            "events.2.meterId",
            "events.3.customerId",
        }
        taken = await made.api.post(f"{PATH}/{backfill}/events", {"events": sent[4:]})
        assert (taken.status_code, taken.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
        assert (await made.api.get(f"{PATH}/{backfill}")).json()["events"] == 0

        assert (await moved(made, backfill, "cancel"))["status"] == "cancelled"
        for verb in ("events", "close", "revert", "cancel"):
            body = {"events": [on(made, 1)]} if verb == "events" else {}
            refused = await made.api.post(f"{PATH}/{backfill}/{verb}", body)
            assert refused.json()["details"] == {"status": "cancelled"}, verb
        assert (await made.api.get(f"{PATH}/{backfill}/preview")).status_code == 409
        assert (await made.usage())["accepted"] == 1
        assert await made.fault() is None


@pytest.mark.parametrize("aggregation", ["LAST", "UNIQUE_COUNT"])
async def test_other_meters_count_what_is_in_force(api: Api, aggregation: str) -> None:
    made = await metering(api, aggregation=aggregation)
    chain = await made.span(JAN)
    await made.reported(5, TENTH)
    await made.reported(6, TENTH)
    backfill = await opened(made)
    await told(made, backfill, on(made, 4, str(new_id())))
    shown = (await made.api.get(f"{PATH}/{backfill}/preview")).json()["data"][0]
    expected = {"LAST": (6, 4), "UNIQUE_COUNT": (2, 1)}[aggregation]
    assert (shown["before"]["quantity"], shown["after"]["quantity"]) == expected
    await moved(made, backfill, "close")
    assert await made.quantity(chain, FEB, MAR) == (1, Decimal(expected[1]))
    await moved(made, backfill, "revert")
    assert await made.quantity(chain, FEB, MAR) == (2, Decimal(expected[0]))
