"""The arithmetic of the four pricing models: fixed cases by hand, and what holds for every price."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import floor
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.catalog.prices.model import BillingPeriodType, Price, PriceId, PricingModel, Tier
from ledgerbee.catalog.prices.rules import amount_for, check_price, currencies, effective_unit_price, in_currency
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import round_money
from ledgerbee.tenancy.rates.model import RatePair

D = Decimal
NOW = datetime(2026, 3, 16, tzinfo=UTC)
FLAT, PACKAGE, VOLUME, GRADUATED = PricingModel


def price(
    model: PricingModel, unit_amount: str | Decimal | None = None, tiers: Sequence[Tier] = (), currency: str = "DKK"
) -> Price:
    return Price(
        id=PriceId(UUID(int=1)),
        product_id=ProductId(UUID(int=2)),
        billing_period_type=BillingPeriodType.ONE_TIME,
        pricing_model=model,
        nickname=None,
        currency=currency,
        unit_amount=None if unit_amount is None else D(unit_amount),
        tiers=tuple(tiers),
        billing_interval=None,
        billing_interval_count=None,
        meter_id=None,
        status=CatalogStatus.ACTIVE,
        is_default=True,
        is_locked=False,
        created_at=NOW,
        updated_at=NOW,
    )


def tier(up_to: str | None, unit: str, flat: str = "0", package: str | None = None) -> Tier:
    return Tier(None if up_to is None else D(up_to), D(unit), D(flat), None if package is None else D(package))


STEPS = [tier("10", "5", "100"), tier("20.5", "4"), tier(None, "3", "7")]
DOZENS = price(PACKAGE, tiers=[tier(None, "60", "5", package="12")])


@pytest.mark.parametrize(
    ("of", "quantity", "amount"),
    [
        (price(FLAT, "99.123456789012"), "3", "297.370370367036"),
        (price(FLAT, "10"), "-2.5", "-25"),
        (price(FLAT, "-10"), "2", "-20"),
        (price(FLAT, "10"), "0", "0"),
        (DOZENS, "0", "0"),
        (DOZENS, "0.000001", "65"),
        (DOZENS, "12", "65"),
        (DOZENS, "12.000001", "125"),
        (DOZENS, "24", "125"),
        (price(PACKAGE, tiers=[tier(None, "1", package="0.3")]), "0.9", "3"),
        (price(VOLUME, tiers=STEPS), "0", "0"),
        (price(VOLUME, tiers=STEPS), "1", "105"),
        (price(VOLUME, tiers=STEPS), "10", "150"),
        (price(VOLUME, tiers=STEPS), "10.000001", "40.000004"),
        (price(VOLUME, tiers=STEPS), "20.5", "82"),
        (price(VOLUME, tiers=STEPS), "21", "70"),
        (price(GRADUATED, tiers=STEPS), "0", "0"),
        (price(GRADUATED, tiers=STEPS), "1", "105"),
        (price(GRADUATED, tiers=STEPS), "10", "150"),
        (price(GRADUATED, tiers=STEPS), "11", "154"),
        (price(GRADUATED, tiers=STEPS), "20.5", "192"),
        (price(GRADUATED, tiers=STEPS), "30.5", "229"),
    ],
)
def test_amounts_by_hand(of: Price, quantity: str, amount: str) -> None:
    assert amount_for(of, D(quantity)) == D(amount)


@pytest.mark.parametrize("of", [DOZENS, price(VOLUME, tiers=STEPS), price(GRADUATED, tiers=STEPS)])
def test_a_price_with_tiers_has_no_amount_for_a_negative_quantity(of: Price) -> None:
    for rule in (amount_for, effective_unit_price):
        with pytest.raises(LedgerBeeError) as refused:
            rule(of, D("-0.5"))
        assert refused.value.code == "PRODUCT_PRICE_QUANTITY_INVALID"
        assert refused.value.details == {"priceId": str(of.id), "quantity": "-0.5"}


@pytest.mark.parametrize(
    ("of", "quantity", "unit_price"),
    [
        (price(FLAT, "12.5"), "0", "12.5"),
        (price(FLAT, "12.5"), "-7", "12.5"),
        (price(GRADUATED, tiers=STEPS), "0", "0"),
        (price(GRADUATED, tiers=STEPS), "11", "14"),
        (DOZENS, "9", "7.222222222222"),
        (DOZENS, "24", "5.208333333333"),
    ],
)
def test_effective_unit_price(of: Price, quantity: str, unit_price: str) -> None:
    assert effective_unit_price(of, D(quantity)) == D(unit_price)


amounts = st.decimals(0, 10**13 - 1, places=12)
quantities = st.decimals(0, 10**9, places=6)
positive = st.decimals("0.000001", 10**9, places=6)


@st.composite
def steps(draw: st.DrawFn, flat: st.SearchStrategy[Decimal] = amounts) -> list[Tier]:
    """Tiers that a VOLUME or GRADUATED price may have."""
    bounds = sorted(draw(st.sets(positive, max_size=6)))
    return [Tier(bound, draw(amounts), draw(flat)) for bound in [*bounds, None]]


def exact(of: Price, quantity: Decimal) -> Fraction:
    return Fraction(amount_for(of, quantity))


@given(steps(), quantities)
def test_graduated_is_the_sum_of_its_slices(tiers: list[Tier], quantity: Decimal) -> None:
    amount, below = Fraction(0), Fraction(0)
    for step in tiers:
        if quantity > below:
            top = Fraction(quantity) if step.up_to is None else min(Fraction(quantity), Fraction(step.up_to))
            amount += (top - below) * Fraction(step.unit_amount) + Fraction(step.flat_amount)
            below = top
    assert exact(price(GRADUATED, tiers=tiers), quantity) == amount


@given(steps(), quantities)
def test_graduated_lies_between_its_cheapest_and_dearest_tier(tiers: list[Tier], quantity: Decimal) -> None:
    units = [Fraction(step.unit_amount) for step in tiers]
    flats = sum(Fraction(step.flat_amount) for step in tiers)
    amount = exact(price(GRADUATED, tiers=tiers), quantity)
    assert min(units) * Fraction(quantity) <= amount <= max(units) * Fraction(quantity) + flats


@given(steps(), quantities, quantities)
def test_graduated_never_falls_as_the_quantity_grows(tiers: list[Tier], one: Decimal, other: Decimal) -> None:
    of = price(GRADUATED, tiers=tiers)
    assert exact(of, min(one, other)) <= exact(of, max(one, other))


@given(steps(flat=st.just(D(0))), st.data())
def test_graduated_without_flat_amounts_has_no_jump_at_a_bound(tiers: list[Tier], data: st.DataObject) -> None:
    of = price(GRADUATED, tiers=tiers)
    at = data.draw(st.sampled_from([step.up_to or D(10**9) for step in tiers]))
    beyond = at + D("0.000001")
    dearest = max(Fraction(step.unit_amount) for step in tiers)
    assert 0 <= exact(of, beyond) - exact(of, at) <= dearest * Fraction(1, 10**6)


@given(amounts, amounts, quantities)
def test_volume_and_graduated_are_the_same_with_one_tier(unit: Decimal, flat: Decimal, quantity: Decimal) -> None:
    one = [Tier(None, unit, flat)]
    assert amount_for(price(VOLUME, tiers=one), quantity) == amount_for(price(GRADUATED, tiers=one), quantity)


@given(steps(), positive)
def test_volume_prices_everything_by_one_tier(tiers: list[Tier], quantity: Decimal) -> None:
    holds = next(step for step in tiers if step.up_to is None or quantity <= step.up_to)
    expected = Fraction(quantity) * Fraction(holds.unit_amount) + Fraction(holds.flat_amount)
    assert exact(price(VOLUME, tiers=tiers), quantity) == expected


@given(amounts, amounts, positive, st.integers(1, 10**6))
def test_whole_packages_cost_a_multiple(unit: Decimal, flat: Decimal, size: Decimal, count: int) -> None:
    of = price(PACKAGE, tiers=[Tier(None, unit, flat, size)])
    full = exact(of, size * count)
    assert full == count * Fraction(unit) + Fraction(flat)
    assert exact(of, size * count + D("0.000001")) == full + Fraction(unit)


@given(amounts, quantities)
def test_a_package_of_one_is_flat_rate_for_whole_quantities(unit: Decimal, quantity: Decimal) -> None:
    whole = quantity.to_integral_value()
    of = price(PACKAGE, tiers=[Tier(None, unit, D(0), D(1))])
    assert amount_for(of, whole) == amount_for(price(FLAT, unit), whole)


@given(st.decimals(-(10**13), 10**13, places=12), st.decimals(-(10**9), 10**9, places=6))
def test_flat_rate_is_exact(unit: Decimal, quantity: Decimal) -> None:
    assert exact(price(FLAT, unit), quantity) == Fraction(unit) * Fraction(quantity)


@given(steps(), positive, st.sampled_from([VOLUME, GRADUATED]))
def test_the_unit_price_gives_the_amount_back(tiers: list[Tier], quantity: Decimal, model: PricingModel) -> None:
    of = price(model, tiers=tiers)
    back = Fraction(effective_unit_price(of, quantity)) * Fraction(quantity)
    assert abs(back - exact(of, quantity)) <= Fraction(quantity) / (2 * 10**12)


@given(steps())
def test_the_generated_tiers_are_prices(tiers: list[Tier]) -> None:
    check_price(price(GRADUATED, tiers=tiers))


ordinary = st.decimals(-(10**9), 10**9, places=2)
#: As companies set them and cross rates come out.
RATES = st.decimals("0.0001", 10**5, places=12)


def at(rate: str | Decimal) -> RatePair:
    """From a currency worth `rate` in the base currency to the base currency itself."""
    return RatePair(D(rate), D(1))


class TestInAnotherCurrency:
    def test_its_own_currency_needs_no_rate(self) -> None:
        own = price(FLAT, "99.5")
        assert in_currency(own, "DKK", None) is own

    def test_a_fixed_amount_comes_before_the_rate(self) -> None:
        fixed = replace(price(FLAT, "99.5"), currency_amounts={"EUR": D("13.99"), "CHF": D("13")})
        found = in_currency(fixed, "EUR", at("0.134"))
        assert found is not None
        assert (found.currency, found.unit_amount) == ("EUR", D("13.99"))
        assert currencies(fixed) == ("DKK", "CHF", "EUR")

    def test_no_rate_no_price(self) -> None:
        assert in_currency(price(FLAT, "99.5"), "EUR", None) is None

    @pytest.mark.parametrize(
        ("amount", "currency", "rate", "expected"),
        [
            ("100", "EUR", "0.133935", "13.39"),
            ("100", "EUR", "0.13395", "13.40"),  # half away from zero
            ("-100", "EUR", "0.13395", "-13.40"),
            ("100", "JPY", "22.45", "2245"),
            ("100.01", "KWD", "0.0443", "4.430"),
            ("0.0042", "EUR", "0.134", "0.0005628"),  # finer than an øre: stays fine
            ("0.01", "EUR", "0.134", "0.00134"),  # would vanish as cents
            ("0", "EUR", "0.134", "0"),
        ],
    )
    def test_converted(self, amount: str, currency: str, rate: str, expected: str) -> None:
        found = in_currency(price(FLAT, amount), currency, at(rate))
        assert found is not None
        assert found.unit_amount == D(expected)
        assert found.currency == currency

    def test_every_amount_of_every_tier(self) -> None:
        found = in_currency(price(GRADUATED, tiers=STEPS), "EUR", at("0.134"))
        assert found is not None
        assert found.unit_amount is None
        assert found.tiers == (tier("10", "0.67", "13.40"), tier("20.5", "0.54"), tier(None, "0.40", "0.94"))

    @given(ordinary, RATES)
    def test_ordinary_amounts_become_ordinary_amounts(self, amount: Decimal, rate: Decimal) -> None:
        found = in_currency(price(FLAT, amount), "EUR", at(rate))
        assert found is not None
        assert found.unit_amount is not None
        exactly = amount * rate
        if abs(exactly) >= D("0.005"):
            assert found.unit_amount == round_money(exactly, "EUR")
        else:
            assert abs(found.unit_amount - exactly) <= D("5E-13")

    @pytest.mark.parametrize(
        ("amount", "currency", "source", "target", "expected"),
        [
            ("80", "USD", "1", "10", "8.00"),  # kroner at an own rate of 10.00 for a dollar
            ("100", "KWD", "1", "22.123456", "4.520"),
            ("100", "EUR", "6.372664448426", "7.4694", "85.32"),  # dollars through kroner
            ("0.01", "EUR", "2", "4", "0.01"),  # 0.005: half away from zero
            ("-0.01", "EUR", "2", "4", "-0.01"),
            ("1000000", "JPY", "7", "3", "2333333"),
        ],
    )
    def test_through_the_base_currency(
        self, amount: str, currency: str, source: str, target: str, expected: str
    ) -> None:
        found = in_currency(price(FLAT, amount, currency="CHF"), currency, RatePair(D(source), D(target)))
        assert found is not None
        assert found.unit_amount == D(expected)

    @given(ordinary, RATES, RATES)
    def test_one_rounding_and_none_before_it(self, amount: Decimal, source: Decimal, target: Decimal) -> None:
        """The amount is the quotient of the two rates rounded half away from zero, by arithmetic in fractions."""
        found = in_currency(price(FLAT, amount), "EUR", RatePair(source, target))
        assert found is not None
        assert found.unit_amount is not None
        exactly = Fraction(amount) * Fraction(source) / Fraction(target)
        cents = floor(abs(exactly) * 100 + Fraction(1, 2))
        if cents:
            assert Fraction(found.unit_amount) == (1 if amount > 0 else -1) * Fraction(cents, 100)
        else:
            assert abs(Fraction(found.unit_amount) - exactly) <= Fraction(1, 2 * 10**12)

    @given(ordinary, RATES)
    def test_what_is_priced_is_booked_back(self, amount: Decimal, rate: Decimal) -> None:
        """Base currency to a foreign one and back at its rate: nothing is lost but the rounding to its minor unit."""
        found = in_currency(price(FLAT, amount), "EUR", RatePair(D(1), rate))
        assert found is not None
        assert found.unit_amount is not None
        booked = Fraction(found.unit_amount) * Fraction(rate)
        assert abs(booked - Fraction(amount)) <= Fraction(rate) / 200
