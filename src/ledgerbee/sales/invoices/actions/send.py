"""Sending invoices: the number, the journal entry and the hand-over, all in one transaction (see `sales.sending`)."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices import rules
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import (
    Invoice,
    InvoiceStatus,
    Sent,
)
from ledgerbee.sales.invoices.prepayments import actions as prepayments
from ledgerbee.sales.sending import actions as sending
from ledgerbee.sales.sending.model import Draft, SendCommand, SendOptions, SentDocument

#: Lines that are held in memory at once, of invoices that are sent together.
_MOST_LINES: Final = 10_000


async def send(contexts: Sequence[Context], commands: Sequence[SendCommand]) -> list[Sent | LedgerBeeError]:
    """Book drafts of a company, give them their numbers and hand them over, in one transaction; each has an outcome.

    Emits `invoice.sent`; mail waits for the worker. An invoice of 0.00 is paid with it: emits `invoice.paid` too.
    Prices stand as drafted; accounts are decided by the customer's zone as it is now, VAT by the codes of the draft at
    the rates of the tax point. An invoice whose delivery failed for good can be sent again: it is handed over as it was
    booked, and `invoice.sent_again` is emitted.

    Refused in this order, and then nothing was written of the invoice: `INVOICE_NOT_FOUND`; `INVOICE_INVALID_STATE`
    (also for the second of two racing sends); a validation error of the date; `SALES_DOCUMENT_VAT_CODE_UNUSABLE`,
    `SALES_DOCUMENT_AMOUNT_TOO_LARGE`; what `rules.book` refuses; `E_INVOICE_INCOMPLETE`; texts that can't be printed.
    Raises `UntriedDocumentsError` where a text has to be tried, and what the ledger or a change of a
    customer refuses: then nothing was written of any.
    """
    outcomes: dict[int, Sent | LedgerBeeError] = {}
    for places in _rounds(commands):
        outcomes |= await _send_different(contexts, commands, places)
    return [outcomes[place] for place in range(len(commands))]


async def send_batch(context: Context, commands: Sequence[SendCommand]) -> list[Sent | LedgerBeeError]:
    """As `send`, of one command's invoices: what the ledger refuses of some is undone, and the others are sent.

    Raises `UntriedDocumentsError`.
    """
    try:
        async with context.savepoint():
            return await send([context] * len(commands), commands)
    except LedgerBeeError as fault:
        if len(commands) == 1:
            return [fault]
        # One of them can't go with the others: halves, until it is alone.
        middle = len(commands) // 2
        first = await send_batch(context, commands[:middle])
        return first + await send_batch(context, commands[middle:])


def _rounds(commands: Sequence[SendCommand]) -> list[list[int]]:
    """The places of commands, those of one invoice apart: the second comes when the first has its outcome."""
    rounds: list[list[int]] = []
    seen: Counter[UUID] = Counter()
    for place, command in enumerate(commands):
        if seen[command.document_id] == len(rounds):
            rounds.append([])
        rounds[seen[command.document_id]].append(place)
        seen[command.document_id] += 1
    return rounds


async def _send_different(
    contexts: Sequence[Context], commands: Sequence[SendCommand], places: Sequence[int]
) -> dict[int, Sent | LedgerBeeError]:
    """Carry out the commands at these places, which are of different invoices."""
    context = contexts[0]
    found = await documents.get_many_for_update(context, INVOICES, [commands[place].document_id for place in places])
    outcomes: dict[int, Sent | LedgerBeeError] = {}
    drafts: dict[int, Invoice] = {}
    for place in places:
        command = commands[place]
        try:
            invoice = INVOICES.not_found.unless(found.get(command.document_id))
            if await _may_be_sent(contexts[place], invoice):
                drafts[place] = invoice
            else:
                outcomes[place] = await _send_again(contexts[place], invoice, command.options)
        except LedgerBeeError as fault:
            outcomes[place] = fault
    for portion in await _in_portions(context, drafts):
        lines = await documents.lines_of_many(context, INVOICES, [drafts[place].id for place in portion])
        ready = []
        for place in portion:
            try:
                await prepayments.check_still_deductible(contexts[place], drafts[place], lines[drafts[place].id])
                ready.append(place)
            except LedgerBeeError as fault:
                outcomes[place] = fault
        sent = (
            await sending.send_drafts(
                INVOICES,
                [
                    Draft(contexts[place], commands[place], FullDocument(drafts[place], lines[drafts[place].id]))
                    for place in ready
                ],
                rules.book,
            )
            if ready
            else []
        )
        for place, one in zip(ready, sent, strict=True):
            outcomes[place] = one if isinstance(one, LedgerBeeError) else await _recorded(one)
    return outcomes


async def _may_be_sent(context: Context, invoice: Invoice) -> bool:
    """True for a draft, False for an invoice that is to be delivered once more. Raises what refuses both."""
    if invoice.status is InvoiceStatus.DRAFT:
        check_date(invoice.issue_date, context.today)
        return True
    await sending.require_failed_delivery(context, INVOICES, invoice)
    return False


async def _in_portions(context: Context, drafts: Mapping[int, Invoice]) -> list[list[int]]:
    """The places of drafts in portions whose lines fit into memory; one draft is not counted."""
    if len(drafts) < 2:
        return [list(drafts)] if drafts else []
    lines = await documents.count_lines(context, INVOICES, [draft.id for draft in drafts.values()])
    return list(_portions(drafts, lines))


def _portions(drafts: Mapping[int, Invoice], lines: Mapping[UUID, int]) -> Iterator[list[int]]:
    portion: list[int] = []
    count = 0
    for place, draft in drafts.items():
        own = lines.get(draft.id, 0)
        if portion and count + own > _MOST_LINES:
            yield portion
            portion, count = [], 0
        portion.append(place)
        count += own
    yield portion


async def _recorded(sent: SentDocument[Invoice]) -> Sent:
    """Emit what happened to an invoice that was sent."""
    context, booking, invoice = sent.decided.draft.context, sent.decided.booking, sent.full.document
    form = await INVOICES.event_form(sent.full)
    was = await INVOICES.event_form(sent.decided.draft.full)
    context.emit("invoice.sent", invoice.id, form, before=was)
    if invoice.status is InvoiceStatus.PAID:
        context.emit("invoice.paid", invoice.id, form)
    company = sent.decided.sources.company
    return Sent(invoice, sent.delivery, rules.warnings(invoice, booking.computed, booking.addressee, company))


async def _send_again(context: Context, invoice: Invoice, options: SendOptions) -> Sent:
    before, after, handover = await sending.send_again(context, INVOICES, invoice, options)
    was = await INVOICES.event_form(before)
    context.emit("invoice.sent_again", invoice.id, await INVOICES.event_form(after), before=was)
    return Sent(after.document, handover)
