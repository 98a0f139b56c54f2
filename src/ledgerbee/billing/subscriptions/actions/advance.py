"""Advances subscriptions to a day: the one way in which anything happens to them.

Loaded and locked, decided by `rules.begin` and `rules.finish`, billed, written, events emitted: in one transaction, for
any number of chains.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID

from ledgerbee.billing.charges.model import Charge, ChargeKind
from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.actions.events import emit_event
from ledgerbee.billing.subscriptions.invoicing import actions as invoicing
from ledgerbee.billing.subscriptions.invoicing.model import AdvancedChain, Invoiced
from ledgerbee.billing.subscriptions.model import FOLLOW_DECLINE_JOB, FirstPayment, ScheduledChange
from ledgerbee.billing.subscriptions.rules import MAX_PERIODS
from ledgerbee.billing.subscriptions.rules.chain import Advanced, UsageOf
from ledgerbee.billing.subscriptions.store import chains
from ledgerbee.billing.subscriptions.store.chains import LoadedChain
from ledgerbee.billing.subscriptions.wire import event_data
from ledgerbee.billing.timelines.model import Span
from ledgerbee.billing.usage import actions as usage
from ledgerbee.billing.usage.model import AskedQuantity, UsedQuantity
from ledgerbee.catalog.prices.model import BillingPeriodType
from ledgerbee.core.fields import replace
from ledgerbee.payments.charges.model import PAYMENT_METHOD_AMBIGUOUS
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.printing import Trials


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceResult:
    """What became of a chain, and the documents that were made for it.

    `refund_amount` excludes VAT; `refund_reason` says why a cancellation gave nothing back though it was to.
    """

    advanced: Advanced
    invoice_ids: tuple[UUID, ...] = ()
    credit_note_ids: tuple[UUID, ...] = ()
    refund_credit_note_ids: tuple[UUID, ...] = ()
    refund_amount: Decimal
    refund_reason: str | None = None
    needs_confirmation: bool = False


async def advance(
    context: Context,
    subscription_ids: Sequence[UUID],
    as_of: date,
    *,
    changes: Mapping[UUID, ScheduledChange] | None = None,
    trials: Trials | None = None,
    at_most: int = MAX_PERIODS,
    is_confirmed: bool = True,
    supposes_paid: bool = False,
) -> list[AdvanceResult]:
    """Advance chains to a day, in the order of their ids: changes that are due and those given, bills, events.

    A given change is carried out on its day, which is today or before, and kept as `applied`. Emits the
    `subscription.*` events of what happened, those of the documents that are made, and `subscription.billed` for each
    invoice. Raises `PayersRefusedError`, the refusal of a given change, `UntriedDocumentsError` (see
    `printing.with_trials`), and what the ledger refuses: then nothing may be kept of it. Where it is not
    `is_confirmed`, nothing is billed of a chain with more than `MAX_PERIODS` due periods: it `needs_confirmation`.
    With `supposes_paid` those that wait for the payment of an invoice go on as if it had come.
    """
    await usage.hold(context, await chains.metered_customers(context, subscription_ids))
    loaded = await chains.load(context, subscription_ids, as_of=as_of, changes=changes)
    if supposes_paid:
        loaded = [replace(one, chain=replace(one.chain, first_payment=FirstPayment.PAID)) for one in loaded]
    given = [change.id for change in (changes or {}).values()]
    unconfirmed = (
        set()
        if is_confirmed
        else {one.chain.subscription.id for one in loaded if rules.is_behind(one.chain, one.facts, as_of, MAX_PERIODS)}
    )
    decided = await _decide(
        context, loaded, as_of, lambda one: 0 if one.chain.subscription.id in unconfirmed else at_most, given
    )
    invoiced = await invoicing.invoice(context, decided, trials or {})
    decided = [
        (one, _with_invoices(context, advanced, own)) for (one, advanced), own in zip(decided, invoiced, strict=True)
    ]
    await chains.save(context, decided)
    for (one, advanced), own in zip(decided, invoiced, strict=True):
        _emit(context, one, advanced, own)
    return [
        AdvanceResult(
            advanced=advanced,
            invoice_ids=own.invoice_ids,
            credit_note_ids=own.credit_note_ids,
            refund_credit_note_ids=own.refund.credit_note_ids,
            refund_amount=own.refund.amount,
            refund_reason=own.refund.reason,
            needs_confirmation=advanced.chain.subscription.id in unconfirmed,
        )
        for (_, advanced), own in zip(decided, invoiced, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class LateCharges:
    """What a period's usage was billed by, and what usage that came late makes of it."""

    billed: Sequence[Charge]
    differences: Sequence[Charge]


async def late_charges(context: Context, loaded: Sequence[LoadedChain]) -> list[list[LateCharges]]:
    """What late usage makes of the billed periods of chains, as their next bill has it. Nothing is written.

    Periods of which nothing becomes different are left out.
    """
    late = await _count_late(context, loaded)
    found = []
    for one in loaded:
        chain = one.chain
        work = rules.Work(chain, one.facts, context.now, _usage_of(chain.subscription.id, late))
        work.charge_late_usage()
        new = list(work.charges.values())
        periods = [
            LateCharges(rules.billed_usage(chain.charges, first), rules.billed_usage(new, first)[1:])
            for first in chain.charges
            if first.kind is ChargeKind.USAGE
        ]
        found.append([period for period in periods if period.differences])
    return found


async def _count_late(context: Context, loaded: Sequence[LoadedChain]) -> dict[AskedQuantity, UsedQuantity]:
    """What billed periods come to by now of which usage came late."""
    return await _count(
        context,
        [
            _asked(one.chain.subscription.id, charge.price_id, rules.spans_of(one.chain, charge))
            for one in loaded
            for charge in one.chain.charges
            if charge.id in one.chain.late
        ],
    )


async def _decide(
    context: Context,
    loaded: Sequence[LoadedChain],
    as_of: date,
    at_most: Callable[[LoadedChain], int],
    given: Sequence[UUID],
) -> list[AdvancedChain]:
    """What becomes of chains. Of those with meters it is found out first what will hold and which usage that bills:
    spans are written and days marked as billed before usage is counted, so that nothing that comes meanwhile falls in
    between."""
    late = await _count_late(context, loaded)
    begun = [
        (
            one,
            rules.begin(
                one.chain,
                one.facts,
                as_of,
                context.now,
                _usage_of(one.chain.subscription.id, late),
                at_most=at_most(one),
                given=given,
            ),
        )
        for one in loaded
    ]
    await chains.bill_usage_until(context, [work.chain for _, work in begun if work.uncounted])
    changed = [(one, work) for one, work in begun if (work.versions or work.has_begun) and _may_have_meters(one)]
    await _attribute(context, changed)
    used = await _count(
        context,
        [
            _asked(one.chain.subscription.id, work.charges[charge_id].price_id, spans)
            for one, work in begun
            for charge_id, spans in work.uncounted.items()
        ],
    )
    return [(one, rules.finish(work, _usage_of(one.chain.subscription.id, used))) for one, work in begun]


async def _count(context: Context, asked: Sequence[AskedQuantity | None]) -> dict[AskedQuantity, UsedQuantity]:
    """What meters counted, by one statement."""
    keys = [key for key in dict.fromkeys(asked) if key is not None]
    return dict(zip(keys, await usage.quantities(context, keys), strict=True))


def _asked(subscription_id: UUID, price_id: UUID, spans: Sequence[Span]) -> AskedQuantity | None:
    """A price's usage from the first to the last of some days; those between that aren't its are left out by the
    meter's spans. None where there are no days."""
    return AskedQuantity(subscription_id, price_id, spans[0].start, spans[-1].end) if spans else None


def _usage_of(subscription_id: UUID, counted: Mapping[AskedQuantity, UsedQuantity]) -> UsageOf:
    def usage_of(price_id: UUID, spans: Sequence[Span]) -> UsedQuantity:
        key = _asked(subscription_id, price_id, spans)
        return UsedQuantity() if key is None else counted[key]

    return usage_of


def _may_have_meters(loaded: LoadedChain) -> bool:
    """Whether a chain has a meter, or may get one by a change."""
    metered = loaded.facts.of_type(BillingPeriodType.USAGE)
    return bool(loaded.chain.changes and metered) or any(
        price_id in metered for version in loaded.chain.versions for price_id in version.price_ids
    )


async def _attribute(context: Context, changed: Sequence[tuple[LoadedChain, rules.Work]]) -> None:
    """Have usage belong to timelines as they will be."""
    if not changed:
        return
    await chains.put_spans(context, [(work.chain, one.facts) for one, work in changed])
    customer_ids = {one.chain.subscription.customer_id for one, _ in changed}
    first = min(
        [version.effective_on for _, work in changed for version in work.versions]
        + [work.chain.subscription.starts_on for _, work in changed if work.has_begun]
    )
    await usage.reattribute(context, customer_ids, first)


def _with_invoices(context: Context, advanced: Advanced, invoiced: Invoiced) -> Advanced:
    """A chain with its charges as they stand on documents, and with the invoice whose payment it waits for."""
    subscription = advanced.chain.subscription
    if subscription.awaits_payment and invoiced.invoice_ids:
        subscription = rules.awaiting(subscription, invoiced.invoice_ids[0], context.today)
    known = {charge.id: charge for charge in advanced.chain.charges} | {one.id: one for one in invoiced.charges}
    return replace(
        advanced,
        charges=tuple(invoiced.charges),
        chain=replace(advanced.chain, subscription=subscription, charges=tuple(known.values())),
    )


def _emit(context: Context, loaded: LoadedChain, advanced: Advanced, invoiced: Invoiced) -> None:
    chain, facts = advanced.chain, loaded.facts
    subscription, subscription_id = chain.subscription, chain.subscription.id
    if not (advanced.events or invoiced.invoice_ids):
        return
    newest = chain.versions[-1].id
    form = event_data(chain, facts, newest, context.today)
    for event in advanced.events:
        data = form | {"versionId": str(event.version_id)} | event.details
        emit_event(context, event.topic, subscription_id, data)
    for invoice_id in invoiced.invoice_ids:
        emit_event(context, "billed", subscription_id, form | {"invoiceId": str(invoice_id)})
    if not invoiced.is_deliverable:
        details = {"errorType": "undeliverable_recipient", "invoiceId": str(invoiced.invoice_ids[-1])}
        emit_event(context, "error", subscription_id, form | details)
    uncharged = invoiced.uncharged if subscription.automatic_billing else {}
    for invoice_id, code in uncharged.items():
        details = {"errorType": "charge_failed", "invoiceId": str(invoice_id), "code": code}
        emit_event(context, "error", subscription_id, form | details)
        if code != PAYMENT_METHOD_AMBIGUOUS.code:  # no card was declined
            context.enqueue(FOLLOW_DECLINE_JOB, invoiceId=str(invoice_id))
