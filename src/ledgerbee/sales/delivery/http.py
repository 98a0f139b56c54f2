"""Routes of deliveries of documents of every kind (ours)."""

from typing import Annotated

import structlog
from fastapi import Path, Query, Response

from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.platform.blobs.store import ATTACHMENT_STORE_UNAVAILABLE
from ledgerbee.sales.delivery import actions, store
from ledgerbee.sales.delivery.model import DELIVERY_NOT_FOUND, DeliveryId
from ledgerbee.sales.delivery.reports import read_report
from ledgerbee.sales.delivery.wire import (
    CreateBounceRequest,
    DeliveryMessageResponse,
    DeliveryMessagesResponse,
    DeliveryQuery,
    ListDeliveriesResponse,
    RecordBounceResponse,
    render,
    render_message,
)

router = resource_router("Deliveries")

DeliveryPath = Annotated[IdOf[DeliveryId], Path(alias="deliveryId", description="Delivery ID")]

log = structlog.get_logger("ledgerbee.delivery")


@router.get(
    "/v1/deliveries",
    **operation(
        "List deliveries",
        scope="deliveries-read",
        extension=True,
        description="The newest delivery of each document that was sent, of every kind, newest first. With "
        "`?status=failed` what didn't arrive, with each recipient's reason: send those documents again.",
        response="Paginated list of deliveries",
    ),
)
async def list_deliveries(context: Ctx, query: Annotated[DeliveryQuery, Query()]) -> ListDeliveriesResponse:
    found = await store.list_page(context, query.asked, status=query.status, document_type=query.document_type)
    return ListDeliveriesResponse.of([render(one) for one in found.rows], found.total, query.asked)


@router.get(
    "/v1/deliveries/{deliveryId}/messages",
    **operation(
        "Get the messages of a delivery",
        scope="deliveries-read",
        extension=True,
        description="The mail of each recipient, byte for byte as it was handed to the mail server, with the PDF. A "
        "mail is kept from its first try on; what is handed over by hand has none.",
        response="The kept messages",
        errors=[DELIVERY_NOT_FOUND, ATTACHMENT_STORE_UNAVAILABLE],
        opens_transaction=False,
    ),
    response_model=DeliveryMessagesResponse,
)
async def get_delivery_messages(caller: CallerDep, delivery_id: DeliveryPath) -> Response:
    recipients, kept = await caller.read(lambda context: actions.messages(context, delivery_id))
    messages: list[DeliveryMessageResponse] = []
    for one in recipients:
        if one.id in kept:
            content = await caller.blobs.get(caller.principal.company_id, kept[one.id].hash)
            if content is None:
                log.error("deliveries.message_missing", recipient=str(one.id), sha256=kept[one.id].hash.hex())
                raise ATTACHMENT_STORE_UNAVAILABLE.error()
            messages.append(render_message(one, kept[one.id], content))
    answer = DeliveryMessagesResponse(messages=messages).model_dump_json(by_alias=True)
    return Response(answer, media_type="application/json")


@router.post(
    "/v1/deliveries/bounces",
    **operation(
        "Record a bounced mail",
        scope="deliveries-write",
        status=202,
        extension=True,
        description="Takes the report of a mail server that a mail, which it had accepted, reaches nobody (RFC 3464), "
        "as it came in. The recipient is `bounced` and the delivery `failed` as soon as the worker has recorded it; "
        "the document stays as it is and can be sent again. A report of anything else (`delayed`, `delivered`) changes "
        "nothing, and neither does the same one twice.",
        response="The report names a mail of the company",
        errors=[DELIVERY_NOT_FOUND],
        max_body=LARGE_BODY,
    ),
)
async def record_bounce(context: Ctx, body: CreateBounceRequest) -> RecordBounceResponse:
    return await actions.take_report(context, read_report(body.message))
