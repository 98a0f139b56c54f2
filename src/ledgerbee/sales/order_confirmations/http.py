"""Routes of order confirmations (contract 2.23, 3.3)."""

from typing import Annotated

from fastapi import Path, Query, Response

from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.http import DRAFT_ERRORS, pdf_of, pdf_operation
from ledgerbee.sales.order_confirmations import actions, store
from ledgerbee.sales.order_confirmations.kind import ORDER_CONFIRMATIONS
from ledgerbee.sales.order_confirmations.model import (
    ORDER_CONFIRMATION_INVALID_STATE,
    ORDER_CONFIRMATION_NOT_FOUND,
    ORDER_CONFIRMATION_RECIPIENT_MISSING,
    FullOrderConfirmation,
    OrderConfirmationId,
)
from ledgerbee.sales.order_confirmations.wire import (
    ConvertOrderConfirmationRequest,
    CreateOrderConfirmationRequest,
    ListOrderConfirmationsResponse,
    OrderConfirmationQuery,
    PublicOrderConfirmation,
    SendOrderConfirmationRequest,
    UpdateOrderConfirmationRequest,
    changes_of,
    invoice_changes_of,
    order_confirmation_fields_of,
    render,
    render_summary,
)
from ledgerbee.sales.presales.http import SEND_ERRORS, json_of, send_tried
from ledgerbee.sales.presales.model import SALES_DOCUMENT_CONVERT_REQUIRES_SENT
from ledgerbee.sales.presales.wire import ConvertedInvoiceResponse, SendPresaleResponse, render_converted_invoice

router = resource_router("Order Confirmations")

OrderConfirmationPath = Annotated[
    IdOf[OrderConfirmationId], Path(alias="orderConfirmationId", description="Order confirmation ID")
]


@router.get(
    "/v1/order-confirmations",
    **operation(
        "List order confirmations",
        scope="order-confirmations-read",
        description="Retrieves a paginated list of your company's order confirmations, newest first, without their "
        "lines.",
        response="Paginated list of order confirmations",
    ),
)
async def list_order_confirmations(
    context: Ctx, query: Annotated[OrderConfirmationQuery, Query()]
) -> ListOrderConfirmationsResponse:
    found = await store.list_page(
        context,
        query.asked,
        status=query.status,
        customer_id=query.customer_id,
        delivery_status=query.delivery_status,
    )
    statuses = await deliveries.statuses_of(context, ORDER_CONFIRMATIONS.kind, [one.id for one in found.rows])
    data = [render_summary(one, statuses.get(one.id)) for one in found.rows]
    return ListOrderConfirmationsResponse.of(data, found.total, query.asked)


@router.post(
    "/v1/order-confirmations",
    **operation(
        "Create a draft order confirmation",
        scope="order-confirmations-write",
        status=201,
        description="Creates a draft. Amounts and VAT are computed from the lines' prices, their product groups and "
        "the customer's VAT zone. Its number is taken when it is sent; it is never in the books.",
        response="Draft created",
        errors=DRAFT_ERRORS,
    ),
)
async def create_order_confirmation(context: Ctx, body: CreateOrderConfirmationRequest) -> PublicOrderConfirmation:
    full = await actions.create(context, order_confirmation_fields_of(body, context.today))
    return await render(full)


@router.get(
    "/v1/order-confirmations/{orderConfirmationId}",
    **operation(
        "Get an order confirmation by id",
        scope="order-confirmations-read",
        description="Returns a single order confirmation with its lines.",
        response="The order confirmation",
        errors=[ORDER_CONFIRMATION_NOT_FOUND],
    ),
)
async def get_order_confirmation(context: Ctx, order_confirmation_id: OrderConfirmationPath) -> PublicOrderConfirmation:
    full = await documents.get_full(context, ORDER_CONFIRMATIONS, order_confirmation_id)
    return await _shown(context, full)


@router.patch(
    "/v1/order-confirmations/{orderConfirmationId}",
    **operation(
        "Update a draft order confirmation",
        scope="order-confirmations-write",
        description="Changes the fields provided; `lines` replaces all lines. Only drafts can change.",
        response="The draft as it is now",
        errors=[ORDER_CONFIRMATION_NOT_FOUND, ORDER_CONFIRMATION_INVALID_STATE, *DRAFT_ERRORS],
    ),
)
async def update_order_confirmation(
    context: Ctx, order_confirmation_id: OrderConfirmationPath, body: UpdateOrderConfirmationRequest
) -> PublicOrderConfirmation:
    full = await actions.update(context, order_confirmation_id, changes_of(body, context.today))
    return await _shown(context, full)


@router.post(
    "/v1/order-confirmations/{orderConfirmationId}/convert",
    response_model=ConvertedInvoiceResponse,
    response_model_exclude_unset=True,
    **operation(
        "Convert an order confirmation into an invoice",
        scope="order-confirmations-write",
        status=201,
        description="Makes a draft invoice of an order confirmation that was sent. Fields, lines and prices are the "
        "order confirmation's, but for those that `document` gives; VAT is decided for the draft. Nothing is mailed "
        "and no number is taken. An order confirmation is converted once, and changes no more.",
        response="The draft that was made",
        errors=[
            ORDER_CONFIRMATION_NOT_FOUND,
            SALES_DOCUMENT_CONVERT_REQUIRES_SENT,
            ORDER_CONFIRMATION_INVALID_STATE,
            *DRAFT_ERRORS,
        ],
    ),
)
async def convert_order_confirmation(
    context: Ctx, order_confirmation_id: OrderConfirmationPath, body: ConvertOrderConfirmationRequest
) -> Response:
    changes = invoice_changes_of(body, context.today)
    return json_of(
        await render_converted_invoice(await actions.convert_to_invoice(context, order_confirmation_id, changes))
    )


@router.post(
    "/v1/order-confirmations/{orderConfirmationId}/send",
    response_model=SendPresaleResponse,
    **operation(
        "Send an order confirmation",
        scope="order-confirmations-write",
        description="Gives the order confirmation its number and hands it over, all or nothing. It is `sent` at once; "
        "with `Email` its mail waits for the worker, and `deliveryStatus` tells what became of it. Prices stand as "
        "drafted. What was sent changes no more.\n\nOne whose delivery failed for good can be sent again; it goes out "
        "as it was sent.",
        response="Sent, or on its way",
        errors=[
            ORDER_CONFIRMATION_NOT_FOUND,
            ORDER_CONFIRMATION_INVALID_STATE,
            ORDER_CONFIRMATION_RECIPIENT_MISSING,
            *SEND_ERRORS,
        ],
        opens_transaction=False,
    ),
)
async def send_order_confirmation(
    caller: CallerDep, order_confirmation_id: OrderConfirmationPath, body: SendOrderConfirmationRequest
) -> Response:
    return await send_tried(caller, order_confirmation_id, body, actions.send)


@router.get(
    "/v1/order-confirmations/{orderConfirmationId}/pdf",
    response_class=Response,
    **pdf_operation(
        "Download an order confirmation as PDF",
        scope="order-confirmations-read",
        not_found=ORDER_CONFIRMATION_NOT_FOUND,
        description="An order confirmation as it was sent; a draft as it would be, with a watermark. `draft=true` puts "
        "the watermark on a sent one too.",
        response="The order confirmation as PDF/A",
    ),
)
async def get_order_confirmation_pdf(
    caller: CallerDep,
    order_confirmation_id: OrderConfirmationPath,
    draft: Annotated[bool, Query(description="Print the draft watermark")] = False,
) -> Response:
    return await pdf_of(caller, ORDER_CONFIRMATIONS, order_confirmation_id, draft=draft)


async def _shown(context: Context, full: FullOrderConfirmation) -> PublicOrderConfirmation:
    statuses = await deliveries.statuses_of(context, ORDER_CONFIRMATIONS.kind, [full.document.id])
    return await render(full, statuses.get(full.document.id))
