"""What draft journal entries look like on the wire (contract 2.21, 2.27, decisions "Ledger")."""

from dataclasses import replace
from typing import Final

from msgspec.structs import asdict
from msgspec.structs import replace as with_fields
from pydantic import Field

from ledgerbee.core.changes import Changes
from ledgerbee.core.money import format_amount, format_decimal
from ledgerbee.http.wire import (
    Amount,
    CurrencyCode,
    Day,
    ExchangeRate,
    Id,
    IdText,
    Moment,
    MoneyText,
    PageResponse,
    ResponseModel,
    WholeNumber,
    changes_to,
    omitted,
)
from ledgerbee.ledger.drafts.model import Draft, DraftStatus
from ledgerbee.ledger.entries.model import (
    ENTRY_FIELDS,
    MAX_LINES,
    MAX_TAGS,
    EntryInput,
    EntryType,
    LineType,
    Side,
    entry_values,
)
from ledgerbee.ledger.entries.rules.portions import portions_of, text_of
from ledgerbee.ledger.entries.wire import EntryRequest, EntryResponse, JournalLineRequest, LeadingFields
from ledgerbee.ledger.uploads.model import NewAttachment
from ledgerbee.ledger.uploads.wire import AttachmentFiles
from ledgerbee.platform.steps import give_way


class _AmountField(LeadingFields):
    original_amount: Amount = omitted(
        description="Positive for an invoice or payment, negative for a credit note or refund", examples=["1250.00"]
    )


class UpdateDraftJournalEntryRequest(EntryRequest, _AmountField):
    """The fields to change. Lists are replaced as a whole; null clears a field, and brings back a default."""

    keeps_what_is_left_out = True

    entry_type: EntryType = omitted(description="What the entry records")
    date: Day = omitted(description="Day of the transaction")
    delivery_date: Day | None = Field(None, description="Day of delivery, where it isn't `date`: its VAT rates count")
    lines: list[JournalLineRequest] = omitted(
        min_length=1, max_length=MAX_LINES, description="Of the four locked types the counter-side only"
    )
    currency: CurrencyCode | None = Field(
        None, description="Default: the company's currency. Another one without exchangeRate takes the day's rate"
    )
    exchange_rate: ExchangeRate | None = Field(
        None, description="Base currency units for one unit of the currency. Default: the day's rate, when it is booked"
    )
    tag_ids: list[Id] = omitted(description="Dimension values of the whole entry", max_length=MAX_TAGS)
    attachments: AttachmentFiles = omitted(description="Vouchers: at most 10 files")


_fields_sent: Final = changes_to(EntryInput, UpdateDraftJournalEntryRequest)


def changes_of(body: UpdateDraftJournalEntryRequest, attachments: tuple[NewAttachment, ...]) -> Changes[EntryInput]:
    """What is to change; `attachments` are the files that are sent, in the blob store."""
    sent = dict(_fields_sent(body).fields)
    if "lines" in sent:
        sent["lines"] = tuple([line.entered() for line in body.lines])
    if "tag_ids" in sent:
        sent["tag_ids"] = tuple(body.tag_ids)
    if "attachments" in sent:
        sent["attachments"] = attachments
    return Changes(sent)


class DraftJournalLineResponse(ResponseModel):
    """A line of a draft, as it was entered."""

    id: IdText
    account_id: IdText
    account_number: int = Field(examples=[1010])
    account_name: str = Field(examples=["Salg af varer og ydelser"])
    side: Side
    amount: MoneyText = Field(description="In the entry's currency, never negative; VAT is split when it is booked")
    line_type: LineType = Field(description="ENTERED by the caller; a CONTROL line was added by the system")
    vat_code_id: IdText | None
    description: str | None
    tag_ids: list[IdText]
    vat_included: bool | None = Field(
        description="Whether the amount contains its VAT; null: as the code's principle says"
    )
    vat_amount: MoneyText | None = Field(description="The VAT that the voucher states; null: what the rate makes")


class _Identified(ResponseModel):
    id: IdText


class DraftJournalEntryResponse(EntryResponse[DraftJournalLineResponse], _Identified):
    """An entry that isn't posted yet, or (status `booked`) what was entered of one that is."""

    delivery_date: Day | None = Field(description="Day of delivery, where it isn't `date`: its VAT rates count")
    reference: str | None = Field(description="Invoice number or other outside reference")
    external_system_id: str | None = Field(description="Your own id; need not be unique")
    exchange_rate: str | None = Field(  # type: ignore[assignment]
        description="Null: the day's, when it is booked", examples=["7.46"]
    )
    journal_category_id: IdText | None = Field(description="Null: the company's default category, when it is booked")
    status: DraftStatus
    journal_entry_id: IdText | None = Field(description="The posted entry that the draft became")
    created_at: Moment
    updated_at: Moment


class ListDraftJournalEntriesResponse(PageResponse[DraftJournalEntryResponse]):
    """A page of drafts with their lines."""


class DraftJournalBatchResponse(ResponseModel):
    """Drafts that were made together."""

    total_created: WholeNumber = Field(examples=[2])
    drafts: list[DraftJournalEntryResponse]


def render(draft: Draft) -> DraftJournalEntryResponse:
    content = draft.content
    rate = content.exchange_rate
    lines = []
    for line_id, line in zip(draft.line_ids, content.lines, strict=True):
        account = draft.accounts[line.account_id]
        shown = {
            "amount": format_amount(line.amount, draft.currency),
            "vat_amount": None if line.vat_amount is None else format_amount(line.vat_amount, draft.currency),
        }
        lines.append(
            DraftJournalLineResponse(
                **{**asdict(line), **shown}, id=line_id, account_number=account.number, account_name=account.name
            )
        )
    values = dict(zip(ENTRY_FIELDS, entry_values(content), strict=True))
    values["original_amount"] = format_amount(content.original_amount, draft.currency)
    return DraftJournalEntryResponse(
        **values,
        id=draft.id,
        currency=draft.currency,
        exchange_rate=None if rate is None else format_decimal(rate),
        lines=lines,
        attachment_count=draft.attachment_count,
        status=draft.status,
        journal_entry_id=draft.journal_entry_id,
        created_at=draft.created_at,
        updated_at=draft.updated_at,
    )


def json_of(draft: Draft) -> bytes:
    """The wire form as JSON, UTF-8, which serves the draft's event and its answer."""
    return render(draft).model_dump_json().encode()


async def json_in_steps(draft: Draft) -> bytes:
    """What `json_of` gives; of a draft with many lines in steps, so that others have their turn in between."""
    texts: list[bytes] = []
    for portion in portions_of([(draft.id, len(draft.line_ids))]):
        if texts:
            await give_way()
        some = slice(portion.first - 1, portion.last)
        content = with_fields(draft.content, lines=draft.content.lines[some])
        texts.append(text_of(portion, json_of(replace(draft, content=content, line_ids=draft.line_ids[some]))))
    return b"".join(texts)
