"""Staged commands: what an application wants to book, send or cancel is shown before it is carried out.

The preview's id carries it out.

Decisions "OAuth and MCP"; docs/decisions/0028-previews-are-undone-transactions.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.http.route import OperationRoute
from ledgerbee.identity.connections.model import ConnectionId

StagedCommandId = NewType("StagedCommandId", UUID)

PREVIEW_NOT_FOUND = ErrorCode("PREVIEW_NOT_FOUND", 404, "This connection has no such preview")
PREVIEW_INVALID_STATE = ErrorCode(
    "PREVIEW_INVALID_STATE", 409, "The preview can't be committed or decided on any more: nothing was booked or sent"
)
PREVIEW_OUTDATED = ErrorCode(
    "PREVIEW_OUTDATED",
    409,
    "What would happen now is not what the preview showed: nothing was booked or sent. There is a new preview",
)
PREVIEW_BEING_COMMITTED = ErrorCode(
    "PREVIEW_BEING_COMMITTED", 409, "Another call is committing this preview right now: nothing is done twice"
)
CALL_BEING_CARRIED_OUT = ErrorCode(
    "CALL_BEING_CARRIED_OUT", 409, "The same call is being carried out right now: nothing is done twice"
)
APPROVAL_REQUIRED = ErrorCode(
    "APPROVAL_REQUIRED",
    403,
    "It is above what this connection may book in a day without a person's approval: nothing was booked or sent",
)
APPROVAL_FOR_PEOPLE = ErrorCode(
    "APPROVAL_FOR_PEOPLE", 403, "Only a member who is signed in decides on what an application wants to do"
)

#: How long a preview can be committed.
PREVIEW_LIFE: Final = timedelta(minutes=15)
#: How long one can be committed that waits for a person, from when it was first refused without one.
APPROVAL_LIFE: Final = timedelta(hours=24)
#: How long the same call of a tool is the same command: it isn't carried out twice.
REPEAT_WINDOW: Final = timedelta(hours=24)
#: The currency of the limit of what a connection books in a day.
LIMIT_CURRENCY: Final = "DKK"


class PreviewStatus(StrEnum):
    """Where a preview stands. `waiting` and `approved` can be committed, `needs_approval` on another day."""

    WAITING = "waiting"
    NEEDS_APPROVAL = "needs_approval"
    APPROVED = "approved"
    REJECTED = "rejected"
    COMMITTED = "committed"
    EXPIRED = "expired"
    REPLACED = "replaced"


class Decision(StrEnum):
    """What a member said to a command."""

    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedCommand:
    """A row. `arguments`, `preview` and `result` are JSON; moments are aware UTC; `amount` is in DKK (None: unknown).

    `call_hash` says which call it is, `effects_hash` what it was found to do.
    """

    id: StagedCommandId
    connection_id: ConnectionId
    tool: str
    arguments: str
    call_hash: bytes
    effects_hash: bytes
    amount: Decimal | None
    preview: str
    result: str | None = None
    created_at: datetime
    expires_at: datetime
    committed_at: datetime | None = None
    replaced_at: datetime | None = None
    approval_asked_at: datetime | None = None
    decision: Decision | None = None
    decided_by: UUID | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The operation that a call of a tool comes to: its route, the ids of its path and its body.

    One that `bills` makes or changes a subscription, whose next billing is shown: `subscription_id` says which, None
    where the operation's answer has it. What a subscription books later can't be counted, unless the operation `ends`
    it with nothing left to bill.
    """

    route: OperationRoute
    path: Mapping[str, str]
    body: Mapping[str, Any] | None = None
    bills: bool = False
    ends: bool = False
    subscription_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a command does, as it was found at the end of its transaction. JSON values, as the API writes them.

    `changed` are the objects that its events tell of, `entries` what is posted, `deliveries` what leaves the house,
    `webhooks` which topics are told to how many endpoints, `next_billing` what the subscription is billed next.
    `amount` is what is booked, in DKK (None: nobody can say, as there is no rate or more is booked later), `digest`
    says whether two are the same.
    """

    answer: Any
    entries: tuple[Any, ...]
    changed: tuple[Any, ...]
    deliveries: tuple[Any, ...]
    webhooks: tuple[Any, ...]
    next_billing: Any
    amount: Decimal | None
    digest: bytes
