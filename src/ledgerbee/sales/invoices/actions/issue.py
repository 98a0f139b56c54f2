"""Issuing invoices that the system draws up itself: drafted, numbered, booked and handed over in one go.

In two steps, so that whoever bills several customers can leave one of them out before anything is written.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.money import ZERO
from ledgerbee.platform.context import Context, json_bytes
from ledgerbee.platform.steps import in_steps
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.addressing import addressee, has_address
from ledgerbee.sales.documents.model import DocumentFields, FullDocument, Line, Sources
from ledgerbee.sales.documents.printing import Trials, UntriedDocumentsError
from ledgerbee.sales.documents.rules import tax
from ledgerbee.sales.einvoices.model import E_INVOICE_INCOMPLETE
from ledgerbee.sales.invoices import rules
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import (
    DeductionLine,
    Invoice,
    InvoiceFields,
    InvoiceId,
    InvoiceStatus,
)
from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.sales.sending import actions as sending
from ledgerbee.sales.sending.model import Decided, Draft, SendCommand, SendOptions, SendSources


@dataclass(frozen=True, slots=True)
class NewInvoice:
    """An invoice to issue: what it says, and its lines, whose nets are decided. `fields.currency` is given."""

    id: InvoiceId
    fields: InvoiceFields
    lines: tuple[DeductionLine, ...]


@dataclass(frozen=True, slots=True)
class PreparedInvoice:
    """An invoice with all there is to write of it. `is_deliverable` is False where there is no address to send to."""

    decided: Decided[Invoice]
    is_deliverable: bool


async def prepare(
    context: Context, new: Sequence[NewInvoice], trials: Trials
) -> list[PreparedInvoice | LedgerBeeError]:
    """Decide all there is to write of invoices, in order, or why one can't be issued. Writes nothing.

    Each leaves to the e-invoice network where its buyer has an EAN and it can be stated there, else by mail, else it is
    handed over by hand. Refused are what `rules.book` refuses and texts that can't be printed. Raises
    `UntriedDocumentsError` (`printing.with_trials`) and `CUSTOMER_NOT_FOUND`.
    """
    if not new:
        return []
    sources = await documents.get_many_sources(context, INVOICES, [one.fields for one in new])
    drafted = [_draft(one, own, context) for one, own in zip(new, sources, strict=True)]
    loaded = await sending.load(context, INVOICES, drafted, sources)
    outcomes: list[PreparedInvoice | LedgerBeeError] = []
    untried: list[PrintableDocument] = []
    async for full, found in in_steps(zip(drafted, loaded, strict=True), lambda pair: sending.work_of(pair[0])):
        try:
            outcomes.append(await _prepare(context, full, found, trials))
        except UntriedDocumentsError as fault:
            untried += fault.documents
    if untried:
        raise UntriedDocumentsError(untried)
    return outcomes


async def taxed(context: Context, new: Sequence[NewInvoice]) -> list[tuple[Invoice, tuple[Line, ...]] | LedgerBeeError]:
    """How the lines of invoices would be booked today, in order, or why one can't be: whatever they sum up to. Writes
    nothing.

    Refused are `SALES_DOCUMENT_VAT_CODE_UNUSABLE`, `SALES_DOCUMENT_AMOUNT_TOO_LARGE`. Raises `CUSTOMER_NOT_FOUND`.
    """
    if not new:
        return []
    sources = await documents.get_many_sources(context, INVOICES, [one.fields for one in new])
    drafted = [_draft(one, own, context) for one, own in zip(new, sources, strict=True)]
    loaded = await sending.load(context, INVOICES, drafted, sources)
    outcomes: list[tuple[Invoice, tuple[Line, ...]] | LedgerBeeError] = []
    for full, found in zip(drafted, loaded, strict=True):
        invoice, zone = full.document, found.sources.facts.customer.vat_zone
        try:
            computed = tax(full.lines, found.sales, zone, invoice.tax_point, invoice.currency)
            outcomes.append((invoice, computed.lines))
        except LedgerBeeError as fault:
            outcomes.append(fault)
    return outcomes


async def issue(prepared: Sequence[PreparedInvoice]) -> None:
    """Write invoices: draft, number, entry, snapshot and hand-over. Emits `invoice.sent` (and `invoice.paid` for 0.00).

    Raises what posting raises (`sending.write`): then nothing was written of any.
    """
    if not prepared:
        return
    context = prepared[0].decided.draft.context
    await documents.insert_many(context, INVOICES, [one.decided.draft.full for one in prepared])
    sent = await sending.write(INVOICES, [one.decided for one in prepared])
    for one in sent:
        invoice = one.full.document
        form = json_bytes(await INVOICES.event_form(one.full))
        context.emit("invoice.sent", invoice.id, form, is_first=True)
        context.emit("billing.invoice_sent", invoice.id, form)
        if invoice.status is InvoiceStatus.PAID:
            context.emit("invoice.paid", invoice.id, form)


def _draft(new: NewInvoice, sources: Sources, context: Context) -> FullDocument[Invoice]:
    given = new.fields
    decided: Mapping[str, Any] = rules.decide(given, sources.company, sources.facts)
    invoice = Invoice(
        **fields_of(given, DocumentFields),
        **decided,
        id=new.id,
        status=InvoiceStatus.DRAFT,
        currency=given.currency or sources.company.base_currency,
        subtotal=ZERO,
        vat=ZERO,
        amount=ZERO,
        created_at=context.now,
        updated_at=context.now,
    )
    return FullDocument(invoice, new.lines)


async def _prepare(
    context: Context, full: FullDocument[Invoice], found: SendSources, trials: Trials
) -> PreparedInvoice | LedgerBeeError:
    for way in _ways(found.sources):
        command = SendCommand(full.document.id, SendOptions(way), trials)
        (one,) = await sending.decide(INVOICES, [(Draft(context, command, full), found)], rules.book)
        if not isinstance(one, LedgerBeeError):
            return PreparedInvoice(_as_drafted(one), way is not DeliveryType.MANUAL)
        if one.error_code is not E_INVOICE_INCOMPLETE:
            return one
    raise AssertionError("unreachable: what is handed over by hand needs no address")


def _ways(sources: Sources) -> Iterator[DeliveryType]:
    """How an invoice may leave, in the order in which that is tried."""
    if addressee(sources).ean_number is not None:
        yield DeliveryType.SPROOM
    if has_address((sources.contact, sources.facts.default_contact), sources.facts.customer):
        yield DeliveryType.EMAIL
    yield DeliveryType.MANUAL


def _as_drafted(decided: Decided[Invoice]) -> Decided[Invoice]:
    """The draft with its lines and totals as they are booked: it is written once."""
    booked, computed = decided.booking.document, decided.booking.computed
    invoice = replace(decided.draft.full.document, subtotal=booked.subtotal, vat=booked.vat, amount=booked.amount)
    return replace(decided, draft=decided.draft._replace(full=FullDocument(invoice, computed.lines)))
