"""Incoming documents on the wire (extension; decisions "Documents")."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date as day
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.core.money import format_amount, format_decimal, is_currency
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableLine
from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.wire import (
    EXAMPLE_ID,
    Id,
    IdText,
    Line,
    Moment,
    MoneyText,
    PageResponse,
    RequestModel,
    ResponseModel,
    omitted,
)
from ledgerbee.ledger.uploads.model import MAX_FILE_NAME
from ledgerbee.ledger.uploads.rules import FILE_NAME, is_file_name
from ledgerbee.purchases.incoming_documents.model import (
    MAX_FILE,
    AnswerCode,
    AnswerGiven,
    AnswerReason,
    DocumentFormat,
    DocumentType,
    FullIncomingDocument,
    IncomingStatus,
    Problem,
    ProblemCode,
    ReceivedDocument,
    ReceivedFile,
    Totals,
    TradingParty,
)
from ledgerbee.purchases.incoming_documents.rules.answering import check_given, is_said
from ledgerbee.purchases.incoming_documents.wire.answers import IncomingAnswerResponse, render_answer
from ledgerbee.purchases.incoming_documents.wire.messages import (
    EnvelopeRequest,
    IncomingMessageResponse,
    render_message,
)

#: What a file of base64 may have for the content to be within its limit.
_MAX_ENCODED: Final = -(-MAX_FILE // 3) * 4


def _check_name(name: str) -> str:
    if not is_file_name(name):
        raise PydanticCustomError("isFileName", FILE_NAME)
    return name


class CreateIncomingDocumentRequest(RequestModel):
    """A file as JSON; as `application/xml` it is the body itself."""

    file_name: Annotated[Line, AfterValidator(_check_name)] = Field(
        max_length=MAX_FILE_NAME, description="Without folders; at most 255 characters", examples=["faktura-1001.xml"]
    )
    content: Annotated[str, Field(strict=True)] = Field(
        description="The XML, as base64; at most 10 MB of it",
        json_schema_extra={"contentEncoding": "base64", "maxLength": _MAX_ENCODED},
    )
    envelope: EnvelopeRequest | None = Field(
        None, description="What the envelope of the message said; with it the message gets a status by itself"
    )

    @classmethod
    def from_file(cls, raw: bytes) -> bytes:
        """The body where it is the XML itself."""
        return raw


if TYPE_CHECKING:
    #: What the handler gets: the model, or the bytes of a body that is the file.
    IncomingFileBody: TypeAlias = CreateIncomingDocumentRequest | bytes
else:  # FastAPI takes the model from the annotation
    IncomingFileBody = CreateIncomingDocumentRequest


class DraftIncomingDocumentRequest(RequestModel):
    """What the document itself doesn't say."""

    vendor_id: Id | None = omitted(
        description="The vendor that sent it. Default: the one it has; where it has none, one is made of `sender`"
    )
    account_id: Id | None = omitted(
        description="The account for lines that nothing was chosen for before. Default: the vendor's own"
    )


class CreateIncomingAnswerRequest(RequestModel):
    """What is answered to the sender."""

    answer: AnswerCode = Field(
        description="To an OIOUBL document `accepted` or `rejected`, once. To a Peppol document any; `accepted` and "
        "`rejected` are final, but for `paid` after `accepted`"
    )
    reason: AnswerReason | None = Field(
        None,
        description="Why, by Peppol's list OPStatusReason; default `OTH`. For Peppol alone, and with a `note`; `PPD` "
        "with `paid` alone",
    )
    note: NullableLine = Field(
        None,
        description="Why, in words. Required for `rejected`, `underQuery` and `conditionallyAccepted`",
        examples=["The order number is missing"],
    )

    @property
    def given(self) -> AnswerGiven:
        """What is answered."""
        return AnswerGiven(self.answer, self.reason, self.note if is_said(self.note) else None)

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Who is refused is told why."""
        yield lambda: check_given(AnswerGiven(self.answer, self.reason, self.note))


class SenderResponse(ResponseModel):
    """Who sent it, as the document says."""

    name: str = Field(examples=["Tavleleverandøren"])
    vat_number: str | None = Field(examples=["DK16356706"])
    endpoint_id: str | None = Field(
        description="Its address in the network, with its scheme", examples=["0184:16356706"]
    )
    address: str | None
    postal_code: str | None
    city: str | None
    country_code: str | None = Field(description="ISO 3166-1 alpha-2; null where it says none", examples=["DK"])
    email: str | None
    phone: str | None


class ProblemResponse(ResponseModel):
    """Something that whoever books it should know."""

    code: ProblemCode = Field(description="Stable code of what it is about")
    message: str


class TotalsResponse(ResponseModel):
    """What the document states, in its currency. A credit note states what it credits as positive."""

    net: MoneyText = Field(description="Excluding VAT, after allowances and charges on the whole")
    vat: MoneyText
    gross: MoneyText = Field(description="Including VAT")
    prepaid: MoneyText = Field(description="Paid before")
    rounding: MoneyText = Field(description="What the payable amount is rounded by")
    payable: MoneyText = Field(description="What is left to pay")
    vat_currency: str | None = Field(description="The other currency that VAT is stated in; null: none")
    vat_in_currency: MoneyText | None = Field(description="VAT in that currency")


class IncomingDocumentResponse(ResponseModel):
    """An e-invoice that came in. It is never booked unasked."""

    id: IdText
    status: IncomingStatus = Field(
        description="`received`: without a draft, `problems` say why. `drafted`, `booked`: as its draft is. "
        "`discarded`: its draft was deleted"
    )
    document_type: DocumentType = Field(description="What came in")
    format: DocumentFormat = Field(description="The format that it came in")
    number: str = Field(
        description="Number that the sender gave it, as far as it can be seen: any white space is one space",
        examples=["A00095678"],
    )
    date: day = Field(description="Day of issue")
    due_date: day | None
    currency: str = Field(examples=["DKK"])
    vendor_id: IdText | None = Field(description="The vendor that sent it; null: none is known")
    draft_journal_entry_id: IdText | None = Field(description="The draft that was made of it; null: none, or deleted")
    journal_entry_id: IdText | None = Field(description="The entry that the draft was booked as; null until then")
    duplicate_of: IdText | None = Field(
        description="The first document with the same sender, number and type, which this may be again; null: none"
    )
    file_name: str
    sender: SenderResponse = Field(
        description="Who sent it, as it says itself; where `vendorId` is null, the vendor that can be made of it"
    )
    totals: TotalsResponse
    problems: list[ProblemResponse] = Field(description="What was noticed; none of it keeps a document from coming in")
    answers: list[IncomingAnswerResponse] = Field(description="What was answered to the sender, oldest first")
    messages: list[IncomingMessageResponse] = Field(
        description="The messages of the network that brought it, oldest first, as far as their envelopes were told"
    )
    created_at: Moment
    updated_at: Moment


class ListIncomingDocumentsResponse(PageResponse[IncomingDocumentResponse]):
    """A page of incoming documents."""


class IncomingSortBy(StrEnum):
    """What the list can be sorted by."""

    CREATED_AT = "createdAt"
    DATE = "date"
    NUMBER = "number"
    SENDER_NAME = "senderName"


class IncomingDocumentQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("A000")] = Field(
        None, description="Prefix search on number or the sender's name"
    )
    status: Annotated[
        IncomingStatus | None,
        WithJsonSchema({"type": "string", "enum": [status.value for status in IncomingStatus]}),
    ] = Field(None, description="Only documents with this status")
    document_type: Annotated[
        DocumentType | None, WithJsonSchema({"type": "string", "enum": [one.value for one in DocumentType]})
    ] = Field(None, description="Only invoices, or only credit notes")
    vendor_id: Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})] = Field(
        None, description="Only documents of this vendor"
    )
    sort_by: IncomingSortBy = Field(IncomingSortBy.CREATED_AT, description="Field to sort by")


def details_of(document: ReceivedDocument, problems: Iterable[Problem]) -> dict[str, Any]:
    """What is kept of a document to be shown, as JSON values."""
    return {
        "sender": _sender(document.sender).as_event(),
        "totals": _totals(document.totals, document.currency).as_event(),
        "problems": [asdict(problem) for problem in problems],
    }


def render(full: FullIncomingDocument) -> IncomingDocumentResponse:
    """The wire form of a document."""
    document = full.document
    return IncomingDocumentResponse(
        id=document.id,
        status=full.status,
        document_type=document.document_type,
        format=document.document_format,
        number=document.shown_number,
        date=document.issue_date,
        due_date=document.due_date,
        currency=document.currency,
        vendor_id=document.vendor_id,
        draft_journal_entry_id=document.draft_journal_entry_id,
        journal_entry_id=full.journal_entry_id,
        duplicate_of=document.duplicate_of,
        file_name=document.file_name,
        sender=document.details["sender"],
        totals=document.details["totals"],
        problems=document.details["problems"],
        answers=[render_answer(one) for one in full.answers],
        messages=[render_message(one) for one in full.messages],
        created_at=document.created_at,
        updated_at=document.updated_at,
    )


def file_name_of(file: ReceivedFile, document: ReceivedDocument) -> str:
    """The name of the file as it came, else one of the document's number that every system takes."""
    if file.name is not None:
        return file.name
    kept = "".join(char if char.isalnum() or char in "-_." else "-" for char in document.number)[:100]
    return f"{kept.strip('.') or document.type}.xml"


def _sender(party: TradingParty) -> SenderResponse:
    return SenderResponse(
        name=party.name,
        vat_number=party.vat_number,
        endpoint_id=party.endpoint,
        address=party.address,
        postal_code=party.postal_code,
        city=party.city,
        country_code=party.known_country,
        email=party.email,
        phone=party.phone,
    )


def _totals(totals: Totals, currency: str) -> TotalsResponse:
    vat_currency, vat_in_currency = totals.vat_in or (None, None)

    def text(amount: Any, code: str = currency) -> str:
        return format_amount(amount, code) if is_currency(code) else format_decimal(amount)

    return TotalsResponse(
        net=text(totals.net),
        vat=text(totals.vat),
        gross=text(totals.gross),
        prepaid=text(totals.prepaid),
        rounding=text(totals.rounding),
        payable=text(totals.payable),
        vat_currency=vat_currency,
        vat_in_currency=None if vat_currency is None else text(vat_in_currency, vat_currency),
    )
