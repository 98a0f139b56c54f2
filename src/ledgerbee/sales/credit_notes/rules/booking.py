"""What is written when a credit note is booked. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.rules import Conversion
from ledgerbee.sales.credit_notes.model import (
    CREDIT_NOTE_RECIPIENT_MISSING,
    CreditNote,
    CreditNoteLine,
    CreditNoteStatus,
    FullCreditNote,
    NoteSources,
)
from ledgerbee.sales.credit_notes.rules.allocation import computed_of
from ledgerbee.sales.credit_notes.rules.entry import entry_lines
from ledgerbee.sales.deferrals import rules as deferrals
from ledgerbee.sales.deferrals.model import CreditingLine
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents.addressing import addressee as addressee_of
from ledgerbee.sales.documents.addressing import check_customer, choose_template
from ledgerbee.sales.documents.model import Computed, DocumentKind, Sources, period_of
from ledgerbee.sales.documents.snapshot import Addressee, InBase
from ledgerbee.sales.invoices.rules import check_seller
from ledgerbee.sales.sending.model import Booking, SendOptions
from ledgerbee.sales.sending.rules import entry_lines as converted_lines
from ledgerbee.sales.sending.rules import journal_entry, recipient_of, vat_in_base
from ledgerbee.sales.templates.model import DocumentTemplate, TemplateType
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING


@dataclass(frozen=True, slots=True)
class Drawn:
    """A note as it is printed: what a preview shows and a booking keeps."""

    computed: Computed
    template: DocumentTemplate | None
    addressee: Addressee
    conversion: Conversion | None
    in_base: InBase | None


def draw_up(full: FullCreditNote, found: NoteSources, chosen: UUID | None = None, ean: str | None = None) -> Drawn:
    """A note as it is printed. Its amounts stand since it was made; one on an invoice is in the invoice's language.

    Raises `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH` for a chosen template.
    """
    note, sources, credited = full.document, found.sources, found.credited
    computed = computed_of(full.lines, found.taxes)
    template = _template(sources, chosen or note.document_template_id, credited.language if credited else None)
    conversion = in_base = None
    if found.rate is not None:
        conversion = Conversion(note.currency, sources.company.base_currency, found.rate)
        vat = vat_in_base(converted_lines(computed, conversion, sources.facts.group.account_id))
        if vat is not None and not conversion.is_base:
            in_base = InBase(sources.company.base_currency, vat, conversion.rate)
    return Drawn(computed, template, addressee_of(sources, ean), conversion, in_base)


def _template(sources: Sources, chosen: UUID | None, language: str | None) -> DocumentTemplate | None:
    """The chosen template, else one in the invoice's language (the default first), else as for any document."""
    if chosen is None:
        ours = [
            template
            for template in sorted(sources.templates, key=lambda template: not template.is_default)
            if template.document_type is TemplateType.CREDIT_NOTE and template.language == language
        ]
        if ours:
            return ours[0]
    return choose_template(TemplateType.CREDIT_NOTE, sources, chosen)


def book(full: FullCreditNote, found: NoteSources, options: SendOptions, now: datetime) -> Booking[CreditNote]:
    """All there is to write of a note that is sent, or the first refusal, in this order:

    | refused | why |
    | --- | --- |
    | `SALES_DOCUMENT_CUSTOMER_INACTIVE` | of a note of no invoice: nothing new is agreed with the customer |
    | `DOCUMENT_TEMPLATE_NOT_FOUND`, `SALES_DOCUMENT_TEMPLATE_MISMATCH` | the chosen template is none for credit notes |
    | `INVOICE_SELLER_INCOMPLETE` | a note states its seller, as an invoice does (momsbekendtgørelsen § 58(2)) |
    | `CREDIT_NOTE_RECIPIENT_MISSING` | a mail needs an address |
    | `EXCHANGE_RATE_MISSING` | no rate of the day leads to the company's currency |
    | `CREDIT_NOTE_ACCOUNT_MISSING` | an exchange difference has no account to stand on |
    """
    note, sources, credited = full.document, found.sources, found.credited
    if credited is None:
        check_customer(sources)
    drawn = draw_up(full, found, options.document_template_id, options.override_ean_number)
    check_seller(sources.company, drawn.computed.taxes.values())
    address = recipient_of(sources, options, CREDIT_NOTE_RECIPIENT_MISSING)
    if drawn.conversion is None:
        raise EXCHANGE_RATE_MISSING.error(
            currency=note.currency, baseCurrency=sources.company.base_currency, date=note.issue_date.isoformat()
        )
    is_manual = options.delivery_type is DeliveryType.MANUAL
    receivable = credited.invoice.receivable_account_id if credited else None
    booked = replace(
        note,
        status=CreditNoteStatus.SENT if is_manual else CreditNoteStatus.SCHEDULED,
        document_template_id=drawn.template.id if drawn.template else None,
        receivable_account_id=receivable or sources.facts.group.account_id,
        exchange_rate=drawn.conversion.rate,
        journal_entry_id=new_id(),
        sent_at=now if is_manual else None,
        updated_at=now,
    )
    taken = deferrals.credited(_credited_lines(full), note.id, found.deferrals, drawn.conversion)
    lines = entry_lines(booked, drawn.computed, drawn.conversion, credited, found.accounts_by_role, taken)
    booked = replace(booked, base_amount=-lines[0].base_amount)
    return Booking(
        document=booked,
        entry=journal_entry(DocumentKind.CREDIT_NOTE, booked, lines, sources.journal_category_id),
        computed=drawn.computed,
        addressee=drawn.addressee,
        template=drawn.template,
        in_base=drawn.in_base,
        recipient=address,
        credited=taken,
    )


def _credited_lines(full: FullCreditNote) -> Iterator[CreditingLine]:
    """The lines of a note on an invoice."""
    for line in full.lines:
        if isinstance(line, CreditNoteLine) and line.invoice_line_id is not None and line.net is not None:
            yield CreditingLine(line.id, line.invoice_line_id, line.net, period_of(line))


def buyer_of(found: NoteSources, ean: str | None = None) -> dict[str, Any] | None:
    """The buyer as the invoice names it; only an EAN that is given for this note takes the place of the invoice's."""
    if found.credited is None:
        return None
    return {**found.credited.buyer, "ean": ean or found.credited.buyer.get("ean")}
