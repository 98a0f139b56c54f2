"""Changing what a subscription is called and how it is paid."""

from collections.abc import Sequence
from uuid import UUID

from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.actions import shared
from ledgerbee.billing.subscriptions.actions.events import emit_event
from ledgerbee.billing.subscriptions.model import Subscription, SubscriptionFields, SubscriptionRead
from ledgerbee.billing.subscriptions.rules.chain import Advanced
from ledgerbee.billing.subscriptions.store import chains, reads
from ledgerbee.billing.subscriptions.store.chains import LoadedChain
from ledgerbee.billing.subscriptions.wire import event_data
from ledgerbee.core.changes import Changes
from ledgerbee.platform.context import Context


async def update(context: Context, subscription_id: UUID, changes: Changes[SubscriptionFields]) -> SubscriptionRead:
    """Change the named fields, by a version that holds from today on; what it costs stays as it is.

    Raises `SUBSCRIPTION_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`,
    `SALES_DOCUMENT_DEPARTMENT_INACTIVE`, `CONTACT_NOT_FOUND` and what `shared.check_card` does. Emits
    `subscription.updated` if anything became different.
    """
    if "payment_method_id" in changes:
        customer_id = await reads.customer_of(context, subscription_id)
        await shared.check_card(context, customer_id, changes.fields["payment_method_id"])
    loaded = await shared.load(context, subscription_id)
    before, facts = loaded.chain, loaded.facts
    subscription = changes.applied_to(before.subscription)
    await shared.check_people(
        context,
        subscription.customer_id,
        subscription.customer_department_id if "customer_department_id" in changes else None,
        subscription.department_contact_override_id if "department_contact_override_id" in changes else None,
    )
    if subscription == before.subscription:
        return await shared.read(context, before, facts)
    (after,) = await write(context, [(loaded, subscription)])
    return await shared.read(context, after.chain, facts)


async def write(context: Context, changed: Sequence[tuple[LoadedChain, Subscription]]) -> list[Advanced]:
    """Write other fields of chains, each by a version that holds from today on. Emits `subscription.updated`."""
    after = [
        (loaded, rules.updated(loaded.chain, loaded.facts, subscription, context.today, context.now))
        for loaded, subscription in changed
    ]
    await chains.save(context, after)
    for loaded, one in after:
        before, facts = loaded.chain, loaded.facts
        was = event_data(before, facts, before.versions[-1].id, context.today)
        now = event_data(one.chain, facts, one.chain.versions[-1].id, context.today)
        emit_event(context, "updated", before.subscription.id, now, before=was)
    return [one for _, one in after]
