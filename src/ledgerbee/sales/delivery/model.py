"""Handing a document over: a delivery and its attempts (contract 2.22, decisions "Documents")."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.sales.documents.model import DocumentKind


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


@dataclass(frozen=True, slots=True)
class Delivery:
    """One hand-over of a document. `recipient` is the address it goes to, None for `Manual`."""

    id: UUID
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


DELIVERY_NOT_FOUND = ErrorCode("DELIVERY_NOT_FOUND", 404, "No such delivery in the company")
DELIVERY_UNDERWAY = ErrorCode("DELIVERY_UNDERWAY", 409, "The delivery is being made by another worker")
DELIVERY_INVALID_STATE = ErrorCode("DELIVERY_INVALID_STATE", 409, "The delivery is not being sent")
