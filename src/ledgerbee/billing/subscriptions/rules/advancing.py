"""What happens to a subscription up to a day: changes that come due, periods that are billed, starts and ends. Pure.

The one computation of billing: the run, a change that bills at once, the preview and the dry run are all this.
"""

from collections.abc import Collection
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from ledgerbee.billing.subscriptions.rules.chain import Advanced, BillingFacts, Chain, UsageOf
from ledgerbee.billing.subscriptions.rules.work import Work

#: Periods of one subscription that a run bills without an operator's word (decisions "Billing").
MAX_PERIODS: Final = 24


def advance(
    chain: Chain,
    facts: BillingFacts,
    as_of: date,
    now: datetime,
    usage_of: UsageOf,
    *,
    at_most: int = MAX_PERIODS,
    given: Collection[UUID] = (),
) -> Advanced:
    """Advance a chain to `as_of`: `begin` and `finish` at once."""
    return finish(begin(chain, facts, as_of, now, usage_of, at_most=at_most, given=given), usage_of)


def begin(
    chain: Chain,
    facts: BillingFacts,
    as_of: date,
    now: datetime,
    late_usage_of: UsageOf,
    *,
    at_most: int = MAX_PERIODS,
    given: Collection[UUID] = (),
) -> Work:
    """Advance a chain to `as_of`, billing at most so many periods, the oldest first, with all that is due on the day of
    the last one; its usage is still to be counted
    (`Work.uncounted`), but for that which came late.

    On one day the changes come before the bill; with `at_most` 0 they come before all bills. A change waits for no
    grace time: what fell due before it is billed first, and usage that comes later is a difference. A change that can't
    be carried out any more becomes `failed`; of those in `given`, by their ids, the refusal is raised. Of a chain that
    has to be paid for first there is the first bill, and nothing else until that is paid (`Work.is_paid_for`). Raises
    `PRODUCT_PRICE_QUANTITY_INVALID`.
    """
    work = Work(chain, facts, now, late_usage_of, given)
    if chain.subscription.awaits_payment and not work.is_paid_for(as_of, may_bill=at_most > 0):
        work.emit_until(as_of)
        return work
    work.charge_late_usage()
    left, billed_on = at_most, None
    while True:
        group = work.next_group()
        change = next((one for one in work.chain.changes if one.effective_on <= as_of), None)
        if change is not None and (group is None or change.effective_on <= group.on or at_most == 0):
            work.emit_until(change.effective_on - timedelta(days=1))
            work.apply(change)
        elif (
            group is not None
            and (change is not None or group.ready_on <= as_of)
            and (left > 0 or group.on == billed_on)
        ):
            work.bill(group)
            left, billed_on = left - group.is_period, group.on
        else:
            break
    work.settle_end(as_of)
    # Where changes have to wait for bills that may not be made yet, what comes with them or after them isn't emitted.
    work.emit_until(as_of if change is None else change.effective_on - timedelta(days=1))
    return work


def finish(work: Work, usage_of: UsageOf) -> Advanced:
    """What became of the chain, with its usage counted. Raises `PRODUCT_PRICE_QUANTITY_INVALID`."""
    work.count_usage(usage_of)
    return work.result()
