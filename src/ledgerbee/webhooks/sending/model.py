"""What the worker sends, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from ledgerbee.webhooks.deliveries.model import Attempt, WebhookDeliveryId
from ledgerbee.webhooks.endpoints.model import WebhookEndpoint, WebhookEndpointId


@dataclass(frozen=True, slots=True, kw_only=True)
class DueDelivery:
    """A delivery whose next attempt is due, with its event. `attempts` are those that were made.

    `data` is the event's JSON, None where it is long (it is read when it is sent). `is_kept`: the event is there.
    """

    id: WebhookDeliveryId
    endpoint_id: WebhookEndpointId
    event_id: UUID
    event_type: str
    object_id: UUID
    attempts: int
    sequence: int | None
    occurred_at: datetime | None
    data: str | None

    @property
    def is_kept(self) -> bool:
        return self.sequence is not None


class Result(NamedTuple):
    """One attempt at a delivery, and the wait that the receiver asked for."""

    due: DueDelivery
    attempt: Attempt
    retry_after: timedelta | None


@dataclass(frozen=True, slots=True)
class Work:
    """What a transaction left to do: deliveries to send now, with their endpoints.

    `has_more` says that not all events were looked at yet, `next_at` when the next attempt is due (None: none is).
    `is_sandbox`: what the company sends is marked as test.
    """

    endpoints: dict[WebhookEndpointId, WebhookEndpoint]
    due: Sequence[DueDelivery]
    has_more: bool
    next_at: datetime | None
    is_sandbox: bool
