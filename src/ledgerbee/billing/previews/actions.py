"""What a change of a subscription and its next billing would make: done by the code that bills, and undone again."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from ledgerbee.billing.subscriptions.actions import schedule
from ledgerbee.billing.subscriptions.actions.advance import AdvanceResult, advance
from ledgerbee.billing.subscriptions.model import NewChange
from ledgerbee.billing.subscriptions.rules import MAX_PERIODS
from ledgerbee.billing.subscriptions.store import reads
from ledgerbee.core.errors import LedgerBeeError, within
from ledgerbee.core.fields import replace
from ledgerbee.platform.context import Context
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.model import FullDocument
from ledgerbee.sales.documents.printing import Trials
from ledgerbee.sales.invoices.kind import INVOICES

#: Billing dates that are gone through to find one with an invoice: periods may cost nothing.
_MOST_DATES: Final = 30
#: The events that tell of documents of billing, and the kind of each.
_KINDS: Final[Mapping[str, Any]] = {"billing.invoice_sent": INVOICES, "billing.credit_note_sent": CREDIT_NOTES}


@dataclass(frozen=True, slots=True)
class PreviewedDocument:
    """An invoice or credit note as it would be, and its days: that of issue, and for an invoice that of payment."""

    full: FullDocument[Any]
    on: date
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Preview:
    """What a change makes at once, and the next invoice after it; None where nothing more is billed.

    `next_notes` are the credit notes that are made up to that invoice, and with it.
    """

    change: tuple[PreviewedDocument, ...]
    next: PreviewedDocument | None
    next_notes: tuple[PreviewedDocument, ...]


async def preview(context: Context, subscription_id: UUID, change: NewChange | None, trials: Trials) -> Preview:
    """What a change would make at once, with the billing that follows it, and the next regular invoice after that.

    Nothing of it is kept: no row, no number, no event, no job. Where a parent pays, it is the subscription's share. One
    that waits for its first payment is shown as if that had come. Usage counts as far as it was reported. Raises
    `SUBSCRIPTION_NOT_FOUND`, what `schedule` raises, and what keeps the subscription from being billed.
    """
    async with undone(context) as trial:
        at_once: list[PreviewedDocument] = []
        if change is not None:
            with within("change"):
                await schedule.schedule(trial, subscription_id, change, trials)
            if trial.jobs:  # it is carried out at once, and what falls due by it is billed right after it
                await _advance(trial, subscription_id, trial.today, trials)
            at_once = [one async for one in _documents(trial, trial.today)]
        after = await _next(trial, subscription_id, trials)
        return Preview(
            tuple(at_once),
            next((one for one in after if one.due_on is not None), None),
            tuple(one for one in after if one.due_on is None),
        )


async def _next(trial: Context, subscription_id: UUID, trials: Trials) -> list[PreviewedDocument]:
    """The documents of the next billing dates, up to the first with an invoice."""
    found: list[PreviewedDocument] = []
    subscription = (await reads.get(trial, subscription_id, trial.today)).subscription
    for _ in range(_MOST_DATES):
        if subscription.next_run_on is None:
            break
        day = max(subscription.next_run_on, trial.today)
        then, outcome = await _bill_on(trial, subscription_id, day, trials)
        found += [one async for one in _documents(then, day)]
        if any(one.due_on is not None for one in found):
            break
        subscription = outcome.advanced.chain.subscription
    return found


async def _bill_on(trial: Context, subscription_id: UUID, day: date, trials: Trials) -> tuple[Context, AdvanceResult]:
    """Advance a subscription by one billing date, as of that day; as of today where nothing can be booked then yet."""
    ahead = (day - trial.today).days
    then = _at(trial, ahead)
    try:
        async with then.savepoint():
            return then, await _advance(then, subscription_id, day, trials, at_most=1)
    except LedgerBeeError:  # no exchange rate, no financial year
        if not ahead:
            raise
    now = _at(trial, 0)
    return now, await _advance(now, subscription_id, day, trials, at_most=1)


async def _advance(
    context: Context, subscription_id: UUID, day: date, trials: Trials, *, at_most: int = MAX_PERIODS
) -> AdvanceResult:
    (outcome,) = await advance(context, [subscription_id], day, trials=trials, at_most=at_most, supposes_paid=True)
    return outcome


async def _documents(context: Context, day: date) -> AsyncIterator[PreviewedDocument]:
    """The documents that the events of a context tell of, with their days as they are when they are made on `day`."""
    for kind, document_id in _documents_of(context):
        full = await documents.get_full(context, kind, document_id)
        document = full.document
        later = day - document.issue_date
        due_on = document.due_date + later if kind is INVOICES else None
        yield PreviewedDocument(full, document.issue_date + later, due_on)


def _documents_of(context: Context) -> Iterator[tuple[Any, UUID]]:
    for event in context.events:
        if event.type in _KINDS:
            yield _KINDS[event.type], event.object_id


def _at(context: Context, ahead: int) -> Context:
    """The same transaction so many days later, with no events yet."""
    return replace(context, clock_offset=context.clock_offset + ahead, events=[], jobs=[])


@asynccontextmanager
async def undone(context: Context) -> AsyncIterator[Context]:
    """A context of the same transaction. What is done in it is undone at the end, and what it notes is not written."""
    await context.connection.execute("SAVEPOINT before_preview")
    try:
        yield replace(context, company_cache=None, events=[], jobs=[], answer=None)
    finally:
        await context.connection.execute("ROLLBACK TO SAVEPOINT before_preview; RELEASE SAVEPOINT before_preview")
