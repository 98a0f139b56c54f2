"""Who calls: the request's credential, and the ways to run its transactions."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar
from uuid import UUID

from fastapi import Response

from ledgerbee.core.dates import Clock, moved, system_clock
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.command_batcher import CommandBatcher, Work
from ledgerbee.http.idempotency import IDEMPOTENCY_KEY_IN_USE, Reservation, answer_of, replay
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import NO_LIMIT, Context, Origin
from ledgerbee.platform.credentials.model import Principal
from ledgerbee.platform.db import (
    TOO_MUCH_CONTENTION,
    AnsweredBeforeError,
    CredentialRevokedError,
    Database,
    KeyInUseError,
    Tenant,
)

C = TypeVar("C")
R = TypeVar("R")
T = TypeVar("T")

#: Looks at what a command did and answers, at the end of its transaction; what it raises undoes all of it.
AtEnd = Callable[[Context, Response], Awaitable[None]]

#: How often a step of a request is run where what is known of its company changes meanwhile.
_MAX_RUNS: Final = 20


@dataclass(slots=True)
class Part:
    """A part of a list that is otherwise answered whole: `limit` of its objects from `offset` on.

    `total` is the length of the whole list, once it has been cut.
    """

    offset: int
    limit: int
    total: int | None = None

    def of(self, ids: Sequence[UUID]) -> Sequence[UUID]:
        """The part of these."""
        self.total = len(ids)
        return ids[self.offset : self.offset + self.limit]


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's principal, moment, database and blob store: enough to open transactions of its own.

    `reservation` is the idempotency key that it sent, `secret_fields` what is not kept of its answer, `address` the
    client's, as the outermost trusted proxy has it (None: it has none). `admit` admits the request once more, as of
    now; it asks the database where the cached credential `is_stale`. `max_waiting_bytes` is what one company may have
    waiting to be worked off. `at_end` looks at what the request's command did, `part` is what it wants of a list that
    is answered whole. `now` is when the request came in; `clock` is for what ends it later.
    """

    principal: Principal
    database: Database
    batcher: CommandBatcher
    blobs: BlobStore
    request_id: str
    now: datetime
    reservation: Reservation | None = None
    secret_fields: tuple[str, ...] = ()
    address: str | None = None
    admit: Callable[[bool], Awaitable[Principal]] | None = None
    max_waiting_bytes: int = NO_LIMIT
    at_end: AtEnd | None = None
    part: Part | None = None
    clock: Clock = system_clock

    @property
    def tenant(self) -> Tenant:
        """Whose rows the transaction may see, and the credential it checks first."""
        principal = self.principal
        return Tenant(
            company_id=principal.company_id,
            actor=principal.actor,
            request_id=self.request_id,
            time_zone=principal.time_zone,
            credential_hash=principal.secret_hash,
            credential_version=principal.version,
            company_cache=principal.company_cache,
            origin=Origin(principal.kind, principal.subject_id, self.address),
            is_sandbox=principal.is_sandbox,
            clock_offset=principal.clock_offset,
        )

    @property
    def company_now(self) -> datetime:
        """When the request came in, on the clock of the caller's company: `now`, but for sandboxes that were moved."""
        return moved(self.now, self.principal.clock_offset, self.principal.time_zone)

    async def read(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a read-only transaction of the caller's company."""
        return await self.database.run(self.tenant, self.now, work, read_only=True)

    async def read_step(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a further read-only transaction, for an answer that is read a piece at a time.

        It may take a while: the credential is checked in each. Raises `UNAUTHORIZED` and `INSUFFICIENT_PERMISSIONS`
        when it may do that no more.
        """
        return await self._as_of_now(lambda caller: caller.read(work))

    async def write_step(self, work: Callable[[Context], Awaitable[T]]) -> T:
        """Run `work` in a transaction of the caller's company that is a step of its request, under no key.

        For a request of several transactions, the last of which is its `command`. It may take hours: each is of its own
        moment, and the credential, its expiry and what it may do are checked in each. Raises `UNAUTHORIZED` and
        `INSUFFICIENT_PERMISSIONS` when that has changed.
        """
        return await self._as_of_now(lambda caller: caller.database.run(caller.tenant, caller.now, work))

    async def final_command(self, work: Callable[[Context], Awaitable[Response]]) -> Response:
        """As `command`, at the end of a request of several transactions: see `write_step`."""
        return await self._as_of_now(lambda caller: caller.command(work))

    async def _as_of_now(self, run: Callable[["Caller"], Awaitable[T]]) -> T:
        """Run something as the caller admitted once more, and again where the cached credential was stale."""
        assert self.admit is not None, "a request of several transactions comes from the edge"
        for attempt in range(_MAX_RUNS):
            try:
                return await run(replace(self, principal=await self.admit(attempt > 0), now=self.clock()))
            except CredentialRevokedError:  # or changed since, which is no reason to stop
                continue
        raise TOO_MUCH_CONTENTION.error()

    def with_content(self, digest: bytes) -> "Caller":
        """The caller of a request whose body was read as it came in: its digest is part of what the request is."""
        if self.reservation is None:
            return self
        return replace(self, reservation=self.reservation.with_content(digest))

    async def answered_before(self) -> Response | None:
        """The answer that is kept under the request's idempotency key; None where there is none.

        For a request that is refused before its transaction. Raises `IDEMPOTENCY_KEY_IN_USE` and
        `IDEMPOTENCY_KEY_REUSED`, which go before what is wrong with the request.
        """
        if self.reservation is None:
            return None
        return await self._once(self.database.run(self.tenant, self.now, _nothing, key=self.reservation.key))

    async def command(self, work: Callable[[Context], Awaitable[Response]]) -> Response:
        """Run `work` in a transaction under the request's idempotency key; its answer, once it is committed.

        The kept answer instead if the request was carried out before. Raises `IDEMPOTENCY_KEY_IN_USE` and
        `IDEMPOTENCY_KEY_REUSED`.
        """

        async def keep_answer(context: Context) -> Response:
            response = await work(context)
            if self.reservation is not None:
                context.answer = answer_of(self.reservation, response, self.secret_fields)
            return response

        key = self.reservation.key if self.reservation else None
        return await self._once(self.database.run(self.tenant, self.now, keep_answer, key=key, at_end=self.at_end))

    async def command_batched(
        self, work: Work[C, R], command: C, render: Callable[[R], Response], size: int = 1
    ) -> Response:
        """As `command`, but in one transaction with those of the company's other callers who come at the same time.

        `work` gets everyone's commands and gives everyone's outcomes; `render` makes this caller's answer. `size` is
        how much there is to do. Raises `TOO_MUCH_CONTENTION` where too many wait already. One that is looked at in the
        end has its transaction for itself.
        """
        if self.at_end is not None:

            async def alone(context: Context) -> Response:
                (outcome,) = await work([context], [command])
                if isinstance(outcome, LedgerBeeError):
                    raise outcome
                return render(outcome)

            return await self.command(alone)
        return await self._once(self.batcher.run(self.tenant, self.reservation, self.now, work, command, render, size))

    async def _once(self, running: Awaitable[T]) -> T | Response:
        try:
            return await running
        except KeyInUseError:
            raise IDEMPOTENCY_KEY_IN_USE.error() from None
        except AnsweredBeforeError:
            reservation = self.reservation
            assert reservation is not None, "only a request with a key can have been answered before"
            return await self.read(lambda context: replay(context, reservation))


async def _nothing(_: Context) -> None:
    """Takes the first round trip of a transaction, which looks at the credential and the key."""
