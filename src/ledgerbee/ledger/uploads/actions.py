"""Files from a request to the blob store: written before the transaction that attaches them, removed if it fails."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

import asyncpg
import structlog

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.http.step_scheduler import run_step
from ledgerbee.ledger.uploads import rules, store
from ledgerbee.ledger.uploads.model import AttachmentId, DecodedFile, EncodedFile, NewAttachment
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import CredentialRevokedError, Database, Tenant
from ledgerbee.platform.jobs import SYSTEM

if TYPE_CHECKING:
    from ledgerbee.http.caller import Caller  # knows HTTP, which the worker has no use for

#: A lease this old is nobody's any more: no request takes that long.
STALE_AFTER: Final = timedelta(hours=1)
#: Blobs that one transaction locks at a time: the server has room for some thousand locks in all.
_AT_A_TIME: Final = 100

log = structlog.get_logger("ledgerbee.attachments")

#: The event loop itself forgets tasks that nobody waits for.
_releasing: Final[set[asyncio.Task[None]]] = set()


@dataclass(frozen=True, slots=True)
class _Lease:
    """A lease of blobs that are about to be attached: nobody removes them until it is released."""

    id: UUID
    hashes: Sequence[bytes]
    tenant: Tenant
    now: datetime
    database: Database
    blobs: BlobStore

    async def take(self) -> None:
        """Take it, committed: from now on nobody removes these blobs.

        The lock waits for whoever is about to remove one: what is found in the store after it stays there.
        """

        async def work(context: Context, hashes: Sequence[bytes]) -> None:
            await store.advisory_lock(context, hashes)
            await store.insert(context, self.id, hashes)

        await self._in_transactions(work)

    async def release(self) -> None:
        """Delete it, and remove the blobs that nothing uses any more.

        What was posted is posted whether this works or not: `release_stale` removes later what is left now.
        """

        async def work(context: Context, hashes: Sequence[bytes]) -> None:
            await store.advisory_lock(context, hashes)
            await store.delete(context, self.id, hashes)
            for content_hash in await store.list_unused(context, hashes):
                await self.blobs.delete(context.company_id, content_hash)

        try:
            await self._in_transactions(work)
        except (LedgerBeeError, CredentialRevokedError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            log.warning("attachments.left", lease=str(self.id), error=f"{type(fault).__name__}: {fault}")

    async def _in_transactions(self, work: Callable[[Context, Sequence[bytes]], Awaitable[None]]) -> None:
        ordered = sorted(self.hashes)
        for start in range(0, len(ordered), _AT_A_TIME):
            chunk = ordered[start : start + _AT_A_TIME]

            async def transaction(context: Context, chunk: Sequence[bytes] = chunk) -> None:
                await work(context, chunk)

            await self.database.run(self.tenant, self.now, transaction)


async def decoded(files: Sequence[Sequence[EncodedFile]], paths: Sequence[str]) -> list[list[DecodedFile]]:
    """The files of several entries as `rules.decode` reads them, in the same order; `paths` name the entries' lists.

    Large ones are read beside the event loop, when their turn comes. Raises what `rules.decode` raises.
    """
    size = sum(len(file.content) for of_entry in files for file in of_entry)
    return await run_step(size, lambda: rules.decode(files, paths))


@asynccontextmanager
async def staged(
    caller: "Caller", files: Sequence[Sequence[DecodedFile]]
) -> AsyncIterator[list[tuple[NewAttachment, ...]]]:
    """Put the files of several entries into the store, to be attached by the transaction that runs inside.

    However the block ends, what it attached stays in the store and what it did not attach is removed from it. Raises
    `ATTACHMENT_STORE_UNAVAILABLE`.
    """
    contents = {file.hash: file.content for of_entry in files for file in of_entry}
    async with stored(caller.tenant, caller.now, caller.database, caller.blobs, contents):
        yield [tuple(_new(file) for file in of_entry) for of_entry in files]


@asynccontextmanager
async def stored(
    tenant: Tenant, now: datetime, database: Database, blobs: BlobStore, contents: Mapping[bytes, bytes]
) -> AsyncIterator[None]:
    """Put contents, by their SHA-256, into the store, to be referred to by the transaction that runs inside.

    However the block ends, what is referred to by then stays in the store and what isn't is removed from it. Raises
    `ATTACHMENT_STORE_UNAVAILABLE`.
    """
    if not contents:
        yield
        return
    lease = _Lease(new_id(), list(contents), tenant, now, database, blobs)
    try:
        await lease.take()
        for content_hash, content in contents.items():
            await blobs.put(tenant.company_id, content_hash, content)
        yield
    finally:
        releasing = asyncio.create_task(lease.release())
        _releasing.add(releasing)
        releasing.add_done_callback(_releasing.discard)
        await asyncio.shield(releasing)


def _new(file: DecodedFile) -> NewAttachment:
    return NewAttachment(AttachmentId(new_id()), file.file_name, file.content_type, len(file.content), file.hash)


async def release_stale(database: Database, blobs: BlobStore, now: datetime) -> None:
    """Release the old leases of all companies, which processes that died have left. A job that runs by the clock.

    What can't be released now is left for the next time.
    """
    async with database.connection() as connection:
        stale = await store.list_stale(connection, now - STALE_AFTER)
    for one in stale:
        tenant = Tenant(one.company_id, SYSTEM, new_id().hex, "UTC")
        await _Lease(one.lease_id, one.hashes, tenant, now, database, blobs).release()
