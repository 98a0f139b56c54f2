"""Routes of payments on invoices (extension), and what their requests bring."""

from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import Path
from pydantic import Field

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableLine
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.partial import given
from ledgerbee.http.wire import (
    ABOVE_AMOUNTS,
    Amount,
    CurrencyCode,
    Day,
    Id,
    IdOf,
    RequestModel,
    Text,
    UnitPrice,
    decimal_schema,
    omitted,
)
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.payments.customer_payments import actions, store
from ledgerbee.payments.customer_payments.model import (
    PAYMENT_ACCOUNT_INVALID,
    PAYMENT_ACCOUNT_MISSING,
    PAYMENT_ALREADY_REVERSED,
    PAYMENT_CREDIT_USED,
    PAYMENT_CURRENCY_MISMATCH,
    PAYMENT_EXCEEDS_INVOICE,
    PAYMENT_IS_CHARGE,
    PAYMENT_NOT_FOUND,
    PaymentFields,
    PaymentId,
)
from ledgerbee.payments.customer_payments.wire import PaymentResponse, render
from ledgerbee.sales.documents import store as documents
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, INVOICE_NOT_FOUND, InvoiceId
from ledgerbee.sales.write_offs.model import WRITE_OFF_ACCOUNT_MISSING
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Invoices")
payment_router = resource_router("Payments")

PaymentPath = Annotated[IdOf[PaymentId], Path(alias="paymentId", description="Payment ID")]
InvoicePath = Annotated[IdOf[InvoiceId], Path(alias="invoiceId", description="Invoice ID")]

_MAX_RATE: Final = 10**12

PaidAmount = Annotated[
    Amount, Field(gt=0), decimal_schema("What was paid.", exclusiveMinimum=0, exclusiveMaximum=ABOVE_AMOUNTS)
]
BankRate = Annotated[
    UnitPrice,
    Field(gt=0, lt=_MAX_RATE),
    decimal_schema("Base currency for one unit.", exclusiveMinimum=0, exclusiveMaximum=_MAX_RATE),
]


class CreatePaymentRequest(RequestModel):
    """What was paid."""

    paid_on: Day = Field(alias="date", description="Day of payment, at most a year ahead: it is booked on it")
    amount: PaidAmount = Field(description="In the invoice's currency", examples=["1250.00"])
    currency: CurrencyCode | None = omitted(description="Must be the invoice's, where given")
    account_id: Id | None = omitted(description="The account it came in on; the one with the role BANK unless given")
    reference: NullableLine = omitted(description="What the payer stated")
    exchange_rate: BankRate | None = omitted(
        description="The bank's rate, base currency for one unit; the day's published rate unless given"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """No mistyped year."""
        yield lambda: check_date(self.paid_on, facts.today)


class ReversePaymentRequest(RequestModel):
    """How a payment is taken back."""

    date: Day | None = Field(None, description="Day of the reversal. Default: today, or the payment's day if later")
    description: Text | None = Field(None, description="Default: names the number of the entry that is reversed")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """No mistyped year."""
        yield lambda: check_date(given(self.date), facts.today)


@router.post(
    "/v1/invoices/{invoiceId}/payments",
    **operation(
        "Record a payment on an invoice",
        scope="payments-write",
        status=201,
        description="Books the bank account against the receivable and moves the invoice to `partially_paid` or "
        "`paid`. In a foreign currency the bank takes the day's rate, the receivable the invoice's, and the difference "
        "is an exchange gain or loss.\n\nOn an invoice that was written off, the write-off is taken back on the day of "
        "the payment, and what is left is written off anew.",
        response="Payment recorded",
        errors=[
            INVOICE_NOT_FOUND,
            INVOICE_INVALID_STATE,
            PAYMENT_CURRENCY_MISMATCH,
            PAYMENT_EXCEEDS_INVOICE,
            PAYMENT_ACCOUNT_INVALID,
            PAYMENT_ACCOUNT_MISSING,
            ACCOUNT_NOT_FOUND,
            ACCOUNT_NOT_BOOKABLE,
            EXCHANGE_RATE_MISSING,
            WRITE_OFF_ACCOUNT_MISSING,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
        ],
        extension=True,
    ),
)
async def record_invoice_payment(context: Ctx, invoice_id: InvoicePath, body: CreatePaymentRequest) -> PaymentResponse:
    given = PaymentFields(**{name: getattr(body, name) for name in body.model_fields_set})
    return render(*await actions.record(context, invoice_id, given))


@router.get(
    "/v1/invoices/{invoiceId}/payments",
    **operation(
        "List the payments on an invoice",
        scope="payments-read",
        description="Every payment on the invoice, those taken back too, in the order in which they were made.",
        response="The payments",
        errors=[INVOICE_NOT_FOUND],
        extension=True,
    ),
)
async def list_invoice_payments(context: Ctx, invoice_id: InvoicePath) -> list[PaymentResponse]:
    await documents.get(context, INVOICES, invoice_id)
    base_currency = (await companies.get(context)).base_currency
    return [render(payment, base_currency) for payment in await store.list_of_invoice(context, invoice_id)]


@payment_router.get(
    "/v1/payments/{paymentId}",
    **operation(
        "Get a payment by ID",
        scope="payments-read",
        description="Returns a single payment. One that was taken back has `reversedAt`.",
        response="The payment",
        errors=[PAYMENT_NOT_FOUND],
        extension=True,
    ),
)
async def get_payment(context: Ctx, payment_id: PaymentPath) -> PaymentResponse:
    payment = await store.get(context, payment_id)
    return render(payment, (await companies.get(context)).base_currency)


@payment_router.post(
    "/v1/payments/{paymentId}/reverse",
    **operation(
        "Take a payment back",
        scope="payments-write",
        description="For a payment that was recorded by mistake, or that the bank returned. Reverses its journal "
        "entry, exchange gain or loss included, and opens the invoice again: `partially_paid`, or as it was before any "
        "payment. The payment stays, marked; it is taken back once. One that made a credit of the customer's can't be "
        "taken back beyond what is left of it.",
        response="The payment as it is now",
        errors=[
            PAYMENT_NOT_FOUND,
            PAYMENT_ALREADY_REVERSED,
            PAYMENT_IS_CHARGE,
            PAYMENT_CREDIT_USED,
            INVOICE_INVALID_STATE,
            PAYMENT_ACCOUNT_MISSING,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
        ],
        extension=True,
    ),
)
async def reverse_payment(context: Ctx, payment_id: PaymentPath, body: ReversePaymentRequest) -> PaymentResponse:
    return render(*await actions.reverse(context, payment_id, body.date, body.description))
