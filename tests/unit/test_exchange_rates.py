"""Cross rates, and the reading of the published history."""

import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import ledgerbee
from ledgerbee.core.money import multiply
from ledgerbee.tenancy.rates import ecb
from ledgerbee.tenancy.rates.rules import RATE_PLACES, cross_rate

per_eur = st.decimals(min_value="0.0001", max_value="500000", places=4, allow_nan=False, allow_infinity=False)
SINCE = date(2015, 1, 1)
HEADER = "Date,USD,DKK,ISK,\n"


def test_a_cross_rate_is_base_units_per_unit_of_the_currency() -> None:
    assert cross_rate(Decimal(1), Decimal("7.4694")) == Decimal("7.4694")
    assert cross_rate(Decimal("1.1721"), Decimal("7.4694")) == Decimal("6.372664448426")
    assert cross_rate(Decimal("20275.17"), Decimal(1)) == Decimal("0.000049321411")


@given(per_eur, per_eur)
def test_a_cross_rate_is_exact_to_half_a_unit_of_its_last_place(first: Decimal, second: Decimal) -> None:
    rate = cross_rate(first, second)
    assert rate == rate.quantize(Decimal(1).scaleb(-RATE_PLACES))
    assert abs(multiply(rate, first) - second) <= multiply(first, Decimal("0.5").scaleb(-RATE_PLACES))


@given(per_eur)
def test_a_currency_in_itself_is_one(rate: Decimal) -> None:
    assert cross_rate(rate, rate) == 1


@pytest.mark.parametrize(("first", "second"), [("0", "1"), ("1", "0"), ("-1", "1"), ("1", "-7.46")])
def test_only_positive_rates(first: str, second: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        cross_rate(Decimal(first), Decimal(second))


def test_parsing_skips_what_was_not_quoted_and_older_days() -> None:
    text = HEADER + "2015-01-02,1.2043,7.4434,N/A,\n2015-01-01,1.2,,3,\n2014-12-31,1.2141,7.4453,154.3,\n\n"
    assert list(ecb.parse(text, SINCE)) == [
        ("USD", date(2015, 1, 2), Decimal("1.2043")),
        ("DKK", date(2015, 1, 2), Decimal("7.4434")),
        ("USD", date(2015, 1, 1), Decimal("1.2")),
        ("ISK", date(2015, 1, 1), Decimal(3)),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Day,USD\n2020-01-02,1.1\n",
        HEADER + "2020-01-02,1.1,7.4,N/A\n",
        HEADER + "2020-01-02,free,7.4,N/A,\n",
        HEADER + "2020-01-02,0,7.4,N/A,\n",
        HEADER + "2020-01-02,-1,7.4,N/A,\n",
        HEADER + "2020-01-02,NaN,7.4,N/A,\n",
        HEADER + "2020-01-02,Infinity,7.4,N/A,\n",
        HEADER + "02.01.2020,1.1,7.4,N/A,\n",
    ],
)
def test_parsing_refuses_a_file_of_another_shape(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - date, column count and our own messages differ
        list(ecb.parse(text, SINCE))


def test_the_shipped_history_is_the_published_one() -> None:
    rows = {(currency, day): rate for currency, day, rate in ecb.history(date(2026, 1, 1))}
    assert rows["DKK", date(2026, 1, 2)] == Decimal("7.4694")
    assert rows["USD", date(2026, 1, 9)] == Decimal("1.1642")
    assert ("DKK", date(2026, 1, 1)) not in rows
    assert ("DKK", date(2026, 1, 3)) not in rows


def test_the_history_starts_where_it_is_asked_to() -> None:
    days = {day for _, day, _ in ecb.history()}
    assert min(days) == date(1999, 1, 4)
    assert min(day for _, day, _ in ecb.history(date(2015, 1, 1))) == date(2015, 1, 2)


def test_a_rate_is_asked_for_in_one_place() -> None:
    """Whoever reads a table of rates by itself, or the published ones only, asks half of the question `find` asks."""
    package = Path(ledgerbee.__file__).parent
    store = package / "tenancy" / "rates" / "store.py"
    tables = {
        file for file in package.rglob("*.py") if re.search(r"(FROM|JOIN|INTO) (company_)?exchange_rates", _code(file))
    }
    assert tables == {store}
    users = {file for file in package.rglob("*.py") if re.search(r"\b_published\b|cross_rate\b", _code(file))}
    assert users == {store, store.with_name("rules.py")}


def _code(file: Path) -> str:
    """A module without what it says of itself."""
    return re.sub(r'^\s*""".*?"""', "", file.read_text(), flags=re.DOTALL | re.MULTILINE)
