"""The wire form of an invoice and of its sending: what operations answer with and its events carry (contract 2.22)."""

from collections.abc import Sequence
from datetime import date as day
from enum import StrEnum
from typing import Any
from uuid import UUID

from pydantic import Field

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import format_amount
from ledgerbee.http.wire import EXAMPLE_ID, DecimalText, IdText, Moment, MoneyText, PageResponse, ResponseModel, omitted
from ledgerbee.platform.steps import in_steps
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents.model import Line
from ledgerbee.sales.documents.wire import (
    ConvertedFromResponse,
    DocumentWarningResponse,
    PeriodLineResponse,
    render_origin,
    render_period_line,
    render_warnings,
    wire_fields,
)
from ledgerbee.sales.einvoices.answers.wire import WithAnswer
from ledgerbee.sales.invoices.model import DeductionLine, FullInvoice, Invoice, InvoiceStatus, Sent
from ledgerbee.sales.sending.wire import SendResponse, sproom_document_id


class InvoiceLineResponse(PeriodLineResponse):
    """A line of an invoice. Text and separator lines have no price, quantity or amounts."""

    unit_price: DecimalText | None = Field(
        description="Price of one unit before discount, excluding VAT, in the invoice's currency", examples=["99.5"]
    )
    vat_amount: MoneyText | None = Field(
        description="The line's share of its rate's VAT; the lines sum to the invoice's `vat`", examples=["67.16"]
    )
    prepayment_invoice_id: IdText | None = Field(
        description="The prepayment invoice that the line deducts; null for others (extension)"
    )
    subscription_id: IdText | None = Field(description="The subscription that it bills; null for others (extension)")
    child_customer_id: IdText | None = Field(
        description="The customer whose subscription it bills, where another one pays, and on the text above its "
        "lines; null for others (extension)"
    )


class PublicInvoiceSummary(ResponseModel):
    """An invoice in a list, without its lines."""

    id: IdText = Field(description="The unique identifier of the invoice", examples=[EXAMPLE_ID])
    number: str | None = Field(description="Taken when the invoice is sent; null while draft", examples=["1042"])
    status: InvoiceStatus
    customer_id: IdText
    customer_department_id: IdText | None
    customer_contact_id: IdText | None
    date: day = Field(description="Day of issue")
    delivery_date: day | None = Field(description="Day of delivery, where it isn't `date`; decides the VAT rates")
    due_date: day
    payment_terms: int = Field(description="Days from `date` to the day of payment", examples=[14])
    currency: str = Field(examples=["DKK"])
    subtotal: MoneyText = Field(description="Excluding VAT", examples=["1000.00"])
    vat: MoneyText = Field(examples=["250.00"])
    amount: MoneyText = Field(description="Including VAT", examples=["1250.00"])
    amount_paid: MoneyText = Field(examples=["0.00"])
    credited_amount: MoneyText = Field(
        description="What the credit notes on it sum up to that were sent (extension)", examples=["0.00"]
    )
    applied_credit: MoneyText = Field(
        description="Credit of the customer's that was used on it (extension)", examples=["0.00"]
    )
    written_off_amount: MoneyText = Field(
        description="What was given up of it as uncollectible (extension)", examples=["0.00"]
    )
    amount_due: MoneyText = Field(
        description="What is still to be paid: `amount` less `amountPaid`, `creditedAmount`, `appliedCredit` and "
        "`writtenOffAmount`, never below zero",
        examples=["1250.00"],
    )
    reference: str | None = Field(description="The customer's purchase order number", examples=["PO-7731"])
    our_reference: str | None = Field(examples=["Anna Holm"])
    description: str | None
    notes: str | None
    document_template_id: IdText | None
    journal_entry_id: IdText | None = Field(description="The entry that booked it; null while draft")
    is_prepayment: bool = Field(description="Whether it is booked to prepayments received from customers (extension)")
    deducted_by_invoice_id: IdText | None = Field(
        description="The invoice that deducts this prepayment invoice, also while that is a draft (extension)"
    )
    converted_from: ConvertedFromResponse | None = Field(
        description="The quote or order confirmation that it was made of; null for others"
    )
    sent_at: Moment | None = Field(description="When it was delivered, or sent with `Manual`")
    delivery_status: DeliveryStatus | None = Field(
        description="Where its newest delivery stands; null: never sent (extension). `failed`: send it again"
    )
    created_at: Moment
    updated_at: Moment


class ListInvoicesResponse(PageResponse[PublicInvoiceSummary]):
    """A page of invoices, without their lines."""


class PublicInvoice(PublicInvoiceSummary):
    """An invoice with its lines."""

    lines: list[InvoiceLineResponse]


class PublicInvoiceRead(PublicInvoice, WithAnswer):
    """An invoice as a read of a single one shows it."""


class SendInvoiceResponse(SendResponse):
    """What became of it."""

    warnings: list[DocumentWarningResponse] = omitted(
        description="Only where there is something to look at. `INVOICE_BUYER_INCOMPLETE`: the customer has no full "
        "address, which an invoice to a business or the public has to state unless it is a simplified one (in Denmark "
        "up to 3,000 kroner with VAT). `INVOICE_VAT_ZONE_DOUBTFUL`: it is an export, but the customer is in the EU"
    )


class SendOutcome(StrEnum):
    """What became of an invoice of a batch."""

    SENT = "sent"
    REFUSED = "refused"


class SendResultResponse(ResponseModel):
    """What became of one invoice."""

    invoice_id: IdText
    outcome: SendOutcome
    number: str | None = Field(description="Null where it was refused", examples=["1042"])
    code: str | None = Field(description="Why it was refused, null where it was sent", examples=["PERIOD_LOCKED"])
    message: str | None = Field(description="The same in words")


class SendInvoicesResponse(ResponseModel):
    """What became of each invoice."""

    results: list[SendResultResponse] = Field(description="In the order of the request")


def render_summary(invoice: Invoice, delivery_status: DeliveryStatus | None) -> PublicInvoiceSummary:
    """The wire form of an invoice in a list; `delivery_status` is that of its newest delivery."""
    return PublicInvoiceSummary(**_fields(invoice), delivery_status=delivery_status)


async def render(full: FullInvoice, delivery_status: DeliveryStatus | None = None) -> PublicInvoice:
    """The wire form of an invoice; `delivery_status` is that of its newest delivery (a draft has none).

    One of many lines is made in steps.
    """
    currency = full.document.currency
    lines = [_line(line, currency) async for line in in_steps(full.lines)]
    return PublicInvoice(**_fields(full.document), delivery_status=delivery_status, lines=lines)


async def event_form(full: FullInvoice) -> dict[str, Any]:
    """The wire form as JSON values, for an event; without the delivery, which has events of its own."""
    currency = full.document.currency
    form = render_summary(full.document, None).model_dump(mode="json", exclude={"delivery_status"})
    form["lines"] = [_line(line, currency).as_event() async for line in in_steps(full.lines)]
    return form


def render_sent(sent: Sent) -> str:
    """The answer to a send, as JSON; without warnings it has no such field."""
    delivery = sent.delivery
    answer = SendInvoiceResponse(
        success=True, delivery_type=delivery.delivery_type, sproom_document_id=sproom_document_id(delivery)
    )
    if sent.warnings:
        answer = answer.model_copy(update={"warnings": render_warnings(sent.warnings)})
    return answer.model_dump_json(exclude_unset=True)


def render_results(invoice_ids: Sequence[UUID], outcomes: Sequence[Sent | LedgerBeeError]) -> SendInvoicesResponse:
    """The answer to a batch of sends, one outcome for each invoice."""
    return SendInvoicesResponse(
        results=[
            SendResultResponse(
                invoice_id=invoice_id, outcome=SendOutcome.REFUSED, number=None, code=one.code, message=one.message
            )
            if isinstance(one, LedgerBeeError)
            else SendResultResponse(
                invoice_id=invoice_id, outcome=SendOutcome.SENT, number=one.invoice.number, code=None, message=None
            )
            for invoice_id, one in zip(invoice_ids, outcomes, strict=True)
        ]
    )


def _line(line: Line, currency: str) -> InvoiceLineResponse:
    own = line if isinstance(line, DeductionLine) else DeductionLine(line.id, line.line_type)
    return render_period_line(
        InvoiceLineResponse,
        line,
        currency,
        prepayment_invoice_id=own.prepayment_invoice_id,
        subscription_id=own.subscription_id,
        child_customer_id=own.child_customer_id,
    )


def _fields(invoice: Invoice) -> dict[str, Any]:
    return wire_fields(invoice) | {
        "payment_terms": invoice.payment_terms_days,
        "converted_from": render_origin(invoice.converted_from),
        "amount_paid": format_amount(invoice.amount_paid, invoice.currency),
        "credited_amount": format_amount(invoice.credited_amount, invoice.currency),
        "applied_credit": format_amount(invoice.applied_credit, invoice.currency),
        "written_off_amount": format_amount(invoice.written_off_amount, invoice.currency),
        "amount_due": format_amount(invoice.amount_due, invoice.currency),
    }
