"""What a price may look like, how it may be changed, and which states follow which."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.catalog.prices import rules
from ledgerbee.catalog.prices.model import (
    BillingInterval,
    BillingPeriodType,
    NewPrice,
    Price,
    PriceId,
    PricingModel,
    Tier,
)
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError

D = Decimal
NOW = datetime(2026, 3, 16, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
METER = UUID(int=9)
FLAT, PACKAGE, VOLUME, GRADUATED = PricingModel
ONE_TIME, RECURRING, USAGE = BillingPeriodType
ACTIVE, DISABLED, ARCHIVED = CatalogStatus
MONTH = BillingInterval.MONTH
OPEN = Tier(None, D(3), D(0))
TEN = Tier(D(10), D(5), D(0))
DOZEN = Tier(None, D(60), D(0), D(12))


def price(**fields: Any) -> Price:
    """A flat 100 DKK, once, but for `fields`."""
    flat = Price(
        id=PriceId(UUID(int=1)),
        product_id=ProductId(UUID(int=2)),
        billing_period_type=ONE_TIME,
        pricing_model=FLAT,
        nickname=None,
        currency="DKK",
        unit_amount=D(100),
        tiers=(),
        billing_interval=None,
        billing_interval_count=None,
        meter_id=None,
        status=ACTIVE,
        is_default=False,
        is_locked=False,
        created_at=NOW,
        updated_at=NOW,
    )
    return replace(flat, **fields)


def tiered(model: PricingModel, *tiers: Tier) -> Price:
    return price(pricing_model=model, unit_amount=None, tiers=tiers)


def monthly(**fields: Any) -> Price:
    return price(billing_period_type=RECURRING, billing_interval=MONTH, billing_interval_count=1, **fields)


@pytest.mark.parametrize(
    "right",
    [
        price(),
        price(unit_amount=D(-100)),
        price(unit_amount=D(0), currency_amounts={"EUR": D(1)}),
        tiered(PACKAGE, DOZEN),
        tiered(VOLUME, OPEN),
        tiered(VOLUME, TEN, replace(TEN, up_to=D("10.000001")), OPEN),
        tiered(GRADUATED, TEN, OPEN),
        monthly(),
        monthly(pricing_model=GRADUATED, unit_amount=None, tiers=(OPEN,)),
        replace(monthly(), billing_period_type=USAGE, meter_id=METER),
    ],
)
def test_prices_that_fit(right: Price) -> None:
    rules.check_price(right)


@pytest.mark.parametrize(
    ("wrong", "problems"),
    [
        (price(unit_amount=None), {"unitAmount": "isDefined"}),
        (price(tiers=(OPEN,)), {"tiers": "isEmpty"}),
        (price(currency_amounts={"DKK": D(1)}), {"currencyAmounts": "arrayNotContains"}),
        (replace(tiered(VOLUME, OPEN), unit_amount=D(1)), {"unitAmount": "isEmpty"}),
        (replace(tiered(VOLUME, OPEN), currency_amounts={"EUR": D(1)}), {"currencyAmounts": "isEmpty"}),
        (tiered(VOLUME), {"tiers": "arrayMinSize"}),
        (tiered(GRADUATED), {"tiers": "arrayMinSize"}),
        (tiered(PACKAGE), {"tiers": "arrayMinSize"}),
        (tiered(PACKAGE, replace(DOZEN, up_to=D(1)), DOZEN), {"tiers": "arrayMaxSize"}),
        (tiered(PACKAGE, replace(DOZEN, up_to=D(1))), {"tiers.0.upTo": "isEmpty"}),
        (tiered(PACKAGE, replace(DOZEN, package_size=None)), {"tiers.0.packageSize": "isDefined"}),
        (tiered(PACKAGE, replace(DOZEN, package_size=D(0))), {"tiers.0.packageSize": "isPositive"}),
        (tiered(VOLUME, replace(OPEN, package_size=D(1))), {"tiers.0.packageSize": "isEmpty"}),
        (tiered(GRADUATED, TEN), {"tiers.0.upTo": "isEmpty"}),
        (tiered(GRADUATED, OPEN, OPEN), {"tiers.0.upTo": "isDefined"}),
        (tiered(GRADUATED, replace(TEN, up_to=D(0)), OPEN), {"tiers.0.upTo": "isPositive"}),
        (tiered(GRADUATED, TEN, TEN, OPEN), {"tiers.1.upTo": "isPositive"}),
        (tiered(GRADUATED, TEN, replace(TEN, up_to=D(9)), OPEN), {"tiers.1.upTo": "isPositive"}),
        (tiered(VOLUME, replace(OPEN, unit_amount=D(-1))), {"tiers.0.unitAmount": "min"}),
        (tiered(VOLUME, replace(OPEN, flat_amount=D(-1))), {"tiers.0.flatAmount": "min"}),
        (price(billing_interval=MONTH), {"billingInterval": "isEmpty"}),
        (price(billing_interval_count=1), {"billingIntervalCount": "isEmpty"}),
        (replace(monthly(), billing_interval=None), {"billingInterval": "isDefined"}),
        (monthly(meter_id=METER), {"meterId": "isEmpty"}),
        (replace(monthly(), billing_period_type=USAGE), {"meterId": "isDefined"}),
        (
            price(unit_amount=None, tiers=(OPEN,), billing_interval=MONTH),
            {"unitAmount": "isDefined", "tiers": "isEmpty", "billingInterval": "isEmpty"},
        ),
    ],
)
def test_prices_that_do_not_fit(wrong: Price, problems: dict[str, str]) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        rules.check_price(wrong)
    assert refused.value.code == "SHARED_VALIDATION_FAILED"
    found = {e["property"]: e["constraints"] for e in refused.value.details["validationErrors"]}
    assert {name: next(iter(constraints)) for name, constraints in found.items()} == problems
    assert all(text.startswith(name) for name, texts in found.items() for text in texts.values())


def test_a_new_price_takes_the_company_currency_and_an_interval_of_one() -> None:
    terms = NewPrice(billing_period_type=RECURRING, pricing_model=FLAT, unit_amount=D(5), billing_interval=MONTH)
    created = rules.new_price(PriceId(UUID(int=1)), ProductId(UUID(int=2)), terms, "DKK", NOW)
    assert (created.currency, created.billing_interval_count, created.status) == ("DKK", 1, ACTIVE)
    named = replace(terms, currency="EUR", billing_interval_count=3)
    created = rules.new_price(PriceId(UUID(int=1)), ProductId(UUID(int=2)), named, "DKK", NOW)
    assert (created.currency, created.billing_interval_count) == ("EUR", 3)


@pytest.mark.parametrize(
    ("period", "held", "missing"),
    [
        (ONE_TIME, (), None),
        (RECURRING, ("MeteredProducts",), "Subscription"),
        (RECURRING, ("Subscription",), None),
        (USAGE, (), "Subscription"),
        (USAGE, ("MeteredProducts",), "Subscription"),
        (USAGE, ("Subscription",), "MeteredProducts"),
        (USAGE, ("Subscription", "MeteredProducts"), None),
    ],
)
def test_licences(period: BillingPeriodType, held: tuple[str, ...], missing: str | None) -> None:
    if missing is None:
        rules.check_licenses(period, held)
        return
    with pytest.raises(LedgerBeeError) as refused:
        rules.check_licenses(period, held)
    assert (refused.value.code, refused.value.details) == ("LICENSE.REQUIRED", {"licenseKey": missing})


class TestChange:
    def test_only_what_is_named(self) -> None:
        before = monthly(currency_amounts={"EUR": D(13)})
        after = rules.changed(before, Changes({"nickname": "Old", "unit_amount": D(90)}), LATER)
        assert after == replace(before, nickname="Old", unit_amount=D(90), updated_at=LATER)

    @pytest.mark.parametrize(
        ("before", "changes", "after"),
        [
            (
                price(currency_amounts={"EUR": D(13)}),
                {"pricing_model": VOLUME, "tiers": (OPEN,)},
                tiered(VOLUME, OPEN),
            ),
            (tiered(VOLUME, TEN, OPEN), {"pricing_model": GRADUATED}, tiered(GRADUATED, TEN, OPEN)),
            (tiered(VOLUME, TEN, OPEN), {"pricing_model": FLAT, "unit_amount": D(100)}, price()),
            (replace(monthly(), billing_period_type=USAGE, meter_id=METER), {"billing_period_type": ONE_TIME}, price()),
            (
                replace(monthly(), billing_period_type=USAGE, meter_id=METER, billing_interval_count=3),
                {"billing_period_type": RECURRING},
                replace(monthly(), billing_interval_count=3),
            ),
            (price(), {"billing_period_type": RECURRING, "billing_interval": MONTH}, monthly()),
            (
                price(currency_amounts={"EUR": D(13), "SEK": D(140)}),
                {"currency": "EUR", "unit_amount": D(14)},
                price(currency="EUR", unit_amount=D(14), currency_amounts={"SEK": D(140)}),
            ),
        ],
    )
    def test_what_no_longer_applies_goes(self, before: Price, changes: dict[str, Any], after: Price) -> None:
        assert rules.changed(before, Changes(changes), LATER) == replace(after, updated_at=LATER)

    @pytest.mark.parametrize(
        "changes",
        [
            {"pricing_model": VOLUME},
            {"tiers": (OPEN,)},
            {"billing_period_type": RECURRING},
            {"billing_interval": MONTH},
            {"meter_id": METER},
            {"currency_amounts": {"DKK": D(1)}},
        ],
    )
    def test_the_outcome_must_fit(self, changes: dict[str, Any]) -> None:
        with pytest.raises(LedgerBeeError) as refused:
            rules.changed(price(), Changes(changes), LATER)
        assert refused.value.code == "SHARED_VALIDATION_FAILED"

    @pytest.mark.parametrize(
        ("changes", "fields"),
        [
            ({"unit_amount": D(99)}, ["unitAmount"]),
            ({"currency": "EUR"}, ["currency", "currencyAmounts"]),
            ({"billing_interval": BillingInterval.YEAR}, ["billingInterval"]),
            ({"billing_interval_count": 2}, ["billingIntervalCount"]),
            ({"pricing_model": VOLUME, "tiers": (OPEN,)}, ["pricingModel", "unitAmount", "tiers", "currencyAmounts"]),
            (
                {"billing_period_type": ONE_TIME},
                ["billingPeriodType", "billingInterval", "billingIntervalCount"],
            ),
            ({"billing_period_type": USAGE, "meter_id": METER}, ["billingPeriodType", "meterId"]),
            ({"currency_amounts": {}}, ["currencyAmounts"]),
            ({"currency_amounts": {"EUR": D(14)}}, ["currencyAmounts"]),
        ],
    )
    def test_a_locked_price_keeps_its_terms(self, changes: dict[str, Any], fields: list[str]) -> None:
        locked = monthly(is_locked=True, currency_amounts={"EUR": D(13)})
        with pytest.raises(LedgerBeeError) as refused:
            rules.changed(locked, Changes(changes), LATER)
        assert refused.value.code == "PRODUCT_PRICE_LOCKED"
        assert refused.value.details == {"fields": fields}

    @pytest.mark.parametrize(
        "changes",
        [
            {"nickname": "Renamed"},
            {"unit_amount": D("100.00"), "currency": "DKK", "pricing_model": FLAT, "billing_interval": MONTH},
            {"currency_amounts": {"EUR": D("13.0"), "SEK": D(140)}},
        ],
    )
    def test_a_locked_price_takes_a_name_its_own_terms_and_further_currencies(self, changes: dict[str, Any]) -> None:
        locked = monthly(is_locked=True, currency_amounts={"EUR": D(13)})
        assert rules.changed(locked, Changes(changes), LATER) == replace(locked, **changes, updated_at=LATER)


class TestStates:
    @pytest.mark.parametrize(
        ("before", "to", "allowed"),
        [
            (ACTIVE, DISABLED, True),
            (ACTIVE, ARCHIVED, True),
            (DISABLED, ACTIVE, True),
            (DISABLED, ARCHIVED, True),
            (ARCHIVED, ACTIVE, True),
            (ARCHIVED, DISABLED, False),
        ],
    )
    def test_moves(self, before: CatalogStatus, to: CatalogStatus, allowed: bool) -> None:
        other_default = price(is_default=True)
        subject = price(status=before)
        if allowed:
            moved = rules.with_status(subject, to, [other_default], LATER)
            assert moved == price(status=to, updated_at=LATER)
            return
        with pytest.raises(LedgerBeeError) as refused:
            rules.with_status(subject, to, [other_default], LATER)
        assert (refused.value.code, refused.value.details) == ("PRODUCT_PRICE_INVALID_STATE", {"status": before})

    @pytest.mark.parametrize("status", CatalogStatus)
    def test_a_repeated_move_changes_nothing(self, status: CatalogStatus) -> None:
        subject = price(status=status, is_default=True)
        assert rules.with_status(subject, status, [price()], LATER) is subject

    @pytest.mark.parametrize("to", [DISABLED, ARCHIVED])
    def test_the_default_stays_while_another_could_be_it(self, to: CatalogStatus) -> None:
        default = price(is_default=True)
        with pytest.raises(LedgerBeeError) as refused:
            rules.with_status(default, to, [price(status=ARCHIVED), price()], LATER)
        assert refused.value.details == {"status": "ACTIVE", "isDefault": True}
        moved = rules.with_status(default, to, [price(status=ARCHIVED), price(status=DISABLED)], LATER)
        assert (moved.status, moved.is_default) == (to, True)

    def test_an_activated_price_becomes_the_default_when_no_active_price_is(self) -> None:
        asleep = price(status=DISABLED)
        assert rules.with_status(asleep, ACTIVE, [], LATER).is_default
        assert rules.with_status(asleep, ACTIVE, [price(), price(status=ARCHIVED, is_default=True)], LATER).is_default
        assert not rules.with_status(asleep, ACTIVE, [price(is_default=True)], LATER).is_default

    def test_only_an_active_price_becomes_the_default(self) -> None:
        assert rules.as_default(price(), LATER) == price(is_default=True, updated_at=LATER)
        assert rules.as_default(price(is_default=True), LATER) == price(is_default=True)
        for status in (DISABLED, ARCHIVED):
            with pytest.raises(LedgerBeeError) as refused:
                rules.as_default(price(status=status), LATER)
            assert (refused.value.code, refused.value.details) == ("PRODUCT_PRICE_INVALID_STATE", {"status": status})

    def test_deleting(self) -> None:
        rules.check_deletable(price(), [price(is_default=True)], [])
        rules.check_deletable(price(is_default=True), [price(status=ARCHIVED)], [])
        with pytest.raises(LedgerBeeError) as refused:
            rules.check_deletable(price(is_default=True), [price()], [])
        assert refused.value.code == "PRODUCT_PRICE_INVALID_STATE"
        with pytest.raises(LedgerBeeError) as refused:
            rules.check_deletable(price(is_locked=True), [], ["documents"])
        assert refused.value.code == "PRODUCT_PRICE_IN_USE"
