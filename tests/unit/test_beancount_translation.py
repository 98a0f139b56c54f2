"""Translating booked Beancount transactions: what holds of any of them."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from ledgerbee.app.beancount.model import BooksRefusedError, Posting, Transaction
from ledgerbee.app.beancount.translation import Accounts, Part, is_conversion, needed_rates, translate
from ledgerbee.core.money import MAX_AMOUNT, ONE, ZERO, is_commodity, round_money
from ledgerbee.ledger.entries.rules import Conversion

DAY = date(2026, 3, 16)
ACCOUNTS = Accounts("Equity:Conversions", "Equity:Rounding")
CURRENCIES = ("DKK", "EUR", "JPY", "HOOL", "VACHR")
RATES = {("EUR", DAY): Decimal("7.46"), ("JPY", DAY): Decimal("0.045123456789")}
NUMBERS = st.decimals(Decimal("-1e6"), Decimal("1e6"), allow_nan=False, allow_infinity=False, places=5)


def transaction(*postings: Posting) -> Transaction:
    return Transaction("books.beancount:7", DAY, "x", (), postings)


def plain(account: str, number: str, currency: str) -> Posting:
    return Posting(account, Decimal(number), currency, Decimal(number), currency)


def priced(account: str, number: str, currency: str, price: str, of: str) -> Posting:
    return Posting(account, Decimal(number), currency, Decimal(number) * Decimal(price), of)


@st.composite
def transactions(draw: st.DrawFn) -> Transaction:
    """Any postings at any prices, with a last one in each currency that makes them balance but for a thousandth."""
    postings = []
    residual: dict[str, Decimal] = {}
    for number in range(draw(st.integers(1, 6))):
        currency, units = draw(st.sampled_from(CURRENCIES)), draw(NUMBERS)
        weight, weight_currency = units, currency
        if draw(st.booleans()):
            price = abs(draw(NUMBERS))
            weight, weight_currency = units * price, draw(st.sampled_from(CURRENCIES))
        postings.append(Posting(f"Assets:A{number}", units, currency, weight, weight_currency))
        residual[weight_currency] = residual.get(weight_currency, ZERO) + weight
    for currency, left in residual.items():
        rest = draw(st.sampled_from([ZERO, Decimal("0.001")])) - left
        postings.append(Posting(f"Equity:{currency}", rest, currency, rest, currency))
    return transaction(*postings)


def translated(one: Transaction) -> Sequence[Part]:
    """Its parts, if it isn't larger than an entry can be."""
    try:
        return translate(one, "DKK", ACCOUNTS, RATES)
    except BooksRefusedError as refused:
        if "larger than an entry can be" not in str(refused):
            raise
        reject()


def in_base(part: Part) -> list[Decimal]:
    """The signed base amounts that posting gives the lines, but for what balancing takes."""
    return [Conversion(part.currency, "DKK", part.rate).in_base(line.amount) for line in part.lines]


def conversions_of(parts: Sequence[Part]) -> Decimal:
    """What the account of conversions is worth afterwards."""
    return sum(
        (
            value
            for part in parts
            for line, value in zip(part.lines, in_base(part), strict=True)
            if line.account == ACCOUNTS.conversions
        ),
        ZERO,
    )


@given(transactions())
def test_each_part_is_an_entry_that_can_be_posted(one: Transaction) -> None:
    for part in translated(one):
        assert sum((line.amount for line in part.lines), ZERO) == 0
        assert len(part.lines) >= 2
        assert all(line.amount and line.amount == round_money(line.amount, part.currency) for line in part.lines)
        assert 0 < part.rate < 10**9
        assert part.rate == round(part.rate, 12)
        assert part.currency != "DKK" or part.rate == 1


@given(transactions())
def test_each_account_has_its_units(one: Transaction) -> None:
    held: dict[tuple[str, str], Decimal] = {}
    for part in translated(one):
        for line in part.lines:
            held[line.account, part.currency] = held.get((line.account, part.currency), ZERO) + line.amount
    for posting in one.postings:
        units = round_money(posting.number, posting.currency)
        assert held.get((posting.account, posting.currency), ZERO) == units


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["EUR", "JPY", "HOOL"]), NUMBERS, st.decimals(Decimal("0.0001"), Decimal(9999), places=4)
        ),
        min_size=1,
        max_size=5,
    )
)
@example([("EUR", Decimal(1), Decimal("1.005")), ("EUR", Decimal(1), Decimal("1.005"))])
@example([("HOOL", Decimal("0.00002"), Decimal(9999))])
def test_conversions_at_prices_in_base_currency_are_worth_nothing(
    conversions: list[tuple[str, Decimal, Decimal]],
) -> None:
    """To the last øre, whatever the rounding does to each."""
    postings = [
        Posting(f"Assets:A{number}", units, currency, units * price, "DKK")
        for number, (currency, units, price) in enumerate(conversions)
    ]
    rest = -sum((posting.weight for posting in postings), ZERO)
    parts = translate(transaction(*postings, Posting("Assets:C", rest, "DKK", rest, "DKK")), "DKK", ACCOUNTS, {})
    assert conversions_of(parts) == 0


@pytest.mark.parametrize(
    ("postings", "rates"),
    [
        # The price itself, in the company's currency or through another.
        ([priced("A", "100", "EUR", "7.5", "DKK"), plain("B", "-750", "DKK")], {"EUR": "7.5"}),
        ([priced("A", "3", "GIFT", "2", "EUR"), plain("B", "-6", "EUR")], {"EUR": "7.46", "GIFT": "14.92"}),
        # The company's own currency at a price in another: this is what the other is worth.
        ([priced("A", "-750", "DKK", "0.16", "EUR"), plain("B", "120", "EUR")], {"EUR": "6.25"}),
        # Two at once: worth as much together as was paid.
        (
            [
                priced("A", "-750", "DKK", "0.16", "EUR"),
                priced("A", "-250", "DKK", "0.12", "EUR"),
                plain("B", "150", "EUR"),
            ],
            {"EUR": "6.666666666667"},
        ),
        # The price would not give what was paid once units are rounded: 0.0001 at 50,000 is 5.
        ([priced("A", "0.00012345", "BTC", "50000", "DKK"), plain("B", "-6.1725", "DKK")], {"BTC": "61700"}),
        # Nobody says what hours are worth.
        ([plain("A", "4.5", "VACHR"), plain("B", "-4.5", "VACHR")], {"VACHR": "0.000000000001"}),
        ([priced("A", "3", "GIFT", "0", "DKK"), plain("B", "0", "DKK")], {"GIFT": "0.000000000001"}),
    ],
)
def test_rates_make_both_sides_worth_the_same(postings: list[Posting], rates: dict[str, str]) -> None:
    parts = translate(transaction(*postings), "DKK", ACCOUNTS, RATES)
    assert {part.currency: part.rate for part in parts if part.currency != "DKK"} == {
        currency: Decimal(rate) for currency, rate in rates.items()
    }
    assert conversions_of(parts) == 0


def test_the_books_own_price_goes_before_the_published_one() -> None:
    own = Posting("A", ONE, "EUR", ONE, "EUR", rate=Decimal("7.1"))
    one = transaction(own, Posting("B", -ONE, "EUR", -ONE, "EUR", rate=Decimal("7.1")))
    assert needed_rates(one, "DKK") == set()
    (part,) = translate(one, "DKK", ACCOUNTS, RATES)
    assert part.rate == Decimal("7.1")


def test_what_is_held_at_cost_stands_at_its_cost() -> None:
    bought = Posting("A", Decimal("9.178"), "VFIFX", Decimal("416.31408"), "DKK", lot="9.178 VFIFX {45.36 DKK}")
    (part,) = translate(transaction(bought, plain("B", "-416.30", "DKK")), "DKK", ACCOUNTS, {})
    assert [(line.account, str(line.amount), line.description) for line in part.lines] == [
        ("A", "416.31", "9.178 VFIFX {45.36 DKK}"),
        ("B", "-416.30", None),
        ("Equity:Rounding", "-0.01", None),
    ]
    assert not is_conversion(bought)


@pytest.mark.parametrize(
    ("postings", "words"),
    [
        ([plain("A", "1", "XOF"), plain("B", "-1", "XOF")], "what XOF was worth in DKK on 2026-03-16"),
        ([plain("A", "1", "B" * 30), plain("B", "-1", "B" * 30)], "no amount can be kept in BBB"),
        (
            [plain("A", str(MAX_AMOUNT), "HOOL")] * 2 + [plain("B", str(-2 * MAX_AMOUNT), "HOOL")],
            "larger than an entry",
        ),
        ([plain("A", "9e12", "EUR"), plain("B", "-9e12", "EUR")], "larger than an entry"),
        ([plain(f"A{n}", "1", "DKK") for n in range(10_000)] + [plain("B", "-10000", "DKK")], "larger than an entry"),
    ],
)
def test_what_no_entry_can_hold_is_refused_with_its_place(postings: list[Posting], words: str) -> None:
    with pytest.raises(BooksRefusedError, match=words) as refused:
        translate(transaction(*postings), "DKK", ACCOUNTS, RATES)
    assert str(refused.value).startswith("books.beancount:7: ")


@pytest.mark.parametrize("code", ["V", "HOOL", "VACHR", "A-B.C_D'E", "/6J", "/NQH21_QNEG21C13100", "A" * 24])
def test_codes_of_commodities(code: str) -> None:
    assert is_commodity(code)


@pytest.mark.parametrize("code", ["", "DKK", "v", "5", "A-", "/", "A B", "A" * 25])
def test_codes_of_none(code: str) -> None:
    assert not is_commodity(code)
