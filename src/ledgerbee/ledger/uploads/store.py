"""Leases of blobs: who is at work on which. Whether something is attached is asked of the view `attached_blobs`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context

#: Separates these advisory locks from those of other purposes.
_LOCK: Final = 3


async def lock(context: Context, hashes: Sequence[bytes]) -> None:
    """Hold the blobs until this transaction ends: nobody else leases or removes them. In one order, for everybody."""
    await context.connection.execute(
        "SELECT pg_advisory_xact_lock(hashtextextended($1 || '/' || encode(hash, 'hex'), $2))"
        " FROM unnest($3::bytea[]) AS hash",
        str(context.company_id),
        _LOCK,
        sorted(hashes),
    )


async def lease(context: Context, lease_id: UUID, hashes: Sequence[bytes]) -> None:
    """Note that the blobs have to stay for now."""
    await context.connection.execute(
        "INSERT INTO blob_leases (company_id, hash, lease_id, created_at)"
        " SELECT $1, hash, $2, $3 FROM unnest($4::bytea[]) AS hash",
        context.company_id,
        lease_id,
        context.now,
        hashes,
    )


async def release(context: Context, lease_id: UUID, hashes: Sequence[bytes]) -> list[bytes]:
    """Give up the lease of these blobs; those that nothing holds any more: neither an attachment nor a lease."""
    await context.connection.execute(
        "DELETE FROM blob_leases WHERE company_id = $1 AND lease_id = $2 AND hash = ANY ($3)",
        context.company_id,
        lease_id,
        hashes,
    )
    rows = await context.connection.fetch(
        "SELECT hash FROM unnest($2::bytea[]) AS hash"
        " WHERE NOT EXISTS (SELECT FROM attached_blobs a WHERE a.company_id = $1 AND a.hash = hash.hash)"
        " AND NOT EXISTS (SELECT FROM blob_leases l WHERE l.company_id = $1 AND l.hash = hash.hash)",
        context.company_id,
        hashes,
    )
    return [row["hash"] for row in rows]


async def stale(connection: Connection, before: datetime) -> list[tuple[UUID, UUID, Sequence[bytes]]]:
    """Company, id and blobs of every lease taken before a moment, over all companies."""
    rows = await connection.fetch("SELECT company_id, lease_id, hashes FROM stale_blob_leases($1)", before)
    return [(row["company_id"], row["lease_id"], row["hashes"]) for row in rows]
