"""Creating, changing, archiving and activating plans."""

from typing import Any

from ledgerbee.billing.plans import rules, store
from ledgerbee.billing.plans.model import Plan, PlanFields, PlanId, PlanStatus
from ledgerbee.billing.plans.wire import render
from ledgerbee.catalog.prices import store as prices
from ledgerbee.core.changes import Changes
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies


async def create(context: Context, given: PlanFields) -> Plan:
    """Create a plan, active, with its first version.

    Raises what `rules.terms_of` raises, and `SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS`. Emits
    `subscription_plan.created`.
    """
    company = await companies.get(context)
    found = await prices.get_many_for_share(context, rules.price_ids(given))
    terms = rules.terms_of(given, found, company.base_currency)
    plan_id = PlanId(new_id())
    plan = Plan(
        id=plan_id,
        name=given.name,
        status=PlanStatus.ACTIVE,
        display_order=given.display_order,
        vanity=given.vanity,
        version=1,
        created_at=context.now,
        updated_at=context.now,
        current=rules.new_version(plan_id, 1, given.name, terms, context.now),
    )
    await store.insert(context, plan)
    context.emit("subscription_plan.created", plan_id, _event(plan))
    return plan


async def update(context: Context, plan_id: PlanId, changes: Changes[PlanFields]) -> Plan:
    """Change the named fields of a plan, by a new version where its terms become others.

    Subscriptions keep the version that they have. Raises what `create` raises and `SUBSCRIPTION_PLAN_NOT_FOUND`.
    Emits `subscription_plan.updated` if anything became different.
    """
    before = await store.get_for_update(context, plan_id)
    plan = await _changed(context, before, changes)
    if plan == before:
        return before
    await store.update(context, plan, is_new_version=plan.version != before.version)
    context.emit("subscription_plan.updated", plan_id, _event(plan), before=_event(before))
    return plan


async def archive(context: Context, plan_id: PlanId) -> Plan:
    """Take a plan off new subscriptions. Raises `SUBSCRIPTION_PLAN_NOT_FOUND`.

    Emits `subscription_plan.archived` if it wasn't archived.
    """
    before, plan = await _with_status(context, plan_id, PlanStatus.ARCHIVED)
    if plan != before:
        context.emit("subscription_plan.archived", plan_id, _event(plan), before=_event(before))
    return plan


async def activate(context: Context, plan_id: PlanId) -> Plan:
    """Bring a plan back from the archive. Raises `SUBSCRIPTION_PLAN_NOT_FOUND`.

    Emits `subscription_plan.activated` if it was archived.
    """
    before, plan = await _with_status(context, plan_id, PlanStatus.ACTIVE)
    if plan != before:
        context.emit("subscription_plan.activated", plan_id, _event(plan), before=_event(before))
    return plan


async def _with_status(context: Context, plan_id: PlanId, status: PlanStatus) -> tuple[Plan, Plan]:
    """A plan as it was, and as it is in the status."""
    before = await store.get_for_update(context, plan_id)
    plan = rules.with_status(before, status, context.now)
    if plan != before:
        await store.update(context, plan, is_new_version=False)
    return before, plan


async def _changed(context: Context, before: Plan, changes: Changes[PlanFields]) -> Plan:
    """The plan with the changes. What it is billed by is looked at again where they say anything else of it."""
    named = changes.applied_to(rules.fields_now(before))
    if not rules.has_other_terms(before, named):
        return rules.with_fields(before, named, rules.terms_now(before), context.now)
    found = await prices.get_many_for_share(context, rules.price_ids(named))
    fields = rules.merged(before, changes, found)
    terms = rules.terms_of(fields, found, before.current.currency)
    return rules.with_fields(before, fields, terms, context.now)


def _event(plan: Plan) -> dict[str, Any]:
    return render(plan).as_event()
