"""Which days of a subscription usage may be reported for, and which billed usage late events belong to (decisions
"Usage").
"""

from datetime import date
from uuid import UUID

import pytest
from tests.unit.billing.chains import AT_ONCE, WEEK, Life, day, plan, price, subscribed, usage_price

from ledgerbee.billing.charges.model import ChargeKind
from ledgerbee.billing.plans.model import PlanItem
from ledgerbee.billing.subscriptions.model import ChangeType
from ledgerbee.billing.subscriptions.rules.metering import LATE_DAYS, MeteredSpan, late_charges, metered_spans
from ledgerbee.catalog.prices.model import Price
from ledgerbee.core.fields import replace

#: First day, first day after them, whether they are a trial's.
Days = tuple[str, str | None, bool]


def spans(life: Life) -> list[MeteredSpan]:
    return list(metered_spans(life.chain, life.facts))


def days_of(life: Life, metered: Price) -> list[Days]:
    """The days of 2026 on which usage of a price may be reported."""
    return [
        (f"{one.starts_on:%m-%d}", None if one.ends_on is None else f"{one.ends_on:%m-%d}", one.is_trial)
        for one in spans(life)
        if one.price_id == metered.id
    ]


def subscribed_to(*prices: Price, **others: str) -> Life:
    return subscribed(plan(*prices), prices, "01-01", **others)  # type: ignore[arg-type]


def test_a_span_says_whose_it_is() -> None:
    calls, flat = usage_price(), price("31")
    life = subscribed_to(calls, flat)
    assert spans(life) == [
        MeteredSpan(
            subscription_id=life.subscription.id,
            price_id=calls.id,
            meter_id=calls.meter_id,
            customer_id=life.subscription.customer_id,
            starts_on=day("01-01"),
            ends_on=None,
            is_trial=False,
            chain_starts_on=day("01-01"),
            billed_until=day("01-01"),
            closes_on=None,
        )
    ]


def test_without_usage_prices_there_is_none() -> None:
    assert spans(subscribed_to(price("31"))) == []


def test_usage_is_billed_as_far_as_its_own_schedule_says() -> None:
    monthly, weekly = usage_price(), usage_price("1", WEEK)
    life = subscribed_to(monthly, weekly)
    life.run("03-10")
    billed = {one.price_id: one.billed_until for one in spans(life)}
    assert billed == {monthly.id: day("03-01"), weekly.id: day("03-05")}


def test_a_trial_is_a_span_of_its_own() -> None:
    calls = usage_price()
    life = subscribed_to(calls, trial_until="01-15")
    assert days_of(life, calls) == [("01-01", "01-15", True), ("01-15", None, False)]


def test_a_pause_is_a_gap() -> None:
    calls = usage_price()
    life = subscribed_to(calls)
    life.now(ChangeType.PAUSE, "01-11")
    assert days_of(life, calls) == [("01-01", "01-11", False)]
    life.now(ChangeType.RESUME, "01-21")
    assert days_of(life, calls) == [("01-01", "01-11", False), ("01-21", None, False)]


def test_a_pause_over_the_end_of_a_trial() -> None:
    calls = usage_price()
    life = subscribed_to(calls, trial_until="01-15")
    life.now(ChangeType.PAUSE, "01-11")
    life.now(ChangeType.RESUME, "01-21")
    assert days_of(life, calls) == [("01-01", "01-11", True), ("01-21", None, False)]


def test_a_change_of_another_price_splits_nothing() -> None:
    calls, flat = usage_price(), price("31")
    life = subscribed_to(calls, flat)
    life.edit(flat, 2, "01-11")
    life.edit(flat, 3, "01-21")
    assert len(life.chain.timeline) == 3
    assert days_of(life, calls) == [("01-01", None, False)]


def test_nor_does_one_in_a_trial() -> None:
    calls, flat = usage_price(), price("31")
    life = subscribed_to(calls, flat, trial_until="01-15")
    life.edit(flat, 2, "01-05")
    life.edit(flat, 3, "01-20")
    assert days_of(life, calls) == [("01-01", "01-15", True), ("01-15", None, False)]


def test_days_on_which_the_price_is_there() -> None:
    calls, flat = usage_price(), price("31")
    offered = plan(flat, PlanItem(calls.id, optional=True))
    life = subscribed(offered, [calls, flat], "01-01")
    assert days_of(life, calls) == []
    life.edit(calls, 1, "01-11")
    assert days_of(life, calls) == [("01-11", None, False)]
    life.edit(calls, 0, "01-21")
    assert days_of(life, calls) == [("01-11", "01-21", False)]
    life.edit(calls, 1, "01-26")
    assert days_of(life, calls) == [("01-11", "01-21", False), ("01-26", None, False)]
    assert {one.chain_starts_on for one in spans(life)} == {day("01-01")}


def test_another_plan_with_another_price_of_the_meter() -> None:
    old = usage_price("1")
    new = replace(usage_price("0.5"), meter_id=old.meter_id)
    first, second = plan(old), plan(new)
    life = subscribed(first, [old, new], "01-01", AT_ONCE, others=[second])
    assert days_of(life, new) == []
    life.replace_plan(second, "01-15")
    assert days_of(life, old) == [("01-01", "01-15", False)]
    assert days_of(life, new) == [("01-15", None, False)]
    assert {one.meter_id for one in spans(life)} == {old.meter_id}


def test_what_ends_takes_late_usage_for_thirty_days() -> None:
    calls = usage_price()
    life = subscribed_to(calls)
    life.schedule_end("01-05", "01-20")
    assert days_of(life, calls) == [("01-01", "01-20", False)]
    assert [one.closes_on for one in spans(life)] == [day("01-20") + LATE_DAYS] == [day("02-19")]
    life.run("02-01")
    assert days_of(life, calls) == [("01-01", "01-20", False)]
    assert [one.billed_until for one in spans(life)] == [day("01-20")]


class TestLateCharges:
    @staticmethod
    def billed() -> tuple[Life, Price, Price]:
        """January and February are billed, for two prices and with a fee."""
        calls, messages, fee = usage_price(), usage_price(), price("31")
        life = subscribed_to(calls, messages, fee)
        life.run("03-01")
        return life, calls, messages

    @staticmethod
    def late(life: Life, *late: tuple[UUID, UUID, date]) -> list[tuple[UUID, str]]:
        """Price and first day of the charges that these events belong to."""
        found = list(late_charges(life.chain.charges, late))
        charges = {one.id: one for one in life.chain.charges}
        assert all(charges[one].kind is ChargeKind.USAGE for one in found)
        return [(charges[one].price_id, f"{charges[one].service.start:%m-%d}") for one in found]

    @pytest.mark.parametrize(
        ("on", "expected"),
        [("01-01", ["01-01"]), ("01-31", ["01-01"]), ("02-01", ["02-01"]), ("02-28", ["02-01"]), ("03-01", []),
         ("2025-12-31", [])],
    )  # fmt: skip
    def test_the_charge_of_the_day(self, on: str, expected: list[str]) -> None:
        life, calls, _ = self.billed()
        found = self.late(life, (life.subscription.id, calls.id, day(on)))
        assert found == [(calls.id, first) for first in expected]

    def test_each_charge_once(self) -> None:
        life, calls, messages = self.billed()
        of = life.subscription.id
        late = [(of, calls.id, day("01-03")), (of, calls.id, day("01-04")), (of, messages.id, day("02-03"))]
        assert self.late(life, *late) == [(calls.id, "01-01"), (messages.id, "02-01")]

    def test_nothing_of_others(self) -> None:
        life, calls, messages = self.billed()
        other, flat = subscribed_to(calls), price()
        assert self.late(life) == []
        assert self.late(life, (other.subscription.id, calls.id, day("01-03"))) == []
        assert self.late(life, (life.subscription.id, flat.id, day("01-03"))) == []
        assert self.late(life, (life.subscription.id, messages.id, day("01-03"))) == [(messages.id, "01-01")]

    def test_what_was_charged_for_late_usage_before_is_none(self) -> None:
        life, calls, _ = self.billed()
        life.meter.report(calls, "01-03", "5")
        life.late()
        kinds = [one.kind for one in life.chain.charges if one.price_id == calls.id]
        assert ChargeKind.USAGE_DIFFERENCE in kinds
        assert self.late(life, (life.subscription.id, calls.id, day("01-03"))) == [(calls.id, "01-01")]
