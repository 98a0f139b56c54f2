"""Entries straight from JSON to what the rules take, at a tenth of what the wire models cost.

For what is plain and right: anything else (an escape, a number written oddly, a rule broken, attachments, a rate) is
left to the models of `wire`, which say what is wrong. So these structs decide nothing that the models don't.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

from msgspec import Meta, MsgspecError, Struct
from msgspec.json import Decoder

from ledgerbee.core.money import MAX_AMOUNT, ZERO, is_currency
from ledgerbee.ledger.entries.model import (
    MAX_BATCH,
    MAX_LINES,
    MAX_TAGS,
    EnteredEntry,
    EnteredLine,
    EntryType,
    LineType,
    Side,
)
from ledgerbee.platform.http.wire import MAX_LINE, MAX_TEXT

_Line = Annotated[str, Meta(max_length=MAX_LINE)]
_Text = Annotated[str, Meta(max_length=MAX_TEXT)]
_Tags = Annotated[tuple[UUID, ...], Meta(max_length=MAX_TAGS)]
_PLACES: Final = Decimal("0.0001")


class _PlainLine(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    account_id: UUID
    side: Side
    amount: Decimal
    vat_code_id: UUID | None = None
    description: _Line | None = None
    tag_ids: _Tags = ()


class PlainEntry(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """An entry's request that can be taken as it is."""

    entry_type: EntryType
    date: date
    lines: Annotated[tuple[_PlainLine, ...], Meta(min_length=1, max_length=MAX_LINES)]
    original_amount: Decimal
    customer_id: UUID | None = None
    vendor_id: UUID | None = None
    description: _Text | None = None
    reference: _Line | None = None
    external_system_id: _Line | None = None
    currency: str | None = None
    tag_ids: _Tags = ()
    journal_category_id: UUID | None = None

    @property
    def attachments(self) -> tuple[()]:
        """None: an entry with attachments is no plain one."""
        return ()

    def entered(self, hashes: tuple[()] = ()) -> EnteredEntry:
        """The entry for the rules."""
        return EnteredEntry(
            self.entry_type,
            self.date,
            tuple(
                [
                    EnteredLine(
                        line.account_id,
                        line.side,
                        line.amount,
                        line.vat_code_id,
                        stripped(line.description),
                        line.tag_ids,
                        LineType.ENTERED,
                    )
                    for line in self.lines
                ]
            ),
            self.original_amount,
            True,  # owes_control_line
            self.currency,
            None,  # exchange_rate: the day's
            self.customer_id,
            self.vendor_id,
            self.description,
            stripped(self.reference),
            stripped(self.external_system_id),
            self.journal_category_id,
            self.tag_ids,
            hashes,
        )


class PlainBatch(Struct, frozen=True, forbid_unknown_fields=True):
    """A batch's request that can be taken as it is."""

    entries: Annotated[tuple[PlainEntry, ...], Meta(min_length=1, max_length=MAX_BATCH)]


_ENTRY: Final = Decoder(PlainEntry)
_BATCH: Final = Decoder(PlainBatch)


def plain_entry(raw: bytes) -> PlainEntry | None:
    """The entry in a request's body, or None if it isn't plain."""
    if b"\\" in raw:
        return None
    try:
        entry = _ENTRY.decode(raw)
    except MsgspecError:
        return None
    return entry if are_plain((entry,), raw) else None


def plain_batch(raw: bytes) -> PlainBatch | None:
    """The batch in a request's body, or None if it isn't plain."""
    if b"\\" in raw:
        return None
    try:
        batch = _BATCH.decode(raw)
    except MsgspecError:
        return None
    return batch if are_plain(batch.entries, raw) else None


def are_plain(entries: Sequence[Any], raw: bytes) -> bool:
    """True if the amounts and currencies of these requests are what the models would take; `raw` is what was read."""
    # Every type of entry has one underscore. One more may stand in a number, which the decoder would take: 1_000.
    if raw.count(b"_") != len(entries):
        return False
    for entry in entries:
        if not _is_plain_amount(entry.original_amount) or not (entry.currency is None or is_currency(entry.currency)):
            return False
        for line in entry.lines:
            if not (_is_plain_amount(line.amount) and line.amount > ZERO):
                return False
    return True


def _is_plain_amount(amount: Decimal) -> bool:
    return amount.is_finite() and abs(amount) <= MAX_AMOUNT and amount == amount.quantize(_PLACES)


def stripped(text: str | None) -> str | None:
    """A single-line text as the models take it."""
    return text.strip() if text else text
