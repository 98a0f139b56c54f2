"""Webhook endpoints: where a company's events are sent, and how they are signed (contract 1.8, 2.17)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.webhooks.signing import SignatureType

WebhookEndpointId = NewType("WebhookEndpointId", UUID)

#: How long both secrets sign after a roll.
OVERLAP: Final = timedelta(hours=24)
#: How long an endpoint fails, without a success, before it is disabled (decisions "Webhooks").
PATIENCE: Final = timedelta(days=5)
#: Endpoints of a company, and deliveries of one that are counted: what is beyond shows as that many.
MAX_ENDPOINTS: Final = 100
MAX_COUNTED: Final = 10_000


class StoredStatus(StrEnum):
    """Whether an endpoint is sent to, and who has disabled it."""

    ENABLED = "enabled"
    DISABLED_BY_USER = "disabled_by_user"
    DISABLED_BY_SYSTEM = "disabled_by_system"
    DELETED = "deleted"


class EndpointStatus(StrEnum):
    """How an endpoint fares, as it is shown. `backing_off`: its last delivery failed and is tried again."""

    ACTIVE = "active"
    BACKING_OFF = "backing_off"
    DISABLED_BY_USER = "disabled_by_user"
    DISABLED_BY_SYSTEM = "disabled_by_system"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointState:
    """What a caller wants an endpoint to be, as a whole; what is None stays as it is, of a new one the default."""

    url: str
    topics: tuple[str, ...]
    description: str | None
    signature_type: SignatureType | None = None
    is_enabled: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEndpoint:
    """A row of the company's endpoints. Secrets are encrypted; moments are aware UTC.

    `told_up_to` is the position of the last event that deliveries were made of. `failing_since` is the first failure
    since the last success, `next_attempt_at` the first attempt that is due of any of its deliveries.
    """

    id: WebhookEndpointId
    url: str
    description: str | None
    topics: tuple[str, ...]
    signature_type: SignatureType
    secret: bytes
    previous_secret: bytes | None
    previous_expires_at: datetime | None
    status: StoredStatus
    status_reason: str | None
    status_changed_at: datetime
    told_up_to: int
    failing_since: datetime | None
    last_failure: str | None
    last_success_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_enabled(self) -> bool:
        return self.status is StoredStatus.ENABLED

    @property
    def shown_status(self) -> EndpointStatus:
        """The status that callers see."""
        if self.is_enabled:
            return EndpointStatus.ACTIVE if self.failing_since is None else EndpointStatus.BACKING_OFF
        return EndpointStatus(self.status)


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Deliveries of an endpoint in its log, by their status; each is `MAX_COUNTED` at most."""

    pending_count: int = 0
    failed_count: int = 0
    skipped_count: int = 0


@dataclass(frozen=True, slots=True)
class CountedEndpoint:
    """An endpoint with the counts of its deliveries."""

    endpoint: WebhookEndpoint
    counts: Counts


WEBHOOK_ENDPOINT_NOT_FOUND = ErrorCode("WEBHOOK_ENDPOINT_NOT_FOUND", 404, "No such webhook endpoint in the company")
WEBHOOK_ENDPOINT_INVALID_STATE = ErrorCode(
    "WEBHOOK_ENDPOINT_INVALID_STATE", 409, "The endpoint is disabled: nothing is sent to it"
)
WEBHOOK_ENDPOINT_LIMIT_REACHED = ErrorCode(
    "WEBHOOK_ENDPOINT_LIMIT_REACHED", 409, "The company has as many webhook endpoints as there may be"
)
