"""What invoicing asks of invoices."""

from collections import defaultdict
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.billing.charges.model import BookedAs
from ledgerbee.billing.subscriptions.invoicing.model import CreditSource, InvoiceLeft, LineBooking
from ledgerbee.billing.timelines.model import Span
from ledgerbee.platform.context import Context
from ledgerbee.sales.invoices.model import INVOICE_NOT_FOUND


class InvoiceRef(NamedTuple):
    """An invoice, its number and whom it is for."""

    id: UUID
    number: str
    customer_id: UUID


#: What notes may still take of invoices; of one that is given up or deducted, nothing.
_LEFT: Final = """
SELECT i.id, i.number, i.customer_id, i.exchange_rate,
       CASE WHEN i.status IN ('draft', 'cancelled', 'uncollectible') THEN 0 ELSE i.subtotal + coalesce((
           SELECT sum(n.subtotal) FROM credit_notes n
           WHERE n.company_id = $1 AND n.invoice_id = i.id AND n.status <> 'cancelled'), 0) END AS left_of_it
FROM invoices i WHERE i.company_id = $1 AND i.id = ANY($2)
"""
#: What is left of the lines of subscriptions, those that take something back included.
_LINES_LEFT: Final = """
SELECT l.invoice_id, l.id, l.subscription_id, l.account_id, l.vat_code_id, l.vat_rate, l.net + coalesce((
           SELECT sum(k.net) FROM credit_note_lines k
           JOIN credit_notes n ON n.company_id = $1 AND n.id = k.credit_note_id AND n.status <> 'cancelled'
           WHERE k.company_id = $1 AND k.invoice_line_id = l.id), 0) AS left_of_it
FROM invoice_lines l WHERE l.company_id = $1 AND l.invoice_id = ANY($2) AND l.subscription_id IS NOT NULL
    AND l.line_type = 'product'
"""
_SOURCES: Final = """
SELECT c.invoice_id, c.invoice_line_id AS negative_line_id, c.service_start, c.service_end,
       d.invoice_id AS source_id, d.invoice_line_id
FROM subscription_charges c JOIN subscription_charges d ON d.company_id = $1 AND d.id = c.credits_charge_id
WHERE c.company_id = $1 AND c.invoice_id = ANY($2) AND d.invoice_line_id IS NOT NULL AND d.invoice_id <> c.invoice_id
ORDER BY d.created_at DESC, d.id DESC
"""
#: What lines of subscriptions are for, and what notes took of them, by days.
_DAYS: Final = """
SELECT l.invoice_id, l.id, d.net, d.service_period_start AS first, d.service_period_end AS last
FROM invoice_lines l CROSS JOIN LATERAL (
    SELECT l.net, l.service_period_start, l.service_period_end
    UNION ALL
    SELECT k.net, k.service_period_start, k.service_period_end FROM credit_note_lines k
    JOIN credit_notes n ON n.company_id = $1 AND n.id = k.credit_note_id AND n.status <> 'cancelled'
    WHERE k.company_id = $1 AND k.invoice_line_id = l.id) d
WHERE l.company_id = $1 AND l.invoice_id = ANY($2) AND l.subscription_id IS NOT NULL
    AND l.line_type = 'product' AND d.service_period_start IS NOT NULL
"""
_BILLED_AS: Final = """
SELECT l.id, i.customer_id, i.customer_department_id, l.account_id, l.vat_code_id, l.vat_rate
FROM invoice_lines l JOIN invoices i ON i.company_id = $1 AND i.id = l.invoice_id
WHERE l.company_id = $1 AND l.id = ANY($2)
"""
_REF: Final = "SELECT id, number, customer_id FROM invoices WHERE company_id = $1 AND id = $2"
_LAST_PAID: Final = """
SELECT i.id, i.number, i.customer_id FROM invoices i
WHERE i.company_id = $1 AND i.status = 'paid' AND i.amount > 0 AND EXISTS (
    SELECT FROM subscription_charges c
    WHERE c.company_id = $1 AND c.subscription_id = $2 AND c.invoice_id = i.id)
ORDER BY i.number_sequence DESC LIMIT 1
"""
_IS_SHARED: Final = """
SELECT EXISTS (SELECT FROM subscription_charges c
    WHERE c.company_id = $1 AND c.invoice_id = $2 AND c.subscription_id <> $3)
"""


async def lefts(context: Context, invoice_ids: Collection[UUID]) -> dict[UUID, InvoiceLeft]:
    """What credit notes may still take of invoices, and of those behind their negative lines, by id."""
    found: dict[UUID, InvoiceLeft] = {}
    wanted = set(invoice_ids)
    while wanted:
        arguments = context.company_id, list(wanted)
        lines: dict[UUID, dict[UUID, Decimal]] = defaultdict(dict)
        bookings: dict[UUID, dict[UUID, LineBooking]] = defaultdict(dict)
        for row in await context.connection.fetch(_LINES_LEFT, *arguments):
            lines[row["invoice_id"]][row["id"]] = row["left_of_it"]
            bookings[row["invoice_id"]][row["id"]] = LineBooking(
                row["subscription_id"], row["account_id"], row["vat_code_id"], row["vat_rate"]
            )
        sources: dict[UUID, list[CreditSource]] = defaultdict(list)
        for row in await context.connection.fetch(_SOURCES, *arguments):
            source = CreditSource(
                row["negative_line_id"],
                Span(row["service_start"], row["service_end"]),
                row["source_id"],
                row["invoice_line_id"],
            )
            sources[row["invoice_id"]].append(source)
        days: dict[UUID, dict[UUID, list[tuple[Span, Decimal]]]] = defaultdict(lambda: defaultdict(list))
        for row in await context.connection.fetch(_DAYS, *arguments) if sources else ():
            span = Span(row["first"], row["last"] + timedelta(days=1))
            days[row["invoice_id"]][row["id"]].append((span, row["net"]))
        for row in await context.connection.fetch(_LEFT, *arguments):
            invoice_id = row["id"]
            found[invoice_id] = InvoiceLeft(
                row["number"],
                row["customer_id"],
                row["exchange_rate"],
                row["left_of_it"],
                lines[invoice_id],
                bookings[invoice_id],
                tuple(sources[invoice_id]),
                days[invoice_id],
            )
        wanted = {one.invoice_id for own in sources.values() for one in own} - found.keys()
    return found


async def billed_as(context: Context, line_ids: Collection[UUID]) -> dict[UUID, BookedAs]:
    """Whom lines of invoices billed, and how they were booked, by their ids."""
    found = await context.connection.fetch(_BILLED_AS, context.company_id, list(line_ids))
    return {row["id"]: BookedAs(*list(row.values())[1:]) for row in found}


async def find_last_paid(context: Context, subscription_id: UUID) -> InvoiceRef | None:
    """The newest invoice of status `paid` above 0.00 that a subscription is on."""
    row = await context.connection.fetchrow(_LAST_PAID, context.company_id, subscription_id)
    return None if row is None else InvoiceRef(*row)


async def get_ref(context: Context, invoice_id: UUID) -> InvoiceRef:
    """An invoice that was issued, by its id. Raises `INVOICE_NOT_FOUND`."""
    row = await context.connection.fetchrow(_REF, context.company_id, invoice_id)
    return InvoiceRef(**INVOICE_NOT_FOUND.unless(row))


async def lines_of(context: Context, subscription_id: UUID, invoice_id: UUID) -> list[UUID] | None:
    """The invoice's lines that are of the subscription, as far as anything is left of them; None where all are."""
    if not await context.connection.fetchval(_IS_SHARED, context.company_id, invoice_id, subscription_id):
        return None
    found = await context.connection.fetch(_LINES_LEFT, context.company_id, [invoice_id])
    return [row["id"] for row in found if row["subscription_id"] == subscription_id and row["left_of_it"]]
