"""The auditor's look at what is told of the ledger: when entries were posted, and the events that tell of them."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Final

import asyncpg

from ledgerbee.platform.context import Context

#: How far the moments of entries may lie from their order: requests carry the moment at which they came in, and none
#: takes longer. The same bound that the database holds posting to (`application_trust.clock_tolerance`).
TOLERANCE: Final = timedelta(hours=1)

#: Entries that no event tells of: neither their own, nor that of the part of an import they came with. Of entries from
#: before the oldest event that is kept nothing can be said.
_UNTOLD: Final = """
WITH kept AS (
    SELECT min(occurred_at) AS since FROM events WHERE company_id = $1
), imported AS (
    SELECT range_agg(
        int8range((v.data ->> 'firstPosition')::bigint, (v.data ->> 'lastPosition')::bigint, '[]')) AS places
    FROM events v WHERE v.company_id = $1 AND v.type = 'journal_import.posted'
)
SELECT e.id, e.entry_number FROM journal_entries e, kept, imported
WHERE e.company_id = $1 AND e.posted_at >= kept.since
  AND NOT EXISTS (
    SELECT FROM events v WHERE v.company_id = $1 AND v.object_id = e.id AND v.type = 'journal_entry.posted'
      AND v.occurred_at BETWEEN e.posted_at - interval '1 hour' AND e.posted_at + interval '1 hour')
  AND (e.chain_position <@ imported.places) IS NOT TRUE
ORDER BY e.chain_position LIMIT 1
"""
#: What may be corrected of an entry is what its last event says. Events of an import tell of no single entry.
_CORRECTED: Final = """
SELECT e.id, e.entry_number FROM journal_entries e, LATERAL (
    SELECT v.data FROM events v WHERE v.company_id = $1 AND v.object_id = e.id ORDER BY v.sequence DESC LIMIT 1
) v
WHERE e.company_id = $1
  AND (v.data ->> 'reference', v.data ->> 'externalSystemId') IS DISTINCT FROM (e.reference, e.external_system_id)
ORDER BY e.chain_position LIMIT 1
"""
_LOCK_DATE: Final = """
SELECT v.data ->> 'lockedThrough' AS told, g.locked_through::text AS found
FROM ledgers g, LATERAL (
    SELECT v.data FROM events v WHERE v.company_id = $1 AND v.object_id = $1 AND v.type = 'ledger.lock_date_changed'
    ORDER BY v.sequence DESC LIMIT 1
) v
WHERE g.company_id = $1 AND v.data ->> 'lockedThrough' IS DISTINCT FROM g.locked_through::text
"""


def fault_in_moment(entry: asyncpg.Record, latest: datetime | None, now: datetime) -> str | None:
    """What is wrong with the moment of an entry; None for nothing.

    `latest` is the latest moment of the entries before it (None for the first), `now` the moment of the audit.
    """
    if latest is not None and entry["posted_at"] < latest - TOLERANCE:
        return (
            f"it says that it was posted at {entry['posted_at']}, yet it follows an entry that was posted at {latest}"
        )
    if entry["posted_at"] > now + TOLERANCE:
        return f"it says that it was posted at {entry['posted_at']}, which is still to come"
    return None


async def untold(context: Context) -> AsyncIterator[tuple[asyncpg.Record, str]]:
    """The first entry (id and number) that no event tells of, and the first corrected without one: what is wrong."""
    for query, what in (
        (_UNTOLD, "no event tells of it"),
        (_CORRECTED, "no event tells of its reference or external system id"),
    ):
        if (entry := await context.connection.fetchrow(query, context.company_id)) is not None:
            yield entry, what


async def fault_in_lock_date(context: Context) -> str | None:
    """The lock date is the one that was told last, where any was; what is wrong with it, None for nothing."""
    wrong = await context.connection.fetchrow(_LOCK_DATE, context.company_id)
    if wrong is None:
        return None
    return f"the books are locked through {wrong['found'] or 'no day'}; the last event says {wrong['told'] or 'no day'}"
