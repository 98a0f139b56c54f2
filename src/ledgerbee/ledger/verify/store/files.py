"""The rows of attached files of posted entries."""

from collections.abc import AsyncIterator
from typing import Final

import asyncpg

from ledgerbee.platform.context import Context

#: Rows read at a time.
_CHUNK: Final = 500
_ATTACHMENTS: Final = """
SELECT a.entry_id AS id, e.entry_number, a.file_name, a.size, a.hash
FROM journal_attachments a LEFT JOIN journal_entries e ON e.company_id = a.company_id AND e.id = a.entry_id
WHERE a.company_id = $1 ORDER BY a.hash, a.id
"""


async def stream(context: Context) -> AsyncIterator[asyncpg.Record]:
    """Each attachment by content: its entry's `id` and `entry_number`, its `file_name`, `size` and `hash`."""
    cursor = await context.connection.cursor(_ATTACHMENTS, context.company_id)
    while rows := await cursor.fetch(_CHUNK):
        for row in rows:
            yield row
