"""Rows of states that clients have brought back."""

from datetime import datetime
from typing import Final
from uuid import UUID

from ledgerbee.platform.context import Context

_DELETE_EXPIRED: Final = "DELETE FROM spent_request_states WHERE company_id = $1 AND expires_at < $2"
_SPEND: Final = (
    "INSERT INTO spent_request_states (company_id, nonce, expires_at) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING RETURNING nonce"
)


async def spend(context: Context, nonce: UUID, until: datetime) -> bool:
    """Take a state, whose taking is known `until` then; False: it was taken before."""
    await context.connection.execute(_DELETE_EXPIRED, context.company_id, context.now)
    return await context.connection.fetchval(_SPEND, context.company_id, nonce, until) is not None
