"""Reading, booking and translating Beancount: what holds of any books."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.money import ZERO, round_money
from ledgerbee.ledger.imports.beancount.booking import Bookkeeper
from ledgerbee.ledger.imports.beancount.model import Booked, BookedPosting, Problem, Transaction, Where
from ledgerbee.ledger.imports.beancount.syntax import parse
from ledgerbee.ledger.imports.beancount.translation import Accounts, NoRateError, translate

DAY = date(2026, 3, 16)
ACCOUNTS = Accounts("Equity:Conversions", "Equity:Rounding")
CURRENCIES = ("DKK", "EUR", "JPY", "HOOL", "VACHR")
RATES = {"EUR": Decimal("7.46"), "JPY": Decimal("0.045123456789")}


def nothing(_: str, __: str) -> Iterator[tuple[str, str]]:
    yield from ()


def booked(text: str) -> list[Booked | Problem]:
    source = parse(text, nothing)
    assert source.problems == []
    return list(Bookkeeper(source).booked())


def weights(one: Booked | Problem) -> list[tuple[str, str]]:
    assert isinstance(one, Booked), one
    return [(f"{posting.weight.normalize():f}", posting.weight_currency) for posting in one.postings]


NUMBERS = st.decimals(Decimal("-1e6"), Decimal("1e6"), allow_nan=False, allow_infinity=False, places=5)


@st.composite
def transactions(draw: st.DrawFn) -> Booked:
    """Any postings at any prices, with a last one in each currency that makes them balance but for a thousandth."""
    postings = []
    residual: dict[str, Decimal] = {}
    for number in range(draw(st.integers(1, 6))):
        currency, units = draw(st.sampled_from(CURRENCIES)), draw(NUMBERS)
        weight, weight_currency = units, currency
        if draw(st.booleans()):
            price = abs(draw(NUMBERS))
            weight, weight_currency = units * price, draw(st.sampled_from(CURRENCIES))
        postings.append(BookedPosting(f"Assets:A{number}", units, currency, None, weight, weight_currency))
        residual[weight_currency] = residual.get(weight_currency, ZERO) + weight
    for currency, left in residual.items():
        rest = draw(st.sampled_from([ZERO, Decimal("0.001")])) - left
        postings.append(BookedPosting(f"Equity:{currency}", rest, currency, None, rest, currency))
    return Booked(Transaction(Where("", 1), DAY, None, None, ()), postings)


@given(transactions())
def test_entries_balance_and_conversions_are_worth_nothing(transaction: Booked) -> None:
    entries = translate(transaction, "DKK", ACCOUNTS, lambda currency, _: RATES.get(currency))
    conversions = ZERO
    for entry in entries:
        assert sum((line.amount for line in entry.lines), ZERO) == 0
        assert sum((line.base_amount for line in entry.lines), ZERO) == 0
        assert entry.rate > 0
        for line in entry.lines:
            assert line.amount == round_money(line.amount, entry.currency)
            assert line.base_amount == round_money(line.base_amount, "DKK")
            assert line.amount * line.base_amount >= 0
            assert entry.currency != "DKK" or line.amount == line.base_amount
            conversions += line.base_amount if line.account == ACCOUNTS.conversions else ZERO
    if all(one.currency != one.weight_currency or one.units == one.weight for one in transaction.postings):
        assert conversions == 0


@given(transactions())
def test_each_account_has_its_units(transaction: Booked) -> None:
    held: dict[tuple[str, str], Decimal] = {}
    for entry in translate(transaction, "DKK", ACCOUNTS, lambda currency, _: RATES.get(currency)):
        for line in entry.lines:
            key = line.account, entry.currency
            held[key] = held.get(key, ZERO) + line.amount
    for posting in transaction.postings:
        if posting.currency != posting.weight_currency or posting.units == posting.weight:
            units = round_money(posting.units, posting.currency)
            assert held.get((posting.account, posting.currency), ZERO) == units


def test_nobody_says_what_a_currency_is_worth() -> None:
    (one,) = booked('2026-03-16 * "x"\n  Assets:A  1 EUR\n  Assets:B\n')
    assert isinstance(one, Booked)
    with pytest.raises(NoRateError):
        translate(one, "DKK", ACCOUNTS, lambda *_: None)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    parse(text, nothing)


LINES = (
    '2026-03-16 * "a" "b" #t ^l', "  Assets:A  1,000.00 USD", "  Assets:B", '  key: "v"', "2026-03-16 open Assets:A",
    "junk", '"', "  Assets:A 1 HOOL {2 USD} @ 3 USD", "2026-03-17 pad Assets:A Equity:O",
    "2026-03-18 balance Assets:A 5 USD", "",
)  # fmt: skip


@given(st.lists(st.sampled_from(LINES)))
def test_any_lines_are_booked_or_refused(lines: list[str]) -> None:
    list(Bookkeeper(parse("\n".join(lines), nothing)).booked())


def test_lots_are_taken_as_the_account_says() -> None:
    newest_first = [("-2", "USD"), ("-0.25", "USD")]
    for method, sold in (("FIFO", [("-1", "USD"), ("-0.5", "USD")]), ("LIFO", newest_first), ("HIFO", newest_first)):
        *_, sale = booked(
            f'2026-03-01 open Assets:S "{method}"\n'
            '2026-03-02 * "x"\n  Assets:S  1 HOOL {1 USD}\n  Assets:C\n'
            '2026-03-03 * "x"\n  Assets:S  1 HOOL {2 USD}\n  Assets:C\n'
            '2026-03-04 * "x"\n  Assets:S  -1.25 HOOL {}\n  Assets:C\n'
        )
        assert weights(sale)[:2] == sold


def test_strict_lots_have_to_be_named() -> None:
    text = (
        '2026-03-02 * "x"\n  Assets:S  1 HOOL {1 USD}\n  Assets:C\n'
        '2026-03-03 * "x"\n  Assets:S  1 HOOL {2 USD, "b"}\n  Assets:C\n'
        '2026-03-04 * "x"\n  Assets:S  -1 HOOL {NAMED}\n  Assets:C\n'
    )
    for named, weight in (("2 USD", "-2"), ("2026-03-02", "-1"), ('"b"', "-2"), ("USD", None), ("9 USD", None)):
        *_, sale = booked(text.replace("NAMED", named))
        if weight is None:
            assert isinstance(sale, Problem)
        else:
            assert weights(sale)[0] == (weight, "USD")


@pytest.mark.parametrize(
    ("posting", "expected"),
    [
        ("Assets:X  100 USD", ("100", "USD")),
        ("Assets:X  (1,000 / 3 - 2 * 1.5) USD", ("330.3333333333333333333333333", "USD")),
        ("! Assets:X  -2 EUR @ 1.25 USD", ("-2.5", "USD")),
        ("Assets:X  -2 EUR @@ 2.51 USD", ("-2.51", "USD")),
        ("Assets:X  3 HOOL {10 # 5 USD}", ("35", "USD")),
        ("Assets:X  3 HOOL {{31 USD, 2020-01-01}}", ("31", "USD")),
        ("Assets:X  3 HOOL {}", ("7", "USD")),
        ("Assets:X  3 EUR @", ("7", "USD")),
        ("Assets:X  USD", ("7", "USD")),
        ("Assets:X  7", ("7", "USD")),
    ],
)
def test_postings_in_all_their_forms(posting: str, expected: tuple[str, str]) -> None:
    balancing = "" if expected[0] == "7" and not posting.endswith("100 USD") else "  Assets:Rest\n"
    other = "  Assets:Y  -7 USD\n"
    (one,) = booked(f'2026-03-16 * "x"\n{other}  {posting} ; a comment\n{balancing}')
    assert weights(one)[1] == expected
