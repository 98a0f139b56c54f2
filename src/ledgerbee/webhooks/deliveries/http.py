"""Routes of the deliveries of an endpoint (ours)."""

from typing import Annotated

from fastapi import Path, Query

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.webhooks.deliveries import actions, store
from ledgerbee.webhooks.deliveries.model import (
    MAX_REPLAYED,
    REPLAYED_BACK,
    WEBHOOK_DELIVERY_NOT_FOUND,
    WEBHOOK_REPLAY_TOO_LARGE,
    WebhookDeliveryId,
)
from ledgerbee.webhooks.deliveries.wire import (
    ListWebhookDeliveriesResponse,
    ReplayEventsRequest,
    ReplayResponse,
    WebhookDeliveryQuery,
    WebhookDeliveryResponse,
    render,
    replay_of,
)
from ledgerbee.webhooks.endpoints import store as endpoints
from ledgerbee.webhooks.endpoints.http import EndpointPath
from ledgerbee.webhooks.endpoints.model import (
    WEBHOOK_ENDPOINT_INVALID_STATE,
    WEBHOOK_ENDPOINT_NOT_FOUND,
)
from ledgerbee.webhooks.events.model import EVENT_NOT_FOUND

router = resource_router("Webhook Endpoints")

DeliveryPath = Annotated[IdOf[WebhookDeliveryId], Path(alias="webhookDeliveryId", description="Webhook delivery ID")]


@router.get(
    "/v1/webhook-endpoints/{webhookEndpointId}/deliveries",
    **operation(
        "List the deliveries of a webhook endpoint",
        scope="webhook-endpoints-read",
        extension=True,
        description="What was sent to the endpoint, or waits to be, newest first, with each attempt. Kept for 30 days.",
        response="Paginated list of deliveries",
        errors=[WEBHOOK_ENDPOINT_NOT_FOUND],
    ),
)
async def list_webhook_deliveries(
    context: Ctx, webhook_endpoint_id: EndpointPath, query: Annotated[WebhookDeliveryQuery, Query()]
) -> ListWebhookDeliveriesResponse:
    await endpoints.get(context, webhook_endpoint_id)
    found = await store.list_page(context, webhook_endpoint_id, query.wanted, query.asked)
    return ListWebhookDeliveriesResponse.of([render(one) for one in found.rows], found.total, query.asked)


@router.get(
    "/v1/webhook-endpoints/{webhookEndpointId}/deliveries/{webhookDeliveryId}",
    **operation(
        "Get a delivery of a webhook endpoint",
        scope="webhook-endpoints-read",
        extension=True,
        description="One event for one endpoint, with each attempt.",
        errors=[WEBHOOK_ENDPOINT_NOT_FOUND, WEBHOOK_DELIVERY_NOT_FOUND],
    ),
)
async def get_webhook_delivery(
    context: Ctx, webhook_endpoint_id: EndpointPath, webhook_delivery_id: DeliveryPath
) -> WebhookDeliveryResponse:
    await endpoints.get(context, webhook_endpoint_id)
    return render(await store.get(context, webhook_endpoint_id, webhook_delivery_id))


@router.post(
    "/v1/webhook-endpoints/{webhookEndpointId}/deliveries/{webhookDeliveryId}/redeliver",
    **operation(
        "Redeliver an event",
        scope="webhook-endpoints-write",
        extension=True,
        description="Sends the event of a delivery again at once, with the same `webhook-id`: a new delivery, with "
        "attempts of its own. An event that waits for another attempt gets no new delivery: the attempt is made now. "
        "Behind an earlier event of the same object it waits for that one.",
        response="The delivery that is sent",
        errors=[WEBHOOK_ENDPOINT_NOT_FOUND, WEBHOOK_DELIVERY_NOT_FOUND, WEBHOOK_ENDPOINT_INVALID_STATE],
    ),
)
async def redeliver_webhook_event(
    context: Ctx, webhook_endpoint_id: EndpointPath, webhook_delivery_id: DeliveryPath
) -> WebhookDeliveryResponse:
    return render(await actions.redeliver(context, webhook_endpoint_id, webhook_delivery_id))


@router.post(
    "/v1/webhook-endpoints/{webhookEndpointId}/replay",
    **operation(
        "Replay events",
        scope="webhook-endpoints-write",
        extension=True,
        description="Sends events to the endpoint again, each with the same `webhook-id`, those of one object in their "
        f"order: the events that are named, those of a time that the endpoint subscribes to (at most {MAX_REPLAYED:,} "
        f"at once), or what failed or was skipped (the oldest {MAX_REPLAYED:,}; ask again for more). Events of the "
        f"last {REPLAYED_BACK.days} days can be sent again. An event that waits to be sent already is not sent twice.",
        response="How many deliveries were made",
        errors=[
            WEBHOOK_ENDPOINT_NOT_FOUND,
            WEBHOOK_ENDPOINT_INVALID_STATE,
            EVENT_NOT_FOUND,
            WEBHOOK_REPLAY_TOO_LARGE,
        ],
    ),
)
async def replay_webhook_events(
    context: Ctx, webhook_endpoint_id: EndpointPath, body: ReplayEventsRequest
) -> ReplayResponse:
    return ReplayResponse(count=await actions.replay(context, webhook_endpoint_id, replay_of(body)))
