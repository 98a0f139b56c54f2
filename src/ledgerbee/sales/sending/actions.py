"""Sending documents of any kind: what is loaded before a kind decides, and what is written afterwards.

The model of a booking, in three parts: load everything (`load`); decide what is refused or all there is to write (the
kind's rules); write once (`write`). Nothing but the database's own guards of the ledger refuses after the first write,
in the statement that posts, which comes right after the number.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar
from uuid import UUID

from ledgerbee.core.changes import Changes
from ledgerbee.ledger.entries import actions as ledger
from ledgerbee.parties.customers import actions as customer_actions
from ledgerbee.platform.context import Context
from ledgerbee.platform.steps import give_way
from ledgerbee.sales.delivery import actions as delivery
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.delivery.model import DeliveryStatus, DeliveryType
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.documents import snapshot, store
from ledgerbee.sales.documents.kind import KindOfDocument
from ledgerbee.sales.documents.model import Document, DraftFields, FullDocument
from ledgerbee.sales.documents.printing import require_tried
from ledgerbee.sales.sending import rules
from ledgerbee.sales.sending.model import Booking, SendOptions, SendSources
from ledgerbee.tenancy.company.model import Company
from ledgerbee.tenancy.rates import store as rates

D = TypeVar("D", bound=Document)
F = TypeVar("F", bound=DraftFields)


async def load(context: Context, kind: KindOfDocument[F, D], drafted: FullDocument[D]) -> SendSources:
    """All that a draft is sent by. Its row is locked."""
    draft = drafted.document
    sources = await store.get_sources(context, kind, draft)
    base_currency = sources.company.base_currency
    return SendSources(
        sources=sources,
        sales=await documents.get_drafted_sales(context, drafted.lines, sources.facts),
        rate=await rates.find(context, draft.currency, draft.issue_date, base_currency) if kind.entry else None,
    )


async def write(
    context: Context,
    kind: KindOfDocument[F, D],
    drafted: FullDocument[D],
    booking: Booking[D],
    company: Company,
    options: SendOptions,
    tried: Mapping[str, Any] | None,
) -> FullDocument[D]:
    """Number the document, post its entry (if it has one), keep what it says, note its delivery.

    Answers with what it became. First its text is tried where that is needed, see `printing.with_trial`: raises
    `UntriedDocumentError`. A change of the customer comes before all other writes and may be refused.
    Posting raises `PERIOD_LOCKED`, `FISCAL_YEAR_MISSING`, `ACCOUNT_NOT_FOUND`, `ACCOUNT_NOT_BOOKABLE`.
    """
    draft, computed = drafted.document, booking.computed
    content = snapshot.compose(
        kind.kind, booking.document, kind.terms(draft), booking.template, company, booking.addressee, computed,
        booking.in_base,
    )  # fmt: skip
    await give_way()
    require_tried(content, tried)
    await give_way()

    await _keep_overrides(context, draft.customer_id, options)
    sequence, number = await store.take_number(context, kind.series)
    booking = rules.numbered(kind, booking, sequence, number, company.preferred_language)
    if booking.entry is not None:
        await ledger.post_of_document(context, booking.entry)
    if computed.lines != drafted.lines:
        await store.replace_lines(context, kind, draft.id, computed.lines)
    await store.book(context, kind, booking.document, snapshot.numbered(content, number))
    await delivery.hand_over(context, kind, draft.id, options.delivery_type, booking.recipient, is_first=True)
    return FullDocument(booking.document, computed.lines)


async def require_failed_delivery(context: Context, kind: KindOfDocument[F, D], document: D) -> None:
    """What is booked is only sent again when its delivery was given up. Raises `kind.invalid_state`."""
    latest = await deliveries.latest_of(context, kind.kind, document.id)
    if latest is None or latest.status is not DeliveryStatus.FAILED:
        raise kind.invalid_state.in_state(document.status.value)


async def send_again(
    context: Context, kind: KindOfDocument[F, D], before: D, options: SendOptions
) -> tuple[FullDocument[D], FullDocument[D]]:
    """Hand a booked document over once more, as it was booked; answers with it before and after.

    Raises `kind.invalid_state` for options that would change what it says, `kind.recipient_missing`, and what a change
    of the customer raises.
    """
    if options.document_template_id is not None or options.override_ean_number is not None:
        raise kind.invalid_state.in_state(before.status, "The document is booked: it can only go to another address")
    lines = await store.lines_of(context, kind, before.id)
    sources = await store.get_sources(context, kind, before)

    recipient = rules.recipient_of(sources, options, kind.recipient_missing)
    after = before
    if options.delivery_type is DeliveryType.MANUAL:
        status = kind.when_delivered.get(before.status, before.status)
        after = replace(before, status=status, sent_at=before.sent_at or context.now, updated_at=context.now)

    await _keep_overrides(context, before.customer_id, options)
    if after is not before:
        await store.update(context, kind, after)
    await delivery.hand_over(context, kind, before.id, options.delivery_type, recipient)
    return FullDocument(before, lines), FullDocument(after, lines)


async def _keep_overrides(context: Context, customer_id: UUID, options: SendOptions) -> None:
    """Write the overrides to the customer where that was asked for."""
    if not options.update_customer_record:
        return
    given = {"email": options.override_email, "ean_number": options.override_ean_number}
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if changes:
        await customer_actions.update(context, customer_id, Changes(changes))
