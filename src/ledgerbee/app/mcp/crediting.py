"""Making a credit note and sending it, in one transaction: an operation of the MCP server alone.

The API has two, of which the first takes a number for good; a preview has to undo both.
"""

from typing import Final

from fastapi import Response
from pydantic import Field

from ledgerbee.core.errors import refuse
from ledgerbee.core.fields import fields_of
from ledgerbee.http.operation import CallerDep, OperationRoute, operation, resource_router
from ledgerbee.http.wire import omitted
from ledgerbee.parties.wire import Flag, NullableEan
from ledgerbee.platform.context import Context
from ledgerbee.sales.credit_notes import actions
from ledgerbee.sales.credit_notes.kind import CREDIT_NOTES
from ledgerbee.sales.credit_notes.model import InvoiceCreditFields
from ledgerbee.sales.credit_notes.requests import CreateCreditNoteRequest, fields_of_body
from ledgerbee.sales.credit_notes.wire import render
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.printing import Trials, with_trials
from ledgerbee.sales.sending.model import SendCommand, SendOptions
from ledgerbee.sales.sending.wire import NullableEmails

_router = resource_router("Credit Notes")


class CreditInvoiceRequest(CreateCreditNoteRequest):
    """A credit note on an invoice, and how to send it."""

    delivery_type: DeliveryType = Field(DeliveryType.MANUAL)
    override_email: NullableEmails = omitted()
    override_ean_number: NullableEan = omitted()
    update_customer_record: Flag = Field(False)


@_router.post(
    "/v1/invoices/credit",
    **operation("Credit an invoice", scope="invoices-write", status=201, extension=True, opens_transaction=False),
)
async def credit_invoice(caller: CallerDep, body: CreditInvoiceRequest) -> Response:
    """Credit an invoice: what creating a credit note and sending it are refused with."""

    options = SendOptions(**fields_of(body, SendOptions))

    async def run(trials: Trials) -> Response:
        async def work(context: Context) -> Response:
            given = fields_of_body(_creating(body), context.today)
            assert isinstance(given, InvoiceCreditFields), "the schema wants an invoice's number"
            made = await actions.create_on_invoice(context, given)
            delivery = await actions.send(context, SendCommand(made.document.id, options, trials))
            sent = await documents.get_full(context, CREDIT_NOTES, made.document.id)
            answer = await render(sent, delivery.status)
            return Response(answer.model_dump_json(), 201, media_type="application/json")

        return await caller.command(work)

    return await with_trials(caller.principal.company_id, run)


def _creating(body: CreditInvoiceRequest) -> CreateCreditNoteRequest:
    """What the body says of the credit note."""
    if body.invoice_number is None:
        refuse([("invoiceNumber", "isDefined", "invoiceNumber should not be null or undefined")])
    names = body.model_fields_set & set(CreateCreditNoteRequest.model_fields)
    return CreateCreditNoteRequest.model_construct(names, **{name: getattr(body, name) for name in names})


(_route,) = _router.routes
assert isinstance(_route, OperationRoute)
CREDIT_ROUTE: Final = _route
