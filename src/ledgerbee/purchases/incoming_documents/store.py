"""Rows of incoming documents, and what drafting one asks of the company."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.purchases.incoming_documents.model import (
    INCOMING_DOCUMENT_NOT_FOUND,
    DocumentFormat,
    DocumentType,
    FullIncomingDocument,
    IncomingDocument,
    IncomingDocumentId,
    IncomingStatus,
)
from ledgerbee.purchases.incoming_documents.rules.drafting import Choice
from ledgerbee.purchases.incoming_documents.rules.parties import Known

_COLUMNS: Final = f"{rows.columns(IncomingDocument, 'x')}, d.status AS draft_status, d.journal_entry_id"
_JOIN: Final = "LEFT JOIN draft_journal_entries d ON d.company_id = x.company_id AND d.id = x.draft_journal_entry_id"
_LIST: Final = f"SELECT {_COLUMNS} FROM page p JOIN incoming_documents x USING (company_id, id) {_JOIN}"
_GET: Final = f"SELECT {_COLUMNS} FROM incoming_documents x {_JOIN} WHERE x.company_id = $1 AND x.id = $2"
_OF_CONTENT: Final = f"SELECT {_COLUMNS} FROM incoming_documents x {_JOIN} WHERE x.company_id = $1 AND x.hash = $2"
_LOCK: Final = f"{_GET} FOR UPDATE OF x"
_CONTENT: Final = "SELECT content FROM incoming_documents WHERE company_id = $1 AND id = $2"
_INSERT: Final = rows.insert("incoming_documents", IncomingDocument, "content")
_SET_DRAFTED: Final = """
UPDATE incoming_documents
SET vendor_id = $3, draft_journal_entry_id = $4, drafted_at = $5, updated_at = $6, details = $7
WHERE company_id = $1 AND id = $2
"""
#: One file of a company at a time: of the same file sent twice at once the second finds the first.
_ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('incoming documents of ' || $1, 7))"
_FIRST_LIKE_IT: Final = """
SELECT id FROM incoming_documents
WHERE company_id = $1 AND sender_id = $2 AND document_number = $3 AND document_type = $4 AND id <> $5
ORDER BY created_at, id LIMIT 1
"""
#: Vendors whose number has one of these forms without what people put between digits; their country is looked at later.
_VENDORS: Final = """
SELECT id, vat_number, country_code FROM vendors
WHERE company_id = $1 AND upper(regexp_replace(vat_number, '[^0-9A-Za-z]', '', 'g')) = ANY ($2)
ORDER BY id
"""
_CHOSEN_BEFORE: Final = """
SELECT vendor_id FROM incoming_documents
WHERE company_id = $1 AND sender_id = $2 AND vendor_id IS NOT NULL AND drafted_at IS NOT NULL
ORDER BY drafted_at DESC, id DESC LIMIT 1
"""
#: What lines of the vendor's last documents stand on, those that somebody looked at last first.
_CHOICES: Final = """
WITH last AS (
    SELECT d.id, d.updated_at FROM incoming_documents x
    JOIN draft_journal_entries d ON d.company_id = x.company_id AND d.id = x.draft_journal_entry_id
    WHERE x.company_id = $1 AND x.vendor_id = $2
    ORDER BY x.created_at DESC, x.id DESC LIMIT 20
)
SELECT DISTINCT ON (l.description, l.vat_code_id) l.description, l.account_id, l.vat_code_id, last.updated_at
FROM last JOIN draft_journal_lines l ON l.company_id = $1 AND l.draft_id = last.id
WHERE l.line_type = 'ENTERED'
ORDER BY l.description, l.vat_code_id, last.updated_at DESC, l.line_number LIMIT 10000
"""
_TAKEN_NUMBERS: Final = "SELECT number FROM vendors WHERE company_id = $1 AND number = ANY ($2)"
_DEFAULT_ACCOUNT: Final = "SELECT default_account_id FROM vendors WHERE company_id = $1 AND id = $2"

SORT_COLUMNS: Final = {
    "createdAt": "t.created_at",
    "date": "t.issue_date",
    "number": "t.number_key",
    "senderName": "t.sender_key",
}
_HAS_DRAFT: Final = (
    "EXISTS (SELECT FROM draft_journal_entries d WHERE d.company_id = t.company_id"
    " AND d.id = t.draft_journal_entry_id AND d.status = {})"
)


async def wait_for_turn(context: Context) -> None:
    """Hold the company's turn until the transaction ends."""
    await context.connection.execute(_ONE_AT_A_TIME, str(context.company_id))


async def list_page(
    context: Context,
    request: PageRequest,
    *,
    status: IncomingStatus | None,
    document_type: DocumentType | None,
    vendor_id: UUID | None,
) -> Page[FullIncomingDocument]:
    """A page of documents; `search` is a prefix of the number or the sender's name."""
    filters = Filter()
    filters.starts_with(request.search, "number_key", "sender_key")
    if vendor_id is not None:
        filters.add("t.vendor_id = {}", vendor_id)
    if document_type is not None:
        filters.add("t.document_type = {}", document_type)
    match status:
        case IncomingStatus.RECEIVED:
            filters.conditions.append("t.draft_journal_entry_id IS NULL AND t.drafted_at IS NULL")
        case IncomingStatus.DISCARDED:
            filters.conditions.append("t.draft_journal_entry_id IS NULL AND t.drafted_at IS NOT NULL")
        case IncomingStatus.DRAFTED:
            filters.add(_HAS_DRAFT, "draft")
        case IncomingStatus.BOOKED:
            filters.add(_HAS_DRAFT, "booked")
    page = await fetch_page(
        context, table="incoming_documents", select=_LIST, filters=filters, order_by=SORT_COLUMNS, request=request
    )
    return Page([_full(row) for row in page.rows], page.total)


async def get(context: Context, document_id: IncomingDocumentId) -> FullIncomingDocument:
    """One document. Raises `INCOMING_DOCUMENT_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, document_id)
    return _full(INCOMING_DOCUMENT_NOT_FOUND.unless(row))


async def get_for_update(context: Context, document_id: IncomingDocumentId) -> FullIncomingDocument:
    """One document, locked until the transaction ends. Raises `INCOMING_DOCUMENT_NOT_FOUND`."""
    row = await context.connection.fetchrow(_LOCK, context.company_id, document_id)
    return _full(INCOMING_DOCUMENT_NOT_FOUND.unless(row))


async def get_content(context: Context, document_id: IncomingDocumentId) -> bytes:
    """The file of a document, as it came. Raises `INCOMING_DOCUMENT_NOT_FOUND`."""
    content: bytes | None = await context.connection.fetchval(_CONTENT, context.company_id, document_id)
    return INCOMING_DOCUMENT_NOT_FOUND.unless(content)


async def find_by_content(context: Context, content_hash: bytes) -> FullIncomingDocument | None:
    """The document that came with these very bytes; None where none did."""
    row = await context.connection.fetchrow(_OF_CONTENT, context.company_id, content_hash)
    return None if row is None else _full(row)


async def find_like(context: Context, document: IncomingDocument) -> UUID | None:
    """The first document with the same sender, number and type; None where there is none."""
    found: UUID | None = await context.connection.fetchval(
        _FIRST_LIKE_IT,
        context.company_id,
        document.sender_id,
        document.document_number,
        document.document_type,
        document.id,
    )
    return found


async def insert(context: Context, document: IncomingDocument, content: bytes) -> None:
    await context.connection.execute(_INSERT, context.company_id, content, *rows.values(document))


async def set_drafted(context: Context, document: IncomingDocument) -> None:
    """Write what drafting changes of a document."""
    await context.connection.execute(
        _SET_DRAFTED,
        context.company_id,
        document.id,
        document.vendor_id,
        document.draft_journal_entry_id,
        document.drafted_at,
        document.updated_at,
        document.details,
    )


async def list_vendors(context: Context, numbers: Sequence[str]) -> list[Known]:
    """The vendors that may have one of these numbers, which have their country before them."""
    forms = [form for number in numbers for form in (number, number[2:], f"{number}MVA", f"{number[2:]}MVA")]
    found = await context.connection.fetch(_VENDORS, context.company_id, forms)
    return [Known(**row) for row in found]


async def vendor_chosen_before(context: Context, sender_id: str) -> UUID | None:
    """The vendor of the sender's last document that was drafted; None where there is none."""
    found: UUID | None = await context.connection.fetchval(_CHOSEN_BEFORE, context.company_id, sender_id)
    return found


async def list_choices(context: Context, vendor_id: UUID) -> list[Choice]:
    """What the lines of the vendor's last twenty drafts stand on, newest first."""
    found = await context.connection.fetch(_CHOICES, context.company_id, vendor_id)
    newest_first = sorted(found, key=lambda row: row["updated_at"], reverse=True)
    return [Choice(row["description"], row["account_id"], row["vat_code_id"]) for row in newest_first]


async def default_account(context: Context, vendor_id: UUID) -> UUID | None:
    """The account that a vendor's bills are usually booked on; None where none is."""
    found: UUID | None = await context.connection.fetchval(_DEFAULT_ACCOUNT, context.company_id, vendor_id)
    return found


async def free_vendor_number(context: Context, wanted: str) -> str:
    """The number, or with `-2` and so on where a vendor has it."""
    tried = [wanted, *(f"{wanted}-{copy}" for copy in range(2, 100))]
    found = await context.connection.fetch(_TAKEN_NUMBERS, context.company_id, tried)
    taken = {row["number"] for row in found}
    return next((number for number in tried if number not in taken), wanted)


def _full(row: asyncpg.Record) -> FullIncomingDocument:
    values = dict(row)
    draft_status, journal_entry_id = values.pop("draft_status"), values.pop("journal_entry_id")
    document = IncomingDocument(
        **{
            **values,
            "document_format": DocumentFormat(values["document_format"]),
            "document_type": DocumentType(values["document_type"]),
        }
    )
    return FullIncomingDocument(document, draft_status == "booked", journal_entry_id)
