"""Previews on the wire (ours)."""

from collections.abc import Iterable
from datetime import date as day
from enum import StrEnum
from functools import partial

from pydantic import Field

from ledgerbee.billing.previews.actions import Preview, PreviewedDocument
from ledgerbee.billing.subscriptions.requests import CreateScheduledChangeRequest
from ledgerbee.core.errors import within
from ledgerbee.core.money import format_amount
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.wire import DecimalText, IdText, MoneyText, Number, RequestModel, ResponseModel, omitted
from ledgerbee.sales.documents.model import Line, period_of


class PreviewSubscriptionRequest(RequestModel):
    """What to look at: a change, or with none what is billed next."""

    change: CreateScheduledChangeRequest | None = omitted(
        description="A change as `POST /v1/subscriptions/{subscriptionId}/scheduled-changes` takes it"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Those of the change."""
        if self.change is not None:
            for check in self.change.checks(facts, "change"):
                yield partial(_check_change, check)


def _check_change(check: Check) -> None:
    with within("change"):
        check()


class PreviewedDocumentType(StrEnum):
    """What would be made."""

    INVOICE = "invoice"
    CREDIT_NOTE = "creditNote"


class PreviewLineResponse(ResponseModel):
    """A line of a document that would be made."""

    price_id: IdText | None
    product_id: IdText | None
    description: str | None = Field(examples=["Basis"])
    quantity: Number | None = Field(examples=[1])
    unit: str | None = Field(examples=["hours"])
    unit_price: DecimalText | None = Field(description="Price of one unit before discount, excluding VAT")
    discount_percent: Number | None = Field(examples=[0])
    total_price: MoneyText | None = Field(
        description="Excluding VAT; below zero of what is taken back", examples=["135.48"]
    )
    vat_rate: Number | None = Field(description="Percent", examples=[25])
    vat_amount: MoneyText | None = Field(description="The line's share of the VAT", examples=["33.87"])
    service_period_start: day | None = Field(description="The first day that the line is for")
    service_period_end: day | None = Field(description="The last day that the line is for")


class PreviewDocumentResponse(ResponseModel):
    """An invoice or credit note as it would be made."""

    type: PreviewedDocumentType
    customer_id: IdText = Field(description="Who pays")
    date: day = Field(description="Day of issue")
    due_date: day | None = Field(description="Day of payment; null of a credit note")
    currency: str = Field(examples=["DKK"])
    subtotal: MoneyText = Field(description="Excluding VAT; negative of a credit note", examples=["135.48"])
    vat: MoneyText = Field(examples=["33.87"])
    amount: MoneyText = Field(description="Including VAT", examples=["169.35"])
    lines: list[PreviewLineResponse]


class SubscriptionPreviewResponse(ResponseModel):
    """What would be made."""

    change: list[PreviewDocumentResponse] = Field(
        description="What the change makes at once, with what falls due by it; nothing where its day is to come"
    )
    next: PreviewDocumentResponse | None = Field(
        description="The next regular invoice after that, on its billing date; null where nothing more is billed"
    )
    next_credit_notes: list[PreviewDocumentResponse] = Field(
        description="The credit notes that are made up to that invoice and with it: what it has no room to take back, "
        "and what was billed to another customer or was booked otherwise"
    )


def render(preview: Preview) -> SubscriptionPreviewResponse:
    """A preview on the wire."""
    return SubscriptionPreviewResponse(
        change=[_document(one) for one in preview.change],
        next=None if preview.next is None else _document(preview.next),
        next_credit_notes=[_document(one) for one in preview.next_notes],
    )


def _document(one: PreviewedDocument) -> PreviewDocumentResponse:
    document = one.full.document
    currency = document.currency
    return PreviewDocumentResponse(
        type=PreviewedDocumentType.CREDIT_NOTE if one.due_on is None else PreviewedDocumentType.INVOICE,
        customer_id=document.customer_id,
        date=one.on,
        due_date=one.due_on,
        currency=currency,
        subtotal=format_amount(document.subtotal, currency),
        vat=format_amount(document.vat, currency),
        amount=format_amount(document.amount, currency),
        lines=[_line(line, currency) for line in one.full.lines],
    )


def _line(line: Line, currency: str) -> PreviewLineResponse:
    start, end = period_of(line) or (None, None)
    return PreviewLineResponse(
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
        service_period_start=start,
        service_period_end=end,
    )
