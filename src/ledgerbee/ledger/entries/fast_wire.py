"""Entries straight from JSON to what the rules take, at a tenth of what the wire models cost.

For what is plain and right: anything else (an escape, an amount that is no ordinary decimal string, a rule broken,
attachments, a rate) is left to the models of `wire`, which say what is wrong. So nothing here decides what those don't.
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Final, NamedTuple
from uuid import UUID

from msgspec import Meta, MsgspecError, Struct
from msgspec.json import Decoder

from ledgerbee.core.ids import DriverUUID, parse_id
from ledgerbee.core.money import MAX_AMOUNT, is_currency
from ledgerbee.http.wire import MAX_LINE, MAX_TEXT
from ledgerbee.ledger.entries.model import (
    ENTERED,
    MAX_BATCH,
    MAX_LINES,
    MAX_TAGS,
    EnteredEntry,
    EnteredLine,
    EntryType,
    Side,
)
from ledgerbee.ledger.uploads.model import NewAttachment

_Line = Annotated[str, Meta(max_length=MAX_LINE)]
_Text = Annotated[str, Meta(max_length=MAX_TEXT)]
_Tags = Annotated[tuple[DriverUUID, ...], Meta(max_length=MAX_TAGS)]
#: An amount up to `MAX_AMOUNT` as it would be written back.
_AMOUNT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,12})(?:\.[0-9]{1,4})?")


class _EntryLine(Struct, frozen=True, gc=False, rename="camel", forbid_unknown_fields=True):
    account_id: DriverUUID
    side: Side
    amount: str | int
    vat_code_id: DriverUUID | None = None
    description: _Line | None = None
    tag_ids: _Tags = ()


class _Entry(Struct, frozen=True, gc=False, rename="camel", forbid_unknown_fields=True):
    entry_type: EntryType
    date: date
    lines: Annotated[tuple[_EntryLine, ...], Meta(min_length=1, max_length=MAX_LINES)]
    original_amount: str | int
    customer_id: DriverUUID | None = None
    vendor_id: DriverUUID | None = None
    description: _Text | None = None
    reference: _Line | None = None
    external_system_id: _Line | None = None
    currency: str | None = None
    tag_ids: _Tags = ()
    journal_category_id: DriverUUID | None = None


class _Batch(Struct, frozen=True, forbid_unknown_fields=True):
    entries: Annotated[tuple[_Entry, ...], Meta(min_length=1, max_length=MAX_BATCH)]


class PlainEntry(NamedTuple):
    """Serves in place of a `CreateJournalEntryRequest` without attachments."""

    entry: EnteredEntry
    attachments: tuple[()] = ()

    def entered(self, _: tuple[NewAttachment, ...] = ()) -> EnteredEntry:
        """The entry for the rules."""
        return self.entry


class PlainBatch(NamedTuple):
    """Serves in place of a `CreateJournalEntryBatchRequest` without attachments."""

    entries: list[PlainEntry]


class NotPlainError(Exception):
    """The request is left to the models."""


def plain_id(_: type, value: object) -> UUID:
    """The id, if it is written as it would be written back: a decoder's hook. Raises `NotPlainError`."""
    if not isinstance(value, str):
        raise NotPlainError
    return _id_of(value)


@lru_cache(maxsize=4096)
def _id_of(text: str) -> UUID:
    """What `plain_id` gives: the same few accounts, codes and tags are named over and over."""
    try:
        found = parse_id(text)
    except ValueError:
        raise NotPlainError from None
    if str(found) != text:
        raise NotPlainError
    return found


#: What decoding ends in where the body is left to the models. msgspec looks at the UTF-8 of a text late: ValueError.
_NOT_PLAIN: Final = (MsgspecError, NotPlainError, ValueError, RecursionError)
_ENTRY: Final = Decoder(_Entry, dec_hook=plain_id)
_BATCH: Final = Decoder(_Batch, dec_hook=plain_id)


def plain_entry(raw: bytes) -> PlainEntry | None:
    """The entry in a request's body, or None if it isn't plain."""
    if b"\\" in raw:  # an escape may stand for what can't be stored
        return None
    try:
        return _plain(_ENTRY.decode(raw))
    except _NOT_PLAIN:
        return None


def plain_batch(raw: bytes) -> PlainBatch | None:
    """The batch in a request's body, or None if it isn't plain."""
    if b"\\" in raw:
        return None
    try:
        return PlainBatch([_plain(entry) for entry in _BATCH.decode(raw).entries])
    except _NOT_PLAIN:
        return None


def _plain(entry: _Entry) -> PlainEntry:
    if entry.currency is not None and not is_currency(entry.currency):
        raise NotPlainError
    lines, original_amount = [], plain_amount(entry.original_amount)
    for line in entry.lines:
        # Most entries are one amount on two sides: as one object, it is written out once (rules.chain, rules.text).
        amount = original_amount if line.amount == entry.original_amount else plain_amount(line.amount)
        if amount <= 0:
            raise NotPlainError
        text = stripped(line.description)
        lines.append(EnteredLine(line.account_id, line.side, amount, line.vat_code_id, text, line.tag_ids, ENTERED))
    return PlainEntry(
        EnteredEntry(
            entry.entry_type,
            entry.date,
            tuple(lines),
            original_amount,
            entry.entry_type is not EntryType.JOURNAL_ENTRY,  # owes_control_line
            entry.currency,
            None,  # exchange_rate: the day's
            entry.customer_id,
            entry.vendor_id,
            entry.description,
            stripped(entry.reference),
            stripped(entry.external_system_id),
            entry.journal_category_id,
            entry.tag_ids,
        )
    )


def plain_amount(value: str | int) -> Decimal:
    """The amount, if it is written as it would be written back: no exponent, plus sign, blank or foreign digit.

    Raises `NotPlainError`.
    """
    is_plain = abs(value) <= MAX_AMOUNT if isinstance(value, int) else _AMOUNT.fullmatch(value)
    if not is_plain:
        raise NotPlainError
    return Decimal(value)


def stripped(text: str | None) -> str | None:
    """A single-line text as the models take it."""
    return text.strip() if text else text
