"""Handing a document over: a delivery and its attempts (contract 2.22, decisions "Documents")."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, NamedTuple, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.sales.documents.model import Document, DocumentKind

DeliveryId = NewType("DeliveryId", UUID)

#: The job that delivers a document: payload `kind`, `documentId`, `deliveryId`.
DELIVER_JOB: Final = "deliver_document"


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


class Outcome(StrEnum):
    """How one attempt ended."""

    DELIVERED = "delivered"
    FAILED = "failed"


class HandOver(NamedTuple):
    """A document that is to reach its customer; `recipient` is an address, None for `Manual`."""

    document_id: UUID
    delivery_type: DeliveryType
    recipient: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One hand-over of a document. `recipient` is the address it goes to, None for `Manual`."""

    id: DeliveryId
    document_type: DocumentKind
    document_id: UUID
    delivery_type: DeliveryType
    recipient: str | None
    status: DeliveryStatus
    created_at: datetime
    updated_at: datetime


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

    `interrupted_at` is when an earlier worker had taken it on that left no outcome: the message may have gone out.
    """

    delivery: Delivery
    document: Document
    snapshot: dict[str, Any]
    interrupted_at: datetime | None = None


DELIVERY_NOT_FOUND = ErrorCode("DELIVERY_NOT_FOUND", 404, "No such delivery in the company")
DELIVERY_UNDERWAY = ErrorCode("DELIVERY_UNDERWAY", 409, "The delivery is being made by another worker")
DELIVERY_INVALID_STATE = ErrorCode("DELIVERY_INVALID_STATE", 409, "The delivery is not being sent")
