"""Posted entries with their lines and what is attached to them, as they stand."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.ledger.verify.model import Fault, LedgerState
from ledgerbee.platform.context import Context

#: Entries, with their lines, or attachments read at a time.
CHUNK: Final = 500

_LEDGER: Final = (
    "SELECT base_currency, chain_position, head_hash, converted_by_line_from FROM ledgers WHERE company_id = $1"
)
# All columns: a new one of entries or lines is read without a change here.
_ENTRIES: Final = "SELECT * FROM journal_entries WHERE company_id = $1 ORDER BY chain_position"
_LINES: Final = """
SELECT l.*, a.number AS account_number, a.ledger_type, a.control_account_type,
       a.control_account_type IS NOT NULL AS is_control, v.contra_account_id IS NOT NULL AS is_reverse_charge
FROM journal_lines l LEFT JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id
LEFT JOIN vat_codes v ON v.company_id = l.company_id AND v.id = l.vat_code_id
WHERE l.company_id = $1 AND l.entry_id = ANY ($2) ORDER BY l.entry_id, l.line_number
"""
_ATTACHMENT_HASHES: Final = """
SELECT entry_id, hash FROM journal_attachments WHERE company_id = $1 AND entry_id = ANY ($2) ORDER BY entry_id, position
"""
_ATTACHMENTS: Final = """
SELECT a.entry_id AS id, e.entry_number, a.file_name, a.size, a.hash
FROM journal_attachments a LEFT JOIN journal_entries e ON e.company_id = a.company_id AND e.id = a.entry_id
WHERE a.company_id = $1 ORDER BY a.hash, a.id
"""
_COUNT_LINES: Final = "SELECT count(*) FROM journal_lines WHERE company_id = $1"
_LINE_WITHOUT_ENTRY: Final = """
SELECT l.entry_id FROM journal_lines l WHERE l.company_id = $1
  AND NOT EXISTS (SELECT FROM journal_entries e WHERE e.company_id = l.company_id AND e.id = l.entry_id)
ORDER BY l.entry_id LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class EntryRows:
    """The row of an entry, those of its lines by number, and the hashes of its attachments in their order."""

    entry: asyncpg.Record
    lines: list[asyncpg.Record] = field(default_factory=list)
    attachment_hashes: list[bytes] = field(default_factory=list)


async def find_ledger(context: Context) -> LedgerState | None:
    """The company's ledger; None where it has none."""
    row = await context.connection.fetchrow(_LEDGER, context.company_id)
    return None if row is None else LedgerState(**row)


async def stream(context: Context) -> AsyncIterator[Sequence[EntryRows]]:
    """All entries in the order of the chain, in chunks: memory stays the same however long the books are."""
    cursor = await context.connection.cursor(_ENTRIES, context.company_id)
    while entries := await cursor.fetch(CHUNK):
        found: dict[UUID, EntryRows] = {entry["id"]: EntryRows(entry) for entry in entries}
        for line in await context.connection.fetch(_LINES, context.company_id, list(found)):
            found[line["entry_id"]].lines.append(line)
        for row in await context.connection.fetch(_ATTACHMENT_HASHES, context.company_id, list(found)):
            found[row["entry_id"]].attachment_hashes.append(row["hash"])
        yield list(found.values())


async def stream_attachments(context: Context) -> AsyncIterator[asyncpg.Record]:
    """Each attachment by content: its entry's `id` and `entry_number`, its `file_name`, `size` and `hash`."""
    cursor = await context.connection.cursor(_ATTACHMENTS, context.company_id)
    while rows := await cursor.fetch(CHUNK):
        for row in rows:
            yield row


async def count_lines(context: Context) -> int:
    return int(await context.connection.fetchval(_COUNT_LINES, context.company_id))


async def fault_in_lines_without_entry(context: Context, count: int) -> Fault:
    """The fault of `count` lines that belong to no entry."""
    entry_id = await context.connection.fetchval(_LINE_WITHOUT_ENTRY, context.company_id)
    return Fault(f"{count} lines belong to no entry, the first to {entry_id}")
