"""Imports of usage in the database: their progress, the parts of files that wait, and the errors."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from ledgerbee.billing.usage_imports.model import (
    MAX_ERRORS,
    MAX_WAITING,
    USAGE_IMPORT_INVALID_STATE,
    USAGE_IMPORT_NOT_FOUND,
    USAGE_IMPORT_QUOTA_EXCEEDED,
    UsageImport,
    UsageImportId,
)
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import names_of
from ledgerbee.core.ids import new_id
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.ledger.imports.model import PART_BYTES, CsvDialect, CsvOptions, ImportStatus, Place, Refusal
from ledgerbee.platform import rows
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_PLACE: Final = ("position", "line", "bytes_read")
_COLUMNS: Final = ", ".join(f"i.{name}" for name in (*names_of(UsageImport), *_PLACE) if name != "place")
_GET: Final = f"SELECT {_COLUMNS} FROM usage_imports i WHERE i.company_id = $1 AND i.id = $2"
_LIST: Final = f"SELECT {_COLUMNS} FROM page p JOIN usage_imports i USING (company_id, id)"
_LIST_ERRORS: Final = (
    f"SELECT {rows.columns(Refusal, 'e')} FROM page p JOIN usage_import_errors e USING (company_id, id)"
)
_INSERT: Final = """
INSERT INTO usage_imports (company_id, id, file_name, status, csv_options, bytes_total, bytes_kept, position, line,
    bytes_read, accepted, duplicates, refused, created_at, received_at)
VALUES ($1, $2, $3, $4, $5, 0, 0, 0, 1, 0, 0, 0, 0, $6, now())
"""
_WAITING: Final = """
SELECT count(*), coalesce(sum(bytes_kept), 0)::bigint FROM usage_imports
WHERE company_id = $1 AND status IN ('receiving', 'queued', 'running')
"""
_ADD_PART: Final = """
WITH receiving AS (
    UPDATE usage_imports SET bytes_kept = bytes_kept + length($4::bytea), received_at = now()
    WHERE company_id = $1 AND id = $2 AND status = 'receiving' RETURNING company_id, id
)
INSERT INTO usage_import_parts (company_id, import_id, part, data)
SELECT r.company_id, r.id, $3, $4::bytea FROM receiving r RETURNING part
"""
_GET_PART: Final = "SELECT data FROM usage_import_parts WHERE company_id = $1 AND import_id = $2 AND part = $3"
_DELETE_READ: Final = """
WITH gone AS (
    DELETE FROM usage_import_parts WHERE company_id = $1 AND import_id = $2 AND part < $3
    RETURNING length(data) AS bytes
)
UPDATE usage_imports SET bytes_kept = bytes_kept - (SELECT coalesce(sum(bytes), 0) FROM gone)
WHERE company_id = $1 AND id = $2
"""
_DELETE_PARTS: Final = "DELETE FROM usage_import_parts WHERE company_id = $1 AND import_id = $2"
_DELETE: Final = "DELETE FROM usage_imports WHERE company_id = $1 AND id = $2 AND status = 'receiving'"
_ADD_ERRORS: Final = """
INSERT INTO usage_import_errors (company_id, id, import_id, line, code, property, message)
SELECT $1, e.id, $2, e.line, e.code, e.property, e.message
FROM unnest($3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[]) AS e (id, line, code, property, message)
"""
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


async def check_quota(context: Context, more_bytes: int, max_bytes: int) -> None:
    """Whether the company may have so many bytes more waiting. Raises `USAGE_IMPORT_QUOTA_EXCEEDED`.

    Uploads that come in at the same time don't see each other's last part: each may go beyond it by one.
    """
    count, waiting = await context.connection.fetchrow(_WAITING, context.company_id) or (0, 0)
    if count > MAX_WAITING or waiting + more_bytes > max_bytes:
        raise USAGE_IMPORT_QUOTA_EXCEEDED.error(
            waitingImports=count, maxImports=MAX_WAITING, waitingBytes=waiting, maxBytes=max_bytes
        )


async def add_part(context: Context, import_id: UsageImportId, part: int, data: bytes) -> None:
    """Keep a part of a file that comes in. Raises `USAGE_IMPORT_INVALID_STATE` when its import has ended."""
    kept = await context.connection.fetchval(_ADD_PART, context.company_id, import_id, part, data)
    if kept is None:
        raise await _wrong_state(context, import_id)


async def get_part(context: Context, import_id: UsageImportId, part: int) -> bytes | None:
    """A part of a file that waits, None after the last one."""
    data: bytes | None = await context.connection.fetchval(_GET_PART, context.company_id, import_id, part)
    return data


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
    await _add_errors(context, state.id, refusals[: max(0, MAX_ERRORS - state.refused)])
    part = after.position // PART_BYTES
    if after.position == after.bytes_read and part > state.place.position // PART_BYTES:
        await context.connection.execute(_DELETE_READ, context.company_id, state.id, part)
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
    await _add_errors(context, import_id, refusals[:MAX_ERRORS])
    await context.connection.execute(_DELETE_PARTS, context.company_id, import_id)
    return ended


async def remove_upload(context: Context, import_id: UsageImportId) -> None:
    """Forget an upload that became no import, and what has arrived of it."""
    await context.connection.execute(_DELETE_PARTS, context.company_id, import_id)
    await context.connection.execute(_DELETE, context.company_id, import_id)


async def silent_uploads(connection: Connection, moment: datetime) -> list[tuple[UUID, UsageImportId]]:
    """The uploads of all companies of which nothing has come since the moment: company and import. For the worker."""
    found = await connection.fetch("SELECT company_id, import_id FROM silent_usage_uploads($1)", moment)
    return [(row["company_id"], row["import_id"]) for row in found]


async def get(context: Context, import_id: UsageImportId) -> UsageImport:
    """One import. Raises `USAGE_IMPORT_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, import_id)
    return _import(USAGE_IMPORT_NOT_FOUND.unless(row))


async def list_page(context: Context, request: PageRequest) -> Page[UsageImport]:
    """A page of imports, newest first."""
    found = await fetch_page(
        context,
        table="usage_imports",
        select=_LIST,
        filters=Filter(),
        order_by={"createdAt": "t.created_at"},
        request=request,
    )
    return Page([_import(row) for row in found.rows], found.total)


async def list_errors(context: Context, import_id: UsageImportId, request: PageRequest) -> Page[Refusal]:
    """A page of an import's errors, by line."""
    filters = Filter()
    filters.add("t.import_id = {}", import_id)
    found = await fetch_page(
        context,
        table="usage_import_errors",
        select=_LIST_ERRORS,
        filters=filters,
        order_by={"line": "t.line"},
        request=replace(request, sort_by="line", descending=False),
    )
    return Page([Refusal(**row) for row in found.rows], found.total)


async def customers(context: Context, numbers: Collection[str]) -> dict[str, UUID]:
    """The customers that have these numbers, by number."""
    if not numbers:
        return {}
    return {row["number"]: row["id"] for row in await context.connection.fetch(_CUSTOMERS, context.company_id, numbers)}


async def _add_errors(context: Context, import_id: UsageImportId, refusals: Sequence[Refusal]) -> None:
    if refusals:
        await context.connection.execute(
            _ADD_ERRORS,
            context.company_id,
            import_id,
            [new_id() for _ in refusals],
            [refusal.line for refusal in refusals],
            [refusal.code for refusal in refusals],
            [refusal.property for refusal in refusals],
            [refusal.message for refusal in refusals],
        )


async def _changed(context: Context, import_id: UsageImportId, change: str, when: str, *arguments: Any) -> UsageImport:
    """The import after an UPDATE; `when` says in which state there may be one.

    Raises `USAGE_IMPORT_INVALID_STATE` in another.
    """
    statement = f"UPDATE usage_imports i {change} WHERE company_id = $1 AND id = $2 AND {when} RETURNING {_COLUMNS}"
    row = await context.connection.fetchrow(statement, context.company_id, import_id, *arguments)
    if row is None:
        raise await _wrong_state(context, import_id)
    return _import(row)


async def _wrong_state(context: Context, import_id: UsageImportId) -> LedgerBeeError:
    return USAGE_IMPORT_INVALID_STATE.in_state((await get(context, import_id)).status)


def _import(row: asyncpg.Record) -> UsageImport:
    found = dict(row)
    place = Place(*(found.pop(name) for name in _PLACE))
    found |= {
        "status": ImportStatus(found["status"]),
        "csv_options": msgspec.convert(found["csv_options"], CsvOptions),
        "csv_dialect": msgspec.convert(found["csv_dialect"], CsvDialect | None),
    }
    return UsageImport(place=place, **found)
