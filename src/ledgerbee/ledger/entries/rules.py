"""What makes an entry one that can be posted, its fingerprint, and its wire form. Pure.

The fingerprint chain, for whoever wants to check the books without this code:

    genesis  = sha256("ledgerbee:genesis:" + company id)
    digest   = sha256(canonical text of the entry)                   see `canonical`
    hash     = sha256(previous hash + position + entry number + digest)

where position (1, 2, 3, ... in the company) and entry number (1, 2, 3, ... in the financial year) are 8-byte
big-endian integers, and the previous hash of the entry at position 1 is the genesis value.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, localcontext
from itertools import compress
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.dates import format_moment
from ledgerbee.core.errors import invalid
from ledgerbee.core.money import (
    EXACT,
    MAX_AMOUNT,
    ZERO,
    allocate,
    format_amount,
    format_decimal,
    is_currency,
    minor_units,
    multiply,
    round_money,
    round_to,
    total,
)
from ledgerbee.ledger.entries.model import (
    JOURNAL_ENTRY_UNBALANCED,
    JournalEntry,
    JournalLine,
    NewEntry,
    NewLine,
    Side,
)

#: Decimals of an exchange rate, as stored.
RATE_PLACES: Final = 12
_MAX_RATE: Final = Decimal(10**12)
_FORMAT: Final = "ledgerbee:entry:1"


def to_base(sides: Sequence[Side], amounts: Sequence[Decimal], rate: Decimal, base_currency: str) -> list[Decimal]:
    """The base amounts of an entry's lines, in their order, balanced to the last unit.

    `amounts` are >= 0 in the entry's currency and balance; `rate` is base units for one unit of it. The total of
    each side is converted and rounded once and then allocated to the side's lines in proportion, so that the two
    sides stay equal. Raises `ValueError` for amounts that are negative or don't balance, or a rate <= 0.
    """
    if len(sides) != len(amounts):
        raise ValueError("every amount has a side")
    if rate <= 0:
        raise ValueError("a rate is positive")
    on_debit = [side is Side.DEBIT for side in sides]
    on_credit = [not debit for debit in on_debit]
    debits, credits_ = list(compress(amounts, on_debit)), list(compress(amounts, on_credit))
    if total(debits) != total(credits_):
        raise ValueError("debits and credits differ")
    base_total = round_money(multiply(total(debits), rate), base_currency)
    debit_parts = iter(allocate(base_total, debits, base_currency) if debits else ())
    credit_parts = iter(allocate(base_total, credits_, base_currency) if credits_ else ())
    return [next(debit_parts) if debit else next(credit_parts) for debit in on_debit]


def check_balanced(lines: Sequence[NewLine], path: str = "lines") -> None:
    """Refuse lines whose debits and credits differ in either currency. No tolerance.

    Raises `JOURNAL_ENTRY_UNBALANCED` with both sums in `details`.
    """
    debit = credit = base_debit = base_credit = ZERO
    with localcontext(EXACT):
        for line in lines:
            if line.side is Side.DEBIT:
                debit += line.amount
                base_debit += line.base_amount
            else:
                credit += line.amount
                base_credit += line.base_amount
    for currency, one, other in (("entry", debit, credit), ("base", base_debit, base_credit)):
        if one != other:
            raise JOURNAL_ENTRY_UNBALANCED.error(
                property=path, currency=currency, debit=format_decimal(one), credit=format_decimal(other)
            )


def check(entry: NewEntry, index: int) -> None:
    """Refuse what can't be posted whatever the books hold; `index` is the entry's place in the request.

    Raises validation errors (`entries.3.lines.0.amount`) and `JOURNAL_ENTRY_UNBALANCED`.
    """
    path = f"entries.{index}"
    if not is_currency(entry.currency):
        raise invalid((f"{path}.currency", "isISO4217CurrencyCode", "currency must be a valid ISO 4217 currency code"))
    if not entry.exchange_rate.is_finite() or not 0 < entry.exchange_rate < _MAX_RATE:
        raise invalid((f"{path}.exchangeRate", "isPositive", "exchangeRate must be positive and below 10^12"))
    if round_to(entry.exchange_rate, RATE_PLACES) != entry.exchange_rate:
        raise invalid((f"{path}.exchangeRate", "maxDecimalPlaces", f"exchangeRate has at most {RATE_PLACES} decimals"))
    if len(entry.lines) < 2:
        raise invalid((f"{path}.lines", "arrayMinSize", "an entry has at least two lines"))
    places = minor_units(entry.currency)
    _check_amount(entry.original_amount, places, f"{path}.originalAmount")
    for number, line in enumerate(entry.lines):
        for amount, finest, name in ((line.amount, places, "amount"), (line.base_amount, 4, "amountInBaseCurrency")):
            where = f"{path}.lines.{number}.{name}"
            _check_amount(amount, finest, where)
            if amount < 0:
                raise invalid((where, "min", "an amount must not be negative: its side says which way it goes"))
    check_balanced(entry.lines, f"{path}.lines")


def _check_amount(amount: Decimal, places: int, path: str) -> None:
    name = path.rpartition(".")[2]
    if not amount.is_finite():
        raise invalid((path, "isNumber", f"{name} must be a finite number"))
    if abs(amount) > MAX_AMOUNT:
        raise invalid((path, "max", f"{name} must not be greater than {MAX_AMOUNT}"))
    if round_to(amount, places) != amount:
        raise invalid((path, "maxDecimalPlaces", f"{name} must have at most {places} decimals"))


def genesis(company_id: UUID) -> bytes:
    """The value that a company's chain starts from."""
    return hashlib.sha256(f"ledgerbee:genesis:{company_id}".encode()).digest()


def canonical(company_id: UUID, entry: NewEntry, line_ids: Sequence[UUID], posted_at: datetime) -> bytes:
    """The text that an entry's digest is taken of: everything about it that never changes.

    UTF-8, fields separated by newlines: the format's name; company, entry id, entry type, date, currency,
    exchange rate (12 decimals), original amount (4), customer, vendor, journal category, tags, kind and id of the
    document behind it, the reversed entry, moment of posting (UTC, microseconds), description. Then nine fields
    a line: id, account, side, amount (4), base amount (4), line type, VAT code, tags, description. Ids
    are 32 hexadecimal digits, lists of them are joined by commas, texts are JSON strings, what is missing is
    empty. `reference` and `externalSystemId` may be corrected after posting and are not part of it.
    """
    fields = [
        _FORMAT,
        company_id.hex,
        entry.id.hex,
        entry.entry_type,
        entry.date.isoformat(),
        entry.currency,
        _fixed(entry.exchange_rate, RATE_PLACES),
        _fixed(entry.original_amount, 4),
        _hex(entry.customer_id),
        _hex(entry.vendor_id),
        _hex(entry.journal_category_id),
        ",".join([tag.hex for tag in entry.tag_ids]),
        _text(entry.source_type),
        _hex(entry.source_id),
        _hex(entry.reverses_entry_id),
        posted_at.astimezone(UTC).isoformat(timespec="microseconds"),
        _text(entry.description),
    ]
    for line_id, line in zip(line_ids, entry.lines, strict=True):
        fields += (
            line_id.hex,
            line.account_id.hex,
            line.side,
            _fixed(line.amount, 4),
            _fixed(line.base_amount, 4),
            line.line_type,
            _hex(line.vat_code_id),
            ",".join([tag.hex for tag in line.tag_ids]),
            _text(line.description),
        )
    return "\n".join(fields).encode("utf-8", "surrogatepass")


def digest(company_id: UUID, entry: NewEntry, line_ids: Sequence[UUID], posted_at: datetime) -> bytes:
    """SHA-256 of the entry's canonical text."""
    return hashlib.sha256(canonical(company_id, entry, line_ids, posted_at)).digest()


def chain_hash(previous: bytes, position: int, entry_number: int, content_digest: bytes) -> bytes:
    """The hash of an entry at its place in the company's chain."""
    place = position.to_bytes(8, "big") + entry_number.to_bytes(8, "big")
    return hashlib.sha256(previous + place + content_digest).digest()


def _hex(value: UUID | None) -> str:
    return value.hex if value is not None else ""


def _text(value: str | None) -> str:
    return json.dumps(value, ensure_ascii=False) if value is not None else ""


def _fixed(value: Decimal, places: int) -> str:
    # Zero has no sign here: the database keeps none either.
    return f"{value or ZERO:.{places}f}"


def wire_form(entry: JournalEntry) -> dict[str, Any]:
    """An entry as answers and events show it (decisions "Ledger"): money as decimal strings at minor units."""
    return {
        "id": str(entry.id),
        "entryNumber": entry.entry_number,
        "entryType": entry.entry_type,
        "date": entry.date.isoformat(),
        "description": entry.description,
        "reference": entry.reference,
        "externalSystemId": entry.external_system_id,
        "currency": entry.currency,
        "exchangeRate": format_decimal(entry.exchange_rate),
        "originalAmount": format_amount(entry.original_amount, entry.currency),
        "customerId": _string(entry.customer_id),
        "vendorId": _string(entry.vendor_id),
        "journalCategoryId": _string(entry.journal_category_id),
        "tagIds": [str(tag) for tag in entry.tag_ids],
        "lines": [_wire_line(entry, line) for line in entry.lines],
        "attachmentCount": 0,
        "reversesEntryId": _string(entry.reverses_entry_id),
        "reversedByEntryId": _string(entry.reversed_by_entry_id),
        "postedAt": format_moment(entry.posted_at),
        "createdAt": format_moment(entry.posted_at),
        "previousHash": entry.previous_hash.hex(),
        "hash": entry.hash.hex(),
    }


def _wire_line(entry: JournalEntry, line: JournalLine) -> dict[str, Any]:
    return {
        "id": str(line.id),
        "accountId": str(line.account_id),
        "accountNumber": line.account_number,
        "accountName": line.account_name,
        "side": line.side,
        "amount": format_amount(line.amount, entry.currency),
        "amountInBaseCurrency": format_amount(line.base_amount, entry.base_currency),
        "lineType": line.line_type,
        "vatCodeId": _string(line.vat_code_id),
        "description": line.description,
        "tagIds": [str(tag) for tag in line.tag_ids],
    }


def _string(value: UUID | None) -> str | None:
    return str(value) if value is not None else None
