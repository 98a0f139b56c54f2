"""Changing what a subscription is called and how it is paid."""

from uuid import UUID

from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.actions import shared
from ledgerbee.billing.subscriptions.actions.events import emit_event
from ledgerbee.billing.subscriptions.model import (
    PAYMENT_METHOD_NOT_FOUND,
    SubscriptionFields,
    SubscriptionRead,
)
from ledgerbee.billing.subscriptions.wire import event_data
from ledgerbee.core.changes import Changes
from ledgerbee.platform.context import Context


async def update(context: Context, subscription_id: UUID, changes: Changes[SubscriptionFields]) -> SubscriptionRead:
    """Change the named fields, by a version that holds from today on; what it costs stays as it is.

    Raises `SUBSCRIPTION_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`,
    `SALES_DOCUMENT_DEPARTMENT_INACTIVE`, `CONTACT_NOT_FOUND`. Emits `subscription.updated` if anything became
    different.
    """
    loaded = await shared.load(context, subscription_id)
    before, facts = loaded.chain, loaded.facts
    subscription = changes.applied_to(before.subscription)
    if "payment_method_id" in changes and subscription.payment_method_id is not None:
        raise PAYMENT_METHOD_NOT_FOUND.missing("paymentMethodId", "paymentMethodId", subscription.payment_method_id)
    await shared.check_people(
        context,
        subscription.customer_id,
        subscription.customer_department_id if "customer_department_id" in changes else None,
        subscription.department_contact_override_id if "department_contact_override_id" in changes else None,
    )
    if subscription == before.subscription:
        return await shared.read(context, before, facts)
    after = rules.updated(before, facts, subscription, context.today, context.now)
    await shared.save(context, loaded, after)
    was = event_data(before, facts, before.versions[-1].id, context.today)
    now = event_data(after.chain, facts, after.chain.versions[-1].id, context.today)
    emit_event(context, "updated", subscription_id, now, before=was)
    return await shared.read(context, after.chain, facts)
