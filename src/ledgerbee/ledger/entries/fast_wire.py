"""The fast decoder: entries straight from JSON to what the rules take, at a tenth of what the models of `wire` cost.

It takes what is usual and right. Anything else (an escape, an amount that isn't written as it would be written back, a
rule broken, attachments, a rate) it leaves to the models, which take it or say what is wrong: it decides nothing that
they don't. Its structs are checked against the models when the process starts (`decoder_checks.py`).
"""

import re
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from msgspec import Meta, MsgspecError, Struct
from msgspec.json import Decoder
from msgspec.structs import astuple, fields

from ledgerbee.core.ids import DriverUUID, parse_id
from ledgerbee.core.money import MAX_AMOUNT, is_currency
from ledgerbee.http.wire import MAX_LINE, MAX_TEXT, RequestModel
from ledgerbee.ledger.entries.decoder_checks import check_fields, check_struct
from ledgerbee.ledger.entries.model import (
    ENTERED,
    ENTRY_FIELDS,
    MAX_BATCH,
    MAX_LINES,
    MAX_TAGS,
    Day,
    EntryInput,
    EntryType,
    LineInput,
    Side,
)
from ledgerbee.ledger.uploads.model import NewAttachment

LineText: TypeAlias = Annotated[str, Meta(max_length=MAX_LINE)]
LongText: TypeAlias = Annotated[str, Meta(max_length=MAX_TEXT)]
Tags: TypeAlias = Annotated[tuple[DriverUUID, ...], Meta(max_length=MAX_TAGS)]
#: An amount up to `MAX_AMOUNT` as it would be written back.
_USUAL_AMOUNT: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,12})(?:\.[0-9]{1,4})?")


class FastEntry(Struct, frozen=True, gc=False, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """The fields of a request with an entry, as the fast decoder takes them: first those of `EntryFields`, in order.

    `None` as a type: the request may have null there, and is left to the models where it has more.
    """

    entry_type: EntryType
    date: date
    original_amount: str | int
    delivery_date: Day | None = None
    description: LongText | None = None
    reference: LineText | None = None
    external_system_id: LineText | None = None
    customer_id: DriverUUID | None = None
    vendor_id: DriverUUID | None = None
    journal_category_id: DriverUUID | None = None
    tag_ids: Tags = ()
    currency: str | None = None
    exchange_rate: None = None


class _Line(Struct, frozen=True, gc=False, rename="camel", forbid_unknown_fields=True):
    account_id: DriverUUID
    side: Side
    amount: str | int
    vat_code_id: DriverUUID | None = None
    description: LineText | None = None
    tag_ids: Tags = ()


class _Entry(FastEntry, frozen=True, gc=False, kw_only=True, rename="camel", forbid_unknown_fields=True):
    lines: Annotated[tuple[_Line, ...], Meta(min_length=1, max_length=MAX_LINES)]


class _Batch(Struct, frozen=True, forbid_unknown_fields=True):
    entries: Annotated[tuple[_Entry, ...], Meta(min_length=1, max_length=MAX_BATCH)]


#: Fields (by their JSON names) whose values are looked at here: `decode_amount`, `is_currency`.
DECIDED: Final = frozenset({"originalAmount", "amount", "currency"})


def check_decoder(batch: type[RequestModel]) -> None:
    """Raise `TypeError`, when the process starts, where this takes batches that their model doesn't."""
    check_struct(_Batch, batch, DECIDED)
    check_fields(ENTRY_FIELDS, FastEntry)
    if FastEntry.__struct_fields__[: len(ENTRY_FIELDS)] != ENTRY_FIELDS:
        raise TypeError("FastEntry doesn't begin with the fields of an entry, in their order")


class DecodedEntry(NamedTuple):
    """Handed on in place of a `CreateJournalEntryRequest` without attachments."""

    entry: EntryInput
    attachments: tuple[()] = ()

    def entered(self, _: tuple[NewAttachment, ...] = ()) -> EntryInput:
        """The entry for the rules."""
        return self.entry


class DecodedBatch(NamedTuple):
    """Handed on in place of a `CreateJournalEntryBatchRequest` without attachments."""

    entries: list[DecodedEntry]


class LeftToModelsError(Exception):
    """The fast decoder leaves the body to the models."""


def decode_id(_: type, value: object) -> UUID:
    """The id, if it is written as it would be written back: a decoder's hook. Raises `LeftToModelsError`."""
    if not isinstance(value, str):
        raise LeftToModelsError
    return _id_of(value)


@lru_cache(maxsize=4096)
def _id_of(text: str) -> UUID:
    """What `decode_id` gives: the same few accounts, codes and tags are named over and over."""
    try:
        found = parse_id(text)
    except ValueError:
        raise LeftToModelsError from None
    if str(found) != text:
        raise LeftToModelsError
    return found


#: What decoding raises where it is left to the models. msgspec looks at the UTF-8 of a text late: ValueError.
LEFT: Final = (MsgspecError, LeftToModelsError, ValueError, RecursionError)
_ENTRY: Final = Decoder(_Entry, dec_hook=decode_id)
_BATCH: Final = Decoder(_Batch, dec_hook=decode_id)


def decode_entry(raw: bytes) -> DecodedEntry | None:
    """The entry in a request's body; None if that is left to the model."""
    if b"\\" in raw:  # an escape may stand for what can't be stored
        return None
    try:
        return DecodedEntry(_input_of(_ENTRY.decode(raw)))
    except LEFT:
        return None


def decode_batch(raw: bytes) -> DecodedBatch | None:
    """The batch in a request's body; None if that is left to the model."""
    if b"\\" in raw:
        return None
    try:
        return DecodedBatch([DecodedEntry(_input_of(entry)) for entry in _BATCH.decode(raw).entries])
    except LEFT:
        return None


def _input_of(entry: _Entry) -> EntryInput:
    original_amount = decode_amount(entry.original_amount)
    lines = []
    for line in entry.lines:
        # Most entries are one amount on two sides: as one object, it is written out once (rules.chain, json_text).
        amount = original_amount if line.amount == entry.original_amount else decode_amount(line.amount)
        if amount <= 0:
            raise LeftToModelsError
        text = stripped(line.description)
        lines.append(LineInput(line.account_id, line.side, amount, line.vat_code_id, text, line.tag_ids, ENTERED))
    return EntryInput(
        *decoded_values(entry, original_amount),
        lines=tuple(lines),
        owes_control_line=entry.entry_type is not EntryType.JOURNAL_ENTRY,
        currency=entry.currency,
    )


_AMOUNT_PLACE: Final = ENTRY_FIELDS.index("original_amount")
_LINE_TEXT_PLACES: Final = tuple(
    ENTRY_FIELDS.index(field.name) for field in fields(FastEntry) if field.type == LineText | None
)


def decoded_values(entry: FastEntry, original_amount: Decimal) -> list[Any]:
    """The values of `EntryFields` of a decoded entry, in order. Raises `LeftToModelsError`."""
    if entry.currency is not None and not is_currency(entry.currency):
        raise LeftToModelsError
    values = list(astuple(entry)[: len(ENTRY_FIELDS)])
    values[_AMOUNT_PLACE] = original_amount
    for place in _LINE_TEXT_PLACES:
        if values[place]:
            values[place] = values[place].strip()
    return values


def decode_amount(value: str | int) -> Decimal:
    """The amount, if it is written as it would be written back: no exponent, plus sign, blank or foreign digit.

    Raises `LeftToModelsError`.
    """
    is_usual = abs(value) <= MAX_AMOUNT if isinstance(value, int) else _USUAL_AMOUNT.fullmatch(value)
    if not is_usual:
        raise LeftToModelsError
    return Decimal(value)


def stripped(text: str | None) -> str | None:
    """A single-line text as the models take it."""
    return text.strip() if text else text
