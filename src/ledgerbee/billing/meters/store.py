"""Rows of meters, and of the subscriptions that report to them."""

from datetime import date
from itertools import groupby
from typing import Final

import asyncpg

from ledgerbee.billing.meters.model import (
    METER_NAME_ALREADY_EXISTS,
    Aggregation,
    Meter,
    MeteredProduct,
    MeterId,
    ReportingSubscription,
)
from ledgerbee.catalog.prices.model import METER_NOT_FOUND, MeterStatus
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_SELECT: Final = f"SELECT {rows.columns(Meter, 'm')} FROM meters m WHERE m.company_id = $1"
_GET: Final = f"{_SELECT} AND m.id = $2"
_GET_BY_NAME: Final = f"{_SELECT} AND m.name = $2"
_LOCK: Final = f"{_GET} FOR UPDATE"
_LIST: Final = f"SELECT {rows.columns(Meter, 'm')} FROM page p JOIN meters m USING (company_id, id)"
_INSERT: Final = rows.insert("meters", Meter)
_ARCHIVE: Final = "UPDATE meters SET status = 'ARCHIVED', archived_at = $3 WHERE company_id = $1 AND id = $2"
SORT_COLUMNS: Final = {"name": "t.name_key", "createdAt": "t.created_at"}
#: On a day: a pause is a gap between spans, and what has ended has none.
_REPORTING: Final = """
SELECT DISTINCT s.subscription_id, s.customer_id, c.name AS customer_name, x.id AS product_id, x.name AS product_name,
    s.price_id, s.chain_starts_on
FROM metered_spans s
JOIN customers c ON c.company_id = $1 AND c.id = s.customer_id
JOIN prices p ON p.company_id = $1 AND p.id = s.price_id
JOIN products x ON x.company_id = $1 AND x.id = p.product_id
WHERE s.company_id = $1 AND s.meter_id = $2 AND s.starts_on <= $3 AND (s.ends_on IS NULL OR s.ends_on > $3)
ORDER BY s.chain_starts_on, s.subscription_id, x.name, s.price_id
"""


async def list_page(context: Context, request: PageRequest, status: MeterStatus | None) -> Page[Meter]:
    """A page of meters; `search` is a prefix of the name."""
    filters = Filter()
    filters.starts_with(request.search, "name_key")
    if status is not None:
        filters.add("t.status = {}", status.value)
    page = await fetch_page(
        context, table="meters", select=_LIST, filters=filters, order_by=SORT_COLUMNS, request=request
    )
    return Page([_meter(row) for row in page.rows], page.total)


async def get(context: Context, meter_id: MeterId) -> Meter:
    """One meter. Raises `METER_NOT_FOUND`."""
    return _meter(METER_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, meter_id)))


async def get_by_name(context: Context, name: str) -> Meter:
    """The meter of this name, as it is written. Raises `METER_NOT_FOUND`."""
    return _meter(METER_NOT_FOUND.unless(await context.connection.fetchrow(_GET_BY_NAME, context.company_id, name)))


async def get_for_update(context: Context, meter_id: MeterId) -> Meter:
    """One meter, locked until the transaction ends. Raises `METER_NOT_FOUND`."""
    return _meter(METER_NOT_FOUND.unless(await context.connection.fetchrow(_LOCK, context.company_id, meter_id)))


async def insert(context: Context, meter: Meter) -> None:
    """Add a meter. Raises `METER_NAME_ALREADY_EXISTS`."""
    with rows.refusing({"meters_name": METER_NAME_ALREADY_EXISTS.taken("name", meter.name)}):
        await context.connection.execute(_INSERT, context.company_id, *rows.values(meter))


async def archive(context: Context, meter_id: MeterId) -> None:
    """Archive a meter that is locked."""
    await context.connection.execute(_ARCHIVE, context.company_id, meter_id, context.now)


async def reporting_subscriptions(context: Context, meter_id: MeterId, on: date) -> list[ReportingSubscription]:
    """The subscriptions that may report to a meter on a day, in the order of their start, with their products."""
    found = await context.connection.fetch(_REPORTING, context.company_id, meter_id, on)
    by_subscription = groupby(found, lambda row: (row["subscription_id"], row["customer_id"], row["customer_name"]))
    return [
        ReportingSubscription(
            *whose, [MeteredProduct(row["product_id"], row["product_name"], row["price_id"]) for row in group]
        )
        for whose, group in by_subscription
    ]


def _meter(row: asyncpg.Record) -> Meter:
    values = dict(row)
    return Meter(
        **values | {"aggregation": Aggregation(values["aggregation"]), "status": MeterStatus(values["status"])}
    )
