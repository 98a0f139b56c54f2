"""Saved cards and the subscriptions that are paid with them: applied, and lost with the card."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from ledgerbee.billing.cards import store
from ledgerbee.billing.cards.model import Applied
from ledgerbee.billing.subscriptions.actions import update
from ledgerbee.billing.subscriptions.store import chains
from ledgerbee.core.fields import replace
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.customers.model import BillingRelationship
from ledgerbee.payments.payment_methods import actions as methods
from ledgerbee.payments.payment_methods import store as methods_store
from ledgerbee.payments.payment_methods.model import PaymentMethodId
from ledgerbee.payments.payment_methods.rules import require_active
from ledgerbee.platform.context import Context


async def apply(
    context: Context, customer_id: UUID, method_id: PaymentMethodId, *, enables_automatic_billing: bool
) -> Applied:
    """Set a card on all subscriptions of its customer that are active, in their trial or begin later.

    Those of a customer that a parent pays for are passed over. Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`,
    `PAYMENT_METHOD_INVALID_STATE`. Emits `subscription.updated` of each that changes.
    """
    customer = await customers.get_for_update(context, customer_id)
    require_active(await methods_store.get_for_update(context, customer_id, method_id))
    ids = await store.running(context, customer_id)
    if customer.billing_relationship is BillingRelationship.PARENT_PAYS:
        return Applied(updated=0, skipped=len(ids))
    automatic = {"automatic_billing": True} if enables_automatic_billing else {}
    await _change(context, ids, payment_method_id=method_id, **automatic)
    return Applied(updated=len(ids), skipped=0)


async def unassign(context: Context, customer_id: UUID, method_id: PaymentMethodId) -> None:
    """Take a card from its customer, and from the subscriptions that name it. It lives on at the provider.

    Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`. Emits `payment_method.removed` and `subscription.updated`.
    """
    await methods.unassign(context, customer_id, method_id)
    await _change(context, await store.naming(context, method_id), payment_method_id=None)


async def mark_cancelled(context: Context, customer_id: UUID, method_id: PaymentMethodId) -> None:
    """Note that a card was ended at the provider, and take it from the subscriptions that name it.

    Raises `CUSTOMER_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`. Emits `payment_method.removed` and `subscription.updated`.
    """
    await methods.mark_cancelled(context, customer_id, method_id)
    await _change(context, await store.naming(context, method_id), payment_method_id=None)


async def _change(context: Context, ids: Sequence[UUID], **fields: Any) -> None:
    """Give subscriptions these fields, each by a version from today on, where that makes a difference."""
    loaded = await chains.load(context, ids, as_of=context.today, takes_late=False)
    changed = [(one, replace(one.chain.subscription, **fields)) for one in loaded]
    await update.write(context, [(one, after) for one, after in changed if after != one.chain.subscription])
