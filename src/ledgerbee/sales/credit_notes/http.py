"""Routes of credit notes (contract 2.19, 3.3)."""

from typing import Annotated, Final

from fastapi import Path, Query, Response

from ledgerbee.catalog.prices.model import PRODUCT_PRICE_NOT_FOUND, PRODUCT_PRICE_QUANTITY_INVALID
from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.core.fields import fields_of
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.network.model import EInvoiceFormat
from ledgerbee.parties.contacts.model import CONTACT_NOT_FOUND
from ledgerbee.parties.customers.model import DOCUMENT_TEMPLATE_NOT_FOUND
from ledgerbee.parties.departments.model import DEPARTMENT_NOT_FOUND
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.sales.credit_notes import actions, store
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.credit_notes.model import (
    CREDIT_NOTE_ACCOUNT_MISSING,
    CREDIT_NOTE_AMOUNT_POSITIVE,
    CREDIT_NOTE_EXCEEDS_INVOICE,
    CREDIT_NOTE_INVALID_STATE,
    CREDIT_NOTE_INVOICE_TOO_OLD,
    CREDIT_NOTE_LINE_NOT_ON_INVOICE,
    CREDIT_NOTE_NOT_FOUND,
    CREDIT_NOTE_RECIPIENT_MISSING,
    CreditNoteId,
    InvoiceCreditFields,
)
from ledgerbee.sales.credit_notes.requests import (
    CreateCreditNoteRequest,
    CreditNoteQuery,
    SendCreditNoteRequest,
    fields_of_body,
)
from ledgerbee.sales.credit_notes.wire import (
    ListCreditNotesResponse,
    PublicCreditNote,
    PublicCreditNoteRead,
    SendCreditNoteResponse,
    render,
    render_sent,
    render_summary,
)
from ledgerbee.sales.delivery import store as deliveries
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.http import pdf_answer, prints
from ledgerbee.sales.documents.model import (
    DOCUMENT_CHARACTERS_UNPRINTABLE,
    DOCUMENT_PRINTING_FAILED,
    SALES_DOCUMENT_AMOUNT_TOO_LARGE,
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_DEPARTMENT_INACTIVE,
    SALES_DOCUMENT_PRICE_CURRENCY_MISSING,
    SALES_DOCUMENT_PRICE_NOT_USABLE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    SALES_DOCUMENT_VAT_CODE_UNUSABLE,
)
from ledgerbee.sales.documents.printing import Trials, with_trials
from ledgerbee.sales.einvoices import http as einvoices
from ledgerbee.sales.einvoices.answers import store as answers
from ledgerbee.sales.einvoices.answers.http import delivery_status
from ledgerbee.sales.einvoices.answers.wire import SentDeliveryStatusResponse, with_answer
from ledgerbee.sales.einvoices.model import E_INVOICE_INCOMPLETE
from ledgerbee.sales.invoices.model import (
    INVOICE_INVALID_STATE,
    INVOICE_NOT_FOUND,
    INVOICE_PREPAYMENT_DEDUCTED,
    INVOICE_SELLER_INCOMPLETE,
)
from ledgerbee.sales.sending.model import SendCommand, SendOptions
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Credit Notes")

CreditNotePath = Annotated[IdOf[CreditNoteId], Path(alias="creditNoteId", description="Credit note ID")]

_CREATE_ERRORS: Final = (
    CUSTOMER_NOT_FOUND,
    CONTACT_NOT_FOUND,
    DEPARTMENT_NOT_FOUND,
    DOCUMENT_TEMPLATE_NOT_FOUND,
    INVOICE_NOT_FOUND,
    PRODUCT_PRICE_NOT_FOUND,
    CREDIT_NOTE_LINE_NOT_ON_INVOICE,
    CREDIT_NOTE_AMOUNT_POSITIVE,
    CREDIT_NOTE_EXCEEDS_INVOICE,
    CREDIT_NOTE_INVOICE_TOO_OLD,
    INVOICE_INVALID_STATE,
    INVOICE_PREPAYMENT_DEDUCTED,
    SALES_DOCUMENT_CUSTOMER_INACTIVE,
    SALES_DOCUMENT_DEPARTMENT_INACTIVE,
    SALES_DOCUMENT_TEMPLATE_MISMATCH,
    SALES_DOCUMENT_PRICE_NOT_USABLE,
    SALES_DOCUMENT_PRICE_CURRENCY_MISSING,
    PRODUCT_PRICE_QUANTITY_INVALID,
    SALES_DOCUMENT_VAT_CODE_UNUSABLE,
    SALES_DOCUMENT_AMOUNT_TOO_LARGE,
)


@router.get(
    "/v1/credit-notes",
    **operation(
        "List credit notes",
        scope="invoices-read",
        description="Retrieves a paginated list of your company's credit notes, newest first, without their lines.\n\n"
        "Pass `?search=` to prefix-match on number or description.",
        response="Paginated list of credit notes",
    ),
)
async def list_credit_notes(context: Ctx, query: Annotated[CreditNoteQuery, Query()]) -> ListCreditNotesResponse:
    found = await store.list_page(
        context,
        query.asked,
        status=query.status,
        customer_id=query.customer_id,
        invoice_id=query.invoice_id,
        delivery_status=query.delivery_status,
    )
    statuses = await deliveries.statuses_of(context, CREDIT_NOTES.kind, [note.id for note in found.rows])
    data = [render_summary(note, statuses.get(note.id)) for note in found.rows]
    return ListCreditNotesResponse.of(data, found.total, query.asked)


@router.post(
    "/v1/credit-notes",
    **operation(
        "Create a credit note",
        scope="invoices-write",
        status=201,
        description="Creates a credit note and gives it its number; it is booked when it is sent. Lines are positive, "
        "amounts and totals become negative.\n\nWith `invoiceNumber` it credits that invoice: VAT, accounts and "
        "exchange rate are the invoice's, and without `lines` all that is left of it is credited. What a credit note "
        "takes is reserved when it is created: never more than the invoice is credited, whoever asks at once. A credit "
        "note can't be deleted; one that isn't sent yet can be cancelled.",
        response="Credit note created",
        errors=_CREATE_ERRORS,
    ),
)
async def create_credit_note(context: Ctx, body: CreateCreditNoteRequest) -> PublicCreditNote:
    given = fields_of_body(body, context.today)
    if isinstance(given, InvoiceCreditFields):
        return await render(await actions.create_on_invoice(context, given))
    return await render(await actions.create(context, given))


@router.get(
    "/v1/credit-notes/{creditNoteId}",
    response_model_exclude_unset=True,
    **operation(
        "Get a credit note by ID",
        scope="invoices-read",
        description="Returns a single credit note with its lines.",
        response="The credit note",
        errors=[CREDIT_NOTE_NOT_FOUND],
    ),
)
async def get_credit_note(context: Ctx, credit_note_id: CreditNotePath) -> PublicCreditNoteRead:
    full = await documents.get_full(context, CREDIT_NOTES, credit_note_id)
    statuses = await deliveries.statuses_of(context, CREDIT_NOTES.kind, [credit_note_id])
    shown = await render(full, statuses.get(credit_note_id))
    return with_answer(PublicCreditNoteRead, shown, await answers.latest_of(context, CREDIT_NOTES.kind, credit_note_id))


@router.post(
    "/v1/credit-notes/{creditNoteId}/send",
    response_model=SendCreditNoteResponse,
    **operation(
        "Send a credit note to the customer",
        scope="invoices-write",
        description="Books the credit note and hands it over, all or nothing. With `Manual` it is `sent` at once; with "
        "`Email` and `Sproom` (as an e-invoice) it is `scheduled` until it has gone out. Its invoice is due by so much "
        "less: `credited` when it is credited in full, `paid` when nothing is due; what the credit note is more than "
        "what was due stays on the customer as a credit.\n\nA credit note whose delivery failed for good can be sent "
        "again; it goes out as it was booked.",
        response="Booked, and handed over or on its way",
        errors=[
            CREDIT_NOTE_NOT_FOUND,
            CREDIT_NOTE_INVALID_STATE,
            CREDIT_NOTE_RECIPIENT_MISSING,
            CREDIT_NOTE_ACCOUNT_MISSING,
            CREDIT_NOTE_INVOICE_TOO_OLD,
            INVOICE_INVALID_STATE,
            E_INVOICE_INCOMPLETE,
            INVOICE_SELLER_INCOMPLETE,
            DOCUMENT_TEMPLATE_NOT_FOUND,
            SALES_DOCUMENT_TEMPLATE_MISMATCH,
            SALES_DOCUMENT_CUSTOMER_INACTIVE,
            DOCUMENT_CHARACTERS_UNPRINTABLE,
            DOCUMENT_PRINTING_FAILED,
            EXCHANGE_RATE_MISSING,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
            ACCOUNT_NOT_FOUND,
            ACCOUNT_NOT_BOOKABLE,
        ],
        opens_transaction=False,
    ),
)
async def send_credit_note(caller: CallerDep, credit_note_id: CreditNotePath, body: SendCreditNoteRequest) -> Response:
    options = SendOptions(**fields_of(body, SendOptions))

    async def run(trials: Trials) -> Response:
        async def work(context: Context) -> Response:
            delivery = await actions.send(context, SendCommand(credit_note_id, options, trials))
            return Response(render_sent(delivery), media_type="application/json")

        return await caller.command(work)

    return await with_trials(caller.principal.company_id, run)


@router.post(
    "/v1/credit-notes/{creditNoteId}/cancel",
    **operation(
        "Cancel a credit note that was not sent",
        scope="invoices-write",
        description="Gives up a credit note that is not in the books yet. It keeps its number; what it took of its "
        "invoice can be credited again.",
        response="The credit note as it is now",
        errors=[CREDIT_NOTE_NOT_FOUND, CREDIT_NOTE_INVALID_STATE],
        extension=True,
    ),
)
async def cancel_credit_note(context: Ctx, credit_note_id: CreditNotePath) -> PublicCreditNote:
    return await render(await actions.cancel(context, credit_note_id))


@router.get(
    "/v1/credit-notes/{creditNoteId}/delivery-status",
    response_model_exclude_unset=True,
    **operation(
        "Get the delivery status of a credit note",
        scope="invoices-read",
        description="Where the delivery stands, with every attempt and every answer to the e-invoice.",
        response="Delivery status",
        errors=[CREDIT_NOTE_NOT_FOUND],
    ),
)
async def get_credit_note_delivery_status(context: Ctx, credit_note_id: CreditNotePath) -> SentDeliveryStatusResponse:
    return await delivery_status(context, CREDIT_NOTES, credit_note_id)


_PDF = prints(
    operation(
        "Download the credit note PDF",
        scope="invoices-read",
        description="A sent credit note as it was booked; one that isn't as it would be, with a watermark. "
        "`draft=true` puts the watermark on a sent one too.",
        response="The credit note as PDF/A",
        errors=[
            CREDIT_NOTE_NOT_FOUND,
            CREDIT_NOTE_INVOICE_TOO_OLD,
            DOCUMENT_CHARACTERS_UNPRINTABLE,
            DOCUMENT_PRINTING_FAILED,
        ],
        opens_transaction=False,
    )
)


@router.get("/v1/credit-notes/{creditNoteId}/pdf", response_class=Response, **_PDF)
async def get_credit_note_pdf(
    caller: CallerDep,
    credit_note_id: CreditNotePath,
    draft: Annotated[bool, Query(description="Print the draft watermark")] = False,
) -> Response:
    document = await caller.read(lambda context: actions.print_note(context, credit_note_id))
    return await pdf_answer(caller, document, CREDIT_NOTES, draft=draft)


_E_INVOICE = einvoices.e_invoice_operation(
    "Download the e-invoice of a credit note",
    what="A sent credit note",
    scope="invoices-read",
    errors=(CREDIT_NOTE_NOT_FOUND, CREDIT_NOTE_INVALID_STATE),
)


@router.get("/v1/credit-notes/{creditNoteId}/e-invoice", response_class=Response, **_E_INVOICE)
async def get_credit_note_e_invoice(
    caller: CallerDep, credit_note_id: CreditNotePath, form: einvoices.FormatQuery = EInvoiceFormat.PEPPOL
) -> Response:
    return await einvoices.answer(caller, CREDIT_NOTES, credit_note_id, form)
