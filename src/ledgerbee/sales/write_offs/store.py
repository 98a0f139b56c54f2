"""Rows of write-offs, and what booking one asks of the books."""

from typing import Final

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.chart.journal_categories.model import JournalType
from ledgerbee.core.fields import fields_of
from ledgerbee.ledger.entries.model import LineType
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.store.books import get_books
from ledgerbee.sales.invoices import store as invoices
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import Invoice, InvoiceId
from ledgerbee.sales.sending.model import BookedLeft, BookedOn
from ledgerbee.sales.write_offs.model import Charged, WriteOff, WriteOffSources

_SELECT: Final = f"SELECT {rows.columns(WriteOff)} FROM write_offs WHERE company_id = $1 AND invoice_id = $2"
_STANDING: Final = f"{_SELECT} AND reversed_at IS NULL FOR UPDATE"
_OF_INVOICE: Final = f"{_SELECT} ORDER BY created_at, id"
_INSERT: Final = rows.insert("write_offs", WriteOff)
_SET_REVERSED: Final = (
    "UPDATE write_offs SET reversed_at = $3, reversal_entry_id = $4 WHERE company_id = $1 AND id = $2"
)
#: Whether what a prepayment invoice received ahead is still that: no booked invoice deducts it.
_IS_AHEAD: Final = """
SELECT i.is_prepayment AND NOT EXISTS (
    SELECT FROM invoices f
    WHERE f.company_id = $1 AND f.id = i.deducted_by_invoice_id AND f.status NOT IN ('draft', 'cancelled'))
FROM invoices i WHERE i.company_id = $1 AND i.id = $2
"""


async def get_sources(context: Context, invoice: Invoice) -> WriteOffSources:
    """What an invoice, which is locked, is written off by."""
    books = await get_books(context, invoice.customer_id, JournalType.JOURNAL_ENTRY)
    left = await invoices.get_left(context, invoice.id)
    lines = await documents.lines_of(context, INVOICES, invoice.id)
    is_ahead = await context.connection.fetchval(_IS_AHEAD, context.company_id, invoice.id)
    received_on = {line.account_id for line in lines} if is_ahead else set()
    return WriteOffSources(
        **fields_of(books),
        settled=await invoices.get_settled(context, invoice.id),
        charged=[_charged(on, of) for on, of in left.items() if on.line_type is LineType.VAT],
        prepaid=[
            _charged(on, of)
            for on, of in left.items()
            if on.line_type is LineType.ENTERED and on.account_id in received_on
        ],
        accounts_by_role=await accounts.get_by_role(context),
    )


def _charged(on: BookedOn, of: BookedLeft) -> Charged:
    return Charged(on.account_id, on.vat_code_id, on.vat_rate, of.amount, of.base_amount)


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
