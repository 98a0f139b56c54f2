"""A posted entry as JSON: the one form of it that answers, events and kept answers share (decisions "Ledger"). Pure.

Written directly: an entry is posted, answered and told in one go, many in a batch, and this is most of what each costs.
`wire.JournalEntryResponse` describes the same form for the document; tests hold the two together.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from typing import Final
from uuid import UUID

from ledgerbee.core.dates import format_moment, iso_day
from ledgerbee.core.money import ONE, ZERO, format_decimal, places_of, quantum_of
from ledgerbee.ledger.entries.model import AccountName, EntryType, JournalEntry, LineType, NewEntry, NewLine, Side

#: Its words as plain texts: an enumeration's own take three times as long to write.
_WORDS: Final = {word: word.value for kind in (EntryType, Side, LineType) for word in kind}
_FROM_API: Final = '"sourceType":"API","sourceId":null'
_NO_VAT: Final = '"vatRate":null,"vatDifference":null'


def json_of(entry: JournalEntry) -> bytes:
    """The entry's wire form as JSON, UTF-8: money as decimal strings at minor units, moments with `Z`."""
    content = entry.content
    currency, base_currency = content.currency, entry.base_currency
    quantum = quantum_of(places_of(currency))
    base_quantum = quantum if currency == base_currency else quantum_of(places_of(base_currency))
    posted_at = _moment(entry.posted_at)
    rate = "1" if content.exchange_rate == ONE else format_decimal(content.exchange_rate)
    # Four decimals at most: such a number is never written with an exponent. Zero has no sign.
    whole = content.original_amount
    whole_text = str((whole or ZERO).quantize(quantum))
    lines, accounts = [], entry.accounts
    for line_id, line in zip(entry.line_ids, content.lines, strict=True):
        account_id, code, text = line.account_id, line.vat_code_id, line.description
        amount = whole_text if line.amount is whole else str((line.amount or ZERO).quantize(quantum))
        base = amount if currency == base_currency else str((line.base_amount or ZERO).quantize(base_quantum))
        lines.append(
            f'{{"id":"{line_id!s}",{_account(account_id, accounts[account_id])},"side":"{_WORDS[line.side]}",'
            f'"amount":"{amount}","amountInBaseCurrency":"{base}","lineType":"{_WORDS[line.line_type]}",'
            f'"vatCodeId":{"null" if code is None else _id(code)},'
            f'"description":{"null" if text is None else quoted(text)},'
            f'"tagIds":{_ids(line.tag_ids) if line.tag_ids else "[]"},'
            f"{_NO_VAT if line.vat_rate is None else _vat(line, quantum)}}}"
        )
    description, reference, external_id = content.description, content.reference, content.external_system_id
    customer, vendor, category = content.customer_id, content.vendor_id, content.journal_category_id
    delivered = content.delivery_date
    reverses, reversed_by = content.reverses_entry_id, entry.reversed_by_entry_id
    posted_by = entry.posted_by
    text = (
        f'{{"id":"{content.id!s}","entryNumber":{entry.entry_number},"entryType":"{_WORDS[content.entry_type]}",'
        f'"date":"{iso_day(content.date)}","deliveryDate":{"null" if delivered is None else _day(delivered)},'
        f'"description":{"null" if description is None else quoted(description)},'
        f'"reference":{"null" if reference is None else quoted(reference)},'
        f'"externalSystemId":{"null" if external_id is None else quoted(external_id)},'
        f'"currency":"{currency}","exchangeRate":"{rate}","originalAmount":"{whole_text}",'
        f'"customerId":{"null" if customer is None else _id(customer)},'
        f'"vendorId":{"null" if vendor is None else _id(vendor)},'
        f'"journalCategoryId":{"null" if category is None else _id(category)},'
        f'"tagIds":{_ids(content.tag_ids) if content.tag_ids else "[]"},"lines":[{",".join(lines)}],'
        f'"attachmentCount":{entry.attachment_count},"reversesEntryId":{"null" if reverses is None else _id(reverses)},'
        f'"reversedByEntryId":{"null" if reversed_by is None else _id(reversed_by)},'
        f"{_source(content)},"
        f'"postedBy":{"null" if posted_by is None else quoted(posted_by)},'
        f'"postedAt":"{posted_at}","createdAt":"{posted_at}",'
        f'"previousHash":"{entry.previous_hash.hex()}","hash":"{entry.hash.hex()}"}}'
    )
    return text.encode()


def _source(content: NewEntry) -> str:
    """What it was posted by."""
    if content.source_type is None and content.reverses_entry_id is None:
        return _FROM_API
    kind, source_id = content.source
    return f'"sourceType":"{kind.value}","sourceId":{"null" if source_id is None else _id(source_id)}'


@lru_cache(maxsize=8)
def _moment(posted_at: datetime) -> str:
    """The one moment of all entries of a transaction."""
    return format_moment(posted_at)


@lru_cache(maxsize=4096)
def _account(account_id: UUID, shown: AccountName) -> str:
    """What a line shows of its account: the same few in entry after entry."""
    return f'"accountId":"{account_id}","accountNumber":{shown.number},"accountName":{quoted(shown.name)}'


def _vat(line: NewLine, quantum: Decimal) -> str:
    """What a line with a VAT code shows of its VAT."""
    rate, difference = line.vat_rate or ZERO, line.vat_difference
    shown = "null" if difference is None else f'"{(difference or ZERO).quantize(quantum)!s}"'
    return f'"vatRate":{format_decimal(rate)},"vatDifference":{shown}'


def _day(value: date) -> str:
    return f'"{iso_day(value)}"'


def _id(value: UUID) -> str:
    return f'"{value!s}"'


def _ids(values: Sequence[UUID]) -> str:
    return "[" + ",".join([f'"{value!s}"' for value in values]) + "]"
