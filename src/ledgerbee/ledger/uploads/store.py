"""Leases of blobs: which are about to be attached. Whether one is attached, the view `attached_blobs` says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context

#: Separates these advisory locks from those of other purposes.
_LOCK_CLASS: Final = 3

_ADVISORY_LOCK: Final = """
SELECT pg_advisory_xact_lock(hashtextextended($1 || '/' || encode(hash, 'hex'), $2)) FROM unnest($3::bytea[]) AS hash
"""
_INSERT: Final = """
INSERT INTO blob_leases (company_id, hash, lease_id, created_at)
SELECT $1, hash, $2, $3 FROM unnest($4::bytea[]) AS hash
"""
_DELETE: Final = "DELETE FROM blob_leases WHERE company_id = $1 AND lease_id = $2 AND hash = ANY ($3)"
_UNUSED: Final = """
SELECT hash FROM unnest($2::bytea[]) AS hash
WHERE NOT EXISTS (SELECT FROM attached_blobs a WHERE a.company_id = $1 AND a.hash = hash.hash)
  AND NOT EXISTS (SELECT FROM blob_leases l WHERE l.company_id = $1 AND l.hash = hash.hash)
"""
_STALE: Final = "SELECT company_id, lease_id, hashes FROM stale_blob_leases($1)"


@dataclass(frozen=True, slots=True)
class StaleLease:
    """A lease that was left, of any company."""

    company_id: UUID
    lease_id: UUID
    hashes: Sequence[bytes]


async def advisory_lock(context: Context, hashes: Sequence[bytes]) -> None:
    """Lock the blobs until the transaction ends: nobody else leases or removes them. In one order, for everybody."""
    await context.connection.execute(_ADVISORY_LOCK, str(context.company_id), _LOCK_CLASS, sorted(hashes))


async def insert(context: Context, lease_id: UUID, hashes: Sequence[bytes]) -> None:
    await context.connection.execute(_INSERT, context.company_id, lease_id, context.now, hashes)


async def delete(context: Context, lease_id: UUID, hashes: Sequence[bytes]) -> None:
    await context.connection.execute(_DELETE, context.company_id, lease_id, hashes)


async def list_unused(context: Context, hashes: Sequence[bytes]) -> list[bytes]:
    """Those of the blobs that are attached to nothing and have no lease."""
    return [row["hash"] for row in await context.connection.fetch(_UNUSED, context.company_id, hashes)]


async def list_stale(connection: Connection, before: datetime) -> list[StaleLease]:
    """Every lease taken before a moment, over all companies."""
    return [StaleLease(**row) for row in await connection.fetch(_STALE, before)]
