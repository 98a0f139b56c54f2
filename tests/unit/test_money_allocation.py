"""Splitting an amount: to the last unit, in proportion, ties to the earlier part."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.money import allocate, minor_units

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
