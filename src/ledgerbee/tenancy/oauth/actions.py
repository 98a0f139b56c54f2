"""OAuth clients and the tokens they are given (contract 1.2; RFC 6749, section 4.4; RFC 7009)."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from ledgerbee.core.cells import new_marked_id, new_secret
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import check_all
from ledgerbee.core.fields import fields_of
from ledgerbee.http.cells import Cell, Cells
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import TOKEN_PREFIX, Grant, Principal, secret_hash
from ledgerbee.platform.credentials.rules import check_allowlist, check_scopes, is_address_allowed
from ledgerbee.platform.db import CredentialRevokedError, Tenant
from ledgerbee.tenancy.grants import actions as grants
from ledgerbee.tenancy.grants import store
from ledgerbee.tenancy.grants.model import OAuthClient, OAuthClientId, SubjectFields
from ledgerbee.tenancy.grants.wire import render_client
from ledgerbee.tenancy.oauth.model import (
    CLIENT_SECRET_PREFIX,
    OAUTH_CLIENT_INVALID_STATE,
    TOKEN_LIFE,
    AccessToken,
    ClientCredentials,
    invalid_client,
)


async def create(
    context: Context,
    *,
    name: str,
    scopes: Sequence[str],
    ip_allowlist: Sequence[str] = (),
    maker: Principal | None = None,
) -> tuple[OAuthClient, str]:
    """Make a client; its secret is in the answer and nowhere else. Emits `oauth_client.created`.

    The client lies within what `maker` has (None: the operator, who can give anything) and ends with it. Raises
    `API_KEY_SCOPE_NOT_ASSIGNABLE`, `INSUFFICIENT_PERMISSIONS` and validation errors.
    """
    check_all(lambda: check_scopes(scopes), lambda: check_allowlist(ip_allowlist))
    grant = await grants.give(context, Grant(_sorted(scopes), tuple(ip_allowlist), None), maker)
    secret = new_secret(CLIENT_SECRET_PREFIX, context.cell)
    client = OAuthClient(
        id=OAuthClientId(new_marked_id(context.cell)),
        name=name,
        created_at=context.now,
        created_by=str(context.actor),
        **fields_of(grant),
    )
    shown = ClientCredentials(str(client.id), secret)
    await grants.insert(context, client, "oauth_client", _client_hash(shown), maker)
    context.emit("oauth_client.created", client.id, render_client(client).as_event())
    return client, secret


async def update(
    context: Context, client_id: UUID, changes: Changes[SubjectFields], *, changer: Principal | None = None
) -> OAuthClient:
    """Change a client. Other scopes or addresses end all tokens it was given, at once, and what it made beyond them.

    `changer` (None: the operator) carries all scopes of the client, before and after, and its addresses then lie within
    those of the changer and of the client's maker. Emits `oauth_client.updated` if anything became different. Raises
    what `create` raises, `OAUTH_CLIENT_NOT_FOUND` and `OAUTH_CLIENT_INVALID_STATE`.
    """
    before = await store.get_for_update(context, OAuthClient, client_id)
    if before.revoked_at is not None:
        raise OAUTH_CLIENT_INVALID_STATE.in_state("revoked")
    after = changes.applied_to(before)
    check_all(lambda: check_scopes(after.scopes), lambda: check_allowlist(after.ip_allowlist))
    after = replace(after, scopes=_sorted(after.scopes), ip_allowlist=tuple(after.ip_allowlist))
    await grants.check_change(context, client_id, before.grant, after.grant, changer)
    if after == before:
        return before
    await store.update(context, after)
    if after.grant != before.grant:
        await credentials.change(context, client_id, after.grant)
        await grants.revoke_beyond(context, client_id, after.grant)
    was = render_client(before).as_event()
    context.emit("oauth_client.updated", client_id, render_client(after).as_event(), before=was)
    return after


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TokenService:
    """Issues and revokes tokens of clients of any company: nobody is authenticated yet.

    `host` is the caller's address, `now` aware UTC.
    """

    cells: Cells
    request_id: str
    now: datetime
    host: str | None

    async def issue(self, shown: ClientCredentials) -> AccessToken:
        """A new token with all the client's scopes. Raises `invalid_client`."""

        async def work(client: Principal, context: Context) -> AccessToken:
            grant = await credentials.hold(context, client.subject_id)
            if not is_address_allowed(self.host, grant.ip_allowlist):
                raise invalid_client()
            expires_at = min(self.now + TOKEN_LIFE, grant.expires_at or datetime.max.replace(tzinfo=UTC))
            token = AccessToken(new_secret(TOKEN_PREFIX, client.cell), grant.scopes, expires_at - self.now)
            await credentials.add(
                context,
                secret_hash=secret_hash(token.secret),
                kind="oauth_token",
                subject_id=client.subject_id,
                grant=replace(grant, expires_at=expires_at),
            )
            return token

        return await self._as_client(shown, work)

    async def revoke(self, shown: ClientCredentials, token: str) -> None:
        """End a token of the client; one that is unknown or another's is no error. Raises `invalid_client`."""

        async def work(client: Principal, context: Context) -> None:
            await credentials.revoke_token(context, client.subject_id, secret_hash(token))

        await self._as_client(shown, work)

    async def _as_client(self, shown: ClientCredentials, work: Callable[[Principal, Context], Awaitable[T]]) -> T:
        """Run `work` in a transaction that the client's own credential enters. Raises `invalid_client`."""
        for _ in range(2):  # it may be changed between the two round trips: once more, with what is true then
            client = await self.authenticate(shown)
            with suppress(CredentialRevokedError):
                return await self.cell_of(shown).database.run(self._tenant(client), self.now, partial(work, client))
        raise invalid_client()

    async def authenticate(self, shown: ClientCredentials) -> Principal:
        """The client that shows its secret at one of its addresses. Raises `invalid_client`."""
        # Id and secret are one hash, so an unknown id and a wrong secret take the same way and the same time.
        cell = self.cell_of(shown)
        async with cell.database.connection() as connection:
            client = await credentials.resolve(connection, _client_hash(shown), cell.mark)
        if client is None or client.kind != "oauth_client":
            raise invalid_client()
        if client.expires_at is not None and client.expires_at <= self.now:
            raise invalid_client()
        if not is_address_allowed(self.host, client.ip_allowlist):
            raise invalid_client()
        return client

    def cell_of(self, shown: ClientCredentials) -> Cell:
        """The cell that the client's id names. Raises `invalid_client` where there is none of that mark."""
        cell = self.cells.of_client(shown.client_id)
        if cell is None:
            raise invalid_client()
        return cell

    def _tenant(self, client: Principal) -> Tenant:
        return Tenant(
            client.company_id,
            client.actor,
            self.request_id,
            client.time_zone,
            credential_hash=client.secret_hash,
            credential_version=client.version,
        )


def _client_hash(shown: ClientCredentials) -> bytes:
    return secret_hash(f"{shown.client_id}:{shown.client_secret}")


def _sorted(scopes: Sequence[str]) -> tuple[str, ...]:
    return tuple(sorted(set(scopes)))
