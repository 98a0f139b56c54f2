"""Receiving files of usage, and ending imports."""

from collections.abc import AsyncIterator
from datetime import datetime

from ledgerbee.billing.usage_imports import store
from ledgerbee.billing.usage_imports.model import IMPORT_USAGE_JOB, UsageImport, UsageImportId
from ledgerbee.billing.usage_imports.wire import render
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.imports.actions import Writer, keep_parts
from ledgerbee.ledger.imports.model import CsvOptions, ImportStatus
from ledgerbee.platform.context import Context


async def begin_upload(
    context: Context, file_name: str | None, options: CsvOptions, announced: int, max_bytes: int
) -> UsageImportId:
    """Note an import whose file comes in; `announced` are the bytes that it is said to have.

    Raises `USAGE_IMPORT_QUOTA_EXCEEDED`.
    """
    new = UsageImport(id=UsageImportId(new_id()), file_name=file_name, csv_options=options, created_at=context.now)
    await store.insert(context, new)
    await store.check_quota(context, announced, max_bytes)
    return new.id


async def receive(
    write: Writer, import_id: UsageImportId, blocks: AsyncIterator[bytes], max_bytes: int
) -> tuple[bytes, int]:
    """Keep a file as it comes in, a part a transaction; its SHA-256 and its length.

    Raises `USAGE_IMPORT_QUOTA_EXCEEDED`.
    """
    return await keep_parts(store.TABLES, write, import_id, blocks, max_bytes)


async def queue(context: Context, import_id: UsageImportId, length: int) -> UsageImport:
    """The file is whole: have a worker carry the import out. Emits `usage_import.created`."""
    queued = await store.queue(context, import_id, length)
    context.enqueue(IMPORT_USAGE_JOB, importId=str(import_id))
    context.emit("usage_import.created", queued.id, render(queued).as_event(), is_first=True)
    return queued


async def break_off(context: Context, import_id: UsageImportId, silent_since: datetime | None = None) -> None:
    """End an upload that broke off as failed; nothing of its file stays. Emits `usage_import.failed`.

    Raises `USAGE_IMPORT_NOT_FOUND`, and `USAGE_IMPORT_INVALID_STATE` when it is no upload any more or something has
    come since `silent_since`.
    """
    before = await store.get(context, import_id)
    failed = await store.end(context, import_id, ImportStatus.FAILED, "The upload broke off", silent_since=silent_since)
    emit_failed(context, before, failed)


async def cancel(context: Context, import_id: UsageImportId) -> UsageImport:
    """End an import where it stands; what was taken in stays. Emits `usage_import.cancelled`.

    Raises `USAGE_IMPORT_NOT_FOUND` and `USAGE_IMPORT_INVALID_STATE`.
    """
    before = await store.get(context, import_id)
    cancelled = await store.end(context, import_id, ImportStatus.CANCELLED)
    context.emit("usage_import.cancelled", import_id, render(cancelled).as_event(), before=render(before).as_event())
    return cancelled


def emit_failed(context: Context, before: UsageImport, failed: UsageImport) -> None:
    """An import ended as failed: its upload broke off, its file can't be read, or something unforeseen stopped it."""
    context.emit("usage_import.failed", failed.id, render(failed).as_event(), before=render(before).as_event())


def emit_completed(context: Context, before: UsageImport, completed: UsageImport) -> None:
    """All rows of an import were reported, or are refused."""
    context.emit("usage_import.completed", completed.id, render(completed).as_event(), before=render(before).as_event())
