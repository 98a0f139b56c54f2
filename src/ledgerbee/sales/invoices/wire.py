"""The wire form of an invoice and of its sending: what operations answer with and its events carry (contract 2.22)."""

from datetime import date as day
from typing import Any

from pydantic import Field

from ledgerbee.core.money import format_amount
from ledgerbee.http.wire import EXAMPLE_ID, DecimalText, IdText, Moment, MoneyText, Number, ResponseModel, omitted
from ledgerbee.platform.steps import in_steps
from ledgerbee.sales.delivery.model import DeliveryStatus, DeliveryType, Outcome
from ledgerbee.sales.documents.model import DocumentLineType, Line
from ledgerbee.sales.invoices.model import FullInvoice, Invoice, InvoiceStatus, Sent


class InvoiceLineResponse(ResponseModel):
    """A line of an invoice. Text and separator lines have no price, quantity or amounts."""

    id: IdText
    line_type: DocumentLineType
    price_id: IdText | None
    product_id: IdText | None
    description: str | None = Field(examples=["Consulting"])
    quantity: Number | None = Field(examples=[3])
    unit: str | None = Field(examples=["hours"])
    unit_price: DecimalText | None = Field(
        description="Price of one unit before discount, excluding VAT, in the invoice's currency", examples=["99.5"]
    )
    discount_percent: Number | None = Field(examples=[10])
    total_price: MoneyText | None = Field(
        description="Quantity x unit price less discount, excluding VAT", examples=["268.65"]
    )
    vat_rate: Number | None = Field(description="Percent", examples=[25])
    vat_amount: MoneyText | None = Field(
        description="The line's share of its rate's VAT; the lines sum to the invoice's `vat`", examples=["67.16"]
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
    amount_due: MoneyText = Field(description="What is still to be paid", examples=["1250.00"])
    reference: str | None = Field(description="The customer's purchase order number", examples=["PO-7731"])
    our_reference: str | None = Field(examples=["Anna Holm"])
    description: str | None
    notes: str | None
    document_template_id: IdText | None
    journal_entry_id: IdText | None = Field(description="The entry that booked it; null while draft")
    sent_at: Moment | None = Field(description="When it was delivered, or sent with `Manual`")
    delivery_status: DeliveryStatus | None = Field(
        description="Where its newest delivery stands; null: never sent (extension). `failed`: send it again"
    )
    created_at: Moment
    updated_at: Moment


class PublicInvoice(PublicInvoiceSummary):
    """An invoice with its lines."""

    lines: list[InvoiceLineResponse]


class SendWarningResponse(ResponseModel):
    """Something to look at."""

    code: str = Field(examples=["INVOICE_BUYER_INCOMPLETE"])
    message: str
    details: dict[str, Any] = Field(examples=[{"missing": ["address", "postalCode", "city"]}])


class SendInvoiceResponse(ResponseModel):
    """What became of it."""

    success: bool
    delivery_type: DeliveryType
    sproom_document_id: str | None = Field(description="The e-invoicing network's id, null for other deliveries")
    warnings: list[SendWarningResponse] = omitted(
        description="Only where there is something to look at. `INVOICE_BUYER_INCOMPLETE`: the customer has no full "
        "address, which an invoice to a business or the public has to state unless it is a simplified one (in Denmark "
        "up to 3,000 kroner with VAT). `INVOICE_VAT_ZONE_DOUBTFUL`: it is an export, but the customer is in the EU"
    )


class DeliveryAttemptResponse(ResponseModel):
    """One try to deliver."""

    at: Moment
    channel: str = Field(examples=["smtp"])
    recipient: str = Field(examples=["faktura@example.com"])
    outcome: Outcome
    message: str | None = Field(examples=["250 2.0.0 Ok: queued as 4F1A2"])
    provider_id: str | None


class DeliveryStatusResponse(ResponseModel):
    """Where the delivery of a document stands."""

    status: DeliveryStatus = Field(description="`pending` also before it is sent")
    delivery_type: DeliveryType | None = Field(description="Null before it is sent")
    attempts: list[DeliveryAttemptResponse] = Field(description="Oldest first")


def render_summary(invoice: Invoice, delivery_status: DeliveryStatus | None) -> PublicInvoiceSummary:
    """The wire form of an invoice in a list; `delivery_status` is that of its newest delivery."""
    return PublicInvoiceSummary(**_fields(invoice), delivery_status=delivery_status)


async def render(full: FullInvoice, delivery_status: DeliveryStatus | None = None) -> PublicInvoice:
    """The wire form of an invoice; `delivery_status` is that of its newest delivery (a draft has none).

    One of many lines is made in steps.
    """
    currency = full.invoice.currency
    lines = [_line(line, currency) async for line in in_steps(full.lines)]
    return PublicInvoice(**_fields(full.invoice), delivery_status=delivery_status, lines=lines)


async def snapshot(full: FullInvoice) -> dict[str, Any]:
    """The wire form as JSON values, for an event; without the delivery, which is told by events of its own."""
    currency = full.invoice.currency
    form = render_summary(full.invoice, None).model_dump(mode="json", exclude={"delivery_status"})
    form["lines"] = [_line(line, currency).model_dump(mode="json") async for line in in_steps(full.lines)]
    return form


def _fields(invoice: Invoice) -> dict[str, Any]:
    currency = invoice.currency
    return {
        "id": invoice.id,
        "number": invoice.number,
        "status": invoice.status,
        "customer_id": invoice.customer_id,
        "customer_department_id": invoice.customer_department_id,
        "customer_contact_id": invoice.customer_contact_id,
        "date": invoice.issue_date,
        "delivery_date": invoice.delivery_date,
        "due_date": invoice.due_date,
        "payment_terms": invoice.payment_terms_days,
        "currency": currency,
        "subtotal": format_amount(invoice.subtotal, currency),
        "vat": format_amount(invoice.vat, currency),
        "amount": format_amount(invoice.amount, currency),
        "amount_paid": format_amount(invoice.amount_paid, currency),
        "amount_due": format_amount(invoice.amount_due, currency),
        "reference": invoice.reference,
        "our_reference": invoice.our_reference,
        "description": invoice.description,
        "notes": invoice.notes,
        "document_template_id": invoice.document_template_id,
        "journal_entry_id": invoice.journal_entry_id,
        "sent_at": invoice.sent_at,
        "created_at": invoice.created_at,
        "updated_at": invoice.updated_at,
    }


def _line(line: Line, currency: str) -> InvoiceLineResponse:
    return InvoiceLineResponse(
        id=line.id,
        line_type=line.line_type,
        price_id=line.price_id,
        product_id=line.product_id,
        description=line.description,
        quantity=line.quantity,
        unit=line.unit,
        unit_price=line.unit_price,
        discount_percent=line.discount_percent,
        total_price=None if line.net is None else format_amount(line.net, currency),
        vat_rate=line.vat_rate,
        vat_amount=None if line.vat is None else format_amount(line.vat, currency),
    )


def render_sent(sent: Sent, delivery_type: DeliveryType) -> str:
    """The answer to a send, as JSON; without warnings it has no such field."""
    answer = SendInvoiceResponse(success=True, delivery_type=delivery_type, sproom_document_id=None)
    if sent.warnings:
        answer = answer.model_copy(update={"warnings": [SendWarningResponse(**it._asdict()) for it in sent.warnings]})
    return answer.model_dump_json(exclude_unset=True)
