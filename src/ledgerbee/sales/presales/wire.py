"""What quotes and order confirmations have alike on the wire (contract 2.23, 2.25, 3.3)."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from datetime import date as day
from typing import Any, Literal, TypeVar

from pydantic import Field

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import within
from ledgerbee.http.checks import Check
from ledgerbee.http.fields import NullableEmail, NullableLine
from ledgerbee.http.wire import (
    EXAMPLE_ID,
    CurrencyCode,
    Day,
    Id,
    IdText,
    Moment,
    MoneyText,
    RequestModel,
    ResponseModel,
    omitted,
)
from ledgerbee.ledger.entries.rules import check_delivery_date
from ledgerbee.parties.wire import NullablePaymentTerms
from ledgerbee.sales.delivery.model import DeliveryStatus, DeliveryType
from ledgerbee.sales.documents.rules import check_date, check_due_date
from ledgerbee.sales.documents.wire import (
    DocumentWarningResponse,
    Lines,
    NullableText,
    line_checks,
    line_inputs,
    render_warnings,
)
from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.sales.invoices.wire import PublicInvoice
from ledgerbee.sales.invoices.wire import render as render_invoice
from ledgerbee.sales.presales.model import Converted
from ledgerbee.sales.sending.model import SendOptions


class CreatePresaleRequest(RequestModel):
    """What a draft needs, and what it may bring."""

    customer_id: Id
    issue_date: Day = Field(alias="date", description="Day of issue, at most a year ahead")
    lines: Lines
    customer_department_id: Id | None = omitted(description="A department of the customer")
    customer_contact_id: Id | None = omitted(description="A contact of the customer: `Deres ref.`")
    currency: CurrencyCode | None = omitted(description="The company's unless given")
    reference: NullableLine = omitted(description="The customer's purchase order number: `PO-nr.`")
    our_reference: NullableLine = omitted(description="`Vores ref.`")
    notes: NullableText = omitted(description="Printed below the lines")
    document_template_id: Id | None = omitted(
        description="The customer's, else one in its language, else the company's default, unless given"
    )


class UpdatePresaleRequest(RequestModel):
    """The fields to change; the others stay as they are. Null takes back what may be left out of a new draft."""

    keeps_what_is_left_out = True

    customer_id: Id = omitted(description="A new customer's contact and department take the place of the old")
    issue_date: Day = omitted(alias="date", description="Day of issue, at most a year ahead")
    lines: Lines = omitted(description="Replace all lines")
    customer_department_id: Id | None = omitted(description="A department of the customer")
    customer_contact_id: Id | None = omitted(description="A contact of the customer: `Deres ref.`")
    currency: CurrencyCode | None = omitted(description="Null: the company's. Prices are looked up anew.")
    reference: NullableLine = omitted(description="The customer's purchase order number: `PO-nr.`")
    our_reference: NullableLine = omitted(description="`Vores ref.`")
    notes: NullableText = omitted(description="Printed below the lines")
    document_template_id: Id | None = omitted(
        description="Null: the customer's, else one in its language, else the company's default"
    )


class SendPresaleRequest(RequestModel):
    """How to send it."""

    delivery_type: Literal[DeliveryType.MANUAL, DeliveryType.EMAIL] = Field(
        DeliveryType.MANUAL, description="`Email` needs an address"
    )
    recipient_email: NullableEmail = omitted(
        description="Send here instead of to the contact or customer. An address that neither the customer nor one of "
        "its contacts has becomes a contact of the customer"
    )
    document_template_id: Id | None = omitted(description="Template to use instead of the draft's")

    @property
    def options(self) -> SendOptions:
        """The same for the action."""
        return SendOptions(
            delivery_type=self.delivery_type,
            override_email=self.recipient_email,
            document_template_id=self.document_template_id,
        )


class OverridesRequest(RequestModel):
    """What the made document says otherwise than the one that it is made of; what is left out is copied."""

    keeps_what_is_left_out = True

    issue_date: Day = omitted(alias="date", description="Day of issue, at most a year ahead")
    lines: Lines = omitted(description="Replace all lines; they are priced anew")
    customer_department_id: Id | None = omitted(description="A department of the customer")
    customer_contact_id: Id | None = omitted(description="A contact of the customer: `Deres ref.`")
    currency: CurrencyCode | None = omitted(description="Null: the company's. Prices are looked up anew.")
    delivery_date: Day | None = omitted(
        description="Of an invoice: day of delivery, where it isn't `date`: its VAT rates count"
    )
    due_date: Day | None = omitted(description="Of an invoice; follows from the payment terms unless given")
    payment_terms_days: NullablePaymentTerms = omitted(
        alias="paymentTerms", description="Of an invoice: days to the due date; the customer's unless given"
    )
    reference: NullableLine = omitted(description="The customer's purchase order number: `PO-nr.`")
    our_reference: NullableLine = omitted(description="`Vores ref.`")
    description: NullableText = omitted(description="Of an invoice: a headline")
    notes: NullableText = omitted(description="Printed below the lines")
    document_template_id: Id | None = omitted(
        description="The customer's, else one in its language, else the company's default, unless given"
    )


#: What only invoices have: wire name by field.
ONLY_OF_INVOICES = {
    "delivery_date": "deliveryDate",
    "due_date": "dueDate",
    "payment_terms_days": "paymentTerms",
    "description": "description",
}


def issue_checks(body: CreatePresaleRequest | UpdatePresaleRequest, today: date) -> Iterator[Check]:
    """What can be said of the day of issue that a body names."""
    day = body.issue_date
    yield lambda: None if day is None else check_date(day, today)


def _days_of_overrides(body: OverridesRequest, today: date) -> Iterator[Check]:
    issued, delivered, due = body.issue_date, body.delivery_date, body.due_date
    yield lambda: None if issued is None else check_date(issued, today)
    yield lambda: None if issued is None else check_delivery_date(delivered, issued)
    yield lambda: None if issued is None or due is None else check_due_date(issued, due)


def overrides_checks(document: OverridesRequest, today: date) -> Iterator[Check]:
    """The rules over the fields of `document`, told as places of the body."""
    for check in (*_days_of_overrides(document, today), *(line_checks(document.lines) if document.lines else ())):
        yield lambda check=check: _placed(check)  # type: ignore[misc]


def _placed(check: Check) -> None:
    with within("document"):
        check()


def overrides_of(document: OverridesRequest | None, today: date) -> Changes[Any]:
    """The changes that a conversion asks for. Raises validation errors of its lines."""
    if document is None:
        return Changes({})
    with within("document"):
        return Changes(with_lines(sent_fields(document), _days_of_overrides(document, today)))


class PresaleSummary(ResponseModel):
    """A document in a list, without its lines."""

    id: IdText = Field(description="Its unique identifier", examples=[EXAMPLE_ID])
    document_number: str | None = Field(description="Taken when it is sent; null while draft", examples=["1042"])
    customer_id: IdText
    customer_department_id: IdText | None
    customer_contact_id: IdText | None
    date: day = Field(description="Day of issue")
    currency: str = Field(examples=["DKK"])
    subtotal: MoneyText = Field(description="Excluding VAT", examples=["1000.00"])
    vat: MoneyText = Field(examples=["250.00"])
    amount: MoneyText = Field(description="Including VAT", examples=["1250.00"])
    reference: str | None = Field(description="The customer's purchase order number", examples=["PO-7731"])
    our_reference: str | None = Field(examples=["Anna Holm"])
    notes: str | None
    document_template_id: IdText | None
    converted_to_invoice_id: IdText | None = Field(description="The invoice that was made of it; null without one")
    sent_at: Moment | None = Field(description="When it was sent; null while draft")
    delivery_status: DeliveryStatus | None = Field(
        description="Where its newest delivery stands; null: never sent (extension). `failed`: send it again"
    )
    created_at: Moment
    updated_at: Moment


class SendPresaleResponse(ResponseModel):
    """What became of it."""

    success: bool
    delivery_type: DeliveryType


class ConvertedInvoiceResponse(PublicInvoice):
    """The invoice that was made, a draft."""

    warnings: list[DocumentWarningResponse] = omitted(
        description="Only where there is something to look at. `SALES_DOCUMENT_TOTALS_DIFFER`: its totals are others "
        "than what it was made of"
    )


async def render_converted_invoice(converted: Converted[Invoice]) -> ConvertedInvoiceResponse:
    """The answer to a conversion to an invoice; without warnings it has no such field."""
    invoice = await render_invoice(converted.made)
    return with_warnings(ConvertedInvoiceResponse(**dict(invoice)), converted)


R = TypeVar("R", bound=ResponseModel)


def with_warnings(answer: R, converted: Converted[Any]) -> R:
    """The answer with what there is to look at."""
    if not converted.warnings:
        return answer
    return answer.model_copy(update={"warnings": render_warnings(converted.warnings)})


def sent_fields(body: RequestModel) -> dict[str, Any]:
    """The fields that a body really sent, by their Python names."""
    return {name: getattr(body, name) for name in body.model_fields_set}


def with_lines(given: Mapping[str, Any], others: Iterable[Check]) -> dict[str, Any]:
    """What a body gives, by field, with its lines as their author gives them; `others` are checks of the body that are
    told beside what is wrong with its lines. Raises validation errors of the lines."""
    if "lines" not in given:
        return dict(given)
    return {**given, "lines": line_inputs(given["lines"], others)}
