"""The wire form of a credit note: what operations answer with and its events carry (contract 2.19)."""

from datetime import date as day
from typing import Any

from pydantic import Field

from ledgerbee.http.wire import EXAMPLE_ID, DecimalText, IdText, Moment, MoneyText, PageResponse, ResponseModel
from ledgerbee.platform.steps import in_steps
from ledgerbee.sales.credit_notes.model import CreditNote, CreditNoteLine, CreditNoteStatus, FullCreditNote
from ledgerbee.sales.delivery.model import Delivery, DeliveryStatus
from ledgerbee.sales.documents.model import Line
from ledgerbee.sales.documents.wire import PeriodLineResponse, render_period_line, wire_fields
from ledgerbee.sales.einvoices.answers.wire import WithAnswer
from ledgerbee.sales.sending.wire import SendResponse, sproom_document_id


class CreditNoteLineResponse(PeriodLineResponse):
    """A line of a credit note. Text and separator lines have no price, quantity or amounts."""

    unit_price: DecimalText | None = Field(
        description="Price of one unit before discount, excluding VAT, as on an invoice: positive", examples=["99.5"]
    )
    total_price: MoneyText | None = Field(
        description="Quantity x unit price less discount, excluding VAT: negative", examples=["-268.65"]
    )
    vat_amount: MoneyText | None = Field(
        description="The line's share of its rate's VAT, negative; the lines sum to the note's `vat`",
        examples=["-67.16"],
    )
    invoice_line_id: IdText | None = Field(
        description="The invoice's line that it credits; null without an invoice (extension)"
    )


class PublicCreditNoteSummary(ResponseModel):
    """A credit note in a list, without its lines."""

    id: IdText = Field(description="The unique identifier of the credit note", examples=[EXAMPLE_ID])
    number: str = Field(description="Taken when the credit note is created", examples=["7"])
    status: CreditNoteStatus
    customer_id: IdText
    customer_department_id: IdText | None
    customer_contact_id: IdText | None
    invoice_id: IdText | None = Field(description="The invoice that it credits; null: none (extension)")
    invoice_number: str | None = Field(
        description="Number of the invoice that it credits; null: none", examples=["1042"]
    )
    date: day = Field(description="Day of issue")
    currency: str = Field(examples=["DKK"])
    subtotal: MoneyText = Field(description="Excluding VAT, negative", examples=["-1000.00"])
    vat: MoneyText = Field(description="Negative", examples=["-250.00"])
    amount: MoneyText = Field(description="Including VAT, negative", examples=["-1250.00"])
    reference: str | None = Field(description="The customer's purchase order number", examples=["PO-7731"])
    our_reference: str | None = Field(examples=["Anna Holm"])
    description: str | None
    notes: str | None
    document_template_id: IdText | None
    journal_entry_id: IdText | None = Field(description="The entry that booked it; null until it is sent")
    sent_at: Moment | None = Field(description="When it was delivered, or sent with `Manual`")
    delivery_status: DeliveryStatus | None = Field(
        description="Where its newest delivery stands; null: never sent (extension). `failed`: send it again"
    )
    created_at: Moment
    updated_at: Moment


class ListCreditNotesResponse(PageResponse[PublicCreditNoteSummary]):
    """A page of credit notes, without their lines."""


class PublicCreditNote(PublicCreditNoteSummary):
    """A credit note with its lines."""

    lines: list[CreditNoteLineResponse]


class PublicCreditNoteRead(PublicCreditNote, WithAnswer):
    """A credit note as a read of a single one shows it."""


class SendCreditNoteResponse(SendResponse):
    """What became of it."""


def render_summary(note: CreditNote, delivery_status: DeliveryStatus | None) -> PublicCreditNoteSummary:
    """The wire form of a credit note in a list; `delivery_status` is that of its newest delivery."""
    return PublicCreditNoteSummary(**wire_fields(note), delivery_status=delivery_status)


async def render(full: FullCreditNote, delivery_status: DeliveryStatus | None = None) -> PublicCreditNote:
    """The wire form of a credit note; one of many lines is made in steps."""
    currency = full.document.currency
    lines = [_line(line, currency) async for line in in_steps(full.lines)]
    return PublicCreditNote(**wire_fields(full.document), delivery_status=delivery_status, lines=lines)


async def event_form(full: FullCreditNote) -> dict[str, Any]:
    """The wire form as JSON values, for an event; without the delivery, which has events of its own."""
    currency = full.document.currency
    form = render_summary(full.document, None).model_dump(mode="json", exclude={"delivery_status"})
    form["lines"] = [_line(line, currency).as_event() async for line in in_steps(full.lines)]
    return form


def render_sent(delivery: Delivery) -> str:
    """The answer to a send, as JSON."""
    answer = SendCreditNoteResponse(
        success=True, delivery_type=delivery.delivery_type, sproom_document_id=sproom_document_id(delivery)
    )
    return answer.model_dump_json()


def _line(line: Line, currency: str) -> CreditNoteLineResponse:
    invoice_line_id = line.invoice_line_id if isinstance(line, CreditNoteLine) else None
    return render_period_line(CreditNoteLineResponse, line, currency, invoice_line_id=invoice_line_id)
