"""Messages that brought e-invoices: what their envelopes say, and the row that is kept of each.

An envelope is the Standard Business Document Header that an access point took off the document.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


class MlsType(StrEnum):
    """Which statuses whoever sent a message wants (`MLS_TYPE` of its envelope)."""

    ALWAYS_SEND = "ALWAYS_SEND"
    FAILURE_ONLY = "FAILURE_ONLY"


class StatusOmitted(StrEnum):
    """Why a message gets no status."""

    ACCESS_POINT_UNKNOWN = "ACCESS_POINT_UNKNOWN"
    ADDRESS_UNKNOWN = "ADDRESS_UNKNOWN"
    NONE_IN_FORMAT = "NONE_IN_FORMAT"
    NOT_ASKED_FOR = "NOT_ASKED_FOR"


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is told of a message beside what was in it.

    `message_id` is the envelope's instance identifier. Access points are six digits; `mls_to` is where the status goes
    when that isn't the access point that sent the message, the digits and what may follow them (`000456-BILLING`).
    """

    message_id: str
    sender_access_point: str | None = None
    receiver_access_point: str | None = None
    mls_to: str | None = None
    mls_type: MlsType = MlsType.ALWAYS_SEND


@dataclass(frozen=True, slots=True)
class IncomingMessage:
    """A message, a row. `hash` is the SHA-256 of what was in it, `document_id` None where that couldn't be read.

    `issues` are what its status names, as JSON values. `omitted` is None where it got a status.
    """

    id: UUID
    message_id: str
    hash: bytes
    document_id: UUID | None
    sender_access_point: str | None
    receiver_access_point: str | None
    mls_to: str | None
    mls_type: MlsType
    issues: list[dict[str, Any]]
    omitted: StatusOmitted | None
    created_at: datetime


INCOMING_MESSAGE_DIFFERS = ErrorCode("INCOMING_MESSAGE_DIFFERS", 409, "Another file came in under this message id")
