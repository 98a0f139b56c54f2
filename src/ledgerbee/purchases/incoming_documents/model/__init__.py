"""E-invoices that came in: what a file says, what is noticed about it, and the row that is kept of it.

Amounts are `Decimal` in major units of the document's currency, with the signs of the document: a credit note states
what it credits as positive (EN 16931).
"""

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.purchases.incoming_documents.model.messages import IncomingMessage

IncomingDocumentId = NewType("IncomingDocumentId", UUID)

#: Bytes of a file (decisions "Documents").
MAX_FILE: Final = 10 * 1024 * 1024
#: Stands for a country that isn't said.
NOWHERE: Final = "ZZ"
#: Lines of a document: as many as our own documents may have.
MAX_DOCUMENT_LINES: Final = 5_000
#: Characters that are kept of a document's number.
MAX_DOCUMENT_NUMBER: Final = 200
#: What XML makes a space of each in a text on one line.
_WHITE_SPACE: Final = re.compile("[\t\n\r]")


class DocumentType(StrEnum):
    """What came in."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


class DocumentFormat(StrEnum):
    """In which format it came: Peppol BIS Billing 3, UBL 2.1 of another kind, or OIOUBL 2.1."""

    PEPPOL = "peppol"
    UBL = "ubl"
    OIOUBL = "oioubl"


class IncomingStatus(StrEnum):
    """How far it is: received without a draft, drafted, booked, or its draft was deleted."""

    RECEIVED = "received"
    DRAFTED = "drafted"
    BOOKED = "booked"
    DISCARDED = "discarded"


class ProblemCode(StrEnum):
    """What is noticed about a document. None keeps it from coming in; some keep it from being drafted."""

    ACCOUNT_UNKNOWN = "ACCOUNT_UNKNOWN"
    AMOUNT_TOO_FINE = "AMOUNT_TOO_FINE"
    CURRENCY_DIFFERS = "CURRENCY_DIFFERS"
    CURRENCY_UNKNOWN = "CURRENCY_UNKNOWN"
    DATES_UNLIKELY = "DATES_UNLIKELY"
    DOCUMENT_TYPE_DIFFERS = "DOCUMENT_TYPE_DIFFERS"
    DOCUMENT_TYPE_UNUSUAL = "DOCUMENT_TYPE_UNUSUAL"
    LINE_AMOUNT_DIFFERS = "LINE_AMOUNT_DIFFERS"
    LINE_VAT_UNKNOWN = "LINE_VAT_UNKNOWN"
    NUMBER_UNREADABLE = "NUMBER_UNREADABLE"
    PAYABLE_DIFFERS = "PAYABLE_DIFFERS"
    PDF_MISSING = "PDF_MISSING"
    POSSIBLE_DUPLICATE = "POSSIBLE_DUPLICATE"
    RECEIVER_DIFFERS = "RECEIVER_DIFFERS"
    RECEIVER_UNCERTAIN = "RECEIVER_UNCERTAIN"
    SENDER_IS_COMPANY = "SENDER_IS_COMPANY"
    TOTALS_DIFFER = "TOTALS_DIFFER"
    VAT_CODE_MISSING = "VAT_CODE_MISSING"
    VAT_DIFFERS = "VAT_DIFFERS"
    VAT_IN_BASE_DIFFERS = "VAT_IN_BASE_DIFFERS"
    VAT_OF_ANOTHER_COUNTRY = "VAT_OF_ANOTHER_COUNTRY"
    VENDOR_AMBIGUOUS = "VENDOR_AMBIGUOUS"
    VENDOR_UNKNOWN = "VENDOR_UNKNOWN"


#: What no draft can be made of, whatever is chosen for it: its figures would be wrong.
UNDRAFTABLE: Final = frozenset(
    {ProblemCode.CURRENCY_DIFFERS, ProblemCode.CURRENCY_UNKNOWN, ProblemCode.DOCUMENT_TYPE_DIFFERS}
)
#: What keeps a document from being drafted as long as it is so.
BLOCKING: Final = UNDRAFTABLE | {
    ProblemCode.ACCOUNT_UNKNOWN,
    ProblemCode.VENDOR_AMBIGUOUS,
    ProblemCode.VENDOR_UNKNOWN,
}


def shown(number: str) -> str:
    """What can be seen of a number, on one line: any white space is a space, and what is nothing to see is left out."""
    seen = (char if char.isprintable() else " " if char.isspace() else "" for char in number)
    return " ".join("".join(seen).split())


@dataclass(frozen=True, slots=True)
class Problem:
    """Something noticed: a stable code, and what it is about in words."""

    code: ProblemCode
    message: str


@dataclass(frozen=True, slots=True)
class TradingParty:
    """Sender or receiver as the document states it.

    `numbers` are its numbers in registers, each with its country's prefix (`DK13585628`): VAT number, CVR number.
    `endpoint` is scheme and number, as `0088:5798009811578`.
    """

    name: str
    country_code: str
    numbers: tuple[str, ...] = ()
    vat_number: str | None = None
    endpoint: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    email: str | None = None
    phone: str | None = None
    contact_name: str | None = None

    @property
    def known_country(self) -> str | None:
        """The country that it says, None where it says none."""
        return None if self.country_code == NOWHERE else self.country_code


@dataclass(frozen=True, slots=True)
class ReceivedLine:
    """A line, or an allowance or a charge on the whole document (`quantity` None; an allowance is negative).

    `net` is the line's amount whatever its parts (BT-131). `parts` is what quantity, price, charges and allowances come
    to, None where the line doesn't say them. `category` is None where the line names none that is known.
    """

    number: str
    name: str
    net: Decimal
    category: str | None
    rate: Decimal
    item_number: str | None = None
    description: str | None = None
    quantity: Decimal | None = None
    unit_code: str | None = None
    unit_price: Decimal | None = None
    parts: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceivedTax:
    """A VAT category and rate of the document: base, VAT, and why there is none."""

    category: str | None
    rate: Decimal
    taxable: Decimal
    tax: Decimal
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What a document states. `lines` is the sum of its lines, `vat_in` its VAT in another currency, with that."""

    lines: Decimal
    allowances: Decimal
    charges: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal
    prepaid: Decimal
    rounding: Decimal
    payable: Decimal
    vat_in: tuple[str, Decimal] | None = None


@dataclass(frozen=True, slots=True)
class HowToPay:
    """Where the sender wants to be paid; `account` is an IBAN, or goes with `branch`."""

    account: str | None = None
    branch: str | None = None
    payment_id: str | None = None
    terms: str | None = None


@dataclass(frozen=True, slots=True)
class ReceivedDocument:
    """An invoice or a credit note as it was read. `lines` has the document's allowances and charges at its end.

    `number` is what can be seen of its number, `stated_number` the number as it is written.
    `type_code` is what it says that it is (UNTDID 1001), None where it says nothing beside its root.
    `other_currencies` are those of amounts in another one than the document's, but for VAT in the tax currency.
    """

    format: DocumentFormat
    type: DocumentType
    number: str
    stated_number: str
    issue_date: date
    currency: str
    sender: TradingParty
    receiver: TradingParty
    lines: tuple[ReceivedLine, ...]
    taxes: tuple[ReceivedTax, ...]
    totals: Totals
    due_date: date | None = None
    delivery_date: date | None = None
    order_reference: str | None = None
    preceding_invoice: str | None = None
    note: str | None = None
    how_to_pay: HowToPay = HowToPay()
    type_code: str | None = None
    other_currencies: tuple[str, ...] = ()

    @property
    def true_number(self) -> str:
        """Its number as XML has it (`xsd:normalizedString`): the one by which its sender knows it, and that no other
        document of the sender has."""
        return _WHITE_SPACE.sub(" ", self.stated_number)


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file as it came: `hash` is the content's SHA-256, `name` None where none was said."""

    name: str | None
    content: bytes
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingDocument:
    """The row that is kept of a document. `details` are the sender, the totals and the problems as JSON values.

    `document_number` is the true one, with what can't be seen; `shown_number` is for people.

    `draft_journal_entry_id` is None until it is drafted, and again when that draft was deleted; `drafted_at` stays.
    """

    id: IncomingDocumentId
    hash: bytes
    file_name: str
    document_format: DocumentFormat
    document_type: DocumentType
    document_number: str
    issue_date: date
    due_date: date | None
    currency: str
    sender_id: str
    sender_name: str
    details: dict[str, Any]
    created_at: datetime
    updated_at: datetime
    vendor_id: UUID | None = None
    draft_journal_entry_id: UUID | None = None
    duplicate_of: UUID | None = None
    drafted_at: datetime | None = None

    @property
    def shown_number(self) -> str:
        """What can be seen of its number."""
        return shown(self.document_number)


class AnswerCode(StrEnum):
    """What a receiver may answer to a document."""

    RECEIVED = "received"
    IN_PROCESS = "inProcess"
    UNDER_QUERY = "underQuery"
    CONDITIONALLY_ACCEPTED = "conditionallyAccepted"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    PAID = "paid"


class AnswerReason(StrEnum):
    """Why, by Peppol's list OPStatusReason."""

    NO_ISSUE = "NON"
    REFERENCES = "REF"
    LEGAL = "LEG"
    RECEIVER_UNKNOWN = "REC"
    QUALITY = "QUA"
    DELIVERY = "DEL"
    PRICES = "PRI"
    QUANTITY = "QTY"
    ITEMS = "ITM"
    PAYMENT_TERMS = "PAY"
    NOT_RECOGNISED = "UNR"
    FINANCE = "FIN"
    PARTLY_PAID = "PPD"
    OTHER = "OTH"


class AnswerStatus(StrEnum):
    """Whether an answer left: it waits, is under way, was handed over, or was refused or given up."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


class AttemptOutcome(StrEnum):
    """How a try to send an answer ended."""

    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """What is answered: `reason` is Peppol's alone, `note` the reason in words."""

    answer: AnswerCode
    reason: AnswerReason | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer, a row. `id` is that of its message, `code` the format's own, `sha256` the digest of its `content`.

    `position` counts the answers to the document from 1. `sender` and `receiver` are participants of the network.
    The status of the message `message_id` is a row of the same kind: it has no position, and says nothing of business.
    """

    id: UUID
    document_id: UUID | None
    message_id: UUID | None = None
    position: int | None = None
    answer: AnswerCode | None = None
    code: str
    reason: AnswerReason | None = None
    note: str | None
    format: DocumentFormat
    sender: str
    receiver: str
    sender_country: str
    document_number: str
    sha256: bytes
    content: bytes
    status: AnswerStatus
    created_at: datetime
    updated_at: datetime

    @property
    def given(self) -> AnswerGiven:
        """What was answered. Of answers alone."""
        assert self.answer is not None, "a status of a message is no answer"
        return AnswerGiven(self.answer, self.reason, self.note)


@dataclass(frozen=True, slots=True)
class AnswerAttempt:
    """A try to send an answer; `message` is what the other side said, `provider_id` its own id."""

    id: UUID
    answer_id: UUID
    at: datetime
    outcome: AttemptOutcome
    message: str
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class SentAnswer:
    """An answer with every try to send it."""

    answer: Answer
    attempts: tuple[AnswerAttempt, ...] = ()


@dataclass(frozen=True, slots=True)
class FullIncomingMessage:
    """A message that brought a document, with the status that it got; None where it got none."""

    message: IncomingMessage
    status: SentAnswer | None = None


@dataclass(frozen=True, slots=True)
class FullIncomingDocument:
    """A document with what its draft says of it, what was answered to it, and the messages that brought it."""

    document: IncomingDocument
    is_booked: bool = False
    journal_entry_id: UUID | None = None
    answers: tuple[SentAnswer, ...] = ()
    messages: tuple[FullIncomingMessage, ...] = ()

    @property
    def status(self) -> IncomingStatus:
        """How far it is."""
        if self.document.draft_journal_entry_id is not None:
            return IncomingStatus.BOOKED if self.is_booked else IncomingStatus.DRAFTED
        return IncomingStatus.RECEIVED if self.document.drafted_at is None else IncomingStatus.DISCARDED


INCOMING_DOCUMENT_NOT_FOUND = ErrorCode("INCOMING_DOCUMENT_NOT_FOUND", 404, "No such incoming document in the company")
INCOMING_DOCUMENT_INVALID_STATE = ErrorCode(
    "INCOMING_DOCUMENT_INVALID_STATE", 409, "The document has a draft already, or is booked"
)
INCOMING_DOCUMENT_NOT_DRAFTABLE = ErrorCode(
    "INCOMING_DOCUMENT_NOT_DRAFTABLE", 409, "The document lacks what a draft needs; `problems` names it"
)
INCOMING_DOCUMENT_NOT_ANSWERABLE = ErrorCode(
    "INCOMING_DOCUMENT_NOT_ANSWERABLE",
    409,
    "There is no answer to the document: its format has none, or an address is missing, or wrong; `missing` names it",
)
INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED = ErrorCode(
    "INCOMING_DOCUMENT_ANSWER_NOT_ALLOWED",
    409,
    "The document's format has no such answer, or one that was given rules it out; `allowedAnswers` has what is left",
)
INCOMING_ANSWER_NOT_FOUND = ErrorCode("INCOMING_ANSWER_NOT_FOUND", 404, "No such answer to the incoming document")
INCOMING_ANSWER_UNDERWAY = ErrorCode("INCOMING_ANSWER_UNDERWAY", 409, "Another worker is sending the answer")
INCOMING_DOCUMENT_UNREADABLE = ErrorCode(
    "INCOMING_DOCUMENT_UNREADABLE",
    400,
    "The file is no invoice or credit note in UBL 2.1 or OIOUBL 2.1 that can be read; the message says why",
)
