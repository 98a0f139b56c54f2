"""A posted entry as JSON, written once for its event, its response and the response that is kept for its key.

The names are those of `EntryFields`, in its order, with what is computed here and what posting adds; the response
models are compared with them when the process starts (`check_responses`). It is written by msgspec and not by the
models: entries are posted by the thousand, and this is most of what each costs.
"""

from collections.abc import Iterable
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
from ledgerbee.ledger.entries.model import ENTRY_FIELDS, JournalEntry, LineType, Side, SourceType

_FROM_API: Final = (SourceType.API, None)
#: Fields that the entry has as they are: those before currency, rate and amount, and those after.
_OTHERS: Final = [name for name in ENTRY_FIELDS if name != "original_amount"]
_BEFORE_AMOUNT: Final = (*_OTHERS[: _OTHERS.index("customer_id")], "currency")
_AFTER_AMOUNT: Final = tuple(_OTHERS[_OTHERS.index("customer_id") :])
_NAMES: Final = (
    *("id", "entry_number", *_BEFORE_AMOUNT, "exchange_rate", "original_amount", *_AFTER_AMOUNT, "lines"),
    *("attachment_count", "reverses_entry_id", "reversed_by_entry_id", "source_type", "source_id", "posted_by"),
    *("posted_at", "created_at", "previous_hash", "hash"),
)
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


def check_responses(entry: Iterable[str], line: Iterable[str]) -> None:
    """Raise `TypeError`, when the process starts, where the response models have other fields than what is written."""
    for own, described in ((_NAMES, tuple(entry)), (_LineJson.__struct_fields__, tuple(line))):
        if own != described:
            raise TypeError(f"JSON with {', '.join(own)} is described as {', '.join(described)}")


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
                None if line.vat_difference is None else str((line.vat_difference or ZERO).quantize(quantum)),
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
