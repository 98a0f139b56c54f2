"""Sending events to an endpoint once more."""

from collections.abc import Mapping, Sequence
from typing import Any

from ledgerbee.core.dates import format_moment
from ledgerbee.core.errors import check_all, check_unique, refuse_first
from ledgerbee.platform.context import Context
from ledgerbee.webhooks.deliveries import rules, store
from ledgerbee.webhooks.deliveries.model import (
    MAX_REPLAYED,
    WEBHOOK_REPLAY_TOO_LARGE,
    EventToSend,
    Replay,
    WebhookDelivery,
    WebhookDeliveryId,
)
from ledgerbee.webhooks.endpoints import actions as endpoints
from ledgerbee.webhooks.endpoints import store as endpoint_store
from ledgerbee.webhooks.endpoints.model import WebhookEndpoint, WebhookEndpointId
from ledgerbee.webhooks.events.model import EVENT_NOT_FOUND


async def redeliver(
    context: Context, endpoint_id: WebhookEndpointId, delivery_id: WebhookDeliveryId
) -> WebhookDelivery:
    """Send the event of a delivery again at once, by a delivery of its own; that one.

    An event that waits to be sent gets no other delivery: its next attempt is made now. Emits
    `webhook_endpoint.replayed`. Raises `WEBHOOK_ENDPOINT_NOT_FOUND`, `WEBHOOK_DELIVERY_NOT_FOUND` and
    `WEBHOOK_ENDPOINT_INVALID_STATE`.
    """
    endpoint = await endpoint_store.get_for_update(context, endpoint_id)
    past = await store.get(context, endpoint_id, delivery_id)
    endpoints.check_enabled(endpoint)
    event = EventToSend(past.event_id, past.event_type, past.object_id, past.position)
    if not await store.queue(context, endpoint_id, [event]):
        await store.hasten(context, endpoint_id, event.id)
    _emit(context, endpoint, 1, {"eventIds": [str(event.id)]})
    await endpoint_store.attempt_at(context, endpoint_id, context.now)
    return await store.get_waiting(context, endpoint_id, event.id)


async def replay(context: Context, endpoint_id: WebhookEndpointId, asked: Replay) -> int:
    """Send events to an endpoint again; how many deliveries were made, none of what waits to be sent already.

    Of what failed, the oldest `MAX_REPLAYED`. Emits `webhook_endpoint.replayed` if any was made. Raises validation
    errors, `WEBHOOK_ENDPOINT_NOT_FOUND`, `WEBHOOK_ENDPOINT_INVALID_STATE`, `EVENT_NOT_FOUND` and
    `WEBHOOK_REPLAY_TOO_LARGE`.
    """
    check_all(lambda: rules.check_replay(asked, context.now), lambda: check_unique("eventIds", asked.event_ids or ()))
    endpoint = await endpoint_store.get_for_update(context, endpoint_id)
    endpoints.check_enabled(endpoint)
    count = await store.queue(context, endpoint_id, await _events(context, endpoint, asked))
    if count:
        await endpoint_store.attempt_at(context, endpoint_id, context.now)
        _emit(context, endpoint, count, _said(asked))
    return count


async def _events(context: Context, endpoint: WebhookEndpoint, asked: Replay) -> Sequence[EventToSend]:
    if asked.event_ids is not None:
        found = await store.find_named(context, endpoint.id, asked.event_ids)
        refuse_first(
            EVENT_NOT_FOUND.missing(f"eventIds.{place}", "eventId", event_id)
            for place, event_id in rules.missing_places(asked.event_ids, found)
        )
        return rules.not_yet_to_come(found, endpoint)
    if asked.since is None:
        return await store.find_undelivered(context, endpoint.id)
    found = await store.find_of_time(context, endpoint, endpoint.topics, asked.since, asked.until or context.now)
    if len(found) > MAX_REPLAYED:
        raise WEBHOOK_REPLAY_TOO_LARGE.error(limit=MAX_REPLAYED)
    return found


def _said(asked: Replay) -> Mapping[str, Any]:
    if asked.event_ids is not None:
        return {"eventIds": [str(one) for one in asked.event_ids]}
    if asked.since is None:
        return {"failed": True}
    until = {} if asked.until is None else {"to": format_moment(asked.until)}
    return {"from": format_moment(asked.since), **until}


def _emit(context: Context, endpoint: WebhookEndpoint, count: int, said: Mapping[str, Any]) -> None:
    data = {**endpoints.event_form(context, endpoint), "replay": {"count": count, **said}}
    context.emit("webhook_endpoint.replayed", endpoint.id, data)
