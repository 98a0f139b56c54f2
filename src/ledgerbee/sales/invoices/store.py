"""Rows of invoices and their lines."""

from collections.abc import Sequence
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.platform.steps import in_steps
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents.model import DocumentLineType, Line
from ledgerbee.sales.invoices.model import INVOICE_NOT_FOUND, FullInvoice, Invoice, InvoiceStatus

_FIELDS: Final = tuple(field.name for field in fields(Invoice))
_COLUMNS: Final = ", ".join(_FIELDS)
_OWN: Final = ", ".join(f"i.{name}" for name in _FIELDS)
_PLACES: Final = ", ".join(f"${number}" for number in range(2, len(_FIELDS) + 2))
_CHANGES: Final = ", ".join(f"{name} = ${number}" for number, name in enumerate(_FIELDS[1:], 3))
_LINE_FIELDS: Final = tuple(field.name for field in fields(Line))
_LINE_COLUMNS: Final = ", ".join(_LINE_FIELDS)
_LINE_TYPES: Final = {
    "id": "uuid", "line_type": "text", "description": "text", "price_id": "uuid", "product_id": "uuid", "unit": "text",
    "quantity": "numeric", "unit_price": "numeric", "unit_price_given": "boolean", "discount_percent": "numeric",
    "discount_given": "boolean", "net": "numeric", "vat": "numeric", "vat_rate": "numeric",
    "account_id": "uuid", "vat_code_id": "uuid",
}  # fmt: skip
_LINE_ARRAYS: Final = ", ".join(f"${number}::{_LINE_TYPES[name]}[]" for number, name in enumerate(_LINE_FIELDS, 3))
#: Lines that are written by one statement.
_LINES_AT_ONCE: Final = 1_000
SORT_COLUMNS: Final = {
    "date": "t.issue_date",
    "number": "t.number_sequence",
    "amount": "t.amount",
    "createdAt": "t.created_at",
}


async def list_page(
    context: Context,
    request: PageRequest,
    *,
    status: InvoiceStatus | None,
    customer_id: UUID | None,
    delivery_status: DeliveryStatus | None = None,
) -> Page[Invoice]:
    """A page of invoices without their lines; `search` is a prefix of the number or the description.

    `delivery_status` is that of an invoice's newest delivery; one that was never sent has none.
    """
    filters = Filter()
    filters.starts_with(request.search, "number_key", "description_key")
    if status is not None:
        filters.add("t.status = {}", status)
    if customer_id is not None:
        filters.add("t.customer_id = {}", customer_id)
    if delivery_status is not None:
        filters.add(
            "t.id IN (SELECT d.document_id FROM deliveries d WHERE d.company_id = $1 AND d.document_type = 'invoice'"
            " AND d.is_latest AND d.status = {})",
            delivery_status,
        )
    page = await fetch_page(
        context,
        table="invoices",
        select=f"SELECT {_OWN} FROM page p JOIN invoices i USING (company_id, id)",
        filters=filters,
        order_by=SORT_COLUMNS,
        request=request,
    )
    return Page([_invoice(row) for row in page.rows], page.total)


async def get(context: Context, invoice_id: UUID, *, for_update: bool = False) -> Invoice:
    """One invoice without its lines, on request locked until the transaction ends. Raises `INVOICE_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM invoices WHERE company_id = $1 AND id = $2{' FOR UPDATE' if for_update else ''}",
        context.company_id,
        invoice_id,
    )
    if row is None:
        raise INVOICE_NOT_FOUND.error()
    return _invoice(row)


async def lines_of(context: Context, invoice_id: UUID) -> tuple[Line, ...]:
    """An invoice's lines in their order."""
    rows = await context.connection.fetch(
        f"SELECT {_LINE_COLUMNS} FROM invoice_lines WHERE company_id = $1 AND invoice_id = $2 ORDER BY position",
        context.company_id,
        invoice_id,
    )
    return tuple([Line(**{**row, "line_type": DocumentLineType(row["line_type"])}) async for row in in_steps(rows)])


async def get_full(context: Context, invoice_id: UUID) -> FullInvoice:
    """One invoice with its lines. Raises `INVOICE_NOT_FOUND`."""
    return FullInvoice(await get(context, invoice_id), await lines_of(context, invoice_id))


async def insert(context: Context, invoice: Invoice, lines: Sequence[Line]) -> None:
    """Add a draft and its lines."""
    await context.connection.execute(
        f"INSERT INTO invoices (company_id, {_COLUMNS}) VALUES ($1, {_PLACES})", context.company_id, *_values(invoice)
    )
    await _insert_lines(context, invoice.id, lines)


async def save(context: Context, invoice: Invoice) -> None:
    """Write an invoice's fields; of a booked one only its state may differ."""
    await context.connection.execute(
        f"UPDATE invoices SET {_CHANGES} WHERE company_id = $1 AND id = $2", context.company_id, *_values(invoice)
    )


async def replace_lines(context: Context, invoice_id: UUID, lines: Sequence[Line]) -> None:
    """Put these lines in place of a draft's."""
    await _delete_lines(context, invoice_id)
    await _insert_lines(context, invoice_id, lines)


async def delete(context: Context, invoice_id: UUID) -> None:
    """Remove a draft and its lines."""
    await _delete_lines(context, invoice_id)
    await context.connection.execute(
        "DELETE FROM invoices WHERE company_id = $1 AND id = $2", context.company_id, invoice_id
    )


async def insert_snapshot(context: Context, invoice_id: UUID, content: dict[str, Any]) -> None:
    """Keep the invoice as it is booked, for ever."""
    await context.connection.execute(
        "INSERT INTO document_snapshots (company_id, document_id, document_type, content, created_at)"
        " VALUES ($1, $2, 'invoice', $3, $4)",
        context.company_id,
        invoice_id,
        content,
        context.now,
    )


async def snapshot(context: Context, invoice_id: UUID) -> dict[str, Any]:
    """A booked invoice as it was when it was booked. Raises `INVOICE_NOT_FOUND`."""
    content: dict[str, Any] | None = await context.connection.fetchval(
        "SELECT content FROM document_snapshots WHERE company_id = $1 AND document_id = $2",
        context.company_id,
        invoice_id,
    )
    if content is None:
        raise INVOICE_NOT_FOUND.error()
    return content


async def _insert_lines(context: Context, invoice_id: UUID, lines: Sequence[Line]) -> None:
    # An array for each column, the position from their order. The driver writes out a statement's values in one go.
    for start in range(0, len(lines), _LINES_AT_ONCE):
        some = lines[start : start + _LINES_AT_ONCE]
        await context.connection.execute(
            f"INSERT INTO invoice_lines (company_id, invoice_id, {_LINE_COLUMNS}, position)"
            f" SELECT $1, $2, {_LINE_COLUMNS}, place + ${len(_LINE_FIELDS) + 3}"
            f" FROM unnest({_LINE_ARRAYS}) WITH ORDINALITY l ({_LINE_COLUMNS}, place)",
            context.company_id,
            invoice_id,
            *([getattr(line, name) for line in some] for name in _LINE_FIELDS),
            start,
        )


async def _delete_lines(context: Context, invoice_id: UUID) -> None:
    await context.connection.execute(
        "DELETE FROM invoice_lines WHERE company_id = $1 AND invoice_id = $2", context.company_id, invoice_id
    )


def _values(invoice: Invoice) -> list[Any]:
    return [getattr(invoice, name) for name in _FIELDS]


def _invoice(row: asyncpg.Record) -> Invoice:
    return Invoice(**{**row, "status": InvoiceStatus(row["status"])})
