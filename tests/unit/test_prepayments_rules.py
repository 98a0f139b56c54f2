"""What prepayment invoices are booked on, and what the final invoice takes off: net, VAT and what was booked."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_chart_rules import VAT_ACCOUNT
from tests.unit.test_credit_note_allocation_rules import STANDARD, Crediting, sold
from tests.unit.test_credit_note_allocation_rules import invoice as creditable
from tests.unit.test_invoices_rules import OUTPUT_VAT, RECEIVABLE, TAXES, entry_of, invoice, product
from tests.unit.test_invoices_rules import STANDARD as CODE
from tests.unit.test_payment_entries_rules import ROLES

from ledgerbee.chart.accounts.model import AccountId
from ledgerbee.core.errors import VALIDATION_FAILED, LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, ZERO, round_money, total
from ledgerbee.ledger.entries.model import EntryToPost, Side
from ledgerbee.ledger.entries.rules import check_balanced
from ledgerbee.sales.credit_notes.model import (
    CREDIT_NOTE_EXCEEDS_INVOICE,
    CREDIT_NOTE_LINE_NOT_ON_INVOICE,
    CreditedLine,
)
from ledgerbee.sales.credit_notes.rules import is_credited, taken_by
from ledgerbee.sales.documents.model import Carried, DocumentLineType, Line, Tax
from ledgerbee.sales.documents.rules import compute
from ledgerbee.sales.invoices.model import (
    INVOICE_INVALID_STATE,
    INVOICE_PREPAYMENT_ACCOUNT_MISSING,
    INVOICE_PREPAYMENT_DEDUCTED,
    INVOICE_PREPAYMENT_UNUSABLE,
    Booked,
    DeductionLine,
    InvoiceStatus,
    Prepayment,
)
from ledgerbee.sales.invoices.rules import prepayments as rules
from ledgerbee.sales.invoices.rules.draft import check_prepayment, terms

D = Decimal
ACCOUNT = replace(VAT_ACCOUNT, id=AccountId(new_id()))
BUYER = new_id()
DAY = date(2026, 3, 16)


def charged(net: str, code: UUID | None = CODE, rate: str = "25", account: UUID = ACCOUNT.id) -> Line:
    return replace(product(new_id(), D(net)), account_id=account, vat_code_id=code, vat_rate=D(rate))


def prepaid(*lines: Line, credited: Mapping[UUID, Decimal] | None = None, **fields: Any) -> Prepayment:
    values = {"number": "7", "is_prepayment": True, "customer_id": BUYER, **fields}
    text = Line(new_id(), DocumentLineType.TEXT, "Rate 1")
    return Prepayment(replace(invoice("EUR", InvoiceStatus.SENT), **values), (text, *lines), credited or {})


def test_it_is_booked_on_the_account_of_prepayments_and_taxed_as_the_sales() -> None:
    assert rules.prepayments_account({rules.PREPAYMENTS: ACCOUNT}) == ACCOUNT
    with pytest.raises(LedgerBeeError) as raised:
        rules.prepayments_account({})
    assert raised.value.error_code is INVOICE_PREPAYMENT_ACCOUNT_MISSING
    taxes = rules.booked_on(ACCOUNT.id, TAXES)
    assert {key: replace(tax, account_id=TAXES[key].account_id) for key, tax in taxes.items()} == TAXES
    assert {tax.account_id for tax in taxes.values()} == {ACCOUNT.id}
    assert terms(prepaid(charged("1")).invoice).is_prepayment


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"is_prepayment": False}, "isPrepayment"),
        *[({"status": status}, "status") for status in ("draft", "cancelled", "credited", "uncollectible")],
        ({"customer_id": new_id()}, "customerId"),
        ({"currency": "DKK"}, "currency"),
        ({"issue_date": DAY + timedelta(days=1)}, "date"),
    ],
)
def test_what_can_not_be_deducted(fields: dict[str, Any], reason: str) -> None:
    if "status" in fields:
        fields = {"status": InvoiceStatus(fields["status"])}
    with pytest.raises(LedgerBeeError) as raised:
        rules.check_deductible(prepaid(charged("100"), **fields), BUYER, "EUR", DAY, None)
    assert (raised.value.error_code, raised.value.details["reason"]) == (INVOICE_PREPAYMENT_UNUSABLE, reason)


def test_what_is_credited_is_not_deducted() -> None:
    line, draft = charged("100"), new_id()
    part = prepaid(line, credited={line.id: D("-99.99")})
    rules.check_deductible(part, BUYER, "EUR", DAY, None)
    for it, reason in (
        (prepaid(line, credited={line.id: D(-100)}), "amount"),
        (replace(part, has_pending_note=True), "creditNotes"),
    ):
        with pytest.raises(LedgerBeeError) as raised:
            rules.check_deductible(it, BUYER, "EUR", DAY, None)
        assert raised.value.details["reason"] == reason
    taken = prepaid(line, deducted_by_invoice_id=draft)
    rules.check_deductible(taken, BUYER, "EUR", DAY, draft)
    rules.check_not_deducted(part.invoice)
    refusals: list[Callable[[], None]] = [
        lambda: rules.check_deductible(taken, BUYER, "EUR", DAY, new_id()),
        lambda: rules.check_not_deducted(taken.invoice),
    ]
    for refused in refusals:
        with pytest.raises(LedgerBeeError) as raised:
            refused()
        assert raised.value.error_code is INVOICE_PREPAYMENT_DEDUCTED
        assert raised.value.details["deductedByInvoiceId"] == str(draft)


def test_there_is_a_deduction_for_each_code_and_rate() -> None:
    first, second, gone, none = charged("100"), charged("50"), charged("30", new_id()), charged("9", None, "0")
    it = prepaid(first, second, gone, none, credited={second.id: D(-20), gone.id: D(-30)})
    other = prepaid(charged("1"), number="8")
    made = rules.deductions([it, other], "da", ())
    assert [(line.net, line.vat_code_id, line.vat_rate, line.account_id, line.price_id) for line in made] == [
        (D(-130), CODE, D(25), ACCOUNT.id, first.price_id),
        (D(-9), None, D(0), ACCOUNT.id, none.price_id),
        (D(-1), CODE, D(25), ACCOUNT.id, other.lines[1].price_id),
    ]
    assert {(line.quantity, line.is_added, line.tax_key == line.id) for line in made} == {(-ONE, True, True)}
    assert [line.unit_price for line in made] == [D(130), D(9), D(1)]
    assert [line.description for line in made[1:]] == [f"Forudbetalt, faktura {n} af 16.03.2026" for n in (7, 8)]
    [same, *_] = rules.deductions([it], "en", [*made, first])
    assert (same.id, same.description) == (made[0].id, "Prepaid, invoice 7 of 2026-03-16")
    assert rules.given_by_added(made) == {"prepayment_invoice_ids": (it.invoice.id, other.invoice.id)}
    own = DeductionLine(new_id(), DocumentLineType.PRODUCT, price_id=first.price_id)
    assert (own.is_added, own.tax_key) == (False, first.price_id)
    computed = compute([first], {first.price_id: STANDARD} if first.price_id else {}, "EUR")
    assert rules.with_lines(computed, made) == (*computed.lines, *made)


def test_an_invoice_deducts_once_and_no_prepayment_deducts() -> None:
    check_prepayment([new_id()], is_prepayment=False)
    check_prepayment([], is_prepayment=True)
    for ids, is_prepayment in (([BUYER, BUYER], False), ([BUYER], True)):
        with pytest.raises(LedgerBeeError) as raised:
            check_prepayment(ids, is_prepayment=is_prepayment)
        assert raised.value.error_code is VALIDATION_FAILED


def final_entry(nets: list[Decimal], then: Decimal, now: Decimal) -> tuple[EntryToPost, Decimal]:
    """The entry of an invoice in euro of 100,000.00 that deducts these, and what they were booked at in kroner."""
    sale = next(iter(TAXES))
    tax = Tax(ACCOUNT.id, CODE, D(25), "S", OUTPUT_VAT)
    made = [
        DeductionLine(new_id(), DocumentLineType.PRODUCT, price_id=sale, net=-net, prepayment_invoice_id=new_id())
        for net in nets
    ]
    own = product(sale, D(100_000))
    booked = {
        Booked(line.prepayment_invoice_id, ACCOUNT.id, CODE, D(25)): round_money(EXACT.multiply(net, then), "DKK")
        for line, net in zip(made, nets, strict=True)
        if line.prepayment_invoice_id
    }
    taxes = rules.carrying([own, *made], {**TAXES, **{line.id: tax for line in made}}, booked, ROLES)
    computed = compute([own, *made], taxes, "EUR")
    return entry_of(computed, "EUR", now), total(list(booked.values()))


RATES = st.decimals("5", "9", places=4)


@given(st.lists(st.decimals("0.01", "9000", places=2), min_size=1, max_size=5), RATES, RATES)
def test_prepayments_are_taken_out_as_they_were_booked(nets: list[Decimal], then: Decimal, now: Decimal) -> None:
    """What the rates differ by is a gain or a loss; receivable and VAT are at the rate of the day."""
    entry, booked = final_entry(nets, then, now)
    check_balanced(entry.lines)
    out = [line for line in entry.lines if line.account_id == ACCOUNT.id]
    assert {line.side for line in out} == {Side.DEBIT}
    assert (total([line.amount for line in out]), total([line.base_amount for line in out])) == (total(nets), booked)
    exact = {RECEIVABLE, OUTPUT_VAT}
    assert all(
        line.base_amount == round_money(EXACT.multiply(line.amount, now), "DKK")
        for line in entry.lines
        if line.account_id in exact
    )
    at_rate = total([round_money(EXACT.multiply(net, now), "DKK") for net in nets])
    difference = [line for line in entry.lines if not line.amount]
    expected = EXACT.subtract(booked, at_rate)
    account, side = (ROLES["FX_GAIN"], Side.CREDIT) if expected > 0 else (ROLES["FX_LOSS"], Side.DEBIT)
    assert [(line.account_id, line.side, line.base_amount) for line in difference] == (
        [(account.id, side, abs(expected))] if expected else []
    )


def test_what_is_not_foreign_is_not_carried() -> None:
    line = DeductionLine(
        new_id(), DocumentLineType.PRODUCT, price_id=new_id(), net=D(-1), prepayment_invoice_id=new_id()
    )
    taxes = {line.id: Tax(ACCOUNT.id, None, ZERO, "Z")}
    assert rules.carrying([line, product(new_id(), ONE)], taxes, {}, {}) == taxes
    assert line.prepayment_invoice_id is not None
    booked = {Booked(line.prepayment_invoice_id, ACCOUNT.id, None, None): D(7)}
    carried = rules.carrying([line], taxes, booked, ROLES)[line.id].carried
    assert carried == Carried(D(7), ROLES["FX_GAIN"].id, ROLES["FX_LOSS"].id)
    with pytest.raises(LedgerBeeError) as raised:
        rules.carrying([line], taxes, booked, {"FX_GAIN": ACCOUNT})
    assert raised.value.error_code is INVOICE_PREPAYMENT_ACCOUNT_MISSING
    assert raised.value.details["role"] == "FX_LOSS"


def test_a_deduction_is_credited_with_all_that_is_left() -> None:
    sale = creditable(sold("3", "100"), sold("-1", "100"))
    own, line = (found.line for found in sale.lines)
    added = DeductionLine(
        line.id, line.line_type, line.description, line.price_id, line.product_id, quantity=line.quantity,
        unit_price=line.unit_price, discount_percent=ZERO, net=line.net, vat=line.vat, prepayment_invoice_id=new_id(),
    )  # fmt: skip
    crediting = Crediting(replace(sale, lines=(sale.lines[0], replace(sale.lines[1], line=added))))
    whole, deduction = (CreditedLine(DocumentLineType.PRODUCT, invoice_line_id=it.id) for it in (own, added))
    part = replace(whole, quantity=D(2))
    assert crediting.refused(part, deduction).error_code is CREDIT_NOTE_EXCEEDS_INVOICE
    by_price = CreditedLine(DocumentLineType.PRODUCT, price_id=added.price_id)
    assert crediting.refused(by_price).error_code is CREDIT_NOTE_LINE_NOT_ON_INVOICE
    note = crediting.credit(part)
    assert not is_credited(crediting.invoice, note)
    assert [it.net for it in crediting.credit(whole, deduction)] == [D(-100), D(100)]
    # Asked for or not, it goes with the last piece.
    crediting.notes = [note]
    last = crediting.credit(replace(whole, quantity=ONE))
    assert [(it.invoice_line_id, it.net) for it in last] == [(own.id, D(-100)), (added.id, D(100))]
    assert is_credited(replace(crediting.invoice, taken=tuple(taken_by(note))), last)


def test_of_an_invoice_of_nothing_the_last_piece_is_the_last() -> None:
    """Of one that costs something it is what its amount is of: what is free may be left."""
    free = Crediting(creditable(sold("2", "0")))
    piece = CreditedLine(DocumentLineType.PRODUCT, invoice_line_id=free.invoice.lines[0].line.id, quantity=ONE)
    first, second = free.credit(piece), free.credit(piece)
    assert not is_credited(free.invoice, first)
    assert is_credited(replace(free.invoice, taken=tuple(taken_by(first))), second)
    gift = Crediting(creditable(sold("1", "100"), sold("1", "0")))
    assert is_credited(gift.invoice, gift.credit(gift.line(0)))


def test_what_was_written_off_is_not_given_back() -> None:
    it = prepaid(charged("100")).invoice
    rules.check_given_back(it)
    with pytest.raises(LedgerBeeError) as raised:
        rules.check_given_back(replace(it, status=InvoiceStatus.UNCOLLECTIBLE))
    assert raised.value.error_code is INVOICE_INVALID_STATE
    assert raised.value.details == {"status": "uncollectible", "invoiceId": str(it.id)}
