"""VAT as vouchers have it: dated rates, stated amounts, amounts with and without it, bills in other currencies."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as with_fields

from ledgerbee.chart.accounts.model import Account, AccountId, Classification, LedgerType
from ledgerbee.chart.journal_categories.model import JournalCategory, JournalCategoryId, JournalType
from ledgerbee.chart.vat_codes.model import SINCE_EVER, Principle, VatCode, VatCodeId, VatRate, VatType
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.entries import rules
from ledgerbee.ledger.entries.model import EntryInput, EntryToPost, EntryType, LineInput, LineType, Side

SPACE = UUID("0192d3a0-0000-7000-8000-000000000001")
EXPENSE, STOCK, BANK, VAT, CONTRA, PAYABLE, VENDOR, CODE, CATEGORY = (
    uuid5(SPACE, name) for name in ("expense", "stock", "bank", "vat", "contra", "ap", "vendor", "code", "category")
)
NOW = datetime(2026, 3, 16, tzinfo=UTC)
DAY = date(2026, 3, 16)
ORE = Decimal("0.01")


def rate(percent: str, share: Fraction = Fraction(1), since: date = SINCE_EVER) -> VatRate:
    return VatRate(since, Decimal(percent), share)


def code(principle: Principle, *rates: VatRate, contra: bool = False) -> VatCode:
    return VatCode(
        id=VatCodeId(CODE), code="K", name="K", type=VatType.PURCHASE, principle=principle, rates=rates,
        account_id=VAT, contra_account_id=CONTRA if contra else None, created_at=NOW,
    )  # fmt: skip


def account(account_id: UUID, ledger_type: LedgerType, classification: Classification) -> Account:
    return Account(
        id=AccountId(account_id), number=1, name="a", standard_number=1, ledger_type=ledger_type,
        classification=classification, created_at=NOW,
    )  # fmt: skip


def category() -> JournalCategory:
    return JournalCategory(
        id=JournalCategoryId(CATEGORY), name="Finans", is_default=True, allowed_journal_types=tuple(JournalType),
        created_at=NOW,
    )  # fmt: skip


ACCOUNTS = {
    EXPENSE: account(EXPENSE, LedgerType.PROFIT_AND_LOSS, Classification.EXPENSE),
    STOCK: account(STOCK, LedgerType.BALANCE_SHEET, Classification.ASSET),
    BANK: account(BANK, LedgerType.BALANCE_SHEET, Classification.ASSET),
}


def bill(
    total: str, *lines: LineInput, vat: VatCode, currency: str = "DKK", rate: str | None = None, on: date = DAY
) -> EntryToPost:
    """A supplier's bill as it is posted."""
    given_rate = None if rate is None else Decimal(rate)
    books = rules.Books(
        "DKK",
        category(),
        vendors={VENDOR: PAYABLE},
        accounts=ACCOUNTS,
        vat_codes={CODE: vat},
    )
    entry = EntryInput(
        EntryType.SUPPLIER_INVOICE,
        on,
        Decimal(total),
        vendor_id=VENDOR,
        lines=lines,
        owes_control_line=True,
        currency=currency,
        exchange_rate=given_rate,
    )
    return rules.entry_to_post(entry, books, SPACE)


def line(amount: str, *, included: bool | None = None, stated: str | None = None, on: UUID = EXPENSE) -> LineInput:
    return LineInput(
        on,
        Side.DEBIT,
        Decimal(amount),
        CODE,
        vat_included=included,
        vat_amount=None if stated is None else Decimal(stated),
    )


def untaxed(entered: LineInput) -> LineInput:
    return with_fields(entered, vat_code_id=None)


def amounts(entry: EntryToPost, *, base: bool = False) -> dict[str, str]:
    """What stands on each account, debit positive."""
    names = {EXPENSE: "expense", STOCK: "stock", VAT: "vat", CONTRA: "contra", PAYABLE: "payable"}
    found: dict[str, Decimal] = {}
    for one in entry.lines:
        amount = one.base_amount if base else one.amount
        name = names[one.account_id]
        found[name] = found.get(name, Decimal(0)) + (amount if one.side is Side.DEBIT else -amount)
    return {name: str(amount) for name, amount in found.items()}


def refused(*lines: LineInput, vat: VatCode) -> LedgerBeeError:
    with pytest.raises(LedgerBeeError) as refusal:
        bill("100.00", *lines, vat=vat)
    return refusal.value


def test_a_reverse_charge_in_another_currency_is_computed_of_the_base_in_kroner() -> None:
    entry = bill(
        "6247.35", line("6247.35"), vat=code(Principle.NET, rate("25"), contra=True), currency="EUR", rate="7.4611"
    )
    assert amounts(entry, base=True) == {
        "expense": "46612.10", "vat": "11653.03", "contra": "-11653.03", "payable": "-46612.10",
    }  # fmt: skip
    assert amounts(entry) == {"expense": "6247.35", "vat": "1561.84", "contra": "-1561.84", "payable": "-6247.35"}


euros = st.integers(min_value=1, max_value=10**9).map(lambda units: Decimal(units).scaleb(-2))
kroner_rates = st.integers(min_value=7_000_000, max_value=8_000_000).map(lambda units: Decimal(units).scaleb(-6))


def kroner(amount: Decimal, at: Decimal) -> Decimal:
    return (amount * at).quantize(ORE, ROUND_HALF_UP)


@given(st.lists(euros, min_size=1, max_size=6), kroner_rates, st.sampled_from(Principle), st.booleans())
def test_of_any_bill_payable_and_vat_are_amount_times_rate(
    given_amounts: list[Decimal], at: Decimal, principle: Principle, is_stock: bool
) -> None:
    vat_code = code(principle, rate("25", Fraction(2, 3)))
    lines = [line(str(amount), on=STOCK if is_stock else EXPENSE) for amount in given_amounts]
    parts = [
        part
        for one in lines
        for part in rules.split(one, vat_code, vat_code.rates[0], rules.Conversion("EUR", "EUR", at))
    ]
    owed = sum((part.amount for part in parts), Decimal(0))
    entry = bill(str(owed), *lines, vat=vat_code, currency="EUR", rate=str(at))
    assert entry.lines[-1].base_amount == kroner(owed, at)
    vat = deducted = Decimal(0)
    for one in reversed(entry.lines[:-1]):
        if one.line_type is LineType.VAT:
            vat += one.amount
            deducted += one.base_amount if one.account_id == VAT else 0
            continue
        # What can't be deducted is the rest of the voucher's VAT in kroner.
        expected = (kroner(vat, at) * 2 / 3).quantize(ORE, ROUND_HALF_UP)
        assert deducted == expected
        assert abs(one.base_amount - kroner(one.amount, at)) <= 3 * ORE
        vat = deducted = Decimal(0)


@given(st.lists(euros, min_size=1, max_size=6), kroner_rates, st.fractions(0, 1, max_denominator=100))
def test_of_any_reverse_charge_vat_is_a_quarter_of_the_base_in_kroner(
    given_amounts: list[Decimal], at: Decimal, share: Fraction
) -> None:
    vat_code = code(Principle.NET, rate("25", share), contra=True)
    total = sum(given_amounts, Decimal(0))
    lines = [line(str(amount)) for amount in given_amounts]
    entry = bill(str(total), *lines, vat=vat_code, currency="EUR", rate=str(at))
    owed = [one.base_amount for one in entry.lines if one.line_type is LineType.VAT_CONTRA]
    quarters = [(kroner(amount, at) / 4).quantize(ORE, ROUND_HALF_UP) for amount in given_amounts]
    assert owed == [vat for vat in quarters if vat]
    deducted = sum((one.base_amount for one in entry.lines if one.line_type is LineType.VAT), Decimal(0))
    assert deducted == sum(owed, Decimal(0))
    assert entry.lines[-1].base_amount == kroner(total, at)


def test_a_reverse_charge_of_less_than_a_cent_is_owed_in_kroner() -> None:
    entry = bill("0.01", line("0.01"), vat=code(Principle.NET, rate("25"), contra=True), currency="EUR", rate="7.4611")
    assert amounts(entry) == {"expense": "0.01", "vat": "0.00", "contra": "0.00", "payable": "-0.01"}
    assert amounts(entry, base=True) == {"expense": "0.07", "vat": "0.02", "contra": "-0.02", "payable": "-0.07"}


def test_a_code_without_a_rate_has_no_vat_in_another_currency_either() -> None:
    free = replace(code(Principle.NET, rate("0")), account_id=None)
    entry = bill("100.00", line("100.00"), vat=free, currency="EUR", rate="7.4611")
    assert amounts(entry, base=True) == {"expense": "746.11", "payable": "-746.11"}


def test_a_quarter_of_the_vat_in_kroner_is_deducted() -> None:
    """Entertainment (momslovens § 42, stk. 2): a quarter of 3,883.53 kroner, not 130.26 euros at the day's rate."""
    vat_code = code(Principle.NET, rate("25", Fraction(1, 4)))
    entry = bill("2605.10", line("2084.08"), vat=vat_code, currency="EUR", rate="7.4537")
    assert amounts(entry)["vat"] == "130.26"
    assert amounts(entry, base=True) == {"expense": "18446.75", "vat": "970.88", "payable": "-19417.63"}


def test_the_line_without_vat_takes_what_conversion_leaves() -> None:
    """0.05 + 0.01 EUR at 7.5: 0.38 and 0.08 make 0.46, the 0.06 that are owed are 0.45."""
    free = LineInput(EXPENSE, Side.DEBIT, Decimal("0.05"))
    other = LineInput(STOCK, Side.DEBIT, Decimal("0.01"))
    entry = bill("0.06", free, other, vat=code(Principle.NET, rate("25")), currency="EUR", rate="7.5")
    assert amounts(entry, base=True) == {"expense": "0.37", "stock": "0.08", "payable": "-0.45"}


DATED = (rate("25"), rate("20", Fraction(1, 2), date(2026, 4, 1)), rate("22", Fraction(1), date(2026, 10, 1)))


@pytest.mark.parametrize(
    ("on", "vat"),
    [
        (date.min, "25.00"),
        (date(2026, 3, 31), "25.00"),
        (date(2026, 4, 1), "20.00"),
        (date(2026, 9, 30), "20.00"),
        (date(2026, 10, 1), "22.00"),
        (date.max, "22.00"),
    ],
)
def test_an_entry_takes_the_rate_of_its_day(on: date, vat: str) -> None:
    entry = bill(str(100 + Decimal(vat)), line("100.00"), vat=code(Principle.NET, *DATED), on=on)
    charged = [one for one in entry.lines if one.line_type is LineType.VAT]
    assert sum(one.amount for one in charged) == Decimal(vat)
    assert {one.vat_rate for one in charged} == {Decimal(vat[:2])}
    assert len(charged) == (2 if vat == "20.00" else 1)  # half of it can't be deducted from April to September


def test_two_thirds_are_exact() -> None:
    vat_code = code(Principle.GROSS, rate("25", Fraction(2, 3)))
    entry = bill("750000000.00", line("750000000.00"), vat=vat_code)
    assert amounts(entry) == {"expense": "650000000.00", "vat": "100000000.00", "payable": "-750000000.00"}


@pytest.mark.parametrize("units", range(1, 200))
def test_any_gross_amount_can_be_entered_with_a_code_of_principle_net(units: int) -> None:
    """One gross amount in five is no net amount with a quarter on top."""
    gross = Decimal(units).scaleb(-2)
    entry = bill(str(gross), line(str(gross), included=True), vat=code(Principle.NET, rate("25")))
    found = amounts(entry)
    vat = (gross / 5).quantize(ORE, ROUND_HALF_UP)
    assert Decimal(found["payable"]) == -gross
    assert Decimal(found.get("vat", "0")) == vat
    assert Decimal(found["expense"]) == gross - vat


def test_a_net_amount_with_a_code_of_principle_gross() -> None:
    entry = bill("125.00", line("100.00", included=False), vat=code(Principle.GROSS, rate("25")))
    assert amounts(entry) == {"expense": "100.00", "vat": "25.00", "payable": "-125.00"}


@pytest.mark.parametrize(
    ("amount", "stated", "included", "booked", "difference"),
    [
        ("100.00", "25.00", False, "25.00", "0.00"),
        ("100.00", "24.99", False, "24.99", "-0.01"),
        ("100.00", "26.00", False, "26.00", "1.00"),
        ("100.00", "24.00", False, "24.00", "-1.00"),
        ("10000.00", "2525.00", False, "2525.00", "25.00"),
        ("10000.00", "2475.00", False, "2475.00", "-25.00"),
        ("1250.00", "249.93", True, "249.93", "-0.07"),
        ("4.00", "0.00", False, None, "-1.00"),
        ("4.01", "0.00", False, None, "-1.00"),
    ],
)
def test_the_vat_on_the_voucher_is_booked_as_stated(
    amount: str, stated: str, included: bool, booked: str | None, difference: str
) -> None:
    owed = Decimal(amount) if included else Decimal(amount) + Decimal(stated)
    vat_code = code(Principle.NET, rate("25"))
    entry = bill(str(owed), line(amount, included=included, stated=stated), vat=vat_code)
    assert amounts(entry).get("vat") == booked
    assert amounts(entry)["payable"] == str(-owed)
    assert entry.lines[0].vat_difference == Decimal(difference)
    assert {one.vat_difference for one in entry.lines[1:]} == {None}


@pytest.mark.parametrize(
    ("entered", "vat_code", "error", "property_"),
    [
        (line("100.00", included=False, stated="26.01"), code(Principle.NET, rate("25")), "MISMATCH", "vatAmount"),
        (line("100.00", included=False, stated="23.99"), code(Principle.NET, rate("25")), "MISMATCH", "vatAmount"),
        (line("10000.00", stated="2525.01"), code(Principle.NET, rate("25")), "MISMATCH", "vatAmount"),
        (line("4.04", stated="0.00"), code(Principle.NET, rate("25")), "MISMATCH", "vatAmount"),
        (line("100.00", stated="0.50"), code(Principle.GROSS, rate("0")), "MISMATCH", "vatAmount"),
        (line("100.00", stated="25.001"), code(Principle.NET, rate("25")), "VALIDATION", "vatAmount"),
        (line("0.50", included=True, stated="0.50"), code(Principle.NET, rate("25")), "VALIDATION", "vatAmount"),
        (line("100.00", stated="25"), code(Principle.NET, rate("25"), contra=True), "VALIDATION", "vatAmount"),
        (line("100.00", included=True), code(Principle.NET, rate("25"), contra=True), "VALIDATION", "vatIncluded"),
        (untaxed(line("100.00", included=True)), code(Principle.NET, rate("25")), "VALIDATION", "vatIncluded"),
        (untaxed(line("100.00", stated="1")), code(Principle.NET, rate("25")), "VALIDATION", "vatAmount"),
    ],
)
def test_what_no_voucher_can_say_is_refused(entered: LineInput, vat_code: VatCode, error: str, property_: str) -> None:
    refusal = refused(entered, vat=vat_code)
    if error == "MISMATCH":
        assert refusal.code == "JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH"
        assert refusal.details["property"] == f"lines.0.{property_}"
        assert {"vatAmount", "computedVatAmount"} <= set(refusal.details)
    else:
        assert refusal.code == "SHARED_VALIDATION_FAILED"
        assert refusal.details["validationErrors"][0]["property"] == f"lines.0.{property_}"


def test_rates_are_read_by_their_days() -> None:
    vat_code = code(Principle.NET, *DATED)
    assert [vat_code.rate_on(one.valid_from) for one in DATED] == list(DATED)
    assert replace(vat_code, rates=DATED[:1]).rate_on(date.max) == DATED[0]
