"""Whole chains: loaded and locked, made, and written after they were advanced; set-based, whatever their number."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.billing.charges import store as charges
from ledgerbee.billing.charges.model import Charge
from ledgerbee.billing.plans import store as plans
from ledgerbee.billing.plans.model import PlanId, PlanVersion
from ledgerbee.billing.subscriptions.model import (
    BillingSchedule,
    ChangeStatus,
    ChangeType,
    FirstPayment,
    ScheduledChange,
    Subscription,
    VersionRow,
)
from ledgerbee.billing.subscriptions.rules.chain import Advanced, BillingFacts, Chain
from ledgerbee.billing.subscriptions.rules.metering import MeteredSpan, late_charges, metered_spans
from ledgerbee.billing.timelines.model import BillingDirection, ProrationBehavior
from ledgerbee.catalog.prices import store as prices
from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType, SellablePrice
from ledgerbee.catalog.prices.rules import in_currency
from ledgerbee.core.ids import parse_id
from ledgerbee.parties.customers.model import InvoicingMode
from ledgerbee.parties.customers.payers import PAYER
from ledgerbee.payments.charges.model import CANCELLED
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

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
_FACTS: Final = f"""
SELECT c.id, c.number, c.name, p.id AS payer_id, p.invoicing_mode, g.discount_percent, co.usage_grace_days
FROM customers c
JOIN customers p ON p.company_id = c.company_id AND p.id = {PAYER}
JOIN customer_groups g ON g.company_id = c.company_id AND g.id = c.customer_group_id
JOIN companies co ON co.company_id = c.company_id
WHERE c.company_id = $1 AND c.id = ANY($2)
"""
#: Locked after their chains, so that none is paid while it is given up.
_FIRST_INVOICES: Final = """
SELECT i.id, i.status FROM invoices i WHERE i.company_id = $1 AND i.id = ANY($2) ORDER BY i.id FOR NO KEY UPDATE
"""
#: Charged still: one is under way or comes by itself, or the newest was cancelled, so that it is paid otherwise.
_STILL_CHARGED: Final = f"""
SELECT c.invoice_id, bool_or(c.status = 'pending') AS is_being_asked FROM charges c
WHERE c.company_id = $1 AND c.invoice_id = ANY($2)
  AND (c.status IN ('pending', 'unclear', 'requires_action') OR c.retry_on IS NOT NULL
       OR c.decline_code = '{CANCELLED}' AND NOT EXISTS (
           SELECT FROM charges n
           WHERE n.company_id = $1 AND n.invoice_id = c.invoice_id AND (n.created_at, n.id) > (c.created_at, c.id)))
GROUP BY c.invoice_id
"""
_SETTLED: Final = frozenset({"paid", "credited"})
_METERED: Final = """
SELECT DISTINCT s.customer_id FROM subscriptions s
WHERE s.company_id = $1 AND s.id = ANY($2) AND (
    EXISTS (SELECT FROM metered_spans m WHERE m.company_id = $1 AND m.subscription_id = s.id)
    OR EXISTS (SELECT FROM subscription_changes h
               WHERE h.company_id = $1 AND h.subscription_id = s.id AND h.status = 'pending'))
"""
_INSERT: Final = rows.insert("subscriptions", Subscription)
#: What was agreed once for the whole chain stays.
_UPDATE_MANY: Final = rows.update_many(
    "subscriptions",
    Subscription,
    fixed=("customer_id", "currency", "starts_on", "proration_behavior", "created_at"),
    untouched=("partner_reference_id", "trial_until"),
)
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
_INSERT_SPANS: Final = rows.insert_many("metered_spans", MeteredSpan)
_BILLED_UNTIL: Final = """
UPDATE metered_spans m SET billed_until = r.billed_until
FROM unnest($2::uuid[], $3::uuid[], $4::date[]) r (subscription_id, price_id, billed_until)
WHERE m.company_id = $1 AND m.subscription_id = r.subscription_id AND m.price_id = r.price_id
  AND m.billed_until < r.billed_until
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedChain:
    """A locked chain with what its billing goes by, its customer's number and name, and who pays for it.

    `is_alone`: who pays for a child is invoiced for each subscription by itself.
    """

    chain: Chain
    facts: BillingFacts
    sellable: Mapping[UUID, SellablePrice]
    customer_number: str
    customer_name: str
    payer_id: UUID
    is_alone: bool = False

    @property
    def is_child(self) -> bool:
        """Whether another customer pays."""
        return self.payer_id != self.chain.subscription.customer_id


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
    is loaded has to be advanced in this transaction.
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
    by_notes, given_up = await charges.taken_by_others(context, [one for own in open_charges.values() for one in own])
    plan_versions, newest = await _plans(context, versions, pending)
    sellable = await prices.get_many_for_share(context, _price_ids(versions, schedules, plan_versions, newest))
    facts_of = _facts_by_terms(plan_versions, newest, _PricesByCurrency(sellable))
    found = await context.connection.fetch(_FACTS, context.company_id, [one.customer_id for one in subscriptions])
    customers = {row["id"]: row for row in found}
    payments = await _first_payments(context, subscriptions)
    loaded = []
    for subscription in subscriptions:
        customer = customers[subscription.customer_id]
        own_charges = open_charges[subscription.id]
        chain = Chain(
            subscription=subscription,
            versions=tuple(versions[subscription.id]),
            schedules={one.price_id: one for one in schedules[subscription.id]},
            changes=tuple(sorted(pending[subscription.id], key=lambda one: one.effective_on)),
            charges=tuple(own_charges),
            credited_by_notes=by_notes,
            given_up=given_up,
            late=tuple(late_charges(own_charges, late)),
            first_payment=payments.get(subscription.id, FirstPayment.AWAITED),
        )
        facts = facts_of(subscription.currency, customer["discount_percent"], customer["usage_grace_days"])
        loaded.append(
            LoadedChain(
                chain=chain,
                facts=facts,
                sellable=sellable,
                customer_number=customer["number"],
                customer_name=customer["name"],
                payer_id=customer["payer_id"],
                is_alone=customer["invoicing_mode"] == InvoicingMode.PER_CHILD,
            )
        )
    return loaded


async def _first_payments(context: Context, subscriptions: Sequence[Subscription]) -> dict[UUID, FirstPayment]:
    """How the first payments of those stand that wait for one, by their ids; their invoices are locked."""
    awaited = {
        one.id: one.first_invoice_id for one in subscriptions if one.awaits_payment and one.first_invoice_id is not None
    }
    if not awaited:
        return {}
    arguments = context.company_id, list(awaited.values())
    statuses = {row["id"]: row["status"] for row in await context.connection.fetch(_FIRST_INVOICES, *arguments)}
    found = await context.connection.fetch(_STILL_CHARGED, *arguments)
    charged = {row["invoice_id"]: row["is_being_asked"] for row in found}

    def payment(invoice_id: UUID) -> FirstPayment:
        if statuses[invoice_id] in _SETTLED:
            return FirstPayment.PAID
        if invoice_id not in charged:
            return FirstPayment.DECLINED
        return FirstPayment.CHARGING if charged[invoice_id] else FirstPayment.AWAITED

    return {subscription_id: payment(invoice_id) for subscription_id, invoice_id in awaited.items()}


async def insert(context: Context, chain: Chain, facts: BillingFacts) -> None:
    """Add a chain with its first version, its schedules and where its meters may be reported to."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(chain.subscription))
    await _insert_versions(context, chain.versions)
    await _put_schedules(context, [chain])
    await _insert_spans(context, [(chain, facts)])


async def save(context: Context, advanced: Sequence[tuple[LoadedChain, Advanced]]) -> None:
    """Write what became of chains. Raises a unique violation where a period would be charged twice."""
    if not advanced:
        return
    chains = [after.chain for _, after in advanced]
    await context.connection.execute(
        _UPDATE_MANY, context.company_id, *rows.column_values([chain.subscription for chain in chains])
    )
    await _insert_versions(context, [version for _, after in advanced for version in after.versions])
    changes = [change for _, after in advanced for change in after.changes]
    await context.connection.executemany(
        _PUT_CHANGE, [(context.company_id, *rows.values(change)) for change in changes]
    )
    await _put_schedules(context, chains)
    new: list[Charge] = []
    billed: list[Charge] = []
    for loaded, after in advanced:
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


async def _plans(
    context: Context,
    versions: Mapping[UUID, Sequence[VersionRow]],
    pending: Mapping[UUID, Sequence[ScheduledChange]],
) -> tuple[dict[tuple[UUID, int], PlanVersion], dict[UUID, PlanVersion]]:
    """The plans that chains go by, by id and version, and those that pending changes lead to, as they are now."""
    current = {(PlanId(own[-1].plan_id), own[-1].plan_version) for own in versions.values()}
    known: dict[tuple[UUID, int], PlanVersion] = dict((await plans.get_versions(context, current)).items())
    wanted = {
        parse_id(change.payload["planId"])
        for own in pending.values()
        for change in own
        if change.type is ChangeType.REPLACE_PLAN
    }
    newest = {plan_id: (await plans.get(context, plan_id)).current for plan_id in sorted(wanted)}
    # A change may be one of what another of the same run leads to.
    return known | {(plan.plan_id, plan.version): plan for plan in newest.values()}, newest


def _facts_by_terms(
    plan_versions: Mapping[tuple[UUID, int], PlanVersion],
    newest: Mapping[UUID, PlanVersion],
    in_currencies: "_PricesByCurrency",
) -> Callable[[str, Decimal, int], BillingFacts]:
    """Facts by currency, discount and days of grace: one object for all chains that have the same."""

    @cache
    def facts_of(currency: str, discount_percent: Decimal, grace_days: int) -> BillingFacts:
        return BillingFacts(
            prices=in_currencies[currency],
            plans=plan_versions,
            newest=newest,
            discount_percent=discount_percent,
            grace_days=grace_days,
        )

    return facts_of


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


async def _insert_versions(context: Context, versions: Iterable[VersionRow]) -> None:
    await context.connection.executemany(
        _INSERT_VERSION, [(context.company_id, *rows.values(version)) for version in versions]
    )


async def _put_schedules(context: Context, chains: Sequence[Chain]) -> None:
    found = [schedule for chain in chains for schedule in chain.schedules.values()]
    if found:
        await context.connection.execute(_PUT_SCHEDULES, context.company_id, *rows.column_values(found))


async def _insert_spans(context: Context, chains: Sequence[tuple[Chain, BillingFacts]]) -> None:
    spans = [span for chain, facts in chains for span in metered_spans(chain, facts)]
    if spans:
        await context.connection.execute(_INSERT_SPANS, context.company_id, *rows.column_values(spans))


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
