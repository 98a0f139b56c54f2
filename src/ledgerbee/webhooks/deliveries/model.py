"""Deliveries of events to endpoints, with their attempts (contract 1.8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.webhooks.endpoints.model import WebhookEndpointId

WebhookDeliveryId = NewType("WebhookDeliveryId", UUID)

#: Bytes of an answer that the log keeps.
MAX_ANSWER: Final = 512
#: Events that one replay names, and that it sends again at most.
MAX_NAMED: Final = 1_000
MAX_REPLAYED: Final = 100_000
#: How far back events can be sent again.
REPLAYED_BACK: Final = timedelta(days=90)


class DeliveryStatus(StrEnum):
    """Where a delivery stands. `failed`: given up after the last attempt; `skipped`: its endpoint was disabled."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt. `status` is that of the answer, None where there was none; `error` says in words what went wrong.

    `at` is aware UTC, when it was sent; `answer` is the start of the body, at most `MAX_ANSWER` bytes of it, as text.
    """

    at: datetime
    status: int | None
    duration_ms: int
    answer: str | None
    error: str | None

    @property
    def is_success(self) -> bool:
        """A 2xx (contract 1.8): everything else is tried again, redirects too."""
        return self.error is None and self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookDelivery:
    """One event for one endpoint: a plan of eight attempts, at most. Moments are aware UTC.

    `position` is that of the event. A pending one without `next_attempt_at` waits for an earlier one of its object.
    """

    id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    event_id: UUID
    event_type: str
    object_id: UUID
    position: int
    status: DeliveryStatus
    attempts: Sequence[Attempt]
    next_attempt_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """What a list of deliveries is narrowed to; None: to nothing."""

    status: DeliveryStatus | None = None
    event_type: str | None = None
    object_id: UUID | None = None
    event_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class EventToSend:
    """What a delivery has to know of its event."""

    id: UUID
    type: str
    object_id: UUID
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What is to be sent again: the events that are named, those of a time (aware UTC, inclusive), or what failed.

    Exactly one of them: `event_ids`, `since` with or without `until`, or `failed`.
    """

    event_ids: Sequence[UUID] | None = None
    since: datetime | None = None
    until: datetime | None = None
    failed: bool = False


WEBHOOK_DELIVERY_NOT_FOUND = ErrorCode("WEBHOOK_DELIVERY_NOT_FOUND", 404, "No such delivery of the endpoint")
WEBHOOK_REPLAY_TOO_LARGE = ErrorCode(
    "WEBHOOK_REPLAY_TOO_LARGE", 400, "More events happened in this time than are sent again at once: ask for less"
)
