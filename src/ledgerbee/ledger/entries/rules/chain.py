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

from ledgerbee.core.dates import iso_day
from ledgerbee.core.money import ONE, ZERO, quantum_of
from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.ledger.entries.rules.balance import RATE_PLACES

_FORMAT: Final = "ledgerbee:entry:1"
_FOUR_PLACES: Final = quantum_of(4)
_RATE_ONE: Final = f"{ONE:.{RATE_PLACES}f}"


def genesis(company_id: UUID) -> bytes:
    """The value that a company's chain starts from."""
    return hashlib.sha256(f"ledgerbee:genesis:{company_id}".encode()).digest()


def canonical(company_id: UUID, entry: EntryToPost, line_ids: Sequence[UUID], posted_at: datetime) -> bytes:
    """The text that an entry's digest is taken of: everything about it that never changes.

    UTF-8, fields separated by newlines: the format's name; company, entry id, entry type, date, currency,
    exchange rate (12 decimals), original amount (4), customer, vendor, journal category, tags, kind and id of the
    document behind it, the reversed entry, moment of posting (UTC, microseconds), description. Then nine fields
    a line: id, account, side, amount (4), base amount (4), line type, VAT code, tags, description. Then, for each line
    that was taxed by a rate, four fields: the word "vat", the line's id, the rate (4), the VAT difference (4). Then,
    where there is one, the word "delivery" and the day of delivery. Then two fields for each attachment: the word
    "attachment" and its SHA-256. Ids and hashes are hexadecimal digits, lists of ids are joined by commas, texts are
    JSON strings, what is missing is empty. `reference` and `externalSystemId` may be corrected after posting and are
    not part of it.
    """
    customer, vendor, category = entry.customer_id, entry.vendor_id, entry.journal_category_id
    source, reversed_entry = entry.source_id, entry.reverses_entry_id
    whole = entry.original_amount
    whole_text = _amount(whole)
    fields = [
        _FORMAT,
        company_id.hex,
        entry.id.hex,
        entry.entry_type,
        iso_day(entry.date),
        entry.currency,
        _RATE_ONE if entry.exchange_rate == ONE else f"{entry.exchange_rate:.{RATE_PLACES}f}",
        whole_text,
        "" if customer is None else customer.hex,
        "" if vendor is None else vendor.hex,
        "" if category is None else category.hex,
        _ids(entry.tag_ids) if entry.tag_ids else "",
        "" if entry.source_type is None else quoted(entry.source_type),
        "" if source is None else source.hex,
        "" if reversed_entry is None else reversed_entry.hex,
        _moment(posted_at),
        "" if entry.description is None else quoted(entry.description),
    ]
    taxed: list[str] = []
    for line_id, line in zip(line_ids, entry.lines, strict=True):
        amount = whole_text if line.amount is whole else _amount(line.amount)
        code = line.vat_code_id
        fields += (
            line_id.hex,
            line.account_id.hex,
            line.side,
            amount,
            amount if line.base_amount is line.amount else _amount(line.base_amount),
            line.line_type,
            "" if code is None else code.hex,
            _ids(line.tag_ids) if line.tag_ids else "",
            "" if line.description is None else quoted(line.description),
        )
        if line.vat_rate is not None:
            difference = "" if line.vat_difference is None else _amount(line.vat_difference)
            taxed += ("vat", line_id.hex, _amount(line.vat_rate), difference)
    fields += taxed
    if entry.delivery_date is not None:
        fields += ("delivery", iso_day(entry.delivery_date))
    for attachment_hash in entry.attachment_hashes:
        fields += ("attachment", attachment_hash.hex())
    return "\n".join(fields).encode("utf-8", "surrogatepass")


def digest(company_id: UUID, entry: EntryToPost, line_ids: Sequence[UUID], posted_at: datetime) -> bytes:
    """SHA-256 of the entry's canonical text."""
    return hashlib.sha256(canonical(company_id, entry, line_ids, posted_at)).digest()


def chain_hash(previous: bytes, position: int, entry_number: int, content_digest: bytes) -> bytes:
    """The hash of an entry at its place in the company's chain."""
    place = position.to_bytes(8, "big") + entry_number.to_bytes(8, "big")
    return hashlib.sha256(previous + place + content_digest).digest()


def _ids(values: Sequence[UUID]) -> str:
    return ",".join([value.hex for value in values])


@lru_cache(maxsize=8)
def _moment(posted_at: datetime) -> str:
    """The one moment of all entries of a transaction."""
    return posted_at.astimezone(UTC).isoformat(timespec="microseconds")


def _amount(amount: Decimal) -> str:
    # Zero has no sign here: the database keeps none either. With four decimals there is never an exponent.
    return str((amount or ZERO).quantize(_FOUR_PLACES))
