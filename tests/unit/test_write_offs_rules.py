"""What an invoice that is given up is booked by: the receivable ends at zero, and its VAT is that of what was due."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_chart_rules import VAT_ACCOUNT
from tests.unit.test_invoices_rules import NOW, invoice

from ledgerbee.chart.accounts.model import AccountId
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, ZERO, minor_units, round_money, total
from ledgerbee.ledger.entries.model import LineType, Side
from ledgerbee.ledger.entries.rules import check_balanced
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.invoices import rules as invoice_rules
from ledgerbee.sales.invoices.model import Invoice, InvoiceStatus
from ledgerbee.sales.write_offs import rules
from ledgerbee.sales.write_offs.model import Charged, WriteOffFields, WriteOffSources

D = Decimal
TODAY = date(2026, 3, 20)
LOSS = replace(VAT_ACCOUNT, id=AccountId(new_id()))
OUTPUT_VAT = new_id()
CODES = [new_id() for _ in range(3)]


def sent(amount: str | Decimal, paid: Decimal = ZERO, credited: Decimal = ZERO, **fields: Any) -> Invoice:
    """A booked invoice of EUR at 7.46 unless told otherwise."""
    values: dict[str, Any] = {"exchange_rate": D("7.46"), "currency": "EUR", **fields}
    base = round_money(EXACT.multiply(D(amount), values["exchange_rate"]), "DKK")
    return replace(
        invoice(values["currency"], InvoiceStatus.SENT), number="7", amount=D(amount), amount_paid=paid,
        credited_amount=credited, base_amount=base, receivable_account_id=new_id(), sent_at=NOW, **values,
    )  # fmt: skip


def charged(amount: Decimal, rate: Decimal, place: int = 0) -> Charged:
    base = round_money(EXACT.multiply(amount, rate), "DKK")
    return Charged(OUTPUT_VAT, CODES[place], D(25), amount, base)


def sources(*vat: Charged, settled: Decimal = ZERO, **fields: Any) -> WriteOffSources:
    values = {
        "base_currency": "DKK", "language": "da", "customer_name": "Havblik A/S", "settled": settled, "charged": vat,
        "prepaid": (), "journal_category_id": None, "accounts_by_role": {"BAD_DEBTS": LOSS},
    }  # fmt: skip
    return WriteOffSources(**{**values, **fields})


@pytest.mark.parametrize(
    ("amount", "vat", "paid", "credited", "loss", "of_vat"),
    [
        ("1250", ["250"], "0", "0", "1000", ["250"]),
        ("1250", ["250"], "500", "0", "600", ["150"]),
        # 625.00 was credited and 125.00 of its VAT; 80 % of the 312.50 that is due is the loss.
        ("1250", ["125"], "312.50", "625", "250", ["62.50"]),
        # Half of what was sold is without VAT: of 2,250.00 a ninth is VAT.
        ("2250", ["250"], "1125", "0", "1000", ["125"]),
        # Two codes with VAT, each by itself.
        ("1375", ["250", "25"], "0", "0", "1100", ["250", "25"]),
        ("1375", ["250", "25"], "687.50", "0", "550", ["125", "12.50"]),
        # Export, reverse charge, exempt: no VAT was charged.
        ("1000", [], "0", "0", "1000", []),
        # 0.01 of 374.96 has no VAT that could be booked.
        ("374.96", ["74.99"], "374.95", "0", "0.01", []),
        # A discount at 25 % on sales without VAT: what was charged is negative, and so is what goes back.
        ("875", ["-25"], "0", "0", "900", ["-25"]),
    ],
)  # fmt: skip
def test_the_vat_in_what_is_due_goes_back(
    amount: str, vat: list[str], paid: str, credited: str, loss: str, of_vat: list[str]
) -> None:
    it = sent(amount, D(paid), D(credited), currency="DKK", exchange_rate=ONE)
    found = sources(*(charged(D(one), ONE, place) for place, one in enumerate(vat)), settled=D(paid) + D(credited))
    booking = rules.book(WriteOffFields(description="Konkurs"), it, found, TODAY, NOW)
    receivable, lost, *regulated = booking.entry.lines
    assert (receivable.account_id, receivable.side, receivable.amount) == (
        it.receivable_account_id, Side.CREDIT, it.amount_due,
    )  # fmt: skip
    assert (lost.account_id, lost.side, lost.amount, lost.vat_code_id) == (LOSS.id, Side.DEBIT, D(loss), None)
    assert [
        (line.line_type, line.account_id, line.vat_code_id, line.vat_rate, line.side, line.amount) for line in regulated
    ] == [
        (LineType.VAT, OUTPUT_VAT, CODES[place], D(25), Side.CREDIT if D(one) < 0 else Side.DEBIT, abs(D(one)))
        for place, one in enumerate(of_vat)
    ]
    assert (booking.write_off.amount, booking.write_off.loss) == (it.amount_due, D(loss))
    assert booking.write_off.vat_amount == booking.write_off.base_vat_amount == sum(map(D, of_vat))
    assert (booking.entry.date, booking.entry.reference) == (TODAY, "7")
    assert booking.entry.description == "Konkurs, Tab på faktura 7, Havblik A/S"


def test_the_text_is_in_the_companys_language() -> None:
    booking = rules.book(WriteOffFields(), sent("100"), sources(language="en"), TODAY, NOW)
    assert booking.entry.description == "Loss on invoice 7, Havblik A/S"


AHEAD = new_id()


def ahead(amount: str, base_amount: str | None = None, place: int = 0, rate: str = "25") -> Charged:
    return Charged(AHEAD, CODES[place], D(rate), D(amount), D(base_amount or amount))


@pytest.mark.parametrize(
    ("amount", "received", "vat", "paid", "taken"),
    [
        ("1250", ["1000"], ["250"], "0", ["1000"]),
        ("1250", ["1000"], ["250"], "500", ["600"]),
        # Half of it is without VAT: a third of 2,250.00 is due.
        ("2250", ["1000", "1000"], ["250"], "1500", ["333.33", "333.34"]),
        # Nothing but VAT would be due by its share.
        ("0.05", ["0.04"], ["0.01"], "0.04", ["0.01"]),
    ],
)
def test_what_is_not_paid_of_a_prepayment_leaves_prepayments(
    amount: str, received: list[str], vat: list[str], paid: str, taken: list[str]
) -> None:
    it = sent(amount, D(paid), currency="DKK", exchange_rate=ONE)
    prepaid = [ahead(one, place=place) for place, one in enumerate(received)]
    found = sources(*(charged(D(one), ONE) for one in vat), settled=D(paid), prepaid=prepaid, accounts_by_role={})
    booking = rules.book(WriteOffFields(), it, found, TODAY, NOW)
    check_balanced(booking.entry.lines)
    of_ahead = [line for line in booking.entry.lines if line.account_id == AHEAD]
    assert sorted(line.amount for line in of_ahead) == sorted(map(D, taken))
    assert {(line.side, line.line_type, line.vat_rate) for line in of_ahead} == {(Side.DEBIT, LineType.ENTERED, D(25))}
    assert (booking.write_off.prepaid_amount, booking.write_off.loss) == (sum(map(D, taken)), ZERO)
    assert booking.entry.description == "Opgivet forudbetaling, faktura 7, Havblik A/S"
    english = rules.book(WriteOffFields(), it, replace(found, language="en"), TODAY, NOW)
    assert english.entry.description == "Prepayment given up, invoice 7, Havblik A/S"


@pytest.mark.parametrize(("received", "role"), [("746.01", "FX_GAIN"), ("745.99", "FX_LOSS")])
def test_prepayments_are_given_up_as_they_were_booked(received: str, role: str) -> None:
    it = sent("100")
    accounts = {role: LOSS}
    found = sources(prepaid=[ahead("100", received)], accounts_by_role=accounts)
    entry = rules.book(WriteOffFields(), it, found, TODAY, NOW).entry
    check_balanced(entry.lines)
    assert entry.lines[1].base_amount == D(received)
    last = entry.lines[-1]
    assert last.account_id == LOSS.id
    assert (last.amount, last.base_amount) == (ZERO, D("0.01"))
    without = replace(found, accounts_by_role={})
    assert refusal(WriteOffFields(), it, without) == "WRITE_OFF_ACCOUNT_MISSING"


def test_what_is_less_than_its_shares_is_taken_all_the_same() -> None:
    """0.01 is due of 100.00: each code's share of it rounds to nothing."""
    it = sent("100.00", D("99.99"), currency="DKK", exchange_rate=ONE)
    found = sources(settled=D("99.99"), prepaid=[ahead("40"), ahead("40", place=1), ahead("20", place=2)])
    booking = rules.book(WriteOffFields(), it, found, TODAY, NOW)
    assert [line.amount for line in booking.entry.lines] == [D("0.01"), D("0.01")]


cents = st.integers(0, 10**7).map(lambda units: D(units).scaleb(-2))


@given(
    nets=st.lists(st.tuples(cents, st.sampled_from(["25", "12", "0"])), min_size=1, max_size=3),
    rate=st.integers(1, 10**5).map(lambda units: D(units).scaleb(-4)),
    currency=st.sampled_from(["EUR", "JPY"]),
    credited=st.integers(0, 99),
    paid=st.integers(0, 99),
    strayed=st.integers(-2, 2),
)
def test_nothing_is_left_of_the_receivable(
    nets: list[tuple[Decimal, str]], rate: Decimal, currency: str, credited: int, paid: int, strayed: int
) -> None:
    """In both currencies, whatever was paid and credited, and however it was rounded."""
    unit = D(1).scaleb(-minor_units(currency))
    sold = [(round_money(net, currency), round_money(net * D(percent) / 100, currency)) for net, percent in nets]
    amount = total([net + vat for net, vat in sold])
    off = round_money(amount * credited / 100, currency)
    part = round_money((amount - off) * paid / 100, currency)
    it = sent(amount, part, off, currency=currency, exchange_rate=rate)
    if not it.amount_due:
        return
    whole = amount - off
    vat = [charged(round_money(one * whole / amount, currency), rate, place) for place, (_, one) in enumerate(sold)]
    # What was settled so far was converted by itself, and may be some units apart.
    settled = round_money((part + off) * rate, "DKK") + (D("0.01") * strayed if part else ZERO)
    booking = rules.book(WriteOffFields(), it, sources(*vat, settled=settled), TODAY, NOW)
    lines, write_off, after = booking.entry.lines, booking.write_off, booking.invoice
    check_balanced(lines)
    assert (after.status, after.amount_due, after.excess) == (InvoiceStatus.UNCOLLECTIBLE, ZERO, ZERO)
    assert write_off.amount == after.written_off_amount == it.amount_due
    assert lines[0].base_amount == write_off.base_amount == max((it.base_amount or ZERO) - settled, ZERO)
    for one in vat:
        [taken] = [line.amount for line in lines if line.vat_code_id == one.vat_code_id] or [ZERO]
        assert abs(taken - one.amount * it.amount_due / whole) <= unit / 2
        assert part or taken == one.amount, "of what nobody paid, all of the VAT"
    assert write_off.vat_amount == sum(line.amount for line in lines if line.line_type is LineType.VAT)
    assert write_off.base_vat_amount == sum(line.base_amount for line in lines if line.line_type is LineType.VAT)


def refusal(given_fields: WriteOffFields, it: Invoice, found: WriteOffSources) -> str:
    with pytest.raises(LedgerBeeError) as refused:
        rules.book(given_fields, it, found, TODAY, NOW)
    return refused.value.code


def test_refusals_come_in_their_order() -> None:
    before, later = WriteOffFields(date(2026, 3, 15)), WriteOffFields(TODAY + timedelta(days=400))
    without = sources(accounts_by_role={})
    for status in set(InvoiceStatus) - invoice_rules.PAYABLE:
        assert refusal(before, replace(sent("100"), status=status), without) == "INVOICE_INVALID_STATE"
    for given_fields in (before, later):
        assert refusal(given_fields, sent("100"), without) == "SHARED_VALIDATION_FAILED"
    assert refusal(WriteOffFields(), sent("100"), without) == "WRITE_OFF_ACCOUNT_MISSING"
    with pytest.raises(LedgerBeeError) as refused:
        rules.require_written_off(None, InvoiceStatus.PAID)
    assert refused.value.code == "INVOICE_NOT_WRITTEN_OFF"
    standing = rules.book(WriteOffFields(), sent("100"), sources(), TODAY, NOW).write_off
    assert rules.require_written_off(standing, InvoiceStatus.UNCOLLECTIBLE) is standing


def test_without_a_day_it_is_today_or_the_invoices() -> None:
    ahead = sent("100", issue_date=date(2026, 4, 1))
    found = [
        rules.book(WriteOffFields(day), it, sources(), TODAY, NOW).write_off.written_off_on
        for day, it in ((None, sent("100")), (None, ahead), (date(2026, 3, 17), sent("100")))
    ]
    assert found == [TODAY, date(2026, 4, 1), date(2026, 3, 17)]


@pytest.mark.parametrize(
    ("paid", "sent_at", "delivery", "status"),
    [
        ("0", NOW, None, "sent"),
        ("40", NOW, None, "partially_paid"),
        ("0", None, DeliveryStatus.SENDING, "sending"),
        ("0", None, DeliveryStatus.PENDING, "scheduled"),
    ],
)
def test_taken_back_it_stands_where_it_stood(
    paid: str, sent_at: Any, delivery: DeliveryStatus | None, status: str
) -> None:
    it = replace(sent("100", D(paid)), status=InvoiceStatus(status), sent_at=sent_at)
    later = NOW + timedelta(days=1)
    given_up = invoice_rules.write_off(it, NOW)
    assert invoice_rules.take_up_again(given_up, delivery, later) == replace(it, updated_at=later)
    for wrong in (it, replace(it, status=InvoiceStatus.DRAFT)):
        with pytest.raises(LedgerBeeError) as refused:
            invoice_rules.take_up_again(wrong, delivery, later)
        assert refused.value.code == "INVOICE_INVALID_STATE"
