"""Posting in the database: one call of `post_entries`, and what its refusals mean."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

import asyncpg

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.chart.dimensions.model import DIMENSION_VALUE_NOT_FOUND
from ledgerbee.chart.journal_categories.model import JOURNAL_CATEGORY_NOT_FOUND
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND
from ledgerbee.core.dates import iso_day
from ledgerbee.core.errors import ErrorCode, LedgerBeeError, with_places
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import (
    DEBIT,
    FISCAL_YEAR_MISSING,
    HOW_TO_OPEN,
    JOURNAL_ENTRY_ALREADY_POSTED,
    JOURNAL_ENTRY_ALREADY_REVERSED,
    JOURNAL_ENTRY_AMOUNT_INVALID,
    JOURNAL_ENTRY_NOT_FOUND,
    JOURNAL_ENTRY_PARTY_REQUIRED,
    JOURNAL_ENTRY_UNBALANCED,
    PERIOD_LOCKED,
    VAT_TYPES,
    AccountName,
    LineType,
    NewEntry,
)
from ledgerbee.ledger.entries.rules.balance import below
from ledgerbee.ledger.periods import store as periods
from ledgerbee.ledger.periods.model import FiscalYear
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.platform.literals import array, bytea_array, nullable_array, text_array

T = TypeVar("T")

#: Element types of the arrays that post_entries() takes after its first two arguments: an array an entry, then a line.
_ENTRY_ARRAYS: Final = (
    *("uuid", "text", "date", "text", "numeric", "numeric", "text", "text", "text", "uuid", "uuid", "uuid", "text"),
    *("text", "uuid", "uuid", "int", "int", "bytea"),
)
_LINE_ARRAYS: Final = (
    *("int", "int", "uuid", "uuid", "boolean", "numeric", "numeric", "text", "uuid", "text", "text", "numeric"),
    "numeric",
)
#: What belongs to an entry and came later.
_LATER_ARRAYS: Final = ("date",)
POST: Final = "SELECT * FROM post_entries($1, $2, {})".format(
    ", ".join(f"${n}::text::{kind}[]" for n, kind in enumerate((*_ENTRY_ARRAYS, *_LINE_ARRAYS, *_LATER_ARRAYS), 3))
)

#: SQLSTATEs of the guards (sql/0004_ledger.sql names them).
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
    "tagIds": DIMENSION_VALUE_NOT_FOUND,
}
_ABOUT_DAYS: Final = frozenset({PERIOD_LOCKED, FISCAL_YEAR_MISSING})
_ABOUT_ACCOUNTS: Final = frozenset({ACCOUNT_NOT_FOUND, ACCOUNT_NOT_BOOKABLE})
_CONSTRAINTS: Final[Mapping[str, ErrorCode]] = {
    "journal_entries_pkey": JOURNAL_ENTRY_ALREADY_POSTED,
    "journal_lines_pkey": JOURNAL_ENTRY_ALREADY_POSTED,
    "journal_entries_reverses": JOURNAL_ENTRY_ALREADY_REVERSED,
}


@dataclass(frozen=True, slots=True)
class Places:
    """What posting answers: the entries' places in the books, in order, and the accounts they stand on.

    `opened` are the financial years that came to be by it, by start.
    """

    base_currency: str
    first_position: int
    numbers: Sequence[int]
    previous_hashes: Sequence[bytes]
    hashes: Sequence[bytes]
    accounts: Mapping[UUID, AccountName]
    opened: Sequence[FiscalYear]


async def post(
    context: Context,
    entries: Sequence[NewEntry],
    columns: Sequence[str | None],
    paths: Sequence[str],
    *,
    are_entered: bool = True,
) -> Places:
    """Write entries with their lines, as `columns_of` has them, in one round trip; all or none.

    Raises the errors of `actions.post`, each with the place in the request that it is about in `details.property`: a
    field of the entry at its path. Of entries that are not `are_entered` the request has no fields but one `date` for
    all of them.
    """
    # A financial year that has to be opened needs an id; two calendar years can share one and one can touch two.
    spare_year_ids = [new_id() for _ in range(2 * len({entry.date.year for entry in entries}))]
    try:
        row = await context.connection.fetchrow(POST, context.now, spare_year_ids, *columns)
    except asyncpg.PostgresError as fault:
        known = _explain(fault, entries, paths, are_entered=are_entered)
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
        accounts={
            account_id: AccountName(number, name)
            for account_id, number, name in zip(
                row["account_ids"], row["account_numbers"], row["account_names"], strict=True
            )
        },
        # A new year's first entry has number 1: only then is it worth asking.
        opened=await periods.get_many(context, spare_year_ids) if 1 in row["numbers"] else [],
    )


def columns_of(
    entries: Sequence[NewEntry], line_ids: Sequence[Sequence[UUID]], digests: Sequence[bytes]
) -> tuple[str | None, ...]:
    """The entries as the arguments of `post_entries` after its first two."""
    lines = [line for entry in entries for line in entry.lines]
    amounts, base_amounts = [line.amount for line in lines], [line.base_amount for line in lines]
    written_amounts = array([str(amount) for amount in amounts])
    return (
        array([str(entry.id) for entry in entries]),
        array([entry.entry_type for entry in entries]),
        array([iso_day(entry.date) for entry in entries]),
        text_array([entry.currency for entry in entries]),
        array([str(entry.exchange_rate) for entry in entries]),
        array([str(entry.original_amount) for entry in entries]),
        _if_any(text_array, [entry.description for entry in entries]),
        _if_any(text_array, [entry.reference for entry in entries]),
        _if_any(text_array, [entry.external_system_id for entry in entries]),
        _if_any(nullable_array, [entry.customer_id for entry in entries]),
        _if_any(nullable_array, [entry.vendor_id for entry in entries]),
        _if_any(nullable_array, [entry.journal_category_id for entry in entries]),
        _if_any(text_array, [array_literal(entry.tag_ids) if entry.tag_ids else None for entry in entries]),
        _if_any(text_array, [entry.source_type for entry in entries]),
        _if_any(nullable_array, [entry.source_id for entry in entries]),
        _if_any(nullable_array, [entry.reverses_entry_id for entry in entries]),
        array([str(len(entry.lines)) for entry in entries]),
        array([str(len(entry.attachment_hashes)) for entry in entries]),
        bytea_array(digests),
        array([str(place) for place, entry in enumerate(entries, 1) for _ in entry.lines]),
        array([str(number) for entry in entries for number in range(1, len(entry.lines) + 1)]),
        array([str(line_id) for ids in line_ids for line_id in ids]),
        array([str(line.account_id) for line in lines]),
        array(["t" if line.side is DEBIT else "f" for line in lines]),
        written_amounts,
        written_amounts if base_amounts == amounts else array([str(amount) for amount in base_amounts]),
        array([line.line_type for line in lines]),
        _if_any(nullable_array, [line.vat_code_id for line in lines]),
        _if_any(text_array, [line.description for line in lines]),
        _if_any(text_array, [array_literal(line.tag_ids) if line.tag_ids else None for line in lines]),
        _if_any(nullable_array, [line.vat_rate for line in lines]),
        _if_any(nullable_array, [line.vat_difference for line in lines]),
        _if_any(nullable_array, [entry.delivery_date for entry in entries]),
    )


def _if_any(written: Callable[[Sequence[T | None]], str], column: Sequence[T | None]) -> str | None:
    """A column that says nothing needs no elements: `unnest` fills up with nulls."""
    return None if column.count(None) == len(column) else written(column)


def array_literal(ids: Sequence[UUID]) -> str:
    """A list inside a column of lists: arrays of arrays would all have to be of one length."""
    return array([tag.hex for tag in ids])


def _entered_place(entry: NewEntry, line: int) -> int:
    """The place in the request, from 0, of what became the entry's line number `line`: VAT follows its own line."""
    return sum(one.line_type not in VAT_TYPES for one in entry.lines[:line]) - 1


def _explain(
    fault: asyncpg.PostgresError, entries: Sequence[NewEntry], paths: Sequence[str], *, are_entered: bool
) -> LedgerBeeError | None:
    """The documented error behind a refusal of the database, naming the place as the request does."""
    if isinstance(fault, asyncpg.UniqueViolationError):
        code = _CONSTRAINTS.get(fault.constraint_name or "")
        return code.error() if code else None
    if isinstance(fault, asyncpg.NumericValueOutOfRangeError):
        return JOURNAL_ENTRY_AMOUNT_INVALID.error()
    if fault.sqlstate not in _FAULTS and fault.sqlstate != "LB417":
        return None
    details: dict[str, Any] = json.loads(fault.detail or "{}")
    code = _FAULTS.get(fault.sqlstate) or _MISSING[details["field"]]
    if code is FISCAL_YEAR_MISSING:
        details["hint"] = HOW_TO_OPEN
    refused: Sequence[dict[str, Any]] = details.pop("alike", [details])
    if code in _ABOUT_DAYS:
        days = [entry for entry in entries if _is_closed(entry, code, details)]
        refused = [{**details, "entryId": str(entry.id)} for entry in days] or refused
    own = {str(entry.id): (entry, path) for entry, path in zip(entries, paths, strict=True)}
    found = [_refusal(code, one, own, are_entered=are_entered) for one in refused]
    return with_places(found[0], found[1:])


def _refusal(
    code: ErrorCode, details: dict[str, Any], own: Mapping[str, tuple[NewEntry, str]], *, are_entered: bool
) -> LedgerBeeError:
    """The error of one place, of the database's `details`; `own` are the entries by id, with their places."""
    entry_id, line = details.pop("entryId", None), details.pop("line", None)
    if entry_id not in own:
        return code.error(**details)
    entry, path = own[entry_id]
    if are_entered:
        place = below(path, field) if (field := _field(code, entry, line, details.get("field"))) else path
    else:
        place = "date" if code in _ABOUT_DAYS else path
    if code is PERIOD_LOCKED:
        details["date"] = entry.date.isoformat()
    return code.error(**({"property": place} if place else {}), **details)


def _is_closed(entry: NewEntry, code: ErrorCode, details: Mapping[str, Any]) -> bool:
    """Whether an entry's day is refused as the first one's was, which the database names."""
    day = entry.date.isoformat()
    if code is PERIOD_LOCKED:
        return bool(day <= details["lockedThrough"])
    if "date" not in details:
        return False
    beyond = details["date"] > details["lastKnownDay"] and day >= details["date"]
    return bool(day == details["date"] or day < details["firstKnownDay"] or beyond)


def _field(code: ErrorCode, entry: NewEntry, line: int | None, field: str | None) -> str:
    """The field of an entered entry that a refusal is about; empty for the entry as a whole.

    `line` is the number of the line, from 1, and `field` what it lacks, where the database says so.
    """
    if code in _ABOUT_DAYS:
        return "date"
    if line is None:
        return field or ""
    kind = entry.lines[line - 1].line_type
    if kind is LineType.CONTROL:  # it was added, on the account of the party's group
        return ""
    place = f"lines.{_entered_place(entry, line)}"
    if code in _ABOUT_ACCOUNTS:
        return f"{place}.vatCodeId" if kind in VAT_TYPES else f"{place}.accountId"
    return f"{place}.{field}" if code in _MISSING.values() else place
