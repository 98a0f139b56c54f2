"""The status of a subscription on a day. Pure."""

from datetime import date

from ledgerbee.billing.subscriptions.model import Subscription, SubscriptionStatus


def status_on(subscription: Subscription, day: date) -> SubscriptionStatus:
    """Where a subscription stands on a day of the company's calendar, by the first row that fits:

    | status | when |
    | --- | --- |
    | `cancelled` | it was cancelled before its first day |
    | `scheduled` | before its first day |
    | `cancelled`, `expired` | from its end on, after a cancellation or by its `endDate` |
    | `awaiting_payment` | the first payment is not captured |
    | `paused` | a pause holds |
    | `pending_cancellation` | an end by cancellation is scheduled |
    | `trial` | before the end of its trial |
    | `active` | otherwise |
    """
    if subscription.ends_on == subscription.starts_on:
        return SubscriptionStatus.CANCELLED
    if day < subscription.starts_on:
        return SubscriptionStatus.SCHEDULED
    if subscription.ends_on is not None and day >= subscription.ends_on:
        return SubscriptionStatus.CANCELLED if subscription.is_cancelled else SubscriptionStatus.EXPIRED
    if subscription.awaits_payment:
        return SubscriptionStatus.AWAITING_PAYMENT
    if subscription.is_paused:
        return SubscriptionStatus.PAUSED
    if subscription.is_cancelled:
        return SubscriptionStatus.PENDING_CANCELLATION
    if subscription.trial_until is not None and day < subscription.trial_until:
        return SubscriptionStatus.TRIAL
    return SubscriptionStatus.ACTIVE
