"""One transaction of the worker over a company's webhooks: results in, new deliveries made, what is due out."""

import random
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from ledgerbee.core.dates import format_moment
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context, to_json
from ledgerbee.webhooks.deliveries.model import Attempt, DeliveryStatus, WebhookDeliveryId
from ledgerbee.webhooks.deliveries.rules import MAX_ATTEMPTS, is_given_up, wait_after
from ledgerbee.webhooks.endpoints import store as endpoint_store
from ledgerbee.webhooks.endpoints.model import StoredStatus, WebhookEndpoint, WebhookEndpointId
from ledgerbee.webhooks.sending import store
from ledgerbee.webhooks.sending.model import DueDelivery, Result, Work
from ledgerbee.webhooks.sending.notices import DISABLED_JOB
from ledgerbee.webhooks.topics import PING

#: Deliveries that one transaction makes, at most: so many positions by endpoints it looks at.
MAX_MADE: Final = 2000


async def advance(
    context: Context,
    results: Sequence[Result],
    busy: Collection[WebhookDeliveryId],
    room: Callable[[WebhookEndpoint], int],
) -> Work:
    """Record results, make deliveries of new events, and load what is due, but for the `busy` ones.

    Of each endpoint at most as many deliveries are loaded as there is `room` for. An endpoint that failed for too long
    is disabled here, with an event and a job.
    """
    endpoints, last_position, is_sandbox = await store.lock_endpoints(context)
    known = {one.id: one for one in endpoints}
    if results:
        await _record(context, [result for result in results if result.due.endpoint_id in known])
        known |= _after_results(context.now, known, results)
        _tell_disabled(context, [one for one in known.values() if _was_disabled(one, endpoints)])
    has_more = await _make_deliveries(context, known, last_position)
    enabled = [one for one in known.values() if one.is_enabled]
    if len(enabled) < len(known):
        disabled = [one.id for one in known.values() if not one.is_enabled]
        has_more |= await endpoint_store.skip_pending(context, disabled)
    open_to = {one.id: places for one in enabled if (places := room(one)) > 0}
    due = await store.list_due(context, open_to, busy) if open_to else []
    if results or list(known.values()) != endpoints:
        await store.update_endpoints(context, list(known.values()))
    next_at = await store.next_attempt_after(context, [one.id for one in enabled]) if enabled else None
    return Work(known, due, has_more, next_at, is_sandbox)


async def _record(context: Context, results: Sequence[Result]) -> None:
    recorded: list[tuple[DueDelivery, Attempt, DeliveryStatus, datetime | None]] = []
    for due, attempt, retry_after in results:
        if attempt.is_success:
            recorded.append((due, attempt, DeliveryStatus.DELIVERED, None))
            continue
        spread = random.random()  # noqa: S311 jitter, not a secret
        wait = wait_after(due.attempts + 1 if due.is_kept else MAX_ATTEMPTS, spread, retry_after)
        status = DeliveryStatus.FAILED if wait is None else DeliveryStatus.PENDING
        recorded.append((due, attempt, status, None if wait is None else context.now + wait))
    if recorded:
        await store.record(context, recorded, [to_json(_written(attempt)) for _, attempt, _, _ in recorded])


def _written(attempt: Attempt) -> dict[str, Any]:
    return {
        "at": format_moment(attempt.at),
        "status": attempt.status,
        "durationMs": attempt.duration_ms,
        "answer": attempt.answer,
        "error": attempt.error,
    }


def _after_results(
    now: datetime, known: Mapping[WebhookEndpointId, WebhookEndpoint], results: Sequence[Result]
) -> dict[WebhookEndpointId, WebhookEndpoint]:
    """Endpoints as they fare after these attempts, in the order in which they were made."""
    changed: dict[WebhookEndpointId, WebhookEndpoint] = {}
    for due, attempt, _ in sorted(results, key=lambda result: result.attempt.at):
        endpoint = changed.get(due.endpoint_id) or known.get(due.endpoint_id)
        if endpoint is not None:
            changed[endpoint.id] = _after(now, endpoint, attempt)
    return changed


def _after(now: datetime, endpoint: WebhookEndpoint, attempt: Attempt) -> WebhookEndpoint:
    if attempt.is_success:
        return replace(endpoint, failing_since=None, last_failure=None, last_success_at=attempt.at)
    failure = attempt.error or f"It answered with {attempt.status}."
    failing = replace(endpoint, failing_since=endpoint.failing_since or attempt.at, last_failure=failure)
    if failing.is_enabled and failing.failing_since and is_given_up(failing.failing_since, attempt.at):
        return replace(
            failing,
            status=StoredStatus.DISABLED_BY_SYSTEM,
            status_reason=f"It failed since {format_moment(failing.failing_since)}, at last so: {failure}",
            status_changed_at=now,
        )
    return failing


def _was_disabled(endpoint: WebhookEndpoint, before: Sequence[WebhookEndpoint]) -> bool:
    return not endpoint.is_enabled and any(one.id == endpoint.id and one.is_enabled for one in before)


def _tell_disabled(context: Context, endpoints: Sequence[WebhookEndpoint]) -> None:
    for endpoint in endpoints:
        context.emit(
            "webhook_endpoint.disabled",
            endpoint.id,
            {
                "id": str(endpoint.id),
                "url": endpoint.url,
                "reason": endpoint.status_reason,
                "failingSince": endpoint.failing_since and format_moment(endpoint.failing_since),
            },
        )
        context.enqueue(DISABLED_JOB, endpointId=str(endpoint.id), noticeId=str(new_id()))


async def _make_deliveries(
    context: Context, known: dict[WebhookEndpointId, WebhookEndpoint], last_position: int
) -> bool:
    """Make deliveries of the next events for every endpoint that was not told of them; whether there are more.

    What happens while an endpoint is disabled is skipped, which can be replayed.
    """
    start = min((one.told_up_to for one in known.values()), default=last_position)
    end = min(last_position, start + MAX_MADE // max(len(known), 1))
    if start >= end:
        return False
    behind = [one for one in known.values() if one.told_up_to < end]
    topics = {topic for one in behind for topic in one.topics} - {PING}
    events = await store.list_events(context, start, end, topics)
    made = [delivery for endpoint in behind for delivery in _deliveries_to(endpoint, events)]
    if made:
        await store.insert(context, made)
    known.update((one.id, replace(one, told_up_to=end)) for one in behind)
    return end < last_position


def _deliveries_to(endpoint: WebhookEndpoint, events: Sequence[store.NewEvent]) -> Iterator[store.NewDelivery]:
    topics, met = frozenset(endpoint.topics), set()
    for event in events:
        concerns = event.object_id == endpoint.id if event.type == PING else event.type in topics
        if not concerns or event.position <= endpoint.told_up_to:
            continue
        yield store.NewDelivery(
            endpoint.id,
            event.id,
            event.type,
            event.object_id,
            event.position,
            DeliveryStatus.PENDING if endpoint.is_enabled else DeliveryStatus.SKIPPED,
            event.object_id not in met,
        )
        met.add(event.object_id)
