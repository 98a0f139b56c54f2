"""From what is entered to what is posted, as properties: VAT, the control line, both currencies, reversal, the text."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from uuid import UUID, uuid5

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace as with_fields

from ledgerbee.chart.journal_categories.model import JournalCategory, JournalCategoryId, JournalType
from ledgerbee.chart.vat_codes.model import SINCE_EVER, Principle, VatCode, VatCodeId, VatRate, VatType
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import MAX_AMOUNT, minor_units, round_money, total
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.json_text import json_of
from ledgerbee.ledger.entries.model import (
    AccountName,
    EntryInput,
    EntryToPost,
    EntryType,
    JournalEntry,
    LineInput,
    LineToPost,
    LineType,
    Side,
)
from ledgerbee.ledger.entries.wire import JournalEntryResponse

SPACE = UUID("0192d3a0-0000-7000-8000-000000000001")
ACCOUNT, VAT, CONTRA, RECEIVABLE, PAYABLE = (uuid5(SPACE, name) for name in ("a", "vat", "contra", "ar", "ap"))
CUSTOMER, VENDOR, CODE, CATEGORY = (uuid5(SPACE, name) for name in ("customer", "vendor", "code", "category"))
NOW = datetime(2026, 3, 16, 12, 0, 0, 123456, tzinfo=UTC)
DAY = date(2026, 3, 16)

currencies = st.sampled_from(["DKK", "JPY", "KWD"])
sides = st.sampled_from(Side)
rates = st.integers(min_value=1, max_value=10**12).map(lambda units: Decimal(units).scaleb(-6))
percents = st.one_of(
    st.sampled_from([Decimal(0), Decimal(25), Decimal(100)]),
    st.integers(min_value=0, max_value=10**6).map(lambda units: Decimal(units).scaleb(-4)),
)
shares = st.one_of(
    st.sampled_from([Fraction(0), Fraction(1, 3), Fraction(2, 3), Fraction(1)]),
    st.fractions(min_value=0, max_value=1, max_denominator=10**6),
)
texts = st.one_of(
    st.none(), st.text(max_size=20), st.sampled_from(['"\\', "\u2028\u0001\x7f", "</script>", "🦊", "\t\n"])
)
ids = st.integers(min_value=0, max_value=50).map(lambda number: uuid5(SPACE, str(number)))
tags = st.lists(ids, max_size=3, unique=True).map(tuple)


@st.composite
def amounts(draw: st.DrawFn, currency: str) -> Decimal:
    """Above zero, in minor units, with room for VAT below the largest that can be kept."""
    return Decimal(draw(st.integers(min_value=1, max_value=10**12))).scaleb(-minor_units(currency))


@st.composite
def vat_codes(draw: st.DrawFn) -> VatCode:
    """Codes as `check_vat_code` lets them be."""
    reverse_charge = draw(st.booleans())
    return VatCode(
        id=VatCodeId(CODE),
        code="X",
        name="X",
        type=VatType.PURCHASE,
        principle=Principle.NET if reverse_charge else draw(st.sampled_from(Principle)),
        rates=(VatRate(SINCE_EVER, draw(percents), draw(shares)),),
        account_id=VAT,
        contra_account_id=CONTRA if reverse_charge else None,
        return_box=None,
        einvoice_category=None,
        exemption_reason=None,
        exemption_reason_da=None,
        is_active=True,
        created_at=NOW,
    )


def vat_code(principle: Principle, *rates: Decimal | VatRate, contra: UUID | None = None) -> VatCode:
    """A purchase code whose rates hold since ever or as they say; all can be deducted unless they say otherwise."""
    held = [VatRate(SINCE_EVER, rate, Fraction(1)) if isinstance(rate, Decimal) else rate for rate in rates]
    return VatCode(
        id=VatCodeId(CODE), code="X", name="X", type=VatType.PURCHASE, principle=principle, rates=tuple(held),
        account_id=VAT, contra_account_id=contra, created_at=NOW,
    )  # fmt: skip


def half_away(exact: Fraction, currency: str) -> Fraction:
    """An amount >= 0 at the currency's minor units, halves up: whole numbers only."""
    unit = 10 ** minor_units(currency)
    return Fraction((2 * exact.numerator * unit + exact.denominator) // (2 * exact.denominator), unit)


def signed(lines: Sequence[LineToPost]) -> Decimal:
    """The lines' sum, debit positive."""
    return total([line.amount if line.side is Side.DEBIT else -line.amount for line in lines])


def split(line: LineInput, code: VatCode | None, currency: str) -> list[LineToPost]:
    """The parts of a line in an entry in the company's own currency."""
    conversion = rules.Conversion(currency, currency, Decimal(1))
    if code is None or line.vat_code_id is None:
        return [rules.untaxed(line, line.amount)]
    return rules.split(line, code, code.rate_on(DAY), conversion)


@given(st.data(), currencies, sides, vat_codes(), st.none() | st.booleans())
def test_vat_parts_add_up_to_what_was_entered(
    data: st.DataObject, currency: str, side: Side, code: VatCode, included: bool | None
) -> None:
    amount = data.draw(amounts(currency))
    if code.contra_account_id:
        included = None  # a reverse charge is never in the amount
    is_included = code.principle is Principle.GROSS if included is None else included
    rate = code.rates[0].rate
    line = LineInput(ACCOUNT, side, amount, CODE, "text", (SPACE,), vat_included=included)
    parts = split(line, code, currency)
    entered, *added = parts
    on_side = total([part.amount for part in parts if part.side is side])
    opposite = [part for part in parts if part.side is not side]
    if is_included:
        assert on_side == amount
        vat = amount - entered.amount
        exact = Fraction(amount) * Fraction(rate) / (100 + Fraction(rate))
    else:
        assert entered.amount == amount
        vat = on_side - amount
        exact = Fraction(amount) * Fraction(rate) / 100
    assert Fraction(vat) == half_away(exact, currency)
    # A reverse charge comes to nothing: all of it stands once more on the other side.
    assert [(part.account_id, part.amount, part.line_type) for part in opposite] == (
        [(CONTRA, vat, LineType.VAT_CONTRA)] if code.contra_account_id and vat else []
    )
    deducted = total([part.amount for part in added if part.account_id == VAT])
    kept = total([part.amount for part in added if part.account_id == ACCOUNT])
    assert Fraction(deducted) == half_away(Fraction(vat) * code.rates[0].deductible_share, currency)
    assert deducted + kept == vat
    for part in parts:
        assert part.amount > 0 or part is entered
        assert part.amount == round_money(part.amount, currency)
        assert (part.vat_code_id, part.description, part.tag_ids) == (CODE, "text", (SPACE,))
        assert (part.vat_rate, part.vat_difference) == (rate, None)
    assert entered.line_type is LineType.ENTERED
    assert {part.line_type for part in added} <= {LineType.VAT, LineType.VAT_CONTRA}


@given(st.data(), currencies, sides)
def test_without_a_code_a_line_is_posted_as_it_is(data: st.DataObject, currency: str, side: Side) -> None:
    line = LineInput(ACCOUNT, side, data.draw(amounts(currency)), description="x", tag_ids=(SPACE,))
    (part,) = split(line, None, currency)
    assert (part.account_id, part.side, part.amount, part.vat_code_id) == (ACCOUNT, side, line.amount, None)
    assert (part.base_amount, part.vat_rate) == (line.amount, None)


def books(**fields: object) -> rules.Books:
    category = JournalCategory(
        id=JournalCategoryId(CATEGORY), name="Finans", is_default=True, allowed_journal_types=tuple(JournalType),
        created_at=NOW,
    )  # fmt: skip
    values: dict[str, object] = {
        "base_currency": "DKK",
        "default_category": category,
        "customers": {CUSTOMER: RECEIVABLE},
        "vendors": {VENDOR: PAYABLE},
    }
    return rules.Books(**(values | fields))  # type: ignore[arg-type]


def entered(kind: EntryType, original: Decimal, lines: Sequence[LineInput], **fields: object) -> EntryInput:
    values: dict[str, object] = {
        "owes_control_line": True,
        "customer_id": CUSTOMER if kind.startswith("CUSTOMER") else None,
        "vendor_id": VENDOR if kind.startswith("SUPPLIER") else None,
    }
    return EntryInput(kind, DAY, original, lines=tuple(lines), **(values | fields))  # type: ignore[arg-type]


#: The side of the receivable or payable when the original amount is positive (contract 2.28).
CONTROL = {
    EntryType.CUSTOMER_INVOICE: (RECEIVABLE, Side.DEBIT),
    EntryType.CUSTOMER_PAYMENT: (RECEIVABLE, Side.CREDIT),
    EntryType.SUPPLIER_INVOICE: (PAYABLE, Side.CREDIT),
    EntryType.SUPPLIER_PAYMENT: (PAYABLE, Side.DEBIT),
}


@given(st.sampled_from(sorted(CONTROL)), st.integers(min_value=-(10**9), max_value=10**9))
def test_the_control_line_stands_where_the_sign_says(kind: EntryType, units: int) -> None:
    amount = Decimal(units).scaleb(-2)
    line = LineInput(ACCOUNT, Side.DEBIT, Decimal(1))
    found = rules.with_control_line(entered(kind, amount, [line]), books())
    account, side = CONTROL[kind]
    assert found.lines[:-1] == (line,)
    control = found.lines[-1]
    assert (control.account_id, control.amount, control.line_type) == (account, abs(amount), LineType.CONTROL)
    assert (control.side is side) == (amount >= 0)
    assert rules.with_control_line(found, books()) == found


def test_a_journal_entry_has_no_control_line_added() -> None:
    entry = entered(EntryType.JOURNAL_ENTRY, Decimal(1), [LineInput(RECEIVABLE, Side.DEBIT, Decimal(1))])
    assert rules.with_control_line(entry, books()).lines == entry.lines


@pytest.mark.parametrize("kind", sorted(CONTROL))
def test_a_line_on_the_control_account_is_refused_where_it_is_added(kind: EntryType) -> None:
    lines = [LineInput(ACCOUNT, Side.DEBIT, Decimal(1)), LineInput(CONTROL[kind][0], Side.CREDIT, Decimal(1))]
    with pytest.raises(LedgerBeeError) as refused:
        rules.with_control_line(entered(kind, Decimal(1), lines), books(), "entries.3")
    assert refused.value.code == "JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED"
    assert refused.value.details["property"] == "entries.3.lines.1.accountId"


def outcome(entry: EntryInput, known: rules.Books) -> EntryToPost | str:
    """The entry to post, or the code of its refusal."""
    try:
        posted = rules.entry_to_post(entry, known, SPACE)
        rules.check_entry(posted)
    except LedgerBeeError as refusal:
        return refusal.code
    return posted


@given(
    st.data(),
    st.lists(st.tuples(sides, st.integers(min_value=1, max_value=10**11), st.booleans()), min_size=1, max_size=6),
    st.sampled_from(["DKK", "JPY", "KWD"]),
    st.sampled_from(["DKK", "JPY", "KWD"]),
    rates,
    vat_codes(),
)
def test_an_entry_balances_in_both_currencies_or_is_refused(
    data: st.DataObject,
    drawn: list[tuple[Side, int, bool]],
    currency: str,
    base: str,
    rate: Decimal,
    code: VatCode,
) -> None:
    """Lines at random, and with them the line that is missing, or one that is a unit off."""
    unit = Decimal(1).scaleb(-minor_units(currency))
    lines = [LineInput(ACCOUNT, side, units * unit, CODE if taxed else None) for side, units, taxed in drawn]
    over = signed([part for line in lines for part in split(line, code, currency)])
    wrong = data.draw(st.sampled_from([Decimal(0), unit]))
    missing = abs(over) + wrong
    if missing:
        lines.append(LineInput(CONTRA, Side.CREDIT if over > 0 else Side.DEBIT, missing))
    entry = entered(
        EntryType.JOURNAL_ENTRY,
        Decimal(0),
        lines,
        currency=currency,
        exchange_rate=Decimal(1) if currency == base else rate,
    )
    posted = outcome(entry, books(base_currency=base, vat_codes={CODE: code}))
    if isinstance(posted, str):
        assert posted == "SHARED_VALIDATION_FAILED" or wrong  # too large in the base currency, or off by a unit
        return
    assert not wrong
    for name in ("amount", "base_amount"):
        debit, credit = (total([getattr(line, name) for line in posted.lines if line.side is side]) for side in Side)
        assert debit == credit
    if currency == base:
        assert [line.amount for line in posted.lines] == [line.base_amount for line in posted.lines]
    assert posted.journal_category_id == CATEGORY


@pytest.mark.parametrize(("rate", "is_kept"), [("1.0", True), ("1.1", False), ("999999999999", False)])
def test_what_a_rate_makes_of_an_amount_can_be_kept(rate: str, is_kept: bool) -> None:
    """What posts can be reversed: a reversal's amounts are checked as they stand."""
    amount = Decimal("9999999999999.99")
    lines = [LineInput(ACCOUNT, Side.DEBIT, amount), LineInput(CONTRA, Side.CREDIT, amount)]
    entry = entered(EntryType.JOURNAL_ENTRY, Decimal(0), lines, currency="EUR", exchange_rate=Decimal(rate))
    assert (outcome(entry, books(base_currency="DKK")) != "SHARED_VALIDATION_FAILED") is is_kept


@st.composite
def journal_entries(draw: st.DrawFn) -> JournalEntry:
    """Posted entries with everything that one can have."""
    currency, base = draw(currencies), draw(currencies)
    parts = draw(st.lists(st.tuples(amounts(currency), texts), min_size=1, max_size=4))
    rate = Decimal(1) if currency == base else draw(st.sampled_from([Decimal("7.46"), Decimal("0.0067")]))
    over = total([amount for amount, _ in parts])
    assume(over * rate <= MAX_AMOUNT)
    lines = [LineInput(ACCOUNT, Side.DEBIT, amount, None, text) for amount, text in parts]
    lines.append(LineInput(CONTRA, Side.CREDIT, over))
    entry = entered(
        draw(st.sampled_from(EntryType)),
        draw(st.sampled_from([over, -over, Decimal(0)])),
        lines,
        owes_control_line=False,
        currency=currency,
        exchange_rate=rate,
        description=draw(texts),
        reference=draw(texts),
        external_system_id=draw(texts),
    )
    content = rules.entry_to_post(entry, books(base_currency=base), SPACE)
    content = with_fields(  # tags are checked elsewhere
        content,
        tag_ids=draw(tags),
        lines=tuple(with_fields(line, tag_ids=draw(tags)) for line in content.lines),
    )
    return JournalEntry(
        content=content,
        line_ids=[uuid5(SPACE, f"line {number}") for number in range(len(content.lines))],
        accounts={ACCOUNT: AccountName(1010, draw(texts) or "Salg"), CONTRA: AccountName(6480, "Bank")},
        base_currency=base,
        entry_number=draw(st.integers(min_value=1, max_value=2**31)),
        chain_position=7,
        previous_hash=bytes(32),
        hash=bytes(range(32)),
        posted_at=NOW,
        attachment_count=draw(st.integers(min_value=0, max_value=10)),
        reversed_by_entry_id=draw(st.one_of(st.none(), ids)),
        posted_by=draw(st.one_of(st.none(), st.just("operator:cli"), texts)),
    )


@given(journal_entries(), st.one_of(st.none(), st.text(max_size=5)), st.sampled_from(["da", "en"]))
def test_an_entry_and_its_reversal_come_to_nothing(entry: JournalEntry, text: str | None, language: str) -> None:
    back = rules.reversal(entry, CODE, date(2026, 4, 1), text, language)
    rules.check_entry(back)
    one, other = entry.content, back
    for line, reversed_line in zip(one.lines, other.lines, strict=True):
        assert reversed_line == with_fields(line, side=reversed_line.side)
        assert reversed_line.side is not line.side
    assert one.original_amount + other.original_amount == 0
    assert (other.currency, other.exchange_rate, other.tag_ids) == (one.currency, one.exchange_rate, one.tag_ids)
    assert (other.customer_id, other.vendor_id, other.reference) == (one.customer_id, one.vendor_id, one.reference)
    assert (other.external_system_id, other.attachment_hashes) == (None, ())
    assert other.reverses_entry_id == entry.id
    assert other.description == text if text is not None else str(entry.entry_number) in (other.description or "")
    again = with_fields(entry, content=back)
    with pytest.raises(LedgerBeeError) as refused:
        rules.check_reversible(again)
    assert refused.value.code == "JOURNAL_ENTRY_INVALID_STATE"


@given(journal_entries())
def test_the_json_of_an_entry_is_what_its_model_describes(entry: JournalEntry) -> None:
    text = json_of(entry)
    body = json.loads(text)
    described = JournalEntryResponse.model_validate(body)
    assert json.loads(described.model_dump_json()) == body
    assert list(json.loads(text)) == list(described.model_dump(mode="json"))
    for line, shown in zip(entry.content.lines, body["lines"], strict=True):
        assert list(shown) == list(described.lines[0].model_dump(mode="json"))
        assert shown["description"] == line.description
        assert shown["tagIds"] == [str(tag) for tag in line.tag_ids]
        assert Decimal(shown["amount"]) == line.amount
        assert Decimal(shown["amountInBaseCurrency"]) == line.base_amount
    assert (body["description"], body["reference"]) == (entry.content.description, entry.content.reference)
    assert body["postedAt"] == "2026-03-16T12:00:00.123Z"
    assert body["attachmentCount"] == entry.attachment_count


def test_zero_has_no_sign() -> None:
    lines = [LineInput(ACCOUNT, Side.DEBIT, Decimal(5)), LineInput(CONTRA, Side.CREDIT, Decimal(5))]
    content = rules.entry_to_post(entered(EntryType.JOURNAL_ENTRY, Decimal("-0"), lines), books(), SPACE)
    names = {ACCOUNT: AccountName(1, "a"), CONTRA: AccountName(2, "b")}
    entry = JournalEntry(content, [SPACE, CODE], names, "DKK", 1, 1, bytes(32), bytes(32), NOW)
    assert json.loads(json_of(entry))["originalAmount"] == "0.00"


def test_vat_that_leads_beyond_the_largest_amount_is_refused() -> None:
    code = vat_code(Principle.NET, Decimal(25))
    largest = round_money(MAX_AMOUNT - 1, "DKK")
    lines = [LineInput(ACCOUNT, Side.DEBIT, largest, CODE), LineInput(CONTRA, Side.CREDIT, largest)]
    with pytest.raises(LedgerBeeError) as refused:
        rules.entry_to_post(entered(EntryType.JOURNAL_ENTRY, largest, lines), books(vat_codes={CODE: code}), SPACE)
    assert refused.value.details["validationErrors"][0]["property"] == "lines.0.amount"
