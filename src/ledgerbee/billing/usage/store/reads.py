"""Reading events, and what becomes of them."""

from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.billing.usage.model import (
    USAGE_EVENT_NOT_FOUND,
    UsageEvent,
    UsageEventId,
    UsageFilter,
    UsageState,
    UsageTotals,
)
from ledgerbee.billing.usage.store.quantities import DAY_SUMS, DISTINCT_BY, QUANTITY
from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.key_ranges import KeyRange, fetch_page_by_range
from ledgerbee.platform.listing import Filter

_JOINED: Final = frozenset({"meter_name", "customer_name", "reason"})
_COLUMNS: Final = ", ".join(f"e.{name}" for name in names_of(UsageEvent) if name not in _JOINED)
_SELECT: Final = f"SELECT {_COLUMNS}, m.name AS meter_name, c.name AS customer_name"
_NAMES: Final = (
    "JOIN meters m ON m.company_id = e.company_id AND m.id = e.meter_id"
    " JOIN customers c ON c.company_id = e.company_id AND c.id = e.customer_id"
)
_LIST: Final = f"{_SELECT} FROM page p JOIN usage_events e USING (company_id, id) {_NAMES}"
#: Why an event belongs to nobody: by the spans of its customer and meter, or of the subscription that it names.
_REASONED: Final = f"""
{_SELECT}, CASE
    WHEN r.first_day IS NULL AND e.named_subscription_id IS NOT NULL THEN 'subscription_not_found'
    WHEN r.first_day IS NULL THEN 'no_subscription' WHEN e.day < r.first_day THEN 'before_start'
    WHEN e.day >= r.last_day THEN 'after_end' ELSE 'paused' END AS reason
FROM page p JOIN usage_events e USING (company_id, id) {_NAMES}
LEFT JOIN LATERAL (
    SELECT min(s.starts_on) AS first_day, max(coalesce(s.ends_on, 'infinity')) AS last_day FROM metered_spans s
    WHERE s.company_id = e.company_id AND s.customer_id = e.customer_id AND s.meter_id = e.meter_id
      AND (e.named_subscription_id IS NULL OR s.subscription_id = e.named_subscription_id)
) r ON true
"""
_GET: Final = f"{_SELECT} FROM usage_events e {_NAMES} WHERE e.company_id = $1 AND e.id = $2"
_LOCK: Final = f"{_GET} FOR UPDATE OF e"
_CUSTOMER: Final = "SELECT e.customer_id FROM usage_events e WHERE e.company_id = $1 AND e.id = $2"
_DAYS: Final = (
    "SELECT t.day, sum({counted})::bigint AS count FROM usage_days t WHERE {where} GROUP BY t.day ORDER BY t.day"
)
_ORDER: Final = {"day": "t.day"}
#: Where a day counts for two prices it is billed when both have billed it.
_TOTALS: Final = f"""
WITH days AS (
    SELECT d.*, c.is_trial, d.subscription_id IS NOT NULL AND NOT coalesce(c.is_trial, false) AS is_billable,
        CASE WHEN d.day < c.billed_until THEN greatest(least(d.events, coalesce(l.events, 0)), 0) ELSE d.events END
            AS open_events
    FROM usage_days d
    LEFT JOIN LATERAL (
        SELECT bool_and(s.is_trial) AS is_trial, min(s.billed_until) FILTER (WHERE NOT s.is_trial) AS billed_until
        FROM metered_spans s
        WHERE s.company_id = $1 AND s.customer_id = d.customer_id AND s.meter_id = d.meter_id
          AND s.subscription_id = d.subscription_id
          AND s.starts_on <= d.day AND (s.ends_on IS NULL OR s.ends_on > d.day)
    ) c ON true
    LEFT JOIN LATERAL (
        SELECT max(l.events) AS events FROM late_usage l JOIN prices p ON p.company_id = $1 AND p.id = l.price_id
        WHERE l.company_id = $1 AND l.subscription_id = d.subscription_id AND l.day = d.day AND p.meter_id = d.meter_id
    ) l ON true
    WHERE d.company_id = $1 AND d.meter_id = $2 AND ($3::uuid IS NULL OR d.customer_id = $3)
      AND d.day >= coalesce($4::date, '-infinity') AND d.day <= coalesce($5::date, 'infinity')
), used AS (
    SELECT {QUANTITY} AS quantity
    FROM (SELECT d.subscription_id, {DAY_SUMS} FROM days d WHERE d.subscription_id IS NOT NULL
          GROUP BY d.subscription_id) u
    JOIN meters m ON m.company_id = $1 AND m.id = $2
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT {DISTINCT_BY}) AS distinct_values FROM usage_events e
        WHERE m.aggregation = 'UNIQUE_COUNT' AND e.company_id = $1 AND e.meter_id = $2
          AND e.subscription_id = u.subscription_id AND e.state = 'accepted'
          AND e.customer_id IN (SELECT d.customer_id FROM days d WHERE d.subscription_id = u.subscription_id)
          AND e.day >= coalesce($4::date, '-infinity') AND e.day <= coalesce($5::date, 'infinity')
    ) v ON true
)
SELECT coalesce(sum(d.events + d.too_late), 0)::bigint AS accepted,
    coalesce(sum(d.events + d.too_late) FILTER (WHERE d.subscription_id IS NOT NULL), 0)::bigint AS attributed,
    coalesce(sum(d.events) FILTER (WHERE d.subscription_id IS NULL), 0)::bigint AS unattributed,
    coalesce(sum(d.events - d.open_events) FILTER (WHERE d.is_billable), 0)::bigint AS billed,
    coalesce(sum(d.open_events) FILTER (WHERE d.is_billable), 0)::bigint AS open,
    coalesce(sum(d.events) FILTER (WHERE d.subscription_id IS NOT NULL AND d.is_trial), 0)::bigint AS shown,
    coalesce(sum(d.too_late), 0)::bigint AS too_late,
    (SELECT coalesce(sum(u.quantity), 0) FROM used u) AS quantity
FROM days d
"""


async def list_page(context: Context, wanted: UsageFilter, request: PageRequest) -> Page[UsageEvent]:
    """A page of events, by day and then as they came in; without those of backfills that are not in force."""
    not_staged = ["t.state <> 'staged'"]
    return await _page(context, wanted, request, _LIST, "t.events + t.too_late + t.withdrawn", [], not_staged)


async def list_unattributed(context: Context, wanted: UsageFilter, request: PageRequest) -> Page[UsageEvent]:
    """A page of the events that no chain covers, each with the reason."""
    of_nobody = ["t.subscription_id IS NULL"]
    return await _page(context, wanted, request, _REASONED, "t.events", of_nobody, [*of_nobody, "t.state = 'accepted'"])


async def get(context: Context, event_id: UsageEventId) -> UsageEvent:
    """One event. Raises `USAGE_EVENT_NOT_FOUND`."""
    return _event(USAGE_EVENT_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, event_id)))


async def get_for_update(context: Context, event_id: UsageEventId) -> UsageEvent:
    """One event, locked until the transaction ends. Raises `USAGE_EVENT_NOT_FOUND`."""
    return _event(USAGE_EVENT_NOT_FOUND.unless(await context.connection.fetchrow(_LOCK, context.company_id, event_id)))


async def get_customer_id(context: Context, event_id: UsageEventId) -> UUID:
    """Whose usage an event is, which never changes. Raises `USAGE_EVENT_NOT_FOUND`."""
    found: UUID | None = await context.connection.fetchval(_CUSTOMER, context.company_id, event_id)
    return USAGE_EVENT_NOT_FOUND.unless(found)


async def totals(context: Context, meter_id: UUID, wanted: UsageFilter) -> UsageTotals:
    """What becomes of a meter's events."""
    row = await context.connection.fetchrow(
        _TOTALS, context.company_id, meter_id, wanted.customer_id, wanted.since, wanted.until
    )
    assert row is not None
    return UsageTotals(**dict(row))


async def _page(
    context: Context,
    wanted: UsageFilter,
    request: PageRequest,
    select: str,
    counted: str,
    days_where: list[str],
    events_where: list[str],
) -> Page[UsageEvent]:
    # How many events a day has is known: the days of a long list that a page doesn't touch are never walked.
    filters = _filters(wanted, days_where)
    where = " AND ".join([*filters.always, *filters.conditions])
    days = await context.connection.fetch(
        _DAYS.format(counted=counted, where=where), context.company_id, *filters.arguments
    )
    page = await fetch_page_by_range(
        context,
        table="usage_events",
        select=select,
        filters=_filters(wanted, events_where),
        order_by=_ORDER,
        request=request,
        key_ranges=[KeyRange(row["day"], row["day"], row["count"]) for row in days if row["count"]],
    )
    return Page([_event(row) for row in page.rows], page.total)


def _filters(wanted: UsageFilter, always: list[str]) -> Filter:
    filters = Filter()
    filters.always += always
    for condition, argument in (
        ("t.meter_id = {}", wanted.meter_id),
        ("t.customer_id = {}", wanted.customer_id),
        ("t.day >= {}", wanted.since),
        ("t.day <= {}", wanted.until),
    ):
        if argument is not None:
            filters.add(condition, argument)
    return filters


def _event(row: asyncpg.Record) -> UsageEvent:
    values: dict[str, Any] = dict(row)
    return UsageEvent(**values | {"metadata": values["metadata"] or {}, "state": UsageState(values["state"])})
