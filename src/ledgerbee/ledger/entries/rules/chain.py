"""The fingerprint chain, for whoever wants to check the books without this code. Pure.

    genesis  = sha256("ledgerbee:genesis:" + company id)
    digest   = sha256(canonical text of the entry)                   see `canonical`
    hash     = sha256(previous hash + position + entry number + digest)

where position (1, 2, 3, ... in the company) and entry number (1, 2, 3, ... in the financial year) are 8-byte
big-endian integers, and the previous hash of the entry at position 1 is the genesis value.
"""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Final
from uuid import UUID

from ledgerbee.core.money import ONE, ZERO, quantum_of
from ledgerbee.ledger.entries.model import NewEntry
from ledgerbee.ledger.entries.rules.balance import RATE_PLACES

_FORMAT: Final = "ledgerbee:entry:1"
_FOUR_PLACES: Final = quantum_of(4)
_RATE_ONE: Final = f"{ONE:.{RATE_PLACES}f}"


def genesis(company_id: UUID) -> bytes:
    """The value that a company's chain starts from."""
    return hashlib.sha256(f"ledgerbee:genesis:{company_id}".encode()).digest()


def canonical(company_id: UUID, entry: NewEntry, line_ids: Sequence[UUID | str], posted_at: datetime) -> bytes:
    """The text that an entry's digest is taken of: everything about it that never changes.

    UTF-8, fields separated by newlines: the format's name; company, entry id, entry type, date, currency,
    exchange rate (12 decimals), original amount (4), customer, vendor, journal category, tags, kind and id of the
    document behind it, the reversed entry, moment of posting (UTC, microseconds), description. Then nine fields
    a line: id, account, side, amount (4), base amount (4), line type, VAT code, tags, description. Then two fields for
    each attachment: the word "attachment" and its SHA-256. Ids and hashes are hexadecimal digits, lists of ids are
    joined by commas, texts are JSON strings, what is missing is empty. `reference` and `externalSystemId` may be
    corrected after posting and are not part of it.
    """
    fields = [
        _FORMAT,
        company_id.hex,
        entry.id.hex,
        entry.entry_type,
        entry.date.isoformat(),
        entry.currency,
        _rate(entry.exchange_rate),
        _amount(entry.original_amount),
        _hex(entry.customer_id),
        _hex(entry.vendor_id),
        _hex(entry.journal_category_id),
        ",".join([tag.hex for tag in entry.tag_ids]),
        _text(entry.source_type),
        _hex(entry.source_id),
        _hex(entry.reverses_entry_id),
        _moment(posted_at),
        _text(entry.description),
    ]
    for line_id, line in zip(line_ids, entry.lines, strict=True):
        amount = _amount(line.amount)
        fields += (
            str(line_id).replace("-", ""),
            line.account_id.hex,
            line.side,
            amount,
            amount if line.base_amount is line.amount else _amount(line.base_amount),
            line.line_type,
            _hex(line.vat_code_id),
            ",".join([tag.hex for tag in line.tag_ids]),
            _text(line.description),
        )
    for attachment_hash in entry.attachment_hashes:
        fields += ("attachment", attachment_hash.hex())
    return "\n".join(fields).encode("utf-8", "surrogatepass")


def digest(company_id: UUID, entry: NewEntry, line_ids: Sequence[UUID | str], posted_at: datetime) -> bytes:
    """SHA-256 of the entry's canonical text."""
    return hashlib.sha256(canonical(company_id, entry, line_ids, posted_at)).digest()


def chain_hash(previous: bytes, position: int, entry_number: int, content_digest: bytes) -> bytes:
    """The hash of an entry at its place in the company's chain."""
    place = position.to_bytes(8, "big") + entry_number.to_bytes(8, "big")
    return hashlib.sha256(previous + place + content_digest).digest()


def _hex(value: UUID | None) -> str:
    return value.hex if value is not None else ""


def _text(value: str | None) -> str:
    return quoted(value) if value is not None else ""


@lru_cache(maxsize=8)
def _moment(posted_at: datetime) -> str:
    """The one moment of all entries of a transaction."""
    return posted_at.astimezone(UTC).isoformat(timespec="microseconds")


def _rate(rate: Decimal) -> str:
    return _RATE_ONE if rate == ONE else f"{rate:.{RATE_PLACES}f}"


def _amount(amount: Decimal) -> str:
    # Zero has no sign here: the database keeps none either. With four decimals there is never an exponent.
    return str((amount or ZERO).quantize(_FOUR_PLACES))
