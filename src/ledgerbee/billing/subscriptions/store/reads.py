"""Subscriptions as operations show them: lists and single ones, each with the version that holds on a day."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.billing.charges import store as charges
from ledgerbee.billing.charges.model import Charge
from ledgerbee.billing.subscriptions.model import (
    SUBSCRIPTION_CHANGE_NOT_FOUND,
    SUBSCRIPTION_NOT_FOUND,
    BillingSchedule,
    ChangeStatus,
    ScheduledChange,
    Subscription,
    SubscriptionRead,
    SubscriptionStatus,
    VersionRow,
)
from ledgerbee.billing.subscriptions.store.chains import change_of, schedule_of, subscription_of, version_of
from ledgerbee.core.fields import names_of, replace
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.parties.customers.payers import PAYER
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Condition, Filter, fetch_page


@dataclass(frozen=True, slots=True, kw_only=True)
class ListFilter:
    """What a list of subscriptions is narrowed to; `today` is the day that `statuses` are of."""

    today: date
    statuses: Collection[SubscriptionStatus] = ()
    customer_id: UUID | None = None
    plan_id: UUID | None = None
    partner_reference_id: str | None = None


#: `status_on` (rules/status.py) in SQL, of the row as its newest version says; `{day}` is the day.
STATUS: Final = """CASE
WHEN t.ends_on = t.starts_on AND t.is_cancelled THEN 'cancelled'
WHEN {day} < t.starts_on THEN 'scheduled'
WHEN {day} >= t.ends_on AND t.is_cancelled THEN 'cancelled'
WHEN {day} >= t.ends_on THEN 'expired'
WHEN t.awaits_payment THEN 'awaiting_payment'
WHEN t.is_paused THEN 'paused'
WHEN t.is_cancelled THEN 'pending_cancellation'
WHEN {day} < t.trial_until THEN 'trial'
ELSE 'active' END"""
#: The version that holds on the day `{day}`: `version_on` (rules/reading.py).
_SHOWN: Final = (
    "SELECT {subscription}, {version}, c.name AS customer_name,"
    " (SELECT min(b.next_billing_date) FROM billing_schedules b"
    " WHERE b.company_id = s.company_id AND b.subscription_id = s.id) AS next_billing_date"
)
_JOINED: Final = (
    " JOIN customers c ON c.company_id = s.company_id AND c.id = s.customer_id"
    " JOIN LATERAL (SELECT * FROM subscription_versions v WHERE v.company_id = s.company_id"
    " AND v.subscription_id = s.id AND v.effective_on <= greatest({day}, s.starts_on)"
    " ORDER BY v.number DESC LIMIT 1) v ON true"
)


def _prefixed(kind: type[Any], alias: str, prefix: str) -> str:
    return ", ".join(f"{alias}.{name} AS {prefix}{name}" for name in names_of(kind))


_SELECT: Final = _SHOWN.format(
    subscription=_prefixed(Subscription, "s", "s_"), version=_prefixed(VersionRow, "v", "v_")
)
_GET: Final = f"{_SELECT} FROM subscriptions s{_JOINED.format(day='$3::date')} WHERE s.company_id = $1 AND s.id = $2"
_GET_MANY: Final = (
    f"{_SELECT} FROM subscriptions s{_JOINED.format(day='$3::date')} WHERE s.company_id = $1 AND s.id = ANY($2)"
)
_PRODUCTS: Final = "SELECT id, product_id FROM prices WHERE company_id = $1 AND id = ANY($2)"
_EXISTS: Final = "SELECT currency FROM subscriptions WHERE company_id = $1 AND id = $2"
_CUSTOMER: Final = "SELECT customer_id FROM subscriptions WHERE company_id = $1 AND id = $2"
_PAYER: Final = f"SELECT {PAYER} FROM customers c WHERE c.company_id = $1 AND c.id = $2"
_VERSIONS: Final = (
    f"SELECT {rows.columns(VersionRow)} FROM subscription_versions WHERE company_id = $1 AND subscription_id = $2"
    " ORDER BY number"
)
_VERSION_PAGE: Final = (
    f"SELECT {rows.columns(VersionRow, 'v')} FROM page p JOIN subscription_versions v USING (company_id, id)"
)
_SUBSCRIPTION: Final = f"SELECT {rows.columns(Subscription)} FROM subscriptions WHERE company_id = $1 AND id = $2"
_SCHEDULES: Final = (
    f"SELECT {rows.columns(BillingSchedule)} FROM billing_schedules WHERE company_id = $1 AND subscription_id = $2"
    " ORDER BY next_billing_date NULLS LAST, price_id"
)
_CHANGES: Final = (
    f"SELECT {rows.columns(ScheduledChange)} FROM subscription_changes WHERE company_id = $1 AND subscription_id = $2"
    " AND status = ANY($3) ORDER BY effective_on, created_at, id"
)
_CHANGE: Final = (
    f"SELECT {rows.columns(ScheduledChange)} FROM subscription_changes WHERE company_id = $1 AND subscription_id = $2"
    " AND id = $3"
)
_OF_CUSTOMER: Final = Condition("t.customer_id = {0}", is_narrow=True)
_OF_REFERENCE: Final = Condition("t.partner_reference_id = {0}", is_narrow=True)
#: A range of the subscription's name, as `starts_with` of a list has it, or a customer's name. Customers have no such
#: key: those of the company are looked through.
_SEARCH: Final = (
    "((t.name_key >= lower({}) AND t.name_key < lower({}) || chr(1114111))"
    " OR t.customer_id IN (SELECT c.id FROM customers c WHERE c.company_id = $1"
    " AND starts_with(lower(c.name), lower({}))))"
)
SORT_COLUMNS: Final = {"createdAt": "t.created_at"}


async def list_page(context: Context, request: PageRequest, wanted: ListFilter) -> Page[SubscriptionRead]:
    """A page of subscriptions as they stand today; `search` is a prefix of their name or the customer's."""
    filters = Filter()
    today = f"DATE '{wanted.today.isoformat()}'"
    if request.search and request.search.strip():
        filters.add(_SEARCH, request.search.strip())
    if wanted.customer_id is not None:
        filters.choose(_OF_CUSTOMER, wanted.customer_id)
    if wanted.partner_reference_id is not None:
        filters.choose(_OF_REFERENCE, wanted.partner_reference_id)
    if wanted.plan_id is not None:
        filters.add("t.plan_id = {}", wanted.plan_id)
    if wanted.statuses:
        filters.add(f"{STATUS.replace('{day}', today)} = ANY({{}})", list(wanted.statuses))
    select = f"{_SELECT} FROM page p JOIN subscriptions s USING (company_id, id){_JOINED.format(day=today)}"
    page = await fetch_page(
        context, table="subscriptions", select=select, filters=filters, order_by=SORT_COLUMNS, request=request
    )
    return Page(await _reads(context, page.rows), page.total)


async def get(context: Context, subscription_id: UUID, day: date) -> SubscriptionRead:
    """One subscription as it stands on a day. Raises `SUBSCRIPTION_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, subscription_id, day)
    (read,) = await _reads(context, [SUBSCRIPTION_NOT_FOUND.unless(row)])
    return read if day == context.today else replace(read, next_billing_date=None)


async def get_many(context: Context, subscription_ids: Collection[UUID]) -> dict[UUID, SubscriptionRead]:
    """Subscriptions as they stand today, by id; unknown ones are left out."""
    found = await context.connection.fetch(_GET_MANY, context.company_id, list(subscription_ids), context.today)
    return {read.subscription.id: read for read in await _reads(context, found)}


async def get_whole(context: Context, subscription_id: UUID) -> tuple[Subscription, list[VersionRow]]:
    """One subscription with all its versions, oldest first. Raises `SUBSCRIPTION_NOT_FOUND`."""
    row = await context.connection.fetchrow(_SUBSCRIPTION, context.company_id, subscription_id)
    subscription = subscription_of(SUBSCRIPTION_NOT_FOUND.unless(row))
    found = await context.connection.fetch(_VERSIONS, context.company_id, subscription_id)
    return subscription, [version_of(row) for row in found]


async def list_versions(context: Context, subscription_id: UUID, request: PageRequest) -> Page[VersionRow]:
    """A page of a subscription's versions, newest first. Raises `SUBSCRIPTION_NOT_FOUND`."""
    await _currency(context, subscription_id)
    filters = Filter()
    filters.add("t.subscription_id = {}", subscription_id)
    page = await fetch_page(
        context,
        table="subscription_versions",
        select=_VERSION_PAGE,
        filters=filters,
        order_by={"createdAt": "t.number"},
        request=request,
    )
    return Page([version_of(row) for row in page.rows], page.total)


async def list_charges(context: Context, subscription_id: UUID, request: PageRequest) -> tuple[str, Page[Charge]]:
    """A page of a subscription's charges, newest first, and their currency. Raises `SUBSCRIPTION_NOT_FOUND`."""
    currency = await _currency(context, subscription_id)
    return currency, await charges.list_page(context, subscription_id, request)


async def list_schedules(context: Context, subscription_id: UUID) -> list[BillingSchedule]:
    """A subscription's billing schedules, the next one first. Raises `SUBSCRIPTION_NOT_FOUND`."""
    await _currency(context, subscription_id)
    found = await context.connection.fetch(_SCHEDULES, context.company_id, subscription_id)
    return [schedule_of(row) for row in found]


async def list_changes(
    context: Context, subscription_id: UUID, statuses: Collection[ChangeStatus]
) -> list[ScheduledChange]:
    """A subscription's changes of these statuses, in the order of their days. Raises `SUBSCRIPTION_NOT_FOUND`."""
    await _currency(context, subscription_id)
    found = await context.connection.fetch(_CHANGES, context.company_id, subscription_id, list(statuses))
    return [change_of(row) for row in found]


async def get_change(context: Context, subscription_id: UUID, change_id: UUID) -> ScheduledChange:
    """One change of a subscription. Raises `SUBSCRIPTION_CHANGE_NOT_FOUND`."""
    row = await context.connection.fetchrow(_CHANGE, context.company_id, subscription_id, change_id)
    return change_of(SUBSCRIPTION_CHANGE_NOT_FOUND.unless(row))


async def customer_of(context: Context, subscription_id: UUID, property_: str | None = None) -> UUID:
    """Whose subscription it is; `property_` is the field of a body that refers to it.

    Raises `SUBSCRIPTION_NOT_FOUND`.
    """
    found: UUID | None = await context.connection.fetchval(_CUSTOMER, context.company_id, subscription_id)
    if found is None and property_:
        raise SUBSCRIPTION_NOT_FOUND.missing(property_, "subscriptionId", subscription_id)
    return SUBSCRIPTION_NOT_FOUND.unless(found)


async def payer_of(context: Context, customer_id: UUID) -> UUID:
    """Who pays for a customer's subscriptions."""
    found: UUID = await context.connection.fetchval(_PAYER, context.company_id, customer_id)
    return found


async def product_ids(context: Context, versions: Iterable[VersionRow]) -> dict[UUID, UUID]:
    """The products of all prices that the versions have."""
    wanted = {price_id for version in versions for price_id in version.price_ids}
    found = await context.connection.fetch(_PRODUCTS, context.company_id, sorted(wanted))
    return {row["id"]: row["product_id"] for row in found}


async def _currency(context: Context, subscription_id: UUID) -> str:
    """Whether the company has the subscription, which says its currency. Raises `SUBSCRIPTION_NOT_FOUND`."""
    found: str | None = await context.connection.fetchval(_EXISTS, context.company_id, subscription_id)
    return SUBSCRIPTION_NOT_FOUND.unless(found)


async def _reads(context: Context, found: Sequence[asyncpg.Record]) -> list[SubscriptionRead]:
    versions = [version_of(_part(row, VersionRow, "v_")) for row in found]
    products = await product_ids(context, versions)
    return [
        SubscriptionRead(
            subscription=subscription_of(_part(row, Subscription, "s_")),
            version=version,
            product_ids=products,
            next_billing_date=row["next_billing_date"],
            customer_name=row["customer_name"],
        )
        for row, version in zip(found, versions, strict=True)
    ]


def _part(row: asyncpg.Record, kind: type[Any], prefix: str) -> Mapping[str, Any]:
    return {name: row[f"{prefix}{name}"] for name in names_of(kind)}
