"""Routes of answers to e-invoices (an extension), and the delivery status that shows them."""

import asyncio
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Final
from uuid import UUID

from fastapi import Request, Response

from ledgerbee.http.envelope import PAYLOAD_TOO_LARGE
from ledgerbee.http.head_checks import check_length
from ledgerbee.http.operation import BodyStream, CallerDep, operation, resource_router
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import actions as delivery
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.kind import AnyKind
from ledgerbee.sales.einvoices.answers import actions, store
from ledgerbee.sales.einvoices.answers.model import (
    E_INVOICE_REFERENCE_UNKNOWN,
    E_INVOICE_RESPONSE_UNREADABLE,
    MAX_BYTES,
)
from ledgerbee.sales.einvoices.answers.reading import read
from ledgerbee.sales.einvoices.answers.wire import (
    ReceivedEInvoiceAnswerResponse,
    SentDeliveryStatusResponse,
    render_delivery,
    render_received,
)

router = resource_router("E-Invoices")

_MEDIA_TYPES: Final = ("application/xml", "text/xml")


@router.post(
    "/v1/e-invoice-responses",
    response_model=ReceivedEInvoiceAnswerResponse,
    **operation(
        "Receive an answer to an e-invoice",
        scope="invoices-write",
        status=201,
        description="For whatever brings messages from the network: the body is the answer's XML as it came in, at "
        "most 1 MB. An OIOUBL ApplicationResponse, a Peppol Invoice Response, Message Level Status or Message Level "
        "Response; it names the document by its number, or by the id of its message. A document that was handed over "
        "in another way than as an e-invoice may be answered too. It is shown in the document's delivery status. The "
        "same bytes once more are the same answer (200).",
        response="The answer, and the document that it is to",
        repeated=ReceivedEInvoiceAnswerResponse,
        errors=[E_INVOICE_RESPONSE_UNREADABLE, E_INVOICE_REFERENCE_UNKNOWN, PAYLOAD_TOO_LARGE],
        opens_transaction=False,
        extension=True,
        streams=_MEDIA_TYPES,
    ),
)
async def receive_e_invoice_response(request: Request, caller: CallerDep, body: BodyStream) -> Response:
    check_length(request, MAX_BYTES)
    content = await _whole(body)
    named = caller.with_content(sha256(content).digest())
    kept = await named.answered_before()
    if kept is not None:
        return kept
    # A megabyte of elements takes some hundredths of a second: beside the event loop.
    answer = await asyncio.to_thread(read, content)

    async def work(context: Context) -> Response:
        received = await actions.receive(context, content, answer)
        form = render_received(received).model_dump_json(by_alias=True)
        return Response(form, 201 if received.is_new else 200, media_type="application/json")

    return await named.final_command(work)


async def _whole(body: AsyncIterator[bytes]) -> bytes:
    """All of a body. Raises `PAYLOAD_TOO_LARGE`."""
    content = bytearray()
    async for part in body:
        content += part
        if len(content) > MAX_BYTES:
            raise PAYLOAD_TOO_LARGE.error(maxBytes=MAX_BYTES)
    return bytes(content)


async def delivery_status(context: Context, kind: AnyKind, document_id: UUID) -> SentDeliveryStatusResponse:
    """Where the delivery of a document stands, with every attempt and every answer. Raises `kind.not_found`."""
    await documents.get(context, kind, document_id)
    status = await delivery.delivery_status(context, kind.kind, document_id)
    return render_delivery(status, await store.of_document(context, kind.kind, document_id))
