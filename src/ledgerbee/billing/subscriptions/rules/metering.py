"""Which days of a subscription usage may be reported for, and which billed usage came late. Pure."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final
from uuid import UUID

from ledgerbee.billing.charges.model import Charge, ChargeKind
from ledgerbee.billing.subscriptions.rules.chain import BillingFacts, Chain
from ledgerbee.catalog.prices.model import BillingPeriodType
from ledgerbee.core.fields import replace

#: Days after the end of a subscription in which late usage is still billed (decisions "Usage").
LATE_DAYS: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredSpan:
    """Days on which usage of a price belongs to a subscription: a row of `metered_spans`.

    `ends_on` is the first day after them, None without an end; usage that comes later than `closes_on` is not billed.
    """

    subscription_id: UUID
    price_id: UUID
    meter_id: UUID | None
    customer_id: UUID
    starts_on: date
    ends_on: date | None
    is_trial: bool
    chain_starts_on: date
    billed_until: date
    closes_on: date | None


def metered_spans(chain: Chain, facts: BillingFacts) -> Iterator[MeteredSpan]:
    """Where usage may be reported for a chain: its USAGE prices, but for pauses; neighbouring days are one span."""
    for price_id in facts.of_type(BillingPeriodType.USAGE):
        span = None
        for one in _segment_spans(chain, facts, price_id):
            if span is not None and (span.ends_on, span.is_trial) == (one.starts_on, one.is_trial):
                span = replace(span, ends_on=one.ends_on)
                continue
            if span is not None:
                yield span
            span = one
        if span is not None:
            yield span


def _segment_spans(chain: Chain, facts: BillingFacts, price_id: UUID) -> Iterator[MeteredSpan]:
    """A span for each segment that has the price."""
    subscription = chain.subscription
    if subscription.awaits_payment:  # nothing is used before it is paid for
        return
    schedule = chain.schedules.get(price_id)
    for segment in chain.timeline:
        if segment.terms.is_paused or all(item.price_id != price_id for item in segment.terms.items):
            continue
        yield MeteredSpan(
            subscription_id=subscription.id,
            price_id=price_id,
            meter_id=facts.prices[price_id].meter_id,
            customer_id=subscription.customer_id,
            starts_on=segment.start,
            ends_on=segment.end,
            is_trial=segment.is_trial,
            chain_starts_on=subscription.starts_on,
            billed_until=subscription.starts_on if schedule is None else schedule.billed_until,
            closes_on=None if subscription.ends_on is None else subscription.ends_on + LATE_DAYS,
        )


def late_charges(charges: Iterable[Charge], late: Collection[tuple[UUID, UUID, date]]) -> Iterator[UUID]:
    """The billed usage that late events belong to; `late` are their subscriptions, prices and days."""
    for charge in charges:
        if charge.kind is ChargeKind.USAGE and any(
            (charge.subscription_id, charge.price_id) == (subscription_id, price_id)
            and charge.service.start <= day < charge.service.end
            for subscription_id, price_id, day in late
        ):
            yield charge.id
