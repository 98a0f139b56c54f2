"""When a delivery is tried again, what is sent once more, when an endpoint is given up (contract 1.8, decisions)."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import refuse
from ledgerbee.webhooks.deliveries.model import REPLAYED_BACK, EventToSend, Replay
from ledgerbee.webhooks.endpoints.model import PATIENCE, WebhookEndpoint
from ledgerbee.webhooks.topics import PING, TOPICS

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
    """Whether an endpoint that failed at both moments, and had no success between them, is disabled.

    The two are far enough apart for one bad delivery to disable none (twelve hours at least, decisions "Webhooks").
    """
    return failure - first_failure >= PATIENCE


def check_replay(asked: Replay, now: datetime) -> None:
    """Raises validation errors where not exactly one way to say what is sent again is used, or its time is wrong.

    `now` is aware UTC.
    """
    ways = [("eventIds", asked.event_ids is not None), ("from", asked.since is not None), ("failed", asked.failed)]
    given = [name for name, is_given in ways if is_given]
    problems = []
    if not given and asked.until is None:
        problems.append(("eventIds", "isDefined", "eventIds must be given, or from, or failed"))
    if len(given) > 1:
        problems += [(name, "isAlone", f"{name} must be given alone: eventIds, or from, or failed") for name in given]
    if asked.until is not None and asked.since is None:
        problems.append(("to", "isWithFrom", "to must come with from"))
    if asked.since is not None and asked.since < now - REPLAYED_BACK:
        problems.append(("from", "minDate", f"from must not be more than {REPLAYED_BACK.days} days ago"))
    if asked.since is not None and asked.until is not None and asked.until < asked.since:
        problems.append(("to", "minDate", "to must not be before from"))
    refuse(problems)


def topics_to_send(endpoint: WebhookEndpoint) -> Sequence[str]:
    """The topics that the endpoint is told of by itself: all that it subscribes to, and its own tests."""
    return sorted({*endpoint.topics, PING} & TOPICS)


def not_yet_to_come(events: Iterable[EventToSend], endpoint: WebhookEndpoint) -> list[EventToSend]:
    """The events without those that the endpoint is about to be sent anyway, in their order: they just happened."""
    topics = set(topics_to_send(endpoint))
    return [event for event in events if event.position <= endpoint.told_up_to or event.type not in topics]


def missing_places(wanted: Sequence[UUID], found: Iterable[EventToSend]) -> list[tuple[int, UUID]]:
    """The wanted events that were not found, with their places in the request."""
    known = {event.id for event in found}
    return [(place, event_id) for place, event_id in enumerate(wanted) if event_id not in known]
