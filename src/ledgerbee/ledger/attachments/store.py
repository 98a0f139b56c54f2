"""Rows of what is attached to entries and drafts. The content is in the blob store.

Rows are written under a lease of their blobs, inside `ledger.uploads.actions.staged`.
"""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import asyncpg

from ledgerbee.core.ids import new_id
from ledgerbee.ledger.attachments.model import ATTACHMENT_NOT_FOUND, Attachment
from ledgerbee.ledger.uploads.model import AttachmentId, NewAttachment
from ledgerbee.platform import rows
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE
from ledgerbee.platform.context import Context

_Table = Literal["journal_attachments", "draft_attachments"]
#: The column of a table that names what its rows are attached to.
_OWNER: Final[dict[_Table, str]] = {"journal_attachments": "entry_id", "draft_attachments": "draft_id"}

_FILE: Final = rows.columns(NewAttachment)
_GET_OF_ENTRY: Final = (
    f"SELECT {rows.columns(Attachment)} FROM journal_attachments WHERE company_id = $1 AND entry_id = $2 AND id = $3"
)
_LIST: Final = {
    table: f"SELECT {rows.columns(Attachment)} FROM {table} WHERE company_id = $1 AND {owner} = $2 ORDER BY position"
    for table, owner in _OWNER.items()
}
_INSERT: Final = {
    table: f"INSERT INTO {table} (company_id, created_at, {owner}, position, {_FILE}) SELECT $1, $2, a.* FROM"
    " unnest($3::uuid[], $4::int[], $5::uuid[], $6::text[], $7::text[], $8::int[], $9::bytea[]) AS a"
    for table, owner in _OWNER.items()
}
_DELETE_FOR_DRAFTS: Final = f"""
WITH removed AS (
    DELETE FROM draft_attachments WHERE company_id = $1 AND draft_id = ANY ($2) RETURNING {_FILE}, position
), leased AS (
    INSERT INTO blob_leases (company_id, hash, lease_id, created_at)
    SELECT DISTINCT $1::uuid, hash, $3::uuid, $4::timestamptz FROM removed
)
SELECT {_FILE} FROM removed ORDER BY position
"""
#: SQLSTATE of sql/0010_attachments.sql: a blob has no lease, so it may be removed at any time.
_NO_LEASE: Final = "LB421"


async def insert_for_entries(context: Context, attached: Sequence[tuple[UUID, Sequence[NewAttachment]]]) -> None:
    """Attach files to entries that this transaction has posted, for good."""
    await _insert(context, "journal_attachments", attached)


async def insert_for_drafts(context: Context, attached: Sequence[tuple[UUID, Sequence[NewAttachment]]]) -> None:
    """Attach files to drafts that have none."""
    await _insert(context, "draft_attachments", attached)


async def list_for_entry(context: Context, entry_id: UUID) -> list[Attachment]:
    """What is attached to an entry, in its order; nothing for an entry that is not there."""
    return await _list(context, "journal_attachments", entry_id)


async def list_for_draft(context: Context, draft_id: UUID) -> list[Attachment]:
    """What is attached to a draft, in its order; nothing for a draft that is not there."""
    return await _list(context, "draft_attachments", draft_id)


async def get_of_entry(context: Context, entry_id: UUID, attachment_id: AttachmentId) -> Attachment:
    """One attachment of an entry. Raises `ATTACHMENT_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET_OF_ENTRY, context.company_id, entry_id, attachment_id)
    return Attachment(**ATTACHMENT_NOT_FOUND.unless(row))


async def move_to_entry(context: Context, draft_id: UUID, entry_id: UUID) -> None:
    """Attach what a draft has to the entry that this transaction has posted from it."""
    await insert_for_entries(context, [(entry_id, await _delete(context, [draft_id]))])


async def delete_for_drafts(context: Context, draft_ids: Sequence[UUID]) -> None:
    """Take everything off drafts. What is attached nowhere else leaves the blob store an hour later."""
    await _delete(context, draft_ids)


async def _insert(context: Context, table: _Table, attached: Sequence[tuple[UUID, Sequence[NewAttachment]]]) -> None:
    found = [(owner, place, *rows.values(file)) for owner, files in attached for place, file in enumerate(files, 1)]
    if not found:
        return
    try:
        await context.connection.execute(
            _INSERT[table], context.company_id, context.now, *map(list, zip(*found, strict=True))
        )
    except asyncpg.PostgresError as fault:
        if fault.sqlstate == _NO_LEASE:  # the request took longer than any does
            raise ATTACHMENT_STORE_UNAVAILABLE.error() from fault
        raise


async def _list(context: Context, table: _Table, owner_id: UUID) -> list[Attachment]:
    found = await context.connection.fetch(_LIST[table], context.company_id, owner_id)
    return [Attachment(**row) for row in found]


async def _delete(context: Context, draft_ids: Sequence[UUID]) -> list[NewAttachment]:
    """What was taken off. Its blobs stay under a lease, which `release_stale` looks at."""
    found = await context.connection.fetch(_DELETE_FOR_DRAFTS, context.company_id, draft_ids, new_id(), context.now)
    return [NewAttachment(**row) for row in found]
