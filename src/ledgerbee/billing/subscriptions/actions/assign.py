"""Giving a subscription to a customer."""

from ledgerbee.billing.plans import store as plans
from ledgerbee.billing.plans.model import SUBSCRIPTION_PLAN_NOT_FOUND, Plan, PlanId, PlanStatus, PlanVersion
from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.actions import shared
from ledgerbee.billing.subscriptions.model import (
    BILL_SUBSCRIPTIONS_JOB,
    SUBSCRIPTION_PLAN_INVALID_STATE,
    NewSubscription,
    PaymentBehavior,
    SubscriptionRead,
)
from ledgerbee.billing.subscriptions.rules.chain import BillingFacts
from ledgerbee.billing.subscriptions.store import chains
from ledgerbee.billing.usage import actions as usage
from ledgerbee.catalog.prices import store as prices
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.customers.model import Customer
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.model import SALES_DOCUMENT_CUSTOMER_INACTIVE


async def assign(context: Context, given: NewSubscription) -> SubscriptionRead:
    """Give a customer a subscription, from its `start_date` on. It is billed by a run of its own after the commit.

    Raises `CUSTOMER_NOT_FOUND`, `SALES_DOCUMENT_CUSTOMER_INACTIVE`, `DEPARTMENT_NOT_FOUND`,
    `SALES_DOCUMENT_DEPARTMENT_INACTIVE`, `CONTACT_NOT_FOUND`, `PAYMENT_METHOD_NOT_FOUND`,
    `SUBSCRIPTION_PLAN_NOT_FOUND`, `SUBSCRIPTION_PLAN_INVALID_STATE` and what `shared.check_card`, `rules.items_of`,
    `rules.new_chain` and, where it is paid for first, `shared.check_chargeable` raise. Emits `subscription.assigned`,
    and `subscription.started`, `.trial_ended` and `.churned` where those days have come.
    """
    customer = await _customer(context, given)
    await shared.check_people(context, customer.id, given.customer_department_id, given.department_contact_override_id)
    await shared.check_card(context, customer.id, given.payment_method_id)
    if given.payment_behavior is PaymentBehavior.PAY_FIRST and given.payment_method_id is not None:
        await shared.check_chargeable(context, customer.id, given.payment_method_id)
    await usage.hold(context, [customer.id])
    plan = (await active_plan(context, PlanId(given.plan_id), "planId")).current
    facts = await _facts(context, plan)
    items = rules.items_of(plan, given.product_overrides, facts.prices, "productOverrides")
    chain = rules.new_chain(given, plan, items, facts, context.today, context.now)
    await chains.insert(context, chain, facts)
    await shared.attribute(context, chain, facts, given.start_date)
    for topic in ("assigned", *rules.past_topics(chain)):
        shared.emit_event(context, topic, chain, facts)
    context.enqueue(BILL_SUBSCRIPTIONS_JOB, subscriptionIds=[str(chain.subscription.id)])
    return rules.read_of(chain, shared.products_of(facts), context.today, customer.name)


async def active_plan(context: Context, plan_id: PlanId, place: str) -> Plan:
    """A plan that can be given to customers, named at `place` of a body.

    Raises `SUBSCRIPTION_PLAN_NOT_FOUND`, `SUBSCRIPTION_PLAN_INVALID_STATE`.
    """
    try:
        plan = await plans.get(context, plan_id)
    except LedgerBeeError:
        raise SUBSCRIPTION_PLAN_NOT_FOUND.missing(place, "planId", plan_id) from None
    if plan.status is not PlanStatus.ACTIVE:
        raise SUBSCRIPTION_PLAN_INVALID_STATE.in_state(plan.status.value)
    return plan


async def _customer(context: Context, given: NewSubscription) -> Customer:
    try:
        customer = await customers.get(context, given.customer_id)
    except LedgerBeeError:
        raise CUSTOMER_NOT_FOUND.missing("customerId", "customerId", given.customer_id) from None
    if not customer.is_active:
        raise SALES_DOCUMENT_CUSTOMER_INACTIVE.error(customerId=str(customer.id))
    return customer


async def _facts(context: Context, plan: PlanVersion) -> BillingFacts:
    """The prices of the plan, which stay as they are until the transaction ends."""
    found = await prices.get_many_for_share(context, [item.price_id for item in plan.items])
    return BillingFacts(
        prices={price_id: one.price for price_id, one in found.items()}, plans={(plan.plan_id, plan.version): plan}
    )
