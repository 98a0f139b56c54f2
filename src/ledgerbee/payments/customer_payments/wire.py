"""The wire form of a payment: what operations answer with and what its event carries."""

from datetime import date as day

from pydantic import Field

from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import format_amount
from ledgerbee.http.wire import DecimalText, IdText, Moment, MoneyText, ResponseModel
from ledgerbee.payments.customer_payments.model import Payment


class PaymentResponse(ResponseModel):
    """A payment on an invoice."""

    id: IdText
    invoice_id: IdText
    customer_id: IdText
    date: day
    amount: MoneyText
    currency: str = Field(description="The invoice's", examples=["DKK"])
    account_id: IdText = Field(description="The account it came in on")
    reference: str | None = Field(examples=["FIK 71 000000010421"])
    exchange_rate: DecimalText = Field(description="Base currency for one unit on the day of payment", examples=["1"])
    amount_in_base_currency: MoneyText = Field(description="What came in, in the company's currency")
    exchange_difference: MoneyText = Field(
        description="Gain (+) or loss (-) against the rate the invoice was booked by, in the company's currency",
        examples=["0.00"],
    )
    journal_entry_id: IdText
    reversed_at: Moment | None = Field(description="When it was taken back; it counts no more")
    reversal_entry_id: IdText | None = Field(description="The entry that reverses `journalEntryId`")
    created_at: Moment


def render(payment: Payment, base_currency: str) -> PaymentResponse:
    return PaymentResponse(
        **{**fields_of(payment), "amount": format_amount(payment.amount, payment.currency)},
        date=payment.paid_on,
        amount_in_base_currency=format_amount(payment.base_amount, base_currency),
        exchange_difference=format_amount(payment.exchange_difference, base_currency),
    )
