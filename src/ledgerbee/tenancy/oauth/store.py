"""The sliding windows of what takes no credential: the two OAuth endpoints, pages for buyers."""

from datetime import datetime
from typing import Final

from ledgerbee.platform.connection import Connection
from ledgerbee.tenancy.oauth.model import RATE_LIMIT_HITS, RATE_LIMIT_PERIOD, RateLimitWindow

_TAKE_HIT: Final = "SELECT allowed, remaining, resets_at FROM take_rate_limit_hit($1, $2, $3, $4)"


async def take_hit(connection: Connection, bucket: str, now: datetime, hits: int = RATE_LIMIT_HITS) -> RateLimitWindow:
    """Count one call in `bucket` (contract 1.6), the same for every process; `hits` are let through in 60 seconds.

    Needs no company.
    """
    row = await connection.fetchrow(_TAKE_HIT, bucket, now, hits, RATE_LIMIT_PERIOD)
    assert row is not None
    return RateLimitWindow(**row)
