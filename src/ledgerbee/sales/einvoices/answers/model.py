"""Answers to e-invoices (BEK 97 of 2023, annex 2.1 and 2.2): whether they arrived, and what becomes of them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.sales.documents.model import DocumentKind

#: Bytes of an answer at most: those of the field have some thousand.
MAX_BYTES: Final = 1024 * 1024


class AnswerKind(StrEnum):
    """What is answered, and by whom: the first two by the receiver, the others by the network on the way to it."""

    APPLICATION_RESPONSE = "application_response"
    INVOICE_RESPONSE = "invoice_response"
    MESSAGE_LEVEL_RESPONSE = "message_level_response"
    MESSAGE_LEVEL_STATUS = "message_level_status"


class PartyNumber(NamedTuple):
    """A number of a party as it is written, and the name of its register."""

    scheme: str
    number: str


class Verdict(StrEnum):
    """What an answer comes to, whatever its code."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNDERWAY = "underway"


@dataclass(frozen=True, slots=True)
class ReadAnswer:
    """An answer as it is read. `reference` is the document's number, or the id of its message; the rest of what names
    the document is None where the answer doesn't say it. `receivers` are the numbers of the party that it is for."""

    kind: AnswerKind
    code: str
    text: str | None
    issue_date: date
    reference: str
    document_type: DocumentKind | None
    document_uuid: str | None
    receivers: tuple[PartyNumber, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was received, a row; `content` are its bytes."""

    id: UUID
    delivery_id: UUID
    kind: AnswerKind
    code: str
    text: str | None
    issue_date: date
    received_at: datetime
    sha256: bytes
    content: bytes


class Answered(NamedTuple):
    """A document of ours that an answer may be to: its newest delivery, and the id and the sender of its message
    (`0184:13585628`) if it has one."""

    delivery_id: UUID
    document_type: DocumentKind
    document_id: UUID
    number: str
    message_id: UUID | None
    sender: str | None = None


class Received(NamedTuple):
    """An answer with what it is to; `is_new` is False where it had come before."""

    answer: Answer
    answered: Answered
    is_new: bool


E_INVOICE_RESPONSE_UNREADABLE = ErrorCode(
    "E_INVOICE_RESPONSE_UNREADABLE", 400, "The body is no answer to an e-invoice; `reason` says why"
)
E_INVOICE_REFERENCE_UNKNOWN = ErrorCode(
    "E_INVOICE_REFERENCE_UNKNOWN", 404, "The company has sent no document, or several, that the answer names"
)
