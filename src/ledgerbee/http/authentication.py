"""Who calls: the credential that a request shows, and what its principal may do."""

import asyncio
from collections import OrderedDict
from datetime import datetime
from typing import Final

from fastapi import Request

from ledgerbee.core.dates import Clock
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.cells import Cells
from ledgerbee.http.route import Operation
from ledgerbee.http.state import RequestState, state_of
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
from ledgerbee.platform.db import UNREACHABLE

#: Credentials a process remembers. Each use is checked against the database (`check_credential`).
_CACHE_SIZE: Final = 10_000
#: Seconds that an answer waits to learn whose key its request showed.
_IDENTIFY_TIMEOUT_S: Final = 3.0
_API_KEY: Final = ("api_key",)
_OAUTH_TOKEN: Final = ("oauth_token",)


class Authenticator:
    """Finds the principals of requests for one process, and remembers them."""

    def __init__(self, cells: Cells, clock: Clock) -> None:
        self._cells = cells
        self._clock = clock
        self._cache: OrderedDict[bytes, Principal] = OrderedDict()

    async def admit(self, operation: Operation, request: Request, state: RequestState, now: datetime) -> Principal:
        """The caller, if it may run `operation`; else `UNAUTHORIZED`, `INSUFFICIENT_PERMISSIONS`, `LICENSE.REQUIRED`.

        What this process remembers of a credential lets in (the transaction checks that it is still so) but refuses
        nobody: a licence or scope may have been given since, and a revoked credential is unknown, not forbidden.
        """
        secret, kinds = _secret_of(request, state)
        digest = secret_hash(secret)
        state.identify(None)  # until it is known
        cached = self._cache.get(digest)
        if cached is not None:
            try:
                return _check(operation, request, state, cached, kinds, now)
            except LedgerBeeError:
                del self._cache[digest]
                state.principal = None
        principal = await self._resolve(secret, kinds)
        self._cache[digest] = principal
        if len(self._cache) > _CACHE_SIZE:
            self._cache.popitem(last=False)
        return _check(operation, request, state, principal, kinds, now)

    async def find(self, secret: str, kinds: tuple[str, ...], state: RequestState, now: datetime) -> Principal | None:
        """Whose `secret` it is, for a request of no operation: one of these `kinds`, valid now; None for any other.

        What it may do is for whoever asks. As with `admit`, what is remembered lets in and refuses nobody.
        """
        digest = secret_hash(secret)
        state.identify(None)
        principal = self._cache.get(digest)
        try:
            if principal is None:
                principal = self._cache[digest] = await self._resolve(secret, kinds)
                if len(self._cache) > _CACHE_SIZE:
                    self._cache.popitem(last=False)
            _check_valid(principal, kinds, now)
        except LedgerBeeError as fault:
            if fault.error_code is not UNAUTHORIZED:
                raise
            return None
        state.principal = principal
        return principal

    def forget(self, state: RequestState) -> None:
        """What is remembered of a request's credential is no longer true."""
        if state.principal is not None:
            self._cache.pop(state.principal.secret_hash, None)
            state.principal = None

    async def identify_rejected_request(self, request: Request) -> Principal | None:
        """Whose API key a request shows that was answered before it was authenticated.

        None for a key that nobody has (any more), for an expired one, and when the database doesn't answer in time: no
        answer waits longer for it.
        """
        try:
            secret, kinds = _secret_of(request, state_of(request.scope))
            if kinds != _API_KEY:
                return None
            async with asyncio.timeout(_IDENTIFY_TIMEOUT_S):
                principal = await self._resolve(secret, kinds)
            _check_valid(principal, kinds, self._clock())
        except UNREACHABLE:
            return None
        return principal

    async def _resolve(self, secret: str, kinds: tuple[str, ...]) -> Principal:
        cell = self._cells.of_secret(secret)
        if cell is None:
            raise _unauthorized(kinds)
        async with cell.database.connection() as connection:
            principal = await credentials.resolve(connection, secret_hash(secret), cell.mark)
        if principal is None:
            raise _unauthorized(kinds)
        return principal


def _check(
    operation: Operation,
    request: Request,
    state: RequestState,
    principal: Principal,
    kinds: tuple[str, ...],
    now: datetime,
) -> Principal:
    _check_valid(principal, kinds, now)
    state.principal = principal
    if not is_address_allowed(request.client.host if request.client else None, principal.ip_allowlist):
        raise UNAUTHORIZED.error(reason="ip_whitelist_mismatch")
    authorize(operation, principal)
    return principal


def _check_valid(principal: Principal, kinds: tuple[str, ...], now: datetime) -> None:
    if principal.kind not in kinds or (principal.expires_at is not None and principal.expires_at <= now):
        raise _unauthorized(kinds)


def authorize(operation: Operation, principal: Principal) -> None:
    """Whether a principal may run an operation. Raises `INSUFFICIENT_PERMISSIONS` and `LICENSE.REQUIRED`."""
    if operation.api_key_only and principal.kind != "api_key":
        raise INSUFFICIENT_PERMISSIONS.error(reason="endpoint_requires_api_key_auth")
    for license_key in operation.licenses:
        if license_key not in principal.licenses:
            raise LICENSE_REQUIRED.error(licenseKey=license_key)
    if operation.scope is not None and operation.scope not in principal.scopes:
        raise INSUFFICIENT_PERMISSIONS.error(requiredScopes=[operation.scope])


def _secret_of(request: Request, state: RequestState) -> tuple[str, tuple[str, ...]]:
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
                    _OAUTH_TOKEN, "Invalid or expired access token: this is an API key. Send it as x-api-key: <key>"
                )
            return token.strip(), _OAUTH_TOKEN
        raise _unauthorized(_OAUTH_TOKEN)
    key = state.query_key
    if key:
        return key, _API_KEY
    raise UNAUTHORIZED.error("Missing credential: send an x-api-key header or an OAuth 2.0 bearer token")


def _unauthorized(kinds: tuple[str, ...], why: str = "Invalid or expired access token") -> LedgerBeeError:
    if kinds == _OAUTH_TOKEN:
        return UNAUTHORIZED.error(why, error="invalid_token", reason="invalid_token")
    return UNAUTHORIZED.error()
