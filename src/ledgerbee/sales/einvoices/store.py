"""Rows of e-invoices that are sent."""

from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.model import EInvoice

_OF_DOCUMENT: Final = (
    f"SELECT {rows.columns(EInvoice)} FROM e_invoices WHERE company_id = $1 AND document_type = $2 AND document_id = $3"
)
_INSERT: Final = f"{rows.insert('e_invoices', EInvoice)} ON CONFLICT ON CONSTRAINT e_invoices_document DO NOTHING"


async def of_document(context: Context, document_type: DocumentKind, document_id: UUID) -> EInvoice | None:
    """The e-invoice of a document, if one was ever made to be sent."""
    row = await context.connection.fetchrow(_OF_DOCUMENT, context.company_id, document_type, document_id)
    return _e_invoice(row) if row else None


async def keep(context: Context, e_invoice: EInvoice) -> EInvoice:
    """Keep an e-invoice that is to be sent: of a document the first that was kept is the one, and the answer."""
    await context.connection.execute(_INSERT, context.company_id, *rows.values(e_invoice))
    kept = await of_document(context, e_invoice.document_type, e_invoice.document_id)
    assert kept is not None
    return kept


def _e_invoice(row: asyncpg.Record) -> EInvoice:
    return EInvoice(
        **{**row, "document_type": DocumentKind(row["document_type"]), "format": EInvoiceFormat(row["format"])}
    )
