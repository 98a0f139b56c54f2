"""What journal entries look like on the wire (contract 2.8, 2.28, decisions "Ledger")."""

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated, Generic, TypeAlias, TypeVar, cast

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from ledgerbee.core.errors import check_unique
from ledgerbee.core.money import total
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.wire import (
    ABOVE_AMOUNTS,
    Amount,
    CurrencyCode,
    Day,
    ExchangeRate,
    Id,
    IdOf,
    IdText,
    Moment,
    MoneyText,
    Number,
    OptionalLine,
    PageResponse,
    RequestModel,
    ResponseModel,
    Text,
    WholeNumber,
    changes_to,
    decimal_schema,
)
from ledgerbee.ledger.entries.decoder_checks import check_fields
from ledgerbee.ledger.entries.fast_wire import DecodedBatch, DecodedEntry, check_decoder, decode_batch, decode_entry
from ledgerbee.ledger.entries.json_text import check_responses
from ledgerbee.ledger.entries.model import (
    ENTRY_FIELDS,
    MAX_BATCH,
    MAX_LINES,
    MAX_TAGS,
    EntryFields,
    EntryId,
    EntryInput,
    EntryType,
    LineInput,
    LineType,
    Side,
    SourceType,
    entry_values,
)
from ledgerbee.ledger.entries.rules.entering import checks_without_books
from ledgerbee.ledger.uploads.model import NewAttachment
from ledgerbee.ledger.uploads.wire import AttachmentFiles

Line = TypeVar("Line", bound=ResponseModel)


def _positive(value: Decimal) -> Decimal:
    if value <= 0:
        raise PydanticCustomError("isPositive", "must be a positive number")
    return value


#: What stands on one side of an account: the side says which way it goes.
PositiveAmount = Annotated[
    Amount,
    AfterValidator(_positive),
    decimal_schema("Amount above zero, in major units.", exclusiveMinimum=0, exclusiveMaximum=ABOVE_AMOUNTS),
]


#: Whether a line's amount contains its VAT.
VatIncluded = Annotated[
    bool | None,
    Field(
        strict=True,
        description="Whether the amount contains its VAT, whatever the code's principle says. Not true with a "
        "reverse charge, whose VAT is never on the voucher (extension)",
    ),
]
#: The VAT on a line's voucher.
VatAmount = Annotated[
    Annotated[Amount, Field(ge=0), decimal_schema("Amount, zero or more.", minimum=0, exclusiveMaximum=ABOVE_AMOUNTS)]
    | None,
    Field(
        description="The VAT that the voucher states, in the entry's currency: it is booked as stated. Refused if it "
        "is off from what the rate makes by more than 1 % and more than 1.00 (extension)",
        examples=["24.99"],
    ),
]


class JournalLineRequest(RequestModel):
    """A line of an entry. On a receivables or payables account its party is the entry's."""

    account_id: Id = Field(description="Account to book on")
    side: Side = Field(description="Side of the account")
    amount: PositiveAmount = Field(description="In the entry's currency, above zero", examples=["1250.00"])
    vat_code_id: Id | None = Field(
        None, description="Splits the VAT out of the amount (principle Gross) or adds it (principle Net)"
    )
    vat_included: VatIncluded = None
    vat_amount: VatAmount = None
    description: OptionalLine | None = Field(None, examples=["Office chairs"])
    tag_ids: list[Id] = Field(default_factory=list, description="Dimension values of this line", max_length=MAX_TAGS)

    def entered(self) -> LineInput:
        """The line for the rules."""
        return LineInput(
            self.account_id,
            self.side,
            self.amount,
            self.vat_code_id,
            self.description,
            tuple(self.tag_ids),
            vat_included=self.vat_included,
            vat_amount=self.vat_amount,
        )


class LeadingFields(RequestModel):
    """The fields of `EntryRequest` that come before all others."""

    entry_type: EntryType = Field(description="What the entry records")
    date: Day = Field(description="Day of the transaction; must not be locked")
    delivery_date: Day | None = Field(
        None, description="Day of delivery, where it isn't `date`: its VAT rates count (extension)"
    )


class EntryRequest(LeadingFields):
    """The fields that all requests with an entry share (`EntryFields`, but for its amount); names as in the rules."""

    lines: list[JournalLineRequest] = Field(min_length=1, max_length=MAX_LINES)
    customer_id: Id | None = Field(None, description="Needed for CUSTOMER types and for lines on a receivables account")
    vendor_id: Id | None = Field(None, description="Needed for SUPPLIER types and for lines on a payables account")
    description: Text | None = Field(None, examples=["Office furniture"])
    reference: OptionalLine | None = Field(None, description="Invoice number or other outside reference")
    external_system_id: OptionalLine | None = Field(None, description="Your own id; need not be unique")
    currency: CurrencyCode | None = Field(None, description="Default: the company's currency")
    exchange_rate: ExchangeRate | None = Field(
        None, description="Base currency units for one unit of the currency. Default: the day's rate"
    )
    tag_ids: list[Id] = Field(
        default_factory=list, description="Dimension values of the whole entry", max_length=MAX_TAGS
    )
    journal_category_id: Id | None = Field(None, description="Default: the company's default category")
    attachments: AttachmentFiles = Field((), description="Vouchers: at most 10 files")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:
        """What can be said of an entry without the books."""
        return checks_without_books(cast("EntryInput", self), lambda: facts.base_currency, path)


class _CreateRequest(EntryRequest):
    def _input(
        self, original_amount: Decimal, attachments: tuple[NewAttachment, ...], *, owes_control_line: bool
    ) -> EntryInput:
        entry_type, day, _, *others, tag_ids = entry_values(self)
        values = [entry_type, day, original_amount, *others, tuple(tag_ids)]
        return EntryInput(
            *values,
            lines=tuple([line.entered() for line in self.lines]),
            owes_control_line=owes_control_line,
            currency=self.currency,
            exchange_rate=self.exchange_rate,
            attachments=attachments,
        )


class CreateJournalEntryRequest(_CreateRequest):
    """An entry (v2). Of the four locked types the lines are the counter-side only."""

    original_amount: Amount = Field(
        description="Positive for an invoice or payment, negative for a credit note or refund", examples=["1250.00"]
    )

    def entered(self, attachments: tuple[NewAttachment, ...] = ()) -> EntryInput:
        """The entry for the rules; `attachments` are its files, in the blob store."""
        owes = self.entry_type is not EntryType.JOURNAL_ENTRY
        return self._input(self.original_amount, attachments, owes_control_line=owes)

    @classmethod
    def from_bytes(cls, raw: bytes) -> DecodedEntry | None:
        """What the fast decoder makes of the body: see `EntryBody`."""
        return decode_entry(raw)


class CreateJournalEntryV1Request(_CreateRequest):
    """An entry (v1): all its lines, the receivable or payable too."""

    original_amount: Amount | None = Field(
        None, description="Default: the sum of the entered debits. Negative for a credit note or refund"
    )

    def entered(self, attachments: tuple[NewAttachment, ...] = ()) -> EntryInput:
        """The entry for the rules; `attachments` are its files, in the blob store."""
        amount = self.original_amount
        if amount is None:
            amount = total([line.amount for line in self.lines if line.side is Side.DEBIT])
        return self._input(amount, attachments, owes_control_line=False)


class CreateJournalEntryBatchRequest(RequestModel):
    """Entries that are posted together or not at all (v2)."""

    entries: list[CreateJournalEntryRequest] = Field(min_length=1, max_length=MAX_BATCH)

    @classmethod
    def from_bytes(cls, raw: bytes) -> DecodedBatch | None:
        """What the fast decoder makes of the body: see `BatchBody`."""
        return decode_batch(raw)


class CreateJournalEntryBatchV1Request(RequestModel):
    """Entries that are posted together or not at all (v1)."""

    entries: list[CreateJournalEntryV1Request] = Field(min_length=1, max_length=MAX_BATCH)


if TYPE_CHECKING:
    #: What handlers get as a body of such a model: what the fast decoder makes of it, or the model.
    EntryBody: TypeAlias = CreateJournalEntryRequest | DecodedEntry
    BatchBody: TypeAlias = CreateJournalEntryBatchRequest | DecodedBatch
else:  # FastAPI takes the model from the annotation
    EntryBody = CreateJournalEntryRequest
    BatchBody = CreateJournalEntryBatchRequest

check_decoder(CreateJournalEntryBatchRequest)
check_fields(ENTRY_FIELDS, CreateJournalEntryRequest, CreateJournalEntryV1Request)


#: The body of an entry, whichever version of the API it came by.
AnyEntryBody: TypeAlias = EntryBody | CreateJournalEntryV1Request


class UpdateJournalEntryRequest(RequestModel):
    """The two fields of a posted entry that may change. Null clears one."""

    reference: OptionalLine | None = Field(None, description="Invoice number or other outside reference")
    external_system_id: OptionalLine | None = Field(None, description="Your own id; need not be unique")


changes_of = changes_to(EntryFields, UpdateJournalEntryRequest)


class ReverseJournalEntryRequest(RequestModel):
    """How an entry is reversed."""

    date: Day | None = Field(None, description="Day of the reversal. Default: today, or the entry's day if later")
    description: Text | None = Field(None, description="Default: names the number of the entry that is reversed")


class ReverseJournalEntriesRequest(RequestModel):
    """Entries to reverse together."""

    journal_entry_ids: list[IdOf[EntryId]] = Field(min_length=1, max_length=MAX_BATCH)
    date: Day | None = Field(None, description="Day of the reversals. Default: today, or the entry's day if later")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """No entry twice."""
        yield lambda: check_unique("journalEntryIds", self.journal_entry_ids)


class JournalLineResponse(ResponseModel):
    """A line of a posted entry."""

    id: IdText
    account_id: IdText
    account_number: int = Field(examples=[1010])
    account_name: str = Field(examples=["Salg af varer og ydelser"])
    side: Side
    amount: MoneyText = Field(description="In the entry's currency, never negative")
    amount_in_base_currency: MoneyText = Field(description="In the company's currency, never negative")
    line_type: LineType = Field(description="ENTERED by the caller; the others were added by the system")
    vat_code_id: IdText | None
    description: str | None
    tag_ids: list[IdText]
    vat_rate: Number | None = Field(
        description="Percent, of a line with a VAT code: what it was taxed by", examples=[25]
    )
    vat_difference: MoneyText | None = Field(
        description="Of an entered line with `vatAmount`: the stated VAT less what the rate makes, in its currency"
    )


class EntryResponse(ResponseModel, Generic[Line]):
    """The fields that responses with an entry share."""

    entry_type: EntryType
    date: Day = Field(examples=["2026-01-31"])
    delivery_date: Day | None = Field(description="Day of delivery, where it isn't `date`: its VAT rates counted")
    description: str | None
    reference: str | None = Field(description="Invoice number or other outside reference; may be corrected")
    external_system_id: str | None = Field(description="Your own id; may be set later, need not be unique")
    currency: str = Field(examples=["DKK"])
    exchange_rate: str = Field(description="Base currency units for one unit of the currency", examples=["7.46"])
    original_amount: MoneyText = Field(
        description="Signed: positive for an invoice or payment, negative for a credit note or refund"
    )
    customer_id: IdText | None
    vendor_id: IdText | None
    journal_category_id: IdText | None
    tag_ids: list[IdText]
    lines: list[Line]
    attachment_count: int = Field(examples=[0])


class _Numbered(ResponseModel):
    id: IdText
    entry_number: int = Field(description="Without gaps within the company's fiscal year", examples=[1])


class JournalEntryResponse(EntryResponse[JournalLineResponse], _Numbered):
    """A posted, immutable entry."""

    # Written by `json_text.json_of`, in this order: the fields of the last base come first.

    reverses_entry_id: IdText | None = Field(description="The entry that this one reverses")
    reversed_by_entry_id: IdText | None = Field(description="The entry that reverses this one")
    source_type: SourceType = Field(
        description="What posted it: API (entered as it is), CREDIT_NOTE, DRAFT, IMPORT, INVOICE, PAYMENT, REVERSAL or "
        "WRITE_OFF"
    )
    source_id: IdText | None = Field(
        description="The draft, import, document, payment, write-off or reversed entry that posted it; null for API"
    )
    posted_by: str | None = Field(
        description="Who posted it, as audit events name the actor: kind and id",
        examples=["api_key:018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60"],
    )
    posted_at: Moment
    created_at: Moment
    previous_hash: str = Field(description="Hash of the entry before it in the company's audit chain (hexadecimal)")
    hash: str = Field(description="This entry's hash in the company's audit chain (hexadecimal)")


check_responses(JournalEntryResponse.model_fields, JournalLineResponse.model_fields)


class EntryWarningResponse(ResponseModel):
    """Something odd about an entry that was posted as it was sent."""

    code: str = Field(
        description="CONTROL_LINE_MISSING: no line on a receivables or payables account. CONTROL_AMOUNT_DIFFERS: what "
        "stands there is not originalAmount",
        examples=["CONTROL_LINE_MISSING"],
    )
    message: str = Field(examples=["The receivable changes by 100.00 DKK, but originalAmount is 125.00"])


class JournalEntryV1Response(JournalEntryResponse):
    """A posted, immutable entry (v1), as it answers to whoever has just posted it."""

    warnings: list[EntryWarningResponse] = Field(
        default_factory=list, description="What is odd about it; left out where nothing is (extension)"
    )


class ListJournalEntriesResponse(PageResponse[JournalEntryResponse]):
    """A page of journal entries with their lines."""


class JournalEntryBatchResponse(ResponseModel):
    """Entries that were posted together, in the order of the request."""

    total_created: WholeNumber = Field(examples=[2])
    entries: list[JournalEntryResponse]


class JournalEntryBatchV1Response(ResponseModel):
    """Entries that were posted together (v1), in the order of the request."""

    total_created: WholeNumber = Field(examples=[2])
    entries: list[JournalEntryV1Response]
