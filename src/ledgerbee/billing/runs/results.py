"""What a run says of a subscription that it has advanced. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from ledgerbee.billing.charges.model import Charge
from ledgerbee.billing.runs.model import NEEDS_CONFIRMATION, BillingOutcome, BillingResult, BillingRun
from ledgerbee.billing.subscriptions.actions.advance import AdvanceResult
from ledgerbee.billing.subscriptions.rules.chain import Advanced
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import EXACT, total


def results_of(run: BillingRun, one: AdvanceResult) -> Iterator[BillingResult]:
    """What came of a subscription: its documents, that it moved on without one, that it waits for a word, or nothing.

    Another run may have been there first, and then there is nothing to say.
    """
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
    charges = one.advanced.charges
    for invoice_id in one.invoice_ids:
        own = [charge for charge in charges if charge.invoice_id == invoice_id]
        amount = total([EXACT.add(charge.net, charge.credit_note_net) for charge in own])
        days = _days(own) | {"amount": amount, "currency": subscription.currency}
        yield result(BillingOutcome.INVOICED, invoice_id=invoice_id, **days)
    for note_id in one.credit_note_ids:
        own = [charge for charge in charges if charge.credit_note_id == note_id]
        taken = total([charge.credit_note_net for charge in own]) if own else one.refund_amount
        days = _days(own) | {"amount": EXACT.minus(taken), "currency": subscription.currency}
        yield result(BillingOutcome.CREDITED, credit_note_id=note_id, **days)
    if not one.invoice_ids and not one.credit_note_ids and has_moved(one.advanced):
        yield result(BillingOutcome.ADVANCED)


def has_moved(advanced: Advanced) -> bool:
    """Whether anything became of a chain."""
    return bool(advanced.versions or advanced.changes or advanced.charges or advanced.events)


def _days(charges: Sequence[Charge]) -> dict[str, Any]:
    """The days that charges pay for, from the first to the last; none of no charge."""
    if not charges:
        return {}
    return {
        "service_start": min(charge.service.start for charge in charges),
        "service_end": max(charge.service.end for charge in charges),
    }
