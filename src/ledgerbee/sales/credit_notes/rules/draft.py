"""What a credit note may be, and what it takes over from its invoice. Pure."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final

from ledgerbee.core.errors import check_all, invalid, refuse
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, ZERO, format_amount, total
from ledgerbee.sales.credit_notes.model import (
    CREDIT_NOTE_AMOUNT_POSITIVE,
    CreditNote,
    CreditNoteFields,
    CreditNoteId,
    CreditNoteLine,
    CreditNoteStatus,
    FullCreditNote,
    InvoiceCreditFields,
)
from ledgerbee.sales.documents.model import FullDocument, Terms
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.sales.invoices.rules import CREDITABLE, check_not_deducted, require_status

#: What a note has of its invoice: another one is refused.
_OF_INVOICE: Final = {
    "customer_id": "customerId",
    "currency": "currency",
    "customer_department_id": "customerDepartmentId",
}


def check_days(given: CreditNoteFields, today: date) -> None:
    """Raises a validation error."""
    check_date(given.issue_date, today)


def check_is_of(given: InvoiceCreditFields, invoice: Invoice, today: date) -> None:
    """Refuse a note that can't be of this invoice.

    Raises `INVOICE_INVALID_STATE`; validation errors for another customer, department or currency than the invoice's,
    and for a day before it or more than a year ahead.
    """
    require_status(invoice, CREDITABLE)
    check_not_deducted(invoice)
    others = [
        (name, "isIn", f"{name} must be the invoice's where invoiceNumber is given")
        for field, name in _OF_INVOICE.items()
        if getattr(given, field) not in {None, getattr(invoice, field)}
    ]
    check_all(
        lambda: refuse(others),
        lambda: check_date(given.issue_date, today),
        lambda: _check_not_before(given.issue_date, invoice.issue_date),
    )


def _check_not_before(day: date, issued: date) -> None:
    if day < issued:
        raise invalid(("date", "minDate", "date must not be before the invoice's date"))


def of_invoice(given: InvoiceCreditFields, invoice: Invoice, now: datetime) -> CreditNote:
    """The draft of a note on an invoice, still without its lines and number: what isn't given is the invoice's."""
    return CreditNote(
        id=CreditNoteId(new_id()),
        status=CreditNoteStatus.DRAFT,
        customer_id=invoice.customer_id,
        customer_department_id=invoice.customer_department_id,
        customer_contact_id=given.customer_contact_id or invoice.customer_contact_id,
        issue_date=given.issue_date,
        currency=invoice.currency,
        reference=given.reference or invoice.reference,
        our_reference=given.our_reference or invoice.our_reference,
        description=given.description,
        notes=given.notes,
        document_template_id=given.document_template_id,
        subtotal=ZERO,
        vat=ZERO,
        amount=ZERO,
        invoice_id=invoice.id,
        invoice_number=invoice.number,
        created_at=now,
        updated_at=now,
    )


def with_lines(note: CreditNote, lines: Sequence[CreditNoteLine]) -> FullCreditNote:
    """A draft with its lines, and the sums of them.

    Raises `CREDIT_NOTE_AMOUNT_POSITIVE`: what is owed by the customer is an invoice.
    """
    subtotal = total([line.net for line in lines if line.net is not None])
    vat = total([line.vat for line in lines if line.vat is not None])
    amount = EXACT.add(subtotal, vat)
    if amount > 0:
        raise CREDIT_NOTE_AMOUNT_POSITIVE.error(amount=format_amount(amount, note.currency))
    return FullDocument(replace(note, subtotal=subtotal, vat=vat, amount=amount), tuple(lines))


def terms(note: CreditNote) -> Terms:
    """What a credit note says beside what all say: the invoice that it amends (momsbekendtgørelsen § 58(2))."""
    return Terms(credits_invoice_number=note.invoice_number)
