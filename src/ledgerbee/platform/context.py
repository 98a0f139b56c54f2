"""What a command carries through the layers: the open transaction, who acts, for whom, and when."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from msgspec import Struct

from ledgerbee.core.dates import day_in

if TYPE_CHECKING:
    from ledgerbee.platform.db import Connection


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as the audit trail keeps it: `api_key`, `oauth_client`, `system` or `operator` and an id."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


class Event(Struct, frozen=True, gc=False):
    """Something that happened to an object: a topic such as `invoice.sent` and the object as it was then, as JSON.

    The JSON is UTF-8. `is_first` says that nothing was told of the object before: it is new.
    """

    type: str
    object_id: UUID
    data: bytes
    is_first: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """Work for after the commit. `payload` is JSON; the worker may run it more than once."""

    name: str
    payload: dict[str, Any]
    delay: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command answered, kept under its idempotency key. `request_hash` tells the same request from another."""

    key: str
    request_hash: bytes
    status: int
    content_type: str | None
    body: bytes


@dataclass(slots=True)
class Context:
    """One command's transaction. `now` is aware UTC and was read once, at the edge.

    `known` keeps facts of the company, by their type, for its next transactions too (`Principal`); None where nothing
    would say that they have changed.

    `emit`, `enqueue` and `answer` only note: the rows are written just before the commit, in the same transaction.
    Commands that are carried out together share the connection and have a context each.
    """

    connection: "Connection"
    company_id: UUID
    actor: Actor
    request_id: str
    time_zone: str
    now: datetime
    known: dict[type, Any] | None = None
    events: list[Event] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    answer: Answer | None = None

    @property
    def today(self) -> date:
        """The company's calendar day."""
        return day_in(self.now, self.time_zone)

    def emit(self, event_type: str, object_id: UUID, data: dict[str, Any] | bytes, *, is_first: bool = False) -> None:
        """Tell, in this transaction, what happened; `data` is the object's wire form at this moment (or its JSON).

        `is_first` is for what comes by the thousand: of an object known to be new no earlier events are looked for.
        """
        written = data if isinstance(data, bytes) else to_json(data).encode()
        self.events.append(Event(event_type, object_id, written, is_first))

    def enqueue(self, name: str, /, *, delay: timedelta | None = None, **payload: Any) -> None:
        """Have the worker run the job `name` once this transaction has committed (and never if it doesn't)."""
        self.jobs.append(Job(name, payload, delay))


def to_json(value: object) -> str:
    """JSON as it is stored and sent: compact, UTF-8, whatever JSON does not know as text."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
