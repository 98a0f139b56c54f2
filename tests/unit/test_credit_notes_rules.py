"""What a credit note is booked by, what its invoice becomes, and in which order it is refused."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.test_credit_note_allocation_rules import EXEMPT, STANDARD, invoice, sold
from tests.unit.test_documents_rules import vat_code
from tests.unit.test_invoices_booking import COMPANY, GROUP, template
from tests.unit.test_invoices_rules import NOW, customer
from tests.unit.test_invoices_rules import invoice as drafted
from tests.unit.test_payment_entries_rules import ROLES

from ledgerbee.core.errors import VALIDATION_FAILED, ErrorCode, LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ONE, ZERO, round_money
from ledgerbee.ledger.entries.model import LineType, Side
from ledgerbee.ledger.entries.rules import Conversion, check_balanced
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND, BillingFacts
from ledgerbee.payments.customer_payments.rules import base_settled
from ledgerbee.sales.credit_notes import rules
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.credit_notes.model import (
    CREDIT_NOTE_ACCOUNT_MISSING,
    CREDIT_NOTE_AMOUNT_POSITIVE,
    CREDIT_NOTE_INVALID_STATE,
    CREDIT_NOTE_INVOICE_TOO_OLD,
    CREDIT_NOTE_RECIPIENT_MISSING,
    Creditable,
    CreditedInvoice,
    CreditNote,
    CreditNoteFields,
    CreditNoteLine,
    CreditNoteStatus,
    FullCreditNote,
    InvoiceCreditFields,
    NoteSources,
)
from ledgerbee.sales.deferrals.model import Deferral, HeldDeferral
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents.model import SALES_DOCUMENT_CUSTOMER_INACTIVE, DocumentLineType, Sources
from ledgerbee.sales.documents.rules import tax_of_code
from ledgerbee.sales.invoices import rules as invoice_rules
from ledgerbee.sales.invoices.model import (
    INVOICE_INVALID_STATE,
    INVOICE_SELLER_INCOMPLETE,
    Invoice,
    InvoiceStatus,
)
from ledgerbee.sales.sending.model import SendOptions
from ledgerbee.sales.sending.rules import numbered
from ledgerbee.sales.templates.model import TemplateType
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

D = Decimal
RECEIVABLE = new_id()
BUYER = {"name": "Havblik A/S", "ean": "5798000000001"}
SELLER = replace(COMPANY, address="Strandvejen 7", postal_code="2900", city="Hellerup", vat_number="13585628")
MANUAL, EMAIL = (SendOptions(kind) for kind in (DeliveryType.MANUAL, DeliveryType.EMAIL))
DANISH, ENGLISH = (
    replace(template(TemplateType.CREDIT_NOTE), language=language, is_default=language == "da")
    for language in ("da", "en")
)


def booked(amount: Decimal, currency: str = "DKK", rate: Decimal = ONE, **fields: Any) -> Invoice:
    base = round_money(EXACT.multiply(amount, rate), "DKK")
    return replace(
        drafted(currency, InvoiceStatus.SENT), number="7", amount=amount, subtotal=amount, base_amount=base,
        exchange_rate=rate, receivable_account_id=RECEIVABLE, journal_entry_id=new_id(), sent_at=NOW, **fields,
    )  # fmt: skip


SALE = invoice(sold("2", "100"), sold("1", "30", EXEMPT))


def given_of(it: Invoice, **fields: Any) -> InvoiceCreditFields:
    fields = {"customer_id": it.customer_id, "issue_date": it.issue_date, **fields}
    return InvoiceCreditFields(invoice_number="7", **fields)


def note_on(it: Invoice, sale: Creditable = SALE, **fields: Any) -> FullCreditNote:
    note = rules.of_invoice(given_of(it, **fields), it, NOW)
    return rules.with_lines(replace(note, number="3", number_sequence=3), rules.allocate(sale, None))


def found_of(it: Invoice | None, **fields: Any) -> NoteSources:
    facts = BillingFacts(customer(), GROUP, None)
    sources = Sources(SELLER, facts, None, None, (DANISH, ENGLISH), None)
    credited = None if it is None else CreditedInvoice(it, BUYER, "en", ZERO)
    rate = D(1) if it is None else it.exchange_rate
    return replace(NoteSources(sources, SALE.taxes, rate, credited, ROLES), **fields)


def refusal(full: FullCreditNote, found: NoteSources, options: SendOptions = MANUAL) -> ErrorCode:
    with pytest.raises(LedgerBeeError) as raised:
        rules.book(full, found, options, NOW)
    return raised.value.error_code


def test_a_note_takes_the_invoices_accounts_and_swaps_the_sides() -> None:
    it = booked(SALE.amount)
    booking = rules.book(note_on(it), found_of(it), MANUAL, NOW)
    entry = booking.entry
    assert entry is not None
    check_balanced(entry.lines)
    assert [(line.account_id, line.side, line.amount, line.line_type) for line in entry.lines] == [
        (RECEIVABLE, Side.CREDIT, D("280.00"), LineType.CONTROL),
        (STANDARD.account_id, Side.DEBIT, D("200.00"), LineType.ENTERED),
        (EXEMPT.account_id, Side.DEBIT, D("30.00"), LineType.ENTERED),
        (STANDARD.vat_account_id, Side.DEBIT, D("50.00"), LineType.VAT),
    ]
    assert (entry.original_amount, entry.source_type) == (D("-280.00"), "credit_note")
    note = booking.document
    assert (note.status, note.base_amount, note.sent_at) == (CreditNoteStatus.SENT, D("-280.00"), NOW)
    assert (booking.template, rules.buyer_of(found_of(it))) == (ENGLISH, BUYER), "the invoice's language and buyer"
    assert rules.entry_text(note, "Havblik A/S", "en") == "Credit note 3 on invoice 7, Havblik A/S"
    assert rules.terms(note).credits_invoice_number == "7"


def test_another_ean_takes_the_place_of_the_invoices() -> None:
    it = booked(SALE.amount)
    assert rules.buyer_of(found_of(it), "5798009811578") == {**BUYER, "ean": "5798009811578"}


def test_without_a_template_in_the_invoices_language_it_is_as_for_any_document() -> None:
    it = booked(SALE.amount)
    found = found_of(it)
    found = replace(found, sources=replace(found.sources, templates=(DANISH,)))
    assert rules.draw_up(note_on(it), found).template == DANISH


def test_what_was_deferred_is_taken_off_before_revenue() -> None:
    """Of 200.00 without VAT 150.00 were deferred, of which 80.00 are left. A text takes nothing."""
    it, line = booked(SALE.amount), SALE.lines[0].line
    later = Deferral(
        invoice_line_id=line.id, invoice_id=it.id, account_id=new_id(), revenue_account_id=STANDARD.account_id,
        period_start=it.issue_date, period_end=date(2026, 6, 30), amount=D(150), base_amount=D(150), amount_left=D(80),
        base_amount_left=D(80), scheduled_amount=D(200), scheduled_base_amount=D(200),
        next_month=date(2026, 5, 1), created_at=NOW,
    )  # fmt: skip
    full = note_on(it)
    full = replace(full, lines=(CreditNoteLine(new_id(), DocumentLineType.TEXT, "Tak"), *full.lines))
    booking = rules.book(full, replace(found_of(it), deferrals=[HeldDeferral(later, "DKK")]), MANUAL, NOW)
    assert booking.entry is not None
    check_balanced(booking.entry.lines)
    assert [(line.account_id, line.amount) for line in booking.entry.lines[1:4]] == [
        (STANDARD.account_id, D(120)), (EXEMPT.account_id, D(30)), (later.account_id, D(80)),
    ]  # fmt: skip
    assert booking.credited is not None
    assert [one.amount for one in booking.credited.credits] == [D(80)]
    assert booking.credited.deferrals[0].next_month is None


def test_a_note_of_no_invoice_is_booked_as_a_sale_of_today_turned_round() -> None:
    it = booked(SALE.amount)
    note = note_on(it)
    free = replace(note, document=replace(note.document, invoice_id=None, invoice_number=None))
    booking = rules.book(free, found_of(None), EMAIL_TO, NOW)
    assert (booking.document.receivable_account_id, rules.buyer_of(found_of(None))) == (GROUP.account_id, None)
    assert (booking.document.status, booking.document.sent_at) == (CreditNoteStatus.SCHEDULED, None)
    assert rules.entry_text(booking.document, "Havblik A/S", "da") == "Kreditnota 3, Havblik A/S"


EMAIL_TO = SendOptions(DeliveryType.EMAIL, override_email="a@b.dk")


def test_refusals_in_their_order() -> None:
    """Each found is wrong in all that comes after it, too."""
    it = booked(SALE.amount, "EUR", D("7.5"))
    note = note_on(it)
    wrong = found_of(it, rate=None)
    nowhere = replace(wrong, sources=replace(wrong.sources, company=replace(SELLER, city=None)))
    inactive = replace(nowhere.sources.facts, customer=replace(customer(), is_active=False))
    gone = replace(nowhere, credited=None, sources=replace(nowhere.sources, facts=inactive))
    unknown = SendOptions(DeliveryType.EMAIL, document_template_id=new_id())
    assert refusal(note, gone, unknown) is SALES_DOCUMENT_CUSTOMER_INACTIVE
    assert refusal(note, nowhere, unknown) is DOCUMENT_TEMPLATE_NOT_FOUND
    assert refusal(note, nowhere, EMAIL) is INVOICE_SELLER_INCOMPLETE
    assert refusal(note, wrong, EMAIL) is CREDIT_NOTE_RECIPIENT_MISSING
    assert refusal(note, wrong) is EXCHANGE_RATE_MISSING
    settled = CreditedInvoice(it, BUYER, "en", D("0.01"))
    assert refusal(note, found_of(it, credited=settled, accounts_by_role={})) is CREDIT_NOTE_ACCOUNT_MISSING


@pytest.mark.parametrize(("settled", "side"), [("0.01", Side.CREDIT), ("-0.01", Side.DEBIT)])
def test_what_is_left_of_the_receivable_is_an_exchange_difference(settled: str, side: Side) -> None:
    """A cent of kroner more or less was settled than the invoice's rate makes of what is left."""
    it = booked(SALE.amount, "EUR", D("7.5"))
    credited = CreditedInvoice(it, BUYER, "da", D(settled))
    booking = rules.book(note_on(it), found_of(it, credited=credited), MANUAL, NOW)
    entry = booking.entry
    assert entry is not None
    check_balanced(entry.lines)
    assert (entry.lines[-1].side, entry.lines[-1].amount, entry.lines[-1].base_amount) == (side, ZERO, D("0.01"))
    assert booking.document.base_amount == D(settled) - D("2100.00")
    assert booking.in_base is not None
    assert (booking.in_base.vat, booking.in_base.rate) == (D("-375.00"), D("7.5"))


def test_without_a_difference_there_is_no_line_for_it() -> None:
    it = booked(SALE.amount, "EUR", D("7.5"))
    booking = rules.book(note_on(it), found_of(it), MANUAL, NOW)
    assert booking.entry is not None
    assert [line.line_type for line in booking.entry.lines].count(LineType.ENTERED) == 2
    assert booking.document.base_amount == D("-2100.00")
    unbooked = numbered(CREDIT_NOTES, replace(booking, entry=None), 9, "9", "da")
    assert (unbooked.entry, unbooked.document.number) == (None, "9")


CENTS = st.integers(1, 10**6)


@given(CENTS, st.decimals("0.0001", "500", places=12), st.lists(st.tuples(st.booleans(), CENTS), max_size=12))
def test_whatever_the_turns_of_payments_and_notes_the_receivable_ends_at_the_customers_credit(
    cents: int, rate: Decimal, steps: list[tuple[bool, int]]
) -> None:
    """In the company's currency: never more than was booked; all of it when nothing is due; what payments and notes
    are more than the invoice stays as a credit at its rate."""
    amount = D(cents).scaleb(-2)
    it, conversion = booked(amount, "EUR", rate), Conversion("EUR", "DKK", rate)
    total_booked = it.base_amount or ZERO
    payments = notes = ZERO
    for is_note, part in [*steps, (True, 10**6)]:
        if is_note:
            credit = min(D(part).scaleb(-2), amount - it.credited_amount)
            if not credit:
                continue
            taken = rules.base_amount(credit, CreditedInvoice(it, BUYER, "da", payments + notes), conversion)
            it, notes = invoice_rules.credit(it, credit, NOW), notes + taken
        else:
            paid = min(D(part).scaleb(-2), it.amount_due)
            if not paid:
                continue
            taken = base_settled(it, paid, payments + notes, "DKK")
            it, payments = invoice_rules.settle(it, paid, NOW), payments + taken
        assert taken >= 0
        settled = payments + notes - conversion.in_base(it.excess)
        assert settled <= total_booked
        if not it.amount_due:
            assert settled == total_booked
    assert it.status is InvoiceStatus.CREDITED


@pytest.mark.parametrize(
    ("paid", "credited", "more", "status"),
    [
        ("0", "0", "10", InvoiceStatus.SENT),
        ("0", "10", "40", InvoiceStatus.CREDITED),
        ("20", "0", "10", InvoiceStatus.PARTIALLY_PAID),
        ("20", "0", "30", InvoiceStatus.PAID),
        ("20", "0", "40", InvoiceStatus.PAID),
        ("50", "0", "50", InvoiceStatus.CREDITED),
    ],
)
def test_what_a_note_makes_of_an_invoice(paid: str, credited: str, more: str, status: InvoiceStatus) -> None:
    it = booked(D(50), amount_paid=D(paid), credited_amount=D(credited))
    before = InvoiceStatus.PAID if D(paid) == 50 else InvoiceStatus.PARTIALLY_PAID if D(paid) else InvoiceStatus.SENT
    after = invoice_rules.credit(replace(it, status=before), D(more), NOW)
    assert (after.status, after.credited_amount) == (status, D(credited) + D(more))
    assert after.amount_due == max(D(50) - D(paid) - D(credited) - D(more), ZERO)
    assert after.excess == max(D(paid) + D(credited) + D(more) - 50, ZERO)


@pytest.mark.parametrize("status", [InvoiceStatus.DRAFT, InvoiceStatus.CANCELLED, InvoiceStatus.UNCOLLECTIBLE])
def test_only_what_is_booked_is_credited(status: InvoiceStatus) -> None:
    it = replace(booked(D(50)), status=status)
    for refuse in (
        lambda: invoice_rules.credit(it, D(1), NOW),
        lambda: rules.check_is_of(given_of(it), it, it.issue_date),
    ):
        with pytest.raises(LedgerBeeError) as raised:
            refuse()
        assert raised.value.error_code is INVOICE_INVALID_STATE


@pytest.mark.parametrize(
    ("fields", "names"),
    [
        ({}, []),
        ({"currency": "DKK"}, []),
        ({"customer_id": new_id(), "currency": "EUR", "customer_department_id": new_id()},
         ["customerId", "currency", "customerDepartmentId"]),
        ({"issue_date": date(2026, 3, 15)}, ["date"]),
        ({"issue_date": date(2027, 3, 17)}, ["date"]),
    ],
)  # fmt: skip
def test_a_note_is_of_its_invoice(fields: dict[str, Any], names: list[str]) -> None:
    it = booked(D(50))
    if not names:
        rules.check_is_of(given_of(it, **fields), it, it.issue_date)
        return
    with pytest.raises(LedgerBeeError) as raised:
        rules.check_is_of(given_of(it, **fields), it, it.issue_date)
    assert raised.value.error_code is VALIDATION_FAILED
    assert [error["property"] for error in raised.value.details["validationErrors"]] == names


def test_a_mistyped_year() -> None:
    fields = CreditNoteFields(customer_id=new_id(), issue_date=date(2036, 3, 16), lines=())
    with pytest.raises(LedgerBeeError):
        rules.check_days(fields, date(2026, 3, 16))


def test_a_note_gives_something_back() -> None:
    note = note_on(booked(SALE.amount)).document
    line = CreditNoteLine(new_id(), DocumentLineType.PRODUCT, net=D(1), vat=ZERO)
    with pytest.raises(LedgerBeeError) as raised:
        rules.with_lines(note, [line])
    assert raised.value.error_code is CREDIT_NOTE_AMOUNT_POSITIVE


def test_only_what_is_not_sent_is_cancelled() -> None:
    note: CreditNote = note_on(booked(SALE.amount)).document
    cancelled = rules.cancel(note, NOW)
    assert (cancelled.status, cancelled.number) == (CreditNoteStatus.CANCELLED, "3")
    for status in CreditNoteStatus:
        if status is not CreditNoteStatus.DRAFT:
            with pytest.raises(LedgerBeeError) as raised:
                rules.cancel(replace(note, status=status), NOW)
            assert raised.value.error_code is CREDIT_NOTE_INVALID_STATE


class TestTaxes:
    """By the invoice's own words."""

    def snapshot(self, *rows: str) -> dict[str, Any]:
        lines = [
            {"id": str(it.line.id), "vatCategory": it.tax.category, **({"vatRow": place} if rows else {})}
            for place, it in enumerate(SALE.lines)
        ]
        reasons = [{"exemptionReason": {"en": None, "da": None}}, {"exemptionReason": {"en": "Insurance", "da": rows}}]
        return {"lines": lines, "vatRows": reasons}

    def test_each_line_has_its_tax(self) -> None:
        lines = [replace(SALE.lines[0].line, line_type=DocumentLineType.TEXT, price_id=None)]
        lines += [it.line for it in SALE.lines]
        assert STANDARD.vat_code_id is not None
        assert STANDARD.vat_account_id is not None
        found = rules.taxes_of(lines, self.snapshot("Forsikring"), {STANDARD.vat_code_id: STANDARD.vat_account_id})
        assert found[0].tax == STANDARD
        assert (found[1].tax.category, found[1].tax.exemption_reason, found[1].tax.vat_account_id) == (
            "E", "Insurance", None,
        )  # fmt: skip

    def test_invoices_from_before_rows_were_named_have_no_reasons(self) -> None:
        found = rules.taxes_of([it.line for it in SALE.lines], self.snapshot(), {})
        assert [it.tax.exemption_reason for it in found] == [None, None]

    def test_invoices_that_do_not_say_how_they_were_taxed(self) -> None:
        old = replace(SALE.lines[0].line, account_id=None)
        with pytest.raises(LedgerBeeError) as raised:
            rules.taxes_of([old], self.snapshot(), {})
        assert raised.value.error_code is CREDIT_NOTE_INVOICE_TOO_OLD

    def test_without_a_code_nothing_is_charged(self) -> None:
        tax = tax_of_code(replace(SALE.lines[1].line, vat_code_id=None), None)
        assert (tax.rate, tax.category, tax.vat_account_id) == (ZERO, "Z", None)

    @pytest.mark.parametrize(("place", "own", "category"), [(0, None, "S"), (1, None, "Z"), (1, "E", "E")])
    def test_a_code_is_as_it_was_decided(self, place: int, own: str | None, category: str) -> None:
        line, code = SALE.lines[place].line, vat_code(einvoice_category=own, account_id=new_id())
        tax = tax_of_code(line, code)
        assert (tax.account_id, tax.vat_code_id, tax.rate) == (line.account_id, code.id, line.vat_rate)
        assert (tax.category, tax.vat_account_id) == (category, code.account_id if place == 0 else None)
