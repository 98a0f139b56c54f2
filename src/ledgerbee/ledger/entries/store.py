"""Journal entries in the database: posting (one call of `post_entries`), the list and the single read."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.chart.journal_categories.model import JOURNAL_CATEGORY_NOT_FOUND
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.ledger.entries.model import (
    FISCAL_YEAR_MISSING,
    JOURNAL_ENTRY_ALREADY_POSTED,
    JOURNAL_ENTRY_ALREADY_REVERSED,
    JOURNAL_ENTRY_AMOUNT_INVALID,
    JOURNAL_ENTRY_NOT_FOUND,
    JOURNAL_ENTRY_PARTY_REQUIRED,
    JOURNAL_ENTRY_UNBALANCED,
    PERIOD_LOCKED,
    EntryType,
    JournalEntry,
    JournalLine,
    LineType,
    NewEntry,
    Side,
)
from ledgerbee.parties.customers.model import CUSTOMER_NOT_FOUND
from ledgerbee.parties.vendors.model import VENDOR_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_POST: Final = f"SELECT * FROM post_entries({', '.join(f'${number}' for number in range(1, 32))})"

#: SQLSTATEs of sql/0004_ledger.sql.
_FAULTS: Final[Mapping[str, ErrorCode]] = {
    "LB410": PERIOD_LOCKED,
    "LB411": FISCAL_YEAR_MISSING,
    "LB412": JOURNAL_ENTRY_UNBALANCED,
    "LB413": JOURNAL_ENTRY_AMOUNT_INVALID,
    "LB414": ACCOUNT_NOT_FOUND,
    "LB415": ACCOUNT_NOT_BOOKABLE,
    "LB416": JOURNAL_ENTRY_PARTY_REQUIRED,
}
_MISSING: Final[Mapping[str, ErrorCode]] = {
    "customerId": CUSTOMER_NOT_FOUND,
    "vendorId": VENDOR_NOT_FOUND,
    "journalCategoryId": JOURNAL_CATEGORY_NOT_FOUND,
    "vatCodeId": VAT_CODE_NOT_FOUND,
    "reversesEntryId": JOURNAL_ENTRY_NOT_FOUND,
}
_CONSTRAINTS: Final[Mapping[str, ErrorCode]] = {
    "journal_entries_pkey": JOURNAL_ENTRY_ALREADY_POSTED,
    "journal_lines_pkey": JOURNAL_ENTRY_ALREADY_POSTED,
    "journal_entries_reverses": JOURNAL_ENTRY_ALREADY_REVERSED,
}


@dataclass(frozen=True, slots=True)
class Places:
    """What posting answers: the entries' places in the books, in order, and the accounts they stand on."""

    base_currency: str
    first_position: int
    numbers: Sequence[int]
    previous_hashes: Sequence[bytes]
    hashes: Sequence[bytes]
    accounts: Mapping[UUID, tuple[int, str]]


async def post(
    context: Context, entries: Sequence[NewEntry], line_ids: Sequence[Sequence[UUID]], digests: Sequence[bytes]
) -> Places:
    """Write entries with their lines in one round trip; all or none.

    Raises the errors of `actions.post`, each with the entry it is about in `details.property`.
    """
    # A financial year that has to be opened needs an id; two calendar years can share one and one can touch two.
    spare_year_ids = [new_id() for _ in range(2 * len({entry.date.year for entry in entries}))]
    try:
        row = await context.connection.fetchrow(
            _POST, context.now, spare_year_ids, *_entry_columns(entries, digests), *_line_columns(entries, line_ids)
        )
    except asyncpg.PostgresError as fault:
        known = _explain(fault, entries)
        if known is None:
            raise
        raise known from None
    assert row is not None
    return Places(
        base_currency=row["base_currency"],
        first_position=row["first_position"],
        numbers=row["numbers"],
        previous_hashes=row["previous_hashes"],
        hashes=row["hashes"],
        accounts=dict(
            zip(row["account_ids"], zip(row["account_numbers"], row["account_names"], strict=True), strict=True)
        ),
    )


def _entry_columns(entries: Sequence[NewEntry], digests: Sequence[bytes]) -> tuple[Sequence[Any] | None, ...]:
    return (
        [entry.id for entry in entries],
        [entry.entry_type for entry in entries],
        [entry.date for entry in entries],
        [entry.currency for entry in entries],
        [entry.exchange_rate for entry in entries],
        [entry.original_amount for entry in entries],
        _or_none([entry.description for entry in entries]),
        _or_none([entry.reference for entry in entries]),
        _or_none([entry.external_system_id for entry in entries]),
        _or_none([entry.customer_id for entry in entries]),
        _or_none([entry.vendor_id for entry in entries]),
        _or_none([entry.journal_category_id for entry in entries]),
        _or_none([_array_literal(entry.tag_ids) for entry in entries]),
        _or_none([entry.source_type for entry in entries]),
        _or_none([entry.source_id for entry in entries]),
        _or_none([entry.reverses_entry_id for entry in entries]),
        [len(entry.lines) for entry in entries],
        digests,
    )


def _line_columns(entries: Sequence[NewEntry], line_ids: Sequence[Sequence[UUID]]) -> tuple[Sequence[Any] | None, ...]:
    lines = [line for entry in entries for line in entry.lines]
    return (
        [place for place, entry in enumerate(entries, 1) for _ in entry.lines],
        [number for entry in entries for number in range(1, len(entry.lines) + 1)],
        [line_id for ids in line_ids for line_id in ids],
        [line.account_id for line in lines],
        [line.side is Side.DEBIT for line in lines],
        [line.amount for line in lines],
        [line.base_amount for line in lines],
        [line.line_type for line in lines],
        _or_none([line.vat_code_id for line in lines]),
        _or_none([line.description for line in lines]),
        _or_none([_array_literal(line.tag_ids) for line in lines]),
    )


def _or_none(column: Sequence[Any]) -> Sequence[Any] | None:
    """A column that says nothing needs no elements: `unnest` fills up with nulls, and encoding them costs time."""
    return column if any(value is not None for value in column) else None


def _array_literal(ids: Sequence[UUID]) -> str | None:
    return f"{{{','.join([tag.hex for tag in ids])}}}" if ids else None


def _explain(fault: asyncpg.PostgresError, entries: Sequence[NewEntry]) -> LedgerBeeError | None:
    """The documented error behind a refusal of the database, naming the entry (and line) as the request does."""
    if isinstance(fault, asyncpg.UniqueViolationError):
        code = _CONSTRAINTS.get(fault.constraint_name or "")
        return code.error() if code else None
    if isinstance(fault, asyncpg.NumericValueOutOfRangeError):
        return JOURNAL_ENTRY_AMOUNT_INVALID.error()
    if fault.sqlstate not in _FAULTS and fault.sqlstate != "LB417":
        return None
    details: dict[str, Any] = json.loads(fault.detail or "{}")
    code = _FAULTS.get(fault.sqlstate) or _MISSING[details["field"]]
    entry_id, line = details.pop("entryId", None), details.pop("line", None)
    for index, entry in enumerate(entries):
        if str(entry.id) == entry_id:
            path = f"entries.{index}" + (f".lines.{line - 1}" if line else "")
            details = {"property": path, **details}
            if code in {PERIOD_LOCKED, FISCAL_YEAR_MISSING}:
                details["date"] = entry.date.isoformat()
    return code.error(**details)


_ENTRY: Final = """
SELECT e.id, e.entry_number, e.entry_type, e.entry_date, e.currency, e.exchange_rate, e.original_amount,
       e.description, e.reference, e.external_system_id, e.customer_id, e.vendor_id, e.journal_category_id, e.tag_ids,
       e.reverses_entry_id, r.id AS reversed_by_entry_id, e.posted_at, e.previous_hash, e.hash, g.base_currency
"""
_ENTRY_JOINS: Final = """
JOIN ledgers g ON g.company_id = e.company_id
LEFT JOIN journal_entries r ON r.company_id = e.company_id AND r.reverses_entry_id = e.id
"""
_GET: Final = f"{_ENTRY} FROM journal_entries e {_ENTRY_JOINS} WHERE e.company_id = $1 AND e.id = $2"
_LIST: Final = f"{_ENTRY} FROM page p JOIN journal_entries e USING (company_id, id) {_ENTRY_JOINS}"
_LINES: Final = """
SELECT l.entry_id, l.id, l.account_id, a.number AS account_number, a.name AS account_name, l.is_debit, l.amount,
       l.base_amount, l.line_type, l.vat_code_id, l.description, l.tag_ids
FROM journal_lines l JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id
WHERE l.company_id = $1 AND l.entry_id = ANY ($2)
ORDER BY l.entry_id, l.line_number
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


async def list_page(context: Context, wanted: EntryFilter, *, page: int, limit: int) -> Page[JournalEntry]:
    """A page of posted entries with their lines, newest first."""
    filters = _filters(wanted)
    total = await _count_all(context) if not filters.arguments else None
    found = await fetch_page(
        context,
        table="journal_entries",
        select=_LIST,
        filters=filters,
        order_by=_ORDER,
        request=PageRequest(page, limit, None, "date", descending=True),
        total=total,
    )
    return Page(await _with_lines(context, found.rows), found.total)


async def get(context: Context, entry_id: UUID) -> JournalEntry:
    """One posted entry with its lines. Raises `JOURNAL_ENTRY_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, entry_id)
    if row is None:
        raise JOURNAL_ENTRY_NOT_FOUND.error()
    return (await _with_lines(context, [row]))[0]


def _filters(wanted: EntryFilter) -> Filter:
    filters = Filter()
    for condition, value in (
        ("t.entry_date >= {}", wanted.from_date),
        ("t.entry_date <= {}", wanted.to_date),
        ("t.customer_id = {}", wanted.customer_id),
        ("t.vendor_id = {}", wanted.vendor_id),
        ("t.entry_type = {}", wanted.entry_type),
        ("t.original_amount >= {}", wanted.min_amount),
        ("t.original_amount <= {}", wanted.max_amount),
        ("t.external_system_id = {}", wanted.external_system_id),
        (
            "t.id IN (SELECT l.entry_id FROM journal_lines l WHERE l.company_id = $1 AND l.account_id = {})",
            wanted.account_id,
        ),
    ):
        if value is not None:
            filters.add(condition, value)
    filters.starts_with(wanted.search, "description_key", "reference_key")
    return filters


async def _count_all(context: Context) -> int:
    """Every entry took the next position in the chain, so its head counts them."""
    position = await context.connection.fetchval(
        "SELECT chain_position FROM ledgers WHERE company_id = $1", context.company_id
    )
    return int(position or 0)


async def _with_lines(context: Context, rows: Sequence[asyncpg.Record]) -> list[JournalEntry]:
    if not rows:
        return []
    lines: dict[UUID, list[JournalLine]] = {row["id"]: [] for row in rows}
    for line in await context.connection.fetch(_LINES, context.company_id, list(lines)):
        lines[line["entry_id"]].append(_line(line))
    return [_entry(row, lines[row["id"]]) for row in rows]


def _line(row: asyncpg.Record) -> JournalLine:
    return JournalLine(
        id=row["id"],
        account_id=row["account_id"],
        account_number=row["account_number"],
        account_name=row["account_name"],
        side=Side.DEBIT if row["is_debit"] else Side.CREDIT,
        amount=abs(row["amount"]),
        base_amount=abs(row["base_amount"]),
        line_type=LineType(row["line_type"]),
        vat_code_id=row["vat_code_id"],
        description=row["description"],
        tag_ids=tuple(row["tag_ids"]),
    )


def _entry(row: asyncpg.Record, lines: Sequence[JournalLine]) -> JournalEntry:
    return JournalEntry(
        id=row["id"],
        entry_number=row["entry_number"],
        entry_type=EntryType(row["entry_type"]),
        date=row["entry_date"],
        currency=row["currency"],
        base_currency=row["base_currency"],
        exchange_rate=row["exchange_rate"],
        original_amount=row["original_amount"],
        description=row["description"],
        reference=row["reference"],
        external_system_id=row["external_system_id"],
        customer_id=row["customer_id"],
        vendor_id=row["vendor_id"],
        journal_category_id=row["journal_category_id"],
        tag_ids=tuple(row["tag_ids"]),
        lines=tuple(lines),
        reverses_entry_id=row["reverses_entry_id"],
        reversed_by_entry_id=row["reversed_by_entry_id"],
        posted_at=row["posted_at"],
        previous_hash=row["previous_hash"],
        hash=row["hash"],
    )
