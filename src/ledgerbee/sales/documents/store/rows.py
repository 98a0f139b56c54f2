"""Rows of documents: the statements of each kind are written out from its description, once."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

import asyncpg

from ledgerbee.core.fields import names_of
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page
from ledgerbee.platform.steps import in_steps
from ledgerbee.sales.documents.kind import AnyKind, KindOfDocument
from ledgerbee.sales.documents.model import Document, DocumentLineType, DraftFields, FullDocument, Line

D = TypeVar("D", bound=Document)
F = TypeVar("F", bound=DraftFields)

#: Lines that are written by one statement.
_LINES_AT_ONCE: Final = 1_000


class _Statements(NamedTuple):
    """The SQL of one kind."""

    list_page: str
    get: str
    get_many: str
    insert: str
    insert_many: str
    update: str
    update_many: str
    book: str
    delete: str
    lines: str
    lines_of_many: str
    count_lines: str
    insert_lines: str
    insert_lines_of_many: str
    delete_lines: str


@cache
def _of(kind: AnyKind) -> _Statements:
    columns, line_columns = rows.columns(kind.row, "i"), rows.columns(kind.line)
    places = {name: place for place, name in enumerate(names_of(kind.row), 2)}
    own_lines = f"company_id = $1 AND {kind.lines_key} = $2"
    lines_of_many = f"FROM {kind.lines_table} WHERE company_id = $1 AND {kind.lines_key} = ANY($2)"
    last = len(places) + 1
    return _Statements(
        list_page=f"SELECT {columns} FROM page p JOIN {kind.table} i USING (company_id, id)",
        get=f"SELECT {columns} FROM {kind.table} i WHERE i.company_id = $1 AND i.id = $2",
        get_many=f"SELECT {columns} FROM {kind.table} i WHERE i.company_id = $1 AND i.id = ANY($2)"
        " ORDER BY i.id FOR UPDATE",
        insert=rows.insert(kind.table, kind.row),
        insert_many=rows.insert_many(kind.table, kind.row),
        update=rows.update(kind.table, kind.row),
        update_many=rows.update_many(kind.table, kind.row),
        book=f"WITH booked AS ({rows.update_many(kind.table, kind.row)}) INSERT INTO document_snapshots"
        " (company_id, document_id, document_type, content, created_at)"
        f" SELECT $1, r.id, ${last + 1}, r.content, r.updated_at FROM unnest(${places['id']}::uuid[],"
        f" ${places['updated_at']}::timestamptz[], ${last + 2}::jsonb[]) r (id, updated_at, content)",
        delete=f"DELETE FROM {kind.table} WHERE company_id = $1 AND id = $2",
        lines=f"SELECT {line_columns} FROM {kind.lines_table} WHERE {own_lines} ORDER BY position",
        lines_of_many=f"SELECT {kind.lines_key}, {line_columns} {lines_of_many} ORDER BY {kind.lines_key}, position",
        count_lines=f"SELECT {kind.lines_key}, count(*) {lines_of_many} GROUP BY {kind.lines_key}",
        insert_lines=f"INSERT INTO {kind.lines_table} (company_id, {kind.lines_key}, position, {line_columns})"
        f" SELECT $1, $2, $3 + place, {line_columns}"
        f" FROM unnest({rows.arrays(kind.line, 4)}) WITH ORDINALITY l ({line_columns}, place)",
        insert_lines_of_many=f"INSERT INTO {kind.lines_table} (company_id, {kind.lines_key}, position, {line_columns})"
        f" SELECT $1, document, position, {line_columns}"
        f" FROM unnest($2::uuid[], $3::int[], {rows.arrays(kind.line, 4)}) l (document, position, {line_columns})",
        delete_lines=f"DELETE FROM {kind.lines_table} WHERE {own_lines}",
    )


_SNAPSHOT: Final = "SELECT content FROM document_snapshots WHERE company_id = $1 AND document_id = $2"
_TAKE_NUMBERS: Final = "SELECT last_number, prefix FROM take_numbers($1, $2, $3)"


async def list_page(
    context: Context,
    kind: KindOfDocument[F, D],
    request: PageRequest,
    filters: Filter,
    order_by: Mapping[str, str],
) -> Page[D]:
    """A page of documents without their lines."""
    page = await fetch_page(
        context, table=kind.table, select=_of(kind).list_page, filters=filters, order_by=order_by, request=request
    )
    return Page([_document(kind, row) for row in page.rows], page.total)


async def get(context: Context, kind: KindOfDocument[F, D], document_id: UUID) -> D:
    """One document without its lines. Raises `kind.not_found`."""
    return await _get(context, kind, document_id, _of(kind).get)


async def get_for_update(context: Context, kind: KindOfDocument[F, D], document_id: UUID) -> D:
    """One document without its lines, locked until the transaction ends. Raises `kind.not_found`."""
    return await _get(context, kind, document_id, f"{_of(kind).get} FOR UPDATE")


async def get_many_for_update(
    context: Context, kind: KindOfDocument[F, D], document_ids: Collection[UUID]
) -> dict[UUID, D]:
    """Documents without their lines by id, locked until the transaction ends; those that aren't there are left out."""
    found = await context.connection.fetch(_of(kind).get_many, context.company_id, document_ids)
    return {row["id"]: _document(kind, row) for row in found}


async def _get(context: Context, kind: KindOfDocument[F, D], document_id: UUID, statement: str) -> D:
    row = await context.connection.fetchrow(statement, context.company_id, document_id)
    return _document(kind, kind.not_found.unless(row))


async def lines_of(context: Context, kind: AnyKind, document_id: UUID) -> tuple[Line, ...]:
    """A document's lines in their order."""
    found = await context.connection.fetch(_of(kind).lines, context.company_id, document_id)
    return tuple([_line(kind, row) async for row in in_steps(found)])


async def lines_of_many(
    context: Context, kind: AnyKind, document_ids: Collection[UUID]
) -> dict[UUID, tuple[Line, ...]]:
    """The lines of documents by the document's id, in their order."""
    found = await context.connection.fetch(_of(kind).lines_of_many, context.company_id, document_ids)
    lines: dict[UUID, list[Line]] = {document_id: [] for document_id in document_ids}
    async for row in in_steps(found):
        values = dict(row)
        lines[values.pop(kind.lines_key)].append(_line(kind, values))
    return {document_id: tuple(own) for document_id, own in lines.items()}


async def count_lines(context: Context, kind: AnyKind, document_ids: Collection[UUID]) -> dict[UUID, int]:
    """How many lines documents have, by the document's id; one without lines is left out."""
    found = await context.connection.fetch(_of(kind).count_lines, context.company_id, document_ids)
    return {row[kind.lines_key]: row["count"] for row in found}


async def get_full(context: Context, kind: KindOfDocument[F, D], document_id: UUID) -> FullDocument[D]:
    """One document with its lines. Raises `kind.not_found`."""
    return FullDocument(await get(context, kind, document_id), await lines_of(context, kind, document_id))


async def insert(context: Context, kind: KindOfDocument[F, D], full: FullDocument[D]) -> None:
    """Add a draft and its lines."""
    await context.connection.execute(_of(kind).insert, context.company_id, *rows.values(full.document))
    await _insert_lines(context, kind, full.document.id, full.lines)


async def insert_many(context: Context, kind: KindOfDocument[F, D], documents: Sequence[FullDocument[D]]) -> None:
    """Add drafts and their lines: one statement for the drafts, and one for each thousand lines."""
    await context.connection.execute(
        _of(kind).insert_many, context.company_id, *rows.column_values([full.document for full in documents])
    )
    placed = [(full.document.id, place, line) for full in documents for place, line in enumerate(full.lines, 1)]
    for start in range(0, len(placed), _LINES_AT_ONCE):
        owners, places, lines = zip(*placed[start : start + _LINES_AT_ONCE], strict=True)
        await context.connection.execute(
            _of(kind).insert_lines_of_many, context.company_id, owners, places, *_line_arrays(kind, lines)
        )


async def update(context: Context, kind: KindOfDocument[F, D], document: D) -> None:
    """Write a document's fields; of a booked one only its state may differ."""
    await context.connection.execute(_of(kind).update, context.company_id, *rows.values(document))


async def update_many(context: Context, kind: KindOfDocument[F, D], documents: Sequence[D]) -> None:
    """As `update`, of documents (one at least) in one statement."""
    await context.connection.execute(_of(kind).update_many, context.company_id, *rows.column_values(documents))


async def replace_lines(context: Context, kind: AnyKind, document_id: UUID, lines: Sequence[Line]) -> None:
    """Put these lines in place of a draft's."""
    await context.connection.execute(_of(kind).delete_lines, context.company_id, document_id)
    await _insert_lines(context, kind, document_id, lines)


async def delete(context: Context, kind: AnyKind, document_id: UUID) -> None:
    """Remove a draft and its lines."""
    await context.connection.execute(_of(kind).delete_lines, context.company_id, document_id)
    await context.connection.execute(_of(kind).delete, context.company_id, document_id)


async def book(
    context: Context, kind: KindOfDocument[F, D], documents: Sequence[D], contents: Sequence[Mapping[str, Any]]
) -> None:
    """Write what became of drafts, and keep for ever what they say now: one statement."""
    await context.connection.execute(
        _of(kind).book, context.company_id, *rows.column_values(documents), kind.kind, contents
    )


async def get_snapshot(context: Context, kind: AnyKind, document_id: UUID) -> dict[str, Any]:
    """A booked document as it was when it was booked. Raises `kind.not_found`."""
    content: dict[str, Any] | None = await context.connection.fetchval(_SNAPSHOT, context.company_id, document_id)
    return kind.not_found.unless(content)


async def take_numbers(context: Context, series: str, count: int) -> list[tuple[int, str]]:
    """The next numbers of a series, each with how it is written (with the series' prefix).

    The series' row stays locked until the transaction ends, so that no number is ever skipped: take them as late as
    possible, right before posting to the ledger and after everything that can be refused. A number that no document of
    the series has at COMMIT undoes the transaction.
    """
    row = await context.connection.fetchrow(_TAKE_NUMBERS, context.company_id, series, count)
    assert row is not None
    last: int = row["last_number"]
    return [(number, f"{row['prefix']}{number}") for number in range(last - count + 1, last + 1)]


async def _insert_lines(context: Context, kind: AnyKind, document_id: UUID, lines: Sequence[Line]) -> None:
    # An array for each column, the position from their order. The driver writes out a statement's values in one go.
    for start in range(0, len(lines), _LINES_AT_ONCE):
        some = lines[start : start + _LINES_AT_ONCE]
        await context.connection.execute(
            _of(kind).insert_lines, context.company_id, document_id, start, *_line_arrays(kind, some)
        )


def _line_arrays(kind: AnyKind, lines: Sequence[Line]) -> list[list[Any]]:
    """The values of lines by column. A line that nobody added has none of what added ones have beside the others."""
    return [[getattr(line, name, None) for line in lines] for name in names_of(kind.line)]


def _line(kind: AnyKind, row: Mapping[str, Any] | asyncpg.Record) -> Line:
    return kind.line(**{**row, "line_type": DocumentLineType(row["line_type"])})


def _document(kind: KindOfDocument[F, D], row: asyncpg.Record) -> D:
    return kind.row(**{**row, "status": kind.statuses(row["status"])})
