"""The edge: what is true for every operation, written once.

A request is authenticated, its scope and licence are checked and its body is read before a connection is
taken. Then one transaction: the company is named and the credential checked in its first round trip, an
idempotency key is reserved, the handler runs, the answer is stored under the key, COMMIT. Only then does the
answer go out. Errors of any kind leave as the documented envelope.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from ledgerbee.core.dates import Clock
from ledgerbee.core.errors import VALIDATION_FAILED, LedgerBeeError
from ledgerbee.http import idempotency
from ledgerbee.http.authentication import Authenticator
from ledgerbee.http.body_limits import check_elements, max_elements
from ledgerbee.http.caller import Caller
from ledgerbee.http.cells import Cells
from ledgerbee.http.endpoints import Handler
from ledgerbee.http.envelope import error_response
from ledgerbee.http.request_checks import CheckRequest
from ledgerbee.http.reused_keys import IDEMPOTENCY_KEY_REUSED
from ledgerbee.http.route import Operation
from ledgerbee.http.state import RequestState, state_of
from ledgerbee.http.step_scheduler import OWNER, run_step
from ledgerbee.http.validation import validation_error
from ledgerbee.platform.context import NO_LIMIT, Context
from ledgerbee.platform.credentials.model import UNAUTHORIZED, Principal
from ledgerbee.platform.db import TOO_MUCH_CONTENTION, CredentialRevokedError

#: How often a request is run where its credential, or what is known of its company, changes meanwhile.
_MAX_RUNS: Final = 20
_IDEMPOTENT_METHODS: Final = frozenset({"POST", "PATCH", "PUT"})
_ABOUT_KEYS: Final = frozenset({idempotency.IDEMPOTENCY_KEY_IN_USE, IDEMPOTENCY_KEY_REUSED})


class Edge:
    """Runs operations for one process."""

    def __init__(self, cells: Cells, clock: Clock, max_waiting_bytes: int = NO_LIMIT) -> None:
        self.cells = cells
        self.max_waiting_bytes = max_waiting_bytes
        self.clock = clock
        self.authenticator = Authenticator(cells, clock)

    async def handle(self, operation: Operation, check: CheckRequest, request: Request, handler: Handler) -> Response:
        """Run one request of `operation`; every error becomes its documented answer."""
        now, state = self.clock(), state_of(request.scope)
        try:
            if operation.public:
                return await self._run_public(request, state, handler, now)
            for _ in range(_MAX_RUNS):
                try:
                    return await self._run(operation, check, request, state, handler, now)
                except CredentialRevokedError:
                    if operation.streams:  # its body was read: it asks again by itself (`Caller.write_step`)
                        raise
                    # What this process remembered is stale: ask again, and run with what is true now. A credential that
                    # is no more is refused there; one that others change at the same time may be stale once more.
                    self.authenticator.forget(state)
            raise TOO_MUCH_CONTENTION.error()
        except CredentialRevokedError:
            self.authenticator.forget(state)
            return error_response(request, UNAUTHORIZED.error(), now)
        except RequestValidationError as fault:
            return error_response(request, validation_error(fault.errors()), now)
        except LedgerBeeError as fault:
            return error_response(request, fault, now)

    async def as_holder(
        self,
        request: Request,
        secret: str,
        kinds: tuple[str, ...],
        run: Callable[[Caller], Awaitable[Response]],
    ) -> Response | None:
        """Run a request of no operation (a page, the MCP server) as whoever shows `secret`.

        None where it is the secret of nobody of these `kinds`, or no longer. `run` opens the transactions; it runs
        again where what is known of the credential is stale, so that what it writes has to be in its first transaction
        or under an idempotency key. Raises `TOO_MUCH_CONTENTION`.
        """
        now, state = self.clock(), state_of(request.scope)
        for _ in range(_MAX_RUNS):
            principal = await self.authenticator.find(secret, kinds, state, now)
            if principal is None:
                return None
            cell = self.cells[principal.cell]
            caller = Caller(
                principal=principal,
                database=cell.database,
                batcher=cell.batcher,
                blobs=cell.blobs,
                request_id=state.request_id,
                now=now,
                clock=self.clock,
                address=request.client.host if request.client else None,
            )
            try:
                return await run(caller)
            except CredentialRevokedError:
                self.authenticator.forget(state)
        raise TOO_MUCH_CONTENTION.error()

    async def _run_public(self, request: Request, state: RequestState, handler: Handler, now: datetime) -> Response:
        _count_incoming_body(state, request, None)
        state.cells, state.now = self.cells, now
        return await handler(request)

    async def _run(
        self,
        operation: Operation,
        check: CheckRequest,
        request: Request,
        state: RequestState,
        handler: Handler,
        now: datetime,
    ) -> Response:
        principal = await self.authenticator.admit(operation, request, state, now)
        _count_incoming_body(state, request, principal.company_id)
        # The whole body is here before a connection is taken: a slow client holds no transaction open.
        body = await request.body() if _has_body(request) and not operation.streams else b""
        OWNER.set(principal.company_id)
        if not operation.takes_file(request.headers.get("content-type", "")):
            await run_step(len(body), lambda: check_elements(body, max_elements(operation.max_body)))
        caller = state.caller = await self._caller(operation, request, state, body, now)
        if operation.streams:
            state.body = _stream(request, state)  # its handler opens transactions for what has come in
        try:
            await check(request)
            if not operation.opens_transaction:
                return await handler(request)
            if body and not _is_form(request):
                await request.json()  # malformed JSON is refused here, as it is read again below from memory
        except (RequestValidationError, LedgerBeeError) as fault:
            kept = await caller.answered_before() if _may_have_been_answered(fault, operation) else None
            if kept is None:
                raise
            return kept

        async def work(context: Context) -> Response:
            state.context = context
            return await handler(request)

        return await (caller.read(work) if request.method in {"GET", "HEAD"} else caller.command(work))

    async def _caller(
        self, operation: Operation, request: Request, state: RequestState, body: bytes, now: datetime
    ) -> Caller:
        """The caller of an admitted request, with its idempotency key."""
        assert state.principal is not None

        async def admit(is_stale: bool) -> Principal:
            if is_stale:
                self.authenticator.forget(state)
            return await self.authenticator.admit(operation, request, state, self.clock())

        def reserved() -> idempotency.Reservation | None:
            return idempotency.reservation(request, body, streams=bool(operation.streams))

        takes_key = request.method in _IDEMPOTENT_METHODS and not operation.keeps_keys
        cell = self.cells[state.principal.cell]
        return Caller(
            principal=state.principal,
            database=cell.database,
            batcher=cell.batcher,
            blobs=cell.blobs,
            request_id=state.request_id,
            now=now,
            admit=admit,
            max_waiting_bytes=self.max_waiting_bytes,
            clock=self.clock,
            reservation=await run_step(len(body), reserved) if takes_key else None,
            secret_fields=operation.secret_fields,
            address=request.client.host if request.client else None,
        )


async def _stream(request: Request, state: RequestState) -> AsyncIterator[bytes]:
    """A body as it comes in. Raises what the server has refused it for, and `ClientDisconnect` if it broke off."""
    try:
        async for block in request.stream():
            yield block
    except ClientDisconnect:
        if state.refusal is None:
            raise
        raise state.refusal from None


def _may_have_been_answered(fault: Exception, operation: Operation) -> bool:
    """Whether a request that is refused ahead of its transaction may have an answer under its idempotency key.

    Of a file that is read as it comes in only what is said beside it is known by then.
    """
    if isinstance(fault, RequestValidationError):
        return True
    assert isinstance(fault, LedgerBeeError)
    if operation.streams:
        return fault.error_code is VALIDATION_FAILED
    return fault.status < 500 and fault.error_code not in _ABOUT_KEYS


def _count_incoming_body(state: RequestState, request: Request, company: UUID | None) -> None:
    """Count a body that is still coming in for the company (None: a stranger's). Raises `TOO_MANY_CONNECTIONS`."""
    if state.count_incoming_body is not None:
        state.count_incoming_body(company, request.client.host if request.client else "")


def _has_body(request: Request) -> bool:
    """Whether a body comes with the request (RFC 9112, 6.3)."""
    return "content-length" in request.headers or "transfer-encoding" in request.headers


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
