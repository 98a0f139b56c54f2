"""Entries before the database: balance, base amounts, the canonical text and the chain. Pure."""

import hashlib
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import minor_units, round_money, total
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.model import EntryToPost, EntryType, LineToPost, LineType, Side

ACCOUNT = UUID("0192d3a0-0000-7000-8000-000000000001")
ENTRY = UUID("0192d3a0-0000-7000-8000-000000000002")
COMPANY = UUID("0192d3a0-0000-7000-8000-000000000003")
LINES = (UUID("0192d3a0-0000-7000-8000-000000000004"), UUID("0192d3a0-0000-7000-8000-000000000005"))
POSTED = datetime(2026, 3, 16, 12, 0, 0, 123456, tzinfo=UTC)

cents = st.integers(min_value=0, max_value=10**13).map(lambda units: Decimal(units).scaleb(-2))
rates = st.integers(min_value=1, max_value=10**15).map(lambda units: Decimal(units).scaleb(-9))
base_currencies = st.sampled_from(["DKK", "JPY", "KWD"])


@st.composite
def balanced(draw: st.DrawFn) -> tuple[list[Side], list[Decimal]]:
    """Sides and amounts in any order whose debits equal their credits."""
    debits = draw(st.lists(cents, min_size=1, max_size=8))
    left, credits_ = total(debits), []
    for _ in range(draw(st.integers(min_value=0, max_value=7))):
        part = min(left, draw(cents))
        credits_.append(part)
        left -= part
    credits_.append(left)
    lines = [(Side.DEBIT, amount) for amount in debits] + [(Side.CREDIT, amount) for amount in credits_]
    lines = draw(st.permutations(lines))
    return [side for side, _ in lines], [amount for _, amount in lines]


@given(balanced(), rates, base_currencies, st.data())
def test_amounts_are_converted_one_by_one_and_the_lowest_ranks_take_what_is_left(
    lines: tuple[list[Side], list[Decimal]], rate: Decimal, base: str, data: st.DataObject
) -> None:
    conversion = rules.Conversion("EUR" if base != "EUR" else "USD", base, rate)
    made = [
        LineToPost(ACCOUNT, side, amount, base_amount=conversion.in_base(amount))
        for side, amount in zip(*lines, strict=True)
    ]
    ranks = data.draw(st.lists(st.integers(0, 3), min_size=len(made), max_size=len(made)))
    found = rules.balance_in_base(made, ranks, conversion)
    rules.check_balanced(found)
    unit = Decimal(1).scaleb(-minor_units(base))
    for before, after in zip(made, found, strict=True):
        assert before.base_amount == round_money(before.amount * rate, base)
        assert after.base_amount >= 0
        assert after == replace(before, base_amount=after.base_amount)
    moved = [(after.base_amount - before.base_amount) / unit for before, after in zip(made, found, strict=True)]
    # In debit terms all moves go one way: nothing is moved that balancing doesn't take.
    signs = {m > 0 if line.side is Side.DEBIT else m < 0 for m, line in zip(moved, made, strict=True) if m}
    assert len(signs) <= 1
    lowest = min(ranks)
    takers = [abs(m) for m, rank in zip(moved, ranks, strict=True) if rank == lowest]
    at_lowest = [line for line, rank in zip(found, ranks, strict=True) if rank == lowest]
    if any(m for m, rank in zip(moved, ranks, strict=True) if rank != lowest):
        assert all(line.base_amount == 0 for line in at_lowest)
    elif all(line.base_amount for line in at_lowest):
        assert max(takers) - min(takers) <= 1


@given(balanced())
def test_in_its_own_currency_an_amount_is_its_base_amount(lines: tuple[list[Side], list[Decimal]]) -> None:
    conversion = rules.Conversion("DKK", "DKK", Decimal(1))
    made = [
        LineToPost(ACCOUNT, side, amount, base_amount=conversion.in_base(amount))
        for side, amount in zip(*lines, strict=True)
    ]
    assert all(line.base_amount is line.amount for line in made)
    assert rules.balance_in_base(made, [0] * len(made), conversion) == tuple(made)


def line(side: Side, amount: str, base: str | None = None) -> LineToPost:
    return LineToPost(ACCOUNT, side, Decimal(amount), base_amount=Decimal(base or amount))


def entry(*lines: LineToPost, currency: str = "DKK", rate: str = "1", original: str = "10.00") -> EntryToPost:
    return EntryToPost(
        id=ENTRY,
        entry_type=EntryType.JOURNAL_ENTRY,
        date=date(2026, 3, 16),
        currency=currency,
        exchange_rate=Decimal(rate),
        lines=lines,
        original_amount=Decimal(original),
    )


@given(balanced(), st.integers(min_value=0, max_value=15), st.sampled_from(["0.01", "0.000000000001"]))
def test_any_difference_in_either_currency_is_refused(
    lines: tuple[list[Side], list[Decimal]], place: int, difference: str
) -> None:
    made = [LineToPost(ACCOUNT, side, amount, base_amount=amount) for side, amount in zip(*lines, strict=True)]
    rules.check_balanced(made)
    index = place % len(made)
    one = made[index]
    off_in_entry = replace(one, amount=one.amount + Decimal(difference))
    off_in_base = replace(one, base_amount=one.base_amount + Decimal(difference))
    for changed, currency in ((off_in_entry, "entry"), (off_in_base, "base")):
        with pytest.raises(LedgerBeeError) as refused:
            rules.check_balanced([*made[:index], changed, *made[index + 1 :]])
        assert refused.value.code == "JOURNAL_ENTRY_UNBALANCED"
        assert refused.value.details["currency"] == currency


def test_an_entry_of_zero_lines_in_two_currencies_passes() -> None:
    rules.check_entry(entry(line(Side.DEBIT, "0.00"), line(Side.CREDIT, "0.00"), original="0"))
    # An exchange difference exists in the base currency only.
    rules.check_entry(entry(line(Side.DEBIT, "0", "3.17"), line(Side.CREDIT, "0", "3.17"), currency="EUR", rate="7.46"))


@pytest.mark.parametrize(
    ("made", "where", "rule"),
    [
        (entry(line(Side.DEBIT, "1.00")), "entries.3.lines", "arrayMinSize"),
        (entry(), "entries.3.lines", "arrayMinSize"),
        (entry(line(Side.DEBIT, "1E18"), line(Side.CREDIT, "1E18")), "entries.3.lines.0.amount", "max"),
        (entry(line(Side.DEBIT, "NaN"), line(Side.CREDIT, "NaN")), "entries.3.lines.0.amount", "isNumber"),
        (entry(line(Side.DEBIT, "1.00"), line(Side.CREDIT, "Infinity")), "entries.3.lines.1.amount", "isNumber"),
        (entry(line(Side.DEBIT, "-1.00"), line(Side.CREDIT, "-1.00")), "entries.3.lines.0.amount", "min"),
        (entry(line(Side.DEBIT, "1.005"), line(Side.CREDIT, "1.005")), "entries.3.lines.0.amount", "maxDecimalPlaces"),
        (
            entry(line(Side.DEBIT, "1.5"), line(Side.CREDIT, "1.5"), currency="JPY"),
            "entries.3.lines.0.amount",
            "maxDecimalPlaces",
        ),
        (
            entry(line(Side.DEBIT, "1.00", "1.00001"), line(Side.CREDIT, "1.00", "1.00001")),
            "entries.3.lines.0.amountInBaseCurrency",
            "maxDecimalPlaces",
        ),
        (
            entry(line(Side.DEBIT, "1.00"), line(Side.CREDIT, "1.00"), original="0.001"),
            "entries.3.originalAmount",
            "maxDecimalPlaces",
        ),
        (entry(line(Side.DEBIT, "1.00"), line(Side.CREDIT, "1.00"), currency="X L"), "entries.3.currency", None),
        (entry(line(Side.DEBIT, "1.00"), line(Side.CREDIT, "1.00"), rate="0"), "entries.3.exchangeRate", "isPositive"),
        (entry(line(Side.DEBIT, "1.00"), line(Side.CREDIT, "1.00"), rate="NaN"), "entries.3.exchangeRate", None),
        (
            entry(line(Side.DEBIT, "1.00"), line(Side.CREDIT, "1.00"), rate="0.0000000000001"),
            "entries.3.exchangeRate",
            "maxDecimalPlaces",
        ),
    ],
)
def test_what_no_book_can_hold_is_refused_by_name(made: EntryToPost, where: str, rule: str | None) -> None:
    with pytest.raises(LedgerBeeError) as refused:
        rules.check_entry(made, "entries.3")
    problem = refused.value.details["validationErrors"][0]
    assert problem["property"] == where
    if rule:
        assert list(problem["constraints"]) == [rule]


def full_entry() -> EntryToPost:
    tag = UUID("0192d3a0-0000-7000-8000-000000000009")
    return EntryToPost(
        id=ENTRY,
        entry_type=EntryType.CUSTOMER_INVOICE,
        date=date(2026, 3, 16),
        currency="EUR",
        exchange_rate=Decimal("7.46"),
        original_amount=Decimal(-10),
        description='Line\nbreak and "quote"',
        reference="may change",
        external_system_id="may change",
        customer_id=ACCOUNT,
        tag_ids=(tag, ENTRY),
        source_type="invoice",
        source_id=COMPANY,
        lines=(
            LineToPost(ACCOUNT, Side.DEBIT, Decimal("10.0"), line_type=LineType.CONTROL, base_amount=Decimal("74.60")),
            LineToPost(ACCOUNT, Side.CREDIT, Decimal("10.00"), tag, "Løn", base_amount=Decimal("74.6")),
        ),
    )


def test_the_canonical_text_is_the_documented_one() -> None:
    """Written out by hand: whoever checks old books has only this text to go by."""
    a, e, c, tag = (f"0192d3a000007000800000000000000{digit}" for digit in "1239")
    expected = (
        f"ledgerbee:entry:1\n{c}\n{e}\nCUSTOMER_INVOICE\n2026-03-16\nEUR\n7.460000000000\n-10.0000\n{a}\n\n\n{tag},{e}\n"
        f'"invoice"\n{c}\n\n2026-03-16T12:00:00.123456+00:00\n"Line\\nbreak and \\"quote\\""\n'
        f"{LINES[0].hex}\n{a}\nDEBIT\n10.0000\n74.6000\nCONTROL\n\n\n\n"
        f'{LINES[1].hex}\n{a}\nCREDIT\n10.0000\n74.6000\nENTERED\n{tag}\n\n"Løn"'
    )
    assert rules.canonical(COMPANY, full_entry(), LINES, POSTED).decode() == expected


def test_the_chain_can_be_followed_with_a_hash_function_alone() -> None:
    digest = hashlib.sha256(rules.canonical(COMPANY, full_entry(), LINES, POSTED)).digest()
    genesis = hashlib.sha256(b"ledgerbee:genesis:0192d3a0-0000-7000-8000-000000000003").digest()
    assert rules.genesis(COMPANY) == genesis
    assert rules.digest(COMPANY, full_entry(), LINES, POSTED) == digest
    expected = hashlib.sha256(genesis + bytes(7) + b"\x01" + bytes(7) + b"\x2a" + digest).digest()
    assert rules.chain_hash(genesis, 1, 42, digest) == expected


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20), st.text(max_size=0) | st.just("x\ny"))
def test_two_different_entries_never_read_alike(text: str, other: str) -> None:
    """A description can't imitate the fields after it."""
    first = replace(entry(original="0"), description=text)
    second = replace(first, description=other)
    same = rules.canonical(COMPANY, first, (), POSTED) == rules.canonical(COMPANY, second, (), POSTED)
    assert same == (text == other)
    assert rules.canonical(COMPANY, first, (), POSTED).count(b"\n") == 16


def test_a_negative_zero_reads_as_zero() -> None:
    made = entry(line(Side.DEBIT, "-0.00"), line(Side.CREDIT, "0"), original="-0.0")
    assert b"-0" not in rules.canonical(COMPANY, made, LINES, POSTED).replace(b"2026-03-16", b"")
