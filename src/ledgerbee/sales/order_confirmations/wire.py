"""Order confirmations on the wire (contract 2.23, 3.3)."""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, WithJsonSchema

from ledgerbee.core.changes import Changes
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.wire import EXAMPLE_ID, Id, PageResponse, RequestModel, changes_to, omitted
from ledgerbee.platform.steps import in_steps
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents.wire import (
    ConvertedFromResponse,
    LineResponse,
    line_checks,
    render_line,
    render_origin,
    wire_fields,
)
from ledgerbee.sales.invoices.model import InvoiceFields
from ledgerbee.sales.order_confirmations.model import (
    FullOrderConfirmation,
    OrderConfirmation,
    OrderConfirmationDisplayStatus,
    OrderConfirmationFields,
    OrderConfirmationStatus,
)
from ledgerbee.sales.order_confirmations.rules import display_status
from ledgerbee.sales.presales.model import Target
from ledgerbee.sales.presales.wire import (
    CreatePresaleRequest,
    OverridesRequest,
    PresaleSummary,
    SendPresaleRequest,
    UpdatePresaleRequest,
    issue_checks,
    overrides_checks,
    overrides_of,
    sent_fields,
    with_lines,
)


class CreateOrderConfirmationRequest(CreatePresaleRequest):
    """What a draft needs, and what it may bring."""

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its day, and each of its lines."""
        return _checks(self, facts)


class UpdateOrderConfirmationRequest(UpdatePresaleRequest):
    """The fields to change; the others stay as they are. Null takes back what may be left out of a new draft."""

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its day, and each of its lines."""
        return _checks(self, facts)


class SendOrderConfirmationRequest(SendPresaleRequest):
    """How to send it."""


class ConvertOrderConfirmationRequest(RequestModel):
    """What to make of it."""

    target: Literal[Target.INVOICE] = Field(description="An order confirmation becomes an invoice")
    document: OverridesRequest | None = omitted(description="What the invoice says otherwise")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """The rules of `document`."""
        return overrides_checks(self.document, facts.today) if self.document is not None else ()


class OrderConfirmationSortBy(StrEnum):
    """Field to sort by."""

    DATE = "date"
    DOCUMENT_NUMBER = "documentNumber"
    AMOUNT = "amount"
    STATUS = "status"


class OrderConfirmationQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("104")] = Field(None, description="Prefix search on number (extension)")
    status: Annotated[
        OrderConfirmationDisplayStatus | None,
        WithJsonSchema({"type": "string", "enum": [status.value for status in OrderConfirmationDisplayStatus]}),
    ] = Field(None, description="Only order confirmations that are shown with this status")
    customer_id: Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})] = Field(
        None, description="Only order confirmations to this customer"
    )
    delivery_status: Annotated[
        DeliveryStatus | None, WithJsonSchema({"type": "string", "enum": [status.value for status in DeliveryStatus]})
    ] = Field(
        None,
        description="Only those sent whose newest delivery stands there (extension); `failed`: send them again",
    )
    sort_by: OrderConfirmationSortBy = Field(OrderConfirmationSortBy.DATE, description="Field to sort by")


class PublicOrderConfirmationSummary(PresaleSummary):
    """An order confirmation in a list, without its lines."""

    status: OrderConfirmationStatus = Field(description="Status of the order confirmation as it is kept")
    display_status: OrderConfirmationDisplayStatus = Field(
        description="Status as it is shown: `converted` once an invoice was made of it"
    )
    converted_from: ConvertedFromResponse | None = Field(description="The quote that it was made of; null for others")


class ListOrderConfirmationsResponse(PageResponse[PublicOrderConfirmationSummary]):
    """A page of order confirmations, without their lines."""


class PublicOrderConfirmation(PublicOrderConfirmationSummary):
    """An order confirmation with its lines."""

    lines: list[LineResponse]


_changes_of = changes_to(OrderConfirmationFields, UpdateOrderConfirmationRequest)


def order_confirmation_fields_of(body: CreateOrderConfirmationRequest, today: date) -> OrderConfirmationFields:
    """What the author of a new draft gives. Raises validation errors of its lines."""
    return OrderConfirmationFields(**with_lines(sent_fields(body), issue_checks(body, today)))


def changes_of(body: UpdateOrderConfirmationRequest, today: date) -> Changes[OrderConfirmationFields]:
    """What is to change of a draft. Raises validation errors of its lines."""
    return Changes(with_lines(_changes_of(body).fields, issue_checks(body, today)))


def invoice_changes_of(body: ConvertOrderConfirmationRequest, today: date) -> Changes[InvoiceFields]:
    """What the invoice says otherwise. Raises validation errors of its lines."""
    return overrides_of(body.document, today)


def render_summary(
    order_confirmation: OrderConfirmation, delivery_status: DeliveryStatus | None
) -> PublicOrderConfirmationSummary:
    """The wire form of an order confirmation in a list; `delivery_status` is that of its newest delivery."""
    return PublicOrderConfirmationSummary(**_fields(order_confirmation), delivery_status=delivery_status)


async def render(full: FullOrderConfirmation, delivery_status: DeliveryStatus | None = None) -> PublicOrderConfirmation:
    """The wire form of an order confirmation, as `render_summary`. One of many lines is made in steps."""
    currency = full.document.currency
    lines = [render_line(LineResponse, line, currency) async for line in in_steps(full.lines)]
    return PublicOrderConfirmation(**_fields(full.document), delivery_status=delivery_status, lines=lines)


async def event_form(full: FullOrderConfirmation) -> dict[str, Any]:
    """The wire form as JSON values, for an event; without the delivery, which has events of its own."""
    currency = full.document.currency
    form = render_summary(full.document, None).model_dump(mode="json", exclude={"delivery_status", "display_status"})
    form["lines"] = [render_line(LineResponse, line, currency).as_event() async for line in in_steps(full.lines)]
    return form


def _fields(order_confirmation: OrderConfirmation) -> dict[str, Any]:
    return wire_fields(order_confirmation) | {
        "document_number": order_confirmation.number,
        "display_status": display_status(order_confirmation),
        "converted_from": render_origin(order_confirmation.converted_from),
    }


def _checks(body: CreateOrderConfirmationRequest | UpdateOrderConfirmationRequest, facts: Facts) -> Iterator[Check]:
    yield from issue_checks(body, facts.today)
    yield from line_checks(body.lines)
