"""Rows of posted entries: the list, single reads, and the two fields that may change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.changes import Changes
from ledgerbee.core.paging import PageRequest
from ledgerbee.ledger.entries.model import (
    JOURNAL_ENTRY_NOT_FOUND,
    AccountName,
    EntryFields,
    EntryId,
    EntryToPost,
    EntryType,
    JournalEntry,
    LineToPost,
)
from ledgerbee.ledger.entries.rules.portions import Portion
from ledgerbee.ledger.entries.store.columns import ENTRY_COLUMNS, entry_values_of, line_values_of, listed
from ledgerbee.ledger.entries.store.lines import Found, LineStatements
from ledgerbee.platform.context import Context
from ledgerbee.platform.key_ranges import KeyRange, fetch_page_by_range
from ledgerbee.platform.listing import Filter

_ENTRY: Final = f"""
SELECT e.id, {listed(ENTRY_COLUMNS, "e")}, e.currency, e.exchange_rate,
       e.source_type, e.source_id, e.reverses_entry_id, r.id AS reversed_by_entry_id, g.base_currency, e.entry_number,
       e.chain_position, e.posted_at, e.previous_hash, e.hash, e.attachment_count,
       (SELECT v.actor FROM events v WHERE v.company_id = e.company_id AND v.sequence = 1 AND v.object_id
            = CASE e.source_type WHEN 'import' THEN e.source_id ELSE e.id END) AS posted_by
"""
_ENTRY_JOINS: Final = """
JOIN ledgers g ON g.company_id = e.company_id
LEFT JOIN journal_entries r ON r.company_id = e.company_id AND r.reverses_entry_id = e.id
"""
_GET: Final = f"{_ENTRY} FROM journal_entries e {_ENTRY_JOINS} WHERE e.company_id = $1 AND e.id = ANY ($2)"
_LIST: Final = f"{_ENTRY} FROM page p JOIN journal_entries e USING (company_id, id) {_ENTRY_JOINS}"
_LINES: Final = LineStatements.of("journal_lines", "entry_id", ("base_amount", "vat_rate", "vat_difference"))
_EXISTS: Final = "SELECT true FROM journal_entries WHERE company_id = $1 AND id = $2"
_LOCK: Final = "SELECT FROM journal_entries WHERE company_id = $1 AND id = ANY ($2) ORDER BY id FOR NO KEY UPDATE"
#: The columns that may change after posting, and whether and to what each of them is set.
_UPDATED: Final = ("reference", "external_system_id")
_UPDATE: Final = """
UPDATE journal_entries SET reference = CASE WHEN $3 THEN $4 ELSE reference END,
       external_system_id = CASE WHEN $5 THEN $6 ELSE external_system_id END
WHERE company_id = $1 AND id = $2 RETURNING true
"""
#: The entries on an account, of its lines alone: what else there is to an entry is not looked at.
_ON_ACCOUNT: Final = """
(SELECT DISTINCT l.company_id, l.entry_date, l.entry_id AS id FROM journal_lines l
 WHERE l.company_id = $1 AND l.account_id = $2)
"""
#: Newest first, and among one day's entries the one posted last.
_ORDER: Final = {"date": "t.entry_date"}


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """What a list of entries is narrowed to (contract 2.8, 2.21). Days and amounts are inclusive.

    `account_id` is on any line; amounts compare with the signed original amount; `search` is a prefix of the
    description or the reference.
    """

    from_date: date | None = None
    to_date: date | None = None
    account_id: UUID | None = None
    customer_id: UUID | None = None
    vendor_id: UUID | None = None
    entry_type: EntryType | None = None
    min_amount: Decimal | None = None
    max_amount: Decimal | None = None
    external_system_id: str | None = None
    search: str | None = None


async def list_page(context: Context, wanted: EntryFilter, *, page: int, limit: int) -> Found[JournalEntry]:
    """A page of posted entries, newest first; `total` is the number of those that match in all."""
    table, filters = _listed(wanted)
    found = await fetch_page_by_range(
        context,
        table=table,
        select=_LIST,
        filters=filters,
        order_by=_ORDER,
        request=PageRequest(page, limit, None, "date", descending=True),
        key_ranges=await _years(context) if not filters.arguments else None,
    )
    return await _LINES.find(context, found.rows, found.total, _entry)


async def find(context: Context, entry_id: EntryId) -> Found[JournalEntry]:
    """One posted entry. Raises `JOURNAL_ENTRY_NOT_FOUND`."""
    rows = await context.connection.fetch(_GET, context.company_id, [entry_id])
    if not rows:
        raise JOURNAL_ENTRY_NOT_FOUND.error()
    return await _LINES.find(context, rows, 1, _entry)


async def get_portions(context: Context, found: Found[JournalEntry], portions: Sequence[Portion]) -> list[JournalEntry]:
    """The portions' entries, each with the lines of its portion alone. What was posted never changes."""
    lines = await _LINES.get_portions(context, portions)
    return [_entry(found.rows[portion.owner], some) for portion, some in zip(portions, lines, strict=True)]


async def get(context: Context, entry_id: EntryId) -> JournalEntry:
    """One posted entry with its lines. Raises `JOURNAL_ENTRY_NOT_FOUND`."""
    return JOURNAL_ENTRY_NOT_FOUND.unless((await get_many(context, [entry_id])).get(entry_id))


async def get_for_update(context: Context, entry_id: EntryId) -> JournalEntry:
    """One posted entry with its lines, kept from being reversed by others. Raises `JOURNAL_ENTRY_NOT_FOUND`."""
    return JOURNAL_ENTRY_NOT_FOUND.unless((await get_many_for_update(context, [entry_id])).get(entry_id))


async def check_exists(context: Context, entry_id: EntryId) -> None:
    """Raise `JOURNAL_ENTRY_NOT_FOUND` where the company has no such entry."""
    JOURNAL_ENTRY_NOT_FOUND.unless(await context.connection.fetchval(_EXISTS, context.company_id, entry_id))


async def get_many(context: Context, ids: Sequence[EntryId]) -> dict[EntryId, JournalEntry]:
    """Those of the entries that the company has, with their lines, by id."""
    rows = await context.connection.fetch(_GET, context.company_id, ids)
    return {entry.id: entry for entry in await _LINES.get_all(context, rows, _entry)}


async def get_many_for_update(context: Context, ids: Sequence[EntryId]) -> dict[EntryId, JournalEntry]:
    """As `get_many`: whoever else reverses one of them waits, and then sees it reversed."""
    await context.connection.execute(_LOCK, context.company_id, ids)
    return await get_many(context, ids)


async def count_lines(context: Context, ids: Sequence[EntryId]) -> int:
    """How many lines those of the entries have that the company has."""
    return sum(await _LINES.count(context, ids))


async def update(context: Context, entry_id: EntryId, changes: Changes[EntryFields]) -> None:
    """Set `reference` and `external_system_id`, those of them that are given. Raises `JOURNAL_ENTRY_NOT_FOUND`."""
    sent = changes.fields
    given = [argument for name in _UPDATED for argument in (name in sent, sent.get(name))]
    JOURNAL_ENTRY_NOT_FOUND.unless(await context.connection.fetchval(_UPDATE, context.company_id, entry_id, *given))


def filters_of(wanted: EntryFilter, owners_of_lines: str) -> Filter:
    """The filter as conditions on a table with the columns of `journal_entries`.

    `owners_of_lines` is a SELECT over its lines `l` that names the rows they belong to.
    """
    filters = Filter()
    _add_days(filters, wanted)
    for condition, value in (
        ("t.customer_id = {}", wanted.customer_id),
        ("t.vendor_id = {}", wanted.vendor_id),
        ("t.entry_type = {}", wanted.entry_type),
        ("t.original_amount >= {}", wanted.min_amount),
        ("t.original_amount <= {}", wanted.max_amount),
        ("t.external_system_id = {}", wanted.external_system_id),
        (f"t.id IN ({owners_of_lines} WHERE l.company_id = $1 AND l.account_id = {{}})", wanted.account_id),
    ):
        if value is not None:
            filters.add(condition, value)
    filters.planned_by_value = wanted.account_id is not None
    filters.starts_with(wanted.search, "description_key", "reference_key")
    return filters


def _listed(wanted: EntryFilter) -> tuple[str, Filter]:
    """What is listed, and the conditions on it."""
    if wanted.account_id is None or wanted != EntryFilter(wanted.from_date, wanted.to_date, wanted.account_id):
        return "journal_entries", filters_of(wanted, "SELECT l.entry_id FROM journal_lines l")
    filters = Filter(arguments=[wanted.account_id])
    _add_days(filters, wanted)
    return _ON_ACCOUNT, filters


def _add_days(filters: Filter, wanted: EntryFilter) -> None:
    for condition, day in (("t.entry_date >= {}", wanted.from_date), ("t.entry_date <= {}", wanted.to_date)):
        if day is not None:
            filters.add(condition, day)


async def _years(context: Context) -> list[KeyRange]:
    """The entries by financial year, whose last number is the count of them."""
    rows = await context.connection.fetch(
        "SELECT start_date, end_date, last_entry_number FROM fiscal_years WHERE company_id = $1 ORDER BY start_date",
        context.company_id,
    )
    return [KeyRange(*row) for row in rows]


def new_line(row: asyncpg.Record) -> LineToPost:
    """A line as it was posted, from its row."""
    return LineToPost(
        *line_values_of(row),
        base_amount=abs(row["base_amount"]),
        vat_rate=row["vat_rate"],
        vat_difference=row["vat_difference"],
    )


def new_entry(row: asyncpg.Record, lines: Iterable[asyncpg.Record], hashes: Sequence[bytes] = ()) -> EntryToPost:
    """An entry as it was posted, from its row, those of its lines, and the hashes of what is attached to it."""
    return EntryToPost(
        *entry_values_of(row),
        id=row["id"],
        currency=row["currency"],
        exchange_rate=row["exchange_rate"],
        source_type=row["source_type"],
        source_id=row["source_id"],
        reverses_entry_id=row["reverses_entry_id"],
        lines=tuple([new_line(line) for line in lines]),
        attachment_hashes=tuple(hashes),
    )


def _entry(row: asyncpg.Record, lines: Sequence[asyncpg.Record]) -> JournalEntry:
    return JournalEntry(
        content=new_entry(row, lines),
        line_ids=[line["id"] for line in lines],
        accounts={line["account_id"]: AccountName(line["account_number"], line["account_name"]) for line in lines},
        base_currency=row["base_currency"],
        entry_number=row["entry_number"],
        chain_position=row["chain_position"],
        previous_hash=row["previous_hash"],
        hash=row["hash"],
        posted_at=row["posted_at"],
        attachment_count=row["attachment_count"],
        reversed_by_entry_id=row["reversed_by_entry_id"],
        posted_by=row["posted_by"],
    )
