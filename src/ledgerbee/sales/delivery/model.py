"""Handing a document over: a delivery and its attempts (contract 2.22, decisions "Documents")."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.sales.documents.model import Document, DocumentKind

DeliveryId = NewType("DeliveryId", UUID)
#: Of a recipient of a delivery, and of its mail.
RecipientId = NewType("RecipientId", UUID)

#: The job that delivers a document: payload `kind`, `documentId`, `deliveryId`.
DELIVER_JOB: Final = "deliver_document"
#: The job that records that a mail came back: payload `deliveryId`, `recipientId`, `reason`.
BOUNCE_JOB: Final = "record_bounce"


class DeliveryType(StrEnum):
    """How a document reaches the customer: by the sender's own means, as mail, or over the e-invoicing network."""

    MANUAL = "Manual"
    EMAIL = "Email"
    SPROOM = "Sproom"


class DeliveryStatus(StrEnum):
    """Where a delivery stands. `manual` is final: the sender hands the document over."""

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    MANUAL = "manual"


class RecipientStatus(StrEnum):
    """Where one recipient of a delivery stands; `pending` also between two tries.

    `bounced`: it was accepted, and told later that nobody gets it (RFC 3464).
    """

    PENDING = "pending"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"
    BOUNCED = "bounced"


class Outcome(StrEnum):
    """How one attempt ended. `bounced` is told later, of what was accepted."""

    DELIVERED = "delivered"
    FAILED = "failed"
    BOUNCED = "bounced"


class HandOver(NamedTuple):
    """A document that is to reach its customer.

    `recipient` is an address, of a mail up to five, separated by commas; None for `Manual`. `is_given` says that the
    sender named it.
    """

    document_id: UUID
    delivery_type: DeliveryType
    recipient: str | None
    is_given: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """One hand-over of a document. `recipient` is as in `HandOver`, and so is `recipient_given`."""

    id: DeliveryId
    document_type: DocumentKind
    document_id: UUID
    delivery_type: DeliveryType
    recipient: str | None
    status: DeliveryStatus
    created_at: datetime
    updated_at: datetime
    recipient_given: bool = False


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a delivery: one address, with a mail and a state of its own. The id names the mail.

    `position` counts from 1; `reason` is why it gets nothing any more (`failed`, `bounced`).
    """

    id: RecipientId
    delivery_id: DeliveryId
    position: int
    address: str
    status: RecipientStatus
    reason: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SentMessage:
    """The mail of a recipient as it was handed to the mail server; the id is the recipient's.

    `size` is in bytes, `hash` the SHA-256 by which the blob store has it.
    """

    id: RecipientId
    size: int
    hash: bytes
    created_at: datetime


class DeliveryInList(NamedTuple):
    """A delivery as the list has it; `document_number` is that of its document."""

    delivery: Delivery
    document_number: str
    recipients: tuple[Recipient, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `channel` is the means (`smtp`), `provider_id` the other side's name for what it accepted."""

    id: UUID
    at: datetime
    channel: str
    recipient: str
    outcome: Outcome
    message: str | None = None
    provider_id: str | None = None


@dataclass(frozen=True, slots=True)
class ClaimedDelivery:
    """A delivery that a worker has taken on, with the booked document it is about.

    `recipients` are those who are still to get it, in order; the first is `sending`. `interrupted_at` is when an
    earlier worker had taken it on that left no outcome: the message to the first may have gone out.
    """

    delivery: Delivery
    document: Document
    snapshot: dict[str, Any]
    recipients: tuple[Recipient, ...]
    interrupted_at: datetime | None = None


DELIVERY_NOT_FOUND = ErrorCode("DELIVERY_NOT_FOUND", 404, "No such delivery in the company")
DELIVERY_UNDERWAY = ErrorCode("DELIVERY_UNDERWAY", 409, "The delivery is being made by another worker")
DELIVERY_INVALID_STATE = ErrorCode("DELIVERY_INVALID_STATE", 409, "The delivery is not being sent")
