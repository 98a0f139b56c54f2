"""Events of the sandbox provider that somebody asks for, to see how late and repeated ones are taken (extension)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.payments.providers.sandbox.model import EventType, SandboxEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedEvent:
    """What is to be sent: an event once more, or one of a type about a charge, a refund or a saved
    card (ids of ours)."""

    event_id: UUID | None = None
    type: EventType | None = None
    charge_id: UUID | None = None
    refund_id: UUID | None = None
    payment_method_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SentEvent:
    """An event of the provider. `received_at` is when it came in first, None until it has."""

    event: SandboxEvent
    received_at: datetime | None = None


SANDBOX_EVENT_NOT_FOUND: Final = ErrorCode(
    "SANDBOX_EVENT_NOT_FOUND", 404, "The sandbox provider has sent no such event in the company"
)
