"""Receiving files to import, and ending imports."""

import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol, TypeVar
from uuid import UUID

from ledgerbee.core.ids import new_id
from ledgerbee.ledger.imports import rules, store
from ledgerbee.ledger.imports.model import (
    IMPORT_JOB,
    JOURNAL_IMPORT_REPEATED,
    PART_BYTES,
    FileToImport,
    ImportFormat,
    ImportId,
    ImportStatus,
    JournalImport,
)
from ledgerbee.ledger.imports.tables.store import ImportTables
from ledgerbee.ledger.imports.wire import render
from ledgerbee.ledger.periods import store as periods
from ledgerbee.platform.context import NO_LIMIT, Context

T = TypeVar("T")


async def new_import(context: Context, file: FileToImport, status: ImportStatus) -> JournalImport:
    """An import that begins now, and the years that it opens (`rules.opens`)."""
    years = [year.span for year in await periods.list_all(context)]
    return JournalImport(
        id=ImportId(new_id()),
        format=file.format,
        file_name=file.name,
        status=status,
        opens=rules.opens(years, context.today, all_needed=file.open_fiscal_years),
        created_at=context.now,
        csv_options=file.csv_options,
    )


class Writer(Protocol):
    """Runs a piece of work in a transaction of its own."""

    async def __call__(self, work: Callable[[Context], Awaitable[T]]) -> T: ...


@dataclass(frozen=True, slots=True)
class Door:
    """How a file comes in: `write` keeps its parts, `give_up` ends the upload for what has come up, whatever has become
    of the credential that it came with: by `secret`. `max_bytes` is what the company may have waiting.
    """

    write: Writer
    give_up: Callable[[ImportId, BaseException], Awaitable[None]]
    secret: bytes
    max_bytes: int = NO_LIMIT


async def receive(
    door: Door, file: FileToImport, blocks: AsyncIterator[bytes], *, announced: int = 0
) -> tuple[ImportId, bytes, int]:
    """Keep a file as it comes in, a part a transaction; the import's id, the file's SHA-256 and its length.

    It is not queued yet. Whatever ends the upload gives it up. `announced` are the bytes that it is said to have.
    Raises `JOURNAL_IMPORT_QUOTA_EXCEEDED`.
    """

    async def start(context: Context) -> ImportId:
        received = await new_import(context, file, ImportStatus.RECEIVING)
        await store.insert(context, received, hashlib.sha256(door.secret).digest())
        await store.check_quota(context, announced, door.max_bytes)
        return received.id

    import_id = await door.write(start)
    try:
        content_hash, length = await keep_parts(store.TABLES, door.write, import_id, blocks, door.max_bytes)
    except BaseException as fault:
        await door.give_up(import_id, fault)
        raise
    return import_id, content_hash, length


async def keep_parts(
    tables: ImportTables, write: Writer, import_id: UUID, blocks: AsyncIterator[bytes], max_bytes: int
) -> tuple[bytes, int]:
    """Keep a file of any kind of import as it comes in, a part a transaction; its SHA-256 and its length.

    Raises the quota's error when more than `max_bytes` of the company wait, and that of an import that has ended.
    """
    digest, length, part = hashlib.sha256(), 0, 0
    waiting = bytearray()

    async def keep(data: bytes) -> None:
        number = part

        async def work(context: Context) -> None:
            await tables.check_quota(context, len(data), max_bytes)
            await tables.add_part(context, import_id, number, data)

        await write(work)

    async for block in blocks:
        digest.update(block)
        length += len(block)
        waiting += block
        while len(waiting) >= PART_BYTES:
            await keep(bytes(waiting[:PART_BYTES]))
            del waiting[:PART_BYTES]
            part += 1
    if waiting:
        await keep(bytes(waiting))
    return digest.digest(), length


async def break_off(context: Context, import_id: ImportId, silent_since: datetime | None = None) -> None:
    """End an upload that broke off as failed; nothing of its file stays. Emits `journal_import.failed`.

    Raises `JOURNAL_IMPORT_NOT_FOUND`, and `JOURNAL_IMPORT_INVALID_STATE` when it is no upload any more or something has
    come since `silent_since`.
    """
    before = await store.get(context, import_id)
    emit_failed(context, before, await store.end_upload(context, import_id, "The upload broke off", silent_since))


async def queue(context: Context, import_id: ImportId, content_hash: bytes, length: int) -> JournalImport:
    """The file is whole: have a worker carry the import out. Emits `journal_import.created`."""
    queued = await queue_here(context, import_id, content_hash, length)
    context.enqueue(IMPORT_JOB, importId=str(import_id))
    return queued


async def queue_here(context: Context, import_id: ImportId, content_hash: bytes, length: int) -> JournalImport:
    """The file is whole, and this process carries the import out. Emits `journal_import.created`."""
    queued = await store.queue(context, import_id, content_hash, length)
    _emit_begun(context, queued)
    return queued


async def begin_here(
    context: Context, file: FileToImport, content_hash: bytes, length: int, *, again: bool
) -> JournalImport:
    """An import for this process to carry out from a file it has: a new one, or one of the same file to go on with.

    One to go on with opens the financial years that it was begun to open.
    Raises `JOURNAL_IMPORT_REPEATED` when the same file was imported completely, unless it is to be `again`; and when
    an import of it with other options has begun, since what that posted would be posted twice.
    """
    known = await unfinished(context, file.format, content_hash, again=again)
    if known is not None:
        if known.csv_options != file.csv_options:
            why = f"Import {known.id} of the same file was begun with other options: go on with those, or cancel it"
            raise JOURNAL_IMPORT_REPEATED.error(why, importId=str(known.id))
        return known
    new = await new_import(context, file, ImportStatus.RUNNING)
    begun = replace(new, content_hash=content_hash, bytes_total=length)
    await store.insert(context, begun)
    _emit_begun(context, begun)
    return begun


async def unfinished(
    context: Context, file_format: ImportFormat, content_hash: bytes, *, again: bool
) -> JournalImport | None:
    """The import of the same content that is to be gone on with, if there is one.

    Raises `JOURNAL_IMPORT_REPEATED` when it was imported completely, unless it is to be `again`. Of one that posted
    nothing, nothing can be posted twice.
    """
    known = await store.get_newest_of(context, content_hash, file_format)
    if known is None or known.status is not ImportStatus.COMPLETED:
        return known
    if not again:
        raise JOURNAL_IMPORT_REPEATED.error(importId=str(known.id))
    return None


async def cancel(context: Context, import_id: ImportId) -> JournalImport:
    """End an import where it stands; what it has posted stays. Emits `journal_import.cancelled`.

    Raises `JOURNAL_IMPORT_NOT_FOUND` and `JOURNAL_IMPORT_INVALID_STATE`.
    """
    before = await store.get(context, import_id)
    cancelled = await store.end(context, import_id, ImportStatus.CANCELLED)
    context.emit("journal_import.cancelled", import_id, render(cancelled).as_event(), before=render(before).as_event())
    return cancelled


def _emit_begun(context: Context, begun: JournalImport) -> None:
    """An import began: its file is here. Who began it is who posts its entries."""
    context.emit("journal_import.created", begun.id, render(begun).as_event(), is_first=True)


def emit_failed(context: Context, before: JournalImport, failed: JournalImport) -> None:
    """An import ended as failed: its upload broke off, its file can't be read, or something unforeseen stopped it."""
    context.emit("journal_import.failed", failed.id, render(failed).as_event(), before=render(before).as_event())
