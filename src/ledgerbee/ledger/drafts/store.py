"""Rows of drafts and their lines."""

from collections.abc import Sequence
from typing import Any, Final

import asyncpg

from ledgerbee.core.paging import PageRequest
from ledgerbee.ledger.drafts.model import DRAFT_JOURNAL_ENTRY_NOT_FOUND, Draft, DraftId, DraftStatus
from ledgerbee.ledger.entries.model import AccountName, EntryInput, LineInput, Side, entry_values, line_values
from ledgerbee.ledger.entries.rules.portions import Portion
from ledgerbee.ledger.entries.store.arrays import ENTRY_TYPES, LINE_TYPES, array_literal
from ledgerbee.ledger.entries.store.columns import ENTRY_COLUMNS, LINE_COLUMNS, entry_values_of, line_values_of, listed
from ledgerbee.ledger.entries.store.lines import Found, LineStatements
from ledgerbee.ledger.entries.store.reads import EntryFilter, filters_of
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import TOO_MUCH_CONTENTION
from ledgerbee.platform.key_ranges import fetch_page_by_range
from ledgerbee.platform.steps import in_steps

_COLUMNS: Final = ("currency", "exchange_rate", *ENTRY_COLUMNS)
_OWN_OF_LINES: Final = ("vat_included", "vat_amount")
_LINE_COLUMNS: Final = (*_OWN_OF_LINES, *LINE_COLUMNS)


def _from_arrays(columns: Sequence[str], types: Sequence[str], first: int) -> str:
    """SELECT of these columns, and FROM with an array for each, from the parameter `first` on; tags are literals."""
    selected = listed(columns, "t").replace("t.tag_ids", "t.tag_ids::uuid[]")
    arrays = ", ".join(f"${place}::{kind}[]" for place, kind in enumerate(types, first))
    return f"{selected} FROM unnest({arrays}) AS t ({listed(columns)})"


_SELECT: Final = f"""
SELECT id, status, {listed(_COLUMNS)}, attachment_count, journal_entry_id, created_at, updated_at, xmin AS version
FROM draft_journal_entries
"""
_INSERTED: Final = ("id", "attachment_count", *_COLUMNS)
_INSERT: Final = f"""
INSERT INTO draft_journal_entries (company_id, created_at, updated_at, {listed(_INSERTED)})
SELECT $1, $2, $2, {_from_arrays(_INSERTED, ("uuid", "int", "text", "numeric", *ENTRY_TYPES), 3)}
"""
_UPDATE: Final = f"""
UPDATE draft_journal_entries SET (updated_at, attachment_count, {listed(_COLUMNS)})
    = ($3, $4, {", ".join(f"${place}" for place in range(5, len(_COLUMNS) + 4))}, ${len(_COLUMNS) + 4}::text::uuid[])
WHERE company_id = $1 AND id = $2
"""
_INSERTED_LINES: Final = ("draft_id", "line_number", "id", *_LINE_COLUMNS)
_INSERT_LINES: Final = f"""
INSERT INTO draft_journal_lines (company_id, {listed(_INSERTED_LINES)})
SELECT $1, {_from_arrays(_INSERTED_LINES, ("uuid", "int", "uuid", "boolean", "numeric", *LINE_TYPES), 2)}
"""
_LINES: Final = LineStatements.of("draft_journal_lines", "draft_id", _OWN_OF_LINES)
_LIST: Final = f"""
SELECT d.id, d.status, {listed(_COLUMNS, "d")}, d.attachment_count, d.journal_entry_id, d.created_at, d.updated_at,
       d.xmin AS version
FROM page p JOIN draft_journal_entries d USING (company_id, id)
"""
#: Newest first, and among one day's drafts the one made last.
_ORDER: Final = {"date": "t.entry_date"}
#: Lines that are written by one statement.
_LINES_AT_ONCE: Final = 2_000


async def list_page(context: Context, wanted: EntryFilter, *, page: int, limit: int) -> Found[Draft]:
    """A page of drafts that aren't booked, newest first; `total` is the number of those that match in all."""
    filters = filters_of(wanted, "SELECT l.draft_id FROM draft_journal_lines l")
    filters.always.append("t.status = 'draft'")
    found = await fetch_page_by_range(
        context,
        table="draft_journal_entries",
        select=_LIST,
        filters=filters,
        order_by=_ORDER,
        request=PageRequest(page, limit, None, "date", descending=True),
    )
    return await _LINES.find(context, found.rows, found.total, _draft)


async def find(context: Context, draft_id: DraftId) -> Found[Draft]:
    """One draft. Raises `DRAFT_JOURNAL_ENTRY_NOT_FOUND`."""
    return await _LINES.find(context, [await _row(context, draft_id)], 1, _draft)


async def get_portions(context: Context, found: Found[Draft], portions: Sequence[Portion]) -> list[Draft | None]:
    """The portions' drafts, each with the lines of its portion alone; None for one that is deleted or booked by now.

    Raises `TOO_MUCH_CONTENTION` when one has changed since it was found.
    """
    lines = await _LINES.get_portions(context, portions)
    # Behind the lines: a change that comes in between is seen here.
    found_again = await context.connection.fetch(
        f"{_SELECT} WHERE company_id = $1 AND id = ANY ($2)",
        context.company_id,
        [portion.owner for portion in portions],
    )
    rows = {row["id"]: row for row in found_again if row["version"] == found.rows[row["id"]]["version"]}
    if any(row["id"] not in rows and row["status"] == DraftStatus.DRAFT for row in found_again):
        raise TOO_MUCH_CONTENTION.error("A draft was changed while the answer was being read.")
    return [
        _draft(rows[portion.owner], some) if portion.owner in rows else None
        for portion, some in zip(portions, lines, strict=True)
    ]


async def get_for_update(context: Context, draft_id: DraftId) -> Draft:
    """One draft with its lines, kept from other changes until the transaction ends.

    Raises `DRAFT_JOURNAL_ENTRY_NOT_FOUND`.
    """
    (draft,) = await _LINES.get_all(context, [await _row(context, draft_id, " FOR UPDATE")], _draft)
    return draft


async def _row(context: Context, draft_id: DraftId, locking: str = "") -> asyncpg.Record:
    statement = f"{_SELECT} WHERE company_id = $1 AND id = $2{locking}"
    return DRAFT_JOURNAL_ENTRY_NOT_FOUND.unless(
        await context.connection.fetchrow(statement, context.company_id, draft_id)
    )


async def insert(context: Context, drafts: Sequence[Draft]) -> None:
    """Add drafts with their lines: few statements, however many they are."""
    rows = [(draft.id, draft.attachment_count, *_values(draft.content)) for draft in drafts]
    await context.connection.execute(_INSERT, context.company_id, context.now, *zip(*rows, strict=True))
    await _insert_lines(context, drafts)


async def update(context: Context, before: Draft, after: Draft) -> None:
    """Write a draft that has changed, and its lines where they differ."""
    await context.connection.execute(
        _UPDATE, context.company_id, after.id, after.updated_at, after.attachment_count, *_values(after.content)
    )
    if after.line_ids != before.line_ids:
        await _delete_lines(context, after.id)
        await _insert_lines(context, [after])


async def mark_booked(context: Context, draft: Draft) -> None:
    """Write that a draft has become an entry, which this transaction has yet to post."""
    await context.connection.execute(
        "UPDATE draft_journal_entries SET status = $3, journal_entry_id = $4, updated_at = $5"
        " WHERE company_id = $1 AND id = $2",
        context.company_id,
        draft.id,
        draft.status,
        draft.journal_entry_id,
        draft.updated_at,
    )


async def delete(context: Context, draft_id: DraftId) -> None:
    await _delete_lines(context, draft_id)
    await context.connection.execute(
        "DELETE FROM draft_journal_entries WHERE company_id = $1 AND id = $2", context.company_id, draft_id
    )


async def _insert_lines(context: Context, drafts: Sequence[Draft]) -> None:
    rows = [
        (draft.id, number, line_id, *_line_values(line))
        async for draft in in_steps(drafts, lambda draft: len(draft.content.lines))
        for number, (line_id, line) in enumerate(zip(draft.line_ids, draft.content.lines, strict=True), 1)
    ]
    # The driver writes out a statement's values in one go.
    for start in range(0, len(rows), _LINES_AT_ONCE):
        some = rows[start : start + _LINES_AT_ONCE]
        await context.connection.execute(_INSERT_LINES, context.company_id, *zip(*some, strict=True))


async def _delete_lines(context: Context, draft_id: DraftId) -> None:
    await context.connection.execute(
        "DELETE FROM draft_journal_lines WHERE company_id = $1 AND draft_id = $2", context.company_id, draft_id
    )


def _values(content: EntryInput) -> tuple[Any, ...]:
    *others, tag_ids = entry_values(content)
    return content.currency, content.exchange_rate, *others, array_literal(tag_ids)


def _line_values(line: LineInput) -> tuple[Any, ...]:
    account_id, side, *others, tag_ids, line_type = line_values(line)
    own = line.vat_included, line.vat_amount
    return *own, account_id, side is Side.DEBIT, *others, array_literal(tag_ids), line_type


def _draft(row: asyncpg.Record, lines: Sequence[asyncpg.Record]) -> Draft:
    content = EntryInput(
        *entry_values_of(row),
        lines=tuple([_line(line) for line in lines]),
        currency=row["currency"],
        exchange_rate=row["exchange_rate"],
    )
    return Draft(
        id=row["id"],
        content=content,
        line_ids=tuple([line["id"] for line in lines]),
        accounts={line["account_id"]: AccountName(line["account_number"], line["account_name"]) for line in lines},
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        status=DraftStatus(row["status"]),
        journal_entry_id=row["journal_entry_id"],
        attachment_count=row["attachment_count"],
    )


def _line(row: asyncpg.Record) -> LineInput:
    return LineInput(*line_values_of(row), vat_included=row["vat_included"], vat_amount=row["vat_amount"])
