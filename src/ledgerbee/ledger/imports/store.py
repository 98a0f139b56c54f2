"""Imports in the database: their progress, the parts of files that wait, and the errors."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.ledger.imports.model import (
    JOURNAL_IMPORT_INVALID_STATE,
    JOURNAL_IMPORT_NOT_FOUND,
    JOURNAL_IMPORT_QUOTA_EXCEEDED,
    MAX_WAITING,
    CsvDialect,
    CsvOptions,
    ImportFormat,
    ImportId,
    ImportStatus,
    JournalImport,
    Place,
)
from ledgerbee.ledger.imports.rules import AccountFacts, Directory, References
from ledgerbee.ledger.imports.tables.store import ImportTables
from ledgerbee.ledger.periods.model import Span
from ledgerbee.platform import rows
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.context import Context

#: Columns of the fields that have several.
_PLACE: Final = ("position", "line", "bytes_read")
_OPENS: Final = ("opens_from", "opens_through")
_COLUMNS: Final = ", ".join(
    [f"i.{name}" for name in (*names_of(JournalImport), *_PLACE, *_OPENS) if name not in {"place", "opens"}]
)
TABLES: Final = ImportTables(
    imports="journal_imports",
    parts="import_parts",
    errors="import_errors",
    silent="silent_uploads",
    columns=_COLUMNS,
    first_kept=1,  # the first may have a header
    max_waiting=MAX_WAITING,
    not_found=JOURNAL_IMPORT_NOT_FOUND,
    invalid_state=JOURNAL_IMPORT_INVALID_STATE,
    quota_exceeded=JOURNAL_IMPORT_QUOTA_EXCEEDED,
)
check_quota, silent_uploads, list_errors = TABLES.check_quota, TABLES.silent_uploads, TABLES.list_errors
add_errors, delete_parts_read = TABLES.add_errors, TABLES.delete_parts_read
#: The arguments after the company are the fields of `References`.
_DIRECTORY: Final = """
SELECT g.locked_through,
       ARRAY(SELECT ROW(a.id, a.number, a.ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS') AND a.is_active,
                        a.control_account_type)
             FROM accounts a WHERE a.company_id = $1 AND a.number = ANY ($2::int[])) AS numbered,
       ARRAY(SELECT ROW(a.id, a.number, a.ledger_type IN ('BALANCE_SHEET', 'PROFIT_AND_LOSS') AND a.is_active,
                        a.control_account_type)
             FROM accounts a WHERE a.company_id = $1 AND a.id = ANY ($3::uuid[])) AS named,
       ARRAY(SELECT ROW(v.code, v.id) FROM vat_codes v
             WHERE v.company_id = $1 AND v.code = ANY ($4::text[])) AS vat_codes,
       ARRAY(SELECT ROW(c.number, c.id) FROM customers c
             WHERE c.company_id = $1 AND c.number = ANY ($5::text[])) AS customers,
       ARRAY(SELECT ROW(v.number, v.id) FROM vendors v
             WHERE v.company_id = $1 AND v.number = ANY ($6::text[])) AS vendors,
       ARRAY(SELECT ROW(j.name, j.id) FROM journal_categories j
             WHERE j.company_id = $1 AND j.name = ANY ($7::text[])) AS categories,
       ARRAY(SELECT ROW(f.start_date, f.end_date) FROM fiscal_years f WHERE f.company_id = $1) AS fiscal_years
FROM ledgers g WHERE g.company_id = $1
"""


async def insert(context: Context, entry_import: JournalImport, upload_secret_hash: bytes | None = None) -> None:
    """Add an import; one that is uploaded with the SHA-256 of the secret by which `give_up_upload` ends it."""
    await context.connection.execute(
        "INSERT INTO journal_imports (company_id, id, format, file_name, status, content_hash, bytes_total, opens_from,"
        " opens_through, created_at, started_at, csv_options, upload_secret_hash)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
        context.company_id,
        entry_import.id,
        entry_import.format,
        entry_import.file_name,
        entry_import.status,
        entry_import.content_hash,
        entry_import.bytes_total,
        *entry_import.opens,
        entry_import.created_at,
        entry_import.started_at,
        msgspec.to_builtins(entry_import.csv_options),
        upload_secret_hash,
    )


async def queue(context: Context, import_id: ImportId, content_hash: bytes, bytes_total: int) -> JournalImport:
    """The file is whole: a worker may begin."""
    change = "SET status = 'queued', content_hash = $3, bytes_total = $4"
    return await _changed(context, import_id, change, "status = 'receiving'", content_hash, bytes_total)


async def begin(context: Context, import_id: ImportId) -> JournalImport:
    """The import is run from now on. Raises `JOURNAL_IMPORT_INVALID_STATE` when it is over."""
    change = "SET status = 'running', started_at = coalesce(started_at, $3)"
    return await _changed(context, import_id, change, "status IN ('queued', 'running')", context.now)


async def settle(context: Context, import_id: ImportId, dialect: CsvDialect) -> JournalImport:
    """Keep how an import's file is read. Raises `JOURNAL_IMPORT_INVALID_STATE` when it is over."""
    kept = msgspec.to_builtins(dialect)
    return await _changed(context, import_id, "SET csv_dialect = $3", "status = 'running'", kept)


async def end_upload(
    context: Context, import_id: ImportId, failure: str, silent_since: datetime | None
) -> JournalImport:
    """The upload has failed, and nothing of its file stays.

    Raises `JOURNAL_IMPORT_INVALID_STATE` when it is none any more, and when something has come since `silent_since`.
    """
    ended = await _changed(
        context,
        import_id,
        "SET status = 'failed', completed_at = $3, failure = $4, bytes_kept = 0",
        "status = 'receiving' AND ($5::timestamptz IS NULL OR coalesce(received_at, created_at) < $5)",
        context.now,
        failure,
        silent_since,
    )
    await TABLES.delete_parts(context, import_id)
    return ended


async def end(
    context: Context,
    import_id: ImportId,
    status: ImportStatus,
    failure: str | None = None,
    summary: Mapping[str, Any] | None = None,
) -> JournalImport:
    """The import is over, one way or the other. Raises `JOURNAL_IMPORT_INVALID_STATE` when it was before."""
    ended = await _changed(
        context,
        import_id,
        "SET status = $3, completed_at = $4, failure = $5, summary = $6, bytes_kept = 0",
        "status IN ('receiving', 'queued', 'running')",
        status,
        context.now,
        failure,
        summary,
    )
    await TABLES.delete_parts(context, import_id)
    return ended


async def give_up_upload(connection: Connection, company_id: UUID, import_id: ImportId, secret: bytes) -> None:
    """Remove an upload, if it is one still, and what has arrived of it. Needs no company's transaction.

    The credential that it came with may be none any more: whoever has its secret has begun it.
    """
    await connection.execute("SELECT give_up_upload($1, $2, $3)", company_id, import_id, secret)


async def waiting_bytes(connection: Connection) -> int:
    """What the files of all companies that wait take up in the database, in bytes. Needs no company."""
    found: int = await connection.fetchval("SELECT pg_total_relation_size('import_parts')")
    return found


async def advance(context: Context, import_id: ImportId, before: Place, after: Place, posted: int, errors: int) -> int:
    """Move an import on from where it stands, in the transaction that does what it counts; the errors before.

    Holds its row until COMMIT. Raises `JOURNAL_IMPORT_INVALID_STATE` when it stands elsewhere or no longer runs.
    """
    moved = await _changed(
        context,
        import_id,
        "SET position = $4, line = $5, bytes_read = $6, entries_posted = entries_posted + $7,"
        " error_count = error_count + $8",
        "status = 'running' AND position = $3",
        before.position,
        *msgspec.structs.astuple(after),
        posted,
        errors,
    )
    return moved.error_count - errors


async def count_errors(context: Context, import_id: ImportId, count: int) -> JournalImport:
    return await _changed(context, import_id, "SET error_count = error_count + $3", "true", count)


async def get(context: Context, import_id: ImportId) -> JournalImport:
    """One import. Raises `JOURNAL_IMPORT_NOT_FOUND`."""
    return _import(await TABLES.get(context, import_id))


async def get_newest_of(context: Context, content_hash: bytes, file_format: ImportFormat) -> JournalImport | None:
    """The newest import of a file with this content that posted something, or waits or runs, if there is one."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM journal_imports i WHERE company_id = $1 AND content_hash = $2 AND format = $3"
        " AND (status IN ('queued', 'running') OR (status = 'completed' AND entries_posted > 0))"
        " ORDER BY created_at DESC, id DESC LIMIT 1",
        context.company_id,
        content_hash,
        file_format,
    )
    return _import(row) if row else None


async def list_page(context: Context, request: PageRequest) -> Page[JournalImport]:
    """A page of imports, newest first."""
    found = await TABLES.list_page(context, request)
    return Page([_import(row) for row in found.rows], found.total)


async def load_directory(context: Context, wanted: References) -> Directory:
    """What the numbers, codes and names of a chunk stand for, in one round trip."""
    row = await context.connection.fetchrow(_DIRECTORY, context.company_id, *map(list, rows.values(wanted)))
    assert row is not None, "a company has its books from the start"
    found = [*row["numbered"], *row["named"]]
    return Directory(
        accounts={account_id: AccountFacts(bookable, control) for account_id, _, bookable, control in found},
        account_numbers={number: account_id for account_id, number, _, _ in row["numbered"]},
        vat_codes=dict(row["vat_codes"]),
        customers=dict(row["customers"]),
        vendors=dict(row["vendors"]),
        categories=dict(row["categories"]),
        locked_through=row["locked_through"],
        fiscal_years=[Span(*days) for days in row["fiscal_years"]],
    )


async def _changed(context: Context, import_id: ImportId, change: str, when: str, *arguments: Any) -> JournalImport:
    return _import(await TABLES.change(context, import_id, change, when, *arguments))


def _import(row: asyncpg.Record) -> JournalImport:
    found = dict(row)
    place, opens = ([found.pop(name) for name in columns] for columns in (_PLACE, _OPENS))
    found |= {
        "format": ImportFormat(found["format"]),
        "status": ImportStatus(found["status"]),
        "csv_options": msgspec.convert(found["csv_options"], CsvOptions),
        "csv_dialect": msgspec.convert(found["csv_dialect"], CsvDialect | None),
    }
    return JournalImport(place=Place(*place), opens=Span(*opens), **found)
