"""Routes of customers' credit (extension), and what their requests bring."""

from collections.abc import Iterable
from typing import Annotated, Final

from fastapi import Path
from pydantic import Field

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableLine
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import (
    ABOVE_AMOUNTS,
    Amount,
    CurrencyCode,
    Day,
    Id,
    IdOf,
    RequestModel,
    decimal_schema,
    omitted,
)
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, CustomerId
from ledgerbee.payments.customer_credit import actions, store
from ledgerbee.payments.customer_credit.model import (
    CREDIT_EXCEEDS_INVOICE,
    CUSTOMER_CREDIT_INSUFFICIENT,
    RefundFields,
)
from ledgerbee.payments.customer_credit.wire import CreditUseResponse, CustomerCreditResponse, render_credit
from ledgerbee.payments.customer_payments.http import BankRate
from ledgerbee.payments.customer_payments.model import PAYMENT_ACCOUNT_INVALID, PAYMENT_ACCOUNT_MISSING
from ledgerbee.sales.documents.rules import check_date
from ledgerbee.sales.invoices.model import INVOICE_INVALID_STATE, INVOICE_NOT_FOUND, InvoiceId
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Customers")
invoice_router = resource_router("Invoices")

CustomerPath = Annotated[IdOf[CustomerId], Path(alias="customerId", description="Customer ID")]
InvoicePath = Annotated[IdOf[InvoiceId], Path(alias="invoiceId", description="Invoice ID")]

#: What a refund takes only where it is given.
_OPTIONAL: Final = frozenset({"account_id", "exchange_rate", "reference"})

UsedAmount = Annotated[
    Amount, Field(gt=0), decimal_schema("What is used.", exclusiveMinimum=0, exclusiveMaximum=ABOVE_AMOUNTS)
]


class CreateCreditUseRequest(RequestModel):
    """How much credit is used."""

    amount: UsedAmount | None = Field(
        None, description="In the invoice's currency. Default: as much as there is and is due", examples=["125.00"]
    )


class CreateCreditRefundRequest(RequestModel):
    """How much credit is paid back, and how."""

    amount: UsedAmount = Field(examples=["125.00"])
    refunded_on: Day | None = Field(
        None, alias="date", description="Day of payment, at most a year ahead. Default: today"
    )
    currency: CurrencyCode | None = Field(None, description="Which credit is paid back. Default: the company's own")
    account_id: Id | None = omitted(description="The account it is paid from; the one with the role BANK unless given")
    exchange_rate: BankRate | None = omitted(
        description="The bank's rate, base currency for one unit; the day's published rate unless given"
    )
    reference: NullableLine = omitted(description="What the payment states")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """No mistyped year."""
        yield lambda: check_date(self.refunded_on or facts.today, facts.today)


@router.get(
    "/v1/customers/{customerId}/credit",
    **operation(
        "Get the credit of a customer",
        scope="payments-read",
        description="For each currency, what payments and credit notes were more than what they settle, what was used "
        "of it on invoices or paid back, and where the rest comes from. What refunds of charges that are under way "
        "take (`reserved`) is not `available`; it is again when the refund fails.",
        response="The customer's credit",
        errors=[CUSTOMER_NOT_FOUND],
        extension=True,
    ),
)
async def get_customer_credit(context: Ctx, customer_id: CustomerPath) -> CustomerCreditResponse:
    await customers.get(context, customer_id)
    sources = await store.list_sources(context, customer_id)
    return render_credit(customer_id, await store.list_balances(context, customer_id), sources)


@router.post(
    "/v1/customers/{customerId}/credit/refund",
    **operation(
        "Pay credit back to a customer",
        scope="payments-write",
        status=201,
        description="Records that credit was paid back: books the receivable against the bank account. The oldest "
        "credit goes first. In a foreign currency the bank takes the day's rate, the receivable that of the documents "
        "that left the credit, and the difference is an exchange gain or loss.",
        response="Paid back",
        errors=[
            CUSTOMER_NOT_FOUND,
            CUSTOMER_CREDIT_INSUFFICIENT,
            PAYMENT_ACCOUNT_INVALID,
            PAYMENT_ACCOUNT_MISSING,
            ACCOUNT_NOT_FOUND,
            ACCOUNT_NOT_BOOKABLE,
            EXCHANGE_RATE_MISSING,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
        ],
        extension=True,
    ),
)
async def refund_customer_credit(
    context: Ctx, customer_id: CustomerPath, body: CreateCreditRefundRequest
) -> CreditUseResponse:
    given = RefundFields(
        amount=body.amount,
        refunded_on=body.refunded_on or context.today,
        currency=body.currency or (await companies.get(context)).base_currency,
        **{name: getattr(body, name) for name in _OPTIONAL & body.model_fields_set},
    )
    return await actions.refund(context, customer_id, given)


@invoice_router.post(
    "/v1/invoices/{invoiceId}/apply-credit",
    **operation(
        "Use credit of the customer on an invoice",
        scope="payments-write",
        status=201,
        description="What the customer has too much elsewhere settles the invoice, the oldest credit first: less is "
        "due, `appliedCredit` rises, and the invoice is `partially_paid` or `paid`. Customer and currency are the "
        "invoice's. An entry is booked where there is something to book: an exchange difference, or another "
        "receivables account.",
        response="Used",
        errors=[
            INVOICE_NOT_FOUND,
            INVOICE_INVALID_STATE,
            CREDIT_EXCEEDS_INVOICE,
            CUSTOMER_CREDIT_INSUFFICIENT,
            PAYMENT_ACCOUNT_MISSING,
            ACCOUNT_NOT_BOOKABLE,
            PERIOD_LOCKED,
            FISCAL_YEAR_MISSING,
        ],
        extension=True,
    ),
)
async def apply_credit(context: Ctx, invoice_id: InvoicePath, body: CreateCreditUseRequest) -> CreditUseResponse:
    return await actions.apply(context, invoice_id, body.amount)
