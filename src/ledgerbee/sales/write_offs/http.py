"""Routes of write-offs (extension; decisions "Documents")."""

from typing import Annotated

from fastapi import Path

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, INVOICE_NOT_FOUND, InvoiceId
from ledgerbee.sales.write_offs import actions, store
from ledgerbee.sales.write_offs.model import INVOICE_NOT_WRITTEN_OFF, WRITE_OFF_ACCOUNT_MISSING, WriteOffFields
from ledgerbee.sales.write_offs.wire import CreateWriteOffRequest, ReverseWriteOffRequest, WriteOffResponse, render

router = resource_router("Invoices")

InvoicePath = Annotated[IdOf[InvoiceId], Path(alias="invoiceId", description="Invoice ID")]


@router.post(
    "/v1/invoices/{invoiceId}/write-off",
    **operation(
        "Write an invoice off as uncollectible",
        scope="invoices-write",
        status=201,
        description="For a loss that is established. What is due is taken off the receivable: the part without VAT is "
        "a loss (account role BAD_DEBTS), the VAT in it goes back to output VAT, by code and rate. The invoice becomes "
        "`uncollectible`, and nothing is due. Of a prepayment invoice that no sent invoice deducts there is no loss: "
        "the part without VAT leaves prepayments.\n\nIt takes no credit note then. A payment that comes in after all "
        "is recorded as any: on its day the write-off is taken back, and what is left is written off anew, so that "
        "loss and VAT of what came in come back.",
        response="Written off",
        errors=[
            INVOICE_NOT_FOUND,
            INVOICE_INVALID_STATE,
            WRITE_OFF_ACCOUNT_MISSING,
            ACCOUNT_NOT_BOOKABLE,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
        ],
        extension=True,
    ),
)
async def write_off_invoice(context: Ctx, invoice_id: InvoicePath, body: CreateWriteOffRequest) -> WriteOffResponse:
    return render(*await actions.write_off(context, invoice_id, WriteOffFields(body.date, body.description)))


@router.get(
    "/v1/invoices/{invoiceId}/write-offs",
    **operation(
        "List the write-offs of an invoice",
        scope="invoices-read",
        description="Every write-off of the invoice, those taken back too, in the order in which they were made.",
        response="The write-offs",
        errors=[INVOICE_NOT_FOUND],
        extension=True,
    ),
)
async def list_invoice_write_offs(context: Ctx, invoice_id: InvoicePath) -> list[WriteOffResponse]:
    invoice = await documents.get(context, INVOICES, invoice_id)
    return [render(write_off, invoice) for write_off in await store.list_of_invoice(context, invoice_id)]


@router.post(
    "/v1/invoices/{invoiceId}/write-off/reverse",
    **operation(
        "Take the write-off of an invoice back",
        scope="invoices-write",
        description="For a write-off by mistake, or an invoice that is to be credited. Reverses its journal entry, "
        "loss and VAT, on a day of yours: the VAT is owed again from then on. What was due is due again, and the "
        "invoice is where it was. The write-off stays, marked.",
        response="The write-off as it is now",
        errors=[INVOICE_NOT_FOUND, INVOICE_NOT_WRITTEN_OFF, PERIOD_LOCKED, FISCAL_YEAR_MISSING],
        extension=True,
    ),
)
async def reverse_invoice_write_off(
    context: Ctx, invoice_id: InvoicePath, body: ReverseWriteOffRequest
) -> WriteOffResponse:
    return render(*await actions.reverse(context, invoice_id, body.date, body.description))
