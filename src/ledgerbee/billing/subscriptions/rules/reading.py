"""What of a subscription holds on a day, as it is shown. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date
from uuid import UUID

from ledgerbee.billing.subscriptions.model import Subscription, SubscriptionRead, VersionRow
from ledgerbee.billing.subscriptions.rules.chain import Chain
from ledgerbee.billing.timelines.model import Timeline


def version_on(versions: Sequence[VersionRow], day: date) -> VersionRow:
    """The version that holds on a day: the newest of those whose day has come.

    A later version holds from its day on, whatever earlier ones said. Before the first day it is what will hold then.
    """
    first_day = versions[0].effective_on
    return max((one for one in versions if one.effective_on <= max(day, first_day)), key=lambda one: one.number)


def timeline(subscription: Subscription, versions: Sequence[VersionRow]) -> Timeline:
    """What holds on which days."""
    return Chain(subscription=subscription, versions=tuple(versions)).timeline


def read_of(
    chain: Chain, product_ids: Mapping[UUID, UUID], day: date, customer_name: str | None = None
) -> SubscriptionRead:
    """A chain as it is shown on the company's day."""
    days = (one.next_billing_date for one in chain.schedules.values())
    return SubscriptionRead(
        subscription=chain.subscription,
        version=version_on(chain.versions, day),
        product_ids=product_ids,
        next_billing_date=min((one for one in days if one is not None), default=None),
        customer_name=customer_name,
    )
