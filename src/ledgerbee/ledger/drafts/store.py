"""Rows of drafts and their lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.paging import PageRequest
from ledgerbee.ledger.drafts.model import DRAFT_JOURNAL_ENTRY_NOT_FOUND, Draft, DraftStatus
from ledgerbee.ledger.entries.model import AccountName, EnteredEntry, EnteredLine, EntryType, LineType, Side
from ledgerbee.ledger.entries.rules import MAX_AT_ONCE, Portion
from ledgerbee.ledger.entries.store import EntryFilter, array_literal, filters_of
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import TOO_MUCH_CONTENTION
from ledgerbee.platform.key_ranges import fetch_page_by_range
from ledgerbee.platform.steps import give_way, in_steps

#: What `_values` gives, in its order. Lists of tags are array literals.
_COLUMNS: Final = (
    "entry_type, entry_date, currency, exchange_rate, original_amount, description, reference, external_system_id,"
    " customer_id, vendor_id, journal_category_id, tag_ids, delivery_date"
)
_SELECT: Final = f"""
SELECT id, status, {_COLUMNS}, attachment_count, journal_entry_id, created_at, updated_at, xmin AS version
FROM draft_journal_entries
"""
_INSERT: Final = f"""
INSERT INTO draft_journal_entries (company_id, created_at, updated_at, id, attachment_count, {_COLUMNS})
SELECT $1, $2, $2, d.id, d.attachment_count, d.entry_type, d.entry_date, d.currency, d.exchange_rate,
       d.original_amount, d.description, d.reference, d.external_system_id, d.customer_id, d.vendor_id,
       d.journal_category_id, d.tag_ids::uuid[], d.delivery_date
FROM unnest($3::uuid[], $4::int[], $5::text[], $6::date[], $7::text[], $8::numeric[], $9::numeric[], $10::text[],
            $11::text[], $12::text[], $13::uuid[], $14::uuid[], $15::uuid[], $16::text[], $17::date[])
    AS d (id, attachment_count, entry_type, entry_date, currency, exchange_rate, original_amount, description,
          reference, external_system_id, customer_id, vendor_id, journal_category_id, tag_ids, delivery_date)
"""
_UPDATE: Final = f"""
UPDATE draft_journal_entries SET (updated_at, attachment_count, {_COLUMNS})
    = ($3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16::text::uuid[], $17)
WHERE company_id = $1 AND id = $2
"""
_INSERT_LINES: Final = """
INSERT INTO draft_journal_lines (company_id, draft_id, line_number, id, account_id, is_debit, amount, line_type,
                                 vat_code_id, description, tag_ids, vat_included, vat_amount)
SELECT $1, l.draft_id, l.line_number, l.id, l.account_id, l.is_debit, l.amount, l.line_type, l.vat_code_id,
       l.description, l.tag_ids::uuid[], l.vat_included, l.vat_amount
FROM unnest($2::uuid[], $3::int[], $4::uuid[], $5::uuid[], $6::boolean[], $7::numeric[], $8::text[], $9::uuid[],
            $10::text[], $11::text[], $12::boolean[], $13::numeric[])
    AS l (draft_id, line_number, id, account_id, is_debit, amount, line_type, vat_code_id, description, tag_ids,
          vat_included, vat_amount)
"""
_LINE: Final = """
SELECT l.draft_id, l.id, l.account_id, a.number AS account_number, a.name AS account_name, l.is_debit, l.amount,
       l.line_type, l.vat_code_id, l.description, l.tag_ids, l.vat_included, l.vat_amount
"""
_LINES: Final = f"""
{_LINE} FROM draft_journal_lines l JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id
WHERE l.company_id = $1 AND l.draft_id = ANY ($2)
ORDER BY l.draft_id, l.line_number
"""
_PORTIONS: Final = f"""
{_LINE}, p.number AS portion
FROM unnest($2::uuid[], $3::int[], $4::int[]) WITH ORDINALITY AS p (draft_id, first, last, number)
JOIN draft_journal_lines l ON l.company_id = $1 AND l.draft_id = p.draft_id AND l.line_number BETWEEN p.first AND p.last
JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id
ORDER BY p.number, l.line_number
"""
#: Lines are numbered from 1 in each draft.
_COUNTS: Final = """
SELECT (SELECT max(l.line_number) FROM draft_journal_lines l WHERE l.company_id = $1 AND l.draft_id = d.id) AS lines
FROM unnest($2::uuid[]) WITH ORDINALITY AS d (id, number) ORDER BY d.number
"""
_LIST: Final = f"""
SELECT d.id, d.status, {", ".join(f"d.{name.strip()}" for name in _COLUMNS.split(","))}, d.attachment_count,
       d.journal_entry_id, d.created_at, d.updated_at, d.xmin AS version
FROM page p JOIN draft_journal_entries d USING (company_id, id)
"""
#: Newest first, and among one day's drafts the one made last.
_ORDER: Final = {"date": "t.entry_date"}
#: Lines that are written by one statement.
_LINES_AT_ONCE: Final = 2_000


@dataclass(frozen=True, slots=True)
class Found:
    """Drafts that are asked for, in order: with their lines, or, where those are too many to be read at once, without.

    Then `drafts` is None, `counts` says how many lines each has; a draft that is changed gets another version.
    """

    drafts: list[Draft] | None
    counts: Sequence[tuple[UUID, int]]
    versions: Mapping[UUID, int]
    total: int


async def find_page(context: Context, wanted: EntryFilter, *, page: int, limit: int) -> Found:
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
    return await _found(context, found.rows, found.total)


async def find(context: Context, draft_id: UUID) -> Found:
    """One draft. Raises `DRAFT_JOURNAL_ENTRY_NOT_FOUND`."""
    return await _found(context, [await _row(context, draft_id, "")], 1)


async def read_portions(context: Context, found: Found, portions: Sequence[Portion]) -> list[Draft | None]:
    """The portions' drafts, each with the lines of its portion alone; None for one that is deleted or booked by now.

    Raises `TOO_MUCH_CONTENTION` when one has changed since it was found.
    """
    ids = [portion.owner for portion in portions]
    firsts, lasts = [portion.first for portion in portions], [portion.last for portion in portions]
    lines: list[list[asyncpg.Record]] = [[] for _ in portions]
    for line in await context.connection.fetch(_PORTIONS, context.company_id, ids, firsts, lasts):
        lines[line["portion"] - 1].append(line)
    # Behind the lines: a change that comes in between is seen here.
    found_again = await context.connection.fetch(
        f"{_SELECT} WHERE company_id = $1 AND id = ANY ($2)", context.company_id, ids
    )
    rows = {row["id"]: row for row in found_again if row["version"] == found.versions[row["id"]]}
    if any(row["id"] not in rows and row["status"] == DraftStatus.DRAFT for row in found_again):
        raise TOO_MUCH_CONTENTION.error("A draft was changed while the answer was being read.")
    return [
        _draft(rows[portion.owner], some) if portion.owner in rows else None
        for portion, some in zip(portions, lines, strict=True)
    ]


async def get(context: Context, draft_id: UUID) -> Draft:
    """One draft with its lines. Raises `DRAFT_JOURNAL_ENTRY_NOT_FOUND`."""
    return await _get(context, draft_id, "")


async def get_for_update(context: Context, draft_id: UUID) -> Draft:
    """One draft with its lines, kept from other changes until the transaction ends.

    Raises `DRAFT_JOURNAL_ENTRY_NOT_FOUND`.
    """
    return await _get(context, draft_id, " FOR UPDATE")


async def _get(context: Context, draft_id: UUID, locking: str) -> Draft:
    row = await _row(context, draft_id, locking)
    lines = await context.connection.fetch(_LINES, context.company_id, [draft_id])
    return (await _joined([row], lines))[0]


async def _row(context: Context, draft_id: UUID, locking: str) -> asyncpg.Record:
    row = await context.connection.fetchrow(
        f"{_SELECT} WHERE company_id = $1 AND id = $2{locking}", context.company_id, draft_id
    )
    if row is None:
        raise DRAFT_JOURNAL_ENTRY_NOT_FOUND.error()
    return row


async def insert(context: Context, drafts: Sequence[Draft]) -> None:
    """Add drafts with their lines: few statements, however many they are."""
    rows = [(draft.id, draft.attachment_count, *_values(draft.content)) for draft in drafts]
    await context.connection.execute(_INSERT, context.company_id, context.now, *zip(*rows, strict=True))
    await _insert_lines(context, drafts)


async def save(context: Context, before: Draft, after: Draft) -> None:
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


async def delete(context: Context, draft_id: UUID) -> None:
    """Remove a draft with its lines."""
    await _delete_lines(context, draft_id)
    await context.connection.execute(
        "DELETE FROM draft_journal_entries WHERE company_id = $1 AND id = $2", context.company_id, draft_id
    )


async def _insert_lines(context: Context, drafts: Sequence[Draft]) -> None:
    rows = [
        (
            draft.id,
            number,
            line_id,
            line.account_id,
            line.side is Side.DEBIT,
            line.amount,
            line.line_type,
            line.vat_code_id,
            line.description,
            array_literal(line.tag_ids),
            line.vat_included,
            line.vat_amount,
        )
        async for draft in in_steps(drafts, lambda draft: len(draft.content.lines))
        for number, (line_id, line) in enumerate(zip(draft.line_ids, draft.content.lines, strict=True), 1)
    ]
    # The driver writes out a statement's values in one go.
    for start in range(0, len(rows), _LINES_AT_ONCE):
        some = rows[start : start + _LINES_AT_ONCE]
        await context.connection.execute(_INSERT_LINES, context.company_id, *zip(*some, strict=True))


async def _delete_lines(context: Context, draft_id: UUID) -> None:
    await context.connection.execute(
        "DELETE FROM draft_journal_lines WHERE company_id = $1 AND draft_id = $2", context.company_id, draft_id
    )


async def _found(context: Context, rows: Sequence[asyncpg.Record], total: int) -> Found:
    ids = [row["id"] for row in rows]
    # One more than is read at once: then there are too many.
    lines = await context.connection.fetch(f"{_LINES} LIMIT {MAX_AT_ONCE + 1}", context.company_id, ids) if ids else ()
    if len(lines) <= MAX_AT_ONCE:
        return Found(await _joined(rows, lines), (), {}, total)
    del lines
    counts = await context.connection.fetch(_COUNTS, context.company_id, ids)
    numbers = [(one, count["lines"] or 0) for one, count in zip(ids, counts, strict=True)]
    return Found(None, numbers, {row["id"]: row["version"] for row in rows}, total)


async def _joined(rows: Sequence[asyncpg.Record], found: Sequence[asyncpg.Record]) -> list[Draft]:
    lines: dict[UUID, list[asyncpg.Record]] = {row["id"]: [] for row in rows}
    for line in found:
        lines[line["draft_id"]].append(line)
    await give_way()
    return [_draft(row, lines[row["id"]]) async for row in in_steps(rows, lambda row: len(lines[row["id"]]))]


def _values(content: EnteredEntry) -> tuple[Any, ...]:
    return (
        content.entry_type,
        content.date,
        content.currency,
        content.exchange_rate,
        content.original_amount,
        content.description,
        content.reference,
        content.external_system_id,
        content.customer_id,
        content.vendor_id,
        content.journal_category_id,
        array_literal(content.tag_ids),
        content.delivery_date,
    )


def _draft(row: asyncpg.Record, lines: Sequence[asyncpg.Record]) -> Draft:
    content = EnteredEntry(
        entry_type=EntryType(row["entry_type"]),
        date=row["entry_date"],
        lines=tuple([_line(line) for line in lines]),
        original_amount=row["original_amount"],
        currency=row["currency"],
        exchange_rate=row["exchange_rate"],
        customer_id=row["customer_id"],
        vendor_id=row["vendor_id"],
        description=row["description"],
        reference=row["reference"],
        external_system_id=row["external_system_id"],
        journal_category_id=row["journal_category_id"],
        tag_ids=tuple(row["tag_ids"]),
        delivery_date=row["delivery_date"],
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


def _line(row: asyncpg.Record) -> EnteredLine:
    return EnteredLine(
        account_id=row["account_id"],
        side=Side.DEBIT if row["is_debit"] else Side.CREDIT,
        amount=row["amount"],
        vat_code_id=row["vat_code_id"],
        description=row["description"],
        tag_ids=tuple(row["tag_ids"]),
        line_type=LineType(row["line_type"]),
        vat_included=row["vat_included"],
        vat_amount=row["vat_amount"],
    )
