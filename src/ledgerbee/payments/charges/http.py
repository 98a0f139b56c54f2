"""Routes of charges (extension)."""

from typing import Annotated

from fastapi import Path
from pydantic import Field

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import ABOVE_AMOUNTS, Amount, CurrencyCode, Id, IdOf, RequestModel, decimal_schema, omitted
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.payments.charges import actions, store
from ledgerbee.payments.charges.model import (
    CHARGE_AMOUNT_INVALID,
    CHARGE_CURRENCY_MISMATCH,
    CHARGE_INVALID_STATE,
    CHARGE_NOT_FOUND,
    CHARGE_OF_ANOTHER_CARD,
    PAYMENT_METHOD_INACTIVE,
    PAYMENT_METHOD_MISSING,
    ChargeFields,
    ChargeId,
)
from ledgerbee.payments.charges.wire import ChargeResponse, render
from ledgerbee.payments.customer_payments.model import PAYMENT_ACCOUNT_INVALID, PAYMENT_ACCOUNT_MISSING
from ledgerbee.payments.payment_methods.model import PAYMENT_METHOD_NOT_FOUND
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, INVOICE_NOT_FOUND, InvoiceId
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Payments")

InvoicePath = Annotated[IdOf[InvoiceId], Path(alias="invoiceId", description="Invoice ID")]
ChargePath = Annotated[IdOf[ChargeId], Path(alias="chargeId", description="Charge ID")]

ChargedAmount = Annotated[
    Amount, Field(gt=0), decimal_schema("What is due.", exclusiveMinimum=0, exclusiveMaximum=ABOVE_AMOUNTS)
]


class CreateChargeRequest(RequestModel):
    """What is to be charged: all that is due on the invoice, to the customer's default card unless another is named."""

    payment_method_id: Id | None = omitted(description="A saved card of the customer; the default one unless given")
    amount: ChargedAmount | None = omitted(
        description="Must be all that is due, where given: there are no charges in part", examples=["1250.00"]
    )
    currency: CurrencyCode | None = omitted(description="Must be the invoice's, where given")


@router.post(
    "/v1/invoices/{invoiceId}/charges",
    **operation(
        "Charge an invoice to a saved card",
        scope="payments-write",
        status=202,
        description="Begins to charge all that is due. The provider is asked after the answer: `pending` becomes "
        "`succeeded` or `failed`, told as `payment.succeeded` or `payment.failed`. An invoice has one charge under way "
        "at a time: whoever asks meanwhile is answered with that one, or, naming another card, with 409: one that "
        "`requires_action` can be cancelled.\n\nWhat succeeds is a payment on the invoice, "
        "booked on the provider's clearing account. After a decline that may pass, the next charge comes by itself 1, "
        "3, 5 and 7 days later. No card is charged on a day on which that can't be booked: the request is refused as a "
        "payment of that day is, and what was begun before is not asked for until it can be.",
        response="The charge that is under way",
        errors=[
            INVOICE_NOT_FOUND,
            INVOICE_INVALID_STATE,
            CHARGE_CURRENCY_MISMATCH,
            CHARGE_AMOUNT_INVALID,
            PAYMENT_METHOD_NOT_FOUND,
            PAYMENT_METHOD_MISSING,
            PAYMENT_METHOD_INACTIVE,
            CHARGE_OF_ANOTHER_CARD,
            PAYMENT_ACCOUNT_MISSING,
            PAYMENT_ACCOUNT_INVALID,
            ACCOUNT_NOT_BOOKABLE,
            EXCHANGE_RATE_MISSING,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
        ],
        extension=True,
    ),
)
async def charge_invoice(context: Ctx, invoice_id: InvoicePath, body: CreateChargeRequest) -> ChargeResponse:
    asked = ChargeFields(**{name: getattr(body, name) for name in body.model_fields_set})
    return render(await actions.start(context, invoice_id, asked))


@router.get(
    "/v1/invoices/{invoiceId}/charges",
    **operation(
        "List the charges of an invoice",
        scope="payments-read",
        description="Every charge of the invoice, those that failed too, in the order in which they were made.",
        response="The charges",
        errors=[INVOICE_NOT_FOUND],
        extension=True,
    ),
)
async def list_invoice_charges(context: Ctx, invoice_id: InvoicePath) -> list[ChargeResponse]:
    await documents.get(context, INVOICES, invoice_id)
    return [render(charge) for charge in await store.list_of_invoice(context, invoice_id)]


@router.post(
    "/v1/charges/{chargeId}/cancel",
    **operation(
        "Cancel a charge that was not confirmed",
        scope="payments-write",
        status=202,
        description="Cancels a charge that `requires_action`, or that the provider was not asked for yet: the latter "
        "has `failed` at once. The provider is asked after the answer, and then how the charge stands: it has `failed` "
        "with the `declineCode` `cancelled`, and no charge follows by itself, or it was confirmed meanwhile and has "
        "`succeeded`. Cancelling twice is no error.",
        response="The charge",
        errors=[CHARGE_NOT_FOUND, CHARGE_INVALID_STATE],
        extension=True,
    ),
)
async def cancel_charge(context: Ctx, charge_id: ChargePath) -> ChargeResponse:
    return render(await actions.cancel(context, charge_id))


@router.get(
    "/v1/charges/{chargeId}",
    **operation(
        "Get a charge by ID",
        scope="payments-read",
        description="Returns a single charge as it stands.",
        response="The charge",
        errors=[CHARGE_NOT_FOUND],
        extension=True,
    ),
)
async def get_charge(context: Ctx, charge_id: ChargePath) -> ChargeResponse:
    return render(await store.get(context, charge_id))
