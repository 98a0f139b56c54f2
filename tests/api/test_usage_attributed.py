"""Whose usage it is, what it comes to, and what is late (decisions "Usage")."""

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from tests.api.usage_steps import UNATTRIBUTED, Metering, metering
from tests.conftest import Api

from ledgerbee.billing.usage import actions
from ledgerbee.billing.usage.model import AskedQuantity
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context

JAN, FEB, MAR, APR, MAY = (date(2026, month, 1) for month in range(1, 6))


@pytest_asyncio.fixture
async def made(api: Api) -> Metering:
    return await metering(api)


async def chain_of(made: Metering, on: date, **fields: Any) -> str | None:
    event = await made.event(await made.reported(1, on, **fields))
    found: str | None = event["subscriptionId"]
    return found


class TestWhose:
    async def test_the_chain_that_started_first_and_covers_the_day(self, made: Metering) -> None:
        later = await made.span(JAN, APR, chain_starts_on=JAN)
        first = await made.span(FEB, MAR, chain_starts_on=date(2025, 6, 1))
        assert await chain_of(made, date(2026, 1, 31)) == str(later)
        assert await chain_of(made, FEB) == str(first)
        assert await chain_of(made, date(2026, 2, 28)) == str(first)
        assert await chain_of(made, MAR) == str(later)

    async def test_of_two_of_one_day_the_lower_id(self, made: Metering) -> None:
        chains = sorted([await made.span(JAN), await made.span(JAN)])
        assert await chain_of(made, FEB) == str(chains[0])

    async def test_the_one_that_is_named(self, made: Metering) -> None:
        await made.span(JAN)
        other = await made.span(FEB)
        named = {"metadata": {"subscriptionId": str(other)}}
        assert await chain_of(made, MAR, **named) == str(other)
        assert await chain_of(made, date(2026, 1, 15), **named) is None
        assert await chain_of(made, MAR, metadata={"subscriptionId": str(new_id())}) is None

    async def test_the_day_is_the_companys(self, made: Metering) -> None:
        chain = await made.span(MAR)
        before = await made.event(await made.reported(timestamp="2026-02-28T22:59:59Z"))
        first = await made.event(await made.reported(timestamp="2026-02-28T23:00:00Z"))
        assert (before["day"], before["subscriptionId"]) == ("2026-02-28", None)
        assert (first["day"], first["subscriptionId"]) == ("2026-03-01", str(chain))

    async def test_before_in_a_pause_and_after_it_is_nobodys(self, made: Metering) -> None:
        chain = await made.span(FEB, date(2026, 2, 10))
        await made.span(date(2026, 2, 20), MAR, subscription_id=chain, chain_starts_on=FEB)
        for day in (date(2026, 1, 31), date(2026, 2, 10), date(2026, 2, 19), MAR):
            assert await chain_of(made, day) is None
        assert await chain_of(made, FEB, customerId=await made.new_customer()) is None
        assert await chain_of(made, FEB, metadata={"subscriptionId": str(new_id())}) is None
        listed = (await made.api.get(UNATTRIBUTED)).json()
        assert listed["total"] == 6
        assert [(one["day"], one["reason"]) for one in listed["data"]] == [
            ("2026-03-01", "after_end"), ("2026-02-19", "paused"), ("2026-02-10", "paused"),
            ("2026-02-01", "subscription_not_found"), ("2026-02-01", "no_subscription"),
            ("2026-01-31", "before_start"),
        ]  # fmt: skip
        assert all(one["status"] == "unattributed" for one in listed["data"])
        assert (await made.usage()) == {
            "accepted": 6, "attributed": 0, "unattributed": 6, "billed": 0, "open": 0, "shown": 0, "tooLate": 0,
            "quantity": 0,
        }  # fmt: skip

    async def test_another_customers_or_meters_span_is_none(self, made: Metering) -> None:
        other = await metering(made.api)
        await made.span(JAN, customer_id=other.customer_id)
        await made.span(JAN, meter_id=other.meter_id, price_id=other.price_id)
        assert await chain_of(made, MAR) is None


class TestWhatItComesTo:
    #: (day, value): 3 + 5 + 2.5 - the last by its moment is the 5.
    USED = ((date(2026, 2, 3), 3), (date(2026, 2, 20), 5), (date(2026, 2, 10), 2.5), (date(2026, 2, 3), 3))

    @pytest.mark.parametrize(
        ("aggregation", "quantity"),
        [("SUM", "13.5"), ("COUNT", "4"), ("MAX", "5"), ("LAST", "5"), ("UNIQUE_COUNT", "3")],
    )
    async def test_each_aggregation(self, api: Api, aggregation: str, quantity: str) -> None:
        made = await metering(api, aggregation=aggregation)
        chain = await made.span(JAN)
        for day, value in self.USED:
            await made.reported(value, day)
        await made.reported(100, MAR)
        assert await made.quantity(chain, FEB, MAR) == (4, Decimal(quantity))
        assert (await made.usage(to="2026-02-28"))["quantity"] == float(quantity)
        assert await made.quantity(chain, JAN, FEB) == (0, Decimal(0))
        assert await made.quantity(new_id(), FEB, MAR) == (0, Decimal(0))
        assert await made.fault() is None

    async def test_distinct_values_of_a_key(self, api: Api) -> None:
        made = await metering(api, aggregation="UNIQUE_COUNT", uniqueKey="user")
        chain = await made.span(JAN)
        for user in ("a", "b", "a", "", 1, 1.0, True, "1"):
            await made.reported(1, FEB, metadata={"user": user})
        await made.reported(1, FEB, metadata={"other": "c"})
        await made.reported(1, FEB)
        assert await made.quantity(chain, FEB, MAR) == (10, Decimal(6))

    async def test_the_last_of_one_moment_is_the_one_that_came_in_last(self, api: Api) -> None:
        made = await metering(api, aggregation="LAST")
        chain = await made.span(JAN)
        for value in (7, 9, 8):
            await made.reported(value, FEB)
        await made.batch(made.keyed(3, timestamp=f"{FEB}T12:00:00Z"), made.keyed(4, timestamp=f"{FEB}T11:59:59Z"))
        assert await made.quantity(chain, FEB, MAR) == (5, Decimal(3))

    async def test_negative_values_are_raw(self, made: Metering) -> None:
        chain = await made.span(JAN)
        await made.reported(-3, FEB)
        await made.reported(4, MAR)
        asked = [(chain, made.price_id, FEB, MAR), (chain, made.price_id, MAR, APR), (chain, made.price_id, JAN, APR)]
        assert await made.quantities(*asked) == [(1, Decimal(-3)), (1, Decimal(4)), (2, Decimal(1))]

    async def test_usage_of_a_trial_is_shown(self, made: Metering) -> None:
        chain = await made.span(MAR, date(2026, 3, 15), is_trial=True)
        await made.span(date(2026, 3, 15), subscription_id=chain, chain_starts_on=MAR, billed_until=MAR)
        await made.reported(100, date(2026, 3, 3))
        await made.reported(50, date(2026, 3, 16))
        assert await made.quantity(chain, MAR, APR) == (1, Decimal(50))
        assert await made.usage() == {
            "accepted": 2, "attributed": 2, "unattributed": 0, "billed": 0, "open": 1, "shown": 1, "tooLate": 0,
            "quantity": 150,
        }  # fmt: skip

    async def test_a_price_has_the_days_on_which_it_stands(self, made: Metering) -> None:
        """The old price until the 15th, the new one from then on, and the old one again."""
        new = await made.new_price()
        chain = await made.span(MAR, date(2026, 3, 10))
        again = {"subscription_id": chain, "chain_starts_on": MAR}
        await made.span(date(2026, 3, 10), date(2026, 3, 14), price_id=new, **again)
        await made.span(date(2026, 3, 14), **again)
        for day, value in ((9, 40), (10, 60), (13, 7), (14, 5)):
            await made.reported(value, date(2026, 3, day))
        assert await made.quantity(chain, MAR, APR) == (2, Decimal(45))
        assert await made.quantity(chain, MAR, APR, new) == (2, Decimal(67))

    async def test_two_prices_on_a_meter_each_count(self, made: Metering) -> None:
        other = await made.new_price()
        chain = await made.span(MAR)
        await made.span(MAR, subscription_id=chain, price_id=other)
        await made.reported(3, date(2026, 3, 3))
        assert await made.quantity(chain, MAR, APR) == await made.quantity(chain, MAR, APR, other) == (1, Decimal(3))
        assert (await made.usage())["accepted"] == 1

    async def test_many_at_once_in_their_order(self, made: Metering) -> None:
        chains = []
        for value in range(1, 6):
            customer = await made.new_customer()
            chains.append(await made.span(FEB, customer_id=customer))
            await made.reported(value, MAR, customerId=customer)
        asked = [(chain, made.price_id, FEB, APR) for chain in reversed(chains)]
        assert [one.quantity for one in await made.quantities(*asked)] == [5, 4, 3, 2, 1]
        assert await made.quantities() == []


class TestLate:
    async def test_what_comes_after_the_bill_is_marked(self, made: Metering) -> None:
        chain = await made.span(JAN, billed_until=MAR)
        await made.reported(1, date(2026, 2, 28))
        await made.reported(1, date(2026, 2, 28))
        await made.reported(1, MAR)
        assert await made.late() == [(str(chain), made.price_id, date(2026, 2, 28), 2)]
        assert (await made.usage())["open"] == 3
        await bill(made, APR)
        assert await made.usage() == await made.usage() | {"billed": 3, "open": 0}
        await made.reported(1, date(2026, 2, 28))
        assert await made.usage() == await made.usage() | {"billed": 3, "open": 1}

    async def test_by_price(self, made: Metering) -> None:
        other = await made.new_price()
        chain = await made.span(JAN, billed_until=MAR)
        await made.span(JAN, subscription_id=chain, price_id=other, billed_until=date(2026, 2, 20))
        await made.reported(1, date(2026, 2, 10))
        await made.reported(1, date(2026, 2, 25))
        expected = [(date(2026, 2, 10), made.price_id), (date(2026, 2, 10), other), (date(2026, 2, 25), made.price_id)]
        assert [(day, price) for _, price, day, _ in await made.late()] == sorted(expected)
        assert (await made.usage())["open"] == 2

    async def test_neither_a_trial_nor_a_duplicate(self, made: Metering) -> None:
        await made.span(JAN, is_trial=True, billed_until=MAR)
        await made.reported(1, FEB, key="k-1")
        assert (await made.report(1, "k-1", timestamp=f"{FEB}T12:00:00Z")).status_code == 200
        assert await made.late() == []

    async def test_after_the_subscription_has_closed_it_is_too_late(self, made: Metering) -> None:
        chain = await made.span(JAN, FEB, billed_until=FEB, closes_on=date(2026, 3, 16))
        in_time = await made.reported(2, date(2026, 1, 10))
        made.api.clock.advance(days=1)
        too_late = await made.reported(3, date(2026, 1, 10))
        assert (await made.event(in_time))["status"] == "attributed"
        found = await made.event(too_late)
        assert (found["status"], found["subscriptionId"]) == ("too_late", str(chain))
        assert await made.quantity(chain, JAN, FEB) == (1, Decimal(2))
        assert await made.late() == [(str(chain), made.price_id, date(2026, 1, 10), 1)]
        assert await made.usage() == {
            "accepted": 2, "attributed": 2, "unattributed": 0, "billed": 0, "open": 1, "shown": 0, "tooLate": 1,
            "quantity": 2,
        }  # fmt: skip
        assert await made.fault() is None

    async def test_no_event_falls_between_a_bill_and_its_reporting(self, made: Metering) -> None:
        """Bills and reports at once: each event is in what its bill counted, or marked late."""
        chain = await made.span(JAN)
        counted: list[int] = []

        async def bill_day(day: int) -> None:
            async def work(context: Context) -> int:
                await context.connection.execute(
                    "UPDATE metered_spans SET billed_until = $2 WHERE company_id = $1", context.company_id,
                    date(2026, 2, day + 1),
                )  # fmt: skip
                await asyncio.sleep(0.01)
                asked = AskedQuantity(chain, UUID(made.price_id), date(2026, 2, day), date(2026, 2, day + 1))
                return (await actions.quantities(context, [asked]))[0].events

            counted.append(await made.api.run(work))

        async def use(day: int) -> None:
            await made.batch(*(made.keyed(1, timestamp=f"2026-02-{day:02}T12:00:00Z") for _ in range(5)))
            await made.reported(1, date(2026, 2, day))

        for day in range(1, 9):
            await asyncio.gather(*(use(day) for _ in range(4)), bill_day(day), *(use(day) for _ in range(2)))
        late = {day: events for _, _, day, events in await made.late()}
        for day in range(1, 9):
            assert counted[day - 1] + late.get(date(2026, 2, day), 0) == 36
        assert await made.fault() is None


async def bill(made: Metering, until: date) -> None:
    """What billing does of usage, without a bill."""

    async def work(context: Context) -> None:
        for statement in (
            "UPDATE metered_spans SET billed_until = $2 WHERE company_id = $1",
            "DELETE FROM late_usage WHERE company_id = $1 AND day < $2",
        ):
            await context.connection.execute(statement, context.company_id, until)

    await made.api.run(work)


class TestAnew:
    async def test_what_is_covered_now_is_attributed(self, made: Metering) -> None:
        chain = await made.span(MAR, billed_until=MAR)
        for day in (10, 20, 20):
            await made.reported(2, date(2026, 2, day))
        moved = await made.change_spans(
            "UPDATE metered_spans SET starts_on = $2, billed_until = $3 WHERE company_id = $1", date(2026, 2, 15), MAR
        )
        assert moved == 2
        assert await made.quantity(chain, FEB, MAR) == (2, Decimal(4))
        assert await made.late() == [(str(chain), made.price_id, date(2026, 2, 20), 2)]
        assert await made.usage() == await made.usage() | {"attributed": 2, "unattributed": 1}
        assert (await made.api.get(UNATTRIBUTED)).json()["total"] == 1
        assert await made.fault() is None

    async def test_what_is_covered_no_more_is_taken_back(self, made: Metering) -> None:
        chain = await made.span(JAN, billed_until=MAR)
        await made.reported(2, date(2026, 1, 10))
        await made.reported(3, date(2026, 2, 10))
        moved = await made.change_spans("UPDATE metered_spans SET ends_on = $2 WHERE company_id = $1", FEB)
        assert moved == 1
        assert await made.quantity(chain, JAN, APR) == (1, Decimal(2))
        assert (str(chain), made.price_id, date(2026, 2, 10), 0) in await made.late()
        told = (await made.api.get(f"/v1/events?objectId={made.customer_id}&types=usage.unattributed")).json()["data"]
        assert [one["data"]["day"] for one in told] == ["2026-02-10"]
        assert await made.fault() is None
        assert await made.change_spans("UPDATE metered_spans SET ends_on = NULL WHERE company_id = $1") == 1
        assert await made.quantity(chain, JAN, APR) == (2, Decimal(5))
        assert await made.fault() is None

    async def test_another_chain_gets_what_it_started_before(self, made: Metering) -> None:
        one = await made.span(FEB)
        await made.reported(2, MAR)
        other = await made.span(JAN)
        assert await made.change_spans("SELECT $1::uuid") == 1
        assert await made.quantity(one, JAN, APR) == (0, Decimal(0))
        assert await made.quantity(other, JAN, APR) == (1, Decimal(2))

    async def test_only_from_the_day_on_and_of_the_customer(self, made: Metering) -> None:
        await made.reported(1, FEB)
        await made.reported(1, MAR)
        await made.reported(1, MAR, customerId=await made.new_customer())
        await made.span(JAN)
        assert await made.change_spans("SELECT $1::uuid", from_day=MAR) == 1
        assert await made.change_spans("SELECT $1::uuid", from_day=MAR) == 0
        assert await made.change_spans("SELECT $1::uuid") == 1

    async def test_a_closed_subscription_gets_too_late_what_it_gets(self, made: Metering) -> None:
        await made.span(FEB, MAR, billed_until=MAR)
        event = await made.reported(1, FEB)
        made.api.clock.advance(days=1)
        other = await made.reported(1, FEB)
        closes = "UPDATE metered_spans SET closes_on = $2 WHERE company_id = $1"
        assert await made.change_spans(closes, date(2026, 3, 16)) == 1
        assert (await made.event(event))["status"] == "attributed"
        assert (await made.event(other))["status"] == "too_late"
        assert await made.change_spans(closes, None) == 1
        assert (await made.event(other))["status"] == "attributed"
        assert await made.fault() is None

    async def test_no_event_misses_a_change(self, made: Metering) -> None:
        """Spans change while usage comes in: in the end each event is where the spans say."""
        await made.span(JAN)

        async def change(n: int) -> None:
            ends = [date(2026, 2, 10), None][n % 2]
            await made.change_spans("UPDATE metered_spans SET ends_on = $2 WHERE company_id = $1", ends)

        async def use() -> None:
            days = (date(2026, 2, 5), date(2026, 2, 15))
            await asyncio.gather(*(made.reported(1, day) for day in days))
            await made.batch(*(made.keyed(1, timestamp=f"{day}T12:00:00Z") for day in days))

        await asyncio.gather(*(use() for _ in range(10)), *(change(n) for n in range(6)), *(use() for _ in range(10)))
        found = await made.usage()
        assert found["accepted"] == 80
        assert await made.fault() is None
