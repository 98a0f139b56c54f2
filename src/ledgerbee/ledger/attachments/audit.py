"""The auditor's look at attached files: each posted one is in the blob store, as it was."""

import hashlib
from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import Context

#: Rows read at a time.
_CHUNK: Final = 500
_POSTED: Final = """
SELECT a.entry_id AS id, e.entry_number, a.file_name, a.size, a.hash
FROM journal_attachments a LEFT JOIN journal_entries e ON e.company_id = a.company_id AND e.id = a.entry_id
WHERE a.company_id = $1 ORDER BY a.hash, a.id
"""


async def look_through(context: Context, blobs: BlobStore) -> AsyncIterator[tuple[asyncpg.Record, str | None]]:
    """Each posted attachment of the company: its entry's `id` and `entry_number`, and what is wrong (None: nothing).

    A content is read once, however often it is attached, and one at a time. Raises `ATTACHMENT_STORE_UNAVAILABLE`.
    """
    last, fault = b"", None
    cursor = await context.connection.cursor(_POSTED, context.company_id)
    while rows := await cursor.fetch(_CHUNK):
        for row in rows:
            if row["hash"] != last:
                last, fault = row["hash"], await _fault(context.company_id, row["hash"], row["size"], blobs)
            yield row, fault and f"its attachment {row['file_name']!r} {fault}"


async def _fault(company_id: UUID, content_hash: bytes, size: int, blobs: BlobStore) -> str | None:
    content = await blobs.get(company_id, content_hash)
    if content is None:
        return "is missing in the store"
    if len(content) != size or hashlib.sha256(content).digest() != content_hash:
        return "is not what was attached: its content differs from its hash"
    return None
