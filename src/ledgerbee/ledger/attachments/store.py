"""Attachments of entries and drafts in the database. Their content is in the blob store.

Rows are written under a lease of their blobs, inside `platform.attachments.actions.staged`.
"""

from collections.abc import Sequence
from typing import Final, Literal
from uuid import UUID

import asyncpg

from ledgerbee.core.ids import new_id
from ledgerbee.ledger.attachments.model import ATTACHMENT_NOT_FOUND, Attachment
from ledgerbee.ledger.uploads.model import NewAttachment
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE
from ledgerbee.platform.context import Context

#: SQLSTATE of sql/0010_attachments.sql: the blob is no longer sure to be there.
_NO_LEASE: Final = "LB421"

_Table = Literal["journal_attachments", "draft_attachments"]
_OWNER: Final[dict[_Table, str]] = {"journal_attachments": "entry_id", "draft_attachments": "draft_id"}
_COLUMNS: Final = "id, file_name, content_type, size, hash, created_at"


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


async def count_by_entry(context: Context, entry_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many files are attached to each of the entries that have any."""
    return await _count(context, "journal_attachments", entry_ids)


async def count_by_draft(context: Context, draft_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many files are attached to each of the drafts that have any."""
    return await _count(context, "draft_attachments", draft_ids)


async def get_of_entry(context: Context, entry_id: UUID, attachment_id: UUID) -> Attachment:
    """One attachment of an entry. Raises `ATTACHMENT_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM journal_attachments WHERE company_id = $1 AND entry_id = $2 AND id = $3",
        context.company_id,
        entry_id,
        attachment_id,
    )
    if row is None:
        raise ATTACHMENT_NOT_FOUND.error()
    return Attachment(**row)


async def move_to_entry(context: Context, draft_id: UUID, entry_id: UUID) -> None:
    """Attach what a draft has to the entry that this transaction has posted from it."""
    moved = [
        NewAttachment(row["id"], row["file_name"], row["content_type"], row["size"], row["hash"])
        for row in await _remove(context, [draft_id])
    ]
    await insert_for_entries(context, [(entry_id, moved)])


async def delete_for_drafts(context: Context, draft_ids: Sequence[UUID]) -> None:
    """Take everything off drafts. What is attached nowhere else leaves the blob store an hour later."""
    await _remove(context, draft_ids)


async def _insert(context: Context, table: _Table, attached: Sequence[tuple[UUID, Sequence[NewAttachment]]]) -> None:
    rows = [(owner, place, file) for owner, files in attached for place, file in enumerate(files, 1)]
    if not rows:
        return
    try:
        await context.connection.execute(
            f"INSERT INTO {table} (company_id, created_at, {_OWNER[table]}, position, id, file_name, content_type,"
            " size, hash) SELECT $1, $2, a.* FROM unnest($3::uuid[], $4::int[], $5::uuid[], $6::text[], $7::text[],"
            " $8::int[], $9::bytea[]) AS a",
            context.company_id,
            context.now,
            [owner for owner, _, _ in rows],
            [place for _, place, _ in rows],
            [file.id for _, _, file in rows],
            [file.file_name for _, _, file in rows],
            [file.content_type for _, _, file in rows],
            [file.size for _, _, file in rows],
            [file.hash for _, _, file in rows],
        )
    except asyncpg.PostgresError as fault:
        if fault.sqlstate == _NO_LEASE:  # the request took longer than any does
            raise ATTACHMENT_STORE_UNAVAILABLE.error() from fault
        raise


async def _list(context: Context, table: _Table, owner_id: UUID) -> list[Attachment]:
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM {table} WHERE company_id = $1 AND {_OWNER[table]} = $2 ORDER BY position",
        context.company_id,
        owner_id,
    )
    return [Attachment(**row) for row in rows]


async def _count(context: Context, table: _Table, owner_ids: Sequence[UUID]) -> dict[UUID, int]:
    owner = _OWNER[table]
    rows = await context.connection.fetch(
        f"SELECT {owner}, count(*) FROM {table} WHERE company_id = $1 AND {owner} = ANY ($2) GROUP BY {owner}",
        context.company_id,
        owner_ids,
    )
    return {row[owner]: row["count"] for row in rows}


async def _remove(context: Context, draft_ids: Sequence[UUID]) -> list[asyncpg.Record]:
    """The removed rows. Their blobs stay under a lease, which whoever releases old ones looks at."""
    return await context.connection.fetch(
        "WITH removed AS ("
        " DELETE FROM draft_attachments WHERE company_id = $1 AND draft_id = ANY ($2)"
        " RETURNING id, position, file_name, content_type, size, hash"
        "), kept AS ("
        " INSERT INTO blob_leases (company_id, hash, lease_id, created_at) SELECT DISTINCT $1::uuid, hash, $3::uuid,"
        " $4::timestamptz FROM removed"
        ") SELECT id, file_name, content_type, size, hash FROM removed ORDER BY position",
        context.company_id,
        draft_ids,
        new_id(),
        context.now,
    )
