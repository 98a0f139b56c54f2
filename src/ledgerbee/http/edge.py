"""The edge: what is true for every operation, written once.

A request is authenticated, its scope and licence are checked and its body is read before a connection is
taken. Then one transaction: the company is named and the credential checked in its first round trip, an
idempotency key is reserved, the handler runs, the answer is stored under the key, COMMIT. Only then does the
answer go out. Errors of any kind leave as the documented envelope.
"""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Final
from uuid import UUID

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.requests import ClientDisconnect

from ledgerbee.core.dates import Clock
from ledgerbee.core.errors import VALIDATION_FAILED, LedgerBeeError
from ledgerbee.http import idempotency
from ledgerbee.http.body_limits import check_elements, max_elements
from ledgerbee.http.caller import Caller
from ledgerbee.http.command_batcher import Together
from ledgerbee.http.envelope import error_response
from ledgerbee.http.operation import Handler, Operation
from ledgerbee.http.pace import OWNER, in_turn
from ledgerbee.http.request_checks import CheckRequest
from ledgerbee.http.validation import validation_error
from ledgerbee.platform.blobs.store import BlobStore
from ledgerbee.platform.context import NO_LIMIT, Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import (
    INSUFFICIENT_PERMISSIONS,
    KEY_PREFIX,
    LICENSE_REQUIRED,
    TOKEN_PREFIX,
    UNAUTHORIZED,
    Principal,
    secret_hash,
)
from ledgerbee.platform.credentials.rules import is_address_allowed
from ledgerbee.platform.db import TOO_MUCH_CONTENTION, UNREACHABLE, CredentialRevokedError, Database

#: Credentials a process remembers. Each use is checked against the database (`check_credential`).
_CACHE_SIZE: Final = 10_000
#: How often a request is run where its credential, or what is known of its company, changes meanwhile.
_MOST_CHANGES: Final = 20
#: Seconds that an answer waits to learn whose key its request showed.
_PATIENCE_S: Final = 3.0
_IDEMPOTENT_METHODS: Final = frozenset({"POST", "PATCH", "PUT"})
_API_KEY: Final = ("api_key",)
_ABOUT_KEYS: Final = frozenset({idempotency.IDEMPOTENCY_KEY_IN_USE, idempotency.IDEMPOTENCY_KEY_REUSED})


class Edge:
    """Runs operations for one process."""

    def __init__(self, database: Database, clock: Clock, blobs: BlobStore, max_waiting_bytes: int = NO_LIMIT) -> None:
        self.database = database
        self.max_waiting_bytes = max_waiting_bytes
        self.clock = clock
        self.blobs = blobs
        self.together = Together(database)
        self._principals: OrderedDict[bytes, Principal] = OrderedDict()

    async def handle(self, operation: Operation, check: CheckRequest, request: Request, handler: Handler) -> Response:
        """Run one request of `operation`; every error becomes its documented answer."""
        now = self.clock()
        try:
            if operation.public:
                return await self._run_public(request, handler, now)
            for _ in range(_MOST_CHANGES):
                try:
                    return await self._run(operation, check, request, handler, now)
                except CredentialRevokedError:
                    if operation.streams:  # its body was read: it asks again by itself (`Caller.write`)
                        raise
                    # What this process remembered is stale: ask again, and run with what is true now. A credential that
                    # is no more is refused there; one that others change at the same time may be stale once more.
                    self._forget(request)
            raise TOO_MUCH_CONTENTION.error()
        except CredentialRevokedError:
            self._forget(request)
            return error_response(request, UNAUTHORIZED.error(), now)
        except RequestValidationError as fault:
            return error_response(request, validation_error(fault.errors()), now)
        except LedgerBeeError as fault:
            return error_response(request, fault, now)

    async def recognize(self, request: Request) -> Principal | None:
        """Whose API key a request shows that is answered without having been let in here; None where that isn't told.

        It isn't of a key that nobody has (any more) or that has expired, nor when the database doesn't say in time: no
        answer is kept back for it.
        """
        try:
            secret, kinds = _secret_of(request)
            if kinds != _API_KEY:
                return None
            async with asyncio.timeout(_PATIENCE_S):
                principal = await self._resolve(secret_hash(secret), kinds)
            _check_valid(principal, kinds, self.clock())
        except UNREACHABLE:
            return None
        return principal

    async def _run_public(self, request: Request, handler: Handler, now: datetime) -> Response:
        _count_in(request, None)
        request.scope["ledgerbee.database"] = self.database
        request.scope["ledgerbee.now"] = now
        return await handler(request)

    async def _run(
        self, operation: Operation, check: CheckRequest, request: Request, handler: Handler, now: datetime
    ) -> Response:
        principal = await self._admit(operation, request, now)
        _count_in(request, principal.company_id)
        # The whole body is here before a connection is taken: a slow client holds no transaction open.
        body = b"" if operation.streams else await request.body()
        OWNER.set(principal.company_id)
        await in_turn(len(body), lambda: check_elements(body, max_elements(operation.max_body)))
        is_write = request.method in _IDEMPOTENT_METHODS

        def reserved() -> idempotency.Reservation | None:
            return idempotency.reservation(request, body, streams=bool(operation.streams)) if is_write else None

        async def admit(is_stale: bool) -> Principal:
            if is_stale:
                self._forget(request)
            return await self._admit(operation, request, self.clock())

        caller = Caller(
            principal=principal,
            database=self.database,
            together=self.together,
            blobs=self.blobs,
            request_id=request.scope["ledgerbee.request_id"],
            now=now,
            admit=admit,
            max_waiting_bytes=self.max_waiting_bytes,
            clock=self.clock,
            reservation=await in_turn(len(body), reserved),
            secret_fields=operation.secret_fields,
            address=request.client.host if request.client else None,
        )
        request.scope["ledgerbee.caller"] = caller
        if operation.streams:
            request.scope["ledgerbee.body"] = _stream(request)  # its handler opens transactions for what has come in
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
            request.scope["ledgerbee.context"] = context
            return await handler(request)

        return await (caller.read(work) if request.method in {"GET", "HEAD"} else caller.command(work))

    async def _admit(self, operation: Operation, request: Request, now: datetime) -> Principal:
        """The caller, if it may run `operation`; else `UNAUTHORIZED`, `INSUFFICIENT_PERMISSIONS`, `LICENSE.REQUIRED`.

        What this process remembers of a credential lets in (the transaction checks that it is still so) but refuses
        nobody: a licence or scope may have been given since, and a revoked credential is unknown, not forbidden.
        """
        secret, kinds = _secret_of(request)
        digest = secret_hash(secret)
        request.scope["ledgerbee.principal"] = None  # until it is known
        remembered = self._principals.get(digest)
        if remembered is not None:
            try:
                return _check(operation, request, remembered, kinds, now)
            except LedgerBeeError:
                request.scope["ledgerbee.principal"] = remembered
                self._forget(request)
        principal = await self._resolve(digest, kinds)
        self._principals[digest] = principal
        if len(self._principals) > _CACHE_SIZE:
            self._principals.popitem(last=False)
        return _check(operation, request, principal, kinds, now)

    async def _resolve(self, digest: bytes, kinds: tuple[str, ...]) -> Principal:
        async with self.database.connection() as connection:
            principal = await credentials.resolve(connection, digest)
        if principal is None:
            raise _unauthorized(kinds)
        return principal

    def _forget(self, request: Request) -> None:
        principal: Principal = request.scope["ledgerbee.principal"]
        request.scope["ledgerbee.principal"] = None
        self._principals.pop(principal.secret_hash, None)


async def _stream(request: Request) -> AsyncIterator[bytes]:
    """A body as it comes in. Raises what the server has refused it for, and `ClientDisconnect` if it broke off."""
    try:
        async for block in request.stream():
            yield block
    except ClientDisconnect:
        refusal: LedgerBeeError | None = request.scope.get("ledgerbee.refused")
        if refusal is None:
            raise
        raise refusal from None


def _check(
    operation: Operation, request: Request, principal: Principal, kinds: tuple[str, ...], now: datetime
) -> Principal:
    _check_valid(principal, kinds, now)
    request.scope["ledgerbee.principal"] = principal
    if not is_address_allowed(request.client.host if request.client else None, principal.ip_allowlist):
        raise UNAUTHORIZED.error(reason="ip_whitelist_mismatch")
    _authorize(operation, principal)
    return principal


def _check_valid(principal: Principal, kinds: tuple[str, ...], now: datetime) -> None:
    if principal.kind not in kinds or (principal.expires_at is not None and principal.expires_at <= now):
        raise _unauthorized(kinds)


def _secret_of(request: Request) -> tuple[str, tuple[str, ...]]:
    """The secret that the request shows and the kinds of credential it may be there."""
    key = request.headers.get("x-api-key")
    if key:
        if key.startswith(TOKEN_PREFIX):
            raise UNAUTHORIZED.error(
                "Invalid API key: this is an OAuth access token. Send it as Authorization: Bearer <token>"
            )
        return key, _API_KEY
    authorization = request.headers.get("authorization", "")
    if authorization:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() == "bearer" and token.strip():
            if token.strip().startswith(KEY_PREFIX):  # refused here (contract 1.2)
                raise _unauthorized(
                    ("oauth_token",), "Invalid or expired access token: this is an API key. Send it as x-api-key: <key>"
                )
            return token.strip(), ("oauth_token",)
        raise _unauthorized(("oauth_token",))
    key = request.scope.get("ledgerbee.query_key")  # taken out of the address by the shell
    if key:
        return key, _API_KEY
    raise UNAUTHORIZED.error("Missing credential: send an x-api-key header or an OAuth 2.0 bearer token")


def _unauthorized(kinds: tuple[str, ...], why: str = "Invalid or expired access token") -> LedgerBeeError:
    if kinds == ("oauth_token",):
        return UNAUTHORIZED.error(why, error="invalid_token", reason="invalid_token")
    return UNAUTHORIZED.error()


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


def _count_in(request: Request, company: UUID | None) -> None:
    """Count a body that is still coming in for the company (None: a stranger's). Raises `TOO_MANY_CONNECTIONS`."""
    comes_in = request.scope.get("ledgerbee.comes_in")  # of our own server (`http/protocol.py`)
    if comes_in is not None:
        comes_in(company, request.client.host if request.client else "")


def _is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _authorize(operation: Operation, principal: Principal) -> None:
    if operation.api_key_only and principal.kind != "api_key":
        raise INSUFFICIENT_PERMISSIONS.error(reason="endpoint_requires_api_key_auth")
    if operation.license is not None and operation.license not in principal.licenses:
        raise LICENSE_REQUIRED.error(licenseKey=operation.license)
    if operation.scope is not None and operation.scope not in principal.scopes:
        raise INSUFFICIENT_PERMISSIONS.error(requiredScopes=[operation.scope])
