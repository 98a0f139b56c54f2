"""Routes of invoices (contract 2.22, 3.3)."""

from typing import Annotated, Final

from fastapi import Path, Query, Response

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.core.errors import check_unique
from ledgerbee.core.fields import fields_of
from ledgerbee.http.headers import content_disposition
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.sales.deferrals.model import INVOICE_DEFERRAL_ACCOUNT_MISSING
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.actions import print_sent
from ledgerbee.sales.documents.child_details import zip_name
from ledgerbee.sales.documents.http import DRAFT_ERRORS, pdf_of, pdf_operation
from ledgerbee.sales.documents.kept_pdfs import details_of_sent
from ledgerbee.sales.documents.model import (
    DOCUMENT_CHARACTERS_UNPRINTABLE,
    DOCUMENT_PRINTING_FAILED,
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    SALES_DOCUMENT_VAT_CODE_UNUSABLE,
)
from ledgerbee.sales.documents.printing import Trials, with_trials
from ledgerbee.sales.einvoices import http as einvoices
from ledgerbee.sales.einvoices.answers import store as answers
from ledgerbee.sales.einvoices.answers.http import delivery_status
from ledgerbee.sales.einvoices.answers.wire import SentDeliveryStatusResponse, with_answer
from ledgerbee.sales.einvoices.model import E_INVOICE_INCOMPLETE
from ledgerbee.sales.invoices import actions, store
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import (
    INVOICE_AMOUNT_NEGATIVE,
    INVOICE_BUYER_VAT_NUMBER_INVALID,
    INVOICE_BUYER_VAT_NUMBER_MISSING,
    INVOICE_IN_USE,
    INVOICE_INVALID_STATE,
    INVOICE_NOT_FOUND,
    INVOICE_PREPAYMENT_ACCOUNT_MISSING,
    INVOICE_PREPAYMENT_DEDUCTED,
    INVOICE_PREPAYMENT_UNUSABLE,
    INVOICE_RECIPIENT_MISSING,
    INVOICE_SELLER_INCOMPLETE,
    InvoiceId,
    Sent,
)
from ledgerbee.sales.invoices.requests import (
    MAX_SENT_TOGETHER,
    CreateInvoiceRequest,
    InvoiceQuery,
    SendInvoiceRequest,
    SendInvoicesRequest,
    UpdateInvoiceRequest,
    changes_of,
    invoice_fields_of,
)
from ledgerbee.sales.invoices.wire import (
    ListInvoicesResponse,
    PublicInvoice,
    PublicInvoiceRead,
    SendInvoiceResponse,
    SendInvoicesResponse,
    render,
    render_results,
    render_sent,
    render_summary,
)
from ledgerbee.sales.sending.model import SendCommand, SendOptions
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Invoices")

InvoicePath = Annotated[IdOf[InvoiceId], Path(alias="invoiceId", description="Invoice ID")]

_PREPAYMENT_ERRORS: Final = (
    INVOICE_PREPAYMENT_UNUSABLE,
    INVOICE_PREPAYMENT_DEDUCTED,
    INVOICE_PREPAYMENT_ACCOUNT_MISSING,
)
#: What sending an invoice counts beside other commands of a batch: it writes ten times what an entry does.
_SIZE: Final = 200


@router.get(
    "/v1/invoices",
    **operation(
        "List invoices",
        scope="invoices-read",
        description="Retrieves a paginated list of your company's invoices, newest first, without their lines.\n\n"
        "Pass `?search=` to prefix-match on number or description.",
        response="Paginated list of invoices",
    ),
)
async def list_invoices(context: Ctx, query: Annotated[InvoiceQuery, Query()]) -> ListInvoicesResponse:
    found = await store.list_page(
        context,
        query.asked,
        status=query.status,
        customer_id=query.customer_id,
        delivery_status=query.delivery_status,
    )
    statuses = await deliveries.statuses_of(context, INVOICES.kind, [invoice.id for invoice in found.rows])
    data = [render_summary(invoice, statuses.get(invoice.id)) for invoice in found.rows]
    return ListInvoicesResponse.of(data, found.total, query.asked)


@router.post(
    "/v1/invoices",
    **operation(
        "Create a draft invoice",
        scope="invoices-write",
        status=201,
        description="Creates a draft. Amounts and VAT are computed from the lines' prices, their product groups and "
        "the customer's VAT zone; a draft has no number and is not in the books.",
        response="Draft created",
        errors=[*DRAFT_ERRORS, *_PREPAYMENT_ERRORS],
    ),
)
async def create_invoice(context: Ctx, body: CreateInvoiceRequest) -> PublicInvoice:
    return await render(await actions.create(context, invoice_fields_of(body, context.today)))


@router.get(
    "/v1/invoices/{invoiceId}",
    response_model_exclude_unset=True,
    **operation(
        "Get an invoice by ID",
        scope="invoices-read",
        description="Returns a single invoice with its lines.",
        response="The invoice",
        errors=[INVOICE_NOT_FOUND],
    ),
)
async def get_invoice(context: Ctx, invoice_id: InvoicePath) -> PublicInvoiceRead:
    full = await documents.get_full(context, INVOICES, invoice_id)
    statuses = await deliveries.statuses_of(context, INVOICES.kind, [invoice_id])
    shown = await render(full, statuses.get(invoice_id))
    return with_answer(PublicInvoiceRead, shown, await answers.latest_of(context, INVOICES.kind, invoice_id))


@router.patch(
    "/v1/invoices/{invoiceId}",
    **operation(
        "Update a draft invoice",
        scope="invoices-write",
        description="Changes the fields provided; `lines` replaces all lines. Only drafts can change.",
        response="The draft as it is now",
        errors=[INVOICE_NOT_FOUND, INVOICE_INVALID_STATE, *DRAFT_ERRORS, *_PREPAYMENT_ERRORS],
        extension=True,
    ),
)
async def update_invoice(context: Ctx, invoice_id: InvoicePath, body: UpdateInvoiceRequest) -> PublicInvoice:
    return await render(await actions.update(context, invoice_id, changes_of(body, context.today)))


@router.delete(
    "/v1/invoices/{invoiceId}",
    **operation(
        "Delete a draft invoice",
        scope="invoices-write",
        status=204,
        description="Deletes a draft. What was sent is in the books and stays, and so does a draft that a quote or an "
        "order confirmation was converted to.",
        response="Draft deleted",
        errors=[INVOICE_NOT_FOUND, INVOICE_INVALID_STATE, INVOICE_IN_USE],
        extension=True,
    ),
)
async def delete_invoice(context: Ctx, invoice_id: InvoicePath) -> None:
    await actions.delete(context, invoice_id)


@router.post(
    "/v1/invoices/{invoiceId}/cancel",
    **operation(
        "Cancel a draft invoice",
        scope="invoices-write",
        description="Gives up a draft: it becomes `cancelled`, takes no number and is never in the books. It stays "
        "readable, in lists and as a PDF with the draft's watermark, and can't be changed, sent or deleted any more. "
        "A quote or an order confirmation that was converted to it stays converted. An invoice that was sent is "
        "credited instead.",
        response="The invoice as it is now",
        errors=[INVOICE_NOT_FOUND, INVOICE_INVALID_STATE],
        extension=True,
    ),
)
async def cancel_invoice(context: Ctx, invoice_id: InvoicePath) -> PublicInvoice:
    return await render(await actions.cancel(context, invoice_id))


@router.post(
    "/v1/invoices/send-batch",
    response_model=SendInvoicesResponse,
    **operation(
        "Send invoices in batch",
        scope="invoices-write",
        description=f"Sends 1 to {MAX_SENT_TOGETHER:,} drafts, each as if it were sent by itself: a refusal of one "
        "doesn't keep the others from being sent. All that is sent is sent in one transaction; the numbers follow the "
        "order of the request. Sent once more, an invoice is refused with `INVOICE_INVALID_STATE`.",
        response="What became of each invoice",
        extension=True,
        opens_transaction=False,
    ),
)
async def send_invoices(caller: CallerDep, body: SendInvoicesRequest) -> Response:
    check_unique("invoiceIds", body.invoice_ids)

    async def run(trials: Trials) -> Response:
        options = SendOptions(body.delivery_type)
        commands = [SendCommand(invoice_id, options, trials) for invoice_id in body.invoice_ids]

        async def work(context: Context) -> Response:
            results = render_results(body.invoice_ids, await actions.send_batch(context, commands))
            return Response(results.model_dump_json(), media_type="application/json")

        return await caller.command(work)

    return await with_trials(caller.principal.company_id, run)


@router.post(
    "/v1/invoices/{invoiceId}/send",
    response_model=SendInvoiceResponse,
    response_model_exclude_unset=True,
    **operation(
        "Send an invoice to the customer",
        scope="invoices-write",
        description="Books the invoice, gives it its number and hands it over, all or nothing. With `Manual` it is "
        "`sent` at once; with `Email` and `Sproom` (as an e-invoice) it is `scheduled` until it has gone out; one of "
        "0.00 is `paid` in any case. "
        "VAT and revenue accounts follow the customer's VAT zone and the product groups as they are now, prices stand "
        "as drafted.\n\nAn "
        "invoice whose delivery failed for good can be sent again; it goes out as it was booked.",
        response="Booked, and handed over or on its way",
        errors=[
            INVOICE_NOT_FOUND,
            INVOICE_INVALID_STATE,
            INVOICE_RECIPIENT_MISSING,
            E_INVOICE_INCOMPLETE,
            INVOICE_BUYER_VAT_NUMBER_MISSING,
            INVOICE_BUYER_VAT_NUMBER_INVALID,
            INVOICE_SELLER_INCOMPLETE,
            INVOICE_AMOUNT_NEGATIVE,
            INVOICE_PREPAYMENT_UNUSABLE,
            INVOICE_PREPAYMENT_ACCOUNT_MISSING,
            DOCUMENT_TEMPLATE_NOT_FOUND,
            SALES_DOCUMENT_TEMPLATE_MISMATCH,
            SALES_DOCUMENT_CUSTOMER_INACTIVE,
            SALES_DOCUMENT_VAT_CODE_UNUSABLE,
            DOCUMENT_CHARACTERS_UNPRINTABLE,
            DOCUMENT_PRINTING_FAILED,
            EXCHANGE_RATE_MISSING,
            INVOICE_DEFERRAL_ACCOUNT_MISSING,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
            ACCOUNT_NOT_FOUND,
            ACCOUNT_NOT_BOOKABLE,
        ],
        opens_transaction=False,
    ),
)
async def send_invoice(caller: CallerDep, invoice_id: InvoicePath, body: SendInvoiceRequest) -> Response:
    options = SendOptions(**fields_of(body, SendOptions))

    def answer(sent: Sent) -> Response:
        return Response(render_sent(sent), media_type="application/json")

    async def run(trials: Trials) -> Response:
        command = SendCommand(invoice_id, options, trials)
        return await caller.command_batched(actions.send, command, answer, _SIZE)

    return await with_trials(caller.principal.company_id, run)


@router.get(
    "/v1/invoices/{invoiceId}/delivery-status",
    response_model_exclude_unset=True,
    **operation(
        "Get the delivery status of an invoice",
        scope="invoices-read",
        description="Where the delivery stands, with every attempt and every answer to the e-invoice.",
        response="Delivery status",
        errors=[INVOICE_NOT_FOUND],
    ),
)
async def get_invoice_delivery_status(context: Ctx, invoice_id: InvoicePath) -> SentDeliveryStatusResponse:
    return await delivery_status(context, INVOICES, invoice_id)


_PDF = pdf_operation(
    "Download the invoice PDF",
    scope="invoices-read",
    not_found=INVOICE_NOT_FOUND,
    description="A sent invoice as it was booked; a draft as it would be, with a watermark. `draft=true` puts the "
    "watermark on a sent one too.",
    response="The invoice as PDF/A",
)


@router.get("/v1/invoices/{invoiceId}/pdf", response_class=Response, **_PDF)
async def get_invoice_pdf(
    caller: CallerDep,
    invoice_id: InvoicePath,
    draft: Annotated[bool, Query(description="Print the draft watermark")] = False,
) -> Response:
    return await pdf_of(caller, INVOICES, invoice_id, draft=draft)


_DETAILS = operation(
    "Download the details of an invoice by child",
    scope="invoices-read",
    extension=True,
    description="A sent invoice for several children: a zip with a PDF for each child, with its lines and their "
    "totals, as they were booked. These are no invoices. An invoice without children has an empty one.",
    response="The details as a zip",
    errors=[INVOICE_NOT_FOUND, INVOICE_INVALID_STATE, DOCUMENT_CHARACTERS_UNPRINTABLE, DOCUMENT_PRINTING_FAILED],
    opens_transaction=False,
)
_DETAILS["responses"][200]["content"] = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


@router.get("/v1/invoices/{invoiceId}/child-details", response_class=Response, **_DETAILS)
async def get_invoice_child_details(caller: CallerDep, invoice_id: InvoicePath) -> Response:
    found = await caller.read(lambda context: print_sent(context, INVOICES, invoice_id))
    content = await details_of_sent(caller.blobs, caller.principal.company_id, found.snapshot, logo=found.logo)
    headers = {"Content-Disposition": content_disposition(zip_name(found.snapshot))}
    return Response(content, media_type="application/zip", headers=headers)


_E_INVOICE = einvoices.e_invoice_operation(
    "Download the e-invoice of an invoice",
    what="A sent invoice",
    scope="invoices-read",
    errors=(INVOICE_NOT_FOUND, INVOICE_INVALID_STATE),
)


@router.get("/v1/invoices/{invoiceId}/e-invoice", response_class=Response, **_E_INVOICE)
async def get_invoice_e_invoice(
    caller: CallerDep, invoice_id: InvoicePath, form: einvoices.FormatQuery = EInvoiceFormat.PEPPOL
) -> Response:
    return await einvoices.answer(caller, INVOICES, invoice_id, form)
