"""What the events say of the ledger: entries that were posted and corrected, and the lock date."""

from typing import Final

from ledgerbee.ledger.verify.model import Fault
from ledgerbee.platform.context import Context

#: Entries that no event records: neither their own, nor that of the part of an import they came with. Of entries from
#: before the oldest event that is kept nothing can be said.
_ENTRY_WITHOUT_EVENT: Final = """
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
#: What may be corrected of an entry is what its last event says. Events of an import name no single entry.
_ENTRY_UNLIKE_EVENT: Final = """
SELECT e.id, e.entry_number FROM journal_entries e, LATERAL (
    SELECT v.data FROM events v WHERE v.company_id = $1 AND v.object_id = e.id ORDER BY v.sequence DESC LIMIT 1
) v
WHERE e.company_id = $1
  AND (v.data ->> 'reference', v.data ->> 'externalSystemId') IS DISTINCT FROM (e.reference, e.external_system_id)
ORDER BY e.chain_position LIMIT 1
"""
_LOCK_DATE: Final = """
SELECT v.data ->> 'lockedThrough' AS in_event, g.locked_through::text AS in_ledger
FROM ledgers g, LATERAL (
    SELECT v.data FROM events v WHERE v.company_id = $1 AND v.object_id = $1 AND v.type = 'ledger.lock_date_changed'
    ORDER BY v.sequence DESC LIMIT 1
) v
WHERE g.company_id = $1 AND v.data ->> 'lockedThrough' IS DISTINCT FROM g.locked_through::text
"""


async def fault_in_posting(context: Context) -> Fault | None:
    """Each entry has an event of its posting."""
    entry = await context.connection.fetchrow(_ENTRY_WITHOUT_EVENT, context.company_id)
    return None if entry is None else Fault.of_entry(entry, "no event tells of it")


async def fault_in_correction(context: Context) -> Fault | None:
    """The reference and the external system id of each entry are those of its last event."""
    entry = await context.connection.fetchrow(_ENTRY_UNLIKE_EVENT, context.company_id)
    return None if entry is None else Fault.of_entry(entry, "no event tells of its reference or external system id")


async def fault_in_lock_date(context: Context) -> Fault | None:
    """The lock date is that of its last event, where there is one."""
    wrong = await context.connection.fetchrow(_LOCK_DATE, context.company_id)
    if wrong is None:
        return None
    in_ledger, in_event = wrong["in_ledger"] or "no day", wrong["in_event"] or "no day"
    return Fault(f"the books are locked through {in_ledger}; the last event says {in_event}")
