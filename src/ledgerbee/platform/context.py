"""What a command carries through the layers: the open transaction, who acts, for whom, and when."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from msgspec import Struct
from msgspec.json import Encoder

from ledgerbee.core.cells import DEFAULT_CELL
from ledgerbee.core.dates import day_in, moved
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.platform.connection import Connection
from ledgerbee.platform.secrets import SecretBox

#: A limit in bytes that nothing reaches.
NO_LIMIT: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it, as the audit trail keeps it: `api_key`, `oauth_client`, `user`, `quote_link`, `provider_callback`,
    `system` or `operator` and an id."""

    kind: str
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a command comes from: the credential that it showed and the address that it was sent from.

    Both are None for what no request asked for. `credential_kind` is `api_key`, `oauth_token`, `user_session`,
    `user_token`, `quote_link` or `provider_callback`; the id is that of the key, membership, connection, link or
    provider, or of the client that the token was given to.
    """

    credential_kind: str | None = None
    credential_id: UUID | None = None
    address: str | None = None


#: Of commands that no request asked for: the operator's, and jobs.
NO_ORIGIN: Final = Origin()


class Event(Struct, frozen=True, gc=False):
    """Something that happened to an object: a topic such as `invoice.sent` and the object as it was then, as JSON.

    The JSON is UTF-8. `before` is the object as it was before the change, None where there was none or nothing of it
    changed. `is_first` says that nothing was told of the object before: it is new.
    """

    id: UUID
    type: str
    object_id: UUID
    data: bytes
    is_first: bool = False
    before: bytes | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work for after the commit. `payload` is JSON; the worker may run it more than once.

    `is_continuation` is for what continues a job: it comes before the company's other jobs of the name.
    """

    name: str
    payload: dict[str, Any]
    delay: timedelta | None = None
    is_continuation: bool = False


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

    `now` is when things really happen, in a sandbox too, whose day may be `clock_offset` days ahead: what is recorded
    (created, posted, sent, signed) is of `now`. What a company does by the calendar goes by `today` and `company_now`.

    `company_cache` keeps facts of the company, by their type, for its next transactions too (`Principal`); None where
    nothing would say that they have changed. `cell` is the mark of the database that the company lives in, `public_url`
    where this installation is reached from outside, where that is known, `secrets` encrypts what has to be read again.

    `emit`, `enqueue` and `answer` only note: the rows are written just before the commit, in the same transaction.
    The commands of a batch share the connection and have a context each.
    """

    connection: Connection
    company_id: UUID
    actor: Actor
    request_id: str
    time_zone: str
    now: datetime
    company_cache: dict[type, Any] | None = None
    origin: Origin = NO_ORIGIN
    cell: str = DEFAULT_CELL
    public_url: str | None = None
    secrets: SecretBox | None = None
    is_sandbox: bool = False
    clock_offset: int = 0
    events: list[Event] = field(default_factory=list)
    jobs: list[Job] = field(default_factory=list)
    answer: Answer | None = None

    @property
    def today(self) -> date:
        """The company's calendar day; that of a sandbox as far ahead as its clock was moved."""
        return day_in(self.now, self.time_zone) + timedelta(days=self.clock_offset)

    @property
    def company_now(self) -> datetime:
        """The moment on the company's clock, aware UTC: `now`, but for sandboxes that were moved ahead."""
        return moved(self.now, self.clock_offset, self.time_zone)

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What is done within (rows, events, jobs) is undone where a refusal leaves it; the transaction goes on."""
        events, jobs = len(self.events), len(self.jobs)
        await self.connection.execute("SAVEPOINT before_refusal")
        try:
            yield
        except LedgerBeeError:
            await self.connection.execute("ROLLBACK TO SAVEPOINT before_refusal")
            del self.events[events:], self.jobs[jobs:]
            raise
        await self.connection.execute("RELEASE SAVEPOINT before_refusal")

    def emit(
        self,
        event_type: str,
        object_id: UUID,
        data: dict[str, Any] | bytes,
        *,
        before: dict[str, Any] | bytes | None = None,
        is_first: bool = False,
    ) -> UUID:
        """Note an event, to be written in this transaction; its id.

        `data` is the object's wire form by now (or its JSON), `before` that before the change; a new object has none, a
        deleted one the same in both. Neither has a secret in it. `is_first` is for what comes by the thousand: of an
        object known to be new no earlier events are looked for.
        """
        was = None if before is None else _written(before)
        event = Event(new_id(), event_type, object_id, _written(data), is_first, was)
        self.events.append(event)
        return event.id

    def enqueue(
        self, name: str, /, *, delay: timedelta | None = None, is_continuation: bool = False, **payload: Any
    ) -> None:
        """Have the worker run the job `name` once this transaction has committed (and never if it doesn't)."""
        self.jobs.append(Job(name, payload, delay, is_continuation))


def _written(form: dict[str, Any] | bytes) -> bytes:
    return form if isinstance(form, bytes) else json_bytes(form)


#: JSON as it is stored and sent: compact, UTF-8, whatever JSON does not know as text.
json_bytes: Final = Encoder(enc_hook=str).encode


def to_json(value: object) -> str:
    """As `json_bytes`, as text."""
    return json_bytes(value).decode()
