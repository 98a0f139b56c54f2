"""The wire form of customers' credit and its uses: what operations answer with and events carry."""

from collections.abc import Sequence
from datetime import date as day
from uuid import UUID

from pydantic import Field

from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import format_amount
from ledgerbee.http.wire import DecimalText, IdText, Moment, MoneyText, ResponseModel
from ledgerbee.payments.customer_credit.model import (
    CreditBalance,
    CreditBooking,
    CreditSource,
    CreditSourceType,
)

_TYPE = "`invoice`: more was paid and credited than it is. `credit_note`: it is of no invoice"


class CreditSourceResponse(ResponseModel):
    """A document that left a credit, as far as it is not used."""

    type: CreditSourceType = Field(description=_TYPE)
    id: IdText = Field(description="The invoice or credit note")
    number: str = Field(examples=["1042"])
    date: day = Field(description="Day of issue")
    credit_note_numbers: list[str] = Field(description="Of an invoice: the credit notes on it", examples=[["7"]])
    amount: MoneyText = Field(description="The credit that it left", examples=["125.00"])
    used: MoneyText = Field(description="What was used of it, or paid back", examples=["100.00"])
    reserved: MoneyText = Field(description="What refunds of charges that are under way take", examples=["0.00"])
    available: MoneyText = Field(description="What is left of it to use or pay back", examples=["25.00"])


class CreditBalanceResponse(ResponseModel):
    """A customer's credit in one currency."""

    currency: str = Field(examples=["DKK"])
    amount: MoneyText = Field(
        description="All that payments and credit notes were more than what they settle", examples=["125.00"]
    )
    applied: MoneyText = Field(description="What was used on invoices", examples=["60.00"])
    refunded: MoneyText = Field(description="What was paid back", examples=["40.00"])
    reserved: MoneyText = Field(description="What refunds of charges that are under way take", examples=["0.00"])
    available: MoneyText = Field(description="What is left to use or pay back", examples=["25.00"])
    sources: list[CreditSourceResponse] = Field(description="Where what nobody used comes from, the oldest first")


class CustomerCreditResponse(ResponseModel):
    """A customer's credit."""

    customer_id: IdText
    balances: list[CreditBalanceResponse] = Field(
        description="One for each currency that the customer ever had credit in"
    )


class CreditPartResponse(ResponseModel):
    """What a use took of one document's credit."""

    type: CreditSourceType = Field(description=_TYPE)
    id: IdText = Field(description="The invoice or credit note")
    number: str = Field(examples=["1042"])
    amount: MoneyText = Field(description="What was taken of its credit", examples=["125.00"])


class CreditUseResponse(ResponseModel):
    """A use of a customer's credit: on an invoice, or paid back."""

    id: IdText
    customer_id: IdText
    invoice_id: IdText | None = Field(description="The invoice it was used on; null where it was paid back")
    account_id: IdText | None = Field(description="The account it was paid from; null where it was used on an invoice")
    date: day
    amount: MoneyText
    currency: str = Field(examples=["DKK"])
    exchange_rate: DecimalText = Field(
        description="Base currency for one unit: the invoice's, or that of the day", examples=["1"]
    )
    exchange_difference: MoneyText = Field(
        description="Gain (+) or loss (-) against the rates of the credit, in the company's currency", examples=["0.00"]
    )
    reference: str | None = Field(examples=["Refund 17"])
    journal_entry_id: IdText | None = Field(
        description="Null where nothing was to be booked: the receivable is what it was"
    )
    sources: list[CreditPartResponse] = Field(description="Where it was taken from")
    created_at: Moment


def render(booking: CreditBooking, base_currency: str) -> CreditUseResponse:
    """The wire form of a use of credit."""
    use = booking.use
    return CreditUseResponse(
        **{**fields_of(use), "amount": format_amount(use.amount, use.currency)},
        date=use.used_on,
        exchange_difference=format_amount(use.exchange_difference, base_currency),
        sources=[
            CreditPartResponse(
                type=part.source.source_type,
                id=part.source.id,
                number=part.source.number,
                amount=format_amount(part.amount, use.currency),
            )
            for part in booking.parts
        ],
    )


def render_credit(
    customer_id: UUID, balances: Sequence[CreditBalance], sources: Sequence[CreditSource]
) -> CustomerCreditResponse:
    """The wire form of a customer's credit; `sources` have something that nobody used, in all currencies."""
    names = ("amount", "applied", "refunded", "reserved", "available")
    return CustomerCreditResponse(
        customer_id=customer_id,
        balances=[
            CreditBalanceResponse(
                currency=balance.currency,
                **{name: format_amount(getattr(balance, name), balance.currency) for name in names},
                sources=[_render_source(source) for source in sources if source.currency == balance.currency],
            )
            for balance in balances
        ],
    )


def _render_source(source: CreditSource) -> CreditSourceResponse:
    return CreditSourceResponse(
        type=source.source_type,
        id=source.id,
        number=source.number,
        date=source.issue_date,
        credit_note_numbers=list(source.credit_notes),
        amount=format_amount(source.amount, source.currency),
        used=format_amount(source.used, source.currency),
        reserved=format_amount(source.reserved, source.currency),
        available=format_amount(source.left, source.currency),
    )
