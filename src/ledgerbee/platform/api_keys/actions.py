"""Making and revoking API keys."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import invalid
from ledgerbee.core.ids import new_id
from ledgerbee.platform.api_keys import store
from ledgerbee.platform.api_keys.model import ApiKey
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import new_secret, secret_hash
from ledgerbee.platform.credentials.rules import check_allowlist, check_grant, check_scopes

#: The start of every key, so that a leaked one is recognised.
KEY_PREFIX: Final = "lb_"


async def create(
    context: Context,
    *,
    name: str,
    scopes: Sequence[str],
    ip_allowlist: Sequence[str] = (),
    expires_at: datetime | None = None,
    held_scopes: Collection[str] | None = None,
) -> tuple[ApiKey, str]:
    """Make a key; its secret is in the answer and nowhere else.

    `ip_allowlist` holds addresses or networks (empty: any address). `held_scopes` are those of whoever asks; no
    other scope can be given (None: the operator, who can give any). Raises `API_KEY_SCOPE_NOT_ASSIGNABLE`,
    `INSUFFICIENT_PERMISSIONS` and validation errors.
    """
    check_scopes(scopes)
    if held_scopes is not None:
        check_grant(scopes, held_scopes)
    check_allowlist(ip_allowlist)
    if expires_at is not None and expires_at <= context.now:
        raise invalid(("expiresAt", "minDate", "expiresAt must lie in the future"))
    secret = new_secret(KEY_PREFIX)
    key = ApiKey(
        id=new_id(),
        name=name,
        prefix=secret[:8],
        scopes=tuple(sorted(set(scopes))),
        ip_allowlist=tuple(ip_allowlist),
        expires_at=expires_at,
        created_at=context.now,
        revoked_at=None,
    )
    await store.insert(context, key)
    await credentials.add(
        context,
        secret_hash=secret_hash(secret),
        kind="api_key",
        subject_id=key.id,
        scopes=key.scopes,
        ip_allowlist=key.ip_allowlist,
        expires_at=expires_at,
    )
    return key, secret


async def revoke(context: Context, key_id: UUID) -> ApiKey:
    """Shut a key out, at once and everywhere. Raises `API_KEY_NOT_FOUND`."""
    key = await store.mark_revoked(context, key_id)
    await credentials.revoke(context, key_id)
    return key
