"""The status of a subscription on a day. Pure."""

from datetime import date

from ledgerbee.billing.subscriptions.model import Subscription, SubscriptionStatus


def status_on(subscription: Subscription, day: date) -> SubscriptionStatus:
    """Where a subscription stands on a day of the company's calendar, by the first row that fits:

    | status | when |
    | --- | --- |
    | `cancelled` | it was cancelled before its first day, or before it was paid for |
    | `scheduled` | before its first day |
    | `cancelled`, `expired` | from its end on, after a cancellation, by its `endDate`, or not paid for |
    | `awaiting_payment` | its first invoice is not paid, and it begins when that is |
    | `paused` | a pause holds |
    | `pending_cancellation` | an end by cancellation is scheduled |
    | `trial` | before the end of its trial |
    | `active` | otherwise |
    """
    end, trial_until = subscription.ends_on, subscription.trial_until
    found = (
        (SubscriptionStatus.CANCELLED, end == subscription.starts_on and subscription.is_cancelled),
        (SubscriptionStatus.SCHEDULED, day < subscription.starts_on),
        (SubscriptionStatus.CANCELLED, end is not None and day >= end and subscription.is_cancelled),
        (SubscriptionStatus.EXPIRED, end is not None and day >= end),
        (SubscriptionStatus.AWAITING_PAYMENT, subscription.awaits_payment),
        (SubscriptionStatus.PAUSED, subscription.is_paused),
        (SubscriptionStatus.PENDING_CANCELLATION, subscription.is_cancelled),
        (SubscriptionStatus.TRIAL, trial_until is not None and day < trial_until),
    )
    return next((status for status, holds in found if holds), SubscriptionStatus.ACTIVE)
