"""Making and revoking API keys."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from ledgerbee.core.cells import new_secret
from ledgerbee.core.errors import check_all
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import KEY_PREFIX, Grant, Principal, secret_hash
from ledgerbee.platform.credentials.rules import check_allowlist, check_scopes
from ledgerbee.tenancy.api_keys.rules import check_expiry
from ledgerbee.tenancy.grants import actions as grants
from ledgerbee.tenancy.grants import store
from ledgerbee.tenancy.grants.model import ApiKey, ApiKeyId
from ledgerbee.tenancy.grants.wire import render_key

#: How much of a key is kept to recognise it: its prefix, the mark of its cell and five characters.
_PREFIX_LENGTH: Final = 11


async def create(
    context: Context,
    *,
    name: str,
    scopes: Sequence[str],
    ip_allowlist: Sequence[str] = (),
    expires_at: datetime | None = None,
    maker: Principal | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; its secret is in the answer and nowhere else. Emits `api_key.created`.

    `ip_allowlist` holds addresses or networks (empty: any address). The key lies within what `maker` has (None: the
    operator, who can give anything) and ends with it. Raises `API_KEY_SCOPE_NOT_ASSIGNABLE`,
    `INSUFFICIENT_PERMISSIONS` and validation errors.
    """
    check_all(
        lambda: check_scopes(scopes),
        lambda: check_allowlist(ip_allowlist),
        lambda: check_expiry(expires_at, context.now),
    )
    made = await grants.give(context, Grant(tuple(sorted(set(scopes))), tuple(ip_allowlist), expires_at), maker)
    secret = new_secret(KEY_PREFIX, context.cell)
    key = ApiKey(
        id=ApiKeyId(new_id()),
        name=name,
        prefix=secret[:_PREFIX_LENGTH],
        scopes=made.grant.scopes,
        ip_allowlist=made.grant.ip_allowlist,
        expires_at=made.grant.expires_at,
        created_at=context.now,
        created_by=made.created_by,
    )
    await store.insert(context, key)
    await credentials.add(
        context,
        secret_hash=secret_hash(secret),
        kind="api_key",
        subject_id=key.id,
        scopes=key.scopes,
        ip_allowlist=key.ip_allowlist,
        expires_at=key.expires_at,
        made_by=made.maker,
    )
    context.emit("api_key.created", key.id, render_key(key).as_event())
    return key, secret


async def revoke(context: Context, key_id: UUID, changer: Principal | None = None) -> ApiKey:
    """Shut a key out, at once and everywhere, with all that it made (`grants.revoke`). Again is no error.

    Raises `API_KEY_NOT_FOUND`, and `INSUFFICIENT_PERMISSIONS` when `changer` (None: the operator) lacks a scope of it.
    """
    key = await store.get_for_update(context, ApiKey, key_id)
    grants.check_holds(key.scopes, changer)
    if key.revoked_at is not None:
        return key
    await grants.revoke(context, key_id)
    return replace(key, revoked_at=context.now)
