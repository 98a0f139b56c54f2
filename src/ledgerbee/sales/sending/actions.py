"""Sending documents of any kind: what is loaded before a kind decides, and what is written afterwards.

The model of a booking, in three parts: load everything (`_load`); decide what is refused or all there is to write (the
kind's rules); write once (`write`). Each part takes any number of documents of a company, in the same number of
statements: documents that are sent at the same time share a transaction, each with an outcome of its own. Nothing but
the database's own guards of the ledger refuses after the first write, in the statement that posts, which comes right
after the numbers; who sent several then sends them apart.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final, TypeVar
from uuid import UUID

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.parties.customers import actions as customer_actions
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way, in_steps
from ledgerbee.sales.deferrals import store as deferrals
from ledgerbee.sales.delivery import actions as delivery
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.model import DeliveryStatus, DeliveryType, HandOver
from ledgerbee.sales.delivery.rules import addresses_in
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.documents import snapshot, store
from ledgerbee.sales.documents.kind import KindOfDocument
from ledgerbee.sales.documents.model import Document, DraftFields, FullDocument, Sources
from ledgerbee.sales.documents.printing import UntriedDocumentsError, find_untried
from ledgerbee.sales.documents.rules import compute, taxes_of
from ledgerbee.sales.einvoices import writing as einvoices
from ledgerbee.sales.rendering.model import PrintableDocument
from ledgerbee.sales.sending import rules
from ledgerbee.sales.sending.model import (
    Book,
    Booking,
    Decided,
    Draft,
    SendOptions,
    SendSources,
    SentAgain,
    SentDocument,
)
from ledgerbee.tenancy.rates import store as rates

D = TypeVar("D", bound=Document)
F = TypeVar("F", bound=DraftFields)

#: As how many lines a document counts beside its own.
_AS_LINES: Final = 10


async def send_drafts(
    kind: KindOfDocument[F, D], drafts: Sequence[Draft[D]], book: Book[D]
) -> list[SentDocument[D] | LedgerBeeError]:
    """Send drafts of a company in one transaction, each by itself: what became of each, in order, or its refusal.

    Refused are `SALES_DOCUMENT_VAT_CODE_UNUSABLE`, `SALES_DOCUMENT_AMOUNT_TOO_LARGE`, what `book` refuses, what an
    e-invoice lacks (`E_INVOICE_INCOMPLETE`), and texts that can't be printed. Raises `UntriedDocumentsError` where that
    has to be tried, before anything is written; and what `write` raises, which undoes all of them.
    """
    loaded = await load(drafts[0].context, kind, [draft.full for draft in drafts])
    outcomes = await decide(kind, list(zip(drafts, loaded, strict=True)), book)
    decided = [one for one in outcomes if not isinstance(one, LedgerBeeError)]
    written = iter(await write(kind, decided) if decided else ())
    return [one if isinstance(one, LedgerBeeError) else next(written) for one in outcomes]


async def decide(
    kind: KindOfDocument[F, D], drafts: Sequence[tuple[Draft[D], SendSources]], book: Book[D]
) -> list[Decided[D] | LedgerBeeError]:
    """What is to be written of each draft, in order, or its refusal (see `send_drafts`). Nothing is written.

    Raises `UntriedDocumentsError`.
    """
    outcomes: list[Decided[D] | LedgerBeeError] = []
    untried: list[PrintableDocument] = []
    async for draft, found in in_steps(drafts, lambda one: work_of(one[0].full)):
        try:
            one = await _decide(kind, draft, found, book)
            document = find_untried(one.content, draft.command.trials)
            if document is not None:
                untried.append(document)
            outcomes.append(one)
        except LedgerBeeError as fault:
            outcomes.append(fault)
    if untried:
        raise UntriedDocumentsError(untried)
    return outcomes


def work_of(full: FullDocument[D]) -> int:
    """How much there is to decide of a document, in steps: it is as much as some lines."""
    return _AS_LINES + len(full.lines)


async def load(
    context: Context,
    kind: KindOfDocument[F, D],
    drafts: Sequence[FullDocument[D]],
    sources: Sequence[Sources] | None = None,
) -> list[SendSources]:
    """All that drafts are sent by, with the `sources` that are known. Those that are kept already are locked."""
    if sources is None:
        sources = await store.get_many_sources(context, kind, [draft.document for draft in drafts])
    sales = await documents.get_drafted_sales(
        context, [(draft.lines, found.facts) for draft, found in zip(drafts, sources, strict=True)]
    )
    base_currency = sources[0].company.base_currency
    days = {_rate_day(draft) for draft in drafts} if kind.entry else ()
    known = {day: await rates.find(context, *day, base_currency) for day in days}
    return [
        SendSources(sources=found, sales=own, rate=known.get(_rate_day(draft)))
        for draft, found, own in zip(drafts, sources, sales, strict=True)
    ]


def _rate_day(draft: FullDocument[D]) -> tuple[str, date]:
    return draft.document.currency, draft.document.issue_date


async def _decide(kind: KindOfDocument[F, D], draft: Draft[D], found: SendSources, book: Book[D]) -> Decided[D]:
    """What is to be written of a draft. Raises the first refusal."""
    document = draft.full.document
    zone = found.sources.facts.customer.vat_zone
    taxes = taxes_of(found.sales, zone, document.tax_point)
    if kind.own_taxes is not None:
        taxes = dict(await kind.own_taxes(draft.context, document, draft.full.lines, taxes))
    computed = compute(draft.full.lines, taxes, document.currency)
    await give_way(len(draft.full.lines))
    booking = book(document, found, computed, draft.command.options, draft.context.now)
    await give_way(len(draft.full.lines))
    content = snapshot.compose(
        kind.kind, booking.document, kind.terms(document), booking.template, found.sources.company, booking.addressee,
        computed, booking.in_base,
    )  # fmt: skip
    await give_way(len(draft.full.lines))
    return Decided(draft, found.sources, addressed(booking, content, draft.command.options), content)


def addressed(booking: Booking[D], content: Mapping[str, Any], options: SendOptions) -> Booking[D]:
    """The booking with the receiver on the network, where it goes there. Raises `E_INVOICE_INCOMPLETE`."""
    if options.delivery_type is not DeliveryType.SPROOM:
        return booking
    return replace(booking, recipient=einvoices.route(content).receiver)


async def write(kind: KindOfDocument[F, D], decided: Sequence[Decided[D]]) -> list[SentDocument[D]]:
    """Number the documents, post their entries (if they have one), keep what they say, note their deliveries.

    A kind that is numbered when it is drafted keeps its numbers. Changes of customers come before all other writes and
    may be refused. Posting raises `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`, `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE`.
    """
    contexts = [one.draft.context for one in decided]
    context = contexts[0]
    for one in decided:
        await _keep_overrides(one.draft.context, one.booking.document.customer_id, one.draft.command.options)
    numbers = await _numbers(context, kind, [one.booking.document for one in decided])
    bookings = [
        rules.numbered(kind, one.booking, sequence, number, one.sources.company.preferred_language)
        for one, (sequence, number) in zip(decided, numbers, strict=True)
    ]
    entries = [(own, booking.entry) for own, booking in zip(contexts, bookings, strict=True) if booking.entry]
    await ledger.post_of_documents([own for own, _ in entries], [entry for _, entry in entries])
    for one in decided:
        if one.booking.computed.lines != one.draft.full.lines:
            await store.replace_lines(context, kind, one.booking.document.id, one.booking.computed.lines)
    contents = [
        snapshot.numbered(one.content, number)
        async for one, (_, number) in in_steps(zip(decided, numbers, strict=True))
    ]
    await store.book(context, kind, [booking.document for booking in bookings], contents)
    await _write_deferrals(context, bookings)
    handed = [
        HandOver(
            booking.document.id,
            one.draft.command.options.delivery_type,
            booking.recipient,
            one.draft.command.options.override_email is not None,
        )
        for one, booking in zip(decided, bookings, strict=True)
    ]
    handovers = await delivery.hand_over(contexts, kind, handed, is_first=True)
    return [
        SentDocument(one, FullDocument(booking.document, booking.computed.lines), handover)
        for one, booking, handover in zip(decided, bookings, handovers, strict=True)
    ]


async def _write_deferrals(context: Context, bookings: Sequence[Booking[D]]) -> None:
    """What documents defer, in one statement, and what they take off what was deferred."""
    deferred = [one for booking in bookings for one in booking.deferrals]
    if deferred:
        await deferrals.insert(context, deferred)
    for booking in bookings:
        if booking.credited is not None and booking.credited.credits:
            await deferrals.write_credited(context, booking.credited.deferrals, booking.credited.credits)


async def _numbers(context: Context, kind: KindOfDocument[F, D], documents: Sequence[D]) -> list[tuple[int, str]]:
    """The number of each document: its own, or the next ones of the series for a kind that is numbered now."""
    own = [(document.number_sequence, document.number) for document in documents]
    known = [(sequence, number) for sequence, number in own if sequence is not None and number is not None]
    return known if len(known) == len(own) else await store.take_numbers(context, kind.series, len(documents))


async def require_failed_delivery(context: Context, kind: KindOfDocument[F, D], document: D) -> None:
    """What is booked is only sent again when its delivery was given up. Raises `kind.invalid_state`."""
    latest = await deliveries.latest_of(context, kind.kind, document.id)
    if latest is None or latest.status is not DeliveryStatus.FAILED:
        raise kind.invalid_state.in_state(document.status.value)


async def send_again(context: Context, kind: KindOfDocument[F, D], before: D, options: SendOptions) -> SentAgain[D]:
    """Hand a booked document over once more, as it was booked.

    A mail for which nobody is named goes to those who had been named and didn't get it; where nobody had been, to
    whoever would get it now.

    Raises `kind.invalid_state` for options that would change what it says, `kind.recipient_missing`,
    `E_INVOICE_INCOMPLETE`, and what a change of the customer raises.
    """
    if options.document_template_id is not None or options.override_ean_number is not None:
        raise kind.invalid_state.in_state(before.status, "The document is booked: it can only go to another address")
    lines = await store.lines_of(context, kind, before.id)
    sources = await store.get_sources(context, kind, before)

    named = options.override_email
    if options.delivery_type is DeliveryType.EMAIL and named is None:
        named = await delivery.recipients_left(context, kind.kind, before.id)
    if options.delivery_type is DeliveryType.SPROOM:
        named = None
        recipient: str | None = einvoices.route(await store.get_snapshot(context, kind, before.id)).receiver
    else:
        recipient = rules.recipient_of(sources, replace(options, override_email=named), kind.recipient_missing)
    after = before
    if options.delivery_type is DeliveryType.MANUAL:
        status = kind.when_delivered.get(before.status, before.status)
        after = replace(before, status=status, sent_at=before.sent_at or context.now, updated_at=context.now)

    await _keep_overrides(context, before.customer_id, options)
    if after is not before:
        await store.update(context, kind, after)
    handed = HandOver(before.id, options.delivery_type, recipient, named is not None)
    (handover,) = await delivery.hand_over([context], kind, [handed])
    return SentAgain(FullDocument(before, lines), FullDocument(after, lines), handover)


async def _keep_overrides(context: Context, customer_id: UUID, options: SendOptions) -> None:
    """Write the overrides to the customer where that was asked for; it has one address, the first."""
    if not options.update_customer_record:
        return
    email = addresses_in(options.override_email)[0] if options.override_email else None
    given = {"email": email, "ean_number": options.override_ean_number}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if changes:
        await customer_actions.update(context, customer_id, Changes(changes))
