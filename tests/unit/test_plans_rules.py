"""Which prices fit together in a subscription plan, and what changes of a plan make of it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_prices_rules import price as flat_price

from ledgerbee.billing.plans import rules
from ledgerbee.billing.plans.model import (
    NewAlternative,
    Plan,
    PlanFields,
    PlanId,
    PlanItem,
    PlanStatus,
    PlanTerms,
)
from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.catalog.prices.model import (
    BillingInterval,
    BillingPeriodType,
    PriceId,
    PricingModel,
    SellablePrice,
    SoldProduct,
    Tier,
)
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError

NOW = datetime(2026, 3, 16, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
DAY, WEEK, MONTH, YEAR = BillingInterval
ONE_TIME, RECURRING, USAGE = BillingPeriodType
ACTIVE, DISABLED, ARCHIVED = CatalogStatus
Cadence = tuple[BillingInterval, int]


def sold(number: int, kind: BillingPeriodType = RECURRING, cadence: Cadence = (MONTH, 1), **fields: Any) -> Any:
    """A price that can be sold, of 100 DKK."""
    interval, count = (None, None) if kind is ONE_TIME else cadence
    status = fields.pop("product_status", ACTIVE)
    product = SoldProduct(
        id=ProductId(UUID(int=1)),
        number="P",
        name="Basis",
        description=None,
        product_group_id=UUID(int=2),
        unit=None,
        status=status,
        zones={},
    )
    price = flat_price(
        id=PriceId(UUID(int=number)),
        billing_period_type=kind,
        billing_interval=interval,
        billing_interval_count=count,
        **fields,
    )
    return SellablePrice(price, product)


def items(prices: Iterable[SellablePrice]) -> tuple[PlanItem, ...]:
    return tuple(PlanItem(one.price.id) for one in prices)


def fields(*prices: SellablePrice, **more: Any) -> PlanFields:
    return PlanFields(name="Basis", items=items(prices), **more)


def terms(given_: PlanFields, *prices: SellablePrice) -> PlanTerms:
    return rules.terms_of(given_, {one.price.id: one for one in prices}, "DKK")


def plan(*prices: SellablePrice, **more: Any) -> Plan:
    """A plan of these prices, in its first version."""
    made = terms(fields(*prices, **more), *prices)
    return Plan(
        id=PlanId(UUID(int=99)),
        name="Basis",
        status=PlanStatus.ACTIVE,
        display_order=0,
        vanity=None,
        version=1,
        created_at=NOW,
        updated_at=NOW,
        current=rules.new_version(PlanId(UUID(int=99)), 1, "Basis", made, NOW),
    )


def refused(given_: PlanFields, *prices: SellablePrice) -> tuple[str, dict[str, Any]]:
    with pytest.raises(LedgerBeeError) as caught:
        terms(given_, *prices)
    return caught.value.code, caught.value.details


def problems(given_: PlanFields, *prices: SellablePrice) -> dict[str, str]:
    code, details = refused(given_, *prices)
    assert code == "SHARED_VALIDATION_FAILED"
    return {error["property"]: next(iter(error["constraints"])) for error in details["validationErrors"]}


MONTHLY, SECOND, QUARTERLY, YEARLY = sold(1), sold(2), sold(3, cadence=(MONTH, 3)), sold(4, cadence=(YEAR, 1))
SET_UP, CALLS = sold(5, ONE_TIME), sold(6, USAGE)

cadences = st.tuples(st.sampled_from(BillingInterval), st.integers(1, 400))


class TestCadence:
    def test_recurring_prices_say_it(self) -> None:
        made = terms(fields(SET_UP, CALLS, QUARTERLY), SET_UP, CALLS, QUARTERLY)
        assert (made.interval, made.interval_count, made.currency, made.trial_days) == (MONTH, 3, "DKK", 0)
        assert made.items == items([SET_UP, CALLS, QUARTERLY])

    @pytest.mark.parametrize(
        "said", [{"interval": MONTH}, {"interval_count": 3}, {"interval": MONTH, "interval_count": 3}]
    )
    def test_what_is_said_may_be_a_part_of_it(self, said: dict[str, Any]) -> None:
        made = terms(fields(QUARTERLY, **said), QUARTERLY)
        assert (made.interval, made.interval_count) == (MONTH, 3)

    @pytest.mark.parametrize(
        ("said", "told"),
        [
            ({"interval": YEAR}, ("year", 1)),
            ({"interval_count": 2}, ("month", 2)),
            ({"interval": WEEK, "interval_count": 3}, ("week", 3)),
        ],
    )
    def test_what_is_said_has_to_be_so(self, said: dict[str, Any], told: tuple[str, int]) -> None:
        assert refused(fields(QUARTERLY, **said), QUARTERLY) == (
            "SUBSCRIPTION_PLAN_INTERVAL_MISMATCH",
            {
                "property": "items.0.priceId",
                "priceId": str(QUARTERLY.price.id),
                "billingInterval": "month",
                "billingIntervalCount": 3,
                "interval": told[0],
                "intervalCount": told[1],
            },
        )

    @given(st.lists(cadences, min_size=1, max_size=5))
    def test_recurring_prices_agree(self, given_: list[Cadence]) -> None:
        prices = [sold(number, cadence=cadence) for number, cadence in enumerate(given_, 1)]
        others = [f"items.{place}.priceId" for place, cadence in enumerate(given_) if cadence != given_[0]]
        if not others:
            made = terms(fields(*prices), *prices)
            assert (made.interval, made.interval_count) == given_[0]
        else:
            code, details = refused(fields(*prices), *prices)
            assert code == "SUBSCRIPTION_PLAN_INTERVAL_MISMATCH"
            assert details.get("properties", [details["property"]]) == others

    @pytest.mark.parametrize(
        ("usage", "own", "fits"),
        [
            ((MONTH, 1), (MONTH, 1), True),
            ((DAY, 1), (DAY, 1), True),
            ((WEEK, 4), (MONTH, 1), True),
            ((DAY, 30), (MONTH, 1), True),
            ((DAY, 31), (MONTH, 1), False),
            ((MONTH, 1), (WEEK, 4), False),
            ((MONTH, 12), (YEAR, 1), True),
            ((YEAR, 1), (MONTH, 12), True),
            ((DAY, 365), (YEAR, 1), True),
            ((DAY, 366), (YEAR, 1), False),
            ((MONTH, 2), (MONTH, 1), False),
        ],
    )
    def test_usage_is_billed_by_no_longer_interval(self, usage: Cadence, own: Cadence, fits: bool) -> None:
        calls, fee = sold(1, USAGE, usage), sold(2, cadence=own)
        by_itself = fields(calls, interval=own[0], interval_count=own[1])
        if fits:
            made = terms(fields(calls, fee), calls, fee)
            assert (made.interval, made.interval_count) == own
            assert terms(by_itself, calls).interval_count == own[1]
        else:
            for given_ in (fields(calls, fee), by_itself):
                code, details = refused(given_, calls, fee)
                assert (code, details["property"]) == ("SUBSCRIPTION_PLAN_INTERVAL_MISMATCH", "items.0.priceId")

    def test_usage_alone_needs_one(self) -> None:
        assert problems(fields(CALLS, SET_UP), CALLS, SET_UP) == {"interval": "isDefined"}
        assert problems(fields(CALLS, interval_count=1), CALLS) == {"interval": "isDefined"}
        made = terms(fields(CALLS, interval=YEAR), CALLS)
        assert (made.interval, made.interval_count) == (YEAR, 1)

    def test_something_is_billed_again(self) -> None:
        only_once = NewAlternative(items([SET_UP]))
        given_ = fields(SET_UP, interval=MONTH, alternatives=(only_once,))
        assert problems(given_, SET_UP) == {"items": "arrayContains", "alternatives.0.items": "arrayContains"}


class TestItems:
    def test_a_price_stands_once_in_a_list(self) -> None:
        twice = NewAlternative(items([YEARLY, CALLS, YEARLY]))
        given_ = fields(MONTHLY, MONTHLY, MONTHLY, alternatives=(twice,))
        assert problems(given_, MONTHLY, YEARLY, CALLS) == {
            "items.1.priceId": "arrayUnique",
            "items.2.priceId": "arrayUnique",
            "alternatives.0.items.2.priceId": "arrayUnique",
        }

    def test_the_same_price_may_stand_in_an_alternative(self) -> None:
        given_ = fields(MONTHLY, CALLS, alternatives=(NewAlternative(items([YEARLY, CALLS])),))
        assert terms(given_, MONTHLY, YEARLY, CALLS).alternatives[0].items == items([YEARLY, CALLS])
        assert rules.price_ids(given_) == {MONTHLY.price.id, YEARLY.price.id, CALLS.price.id}

    @pytest.mark.parametrize("quantity", ["2", "0.5", "1.000001"])
    def test_usage_has_no_quantity(self, quantity: str) -> None:
        given_ = replace(
            fields(MONTHLY),
            items=(PlanItem(MONTHLY.price.id, Decimal(quantity)), PlanItem(CALLS.price.id, Decimal(quantity))),
        )
        assert problems(given_, MONTHLY, CALLS) == {"items.1.quantity": "equals"}

    def test_prices_that_are_not_there_are_all_named(self) -> None:
        given_ = fields(SECOND, MONTHLY, CALLS, alternatives=(NewAlternative(items([YEARLY])),))
        code, details = refused(given_, MONTHLY)
        assert code == "PRODUCT_PRICE_NOT_FOUND"
        assert details["priceId"] == str(SECOND.price.id)
        assert details["properties"] == ["items.0.priceId", "items.2.priceId", "alternatives.0.items.0.priceId"]

    @pytest.mark.parametrize(("status", "product_status"), [(ARCHIVED, ACTIVE), (DISABLED, ACTIVE), (ACTIVE, DISABLED)])
    def test_prices_are_active_of_active_products(self, status: CatalogStatus, product_status: CatalogStatus) -> None:
        gone = sold(7, status=status, product_status=product_status)
        assert refused(fields(MONTHLY, gone), MONTHLY, gone) == (
            "SUBSCRIPTION_PLAN_PRICE_NOT_USABLE",
            {
                "property": "items.1.priceId",
                "priceId": str(gone.price.id),
                "status": status,
                "productStatus": product_status,
            },
        )

    def test_prices_have_an_amount_in_the_currency(self) -> None:
        both = sold(7, currency_amounts={"EUR": Decimal(13)})
        tiered = sold(
            8,
            currency="EUR",
            pricing_model=PricingModel.VOLUME,
            unit_amount=None,
            tiers=(Tier(None, Decimal(1), Decimal(0)),),
        )
        assert terms(fields(both, tiered, currency="EUR"), both, tiered).currency == "EUR"
        for prices, currency, wrong in (((both, MONTHLY), "EUR", 1), ((both, tiered), None, 1), ((both,), "USD", 0)):
            code, details = refused(fields(*prices, currency=currency), *prices)
            assert (code, details["property"]) == (
                "SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING",
                f"items.{wrong}.priceId",
            )
            assert (details["currency"], details["planCurrency"]) == (prices[wrong].price.currency, currency or "DKK")


class TestAlternatives:
    @pytest.mark.parametrize(
        ("others", "wrong"),
        [
            ([(YEAR, 1), (MONTH, 3)], []),
            ([(YEAR, 1), (YEAR, 1)], [1]),
            ([(YEAR, 1), (MONTH, 12)], [1]),
            ([(MONTH, 1), (WEEK, 1), (DAY, 7)], [0, 2]),
            ([(WEEK, 4), (MONTH, 2)], []),
        ],
    )
    def test_cadences_differ(self, others: list[Cadence], wrong: list[int]) -> None:
        prices = [sold(10 + place, cadence=cadence) for place, cadence in enumerate(others)]
        given_ = fields(MONTHLY, alternatives=tuple(NewAlternative(items([one])) for one in prices))
        if wrong:
            told = problems(given_, MONTHLY, *prices)
            assert told == {f"alternatives.{place}.interval": "arrayUnique" for place in wrong}
        else:
            made = terms(given_, MONTHLY, *prices).alternatives
            assert [(one.interval, one.interval_count) for one in made] == others

    def test_their_prices_fit_them(self) -> None:
        given_ = fields(MONTHLY, alternatives=(NewAlternative(items([YEARLY]), MONTH, 6),))
        code, details = refused(given_, MONTHLY, YEARLY)
        assert (code, details["property"]) == ("SUBSCRIPTION_PLAN_INTERVAL_MISMATCH", "alternatives.0.items.0.priceId")
        assert (details["interval"], details["intervalCount"]) == ("month", 6)


class TestChanges:
    def changed(self, before: Plan, *prices: SellablePrice, **changes: Any) -> Plan:
        found: dict[UUID, SellablePrice] = {one.price.id: one for one in prices}
        named = rules.merged(before, Changes(changes), found)
        return rules.with_fields(before, named, rules.terms_of(named, found, "DKK"), LATER)

    def test_names_and_places_make_no_version(self) -> None:
        before = plan(MONTHLY)
        after = self.changed(before, MONTHLY, name="Plus", display_order=3, vanity="plus")
        assert (after.version, after.name, after.current.name, after.updated_at) == (1, "Plus", "Plus", LATER)
        assert after.current == replace(before.current, name="Plus")
        assert not rules.has_other_terms(before, replace(rules.fields_now(before), name="Plus"))

    def test_nothing_else_is_nothing(self) -> None:
        before = plan(MONTHLY, trial_days=14)
        assert self.changed(before, MONTHLY) is before
        assert self.changed(before, MONTHLY, items=items([MONTHLY]), trial_days=14, currency="DKK") is before

    @pytest.mark.parametrize(
        "changes",
        [
            {"trial_days": 30},
            {"items": items([MONTHLY, SET_UP])},
            {"items": (PlanItem(MONTHLY.price.id, Decimal(2)),)},
            {"items": (PlanItem(MONTHLY.price.id, optional=True),)},
            {"alternatives": (NewAlternative(items([YEARLY])),)},
        ],
    )
    def test_other_terms_make_the_next_version(self, changes: dict[str, Any]) -> None:
        before = plan(MONTHLY)
        after = self.changed(before, MONTHLY, SET_UP, YEARLY, **changes)
        assert rules.has_other_terms(before, replace(rules.fields_now(before), **changes))
        assert (after.version, after.current.version, after.current.created_at) == (2, 2, LATER)
        assert (after.id, after.current.plan_id, after.created_at, after.updated_at) == (
            before.id,
            before.id,
            NOW,
            LATER,
        )
        again = self.changed(after, MONTHLY, SET_UP, YEARLY, **changes)
        assert again is after

    def test_the_currency_makes_one(self) -> None:
        both = sold(7, currency_amounts={"EUR": Decimal(13)})
        after = self.changed(plan(both), both, currency="EUR")
        assert (after.version, after.current.currency) == (2, "EUR")

    def test_new_items_bring_their_cadence(self) -> None:
        after = self.changed(plan(QUARTERLY), YEARLY, items=items([YEARLY]))
        assert (after.current.interval, after.current.interval_count) == (YEAR, 1)

    def test_a_cadence_that_is_named_has_to_be_theirs(self) -> None:
        with pytest.raises(LedgerBeeError) as caught:
            self.changed(plan(QUARTERLY), YEARLY, items=items([YEARLY]), interval=MONTH)
        assert caught.value.code == "SUBSCRIPTION_PLAN_INTERVAL_MISMATCH"

    def test_usage_keeps_the_cadence(self) -> None:
        after = self.changed(plan(QUARTERLY), CALLS, items=items([CALLS]))
        assert (after.current.interval, after.current.interval_count) == (MONTH, 3)
        later = self.changed(after, CALLS, interval=YEAR, interval_count=1)
        assert (later.version, later.current.interval, later.current.interval_count) == (3, YEAR, 1)

    def test_statuses(self) -> None:
        before = plan(MONTHLY)
        archived = rules.with_status(before, PlanStatus.ARCHIVED, LATER)
        assert (archived.status, archived.updated_at, archived.version) == (PlanStatus.ARCHIVED, LATER, 1)
        assert rules.with_status(archived, PlanStatus.ARCHIVED, NOW) is archived
        assert rules.with_status(archived, PlanStatus.ACTIVE, LATER).status is PlanStatus.ACTIVE
