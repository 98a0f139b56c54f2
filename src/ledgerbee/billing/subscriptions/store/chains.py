"""Whole chains: loaded and locked, made, and written after they were carried on; set-based, whatever their number."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.billing.charges import store as charges
from ledgerbee.billing.charges.model import Charge, ChargeKind
from ledgerbee.billing.plans import store as plans
from ledgerbee.billing.plans.model import PlanId, PlanVersion
from ledgerbee.billing.subscriptions.model import (
    BillingSchedule,
    ChangeStatus,
    ChangeType,
    ScheduledChange,
    Subscription,
    VersionRow,
)
from ledgerbee.billing.subscriptions.rules.chain import Advanced, BillingFacts, Chain
from ledgerbee.billing.timelines.model import BillingDirection, ProrationBehavior
from ledgerbee.catalog.prices import store as prices
from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType, SellablePrice
from ledgerbee.catalog.prices.rules import in_currency
from ledgerbee.core.ids import parse_id
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

#: Days after the end of a subscription in which late usage is still billed (decisions "Usage").
_LATE_DAYS: Final = timedelta(days=30)

_GET: Final = (
    f"SELECT {rows.columns(Subscription, 's')} FROM subscriptions s WHERE s.company_id = $1 AND s.id = ANY($2)"
    " ORDER BY s.id FOR NO KEY UPDATE"
)
_OF: Final = "WHERE company_id = $1 AND subscription_id = ANY($2)"
_VERSIONS: Final = (
    f"SELECT {rows.columns(VersionRow)} FROM subscription_versions {_OF} ORDER BY subscription_id, number"
)
_SCHEDULES: Final = f"SELECT {rows.columns(BillingSchedule)} FROM billing_schedules {_OF}"
_CHANGES: Final = (
    f"SELECT {rows.columns(ScheduledChange)} FROM subscription_changes {_OF} AND status = 'pending'"
    " ORDER BY effective_on, created_at, id"
)
#: Taken before usage is counted: what comes meanwhile makes a row anew.
_TAKE_LATE: Final = (
    "DELETE FROM late_usage WHERE company_id = $1 AND subscription_id = ANY($2)"
    " RETURNING subscription_id, price_id, day"
)
_FACTS: Final = """
SELECT c.id, c.billing_relationship, c.parent_customer_id, g.discount_percent, co.usage_grace_days
FROM customers c
JOIN customer_groups g ON g.company_id = c.company_id AND g.id = c.customer_group_id
JOIN companies co ON co.company_id = c.company_id
WHERE c.company_id = $1 AND c.id = ANY($2)
"""
_METERED: Final = """
SELECT DISTINCT s.customer_id FROM subscriptions s
WHERE s.company_id = $1 AND s.id = ANY($2) AND (
    EXISTS (SELECT FROM metered_spans m WHERE m.company_id = $1 AND m.subscription_id = s.id)
    OR EXISTS (SELECT FROM subscription_changes h
               WHERE h.company_id = $1 AND h.subscription_id = s.id AND h.status = 'pending'))
"""
_INSERT: Final = rows.insert("subscriptions", Subscription)
_UPDATE_MANY: Final = rows.update_many("subscriptions", Subscription)
_INSERT_VERSION: Final = rows.insert("subscription_versions", VersionRow)
_PUT_SCHEDULES: Final = (
    f"{rows.insert_many('billing_schedules', BillingSchedule)}"
    " ON CONFLICT (company_id, subscription_id, price_id) DO UPDATE SET billed_until = excluded.billed_until,"
    " next_billing_date = excluded.next_billing_date, carried = excluded.carried"
    " WHERE (billing_schedules.billed_until, billing_schedules.next_billing_date, billing_schedules.carried)"
    " IS DISTINCT FROM (excluded.billed_until, excluded.next_billing_date, excluded.carried)"
)
_PUT_CHANGE: Final = (
    f"{rows.insert('subscription_changes', ScheduledChange)}"
    " ON CONFLICT (company_id, id) DO UPDATE SET status = excluded.status, failure = excluded.failure,"
    " updated_at = excluded.updated_at"
)
_DELETE_SPANS: Final = f"DELETE FROM metered_spans {_OF}"
_INSERT_SPANS: Final = """
INSERT INTO metered_spans (company_id, subscription_id, price_id, meter_id, customer_id, starts_on, ends_on, is_trial,
    chain_starts_on, billed_until, closes_on)
SELECT $1, * FROM unnest($2::uuid[], $3::uuid[], $4::uuid[], $5::uuid[], $6::date[], $7::date[], $8::boolean[],
    $9::date[], $10::date[], $11::date[])
"""
_BILLED_UNTIL: Final = """
UPDATE metered_spans m SET billed_until = r.billed_until
FROM unnest($2::uuid[], $3::uuid[], $4::date[]) r (subscription_id, price_id, billed_until)
WHERE m.company_id = $1 AND m.subscription_id = r.subscription_id AND m.price_id = r.price_id
  AND m.billed_until < r.billed_until
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedChain:
    """A locked chain with what its billing goes by, and who pays for it."""

    chain: Chain
    facts: BillingFacts
    sellable: Mapping[UUID, SellablePrice]
    payer_id: UUID


async def load(
    context: Context,
    subscription_ids: Sequence[UUID],
    *,
    as_of: date,
    changes: Mapping[UUID, ScheduledChange] | None = None,
    takes_late: bool = True,
) -> list[LoadedChain]:
    """Chains of a company, locked until the transaction ends, in the order of their ids; unknown ones are left out.

    `changes` are carried out with those that are pending, by subscription. With `takes_late` late usage is taken: what
    is loaded has to be carried on in this transaction.
    """
    found = await context.connection.fetch(_GET, context.company_id, list(subscription_ids))
    if not found:
        return []
    subscriptions = [subscription_of(row) for row in found]
    ids = [subscription.id for subscription in subscriptions]
    versions = _grouped(await context.connection.fetch(_VERSIONS, context.company_id, ids), version_of)
    schedules = _grouped(await context.connection.fetch(_SCHEDULES, context.company_id, ids), schedule_of)
    pending = _grouped(await context.connection.fetch(_CHANGES, context.company_id, ids), change_of)
    for subscription_id, change in (changes or {}).items():
        pending[subscription_id].append(change)
    taken = await context.connection.fetch(_TAKE_LATE, context.company_id, ids) if takes_late else []
    late = [tuple(row) for row in taken]
    since = min([as_of, *(one.effective_on for own in pending.values() for one in own)])
    open_charges = await charges.open_charges(context, ids, since, late)
    by_notes = await charges.credited_by_notes(context, [one for own in open_charges.values() for one in own])
    customers = {
        row["id"]: row
        for row in await context.connection.fetch(
            _FACTS, context.company_id, [subscription.customer_id for subscription in subscriptions]
        )
    }
    known_plans: dict[tuple[UUID, int], PlanVersion] = dict(
        await plans.get_versions(  # type: ignore[arg-type]
            context, {(PlanId(one.plan_id), one.plan_version) for own in versions.values() for one in own[-1:]}
        )
    )
    newest = await _newest_plans(context, pending)
    # A change may be one of what another of the same run leads to.
    known_plans |= {(plan.plan_id, plan.version): plan for plan in newest.values()}
    sellable = await prices.get_many_for_share(context, _price_ids(versions, schedules, known_plans, newest))
    in_currencies = _PricesByCurrency(sellable)

    @cache
    def facts_of(currency: str, discount_percent: Decimal, grace_days: int) -> BillingFacts:
        return BillingFacts(
            prices=in_currencies[currency],
            plans=known_plans,
            newest=newest,
            discount_percent=discount_percent,
            grace_days=grace_days,
        )

    loaded = []
    for subscription in subscriptions:
        customer = customers[subscription.customer_id]
        own_charges = open_charges[subscription.id]
        loaded.append(
            LoadedChain(
                chain=Chain(
                    subscription=subscription,
                    versions=tuple(versions[subscription.id]),
                    schedules={one.price_id: one for one in schedules[subscription.id]},
                    changes=tuple(sorted(pending[subscription.id], key=lambda one: one.effective_on)),
                    charges=tuple(own_charges),
                    credited_by_notes=by_notes,
                    late=tuple(_late_charges(own_charges, late)),
                ),
                facts=facts_of(subscription.currency, customer["discount_percent"], customer["usage_grace_days"]),
                sellable=sellable,
                payer_id=customer["parent_customer_id"]
                if customer["billing_relationship"] == "parent_pays"
                else subscription.customer_id,
            )
        )
    return loaded


async def insert(context: Context, chain: Chain, facts: BillingFacts) -> None:
    """Add a chain with its first version, its schedules and where its meters may be reported to."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(chain.subscription))
    await _insert_versions(context, chain.versions)
    await _put_schedules(context, [chain])
    await _insert_spans(context, [(chain, facts)])


async def save(context: Context, carried_on: Sequence[tuple[LoadedChain, Advanced]]) -> None:
    """Write what became of chains. Raises a unique violation where a period would be charged twice."""
    if not carried_on:
        return
    chains = [after.chain for _, after in carried_on]
    await context.connection.execute(
        _UPDATE_MANY, context.company_id, *rows.column_values([chain.subscription for chain in chains])
    )
    await _insert_versions(context, [version for _, after in carried_on for version in after.versions])
    for change in [change for _, after in carried_on for change in after.changes]:
        await context.connection.execute(_PUT_CHANGE, context.company_id, *rows.values(change))
    await _put_schedules(context, chains)
    new: list[Charge] = []
    billed: list[Charge] = []
    for loaded, after in carried_on:
        known = {charge.id for charge in loaded.chain.charges}
        for charge in after.charges:
            (billed if charge.id in known else new).append(charge)
    await charges.save(context, new, billed)


async def put_spans(context: Context, chains: Sequence[tuple[Chain, BillingFacts]]) -> None:
    """Write where usage may be reported for chains, in place of what was written before."""
    await context.connection.execute(_DELETE_SPANS, context.company_id, [chain.subscription.id for chain, _ in chains])
    await _insert_spans(context, chains)


async def metered_customers(context: Context, subscription_ids: Sequence[UUID]) -> list[UUID]:
    """The customers of those subscriptions that have a meter, or may get one by a change."""
    found = await context.connection.fetch(_METERED, context.company_id, list(subscription_ids))
    return [row["customer_id"] for row in found]


async def bill_usage_until(context: Context, chains: Sequence[Chain]) -> None:
    """Mark usage of days as billed that is about to be counted: what comes in for them from now on is late."""
    found = [
        schedule
        for chain in chains
        for schedule in chain.schedules.values()
        if schedule.billing_period_type is BillingPeriodType.USAGE
    ]
    if found:
        await context.connection.execute(
            _BILLED_UNTIL,
            context.company_id,
            [one.subscription_id for one in found],
            [one.price_id for one in found],
            [one.billed_until for one in found],
        )


async def _newest_plans(context: Context, pending: Mapping[UUID, Sequence[ScheduledChange]]) -> dict[UUID, PlanVersion]:
    """The plans that pending changes lead to, as they are now."""
    wanted = {
        parse_id(change.payload["planId"])
        for own in pending.values()
        for change in own
        if change.type is ChangeType.REPLACE_PLAN
    }
    return {plan_id: (await plans.get(context, plan_id)).current for plan_id in sorted(wanted)}


def _price_ids(
    versions: Mapping[UUID, Sequence[VersionRow]],
    schedules: Mapping[UUID, Sequence[BillingSchedule]],
    known: Mapping[tuple[UUID, int], PlanVersion],
    newest: Mapping[UUID, PlanVersion],
) -> set[UUID]:
    """Every price that billing may ask for."""
    found = {price_id for own in versions.values() for version in own for price_id in version.price_ids}
    found |= {schedule.price_id for own in schedules.values() for schedule in own}
    for plan in [*known.values(), *newest.values()]:
        found |= {item.price_id for item in plan.items}
        found |= {item.price_id for alternative in plan.alternatives for item in alternative.items}
    return found


class _PricesByCurrency(dict[str, dict[UUID, Any]]):
    """Prices in a currency, as far as they have amounts of their own in it."""

    def __init__(self, sellable: Mapping[UUID, SellablePrice]) -> None:
        super().__init__()
        self._sellable = sellable

    def __missing__(self, currency: str) -> dict[UUID, Any]:
        found = {price_id: in_currency(one.price, currency, None) for price_id, one in self._sellable.items()}
        self[currency] = {price_id: price for price_id, price in found.items() if price is not None}
        return self[currency]


def _late_charges(own: Iterable[Charge], late: Sequence[tuple[Any, ...]]) -> Iterator[UUID]:
    """The billed usage that late events belong to."""
    for charge in own:
        if charge.kind is ChargeKind.USAGE and any(
            (charge.subscription_id, charge.price_id) == (subscription_id, price_id)
            and charge.service.start <= day < charge.service.end
            for subscription_id, price_id, day in late
        ):
            yield charge.id


async def _insert_versions(context: Context, versions: Iterable[VersionRow]) -> None:
    for version in versions:
        await context.connection.execute(_INSERT_VERSION, context.company_id, *rows.values(version))


async def _put_schedules(context: Context, chains: Sequence[Chain]) -> None:
    found = [schedule for chain in chains for schedule in chain.schedules.values()]
    if found:
        await context.connection.execute(_PUT_SCHEDULES, context.company_id, *rows.column_values(found))


async def _insert_spans(context: Context, chains: Sequence[tuple[Chain, BillingFacts]]) -> None:
    spans = [span for chain, facts in chains for span in _spans_of(chain, facts)]
    if spans:
        await context.connection.execute(_INSERT_SPANS, context.company_id, *map(list, zip(*spans, strict=True)))


def _spans_of(chain: Chain, facts: BillingFacts) -> Iterator[tuple[Any, ...]]:
    """Where usage may be reported for the chain: its usage prices, but for pauses."""
    subscription = chain.subscription
    closes_on = None if subscription.ends_on is None else subscription.ends_on + _LATE_DAYS
    for price_id in facts.of_type(BillingPeriodType.USAGE):
        spans: list[list[Any]] = []
        for segment in chain.timeline:
            if segment.terms.is_paused or price_id not in {item.price_id for item in segment.terms.items}:
                continue
            if spans and spans[-1][1:] == [segment.start, segment.is_trial]:
                spans[-1][1] = segment.end
            else:
                spans.append([segment.start, segment.end, segment.is_trial])
        schedule = chain.schedules.get(price_id)
        billed_until = subscription.starts_on if schedule is None else schedule.billed_until
        for starts_on, ends_on, is_trial in spans:
            yield (
                subscription.id,
                price_id,
                facts.prices[price_id].meter_id,
                subscription.customer_id,
                starts_on,
                ends_on,
                is_trial,
                subscription.starts_on,
                billed_until,
                closes_on,
            )


def _grouped(found: Iterable[asyncpg.Record], of_row: Any) -> dict[UUID, list[Any]]:
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for row in found:
        groups[row["subscription_id"]].append(of_row(row))
    return groups


def subscription_of(row: Mapping[str, Any] | asyncpg.Record) -> Subscription:
    """A subscription as its row has it."""
    return Subscription(**{**dict(row), "proration_behavior": ProrationBehavior(row["proration_behavior"])})


def version_of(row: Mapping[str, Any] | asyncpg.Record) -> VersionRow:
    """A version as its row has it."""
    return VersionRow(
        **{
            **dict(row),
            "billing_direction": BillingDirection(row["billing_direction"]),
            "billing_interval": BillingInterval(row["billing_interval"]),
            "proration": ProrationBehavior(row["proration"]),
        }
    )


def schedule_of(row: Mapping[str, Any] | asyncpg.Record) -> BillingSchedule:
    """A schedule as its row has it."""
    return BillingSchedule(**{**dict(row), "billing_period_type": BillingPeriodType(row["billing_period_type"])})


def change_of(row: asyncpg.Record) -> ScheduledChange:
    """A change as its row has it."""
    behavior = row["proration_behavior"]
    return ScheduledChange(
        **{
            **dict(row),
            "type": ChangeType(row["type"]),
            "status": ChangeStatus(row["status"]),
            "proration_behavior": None if behavior is None else ProrationBehavior(behavior),
        }
    )
