"""Making API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ledgerbee.core.cells import new_secret
from ledgerbee.core.errors import check_all
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import KEY_PREFIX, Grant, Principal, secret_hash
from ledgerbee.platform.credentials.rules import check_allowlist, check_scopes
from ledgerbee.tenancy.api_keys.rules import check_expiry
from ledgerbee.tenancy.grants import actions as grants
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
    grant = await grants.give(context, Grant(tuple(sorted(set(scopes))), tuple(ip_allowlist), expires_at), maker)
    secret = new_secret(KEY_PREFIX, context.cell)
    key = ApiKey(
        id=ApiKeyId(new_id()),
        name=name,
        prefix=secret[:_PREFIX_LENGTH],
        created_at=context.now,
        created_by=str(context.actor),
        **fields_of(grant),
    )
    await grants.insert(context, key, "api_key", secret_hash(secret), maker)
    context.emit("api_key.created", key.id, render_key(key).as_event())
    return key, secret
