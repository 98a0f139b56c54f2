"""Carrying a billing run out: payers in chunks, each chunk one transaction; what one payer can't be billed for stops
nobody else.

A run that was interrupted is resumed: what was billed is not due any more. Two at once share the work, since chains
are locked.
"""

import asyncio
from collections.abc import Awaitable, Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, Protocol, TypeVar
from uuid import UUID

import asyncpg
import structlog

from ledgerbee.billing.runs import store
from ledgerbee.billing.runs.model import (
    BillingOutcome,
    BillingResult,
    BillingRun,
    BillingRunId,
    BillingRunStatus,
    DuePayer,
    RefusedPayer,
)
from ledgerbee.billing.runs.results import has_moved, results_of
from ledgerbee.billing.runs.wire import render
from ledgerbee.billing.subscriptions.actions.advance import AdvanceResult, advance
from ledgerbee.billing.subscriptions.actions.events import emit_event
from ledgerbee.billing.subscriptions.invoicing.model import PayersRefusedError
from ledgerbee.billing.subscriptions.model import SubscriptionRead
from ledgerbee.billing.subscriptions.rules import MAX_PERIODS
from ledgerbee.billing.subscriptions.store import reads
from ledgerbee.billing.subscriptions.wire import render as render_subscription
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.printing import Trials, with_trials

T = TypeVar("T")

#: Subscriptions that are billed in one transaction.
CHUNK: Final = 250
#: Chunks that are under way at once: the next one is loaded and decided while the server writes the one before.
AT_ONCE: Final = 2
#: Periods of one subscription that a dry run goes through: it can't go on where it ended.
_ALL: Final = 100_000
#: Payers that are looked up at once.
_PAGE: Final = 5_000
#: Refusals of the day: nothing can be booked on it for anybody.
_OF_THE_DAY: Final = frozenset({PERIOD_LOCKED, FISCAL_YEAR_MISSING})

BILLING_FAILED = ErrorCode(
    "BILLING_FAILED", 500, "An unforeseen error keeps this customer from being billed; the log has it"
)

log = structlog.get_logger("ledgerbee.billing")


class Session(Protocol):
    """Transactions of the company whose run it is."""

    @property
    def company_id(self) -> UUID: ...

    async def read(self, work: Callable[[Context], Awaitable[T]]) -> T: ...

    async def write(self, work: Callable[[Context], Awaitable[T]]) -> T: ...


Progress = Callable[[int], None]


class _DryRunError(Exception):
    """Ends the transaction of a dry run, with what would have come of it."""

    def __init__(self, results: Sequence[BillingResult]) -> None:
        super().__init__("dry run")
        self.results = results


@dataclass
class _DayRefusedError(Exception):
    """Nothing can be booked on the day."""

    fault: LedgerBeeError


async def process(session: Session, run: BillingRun, progress: Progress = lambda _: None) -> BillingRun:
    """Carry a run out, and end it. `progress` is told how many more subscriptions were looked at.

    Raises what is passing (the database is away): the run can be resumed.
    """
    if not await session.write(partial(store.begin, run_id=run.id)):
        return await session.read(partial(store.get, run_id=run.id))
    work = _Process(session, run, progress)
    status, code, message = BillingRunStatus.COMPLETED, None, None
    try:
        await work.carry_out()
    except _DayRefusedError as refused:
        status, code, message = BillingRunStatus.FAILED, refused.fault.code, refused.fault.message

    async def end(context: Context) -> BillingRun:
        return await end_run(context, run.id, status, code, message)

    return await session.write(end)


async def end_run(
    context: Context,
    run_id: BillingRunId,
    status: BillingRunStatus,
    code: str | None = None,
    message: str | None = None,
) -> BillingRun:
    """End a run; one that is over stays as it is. Emits `billing.run_completed`, unless it was a dry run."""
    is_ended = await store.end(context, run_id, status, code, message)
    run = await store.get(context, run_id)
    if is_ended and not run.is_dry_run:
        context.emit("billing.run_completed", run.id, render(run).as_event())
    return run


@dataclass
class _Process:
    session: Session
    run: BillingRun
    progress: Progress

    async def carry_out(self) -> None:
        after: UUID | None = None
        while True:
            page = await self.session.read(partial(store.due_payers, run=self.run, after=after, limit=_PAGE))
            chunks = _chunks(page)
            try:
                async with asyncio.TaskGroup() as group:
                    for _ in range(AT_ONCE):
                        group.create_task(self._bill_each(chunks))
            except ExceptionGroup as faults:
                raise faults.exceptions[0] from faults
            if len(page) < _PAGE:
                return
            after = page[-1].payer_id

    async def _bill_each(self, chunks: Iterator[Sequence[DuePayer]]) -> None:
        """Bill the chunks that are left, together with others who take of them."""
        for chunk in chunks:
            await self._bill(chunk)

    async def _bill(self, chunk: Sequence[DuePayer]) -> None:
        """Bill a chunk, those of a chunk that are still due once more, and so on: catching up goes in steps."""
        due = list(chunk)
        while due:
            left = await self._bill_once(due)
            due = [DuePayer(payer_id, ids) for payer_id, own in due if (ids := [one for one in own if one in left])]

    async def _bill_once(self, due: Sequence[DuePayer]) -> set[UUID]:
        """Bill payers in one transaction, without those that can't be; the subscriptions that are still due."""
        refused: list[RefusedPayer] = []
        payers = list(due)
        left: set[UUID] = set()
        while payers:
            try:
                left = await self._transaction(payers)
                break
            except PayersRefusedError as fault:
                refused += [one for payer in payers for one in _refused_of(payer, fault)]
                payers = [one for payer in payers if (one := _without(payer, fault.faults)).subscription_ids]
            except LedgerBeeError as fault:
                if fault.is_passing:
                    raise
                if fault.error_code in _OF_THE_DAY:
                    if self.run.subscription_ids is not None and not self.run.is_dry_run:
                        await self._note_refused([RefusedPayer(payer, fault) for payer in payers])
                    raise _DayRefusedError(fault) from fault
                left, payers = await self._halve(payers, fault, refused), []
            except (OSError, asyncpg.InterfaceError):
                raise
            except Exception as fault:
                log.exception("billing.chunk_failed", error=f"{type(fault).__name__}: {fault}")
                left, payers = await self._halve(payers, BILLING_FAILED.error(), refused), []
        if refused:
            await self._note_refused(refused)
        return left

    async def _halve(self, payers: Sequence[DuePayer], fault: LedgerBeeError, refused: list[RefusedPayer]) -> set[UUID]:
        """One of them can't be billed with the others: halves, until it is alone."""
        if len(payers) == 1:
            refused.append(RefusedPayer(payers[0], fault))
            return set()
        middle = len(payers) // 2
        return await self._bill_once(payers[:middle]) | await self._bill_once(payers[middle:])

    async def _transaction(self, payers: Sequence[DuePayer]) -> set[UUID]:
        """Bill payers, note what came of it; the subscriptions that are still due, since catching up goes in steps."""
        ids = [one for payer in payers for one in payer.subscription_ids]
        left: set[UUID] = set()

        async def work(trials: Trials, context: Context) -> None:
            left.clear()
            outcomes = await advance(
                context,
                ids,
                self.run.as_of,
                trials=trials,
                at_most=_ALL if self.run.is_dry_run else MAX_PERIODS,
                is_confirmed=self.run.confirms_catch_up,
            )
            results = [result for one in outcomes for result in results_of(self.run, one)]
            if self.run.is_dry_run:
                raise _DryRunError(results)
            left.update(one.advanced.chain.subscription.id for one in outcomes if self._is_still_due(one))
            await store.add_results(context, self.run.id, results, len(set(ids) - left))

        async def attempt(trials: Trials) -> None:
            await self.session.write(partial(work, trials))

        try:
            await with_trials(self.session.company_id, attempt)
        except _DryRunError as dry:
            results = [replace(one, invoice_id=None, credit_note_id=None) for one in dry.results]
            add = partial(store.add_results, run_id=self.run.id, results=results, processed=len(ids))
            await self.session.write(add)
        self.progress(len(set(ids) - left))
        return left

    def _is_still_due(self, one: AdvanceResult) -> bool:
        next_run_on = one.advanced.chain.subscription.next_run_on
        return (
            next_run_on is not None
            and next_run_on <= self.run.as_of
            and not one.needs_confirmation
            and has_moved(one.advanced)
        )

    async def _note_refused(self, refused: Sequence[RefusedPayer]) -> None:
        async def work(context: Context) -> None:
            ids = [one for payer in refused for one in payer.due.subscription_ids]
            found = await reads.get_many(context, ids)
            results = [
                BillingResult(
                    id=new_id(),
                    billing_run_id=self.run.id,
                    customer_id=found[subscription_id].subscription.customer_id,
                    subscription_id=subscription_id,
                    outcome=BillingOutcome.REFUSED,
                    code=payer.fault.code,
                    message=payer.fault.message,
                )
                for payer in refused
                for subscription_id in payer.due.subscription_ids
            ]
            await store.add_results(context, self.run.id, results, len(ids))
            if not self.run.is_dry_run:
                for one in results:
                    _emit_refusal(context, one, found[one.subscription_id])

        await self.session.write(work)
        self.progress(sum(len(payer.due.subscription_ids) for payer in refused))


def _emit_refusal(context: Context, result: BillingResult, read: SubscriptionRead) -> None:
    """Emit that a subscription could not be billed: its wire form, and why."""
    form = render_subscription(replace(read, customer_name=None), context.today, context.today).as_event()
    why = {
        "subscriptionId": str(result.subscription_id),
        "errorType": "billing_failed",
        "code": result.code,
        "message": result.message,
        "billingRunId": str(result.billing_run_id),
    }
    emit_event(context, "error", result.subscription_id, form | why)


def _refused_of(payer: DuePayer, fault: PayersRefusedError) -> Iterator[RefusedPayer]:
    """What of a payer's can't be billed: all of it, but where somebody else has come to pay for a subscription."""
    ids = [one for one in payer.subscription_ids if one in fault.faults]
    if ids:
        yield RefusedPayer(DuePayer(payer.payer_id, ids), fault.faults[ids[0]])


def _without(payer: DuePayer, subscription_ids: Container[UUID]) -> DuePayer:
    return DuePayer(payer.payer_id, [one for one in payer.subscription_ids if one not in subscription_ids])


def _chunks(payers: Iterable[DuePayer]) -> Iterator[list[DuePayer]]:
    """Payers in chunks of about as many subscriptions; one payer is never divided."""
    chunk: list[DuePayer] = []
    count = 0
    for payer in payers:
        chunk.append(payer)
        count += len(payer.subscription_ids)
        if count >= CHUNK:
            yield chunk
            chunk, count = [], 0
    if chunk:
        yield chunk
