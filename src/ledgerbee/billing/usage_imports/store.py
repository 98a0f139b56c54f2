"""Imports of usage in the database: their progress, the parts of files that wait, and the errors."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from ledgerbee.billing.usage_imports.model import (
    MAX_WAITING,
    USAGE_IMPORT_INVALID_STATE,
    USAGE_IMPORT_NOT_FOUND,
    USAGE_IMPORT_QUOTA_EXCEEDED,
    UsageImport,
    UsageImportId,
)
from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.ledger.imports.model import CsvDialect, CsvOptions, ImportStatus, Place, Refusal
from ledgerbee.ledger.imports.tables.store import ImportTables
from ledgerbee.platform.context import Context

_PLACE: Final = ("position", "line", "bytes_read")
_COLUMNS: Final = ", ".join(f"i.{name}" for name in (*names_of(UsageImport), *_PLACE) if name != "place")
TABLES: Final = ImportTables(
    imports="usage_imports",
    parts="usage_import_parts",
    errors="usage_import_errors",
    silent="silent_usage_uploads",
    columns=_COLUMNS,
    first_kept=0,
    max_waiting=MAX_WAITING,
    not_found=USAGE_IMPORT_NOT_FOUND,
    invalid_state=USAGE_IMPORT_INVALID_STATE,
    quota_exceeded=USAGE_IMPORT_QUOTA_EXCEEDED,
)
check_quota, silent_uploads, list_errors = TABLES.check_quota, TABLES.silent_uploads, TABLES.list_errors
_INSERT: Final = """
INSERT INTO usage_imports (company_id, id, file_name, status, csv_options, bytes_total, bytes_kept, position, line,
    bytes_read, accepted, duplicates, refused, created_at, received_at)
VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 1, 0, 0, 0, 0, $6, now())
"""
_DELETE: Final = "DELETE FROM usage_imports WHERE company_id = $1 AND id = $2 AND status = 'receiving'"
_CUSTOMERS: Final = "SELECT c.number, c.id FROM customers c WHERE c.company_id = $1 AND c.number = ANY ($2)"


async def insert(context: Context, new: UsageImport) -> None:
    """Add an import whose file comes in."""
    await context.connection.execute(
        _INSERT,
        context.company_id,
        new.id,
        new.file_name,
        new.status,
        msgspec.to_builtins(new.csv_options),
        new.created_at,
    )


async def queue(context: Context, import_id: UsageImportId, bytes_total: int) -> UsageImport:
    """The file is whole: a worker may begin."""
    change = "SET status = 'queued', bytes_total = $3"
    return await _changed(context, import_id, change, "status = 'receiving'", bytes_total)


async def begin(context: Context, import_id: UsageImportId) -> UsageImport:
    """The import is run from now on. Raises `USAGE_IMPORT_INVALID_STATE` when it is over."""
    change = "SET status = 'running', started_at = coalesce(started_at, $3)"
    return await _changed(context, import_id, change, "status IN ('queued', 'running')", context.now)


async def settle(context: Context, import_id: UsageImportId, dialect: CsvDialect) -> UsageImport:
    """Keep how an import's file is read, from behind its header. Raises `USAGE_IMPORT_INVALID_STATE`."""
    return await _changed(
        context,
        import_id,
        "SET csv_dialect = $3, position = $4, line = $5, bytes_read = $6",
        "status = 'running' AND csv_dialect IS NULL",
        msgspec.to_builtins(dialect),
        *msgspec.structs.astuple(dialect.first),
    )


async def advance(
    context: Context, state: UsageImport, after: Place, accepted: int, duplicates: int, refusals: Sequence[Refusal]
) -> UsageImport:
    """Move an import on from where it stands, in the transaction that does what it counts.

    Raises `USAGE_IMPORT_INVALID_STATE` when it stands elsewhere or runs no more.
    """
    moved = await _changed(
        context,
        state.id,
        "SET position = $4, line = $5, bytes_read = $6, accepted = accepted + $7, duplicates = duplicates + $8,"
        " refused = refused + $9",
        "status = 'running' AND position = $3",
        state.place.position,
        *msgspec.structs.astuple(after),
        accepted,
        duplicates,
        len(refusals),
    )
    await TABLES.add_errors(context, state.id, refusals, state.refused)
    await TABLES.delete_parts_read(context, state.id, state.place, after)
    return moved


async def end(
    context: Context,
    import_id: UsageImportId,
    status: ImportStatus,
    failure: str | None = None,
    refusals: Sequence[Refusal] = (),
    silent_since: datetime | None = None,
) -> UsageImport:
    """The import is over, one way or the other; `refusals` show why. Raises `USAGE_IMPORT_INVALID_STATE` when it was
    before; of an upload, where something has come since `silent_since`.
    """
    ended = await _changed(
        context,
        import_id,
        "SET status = $3, completed_at = $4, failure = $5, refused = refused + $6, bytes_kept = 0",
        "status IN ('receiving', 'queued', 'running')"
        " AND ($7::timestamptz IS NULL OR (status = 'receiving' AND received_at < $7))",
        status,
        context.now,
        failure,
        len(refusals),
        silent_since,
    )
    await TABLES.add_errors(context, import_id, refusals, ended.refused - len(refusals))
    await TABLES.delete_parts(context, import_id)
    return ended


async def remove_upload(context: Context, import_id: UsageImportId) -> None:
    """Forget an upload that became no import, and what has arrived of it."""
    await TABLES.delete_parts(context, import_id)
    await context.connection.execute(_DELETE, context.company_id, import_id)


async def get(context: Context, import_id: UsageImportId) -> UsageImport:
    """One import. Raises `USAGE_IMPORT_NOT_FOUND`."""
    return _import(await TABLES.get(context, import_id))


async def list_page(context: Context, request: PageRequest) -> Page[UsageImport]:
    """A page of imports, newest first."""
    found = await TABLES.list_page(context, request)
    return Page([_import(row) for row in found.rows], found.total)


async def customers(context: Context, numbers: Collection[str]) -> dict[str, UUID]:
    """The customers that have these numbers, by number."""
    if not numbers:
        return {}
    return {row["number"]: row["id"] for row in await context.connection.fetch(_CUSTOMERS, context.company_id, numbers)}


async def _changed(context: Context, import_id: UsageImportId, change: str, when: str, *arguments: Any) -> UsageImport:
    return _import(await TABLES.change(context, import_id, change, when, *arguments))


def _import(row: asyncpg.Record) -> UsageImport:
    found = dict(row)
    place = Place(*(found.pop(name) for name in _PLACE))
    found |= {
        "status": ImportStatus(found["status"]),
        "csv_options": msgspec.convert(found["csv_options"], CsvOptions),
        "csv_dialect": msgspec.convert(found["csv_dialect"], CsvDialect | None),
    }
    return UsageImport(place=place, **found)
