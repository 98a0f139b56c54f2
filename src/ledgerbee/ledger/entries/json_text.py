"""A posted entry as JSON, written once for its event, its response and the response that is kept for its key.

The names and their order are those of the response models. What is neither computed here nor a fact of posting is
taken from the entry by name: a field that `EntryFields` and `JournalEntryResponse` have needs nothing here. It is
written by msgspec and not by the models: entries are posted by the thousand, and this is most of what each costs.
"""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from msgspec import Raw, Struct, defstruct
from msgspec.json import Encoder

from ledgerbee.core.dates import format_moment
from ledgerbee.core.money import ONE, ZERO, format_decimal, places_of, quantum_of
from ledgerbee.ledger.entries.model import EntryToPost, JournalEntry, LineToPost, LineType, Side, SourceType
from ledgerbee.ledger.entries.wire import JournalEntryResponse, JournalLineResponse

_FROM_API: Final = (SourceType.API, None)
_NAMES: Final = tuple(JournalEntryResponse.model_fields)


def _names(first: str, after: str) -> tuple[str, ...]:
    return _NAMES[_NAMES.index(first) : _NAMES.index(after)]


#: Fields of the response that the entry has as they are, before its amount and after it.
_BEFORE_AMOUNT: Final = _names("entry_type", "exchange_rate")
_AFTER_AMOUNT: Final = _names("customer_id", "lines")
_before_amount: Final = attrgetter(*_BEFORE_AMOUNT)
_after_amount: Final = attrgetter(*_AFTER_AMOUNT)

_EntryJson: Final[Any] = defstruct("_EntryJson", [(name, Any) for name in _NAMES], rename="camel", gc=False)


class _LineJson(Struct, rename="camel", gc=False):
    id: UUID
    account_id: UUID
    account_number: int
    account_name: str
    side: Side
    amount: str
    amount_in_base_currency: str
    line_type: LineType
    vat_code_id: UUID | None
    description: str | None
    tag_ids: tuple[UUID, ...]
    vat_rate: Raw | None
    vat_difference: str | None


def _check() -> None:
    """Refuse models that this doesn't write. Raises `TypeError`, when the process starts."""
    if _LineJson.__struct_fields__ != tuple(JournalLineResponse.model_fields):
        raise TypeError("the JSON of a line differs from its response model")
    if missing := {*_BEFORE_AMOUNT, *_AFTER_AMOUNT} - set(EntryToPost.__struct_fields__):
        raise TypeError(f"entries have no {', '.join(sorted(missing))}, which their response model has")
    written = ("id", "entry_number", *_BEFORE_AMOUNT, "exchange_rate", "original_amount", *_AFTER_AMOUNT)
    if _NAMES[: len(written) + 1] != (*written, "lines"):
        raise TypeError("the JSON of an entry differs from its response model")


_check()
_encode: Final = Encoder().encode


def json_of(entry: JournalEntry) -> bytes:
    """The response for an entry as JSON, UTF-8: money as decimal strings at minor units, moments with `Z`."""
    content = entry.content
    quantum = quantum_of(places_of(content.currency))
    # Four decimals at most: such a number is never written with an exponent. Zero has no sign.
    amount = str((content.original_amount or ZERO).quantize(quantum))
    is_from_api = content.source_type is None and content.reverses_entry_id is None
    source_type, source_id = _FROM_API if is_from_api else content.source
    posted_at = _moment(entry.posted_at)
    return _encode(
        _EntryJson(
            content.id,
            entry.entry_number,
            *_before_amount(content),
            "1" if content.exchange_rate == ONE else format_decimal(content.exchange_rate),
            amount,
            *_after_amount(content),
            _lines(entry, quantum, amount),
            entry.attachment_count,
            content.reverses_entry_id,
            entry.reversed_by_entry_id,
            source_type,
            source_id,
            entry.posted_by,
            posted_at,
            posted_at,
            entry.previous_hash.hex(),
            entry.hash.hex(),
        )
    )


def _lines(entry: JournalEntry, quantum: Decimal, whole_text: str) -> list[_LineJson]:
    """The lines; `whole_text` is the entry's amount, which most lines of most entries are."""
    content, accounts = entry.content, entry.accounts
    whole, is_base = content.original_amount, content.currency == entry.base_currency
    base_quantum = quantum if is_base else quantum_of(places_of(entry.base_currency))
    lines = []
    for line_id, line in zip(entry.line_ids, content.lines, strict=True):
        account = accounts[line.account_id]
        amount = whole_text if line.amount is whole else str((line.amount or ZERO).quantize(quantum))
        lines.append(
            _LineJson(
                line_id,
                line.account_id,
                account.number,
                account.name,
                line.side,
                amount,
                amount if is_base else str((line.base_amount or ZERO).quantize(base_quantum)),
                line.line_type,
                line.vat_code_id,
                line.description,
                line.tag_ids,
                None if line.vat_rate is None else _number(line.vat_rate),
                None if line.vat_difference is None else _difference(line, quantum),
            )
        )
    return lines


@lru_cache(maxsize=8)
def _moment(posted_at: datetime) -> str:
    """The one moment of all entries of a transaction."""
    return format_moment(posted_at)


@lru_cache(maxsize=256)
def _number(value: Decimal) -> Raw:
    return Raw(format_decimal(value).encode())


def _difference(line: LineToPost, quantum: Decimal) -> str:
    return str((line.vat_difference or ZERO).quantize(quantum))
