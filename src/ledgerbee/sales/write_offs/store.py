"""Rows of write-offs, and what booking one asks of the books."""

from typing import Final

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.journal_categories.model import JournalType
from ledgerbee.core.fields import fields_of
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.store.books import get_books
from ledgerbee.sales.invoices import store as invoices
from ledgerbee.sales.invoices.model import Invoice, InvoiceId
from ledgerbee.sales.write_offs.model import ChargedVat, WriteOff, WriteOffSources

_SELECT: Final = f"SELECT {rows.columns(WriteOff)} FROM write_offs WHERE company_id = $1 AND invoice_id = $2"
_STANDING: Final = f"{_SELECT} AND reversed_at IS NULL FOR UPDATE"
_OF_INVOICE: Final = f"{_SELECT} ORDER BY created_at, id"
_INSERT: Final = rows.insert("write_offs", WriteOff)
_SET_REVERSED: Final = (
    "UPDATE write_offs SET reversed_at = $3, reversal_entry_id = $4 WHERE company_id = $1 AND id = $2"
)
#: What the invoice's entry and those of its sent credit notes have of VAT; credits are owed.
_CHARGED: Final = """
SELECT l.account_id, l.vat_code_id, l.vat_rate, -sum(l.amount) AS amount, -sum(l.base_amount) AS base_amount
FROM journal_lines l
WHERE l.company_id = $1 AND l.line_type = 'VAT' AND l.entry_id IN (
    SELECT i.journal_entry_id FROM invoices i WHERE i.company_id = $1 AND i.id = $2
    UNION ALL
    SELECT n.journal_entry_id FROM credit_notes n
    WHERE n.company_id = $1 AND n.invoice_id = $2 AND n.journal_entry_id IS NOT NULL)
GROUP BY l.account_id, l.vat_code_id, l.vat_rate ORDER BY min(l.line_number)
"""


async def get_sources(context: Context, invoice: Invoice) -> WriteOffSources:
    """What an invoice, which is locked, is written off by."""
    books = await get_books(context, invoice.customer_id, JournalType.JOURNAL_ENTRY)
    charged = await context.connection.fetch(_CHARGED, context.company_id, invoice.id)
    return WriteOffSources(
        **fields_of(books),
        settled=await invoices.get_settled(context, invoice.id),
        charged=[ChargedVat(**row) for row in charged],
        accounts_by_role=await accounts.get_by_role(context),
    )


async def insert(context: Context, write_off: WriteOff) -> None:
    await context.connection.execute(_INSERT, context.company_id, *rows.values(write_off))


async def get_standing(context: Context, invoice_id: InvoiceId) -> WriteOff | None:
    """The write-off of an invoice that was not taken back, locked until the transaction ends."""
    row = await context.connection.fetchrow(_STANDING, context.company_id, invoice_id)
    return None if row is None else WriteOff(**row)


async def set_reversed(context: Context, write_off: WriteOff) -> None:
    """Write when a write-off was taken back, and by which entry."""
    await context.connection.execute(
        _SET_REVERSED, context.company_id, write_off.id, write_off.reversed_at, write_off.reversal_entry_id
    )


async def list_of_invoice(context: Context, invoice_id: InvoiceId) -> list[WriteOff]:
    """The write-offs of an invoice, those taken back too, in the order in which they were made."""
    found = await context.connection.fetch(_OF_INVOICE, context.company_id, invoice_id)
    return [WriteOff(**row) for row in found]
