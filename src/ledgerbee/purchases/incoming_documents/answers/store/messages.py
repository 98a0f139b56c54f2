"""Rows of messages that brought e-invoices."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.purchases.incoming_documents.model.messages import IncomingMessage, MlsType, StatusOmitted

_SELECT: Final = f"SELECT {rows.columns(IncomingMessage)} FROM incoming_messages WHERE company_id = $1"
_FIND: Final = f"{_SELECT} AND message_id = $2"
_GET: Final = f"{_SELECT} AND id = $2"
_OF_DOCUMENTS: Final = f"{_SELECT} AND document_id = ANY ($2) ORDER BY document_id, created_at, id"
_INSERT: Final = rows.insert("incoming_messages", IncomingMessage)


async def find(context: Context, message_id: str) -> IncomingMessage | None:
    """The message of this id of its envelope; None where none came."""
    row = await context.connection.fetchrow(_FIND, context.company_id, message_id)
    return None if row is None else _message(row)


async def get(context: Context, message_row_id: UUID) -> IncomingMessage:
    """A message that is there, by the id of its row."""
    row = await context.connection.fetchrow(_GET, context.company_id, message_row_id)
    assert row is not None, "a status refers to its message"
    return _message(row)


async def of_documents(context: Context, document_ids: Sequence[UUID]) -> list[IncomingMessage]:
    """The messages that brought these documents, by document, oldest first."""
    found = await context.connection.fetch(_OF_DOCUMENTS, context.company_id, document_ids)
    return [_message(row) for row in found]


async def insert(context: Context, message: IncomingMessage) -> None:
    await context.connection.execute(_INSERT, context.company_id, *rows.values(message))


def _message(row: asyncpg.Record) -> IncomingMessage:
    omitted = row["omitted"]
    return IncomingMessage(
        **{
            **row,
            "mls_type": MlsType(row["mls_type"]),
            "omitted": None if omitted is None else StatusOmitted(omitted),
        }
    )
