"""Splitting an amount: to the last unit, in proportion, ties to the earlier part."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.money import allocate, minor_units, round_fraction, round_parts

CURRENCIES = st.sampled_from(["DKK", "JPY", "KWD"])
WEIGHTS = st.lists(st.decimals(0, 10**13, places=4), min_size=1, max_size=12).filter(any)


@given(st.integers(-(10**15), 10**15), WEIGHTS, CURRENCIES)
def test_parts_add_up_and_are_in_proportion(units: int, weights: list[Decimal], currency: str) -> None:
    unit = Decimal(1).scaleb(-minor_units(currency))
    parts = allocate(units * unit, weights, currency)
    assert sum(parts) == units * unit
    whole = sum(map(Fraction, weights))
    ideal = [abs(units) * Fraction(weight) / whole for weight in weights]
    floors = [share.numerator // share.denominator for share in ideal]
    # An oracle in fractions: the largest remainders first, of equal ones the earlier.
    order = sorted(range(len(ideal)), key=lambda i: (floors[i] - ideal[i], i))
    for index in order[: abs(units) - sum(floors)]:
        floors[index] += 1
    assert [abs(part / unit) for part in parts] == floors


def test_equal_remainders_of_thirds_go_to_the_earlier_parts() -> None:
    """All three have two thirds of a unit left: rounding them, at however many digits, must not choose."""
    parts = allocate(Decimal("4977.78"), [Decimal(100), Decimal(25), Decimal(100)], "DKK")
    assert parts == [Decimal("2212.35"), Decimal("553.09"), Decimal("2212.34")]


@given(st.lists(st.fractions(-1000, 1000, max_denominator=700), max_size=8), CURRENCIES)
def test_parts_of_either_sign_add_up_to_their_rounded_sum(parts: list[Fraction], currency: str) -> None:
    places = minor_units(currency)
    whole = round_fraction(sum(parts, Fraction(0)), places)
    found = round_parts(parts, whole, currency)
    assert sum(found) == whole
    unit = Fraction(1, 10**places)
    assert all(abs(Fraction(one) - part) < unit for one, part in zip(found, parts, strict=True))
    assert all(Fraction(one) == part for one, part in zip(found, parts, strict=True) if (part / unit).denominator == 1)


def test_parts_take_a_unit_that_their_sum_has_not() -> None:
    """From 0.005 below zero to 0.005 above are 0.01, and 0.02 where each end is rounded away from zero."""
    assert round_parts([Fraction(1, 100)], Decimal("0.02"), "DKK") == [Decimal("0.02")]
    assert round_parts([Fraction(-1, 100), Fraction(0)], Decimal("-0.02"), "DKK") == [
        Decimal("-0.01"), Decimal("-0.01"),
    ]  # fmt: skip


def test_a_fraction_is_rounded_once_half_away_from_zero() -> None:
    third = Fraction(1, 3)
    assert [f"{round_fraction(one, 2)}" for one in (third, -third, Fraction("0.005"), Fraction("-0.005"))] == [
        "0.33", "-0.33", "0.01", "-0.01",
    ]  # fmt: skip
    assert (f"{round_fraction(Fraction(5, 2), 0)}", f"{round_fraction(Fraction(0), 2)}") == ("3", "0.00")
