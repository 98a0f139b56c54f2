"""When a delivery is tried again, and when an endpoint is given up (contract 1.8, decisions "Webhooks")."""

from datetime import datetime, timedelta
from typing import Final

from ledgerbee.webhooks.endpoints.model import PATIENCE, SECOND_FAILURE

#: Between one attempt and the next: eight attempts in all, over some 21 hours.
WAITS: Final = tuple(timedelta(seconds=seconds) for seconds in (30, 120, 480, 1920, 7680, 30720, 36000))
MAX_ATTEMPTS: Final = len(WAITS) + 1
#: How much longer a wait may be, as a part of it: those that failed together are not tried again together.
JITTER: Final = 0.09


def wait_after(attempt: int, spread: float, retry_after: timedelta | None = None) -> timedelta | None:
    """How long to wait after attempt number `attempt`, from 1; None: it was the last.

    `spread`, from 0 to below 1, is how much of the jitter is taken. What the receiver asks for (`Retry-After`) may
    postpone the next attempt, at most to where the one after it would be; it adds none.
    """
    if attempt >= MAX_ATTEMPTS:
        return None
    planned = WAITS[attempt - 1] * (1 + JITTER * spread)
    latest = planned + (WAITS[attempt] if attempt < len(WAITS) else timedelta(0))
    return max(planned, min(retry_after or planned, latest))


def is_given_up(first_failure: datetime, failure: datetime) -> bool:
    """Whether an endpoint that failed at both moments, and had no success between them, is disabled."""
    return failure - first_failure >= max(PATIENCE, SECOND_FAILURE)
