"""Rows of invoices that are open at the end of a day.

What was open then is what is open now, and what was settled since. So the invoices to look at are those that are open,
found by their status, and those that something was booked on after that day.
"""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.paging import PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices.rules import PAYABLE
from ledgerbee.sales.open_invoices.model import AgeBand, BandSum, OpenFilter, OpenInvoice
from ledgerbee.sales.open_invoices.rules import BAND_ENDS

_PAYABLE: Final = ", ".join(f"'{status}'" for status in sorted(PAYABLE))
#: What was settled on invoices after the day ($2), by what is booked on which day; what was taken back after it, and
#: what went back of charges, was settled then: it counts negative.
_SINCE: Final = """
SELECT s.invoice_id, sum(s.amount) AS amount FROM (
    SELECT p.invoice_id, p.amount FROM payments p
    WHERE p.company_id = $1 AND p.reversed_at IS NULL AND p.paid_on > $2
    UNION ALL
    SELECT p.invoice_id, -p.amount FROM payments p
    JOIN journal_entries e ON e.company_id = $1 AND e.id = p.reversal_entry_id
    WHERE p.company_id = $1 AND p.reversed_at IS NOT NULL AND p.paid_on <= $2 AND e.entry_date > $2
    UNION ALL
    SELECT n.invoice_id, -n.amount FROM credit_notes n
    WHERE n.company_id = $1 AND n.invoice_id IS NOT NULL AND n.journal_entry_id IS NOT NULL AND n.issue_date > $2
    UNION ALL
    SELECT u.invoice_id, u.amount FROM credit_uses u
    WHERE u.company_id = $1 AND u.invoice_id IS NOT NULL AND u.used_on > $2
    UNION ALL
    SELECT w.invoice_id, w.amount FROM write_offs w
    WHERE w.company_id = $1 AND w.reversed_at IS NULL AND w.written_off_on > $2
    UNION ALL
    SELECT w.invoice_id, -w.amount FROM write_offs w
    JOIN journal_entries e ON e.company_id = $1 AND e.id = w.reversal_entry_id
    WHERE w.company_id = $1 AND w.reversed_at IS NOT NULL AND w.written_off_on <= $2 AND e.entry_date > $2
    UNION ALL
    SELECT r.invoice_id, -r.settled_amount FROM charge_returns r WHERE r.company_id = $1 AND r.returned_on > $2
) s GROUP BY s.invoice_id
"""
_OPEN: Final = f"""
WITH since AS MATERIALIZED ({_SINCE}), standing AS MATERIALIZED (
    SELECT i.id, i.number, i.number_sequence, i.customer_id, i.issue_date, i.due_date, i.currency, i.amount,
           i.amount - i.amount_paid - i.credited_amount - i.applied_credit - i.written_off_amount
               + coalesce(s.amount, 0) AS open_amount
    FROM (
        SELECT i.id FROM invoices i WHERE i.company_id = $1 AND i.status IN ({_PAYABLE})
        UNION SELECT s.invoice_id FROM since s
    ) c
    JOIN invoices i ON i.company_id = $1 AND i.id = c.id
    LEFT JOIN since s ON s.invoice_id = c.id
    WHERE i.issue_date <= $2 AND ($3::int IS NULL OR i.due_date <= $2::date - $3::int)
        AND ($4::uuid IS NULL OR i.customer_id = $4) AND i.journal_entry_id IS NOT NULL
), open AS (SELECT * FROM standing WHERE open_amount > 0)
"""
_PAGE: Final = f"""
{_OPEN}
SELECT o.id, o.number, o.customer_id, c.number AS customer_number, c.name AS customer_name, o.issue_date, o.due_date,
       o.currency, o.amount, o.open_amount
FROM (SELECT * FROM open ORDER BY due_date, number_sequence LIMIT $5 OFFSET $6) o
JOIN customers c ON c.company_id = $1 AND c.id = o.customer_id
ORDER BY o.due_date, o.number_sequence
"""
_BANDS: Final = " ".join(f"WHEN $2::date - o.due_date <= {end} THEN '{band}'" for end, band in BAND_ENDS)
_SUMS: Final = f"""
{_OPEN}
SELECT {{customer}} AS customer_id, o.currency, CASE {_BANDS} ELSE '{AgeBand.DAYS_91_AND_MORE}' END AS band,
       count(*) AS invoices, sum(o.open_amount) AS open_amount
FROM open o {{where}} GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
_SUMS_OF_ALL: Final = _SUMS.format(customer="NULL::uuid", where="")
_SUMS_OF_CUSTOMERS: Final = _SUMS.format(customer="o.customer_id", where="WHERE o.customer_id = ANY ($5)")


def _arguments(context: Context, chosen: OpenFilter) -> tuple[Any, ...]:
    return context.company_id, chosen.as_of, chosen.min_days, chosen.customer_id


async def list_page(context: Context, chosen: OpenFilter, asked: PageRequest) -> list[OpenInvoice]:
    """A page of open invoices, the oldest day of payment first, then by number."""
    found = await context.connection.fetch(_PAGE, *_arguments(context, chosen), asked.limit, asked.offset)
    return [OpenInvoice(**row) for row in found]


async def list_sums(context: Context, chosen: OpenFilter) -> list[BandSum]:
    """The sums of all open invoices, by currency and band."""
    return [_sum(row) for row in await context.connection.fetch(_SUMS_OF_ALL, *_arguments(context, chosen))]


async def list_customer_sums(context: Context, chosen: OpenFilter, customer_ids: Sequence[UUID]) -> list[BandSum]:
    """The sums of the open invoices of these customers, by customer, currency and band."""
    found = await context.connection.fetch(_SUMS_OF_CUSTOMERS, *_arguments(context, chosen), customer_ids)
    return [_sum(row) for row in found]


def _sum(row: asyncpg.Record) -> BandSum:
    return BandSum(**{**row, "band": AgeBand(row["band"])})
