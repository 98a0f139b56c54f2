"""Rows of answers to e-invoices."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.ids import parse_id
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.model import DocumentKind
from ledgerbee.sales.einvoices.answers.model import Answer, Answered, AnswerKind

_SELECT: Final = f"SELECT {rows.columns(Answer, 'a')} FROM e_invoice_answers a"
#: A number is that of documents of several kinds; an id of a message is that of one.
_CANDIDATES: Final = """
WITH meant AS (
    SELECT 'invoice' AS document_type, i.id, i.number FROM invoices i WHERE i.company_id = $1 AND i.number = $2
    UNION ALL
    SELECT 'credit_note', n.id, n.number FROM credit_notes n WHERE n.company_id = $1 AND n.number = $2
    UNION ALL
    SELECT e.document_type, e.document_id, e.number FROM e_invoices e WHERE e.company_id = $1 AND e.id = $3
)
SELECT d.id AS delivery_id, m.document_type, m.id AS document_id, m.number, e.id AS message_id, e.sender
FROM meant m
JOIN deliveries d ON d.company_id = $1 AND d.document_type = m.document_type AND d.document_id = m.id AND d.is_latest
LEFT JOIN e_invoices e ON e.company_id = $1 AND e.document_type = m.document_type AND e.document_id = m.id
ORDER BY d.id
"""
_OF_DOCUMENT: Final = (
    f"{_SELECT} JOIN deliveries d ON d.company_id = a.company_id AND d.id = a.delivery_id"
    " WHERE a.company_id = $1 AND d.document_type = $2 AND d.document_id = $3 ORDER BY a.received_at, a.id"
)
_SAME: Final = f"{_SELECT} WHERE a.company_id = $1 AND a.sha256 = $2"
_INSERT: Final = (
    f"{rows.insert('e_invoice_answers', Answer)} ON CONFLICT ON CONSTRAINT e_invoice_answers_once DO NOTHING"
    " RETURNING id"
)


async def candidates(context: Context, reference: str) -> list[Answered]:
    """Documents of the company that were handed over, and have this number or this id of their message."""
    try:
        message_id = parse_id(reference)
    except ValueError:
        message_id = None
    found = await context.connection.fetch(_CANDIDATES, context.company_id, reference, message_id)
    return [Answered(**{**row, "document_type": DocumentKind(row["document_type"])}) for row in found]


async def of_document(context: Context, kind: DocumentKind, document_id: UUID) -> Sequence[Answer]:
    """Every answer to a document, in the order in which they came."""
    return [_answer(row) for row in await context.connection.fetch(_OF_DOCUMENT, context.company_id, kind, document_id)]


async def latest_of(context: Context, kind: DocumentKind, document_id: UUID) -> Answer | None:
    """The answer to a document that came last, if there is one."""
    found = await of_document(context, kind, document_id)
    return found[-1] if found else None


async def keep(context: Context, answer: Answer) -> tuple[Answer, bool]:
    """Keep an answer; with False the one that is there already, where the same bytes had come before."""
    if await context.connection.fetchval(_INSERT, context.company_id, *rows.values(answer)) is not None:
        return answer, True
    row = await context.connection.fetchrow(_SAME, context.company_id, answer.sha256)
    assert row is not None
    return _answer(row), False


def _answer(row: asyncpg.Record) -> Answer:
    return Answer(**{**row, "kind": AnswerKind(row["kind"])})
