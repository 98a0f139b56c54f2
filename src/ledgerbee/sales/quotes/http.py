"""Routes of quotes (contract 2.25, 3.3)."""

from typing import Annotated

from fastapi import Path, Query, Response

from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.http import DRAFT_ERRORS, pdf_of, pdf_operation
from ledgerbee.sales.presales.http import SEND_ERRORS, json_of, send_tried
from ledgerbee.sales.presales.model import SALES_DOCUMENT_CONVERT_REQUIRES_SENT, Target
from ledgerbee.sales.presales.wire import ConvertedInvoiceResponse, render_converted_invoice
from ledgerbee.sales.quotes import actions, store
from ledgerbee.sales.quotes.kind import QUOTES
from ledgerbee.sales.quotes.links import actions as links
from ledgerbee.sales.quotes.model import (
    QUOTE_INVALID_STATE,
    QUOTE_NOT_FOUND,
    QUOTE_RECIPIENT_MISSING,
    FullQuote,
    QuoteId,
)
from ledgerbee.sales.quotes.wire import (
    NEVER_SENT,
    AnswerQuoteRequest,
    AnswerQuoteWithCommentRequest,
    ConvertedOrderConfirmationResponse,
    ConvertQuoteRequest,
    CreateQuoteRequest,
    ListQuotesResponse,
    PublicQuote,
    QuoteQuery,
    SendQuoteRequest,
    SendQuoteResponse,
    Sent,
    UpdateQuoteRequest,
    changes_of,
    invoice_changes_of,
    order_confirmation_changes_of,
    quote_fields_of,
    render,
    render_converted,
    render_summary,
)

router = resource_router("Quotes")

QuotePath = Annotated[IdOf[QuoteId], Path(alias="quoteId", description="Quote ID")]


@router.get(
    "/v1/quotes",
    **operation(
        "List quotes",
        scope="quotes-read",
        description="Retrieves a paginated list of your company's quotes, newest first, without their lines.",
        response="Paginated list of quotes",
    ),
)
async def list_quotes(context: Ctx, query: Annotated[QuoteQuery, Query()]) -> ListQuotesResponse:
    found = await store.list_page(
        context,
        query.asked,
        status=query.status,
        customer_id=query.customer_id,
        delivery_status=query.delivery_status,
    )
    ids = [one.id for one in found.rows]
    statuses = await deliveries.statuses_of(context, QUOTES.kind, ids)
    pages = await links.addresses_of(context, ids)
    data = [render_summary(one, Sent(statuses.get(one.id), pages.get(one.id)), context.today) for one in found.rows]
    return ListQuotesResponse.of(data, found.total, query.asked)


@router.post(
    "/v1/quotes",
    **operation(
        "Create a draft quote",
        scope="quotes-write",
        status=201,
        description="Creates a draft. Amounts and VAT are computed from the lines' prices, their product groups and "
        "the customer's VAT zone. Its number is taken when it is sent; it is never in the books.",
        response="Draft created",
        errors=DRAFT_ERRORS,
    ),
)
async def create_quote(context: Ctx, body: CreateQuoteRequest) -> PublicQuote:
    full = await actions.create(context, quote_fields_of(body, context.today))
    return await render(full, NEVER_SENT, context.today)


@router.get(
    "/v1/quotes/{quoteId}",
    **operation(
        "Get a quote by id",
        scope="quotes-read",
        description="Returns a single quote with its lines.",
        response="The quote",
        errors=[QUOTE_NOT_FOUND],
    ),
)
async def get_quote(context: Ctx, quote_id: QuotePath) -> PublicQuote:
    full = await documents.get_full(context, QUOTES, quote_id)
    return await _shown(context, full)


@router.patch(
    "/v1/quotes/{quoteId}",
    **operation(
        "Update a draft quote",
        scope="quotes-write",
        description="Changes the fields provided; `lines` replaces all lines. Of a quote that was sent and not "
        "answered only `validUntil` can change, also after that day.",
        response="The quote as it is now",
        errors=[QUOTE_NOT_FOUND, QUOTE_INVALID_STATE, *DRAFT_ERRORS],
    ),
)
async def update_quote(context: Ctx, quote_id: QuotePath, body: UpdateQuoteRequest) -> PublicQuote:
    full = await actions.update(context, quote_id, changes_of(body, context.today))
    return await _shown(context, full)


@router.post(
    "/v1/quotes/{quoteId}/convert",
    response_model=ConvertedInvoiceResponse | ConvertedOrderConfirmationResponse,
    response_model_exclude_unset=True,
    **operation(
        "Convert a quote",
        scope="quotes-write",
        status=201,
        description="Makes a draft order confirmation or a draft invoice of a quote that was sent or accepted, also "
        "of an expired one. Fields, lines and prices are the quote's, but for those that `document` gives; VAT is "
        "decided for the draft. Nothing is mailed and no number is taken. A quote is converted once, and changes no "
        "more.",
        response="The draft that was made",
        errors=[QUOTE_NOT_FOUND, SALES_DOCUMENT_CONVERT_REQUIRES_SENT, QUOTE_INVALID_STATE, *DRAFT_ERRORS],
    ),
)
async def convert_quote(context: Ctx, quote_id: QuotePath, body: ConvertQuoteRequest) -> Response:
    if body.target is Target.INVOICE:
        invoice_changes = invoice_changes_of(body, context.today)
        invoice = await actions.convert_to_invoice(context, quote_id, invoice_changes)
        return json_of(await render_converted_invoice(invoice))
    changes = order_confirmation_changes_of(body, context.today)
    return json_of(await render_converted(await actions.convert_to_order_confirmation(context, quote_id, changes)))


@router.post(
    "/v1/quotes/{quoteId}/send",
    response_model=SendQuoteResponse,
    **operation(
        "Send a quote",
        scope="quotes-write",
        description="Gives the quote its number and hands it over, all or nothing. It is `sent` at once; with `Email` "
        "its mail waits for the worker, and `deliveryStatus` tells what became of it. Prices stand as drafted. What "
        "was sent changes no more, but for `validUntil` and the buyer's answer.\n\nOne whose delivery failed for good "
        "can be sent again; it goes out as it was sent.",
        response="Sent, or on its way",
        errors=[QUOTE_NOT_FOUND, QUOTE_INVALID_STATE, QUOTE_RECIPIENT_MISSING, *SEND_ERRORS],
        opens_transaction=False,
    ),
)
async def send_quote(caller: CallerDep, quote_id: QuotePath, body: SendQuoteRequest) -> Response:
    async def render_sent(context: Context) -> SendQuoteResponse:
        address = await links.find_address(context, quote_id)
        return SendQuoteResponse(success=True, delivery_type=body.delivery_type, acceptance_url=address)

    return await send_tried(caller, quote_id, body, actions.send, render_sent)


@router.get(
    "/v1/quotes/{quoteId}/pdf",
    response_class=Response,
    **pdf_operation(
        "Download a quote as PDF",
        scope="quotes-read",
        not_found=QUOTE_NOT_FOUND,
        description="A quote as it was sent, with the present `validUntil`; a draft as it would be, with a watermark. "
        "`draft=true` puts the watermark on a sent one too.",
        response="The quote as PDF/A",
    ),
)
async def get_quote_pdf(
    caller: CallerDep,
    quote_id: QuotePath,
    draft: Annotated[bool, Query(description="Print the draft watermark")] = False,
) -> Response:
    return await pdf_of(caller, QUOTES, quote_id, draft=draft)


@router.post(
    "/v1/quotes/{quoteId}/accept",
    **operation(
        "Record that a quote was accepted",
        scope="quotes-write",
        description="Records the buyer's word, as the seller heard it: a quote is answered once. It goes by the "
        "status as it is kept, so that an answer to an expired quote can be recorded too.",
        response="The quote as it is now",
        errors=[QUOTE_NOT_FOUND, QUOTE_INVALID_STATE],
        extension=True,
    ),
)
async def accept_quote(context: Ctx, quote_id: QuotePath, body: AnswerQuoteRequest) -> PublicQuote:
    return await _shown(context, await actions.accept(context, quote_id, body.answered_by))


@router.post(
    "/v1/quotes/{quoteId}/reject",
    **operation(
        "Record that a quote was rejected",
        scope="quotes-write",
        description="Records the buyer's word, as the seller heard it: a quote is answered once. It goes by the "
        "status as it is kept, so that an answer to an expired quote can be recorded too.",
        response="The quote as it is now",
        errors=[QUOTE_NOT_FOUND, QUOTE_INVALID_STATE],
        extension=True,
    ),
)
async def reject_quote(context: Ctx, quote_id: QuotePath, body: AnswerQuoteWithCommentRequest) -> PublicQuote:
    return await _shown(context, await actions.reject(context, quote_id, body.answered_by, body.comment))


@router.post(
    "/v1/quotes/{quoteId}/revoke-link",
    **operation(
        "Revoke a quote's acceptance link",
        scope="quotes-write",
        description="Ends the address of the buyer's page (`acceptanceUrl`), at once and for good: it answers as one "
        "that never was. The quote stays as it is, and the seller can still record the buyer's word. A quote that is "
        "sent again, after its delivery failed, has a new address.",
        response="The quote as it is now",
        errors=[QUOTE_NOT_FOUND, QUOTE_INVALID_STATE],
        extension=True,
    ),
)
async def revoke_quote_link(context: Ctx, quote_id: QuotePath) -> PublicQuote:
    return await _shown(context, await actions.revoke_link(context, quote_id))


async def _shown(context: Context, full: FullQuote) -> PublicQuote:
    quote_id = full.document.id
    statuses = await deliveries.statuses_of(context, QUOTES.kind, [quote_id])
    sent = Sent(statuses.get(quote_id), await links.find_address(context, quote_id))
    return await render(full, sent, context.today)
