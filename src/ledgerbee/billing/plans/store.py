"""Rows of plans: a plan, its versions, their cadences (the plan's own, then the alternatives) and items."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.billing.plans.model import (
    SUBSCRIPTION_PLAN_NOT_FOUND,
    SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS,
    Plan,
    PlanAlternative,
    PlanId,
    PlanItem,
    PlanRow,
    PlanStatus,
    PlanVersion,
)
from ledgerbee.catalog.prices.model import BillingInterval, PriceId
from ledgerbee.core.fields import fields_of, names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

VersionKey = tuple[PlanId, int]


@dataclass(frozen=True, slots=True)
class _VersionRow:
    """A row of `subscription_plan_versions`."""

    plan_id: UUID
    version: int
    currency: str
    trial_days: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class _CadenceRow:
    """A row of `subscription_plan_cadences`."""

    plan_id: UUID
    version: int
    position: int
    billing_interval: str
    billing_interval_count: int


@dataclass(frozen=True, slots=True)
class _ItemRow:
    """A row of `subscription_plan_items`; `cadence` is the position of its cadence."""

    plan_id: UUID
    version: int
    cadence: int
    position: int
    price_id: UUID
    quantity: Decimal
    is_optional: bool


#: A row for each item of a version, with all that stands above it.
_PARTS: Final = (
    "v.plan_id, v.version, x.name, v.currency, v.trial_days, v.created_at AS version_created_at, c.position AS cadence,"
    " c.billing_interval, c.billing_interval_count, i.position AS item_position, i.price_id, i.quantity, i.is_optional"
)
_JOINED: Final = (
    " JOIN subscription_plan_versions v ON v.company_id = x.company_id AND v.plan_id = x.id"
    " JOIN subscription_plan_cadences c"
    " ON c.company_id = v.company_id AND c.plan_id = v.plan_id AND c.version = v.version"
    " JOIN subscription_plan_items i ON i.company_id = c.company_id AND i.plan_id = c.plan_id"
    " AND i.version = c.version AND i.cadence = c.position"
)
_WHOLE: Final = f"SELECT {rows.columns(PlanRow, 'x')}, {_PARTS}"
_CURRENT: Final = f"{_JOINED} AND v.version = x.version"
_GET: Final = f"{_WHOLE} FROM subscription_plans x{_CURRENT} WHERE x.company_id = $1 AND x.id = $2"
_LIST: Final = f"{_WHOLE} FROM page p JOIN subscription_plans x USING (company_id, id){_CURRENT}"
_LOCK: Final = "SELECT FROM subscription_plans x WHERE x.company_id = $1 AND x.id = $2 FOR NO KEY UPDATE"
_VERSIONS: Final = (
    f"SELECT {_PARTS} FROM unnest($2::uuid[], $3::integer[]) k (plan_id, version)"
    f" JOIN subscription_plans x ON x.company_id = $1 AND x.id = k.plan_id{_JOINED} AND v.version = k.version"
)
_INSERT: Final = rows.insert("subscription_plans", PlanRow)
_UPDATE: Final = rows.update("subscription_plans", PlanRow)
_INSERT_VERSION: Final = rows.insert("subscription_plan_versions", _VersionRow)
_INSERT_CADENCES: Final = rows.insert_many("subscription_plan_cadences", _CadenceRow)
_INSERT_ITEMS: Final = rows.insert_many("subscription_plan_items", _ItemRow)
SORT_COLUMNS: Final = {"name": "t.name_key", "createdAt": "t.created_at", "displayOrder": "t.display_order"}


async def list_page(context: Context, request: PageRequest, *, status: PlanStatus | None) -> Page[Plan]:
    """A page of plans, of one status if asked for; `search` is a prefix of the name."""
    filters = Filter()
    filters.starts_with(request.search, "name_key")
    if status is not None:
        filters.add("t.status = {}", status)
    page = await fetch_page(
        context, table="subscription_plans", select=_LIST, filters=filters, order_by=SORT_COLUMNS, request=request
    )
    return Page([_plan(list(group)) for _, group in groupby(page.rows, itemgetter("plan_id"))], page.total)


async def get(context: Context, plan_id: UUID) -> Plan:
    """One plan with its current version. Raises `SUBSCRIPTION_PLAN_NOT_FOUND`."""
    found = await context.connection.fetch(_GET, context.company_id, plan_id)
    return _plan(SUBSCRIPTION_PLAN_NOT_FOUND.unless(found or None))


async def get_for_update(context: Context, plan_id: UUID) -> Plan:
    """One plan, locked until the transaction ends. Raises `SUBSCRIPTION_PLAN_NOT_FOUND`.

    It is read after the lock is taken: what was written while we waited for it has a version of its own.
    """
    await context.connection.execute(_LOCK, context.company_id, plan_id)
    return await get(context, plan_id)


async def get_versions(context: Context, keys: Collection[VersionKey]) -> dict[VersionKey, PlanVersion]:
    """The versions among `keys` (plan, version) that the company has, in one statement."""
    if not keys:
        return {}
    plan_ids, versions = zip(*set(keys), strict=True)
    found = await context.connection.fetch(_VERSIONS, context.company_id, list(plan_ids), list(versions))
    key_of = itemgetter("plan_id", "version")
    groups = groupby(sorted(found, key=key_of), key_of)
    return {key: _version(list(parts)) for key, parts in groups}


async def list_versions(context: Context, plan_id: UUID, request: PageRequest) -> Page[PlanVersion]:
    """A page of a plan's versions, the newest first. Raises `SUBSCRIPTION_PLAN_NOT_FOUND`."""
    plan = await get(context, plan_id)
    newest = plan.version - request.offset
    keys = [(plan.id, number) for number in range(newest, max(newest - request.limit, 0), -1)]
    found = await get_versions(context, keys)
    return Page([found[key] for key in keys], plan.version)


async def insert(context: Context, plan: Plan) -> None:
    """Add a plan with its first version. Raises `SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS`.

    The prices are held (`get_many_for_share` of `catalog.prices.store`).
    """
    await _insert_version(context, plan.current)
    await _write(context, _INSERT, plan)


async def update(context: Context, plan: Plan, *, is_new_version: bool) -> None:
    """Write a locked plan's own fields, and its version where that is new. Raises what `insert` raises."""
    if is_new_version:
        await _insert_version(context, plan.current)
    await _write(context, _UPDATE, plan)


async def _write(context: Context, statement: str, plan: Plan) -> None:
    taken = SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS.taken("vanity", plan.vanity)
    with rows.refusing({"subscription_plans_vanity": taken}):
        await context.connection.execute(
            statement, context.company_id, *rows.values(PlanRow(**fields_of(plan, PlanRow)))
        )


async def _insert_version(context: Context, version: PlanVersion) -> None:
    """Write a version, whole, before its plan is written: no part comes to a version that a plan has."""
    key = version.plan_id, version.version
    row = _VersionRow(*key, version.currency, version.trial_days, version.created_at)
    own = PlanAlternative(version.interval, version.interval_count, version.items)
    cadences = [own, *version.alternatives]
    await _insert(context, _INSERT_VERSION, rows.values(row))
    await _insert(
        context,
        _INSERT_CADENCES,
        rows.column_values([_CadenceRow(*key, at, c.interval, c.interval_count) for at, c in enumerate(cadences)]),
    )
    await _insert(
        context,
        _INSERT_ITEMS,
        rows.column_values(
            [
                _ItemRow(*key, at, place, item.price_id, item.quantity, item.optional)
                for at, cadence in enumerate(cadences)
                for place, item in enumerate(cadence.items)
            ]
        ),
    )


async def _insert(context: Context, statement: str, values: Iterable[Any]) -> None:
    await context.connection.execute(statement, context.company_id, *values)


def _plan(parts: Sequence[asyncpg.Record]) -> Plan:
    values = {name: parts[0][name] for name in names_of(PlanRow)}
    return Plan(**values | {"status": PlanStatus(values["status"])}, current=_version(parts))


def _version(parts: Sequence[asyncpg.Record]) -> PlanVersion:
    """A version from the rows of its items, in any order."""
    first = parts[0]
    in_order = sorted(parts, key=itemgetter("cadence", "item_position"))
    own, *alternatives = [_cadence(list(group)) for _, group in groupby(in_order, itemgetter("cadence"))]
    return PlanVersion(
        plan_id=PlanId(first["plan_id"]),
        version=first["version"],
        name=first["name"],
        currency=first["currency"],
        interval=own.interval,
        interval_count=own.interval_count,
        trial_days=first["trial_days"],
        items=own.items,
        alternatives=tuple(alternatives),
        created_at=first["version_created_at"],
    )


def _cadence(parts: Sequence[asyncpg.Record]) -> PlanAlternative:
    return PlanAlternative(
        BillingInterval(parts[0]["billing_interval"]),
        parts[0]["billing_interval_count"],
        tuple(PlanItem(PriceId(row["price_id"]), row["quantity"], row["is_optional"]) for row in parts),
    )
