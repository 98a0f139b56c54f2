"""Posting in the database: one call of `post_entries`, and what its refusals mean."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.chart.dimensions.model import DIMENSION_VALUE_NOT_FOUND
from ledgerbee.chart.journal_categories.model import JOURNAL_CATEGORY_NOT_FOUND
from ledgerbee.chart.vat_codes.model import VAT_CODE_NOT_FOUND
from ledgerbee.core.errors import ErrorCode, LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import (
    FISCAL_YEAR_MISSING,
    JOURNAL_ENTRY_ALREADY_POSTED,
    JOURNAL_ENTRY_ALREADY_REVERSED,
    JOURNAL_ENTRY_AMOUNT_INVALID,
    JOURNAL_ENTRY_NOT_FOUND,
    JOURNAL_ENTRY_PARTY_REQUIRED,
    JOURNAL_ENTRY_UNBALANCED,
    PERIOD_LOCKED,
    VAT_TYPES,
    AccountName,
    NewEntry,
    Side,
)
from ledgerbee.ledger.entries.rules.balance import below
from ledgerbee.parties.customers.model import CUSTOMER_NOT_FOUND
from ledgerbee.parties.vendors.model import VENDOR_NOT_FOUND
from ledgerbee.platform.context import Context

#: Types of the arguments of post_entries() that are sent as array literals: numbers, days and words of ours. The driver
#: encodes an array element by element, at many times the cost of joining digits.
LITERALS: Final = {4: "text", 5: "date", 6: "text", 7: "numeric", 8: "numeric", 19: "int", 20: "int"} | {
    22: "int", 23: "int", 24: "uuid", 26: "boolean", 27: "numeric", 28: "numeric", 29: "text"
}  # fmt: skip
POST: Final = "SELECT * FROM post_entries({})".format(
    ", ".join(f"${n}::text::{LITERALS[n]}[]" if n in LITERALS else f"${n}" for n in range(1, 33))
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
    accounts: Mapping[UUID, AccountName]


async def post(
    context: Context,
    entries: Sequence[NewEntry],
    line_ids: Sequence[Sequence[UUID | str]],
    digests: Sequence[bytes],
    paths: Sequence[str],
) -> Places:
    """Write entries with their lines in one round trip; all or none.

    Raises the errors of `actions.post`, each with the path of the entry it is about in `details.property`.
    """
    # A financial year that has to be opened needs an id; two calendar years can share one and one can touch two.
    spare_year_ids = [new_id() for _ in range(2 * len({entry.date.year for entry in entries}))]
    try:
        row = await context.connection.fetchrow(
            POST, context.now, spare_year_ids, *entry_columns(entries, digests), *line_columns(entries, line_ids)
        )
    except asyncpg.PostgresError as fault:
        known = _explain(fault, entries, paths)
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
    )


def entry_columns(entries: Sequence[NewEntry], digests: Sequence[bytes]) -> tuple[Sequence[Any] | str | None, ...]:
    """The arguments of `post_entries` that have an element an entry."""
    return (
        [entry.id for entry in entries],
        _literal([entry.entry_type for entry in entries]),
        _literal([entry.date.isoformat() for entry in entries]),
        _literal([f'"{entry.currency}"' for entry in entries]),
        _literal([str(entry.exchange_rate) for entry in entries]),
        _literal([str(entry.original_amount) for entry in entries]),
        _or_none([entry.description for entry in entries]),
        _or_none([entry.reference for entry in entries]),
        _or_none([entry.external_system_id for entry in entries]),
        _or_none([entry.customer_id for entry in entries]),
        _or_none([entry.vendor_id for entry in entries]),
        _or_none([entry.journal_category_id for entry in entries]),
        _or_none([array_literal(entry.tag_ids) for entry in entries]),
        _or_none([entry.source_type for entry in entries]),
        _or_none([entry.source_id for entry in entries]),
        _or_none([entry.reverses_entry_id for entry in entries]),
        _literal([str(len(entry.lines)) for entry in entries]),
        _literal([str(len(entry.attachment_hashes)) for entry in entries]),
        digests,
    )


def line_columns(
    entries: Sequence[NewEntry], line_ids: Sequence[Sequence[UUID | str]]
) -> tuple[Sequence[Any] | str | None, ...]:
    """The arguments of `post_entries` that have an element a line."""
    lines = [line for entry in entries for line in entry.lines]
    return (
        _literal([str(place) for place, entry in enumerate(entries, 1) for _ in entry.lines]),
        _literal([str(number) for entry in entries for number in range(1, len(entry.lines) + 1)]),
        _literal([str(line_id) for ids in line_ids for line_id in ids]),
        [line.account_id for line in lines],
        _literal(["t" if line.side is Side.DEBIT else "f" for line in lines]),
        _literal([str(line.amount) for line in lines]),
        _literal([str(line.base_amount) for line in lines]),
        _literal([line.line_type for line in lines]),
        _or_none([line.vat_code_id for line in lines]),
        _or_none([line.description for line in lines]),
        _or_none([array_literal(line.tag_ids) for line in lines]),
    )


def _literal(elements: Sequence[str]) -> str:
    """An array in PostgreSQL's text form, of elements that need no quotes."""
    return f"{{{','.join(elements)}}}"


def _or_none(column: Sequence[Any]) -> Sequence[Any] | None:
    """A column that says nothing needs no elements: `unnest` fills up with nulls, and encoding them costs time."""
    return column if any(value is not None for value in column) else None


def array_literal(ids: Sequence[UUID]) -> str | None:
    """A list inside a column of lists: arrays of arrays would all have to be of one length. None if it is empty."""
    return f"{{{','.join([tag.hex for tag in ids])}}}" if ids else None


def _entered_place(entry: NewEntry, line: int) -> int:
    """The place in the request, from 0, of what became the entry's line number `line`: VAT follows its own line."""
    return sum(one.line_type not in VAT_TYPES for one in entry.lines[:line]) - 1


def _explain(fault: asyncpg.PostgresError, entries: Sequence[NewEntry], paths: Sequence[str]) -> LedgerBeeError | None:
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
    for entry, path in zip(entries, paths, strict=True):
        if str(entry.id) == entry_id:
            place = below(path, f"lines.{_entered_place(entry, line)}") if line else path
            details = ({"property": place} if place else {}) | details
            if code in {PERIOD_LOCKED, FISCAL_YEAR_MISSING}:
                details["date"] = entry.date.isoformat()
    return code.error(**details)
