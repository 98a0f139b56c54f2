"""Rows of charges."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.billing.charges.model import Charge, ChargeKind
from ledgerbee.billing.timelines.model import Span
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """A charge as its table has it."""

    id: UUID
    subscription_id: UUID
    price_id: UUID
    kind: ChargeKind
    period_start: date
    period_end: date
    part: int
    change_id: UUID | None
    service_start: date
    service_end: date
    quantity: Decimal
    period_amount: Decimal
    discount_percent: Decimal
    net: Decimal
    events: int
    carried: Decimal
    credits_charge_id: UUID | None
    waits: bool
    invoice_id: UUID | None
    invoice_line_id: UUID | None
    credit_note_id: UUID | None
    credit_note_net: Decimal
    created_at: datetime


_INSERT: Final = rows.insert_many("subscription_charges", _Row)
_UPDATE: Final = """
UPDATE subscription_charges c SET net = r.net, waits = r.waits, invoice_id = r.invoice_id,
    invoice_line_id = r.invoice_line_id,
    credit_note_id = r.credit_note_id, credit_note_net = r.credit_note_net
FROM unnest($2::uuid[], $3::boolean[], $4::uuid[], $5::uuid[], $6::uuid[], $7::numeric[], $8::numeric[])
    r (id, waits, invoice_id, invoice_line_id, credit_note_id, credit_note_net, net)
WHERE c.company_id = $1 AND c.id = r.id
"""
#: Charges that may still be credited or billed, what waiting credits take back with all that shares its line and its
#: credits, those that came once, and those that are named.
_OPEN: Final = f"""
WITH waiting AS (
    SELECT d.id, d.invoice_line_id FROM subscription_charges w
    JOIN subscription_charges d ON d.company_id = $1 AND d.id = w.credits_charge_id
    WHERE w.company_id = $1 AND w.subscription_id = ANY($2) AND w.waits
), taken_back AS (
    SELECT id FROM waiting UNION
    SELECT s.id FROM waiting w JOIN subscription_charges s ON s.company_id = $1 AND s.subscription_id = ANY($2)
        AND s.invoice_line_id = w.invoice_line_id
)
SELECT {rows.columns(_Row, "c")} FROM subscription_charges c
WHERE c.company_id = $1 AND c.subscription_id = ANY($2)
  AND (c.waits OR c.kind = 'one_time' OR c.service_end > $3
       OR c.id IN (SELECT id FROM taken_back) OR c.credits_charge_id IN (SELECT id FROM taken_back)
       OR (c.kind IN ('usage', 'usage_difference') AND EXISTS (
           SELECT FROM unnest($4::uuid[], $5::uuid[], $6::date[]) l (subscription_id, price_id, day)
           WHERE l.subscription_id = c.subscription_id AND l.price_id = c.price_id
             AND l.day < c.service_end)))
ORDER BY c.subscription_id, c.created_at, c.id
"""
#: What credit notes took off invoice lines, but for our own, which are credits among the charges; null for lines of
#: invoices that were given up.
_CREDITED: Final = """
SELECT l.invoice_line_id, -sum(l.net) AS by_others
FROM credit_note_lines l
JOIN credit_notes n ON n.company_id = $1 AND n.id = l.credit_note_id AND n.status <> 'cancelled'
WHERE l.company_id = $1 AND l.invoice_line_id = ANY($2) AND NOT EXISTS (
    SELECT FROM subscription_charges own WHERE own.company_id = $1 AND own.credit_note_id = n.id)
GROUP BY l.invoice_line_id
UNION ALL
SELECT l.id, NULL FROM invoice_lines l
JOIN invoices i ON i.company_id = $1 AND i.id = l.invoice_id AND i.status = 'uncollectible'
WHERE l.company_id = $1 AND l.id = ANY($2)
"""
_PAGE: Final = f"SELECT {rows.columns(_Row, 'c')} FROM page p JOIN subscription_charges c USING (company_id, id)"
_SORT_COLUMNS: Final = {"createdAt": "t.created_at"}


async def list_page(context: Context, subscription_id: UUID, request: PageRequest) -> Page[Charge]:
    """A page of a subscription's charges."""
    filters = Filter()
    filters.add("t.subscription_id = {}", subscription_id)
    page = await fetch_page(
        context, table="subscription_charges", select=_PAGE, filters=filters, order_by=_SORT_COLUMNS, request=request
    )
    return Page([_charge(row) for row in page.rows], page.total)


async def open_charges(
    context: Context,
    subscription_ids: Collection[UUID],
    since: date,
    late: Sequence[tuple[UUID, UUID, date]],
) -> dict[UUID, list[Charge]]:
    """Charges of subscriptions that a change on `since` or later may credit, that wait, that came once, and usage of
    the days in `late` (subscription, price, day) and after them; by subscription, in the order in which they were
    made."""
    columns = [list(column) for column in zip(*late, strict=True)] if late else [[], [], []]
    found = await context.connection.fetch(_OPEN, context.company_id, list(subscription_ids), since, *columns)
    by_subscription: dict[UUID, list[Charge]] = {subscription_id: [] for subscription_id in subscription_ids}
    for row in found:
        by_subscription[row["subscription_id"]].append(_charge(row))
    return by_subscription


async def taken_by_others(context: Context, charges: Collection[Charge]) -> tuple[dict[UUID, Decimal], frozenset[UUID]]:
    """What credit notes of others took off the invoice lines of charges, by the line: positive; and the lines of
    invoices that are uncollectible."""
    line_ids = {one.invoice_line_id for one in charges if one.invoice_line_id is not None and not one.is_credit}
    if not line_ids:
        return {}, frozenset()
    found = await context.connection.fetch(_CREDITED, context.company_id, list(line_ids))
    by_line = [(row["invoice_line_id"], row["by_others"]) for row in found]
    by_notes = {line_id: amount for line_id, amount in by_line if amount is not None}
    return by_notes, frozenset(line_id for line_id, amount in by_line if amount is None)


async def save(context: Context, new: Sequence[Charge], billed: Sequence[Charge]) -> None:
    """Add charges, and write where those stand that were added before. Raises a unique violation for a second charge of
    the same period."""
    if new:
        await context.connection.execute(
            _INSERT, context.company_id, *rows.column_values([_row(charge, context.now) for charge in new])
        )
    if billed:
        await context.connection.execute(
            _UPDATE,
            context.company_id,
            [charge.id for charge in billed],
            [charge.waits for charge in billed],
            [charge.invoice_id for charge in billed],
            [charge.invoice_line_id for charge in billed],
            [charge.credit_note_id for charge in billed],
            [charge.credit_note_net for charge in billed],
            [charge.net for charge in billed],
        )


def _row(charge: Charge, now: datetime) -> _Row:
    return _Row(
        id=charge.id,
        subscription_id=charge.subscription_id,
        price_id=charge.price_id,
        kind=charge.kind,
        period_start=charge.period.start,
        period_end=charge.period.end,
        part=charge.part,
        change_id=charge.change_id,
        service_start=charge.service.start,
        service_end=charge.service.end,
        quantity=charge.quantity,
        period_amount=charge.period_amount,
        discount_percent=charge.discount_percent,
        net=charge.net,
        events=charge.events,
        carried=charge.carried,
        credits_charge_id=charge.credits_charge_id,
        waits=charge.waits,
        invoice_id=charge.invoice_id,
        invoice_line_id=charge.invoice_line_id,
        credit_note_id=charge.credit_note_id,
        credit_note_net=charge.credit_note_net,
        created_at=now,
    )


def _charge(row: asyncpg.Record) -> Charge:
    return Charge(
        id=row["id"],
        subscription_id=row["subscription_id"],
        price_id=row["price_id"],
        kind=ChargeKind(row["kind"]),
        period=Span(row["period_start"], row["period_end"]),
        service=Span(row["service_start"], row["service_end"]),
        quantity=row["quantity"],
        period_amount=row["period_amount"],
        discount_percent=row["discount_percent"],
        net=row["net"],
        part=row["part"],
        change_id=row["change_id"],
        credits_charge_id=row["credits_charge_id"],
        events=row["events"],
        carried=row["carried"],
        waits=row["waits"],
        invoice_id=row["invoice_id"],
        invoice_line_id=row["invoice_line_id"],
        credit_note_id=row["credit_note_id"],
        credit_note_net=row["credit_note_net"],
    )
