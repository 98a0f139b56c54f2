"""Rows of deferred revenue."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.chart.journal_categories import store as journal_categories
from ledgerbee.chart.journal_categories.model import JournalType
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.deferrals.model import (
    Deferral,
    DeferralCredit,
    DeferralFilter,
    DeferralStanding,
    DeferralTotals,
    HeldDeferral,
    OutstandingMonth,
    Recognition,
    RecognitionBooks,
)

_INSERT: Final = rows.insert_many("revenue_deferrals", Deferral)
_INSERT_RECOGNITIONS: Final = rows.insert_many("revenue_recognitions", Recognition)
_INSERT_CREDITS: Final = rows.insert_many("revenue_deferral_credits", DeferralCredit)
#: What moves of a deferral, by its line.
_MOVE: Final = """
UPDATE revenue_deferrals d
SET amount_left = r.amount_left, base_amount_left = r.base_amount_left, next_month = r.next_month
FROM unnest($2::uuid[], $3::numeric[], $4::numeric[], $5::date[]) r (id, amount_left, base_amount_left, next_month)
WHERE d.company_id = $1 AND d.invoice_line_id = r.id
"""
_MOVED: Final = ("invoice_line_id", "amount_left", "base_amount_left", "next_month")
_OF_INVOICE: Final = f"""
SELECT {rows.columns(Deferral, "d")}, i.currency
FROM revenue_deferrals d JOIN invoices i ON i.company_id = $1 AND i.id = d.invoice_id
WHERE d.company_id = $1 AND d.invoice_id = $2
ORDER BY d.invoice_line_id FOR UPDATE OF d
"""
#: Read after their deferrals are locked: nobody adds to them any more.
_CREDITS: Final = f"""
SELECT {rows.columns(DeferralCredit)} FROM revenue_deferral_credits WHERE company_id = $1 AND invoice_line_id = ANY($2)
ORDER BY invoice_line_id, credit_note_id, first_day, last_day
"""
#: Deferrals of which a month is due, the first so many by their line.
_DUE: Final = f"""
SELECT {rows.columns(Deferral, "d")}, i.currency
FROM revenue_deferrals d JOIN invoices i ON i.company_id = $1 AND i.id = d.invoice_id
WHERE d.company_id = $1 AND d.next_month = $2
ORDER BY d.invoice_line_id LIMIT $3 FOR UPDATE OF d
"""
_FIRST_DUE: Final = """
SELECT min(next_month) FROM revenue_deferrals
WHERE company_id = $1 AND next_month > coalesce($2, '-infinity'::date) AND next_month <= $3
"""
_BOOKS: Final = f"""
SELECT co.base_currency, co.preferred_language AS language, ({journal_categories.FOR_TYPE}) AS journal_category_id
FROM companies co WHERE co.company_id = $1
"""
#: Where deferrals of invoices up to a day ($2) stand at its end, by the days of entries.
_STANDING: Final = """
WITH standing AS (
    SELECT d.invoice_line_id, d.invoice_id, i.number AS invoice_number, i.customer_id, i.issue_date, d.period_start,
           d.period_end, i.currency, d.amount, d.amount - r.amount - c.amount AS amount_left,
           d.base_amount AS deferred, r.base_amount AS recognized, c.base_amount AS credited,
           d.base_amount - r.base_amount - c.base_amount AS "left"
    FROM revenue_deferrals d JOIN invoices i ON i.company_id = $1 AND i.id = d.invoice_id AND i.issue_date <= $2
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(x.amount), 0) AS amount, coalesce(sum(x.base_amount), 0) AS base_amount
        FROM revenue_recognitions x
        LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = x.journal_entry_id
        WHERE x.company_id = $1 AND x.invoice_line_id = d.invoice_line_id
          AND coalesce(e.entry_date, (x.month + interval '1 month - 1 day')::date) <= $2
    ) r
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(x.amount), 0) AS amount, coalesce(sum(x.base_amount), 0) AS base_amount
        FROM revenue_deferral_credits x
        JOIN credit_notes n ON n.company_id = $1 AND n.id = x.credit_note_id AND n.issue_date <= $2
        WHERE x.company_id = $1 AND x.invoice_line_id = d.invoice_line_id
    ) c
    WHERE d.company_id = $1 AND ($3::uuid IS NULL OR d.invoice_id = $3) AND ($4::uuid IS NULL OR i.customer_id = $4)
), listed AS (
    SELECT * FROM standing s WHERE $5 OR s.amount_left <> 0 OR s."left" <> 0
)
"""
_PAGE: Final = f"{_STANDING} SELECT * FROM listed ORDER BY issue_date, invoice_line_id LIMIT $6 OFFSET $7"
_TOTALS: Final = f"""{_STANDING}
SELECT count(*) AS deferrals, coalesce(sum(deferred), 0) AS deferred, coalesce(sum(recognized), 0) AS recognized,
       coalesce(sum(credited), 0) AS credited, coalesce(sum("left"), 0) AS "left", (
    SELECT coalesce(-sum(l.base_amount), 0) FROM journal_lines l
    WHERE l.company_id = $1 AND l.entry_date <= $2 AND l.account_id IN (
        SELECT d.account_id FROM revenue_deferrals d WHERE d.company_id = $1
        UNION SELECT a.id FROM accounts a WHERE a.company_id = $1 AND a.role = 'DEFERRED_REVENUE')
) AS account_balance
FROM listed
"""
_OUTSTANDING: Final = """
SELECT next_month AS month, count(*) AS deferrals FROM revenue_deferrals
WHERE company_id = $1 AND next_month < date_trunc('month', $2::date) GROUP BY next_month ORDER BY next_month
"""


async def insert(context: Context, deferrals: Sequence[Deferral]) -> None:
    """Add what invoices defer, at least one: one statement."""
    await context.connection.execute(_INSERT, context.company_id, *rows.column_values(deferrals))


async def list_of_invoice_for_update(context: Context, invoice_id: UUID) -> list[HeldDeferral]:
    """What an invoice defers, locked until the transaction ends."""
    return await _held(context, await context.connection.fetch(_OF_INVOICE, context.company_id, invoice_id))


async def list_due_for_update(context: Context, month: date, limit: int) -> list[HeldDeferral]:
    """The first deferrals, by their line, of which that month is recognised next, locked."""
    return await _held(context, await context.connection.fetch(_DUE, context.company_id, month, limit))


async def _held(context: Context, found: Sequence[asyncpg.Record]) -> list[HeldDeferral]:
    """Deferrals that are locked, with what was credited of them."""
    if not found:
        return []
    line_ids = [row["invoice_line_id"] for row in found]
    credited: dict[UUID, list[DeferralCredit]] = defaultdict(list)
    for row in await context.connection.fetch(_CREDITS, context.company_id, line_ids):
        credited[row["invoice_line_id"]].append(DeferralCredit(**row))
    held = []
    for row in found:
        values = dict(row)
        currency: str = values.pop("currency")
        deferral = Deferral(**values)
        held.append(HeldDeferral(deferral, currency, tuple(credited[deferral.invoice_line_id])))
    return held


async def first_due(context: Context, after: date | None, through: date) -> date | None:
    """The first month after one (None: any), and up to another, that is recognised next of any deferral."""
    found: date | None = await context.connection.fetchval(_FIRST_DUE, context.company_id, after, through)
    return found


async def write_recognized(
    context: Context, deferrals: Sequence[Deferral], recognitions: Sequence[Recognition]
) -> None:
    """Write what was recognised of deferrals, and what is left of them."""
    await context.connection.execute(_INSERT_RECOGNITIONS, context.company_id, *rows.column_values(recognitions))
    await _move(context, deferrals)


async def write_credited(context: Context, deferrals: Sequence[Deferral], taken: Sequence[DeferralCredit]) -> None:
    """Write what a credit note takes off deferrals, and what is left of them."""
    await context.connection.execute(_INSERT_CREDITS, context.company_id, *rows.column_values(taken))
    await _move(context, deferrals)


async def _move(context: Context, deferrals: Sequence[Deferral]) -> None:
    columns: list[list[Any]] = [[getattr(one, name) for one in deferrals] for name in _MOVED]
    await context.connection.execute(_MOVE, context.company_id, *columns)


async def get_books(context: Context) -> RecognitionBooks:
    """What recognised revenue is booked by."""
    row = await context.connection.fetchrow(_BOOKS, context.company_id, JournalType.JOURNAL_ENTRY, list(JournalType))
    assert row is not None
    return RecognitionBooks(**row)


async def list_standing(context: Context, chosen: DeferralFilter, limit: int, offset: int) -> list[DeferralStanding]:
    """A page of deferrals, by the day of their invoice, as they stand at the end of a day."""
    found = await context.connection.fetch(_PAGE, context.company_id, *rows.values(chosen), limit, offset)
    return [DeferralStanding(**row) for row in found]


async def get_totals(context: Context, chosen: DeferralFilter) -> DeferralTotals:
    """Their sums, and the balance of the accounts of deferred revenue of the company at the end of the day."""
    row = await context.connection.fetchrow(_TOTALS, context.company_id, *rows.values(chosen))
    assert row is not None
    return DeferralTotals(**row)


async def list_outstanding(context: Context) -> list[OutstandingMonth]:
    """The months that have ended and aren't recognised."""
    found = await context.connection.fetch(_OUTSTANDING, context.company_id, context.today)
    return [OutstandingMonth(**row) for row in found]
