"""Prepayment invoices as those that deduct them see them: what they charged, and who deducts them."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.model import DocumentLineType, Line
from ledgerbee.sales.invoices.model import INVOICE_NOT_FOUND, Booked, DeductionLine, Invoice, InvoiceStatus, Prepayment

_LOCKED: Final = f"""
SELECT {rows.columns(Invoice)} FROM invoices WHERE company_id = $1 AND id = ANY($2) ORDER BY id FOR UPDATE
"""
_LINES: Final = f"""
SELECT invoice_id, {rows.columns(DeductionLine)} FROM invoice_lines
WHERE company_id = $1 AND invoice_id = ANY($2) ORDER BY invoice_id, position
"""
_CREDITED: Final = """
SELECT l.invoice_line_id, sum(l.net) AS net, bool_or(n.status = 'draft') AS is_pending
FROM credit_notes n JOIN credit_note_lines l ON l.company_id = n.company_id AND l.credit_note_id = n.id
WHERE n.company_id = $1 AND n.invoice_id = ANY($2) AND n.status <> 'cancelled' AND l.invoice_line_id IS NOT NULL
GROUP BY 1
"""
#: What of a prepayment invoice in a foreign currency is on the account of prepayments, as booked, less what credit
#: notes took off it.
_BOOKED: Final = """
SELECT p.id, l.account_id, l.vat_code_id, l.vat_rate, abs(sum(l.base_amount)) AS base_net
FROM invoices p
JOIN companies c ON c.company_id = p.company_id AND c.base_currency <> p.currency
JOIN journal_lines l ON l.company_id = p.company_id AND l.line_type = 'ENTERED' AND l.entry_id IN (
    SELECT p.journal_entry_id UNION ALL SELECT n.journal_entry_id FROM credit_notes n
    WHERE n.company_id = $1 AND n.invoice_id = p.id AND n.journal_entry_id IS NOT NULL)
WHERE p.company_id = $1 AND p.id = ANY($2) GROUP BY 1, 2, 3, 4
"""
_LINK: Final = """
UPDATE invoices SET deducted_by_invoice_id = CASE WHEN id = ANY($3) THEN $2::uuid END
WHERE company_id = $1 AND (deducted_by_invoice_id = $2 OR id = ANY($3))
"""


async def get_for_update(context: Context, invoice_ids: Sequence[UUID]) -> list[Prepayment]:
    """Invoices that are to be deducted, locked until the transaction ends, in the order asked for.

    Raises `INVOICE_NOT_FOUND`.
    """
    of_company = context.company_id
    locked = {
        row["id"]: _invoice(dict(row)) for row in await context.connection.fetch(_LOCKED, of_company, invoice_ids)
    }
    for one in invoice_ids:
        if one not in locked:
            raise INVOICE_NOT_FOUND.missing("prepaymentInvoiceIds", "invoiceId", one)
    lines: dict[UUID, list[Line]] = {one: [] for one in locked}
    for row in await context.connection.fetch(_LINES, of_company, invoice_ids):
        values = dict(row)
        lines[values.pop("invoice_id")].append(
            DeductionLine(**{**values, "line_type": DocumentLineType(values["line_type"])})
        )
    taken = await context.connection.fetch(_CREDITED, of_company, invoice_ids)
    credited = {row["invoice_line_id"]: row["net"] for row in taken}
    pending = {row["invoice_line_id"] for row in taken if row["is_pending"]}
    return [
        Prepayment(locked[one], lines[one], credited, any(line.id in pending for line in lines[one]))
        for one in invoice_ids
    ]


async def booked_of(context: Context, invoice_ids: Sequence[UUID]) -> Mapping[Booked, Decimal]:
    """What is left of prepayment invoices in a foreign currency, in the company's. None of those in its own."""
    found = await context.connection.fetch(_BOOKED, context.company_id, invoice_ids)
    return {Booked(row["id"], row["account_id"], row["vat_code_id"], row["vat_rate"]): row["base_net"] for row in found}


async def link(context: Context, invoice_id: UUID, prepayment_ids: Collection[UUID]) -> None:
    """Write which prepayment invoices an invoice deducts: these, and no others."""
    await context.connection.execute(_LINK, context.company_id, invoice_id, list(prepayment_ids))


def _invoice(row: Mapping[str, Any]) -> Invoice:
    return Invoice(**{**row, "status": InvoiceStatus(row["status"])})
