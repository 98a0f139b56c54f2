"""Credentials that other credentials made: none is valid where, when or for what its maker isn't.

A key or client that is revoked takes with it all that it made, and what those made; one that is narrowed takes with it
what no longer fits. The operator's own have no maker and end only by themselves.
"""

from dataclasses import replace
from typing import TypeVar
from uuid import UUID

from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import Grant, Principal
from ledgerbee.platform.credentials.rules import check_addresses, check_grant, fits, granted
from ledgerbee.tenancy.grants import store
from ledgerbee.tenancy.grants.model import ApiKey, OAuthClient, Subject
from ledgerbee.tenancy.grants.wire import render_client, render_key

S = TypeVar("S", bound=Subject)


async def give(context: Context, wanted: Grant, maker: Principal | None) -> Grant:
    """What a new key or client gets that `maker` asks for (None: the operator, who can give anything).

    The maker is locked until the transaction ends: whoever revokes it meanwhile waits, and then sees what it made.
    Raises what `rules.granted` raises, and `CredentialRevokedError`.
    """
    return wanted if maker is None else granted(wanted, await credentials.hold(context, maker.subject_id))


async def insert(
    context: Context, subject: ApiKey | OAuthClient, kind: str, secret_hash: bytes, maker: Principal | None
) -> None:
    """Add a key or client with its credential, which is of this `kind` and made by `maker` (None: the operator)."""
    await store.insert(context, subject)
    await credentials.add(
        context,
        secret_hash=secret_hash,
        kind=kind,
        subject_id=subject.id,
        grant=subject.grant,
        made_by=maker.subject_id if maker else None,
    )


async def check_change(
    context: Context, client_id: UUID, before: Grant, after: Grant, changer: Principal | None
) -> None:
    """Refuse a change of a client by who doesn't hold its scopes, or beyond what its maker or the changer may.

    Raises `INSUFFICIENT_PERMISSIONS` and validation errors.
    """
    if changer is not None:
        held = await credentials.hold(context, changer.subject_id)
        check_grant(before.scopes, held.scopes)
        _check_within(before, after, held)
    maker = await credentials.maker_of(context, client_id)
    if maker is not None:
        _check_within(before, after, await credentials.hold(context, maker))


def _check_within(before: Grant, after: Grant, held: Grant) -> None:
    """Refuse scopes or addresses that `held` doesn't have; those that stay as they were are no question."""
    check_grant(after.scopes, held.scopes)
    if after.ip_allowlist != before.ip_allowlist:
        check_addresses(after.ip_allowlist, held.ip_allowlist)


async def revoke(context: Context, kind: type[S], subject_id: UUID, changer: Principal | None = None) -> S:
    """Shut a key or client out, with its tokens and all that it made, at once and everywhere. Again is no error.

    Emits `api_key.revoked` and `oauth_client.revoked`. Raises `API_KEY_NOT_FOUND` or `OAUTH_CLIENT_NOT_FOUND`, and
    `INSUFFICIENT_PERMISSIONS` when `changer` (None: the operator) lacks a scope of it.
    """
    subject = await store.get_for_update(context, kind, subject_id)
    if changer is not None:
        check_grant(subject.scopes, changer.scopes)
    if subject.revoked_at is not None:
        return subject
    await _end(context, subject_id)
    return replace(subject, revoked_at=context.now)


async def _end(context: Context, subject_id: UUID) -> None:
    """Revoke a key or client with all that it made, however many generations; one that is revoked stays as it is."""
    left = [subject_id]
    while left:
        ended = left.pop()
        await credentials.revoke(context, ended)
        await _mark_revoked(context, ended)
        # A statement of its own, after the one that waited for whoever held the maker (`give`): it sees what was made.
        # What has ended is no longer among them: a circle, which only SQL could make, ends too.
        left.extend(reversed(await credentials.made_by(context, ended)))


async def revoke_beyond(context: Context, subject_id: UUID, grant: Grant) -> None:
    """Revoke what a key or client made that no longer lies within its `grant`."""
    for made, has in (await credentials.made_by(context, subject_id)).items():
        if not fits(has, grant):
            await _end(context, made)


async def _mark_revoked(context: Context, subject_id: UUID) -> None:
    """A key or client was revoked, by itself or with the one that made it."""
    key = await store.mark_revoked(context, ApiKey, subject_id)
    if key is not None:
        was = render_key(replace(key, revoked_at=None)).as_event()
        context.emit("api_key.revoked", subject_id, render_key(key).as_event(), before=was)
        return
    client = await store.mark_revoked(context, OAuthClient, subject_id)
    if client is not None:
        was = render_client(replace(client, revoked_at=None)).as_event()
        context.emit("oauth_client.revoked", subject_id, render_client(client).as_event(), before=was)
