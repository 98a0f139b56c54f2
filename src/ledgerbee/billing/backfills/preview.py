"""What closing a backfill would make: done by the code that closes and the code that bills, and undone again."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from ledgerbee.billing.backfills import actions, rules, store
from ledgerbee.billing.backfills.model import BackfillId, PreviewedCustomer, PreviewedPeriod
from ledgerbee.billing.previews.actions import undone
from ledgerbee.billing.subscriptions.actions.advance import late_charges
from ledgerbee.billing.subscriptions.store import chains
from ledgerbee.billing.usage.model import UsageState
from ledgerbee.billing.usage.store.days import Moved
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context


async def preview(context: Context, backfill_id: BackfillId, request: PageRequest) -> Page[PreviewedCustomer]:
    """A page of the customers whose usage closing an open backfill would change, in the order of their ids, each with
    what they used before and after it, and the billed periods of which the next bill would have a difference.

    Usage that came late before is part of that difference. Nothing is kept. Raises what `close` raises.
    """
    async with undone(context) as trial:
        closed = await actions.close(trial, backfill_id)
        customer_ids = sorted({one.customer_id for one in closed.moved})
        shown = customer_ids[request.offset : request.offset + request.limit]
        after = await store.used(trial, backfill_id, shown)
        periods = await _periods(
            trial, closed.backfill.meter_id, [one for one in closed.moved if one.customer_id in after]
        )
    before = await store.used(context, backfill_id, shown)
    found = [PreviewedCustomer(before[one], after[one], periods[one]) for one in shown]
    return Page(found, len(customer_ids))


async def _periods(trial: Context, meter_id: UUID, moved: Sequence[Moved]) -> dict[UUID, list[PreviewedPeriod]]:
    """The billed periods of the meter of which there is a difference, by customer."""
    chain_ids = {
        chain_id
        for one in moved
        for chain_id, state in ((one.was, one.state_was), (one.subscription_id, one.state))
        if chain_id is not None and state == UsageState.ACCEPTED
    }
    loaded = await chains.load(trial, sorted(chain_ids), as_of=trial.today)
    periods: dict[UUID, list[PreviewedPeriod]] = defaultdict(list)
    for one, late in zip(loaded, await late_charges(trial, loaded), strict=True):
        subscription = one.chain.subscription
        periods[subscription.customer_id] += [
            rules.period_of(period.billed, period.differences, subscription.currency)
            for period in late
            if one.facts.prices[period.billed[0].price_id].meter_id == meter_id
        ]
    return periods
