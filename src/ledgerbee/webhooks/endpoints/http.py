"""Routes of webhook endpoints (contract 2.17)."""

from typing import Annotated, Final

from fastapi import Path, Query, Response
from pydantic import BaseModel

from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.platform.context import Context
from ledgerbee.webhooks.endpoints import actions, store
from ledgerbee.webhooks.endpoints.model import (
    MAX_ENDPOINTS,
    WEBHOOK_ENDPOINT_INVALID_STATE,
    WEBHOOK_ENDPOINT_LIMIT_REACHED,
    WEBHOOK_ENDPOINT_NOT_FOUND,
    Counts,
    WebhookEndpointId,
)
from ledgerbee.webhooks.endpoints.wire import (
    CreateWebhookEndpointRequest,
    ListWebhookEndpointsResponse,
    UpdateWebhookEndpointRequest,
    WebhookEndpointQuery,
    WebhookEndpointResponse,
    WebhookEndpointSecretResponse,
    WebhookTestResponse,
    render,
    render_page,
    render_secret,
    state_of,
)

router = resource_router("Webhook Endpoints")

EndpointPath = Annotated[IdOf[WebhookEndpointId], Path(alias="webhookEndpointId", description="Webhook endpoint ID")]
_TARGET: Final = (
    "The address has to be https and public: all addresses of its host are looked at, now and whenever something is "
    "sent."
)


@router.get(
    "/v1/webhook-endpoints",
    response_model_exclude_unset=True,
    **operation(
        "List webhook endpoints",
        scope="webhook-endpoints-read",
        description="A page of the company's endpoints, newest first, with how each fares.",
        response="Paginated list of webhook endpoints",
    ),
)
async def list_webhook_endpoints(
    context: Ctx, query: Annotated[WebhookEndpointQuery, Query()]
) -> ListWebhookEndpointsResponse:
    found = await store.list_page(context, query.asked)
    shown = [(one, actions.public_key_of(context, one.endpoint)) for one in found.rows]
    return render_page(shown, found.total, query.asked)


@router.post(
    "/v1/webhook-endpoints",
    response_model=WebhookEndpointSecretResponse,
    response_model_exclude_unset=True,
    **operation(
        "Create a webhook endpoint",
        scope="webhook-endpoints-write",
        status=201,
        description="Has events of the company sent to an address from now on, signed by Standard Webhooks. The secret "
        f"is in this answer and can't be had again. {_TARGET} A company has at most {MAX_ENDPOINTS} endpoints.",
        response="Webhook endpoint created",
        errors=[WEBHOOK_ENDPOINT_LIMIT_REACHED],
        secret_fields=("secret",),
        opens_transaction=False,
    ),
)
async def create_webhook_endpoint(caller: CallerDep, body: CreateWebhookEndpointRequest) -> Response:
    await actions.check_url(body.url)

    async def work(context: Context) -> Response:
        endpoint, secret = await actions.create(context, state_of(body))
        return _json(render_secret(endpoint, actions.public_key_of(context, endpoint), Counts(), secret), 201)

    return await caller.command(work)


@router.get(
    "/v1/webhook-endpoints/{webhookEndpointId}",
    response_model_exclude_unset=True,
    **operation(
        "Retrieve a webhook endpoint",
        scope="webhook-endpoints-read",
        description="One endpoint: its state with the reason, its next attempt, and how many deliveries wait, were "
        "given up or skipped.",
        response="Webhook endpoint details",
        errors=[WEBHOOK_ENDPOINT_NOT_FOUND],
    ),
)
async def get_webhook_endpoint(context: Ctx, webhook_endpoint_id: EndpointPath) -> WebhookEndpointResponse:
    return await _shown(context, webhook_endpoint_id)


@router.put(
    "/v1/webhook-endpoints/{webhookEndpointId}",
    response_model=WebhookEndpointResponse,
    response_model_exclude_unset=True,
    **operation(
        "Update a webhook endpoint",
        scope="webhook-endpoints-write",
        description="The body is the endpoint's whole new state: a `description` that is left out becomes null. Only "
        "`isEnabled` and `signatureType` stay as they are when they are left out, and `signatureType` can't become "
        f"another. {_TARGET} With `isEnabled: false` nothing is sent any more: what waits, and what happens from then "
        "on, is `skipped` and can be replayed; an address that stays as it is may be one that isn't taken any more. "
        "With `true` the endpoint begins anew.",
        response="Webhook endpoint updated",
        errors=[WEBHOOK_ENDPOINT_NOT_FOUND],
        opens_transaction=False,
    ),
)
async def update_webhook_endpoint(
    caller: CallerDep, webhook_endpoint_id: EndpointPath, body: UpdateWebhookEndpointRequest
) -> Response:
    async def url_now(context: Context) -> str:
        return (await store.get(context, webhook_endpoint_id)).endpoint.url

    if body.is_enabled is not False or body.url != (await caller.read(url_now)):
        await actions.check_url(body.url)

    async def work(context: Context) -> Response:
        await actions.update(context, webhook_endpoint_id, state_of(body))
        return _json(await _shown(context, webhook_endpoint_id), 200)

    return await caller.command(work)


@router.delete(
    "/v1/webhook-endpoints/{webhookEndpointId}",
    **operation(
        "Delete a webhook endpoint",
        scope="webhook-endpoints-write",
        status=204,
        description="Nothing is sent to the endpoint any more, and its secrets are gone, at once. What waits for it is "
        "not sent.",
        response="Webhook endpoint deleted",
        errors=[WEBHOOK_ENDPOINT_NOT_FOUND],
    ),
)
async def delete_webhook_endpoint(context: Ctx, webhook_endpoint_id: EndpointPath) -> None:
    await actions.delete(context, webhook_endpoint_id)


@router.post(
    "/v1/webhook-endpoints/{webhookEndpointId}/roll-secret",
    response_model_exclude_unset=True,
    **operation(
        "Roll the signing secret",
        scope="webhook-endpoints-write",
        description="Makes another secret, which is in this answer and can't be had again; for `v1a` another "
        "`publicKey`. For 24 hours deliveries are signed with the present one too. Rolled again within that time, only "
        "the newest two sign.",
        response="The endpoint with its new secret",
        errors=[WEBHOOK_ENDPOINT_NOT_FOUND],
        secret_fields=("secret",),
    ),
)
async def roll_webhook_endpoint_secret(
    context: Ctx, webhook_endpoint_id: EndpointPath
) -> WebhookEndpointSecretResponse:
    endpoint, secret = await actions.roll_secret(context, webhook_endpoint_id)
    counts = (await store.get(context, webhook_endpoint_id)).counts
    return render_secret(endpoint, actions.public_key_of(context, endpoint), counts, secret)


@router.post(
    "/v1/webhook-endpoints/{webhookEndpointId}/test",
    **operation(
        "Send a test event",
        scope="webhook-endpoints-write",
        description="Sends a `ping` to the endpoint, and to no other, whatever it subscribes to. What came of it "
        "stands in the endpoint's deliveries.",
        response="The event, which is sent at once",
        errors=[WEBHOOK_ENDPOINT_NOT_FOUND, WEBHOOK_ENDPOINT_INVALID_STATE],
    ),
)
async def test_webhook_endpoint(context: Ctx, webhook_endpoint_id: EndpointPath) -> WebhookTestResponse:
    return WebhookTestResponse(event_id=await actions.send_test(context, webhook_endpoint_id))


async def _shown(context: Context, endpoint_id: WebhookEndpointId) -> WebhookEndpointResponse:
    found = await store.get(context, endpoint_id)
    return render(found.endpoint, actions.public_key_of(context, found.endpoint), found.counts)


def _json(answer: BaseModel, status: int) -> Response:
    text = answer.model_dump_json(by_alias=True, exclude_unset=True)
    return Response(text, status, media_type="application/json")
