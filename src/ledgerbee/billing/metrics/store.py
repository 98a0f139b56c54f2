"""Subscriptions, charges and documents as metrics read them: as streams, however many there are."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.billing.metrics.model import AgreedChain, RevenueCharge
from ledgerbee.billing.timelines.model import (
    BillingDirection,
    Cadence,
    Grid,
    Item,
    ProrationBehavior,
    Span,
    Terms,
    TermsFrom,
)
from ledgerbee.billing.timelines.rules import timeline_of
from ledgerbee.catalog.prices.model import BillingInterval
from ledgerbee.platform.context import Context

#: Rows that are read at a time. Others have their turn in between.
CHUNK: Final = 1_000

#: A row for each version, with its chain's: those of one chain follow each other.
_SELECT: Final = """
SELECT s.id, s.customer_id, s.currency, s.trial_until, s.ends_on, s.billed_until, s.awaits_payment, g.discount_percent,
    v.effective_on, v.plan_id, v.plan_version, v.billing_direction, v.billing_interval, v.billing_interval_count,
    v.anchor, v.anchor_day, v.proration, v.is_paused, v.restarted_by, v.price_ids, v.quantities
FROM subscriptions s
JOIN customers c ON c.company_id = $1 AND c.id = s.customer_id
JOIN customer_groups g ON g.company_id = $1 AND g.id = c.customer_group_id
JOIN subscription_versions v ON v.company_id = $1 AND v.subscription_id = s.id
WHERE s.company_id = $1 AND {}
ORDER BY s.id, v.number
"""
_FIRST_OF_TERMS: Final = 9
#: Those with days after $2 and up to $3. What was agreed for later days changes none of these.
_AMONG: Final = _SELECT.format("s.starts_on <= $3 AND (s.ends_on IS NULL OR s.ends_on > $2) AND v.effective_on <= $3")
#: Those of customers ($3) that ended by the day $2.
_ENDED: Final = _SELECT.format("s.customer_id = ANY($3) AND s.ends_on <= $2 AND v.effective_on <= $2")
_OVERLAPS: Final = "k.service_end > $2 AND k.service_start <= $3 AND k.kind IN ('recurring', 'proration')"
#: Those with days from $2 to $3, or with charges of such days.
_BILLED: Final = _SELECT.format(
    "s.starts_on <= $3 AND v.effective_on <= $3 AND (s.ends_on IS NULL OR s.ends_on > $2 OR EXISTS ("
    f"SELECT FROM subscription_charges k WHERE k.company_id = $1 AND k.subscription_id = s.id AND {_OVERLAPS}))"
)
#: What documents booked of a charge: what stands on its invoice, less what a credit note took of it.
_CHARGES: Final = f"""
SELECT k.id, k.subscription_id, k.price_id, k.period_start, k.period_end, k.service_start, k.service_end, k.quantity,
    k.period_amount, k.discount_percent, k.net, k.waits, k.credits_charge_id,
    coalesce((k.net + k.credit_note_net) * i.exchange_rate, 0) - coalesce(k.credit_note_net * n.exchange_rate, 0)
        AS base_net
FROM subscription_charges k
LEFT JOIN invoices i ON i.company_id = $1 AND i.id = k.invoice_id
LEFT JOIN credit_notes n ON n.company_id = $1 AND n.id = k.credit_note_id
WHERE k.company_id = $1 AND k.subscription_id = ANY($4) AND {_OVERLAPS}
ORDER BY k.subscription_id, k.created_at, k.id
"""
#: What credit notes took off the invoice lines of charges, but for the notes that charges say themselves: of the charge
#: that made the line.
_CREDITED: Final = f"""
SELECT k.id, -sum(l.net) AS credited, -sum(l.net * n.exchange_rate) AS base_credited
FROM subscription_charges k
JOIN credit_note_lines l ON l.company_id = $1 AND l.invoice_line_id = k.invoice_line_id
JOIN credit_notes n ON n.company_id = $1 AND n.id = l.credit_note_id AND n.status NOT IN ('draft', 'cancelled')
WHERE k.company_id = $1 AND k.subscription_id = ANY($4) AND {_OVERLAPS}
  AND NOT EXISTS (SELECT FROM subscription_charges o
      WHERE o.company_id = $1 AND o.subscription_id = k.subscription_id AND o.credit_note_id = n.id)
  AND NOT EXISTS (SELECT FROM subscription_charges o
      WHERE o.company_id = $1 AND o.subscription_id = k.subscription_id AND o.invoice_line_id = k.invoice_line_id
        AND (o.created_at, o.id) < (k.created_at, k.id))
GROUP BY k.id
"""
_NAMES: Final = "SELECT id, name FROM customers WHERE company_id = $1 AND id = ANY($2)"
#: A subscription has no prices but those of plans.
_PRICE_IDS: Final = "SELECT DISTINCT price_id FROM subscription_plan_items WHERE company_id = $1"


async def price_ids(context: Context) -> list[UUID]:
    """The prices that subscriptions of the company may have."""
    return [row["price_id"] for row in await context.connection.fetch(_PRICE_IDS, context.company_id)]


async def stream(context: Context, after: date, until: date) -> AsyncIterator[list[AgreedChain]]:
    """Subscriptions with days after `after` and up to `until`, in chunks, as they are agreed up to then."""
    async for chains in _stream(context, _AMONG, after, until):
        yield chains


async def stream_ended(context: Context, customer_ids: Collection[UUID], by: date) -> AsyncIterator[list[AgreedChain]]:
    """Subscriptions of customers that had ended on a day, in chunks."""
    async for chains in _stream(context, _ENDED, by, list(customer_ids)):
        yield chains


async def stream_billed(
    context: Context, first: date, last: date
) -> AsyncIterator[list[tuple[AgreedChain, list[RevenueCharge]]]]:
    """Subscriptions with days from `first` to `last`, or with charges of such days, in chunks with these charges."""
    async for chains in _stream(context, _BILLED, first, last):
        charges = await _charges(context, [chain.id for chain in chains], first, last)
        yield [(chain, charges.get(chain.id, [])) for chain in chains]


async def names_of(context: Context, customer_ids: Collection[UUID]) -> dict[UUID, str]:
    """The names of customers, by id."""
    found = await context.connection.fetch(_NAMES, context.company_id, list(customer_ids))
    return {row["id"]: row["name"] for row in found}


async def _charges(
    context: Context, subscription_ids: Sequence[UUID], first: date, last: date
) -> dict[UUID, list[RevenueCharge]]:
    arguments = context.company_id, first, last, list(subscription_ids)
    credited = {row["id"]: row for row in await context.connection.fetch(_CREDITED, *arguments)}
    found: dict[UUID, list[RevenueCharge]] = {}
    for row in await context.connection.fetch(_CHARGES, *arguments):
        found.setdefault(row["subscription_id"], []).append(_charge(row, credited.get(row["id"])))
    return found


def _charge(row: asyncpg.Record, credited: asyncpg.Record | None) -> RevenueCharge:
    by_others = {} if credited is None else {name: credited[name] for name in ("credited", "base_credited")}
    return RevenueCharge(
        subscription_id=row["subscription_id"],
        price_id=row["price_id"],
        period=Span(row["period_start"], row["period_end"]),
        service=Span(row["service_start"], row["service_end"]),
        quantity=row["quantity"],
        period_amount=row["period_amount"],
        discount_percent=row["discount_percent"],
        net=row["net"],
        credits_charge_id=row["credits_charge_id"],
        waits=row["waits"],
        base_net=row["base_net"],
        **by_others,
    )


class _TermsOfRows:
    """The terms of versions. Many subscriptions have the same: each is made once."""

    def __init__(self) -> None:
        self._known: dict[tuple[Any, ...], Terms] = {}

    def of(self, row: asyncpg.Record) -> Terms:
        """The terms in a row of `_SELECT`, whose columns from `plan_id` on they are."""
        *values, price_ids, quantities = row[_FIRST_OF_TERMS:]
        key = (*values, *price_ids, *quantities)
        terms = self._known.get(key)
        if terms is None:
            terms = self._known[key] = _terms(row)
        return terms


def _terms(row: asyncpg.Record) -> Terms:
    cadence = Cadence(BillingInterval(row["billing_interval"]), row["billing_interval_count"])
    return Terms(
        plan_id=row["plan_id"],
        plan_version=row["plan_version"],
        grid=Grid(cadence, row["anchor"], row["anchor_day"]),
        direction=BillingDirection(row["billing_direction"]),
        items=tuple(map(Item, row["price_ids"], row["quantities"])),
        proration=ProrationBehavior(row["proration"]),
        is_paused=row["is_paused"],
        restarted_by=row["restarted_by"],
    )


async def _stream(context: Context, statement: str, *arguments: Any) -> AsyncIterator[list[AgreedChain]]:
    cursor = await context.connection.cursor(statement, context.company_id, *arguments)
    terms = _TermsOfRows()
    # The rows of a chain may be on both sides of a chunk's end: its last chain waits for the next one.
    kept: list[asyncpg.Record] = []
    while found := await cursor.fetch(CHUNK):
        last_id = found[-1]["id"]
        whole = [row for row in found if row["id"] != last_id]
        if whole or (kept and kept[-1]["id"] != last_id):
            yield list(_chains([*kept, *whole], terms))
            kept = []
        kept += found[len(whole) :]
    if kept:
        yield list(_chains(kept, terms))


def _chains(found: Iterable[asyncpg.Record], terms: _TermsOfRows) -> Iterable[AgreedChain]:
    for _, own in groupby(found, itemgetter("id")):
        rows = list(own)
        first = rows[0]
        # Who has not paid for the first time has nothing yet.
        timeline = (
            ()
            if first["awaits_payment"]
            else timeline_of(
                [TermsFrom(row["effective_on"], terms.of(row)) for row in rows],
                trial_until=first["trial_until"],
                ends_on=first["ends_on"],
            )
        )
        yield AgreedChain(
            id=first["id"],
            customer_id=first["customer_id"],
            currency=first["currency"],
            discount_percent=first["discount_percent"],
            billed_until=first["billed_until"],
            timeline=timeline,
        )
