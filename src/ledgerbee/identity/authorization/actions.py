"""What members agree to, and the tokens that applications get for it (OAuth 2.1 4; RFC 7009; RFC 8707).

Whoever exchanges something is in no company yet: what it shows is the credential by which the company is entered.
"""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from ledgerbee.core.cells import new_secret
from ledgerbee.core.ids import new_id
from ledgerbee.http.cells import Cell, Cells
from ledgerbee.identity.authorization import store
from ledgerbee.identity.authorization.clients import uuid_of
from ledgerbee.identity.authorization.model import (
    AUTHORIZATION_CODE,
    CODE_LIFE,
    CODE_PREFIX,
    REFRESH_PREFIX,
    REFRESH_TOKEN,
    AuthorizationCode,
    AuthorizationRequest,
    Client,
    RefreshToken,
    TokenPair,
)
from ledgerbee.identity.authorization.rules import resources
from ledgerbee.identity.authorization.rules.proof_keys import proves
from ledgerbee.identity.authorization.rules.redirects import shown_host
from ledgerbee.identity.authorization.rules.successors import is_in_grace, seal, unseal
from ledgerbee.identity.connections import actions as connections
from ledgerbee.identity.connections import store as connection_rows
from ledgerbee.identity.connections.model import CONNECTION_LIFE, AppConnection, ConnectionId, EndReason
from ledgerbee.identity.users.model import MembershipId, UserId
from ledgerbee.identity.users.rules import SCOPES_OF
from ledgerbee.platform.context import Context, Origin
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import USER_TOKEN, Grant, Principal, secret_hash
from ledgerbee.platform.db import CredentialRevokedError, Tenant
from ledgerbee.tenancy.oauth.model import OAuthRefusal, invalid_request

T = TypeVar("T")

#: The same whatever is wrong with what was shown: who stole it learns nothing of it.
_INVALID: Final = "It is unknown, used, expired, revoked, or was given for another request"
_ATTEMPTS: Final = 3


async def agree(
    context: Context,
    request: AuthorizationRequest,
    scopes: tuple[str, ...],
    membership_id: MembershipId,
    user_id: UserId,
) -> str:
    """Keep what a member has agreed to in the company, for the application to fetch with the code that is answered.

    The code is good for a minute, once, and for who has the verifier of the request's challenge.
    """
    secret = new_secret(CODE_PREFIX, context.cell)
    code = AuthorizationCode(
        id=ConnectionId(new_id()),
        membership_id=membership_id,
        user_id=user_id,
        client_id=request.client.client_id,
        client_name=request.client.name,
        redirect_host=shown_host(request.redirect_uri),
        redirect_uri=request.redirect_uri,
        challenge=request.challenge,
        resource=request.resource,
        scopes=scopes,
        created_at=context.now,
        expires_at=context.now + CODE_LIFE,
    )
    await store.insert_code(context, code)
    await credentials.add(
        context,
        secret_hash=secret_hash(secret),
        kind=AUTHORIZATION_CODE,
        subject_id=code.id,
        grant=Grant((), (), code.expires_at),
        user_id=user_id,
    )
    return secret


@dataclass(frozen=True, slots=True)
class GrantService:
    """Exchanges what applications were given for tokens. `host` is the caller's address, `now` aware UTC.

    `client` has proven who it is; `base_url` is where this installation is reached.
    """

    cells: Cells
    request_id: str
    now: datetime
    host: str | None
    client: Client
    base_url: str

    async def exchange(
        self, code: str, redirect_uri: str | None, verifier: str | None, resource: str | None
    ) -> TokenPair:
        """The tokens that a code stands for, once.

        A code that comes a second time, whoever sends it, has been stolen or sent twice: its connection ends with all
        its tokens. Any other fault leaves the code as it is. Raises `invalid_grant`, `invalid_target`, and
        `invalid_request` without a verifier.
        """
        if verifier is None:
            raise invalid_request("code_verifier is missing")

        async def work(found: Principal, context: Context) -> TokenPair | OAuthRefusal:
            agreed = await store.find_code_for_update(context, found.subject_id)
            if agreed is None:
                return _invalid_grant()
            if agreed.used_at is not None:
                if await connection_rows.find_for_update(context, agreed.id) is not None:
                    await connections.revoke(context, agreed.id, EndReason.CODE_REUSED)
                return _invalid_grant()
            if agreed.client_id != self.client.client_id or agreed.redirect_uri != redirect_uri:
                return _invalid_grant()
            if agreed.expires_at <= self.now or not proves(verifier, agreed.challenge):
                return _invalid_grant()
            self._check_resource(resource, agreed.resource)
            role = await connection_rows.role_of(context, agreed.membership_id)
            scopes = tuple(scope for scope in agreed.scopes if role and scope in SCOPES_OF[role])
            if not scopes:
                return _invalid_grant()
            await store.mark_code_used(context, agreed.id)
            connection = AppConnection(
                id=agreed.id,
                membership_id=agreed.membership_id,
                user_id=agreed.user_id,
                client_id=agreed.client_id,
                client_name=agreed.client_name,
                redirect_host=agreed.redirect_host,
                resource=agreed.resource,
                scopes=scopes,
                created_at=context.now,
                last_used_at=context.now,
                expires_at=context.now + CONNECTION_LIFE,
            )
            await connections.connect(context, connection)
            refresh = await _new_refresh_token(context, connection)
            return TokenPair(await connections.issue_token(context, connection), refresh, scopes)

        shown, cell = await self._resolve(code, (AUTHORIZATION_CODE,))
        return await self._finish(await self._run(code, shown, cell, work))

    async def refresh(self, token: str, scope: str | None, resource: str | None) -> TokenPair:
        """New tokens for a refresh token, which gives way to another.

        The one before works for half a minute more, and leads to the same one as who came first has got. Later it was
        stolen, or a thief has its successor: the connection ends. Raises `invalid_grant`, `invalid_scope`,
        `invalid_target`.
        """

        async def work(found: Principal, context: Context) -> TokenPair | OAuthRefusal:
            # The membership first: whoever changes it goes on to its connections.
            role = await connection_rows.role_behind(context, found.subject_id)
            connection = await connection_rows.find_for_update(context, found.subject_id)
            if connection is None or not connection.is_alive(self.now) or connection.client_id != self.client.client_id:
                return _invalid_grant()
            if found.expires_at is None or found.expires_at <= self.now:
                return _invalid_grant()
            self._check_resource(resource, connection.resource)
            newest = await self._newest(context, connection, token)
            if newest is None:
                return _invalid_grant()
            if role is None:
                await connections.revoke(context, connection.id, EndReason.MEMBERSHIP)
                return _invalid_grant()
            connection = await connections.cut_scopes(context, connection, SCOPES_OF[role])
            wanted = tuple(one for one in connection.scopes if scope is None or one in scope.split(" "))
            if not wanted or (scope is not None and len(wanted) < len(set(scope.split(" ")))):
                raise OAuthRefusal("invalid_scope", "scope must be among those of the connection")
            access = await connections.issue_token(context, replace(connection, scopes=wanted))
            await connection_rows.extend(context, connection.id, context.now + CONNECTION_LIFE)
            return TokenPair(access, newest, wanted)

        shown, cell = await self._resolve(token, (REFRESH_TOKEN,))
        return await self._finish(await self._run(token, shown, cell, work))

    async def revoke(self, token: str) -> None:
        """End a token of the application, with a refresh token the whole connection. Another's stays: no error."""

        async def work(found: Principal, context: Context) -> None:
            connection = await connection_rows.find_for_update(context, found.subject_id)
            if connection is None or connection.client_id != self.client.client_id:
                return
            if found.kind == REFRESH_TOKEN:
                await connections.revoke(context, connection.id, EndReason.APPLICATION)
            else:
                await credentials.revoke_token(context, connection.id, found.secret_hash)

        with suppress(OAuthRefusal):
            shown, cell = await self._resolve(token, (REFRESH_TOKEN, USER_TOKEN))
            await self._run(token, shown, cell, work)

    async def _newest(self, context: Context, connection: AppConnection, token: str) -> str | None:
        """The refresh token that follows on `token`; None where that came too late, which ends the connection."""
        row = await store.find_refresh_token(context, secret_hash(token))
        if row is None:
            return None
        if row.rotated_at is None:
            successor = await _new_refresh_token(context, connection)
            await store.rotate(context, row, seal(token, successor))
            return successor
        if not is_in_grace(row.rotated_at, self.now):
            await connections.revoke(context, connection.id, EndReason.REFRESH_TOKEN_REUSED)
            return None
        newest = token
        while row is not None and row.rotated_at is not None:
            if row.successor is None:
                return None
            newest = unseal(newest, row.successor)
            row = await store.find_refresh_token(context, secret_hash(newest))
        return newest

    def _check_resource(self, wanted: str | None, given: str) -> None:
        """A token is for the address that was agreed on, and no other (RFC 8707, 2.2)."""
        if wanted is not None and resources.path_of(wanted, self.base_url) != given:
            raise OAuthRefusal("invalid_target", "resource must be the one of the authorization request")

    async def _resolve(self, secret: str, kinds: tuple[str, ...]) -> tuple[Principal, Cell]:
        cell = self.cells.of_secret(secret)
        if cell is None:
            raise _invalid_grant()
        async with cell.database.connection() as connection:
            found = await credentials.resolve(connection, secret_hash(secret), cell.mark)
        if found is None or found.kind not in kinds:
            raise _invalid_grant()
        return found, cell

    async def _run(
        self, secret: str, shown: Principal, cell: Cell, work: Callable[[Principal, Context], Awaitable[T]]
    ) -> T:
        """Run `work` in a transaction that the secret itself enters. Raises `invalid_grant`."""
        kinds = (shown.kind,)
        for _ in range(_ATTEMPTS):  # what it may do can change between the two round trips
            with suppress(CredentialRevokedError):
                return await cell.database.run(self._tenant(shown), self.now, partial(work, shown))
            shown, cell = await self._resolve(secret, kinds)
        raise _invalid_grant()

    async def _finish(self, done: TokenPair | OAuthRefusal) -> TokenPair:
        """What was done is committed, a refusal too. A client that registered itself is in use."""
        if isinstance(done, OAuthRefusal):
            raise done
        registered = uuid_of(self.client.client_id)
        cell = self.cells.of_client(self.client.client_id)
        if registered is not None and cell is not None:
            async with cell.database.connection() as connection:
                await store.note_use_of_registered(connection, registered, self.now)
        return done

    def _tenant(self, shown: Principal) -> Tenant:
        return Tenant(
            shown.company_id,
            shown.actor,
            self.request_id,
            shown.time_zone,
            credential_hash=shown.secret_hash,
            credential_version=shown.version,
            origin=Origin(shown.kind, shown.subject_id, self.host),
            is_sandbox=shown.is_sandbox,
            clock_offset=shown.clock_offset,
        )


async def _new_refresh_token(context: Context, connection: AppConnection) -> str:
    secret = new_secret(REFRESH_PREFIX, context.cell)
    token = RefreshToken(token_hash=secret_hash(secret), connection_id=connection.id, created_at=context.now)
    await store.insert_refresh_token(context, token)
    await credentials.add(
        context,
        secret_hash=token.token_hash,
        kind=REFRESH_TOKEN,
        subject_id=connection.id,
        grant=Grant((), (), context.now + CONNECTION_LIFE),
        user_id=connection.user_id,
    )
    return secret


def _invalid_grant() -> OAuthRefusal:
    return OAuthRefusal("invalid_grant", _INVALID)
