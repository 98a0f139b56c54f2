"""Rows of customers' credit: where it comes from, and what was used of it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.payments.customer_credit.model import (
    CreditBalance,
    CreditBooking,
    CreditPart,
    CreditSource,
    CreditSourceType,
    CreditUse,
)
from ledgerbee.payments.customer_payments.store import PAID_TO_REFUND
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices.store import SETTLED_IN_BASE

#: Invoices of the customer ($2) that more settles than they are: in the words of the index `invoices_with_excess`.
_WITH_EXCESS: Final = """
i.company_id = $1 AND i.customer_id = $2 AND i.amount_paid + i.credited_amount + i.applied_credit > i.amount
    AND i.journal_entry_id IS NOT NULL
"""
#: Credit notes of the customer ($2) that are of no invoice, in the books.
_FREE_NOTES: Final = """
n.company_id = $1 AND n.customer_id = $2 AND n.invoice_id IS NULL AND n.status IN ('scheduled', 'sending', 'sent')
    AND n.amount < 0
"""
_SOURCES: Final = f"""
WITH sources AS (
    SELECT 'invoice' AS source_type, i.id, i.number, i.number_sequence, i.issue_date, greatest(
               i.issue_date,
               (SELECT max(p.paid_on) FROM payments p
                WHERE p.company_id = $1 AND p.invoice_id = i.id AND p.reversed_at IS NULL),
               (SELECT max(n.issue_date) FROM credit_notes n
                WHERE n.company_id = $1 AND n.invoice_id = i.id AND n.journal_entry_id IS NOT NULL)) AS since,
           i.currency,
           i.amount_paid + i.credited_amount + i.applied_credit - i.amount AS amount,
           ({SETTLED_IN_BASE.format(invoice="i.id")}) - i.base_amount AS base_amount,
           i.receivable_account_id, u.used, u.base_used,
           least(({PAID_TO_REFUND}),
                 i.amount_paid + i.credited_amount + i.applied_credit - i.amount - u.used) AS reserved
    FROM invoices i CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount), 0) AS used, coalesce(sum(p.base_amount), 0) AS base_used
        FROM credit_use_parts p WHERE p.company_id = $1 AND p.source_invoice_id = i.id
    ) u
    WHERE {_WITH_EXCESS}
    UNION ALL
    SELECT 'credit_note', n.id, n.number, n.number_sequence, n.issue_date, n.issue_date, n.currency, -n.amount,
           -n.base_amount, n.receivable_account_id, u.used, u.base_used, 0::numeric
    FROM credit_notes n CROSS JOIN LATERAL (
        SELECT coalesce(sum(p.amount), 0) AS used, coalesce(sum(p.base_amount), 0) AS base_used
        FROM credit_use_parts p WHERE p.company_id = $1 AND p.credit_note_id = n.id
    ) u
    WHERE {_FREE_NOTES}
)
"""
#: The sources that have something that nobody used, in the currency $3 if one is given; the oldest first.
_LEFT: Final = f"""
{_SOURCES}
SELECT s.source_type, s.id, s.number, s.issue_date, s.since, s.currency, s.amount, s.base_amount, s.used, s.base_used,
       s.reserved, s.receivable_account_id,
       ARRAY(SELECT n.number FROM credit_notes n
             WHERE n.company_id = $1 AND n.invoice_id = s.id AND n.status IN ('scheduled', 'sending', 'sent')
             ORDER BY n.number_sequence) AS credit_notes
FROM sources s
WHERE s.amount > s.used AND ($3::text IS NULL OR s.currency = $3)
ORDER BY s.issue_date, s.source_type, s.number_sequence
"""
_BALANCES: Final = f"""
{_SOURCES}
SELECT s.currency, sum(s.amount) AS amount, sum(s.reserved) AS reserved,
       coalesce((SELECT sum(u.amount) FROM credit_uses u WHERE u.company_id = $1 AND u.customer_id = $2
                 AND u.currency = s.currency AND u.invoice_id IS NOT NULL), 0) AS applied,
       coalesce((SELECT sum(u.amount) FROM credit_uses u WHERE u.company_id = $1 AND u.customer_id = $2
                 AND u.currency = s.currency AND u.invoice_id IS NULL), 0) AS refunded
FROM sources s GROUP BY s.currency ORDER BY s.currency
"""
_LOCK: Final = f"SELECT FROM invoices i WHERE {_WITH_EXCESS} ORDER BY i.id FOR UPDATE"


@dataclass(frozen=True, slots=True)
class _PartRow:
    """A row of `credit_use_parts`."""

    use_id: UUID
    position: int
    source_invoice_id: UUID | None
    credit_note_id: UUID | None
    amount: Decimal
    base_amount: Decimal


_INSERT: Final = rows.insert("credit_uses", CreditUse)
_INSERT_PARTS: Final = rows.insert_many("credit_use_parts", _PartRow)


async def list_sources(context: Context, customer_id: UUID, currency: str | None = None) -> list[CreditSource]:
    """The sources of a customer's credit that have something that nobody used, the oldest first; of all currencies
    unless given. Refunds of charges may be about to take it.
    """
    found = await context.connection.fetch(_LEFT, context.company_id, customer_id, currency)
    return [CreditSource(**{**row, "source_type": CreditSourceType(row["source_type"])}) for row in found]


async def lock_sources(context: Context, customer_id: UUID) -> None:
    """Keep what a customer's credit comes from as it is until the transaction ends. The customer is locked before."""
    await context.connection.fetch(_LOCK, context.company_id, customer_id)


async def list_balances(context: Context, customer_id: UUID) -> list[CreditBalance]:
    """A customer's credit in each currency that it ever had some in."""
    found = await context.connection.fetch(_BALANCES, context.company_id, customer_id)
    return [CreditBalance(**row) for row in found]


async def insert(context: Context, booking: CreditBooking) -> None:
    """Write a use of credit and what it takes of each source."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(booking.use))
    parts = [_part_row(booking.use, position, part) for position, part in enumerate(booking.parts, 1)]
    await context.connection.execute(_INSERT_PARTS, context.company_id, *rows.column_values(parts))


def _part_row(use: CreditUse, position: int, part: CreditPart) -> _PartRow:
    source = part.source
    is_invoice = source.source_type is CreditSourceType.INVOICE
    return _PartRow(
        use.id,
        position,
        source.id if is_invoice else None,
        None if is_invoice else source.id,
        part.amount,
        part.base_amount,
    )
