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
from ledgerbee.core.errors import ErrorCode, LedgerBeeError, property_path, with_places
from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import (
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
    EntryToPost,
    LineType,
)
from ledgerbee.ledger.entries.store.arrays import POST
from ledgerbee.ledger.periods import store as periods
from ledgerbee.ledger.periods.model import FiscalYear
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

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
_CONSTRAINTS: Final = {
    "journal_entries_pkey": lambda _: JOURNAL_ENTRY_ALREADY_POSTED.error(),
    "journal_lines_pkey": lambda _: JOURNAL_ENTRY_ALREADY_POSTED.error(),
    "journal_entries_reverses": lambda _: JOURNAL_ENTRY_ALREADY_REVERSED.error(),
}


@dataclass(frozen=True, slots=True)
class PostingResult:
    """What `post_entries` returns: of the entries, in order, numbers, positions and hashes; and their accounts.

    `opened` are the financial years that were opened for them, by start.
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
    entries: Sequence[EntryToPost],
    arguments: Sequence[str | None],
    paths: Sequence[str],
    *,
    are_entered: bool = True,
) -> PostingResult:
    """Write entries with their lines, as `arguments_of` has them, in one round trip; all or none.

    Raises the errors of `actions.post_with_events`, each with the place in the request that it is about in
    `details.property`: a field of the entry at its path. Of entries that are not `are_entered` the request has no
    fields but one `date` for all of them.
    """
    # A financial year that has to be opened needs an id; two calendar years can share one and one can touch two.
    spare_year_ids = [new_id() for _ in range(2 * len({entry.date.year for entry in entries}))]
    try:
        with rows.refusing(_CONSTRAINTS):
            row = await context.connection.fetchrow(POST, context.company_id, context.now, spare_year_ids, *arguments)
    except asyncpg.PostgresError as fault:
        known = _explain(fault, entries, paths, are_entered=are_entered)
        if known is None:
            raise
        raise known from None
    assert row is not None
    return PostingResult(
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


def _explain(
    fault: asyncpg.PostgresError, entries: Sequence[EntryToPost], paths: Sequence[str], *, are_entered: bool
) -> LedgerBeeError | None:
    """The documented error behind a refusal of the database, naming the place as the request does."""
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
    code: ErrorCode, details: dict[str, Any], own: Mapping[str, tuple[EntryToPost, str]], *, are_entered: bool
) -> LedgerBeeError:
    """The error of one place, of the database's `details`; `own` are the entries by id, with their places."""
    entry_id, line = details.pop("entryId", None), details.pop("line", None)
    if entry_id not in own:
        return code.error(**details)
    entry, path = own[entry_id]
    if are_entered:
        place = property_path(path, field) if (field := _field(code, entry, line, details.get("field"))) else path
    else:
        place = "date" if code in _ABOUT_DAYS else path
    if code is PERIOD_LOCKED:
        details["date"] = entry.date.isoformat()
    return code.error(**({"property": place} if place else {}), **details)


def _is_closed(entry: EntryToPost, code: ErrorCode, details: Mapping[str, Any]) -> bool:
    """Whether an entry's day is refused as the first one's was, which the database names."""
    day = entry.date.isoformat()
    if code is PERIOD_LOCKED:
        return bool(day <= details["lockedThrough"])
    if "date" not in details:
        return False
    beyond = details["date"] > details["lastKnownDay"] and day >= details["date"]
    return bool(day == details["date"] or day < details["firstKnownDay"] or beyond)


def _field(code: ErrorCode, entry: EntryToPost, line: int | None, field: str | None) -> str:
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
    # In the request from 0, without the lines of VAT, which follow their own line.
    place = f"lines.{sum(one.line_type not in VAT_TYPES for one in entry.lines[:line]) - 1}"
    if code in _ABOUT_ACCOUNTS:
        return f"{place}.vatCodeId" if kind in VAT_TYPES else f"{place}.accountId"
    return f"{place}.{field}" if code in _MISSING.values() else place
