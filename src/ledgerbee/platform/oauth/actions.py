"""OAuth clients and the tokens they are given (contract 1.2; RFC 6749, section 4.4; RFC 7009)."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import Principal, new_secret, secret_hash
from ledgerbee.platform.credentials.rules import check_allowlist, check_grant, check_scopes, is_address_allowed
from ledgerbee.platform.db import CredentialRevokedError, Database, Tenant
from ledgerbee.platform.oauth import store
from ledgerbee.platform.oauth.model import (
    CLIENT_SECRET_PREFIX,
    TOKEN_LIFE,
    TOKEN_PREFIX,
    AccessToken,
    ClientCredentials,
    OAuthClient,
    invalid_client,
)


async def create(
    context: Context, *, name: str, scopes: Sequence[str], ip_allowlist: Sequence[str], held_scopes: Collection[str]
) -> tuple[OAuthClient, str]:
    """Make a client; its secret is in the answer and nowhere else.

    `held_scopes` are those of whoever asks; no other can be given. Raises `API_KEY_SCOPE_NOT_ASSIGNABLE`,
    `INSUFFICIENT_PERMISSIONS` and validation errors.
    """
    check_scopes(scopes)
    check_allowlist(ip_allowlist)
    check_grant(scopes, held_scopes)
    secret = new_secret(CLIENT_SECRET_PREFIX)
    client = OAuthClient(new_id(), name, _sorted(scopes), tuple(ip_allowlist), context.now, None)
    await store.insert(context, client)
    await credentials.add(
        context,
        secret_hash=_client_hash(ClientCredentials(str(client.id), secret)),
        kind="oauth_client",
        subject_id=client.id,
        scopes=client.scopes,
        ip_allowlist=client.ip_allowlist,
        expires_at=None,
    )
    return client, secret


async def update(
    context: Context, client_id: UUID, changes: dict[str, Any], *, held_scopes: Collection[str]
) -> OAuthClient:
    """Change a client. Other scopes or addresses end all tokens it was given, at once.

    `held_scopes`: only these can be added. Raises what `create` raises, `OAUTH_CLIENT_NOT_FOUND` and
    `OAUTH_CLIENT_INVALID_STATE`.
    """
    before = await store.get_for_update(context, client_id)
    after = replace(before, **changes)
    check_scopes(after.scopes)
    check_allowlist(after.ip_allowlist)
    check_grant(set(after.scopes) - set(before.scopes), held_scopes)
    after = replace(after, scopes=_sorted(after.scopes), ip_allowlist=tuple(after.ip_allowlist))
    await store.update(context, after)
    if (after.scopes, after.ip_allowlist) != (before.scopes, before.ip_allowlist):
        await credentials.change(context, client_id, scopes=after.scopes, ip_allowlist=after.ip_allowlist)
    return after


async def revoke(context: Context, client_id: UUID) -> None:
    """Shut a client and all its tokens out, at once and everywhere. Raises `OAUTH_CLIENT_NOT_FOUND`."""
    await store.mark_revoked(context, client_id)
    await credentials.revoke(context, client_id)


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class TokenDesk:
    """Where clients of any company ask for tokens and give them back: nobody is authenticated yet.

    `host` is the caller's address, `now` aware UTC.
    """

    database: Database
    request_id: str
    now: datetime
    host: str | None

    async def issue(self, shown: ClientCredentials) -> AccessToken:
        """A new token with all the client's scopes. Raises `invalid_client`."""

        async def work(client: Principal, context: Context) -> AccessToken:
            grant = await credentials.hold(context, client.secret_hash)
            if grant is None or not is_address_allowed(self.host, grant.ip_allowlist):
                raise invalid_client()
            token = AccessToken(new_secret(TOKEN_PREFIX), grant.scopes)
            await credentials.add(
                context,
                secret_hash=secret_hash(token.secret),
                kind="oauth_token",
                subject_id=client.subject_id,
                scopes=grant.scopes,
                ip_allowlist=grant.ip_allowlist,
                expires_at=self.now + TOKEN_LIFE,
            )
            return token

        return await self._as_client(shown, work)

    async def revoke(self, shown: ClientCredentials, token: str) -> None:
        """End a token of the client; one that is unknown or another's is no error. Raises `invalid_client`."""

        async def work(client: Principal, context: Context) -> None:
            if not is_address_allowed(self.host, client.ip_allowlist):
                raise invalid_client()
            await credentials.revoke_token(context, client.subject_id, secret_hash(token))

        await self._as_client(shown, work)

    async def _as_client(self, shown: ClientCredentials, work: Callable[[Principal, Context], Awaitable[T]]) -> T:
        """Run `work` in a transaction that the client's own credential enters. Raises `invalid_client`."""
        for _ in range(2):  # it may be changed between the two round trips: once more, with what is true then
            client = await self._resolve(shown)
            with suppress(CredentialRevokedError):
                return await self.database.run(self._tenant(client), self.now, partial(work, client))
        raise invalid_client()

    async def _resolve(self, shown: ClientCredentials) -> Principal:
        # Id and secret are one hash, so an unknown id and a wrong secret take the same way and the same time.
        async with self.database.connection() as connection:
            client = await credentials.resolve(connection, _client_hash(shown))
        if client is None or client.kind != "oauth_client":
            raise invalid_client()
        return client

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
