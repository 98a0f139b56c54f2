"""A posted entry as JSON: the one form of it that answers, events and kept answers share (decisions "Ledger"). Pure.

Written directly: an entry is posted, answered and told in one go, many in a batch, and this is most of what each costs.
`wire.JournalEntryResponse` describes the same form for the document; tests hold the two together.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring as quoted
from uuid import UUID

from ledgerbee.core.dates import format_moment
from ledgerbee.core.money import ONE, ZERO, format_decimal, places_of, quantum_of
from ledgerbee.ledger.entries.model import AccountName, JournalEntry


def text_of(entry: JournalEntry) -> str:
    """The entry's wire form as JSON: money as decimal strings at minor units, moments with `Z`."""
    content = entry.content
    currency, base_currency = content.currency, entry.base_currency
    quantum, base_quantum = quantum_of(places_of(currency)), quantum_of(places_of(base_currency))
    posted_at = _moment(entry.posted_at)
    rate = "1" if content.exchange_rate == ONE else format_decimal(content.exchange_rate)
    lines, accounts = [], entry.accounts
    for line_id, line in zip(entry.line_ids, content.lines, strict=True):
        account = _account(line.account_id, accounts[line.account_id])
        # Four decimals at most: such a number is never written with an exponent. Zero has no sign.
        amount = str((line.amount or ZERO).quantize(quantum))
        base = amount if currency == base_currency else str((line.base_amount or ZERO).quantize(base_quantum))
        code, text = line.vat_code_id, line.description
        lines.append(
            f'{{"id":"{line_id!s}",{account},"side":"{line.side!s}","amount":"{amount}",'
            f'"amountInBaseCurrency":"{base}","lineType":"{line.line_type!s}",'
            f'"vatCodeId":{"null" if code is None else _id(code)},'
            f'"description":{"null" if text is None else quoted(text)},'
            f'"tagIds":{_ids(line.tag_ids) if line.tag_ids else "[]"}}}'
        )
    return (
        f'{{"id":"{content.id!s}","entryNumber":{entry.entry_number},"entryType":"{content.entry_type!s}",'
        f'"date":"{content.date.isoformat()}","description":{_text(content.description)},'
        f'"reference":{_text(content.reference)},"externalSystemId":{_text(content.external_system_id)},'
        f'"currency":"{currency}","exchangeRate":"{rate}",'
        f'"originalAmount":"{(content.original_amount or ZERO).quantize(quantum)!s}",'
        f'"customerId":{_id(content.customer_id)},"vendorId":{_id(content.vendor_id)},'
        f'"journalCategoryId":{_id(content.journal_category_id)},"tagIds":{_ids(content.tag_ids)},'
        f'"lines":[{",".join(lines)}],"attachmentCount":{entry.attachment_count},'
        f'"reversesEntryId":{_id(content.reverses_entry_id)},"reversedByEntryId":{_id(entry.reversed_by_entry_id)},'
        f'"postedAt":"{posted_at}","createdAt":"{posted_at}",'
        f'"previousHash":"{entry.previous_hash.hex()}","hash":"{entry.hash.hex()}"}}'
    )


@lru_cache(maxsize=8)
def _moment(posted_at: datetime) -> str:
    """The one moment of all entries of a transaction."""
    return format_moment(posted_at)


@lru_cache(maxsize=4096)
def _account(account_id: UUID, shown: AccountName) -> str:
    """What a line shows of its account: the same few in entry after entry."""
    return f'"accountId":"{account_id}","accountNumber":{shown.number},"accountName":{quoted(shown.name)}'


def _text(value: str | None) -> str:
    return "null" if value is None else quoted(value)


def _id(value: UUID | None) -> str:
    return "null" if value is None else f'"{value!s}"'


def _ids(values: Sequence[UUID]) -> str:
    return "[" + ",".join([f'"{value!s}"' for value in values]) + "]" if values else "[]"
