"""What a change makes of a subscription on its day. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ledgerbee.billing.plans.model import PlanItem, PlanVersion
from ledgerbee.billing.subscriptions.model import (
    SUBSCRIPTION_CADENCE_UNAVAILABLE,
    SUBSCRIPTION_CADENCE_UNCHANGED,
    SUBSCRIPTION_CURRENCY_MISMATCH,
    SUBSCRIPTION_INVALID_STATE,
    SUBSCRIPTION_PRICE_NOT_IN_PLAN,
    ChangeType,
    ScheduledChange,
)
from ledgerbee.billing.subscriptions.rules.chain import BillingFacts, Chain
from ledgerbee.billing.timelines.model import BillingDirection, Cadence, Grid, Item, Terms
from ledgerbee.billing.timelines.rules import moved_to, period_at
from ledgerbee.catalog.model import ProductId
from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType
from ledgerbee.core.fields import replace
from ledgerbee.core.ids import parse_id
from ledgerbee.core.money import ONE

#: The event that tells a change, after `subscription.`.
TOPICS = {
    ChangeType.REPLACE_PLAN: "transitioned",
    ChangeType.CHANGE_CADENCE: "transitioned",
    ChangeType.EDIT_PRODUCTS: "transitioned",
    ChangeType.CHANGE_DIRECTION: "updated",
    ChangeType.PAUSE: "paused",
    ChangeType.RESUME: "resumed",
}


@dataclass(frozen=True, slots=True)
class NewTerms:
    """The terms after a change, and whether it begins a period of its own on its day."""

    terms: Terms
    restarts: bool = False


def terms_after(chain: Chain, before: Terms, change: ScheduledChange, facts: BillingFacts) -> NewTerms:
    """The terms that a change makes of those that held before its day.

    A cadence that begins on a boundary counts from it, on the anchor's day of the month; at any other day, or where the
    caller says so, the change's day is the new anchor and the running period ends (decisions "Periods").
    Raises `SUBSCRIPTION_INVALID_STATE`, `SUBSCRIPTION_CURRENCY_MISMATCH`, `SUBSCRIPTION_CADENCE_UNAVAILABLE`,
    `SUBSCRIPTION_CADENCE_UNCHANGED` where nothing begins anew either, `SUBSCRIPTION_PRICE_NOT_IN_PLAN`.
    """
    payload = change.payload
    after = before
    cadence = before.grid.cadence
    match change.type:
        case ChangeType.PAUSE:
            if before.is_paused:
                raise SUBSCRIPTION_INVALID_STATE.in_state("paused")
            after = replace(before, is_paused=True)
        case ChangeType.RESUME:
            if not before.is_paused:
                raise SUBSCRIPTION_INVALID_STATE.in_state("active")
            after = replace(before, is_paused=False)
        case ChangeType.CHANGE_DIRECTION:
            after = replace(before, direction=BillingDirection(payload["billingDirection"]))
        case ChangeType.EDIT_PRODUCTS:
            plan = facts.plans[before.plan_id, before.plan_version]
            after = replace(before, items=edited_items(plan, before, payload["products"], facts))
        case ChangeType.CHANGE_CADENCE:
            cadence = _other_cadence(before, change)
            plan = facts.plans[before.plan_id, before.plan_version]
            after = replace(before, items=_items_of_cadence(plan, cadence, before, facts))
        case ChangeType.REPLACE_PLAN:
            plan = facts.newest[parse_id(payload["planId"])]
            if plan.currency != chain.subscription.currency:
                raise SUBSCRIPTION_CURRENCY_MISMATCH.error(
                    currency=chain.subscription.currency, planCurrency=plan.currency
                )
            cadence = Cadence(plan.interval, plan.interval_count)
            after = replace(
                before,
                plan_id=plan.plan_id,
                plan_version=plan.version,
                items=chosen_items(plan.items, payload.get("products") or []),
            )
    return _on_grid(before, after, cadence, change, day_of(chain, change))


def _other_cadence(before: Terms, change: ScheduledChange) -> Cadence:
    """The cadence that a change is to. Raises `SUBSCRIPTION_CADENCE_UNCHANGED`."""
    cadence = Cadence(BillingInterval(change.payload["interval"]), change.payload["intervalCount"])
    if cadence == before.grid.cadence and not change.restarts_period:
        raise SUBSCRIPTION_CADENCE_UNCHANGED.error(interval=cadence.interval.value, intervalCount=cadence.count)
    return cadence


def day_of(chain: Chain, change: ScheduledChange) -> date:
    """The day from which a change holds: the first day of a subscription that has not started by its day."""
    return max(change.effective_on, chain.subscription.starts_on)


def _on_grid(before: Terms, after: Terms, cadence: Cadence, change: ScheduledChange, day: date) -> NewTerms:
    is_boundary = period_at(before.grid, day).start == day
    is_other = cadence != before.grid.cadence
    if not change.restarts_period and not is_other:
        return NewTerms(after)
    keeps_anchor = is_boundary and not change.restarts_period
    grid = moved_to(before.grid, cadence, day) if keeps_anchor else Grid.from_anchor(cadence, day)
    return NewTerms(replace(after, grid=grid, restarted_by=change.id), restarts=True)


def chosen_items(items: tuple[PlanItem, ...], overrides: list[dict[str, Any]]) -> tuple[Item, ...]:
    """The items of a plan with the quantities that were given: optional ones only where they are named, quantity 0
    drops one. Raises `SUBSCRIPTION_PRICE_NOT_IN_PLAN`.
    """
    given = {parse_id(str(one["priceId"])): Decimal(str(one.get("quantity", 1))) for one in overrides}
    known = {item.price_id for item in items}
    for price_id in given:
        if price_id not in known:
            raise SUBSCRIPTION_PRICE_NOT_IN_PLAN.error(priceId=str(price_id))
    chosen = (
        Item(item.price_id, given.get(item.price_id, item.quantity))
        for item in items
        if not item.optional or item.price_id in given
    )
    return tuple(item for item in chosen if item.quantity)


def edited_items(
    plan: PlanVersion, before: Terms, products: list[dict[str, Any]], facts: BillingFacts
) -> tuple[Item, ...]:
    """The items after an edit, which names those that change; quantity 0 drops one.

    An edit adds what the plan has in the subscription's cadence. Raises `SUBSCRIPTION_PRICE_NOT_IN_PLAN`.
    """
    known = {item.price_id for item in _items_in(plan, before.grid.cadence)} | {item.price_id for item in before.items}
    quantities = {item.price_id: item.quantity for item in before.items}
    for one in products:
        price_id = parse_id(str(one["priceId"]))
        if price_id not in known:
            raise SUBSCRIPTION_PRICE_NOT_IN_PLAN.error(priceId=str(price_id))
        is_usage = facts.prices[price_id].billing_period_type is BillingPeriodType.USAGE
        quantity = Decimal(str(one.get("quantity", 1)))
        quantities[price_id] = ONE if is_usage and quantity else quantity
    return tuple(Item(price_id, quantity) for price_id, quantity in quantities.items() if quantity)


def _items_in(plan: PlanVersion, cadence: Cadence) -> tuple[PlanItem, ...]:
    """The items of a plan in one of its cadences. Raises `SUBSCRIPTION_CADENCE_UNAVAILABLE`."""
    if cadence == Cadence(plan.interval, plan.interval_count):
        return plan.items
    for alternative in plan.alternatives:
        if cadence == Cadence(alternative.interval, alternative.interval_count):
            return alternative.items
    raise SUBSCRIPTION_CADENCE_UNAVAILABLE.error(interval=cadence.interval.value, intervalCount=cadence.count)


def _items_of_cadence(plan: PlanVersion, cadence: Cadence, before: Terms, facts: BillingFacts) -> tuple[Item, ...]:
    """The items of another cadence: of each product that the subscription has, as much as it has.

    What recurs, what is metered and what comes once is held apart. Several prices of a product keep their order.
    """
    held: dict[tuple[ProductId, BillingPeriodType], list[Decimal]] = {}
    for one in before.items:
        held.setdefault(_what_is_held(one, facts), []).append(one.quantity)
    items = []
    for item in _items_in(plan, cadence):
        quantities = held.get(_what_is_held(item, facts), [])
        if quantities or not item.optional:
            items.append(Item(item.price_id, quantities[0] if quantities else item.quantity))
        if len(quantities) > 1:
            del quantities[0]
    return tuple(items)


def _what_is_held(item: Item | PlanItem, facts: BillingFacts) -> tuple[ProductId, BillingPeriodType]:
    price = facts.prices[item.price_id]
    return price.product_id, price.billing_period_type


def first_terms(plan: PlanVersion, items: tuple[Item, ...], anchor: date, **others: Any) -> Terms:
    """The terms that a subscription starts with."""
    grid = Grid.from_anchor(Cadence(plan.interval, plan.interval_count), anchor)
    return Terms(plan_id=plan.plan_id, plan_version=plan.version, grid=grid, items=items, **others)
