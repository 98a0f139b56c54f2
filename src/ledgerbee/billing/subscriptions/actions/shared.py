"""What operations of subscriptions share: to load a chain for a change, save it, read it, and emit its events."""

from datetime import date
from uuid import UUID

from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.actions import events
from ledgerbee.billing.subscriptions.actions.advance import AdvanceResult, advance
from ledgerbee.billing.subscriptions.model import (
    BILL_SUBSCRIPTIONS_JOB,
    SUBSCRIPTION_NOT_FOUND,
    ScheduledChange,
    SubscriptionRead,
)
from ledgerbee.billing.subscriptions.rules.chain import Advanced, BillingFacts, Chain
from ledgerbee.billing.subscriptions.store import chains, reads
from ledgerbee.billing.subscriptions.store.chains import LoadedChain
from ledgerbee.billing.subscriptions.wire import event_data
from ledgerbee.billing.usage import actions as usage
from ledgerbee.catalog.prices.model import BillingPeriodType
from ledgerbee.core.dates import iso_day
from ledgerbee.core.errors import invalid
from ledgerbee.parties.contacts import store as contacts
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.departments import store as departments
from ledgerbee.parties.party.model import Party
from ledgerbee.payments.charges import actions as card_charges
from ledgerbee.payments.payment_methods import store as cards
from ledgerbee.payments.payment_methods.model import PAYMENT_METHOD_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.model import SALES_DOCUMENT_DEPARTMENT_INACTIVE
from ledgerbee.sales.documents.printing import Trials


async def hold(context: Context, subscription_id: UUID, property_: str | None = None) -> None:
    """Keep usage of the subscription's customer from coming in while it is changed; before the chain is loaded.

    `property_` is the field of a body that refers to it. Raises `SUBSCRIPTION_NOT_FOUND`.
    """
    await usage.hold(context, [await reads.customer_of(context, subscription_id, property_)])


async def load(context: Context, subscription_id: UUID, change: ScheduledChange | None = None) -> LoadedChain:
    """A chain, locked, of which nothing is billed in this transaction. Raises `SUBSCRIPTION_NOT_FOUND`.

    With `change` the facts have what that leads to; it is among the chain's changes.
    """
    loaded = await chains.load(
        context,
        [subscription_id],
        as_of=context.today,
        changes=None if change is None else {subscription_id: change},
        takes_late=False,
    )
    return SUBSCRIPTION_NOT_FOUND.unless(next(iter(loaded), None))


async def save(context: Context, before: LoadedChain, after: Advanced, *, from_day: date | None = None) -> None:
    """Write a chain that nothing was billed of; where its timeline is another one from a day on, its usage follows."""
    await chains.save(context, [(before, after)])
    if from_day is not None:
        await attribute(context, after.chain, before.facts, from_day)


async def attribute(context: Context, chain: Chain, facts: BillingFacts, from_day: date) -> None:
    """Have usage from a day on belong to the timeline as it is by now, if the chain has a meter."""
    metered = facts.of_type(BillingPeriodType.USAGE)
    if any(price_id in metered for version in chain.versions for price_id in version.price_ids):
        await chains.put_spans(context, [(chain, facts)])
        await usage.reattribute(context, [chain.subscription.customer_id], from_day)


async def read(context: Context, chain: Chain, facts: BillingFacts) -> SubscriptionRead:
    """A chain as it stands today, with its customer's name."""
    customer = await customers.get(context, chain.subscription.customer_id)
    return rules.read_of(chain, products_of(facts), context.today, customer.name)


def products_of(facts: BillingFacts) -> dict[UUID, UUID]:
    """The products of prices."""
    return {price_id: price.product_id for price_id, price in facts.prices.items()}


async def check_people(
    context: Context, customer_id: UUID, department_id: UUID | None, contact_id: UUID | None
) -> None:
    """Whether a department and a contact are the customer's own.

    Raises `DEPARTMENT_NOT_FOUND`, `SALES_DOCUMENT_DEPARTMENT_INACTIVE`, `CONTACT_NOT_FOUND`.
    """
    party = Party.customer(customer_id)
    if department_id is not None:
        department = await departments.get(context, party, department_id, "customerDepartmentId")
        if not department.is_active:
            raise SALES_DOCUMENT_DEPARTMENT_INACTIVE.error(departmentId=str(department_id))
    if contact_id is not None:
        await contacts.get(context, party, contact_id, "departmentContactOverrideId")


async def check_card(context: Context, customer_id: UUID, payment_method_id: UUID | None) -> None:
    """Whether a card, where one is named, is an active one of who pays for the customer; it stays active.

    Before a chain is locked, as whoever takes a card away does it. Raises `PAYMENT_METHOD_NOT_FOUND`, and a validation
    error for the customer's own where somebody else pays: nothing would be charged to it.
    """
    if payment_method_id is None:
        return
    is_payers = await cards.hold_usable(context, customer_id, payment_method_id)
    if is_payers is None:
        raise PAYMENT_METHOD_NOT_FOUND.missing("paymentMethodId", "paymentMethodId", payment_method_id)
    if not is_payers:
        raise invalid(("paymentMethodId", "isIn", "paymentMethodId must be one of the customer that pays"))


async def check_chargeable(context: Context, customer_id: UUID, payment_method_id: UUID) -> None:
    """Whether what a customer is billed can be charged to a card.

    Raises a validation error for a card of somebody else than who pays, and what `card_charges.check_chargeable`
    raises.
    """
    payer_id = await reads.payer_of(context, customer_id)
    await card_charges.check_chargeable(context, payer_id, payment_method_id)


def emit_event(context: Context, topic: str, chain: Chain, facts: BillingFacts, **details: str) -> None:
    """Emit an event of a subscription; `topic` is what comes after `subscription.`."""
    data = event_data(chain, facts, chain.versions[-1].id, context.today, **details)
    events.emit_event(context, topic, chain.subscription.id, data)


def change_details(change: ScheduledChange) -> dict[str, str]:
    """What events of a subscription say of a change that waits."""
    return {"changeId": str(change.id), "effectiveDate": iso_day(change.effective_on)}


async def apply_now(context: Context, change: ScheduledChange, trials: Trials) -> AdvanceResult:
    """Carry out a change of today, with those that are due. What falls due by it is billed after the commit.

    Raises what `advance` raises.
    """
    subscription_id = change.subscription_id
    (outcome,) = await advance(
        context, [subscription_id], context.today, changes={subscription_id: change}, trials=trials, at_most=0
    )
    context.enqueue(BILL_SUBSCRIPTIONS_JOB, subscriptionIds=[str(subscription_id)])
    return outcome
