"""Carrying a billing run out: payers in chunks, each chunk one transaction; what one payer can't be billed for stops
nobody else.

A run that was broken off is carried on: what was billed is not due any more. Two at once share the work, since chains
are locked.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

import asyncpg
import structlog

from ledgerbee.billing.invoicing.model import PayersRefusedError
from ledgerbee.billing.runs import store
from ledgerbee.billing.runs.model import (
    NEEDS_CONFIRMATION,
    BillingOutcome,
    BillingResult,
    BillingRun,
    BillingRunStatus,
    DuePayer,
    RefusedPayer,
)
from ledgerbee.billing.subscriptions.actions.carry_on import CarriedOn, carry_on
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.printing import Trials, with_trials

T = TypeVar("T")

#: Subscriptions that are billed in one transaction.
CHUNK: Final = 250
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

    Raises what is passing (the database is away): the run can be carried on.
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
        await store.end(context, run.id, status, code, message)
        ended = await store.get(context, run.id)
        if not run.is_dry_run:
            context.emit("billing.run_completed", run.id, run_form(ended))
        return ended

    return await session.write(end)


def run_form(run: BillingRun) -> dict[str, Any]:
    """What events say of a run."""
    return {
        "id": str(run.id),
        "status": run.status.value,
        "asOf": run.as_of.isoformat(),
        "processed": run.processed,
        "invoices": run.invoices,
        "creditNotes": run.credit_notes,
        "skipped": run.skipped,
        "refused": run.refused,
        "code": run.code,
    }


@dataclass
class _Process:
    session: Session
    run: BillingRun
    progress: Progress
    #: Subscriptions that this run has nothing more to do for though they are due.
    done: set[UUID] = field(default_factory=set)

    async def carry_out(self) -> None:
        after: UUID | None = None
        while True:
            page = await self.session.read(partial(store.due_payers, run=self.run, after=after, limit=_PAGE))
            for chunk in _chunks(page):
                await self._bill(chunk)
            if len(page) < _PAGE:
                return
            after = page[-1].payer_id

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
                refused += [
                    RefusedPayer(payer, fault.faults[payer.payer_id])
                    for payer in payers
                    if payer.payer_id in fault.faults
                ]
                payers = [payer for payer in payers if payer.payer_id not in fault.faults]
            except LedgerBeeError as fault:
                if fault.is_passing:
                    raise
                if fault.error_code in _OF_THE_DAY:
                    raise _DayRefusedError(fault) from fault
                left, payers = await self._halve(payers, fault, refused), []
            except asyncpg.PostgresError as fault:
                log.exception("billing.chunk_failed", error=f"{type(fault).__name__}: {fault}")
                left, payers = await self._halve(payers, BILLING_FAILED.error(), refused), []
            except Exception as fault:
                if isinstance(fault, (OSError, asyncpg.InterfaceError)):
                    raise
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
        ids = [one for payer in payers for one in payer.subscription_ids]
        left: set[UUID] = set()

        async def work(trials: Trials, context: Context) -> None:
            left.clear()
            carried = await carry_on(
                context, ids, self.run.as_of, trials=trials, is_confirmed=self.run.confirms_catch_up
            )
            results = [result for one in carried for result in _results(self.run, one)]
            left.update(one.advanced.chain.subscription.id for one in carried if self._is_still_due(one))
            if self.run.is_dry_run:
                raise _DryRunError(results)
            await store.add_results(context, self.run.id, results, 0)

        async def attempt(trials: Trials) -> None:
            await self.session.write(partial(work, trials))

        try:
            await with_trials(self.session.company_id, attempt)
        except _DryRunError as dry:
            left.clear()
            results = dry.results
            await self.session.write(partial(store.add_results, run_id=self.run.id, results=results, processed=0))
        looked_at = len(set(ids) - left)
        await self.session.write(partial(store.add_results, run_id=self.run.id, results=(), processed=looked_at))
        self.progress(looked_at)
        return left

    def _is_still_due(self, one: CarriedOn) -> bool:
        next_run_on = one.advanced.chain.subscription.next_run_on
        return not one.needs_confirmation and next_run_on is not None and next_run_on <= self.run.as_of

    async def _note_refused(self, refused: Sequence[RefusedPayer]) -> None:
        async def work(context: Context) -> None:
            ids = [one for payer in refused for one in payer.due.subscription_ids]
            customers = await store.customers_of(context, ids)
            results = [
                BillingResult(
                    id=new_id(),
                    billing_run_id=self.run.id,
                    customer_id=customers[subscription_id],
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
                    context.emit("subscription.error", one.subscription_id, _error_form(one))

        await self.session.write(work)
        self.progress(sum(len(payer.due.subscription_ids) for payer in refused))


def _error_form(result: BillingResult) -> dict[str, Any]:
    """What an event says of a subscription that could not be billed."""
    return {
        "subscriptionId": str(result.subscription_id),
        "customerId": str(result.customer_id),
        "errorType": "billing_failed",
        "code": result.code,
        "message": result.message,
        "billingRunId": str(result.billing_run_id),
    }


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


def _results(run: BillingRun, one: CarriedOn) -> Iterator[BillingResult]:
    subscription = one.advanced.chain.subscription

    def result(outcome: BillingOutcome, **others: Any) -> BillingResult:
        return BillingResult(
            id=new_id(),
            billing_run_id=run.id,
            customer_id=subscription.customer_id,
            subscription_id=subscription.id,
            outcome=outcome,
            **others,
        )

    if one.needs_confirmation:
        yield result(BillingOutcome.SKIPPED, code=NEEDS_CONFIRMATION)
        return
    for invoice_id in one.invoice_ids:
        yield result(BillingOutcome.INVOICED, invoice_id=None if run.is_dry_run else invoice_id)
    for note_id in one.credit_note_ids:
        yield result(BillingOutcome.CREDITED, credit_note_id=None if run.is_dry_run else note_id)
    if not one.invoice_ids and not one.credit_note_ids:
        yield result(BillingOutcome.ADVANCED)
