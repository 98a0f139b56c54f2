"""Quotes on the wire (contract 2.25, 3.3)."""

from collections.abc import Iterable, Iterator
from datetime import date
from datetime import date as day
from enum import StrEnum
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import Field, WithJsonSchema

from ledgerbee.core.changes import Changes
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableLine
from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.wire import (
    EXAMPLE_ID,
    Day,
    Id,
    IdText,
    Moment,
    PageResponse,
    RequestModel,
    changes_to,
    omitted,
)
from ledgerbee.platform.steps import in_steps
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents.wire import (
    DocumentWarningResponse,
    LineResponse,
    NullableText,
    line_checks,
    render_line,
    wire_fields,
)
from ledgerbee.sales.invoices.model import InvoiceFields
from ledgerbee.sales.order_confirmations.model import OrderConfirmation, OrderConfirmationFields
from ledgerbee.sales.order_confirmations.wire import PublicOrderConfirmation
from ledgerbee.sales.order_confirmations.wire import render as render_order_confirmation
from ledgerbee.sales.presales.model import Converted, Target
from ledgerbee.sales.presales.rules import require_of_target
from ledgerbee.sales.presales.wire import (
    ONLY_OF_INVOICES,
    CreatePresaleRequest,
    OverridesRequest,
    PresaleSummary,
    SendPresaleRequest,
    SendPresaleResponse,
    UpdatePresaleRequest,
    issue_checks,
    overrides_checks,
    overrides_of,
    sent_fields,
    with_lines,
    with_warnings,
)
from ledgerbee.sales.quotes.model import FullQuote, Quote, QuoteDisplayStatus, QuoteFields, QuoteStatus
from ledgerbee.sales.quotes.rules import check_valid_until, display_status


class CreateQuoteRequest(CreatePresaleRequest):
    """What a draft needs, and what it may bring."""

    valid_until: Day | None = omitted(description="The last day of the offer; without it the quote doesn't expire")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its days, and each of its lines."""
        return _checks(self, facts)


class UpdateQuoteRequest(UpdatePresaleRequest):
    """The fields to change; the others stay as they are. Null takes back what may be left out of a new draft."""

    valid_until: Day | None = omitted(description="The last day of the offer; null: it doesn't expire")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its days, and each of its lines."""
        return _checks(self, facts)


class SendQuoteRequest(SendPresaleRequest):
    """How to send it."""


class SendQuoteResponse(SendPresaleResponse):
    """What became of it."""

    acceptance_url: str | None = Field(
        description="The page on which its buyer sees and answers it, as in reads (extension)",
        examples=["https://books.example.com/quotes/lbq_00.hWgPa3x0pTn6ZfC9wqKJr2eVYb1mDsLUoQ8iN5vXtEc"],
    )


class AnswerQuoteRequest(RequestModel):
    """The buyer's word, as the seller heard it."""

    answered_by: NullableLine = omitted(description="Who said so", examples=["Mette Holm"])


class AnswerQuoteWithCommentRequest(AnswerQuoteRequest):
    """The buyer's refusal, as the seller heard it."""

    comment: NullableText = omitted(description="What was said to it", examples=["Too expensive"])


class ConvertQuoteRequest(RequestModel):
    """What to make of it."""

    target: Target = Field(description="What it becomes")
    document: OverridesRequest | None = omitted(description="What the made document says otherwise")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """The rules of `document`."""
        return overrides_checks(self.document, facts.today) if self.document is not None else ()


class QuoteSortBy(StrEnum):
    """Field to sort by."""

    DATE = "date"
    DOCUMENT_NUMBER = "documentNumber"
    AMOUNT = "amount"
    STATUS = "status"
    VALID_UNTIL = "validUntil"


class QuoteQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("104")] = Field(None, description="Prefix search on number (extension)")
    status: Annotated[
        QuoteDisplayStatus | None,
        WithJsonSchema({"type": "string", "enum": [status.value for status in QuoteDisplayStatus]}),
    ] = Field(None, description="Only quotes that are shown with this status")
    customer_id: Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})] = Field(
        None, description="Only quotes to this customer"
    )
    delivery_status: Annotated[
        DeliveryStatus | None, WithJsonSchema({"type": "string", "enum": [status.value for status in DeliveryStatus]})
    ] = Field(
        None,
        description="Only sent quotes whose newest delivery stands there (extension); `failed`: send them again",
    )
    sort_by: QuoteSortBy = Field(
        QuoteSortBy.DATE, description="Field to sort by; by `status` what is `expired` stands with what is `sent`"
    )


class PublicQuoteSummary(PresaleSummary):
    """A quote in a list, without its lines."""

    type: Literal["quote"] = Field(description="Always `quote`")
    status: QuoteStatus = Field(description="Status of the quote as it is kept")
    display_status: QuoteDisplayStatus = Field(
        description="Status as it is shown: `expired` from the day after `validUntil`, by the company's time zone; "
        "`converted` once a document was made of it"
    )
    valid_until: day | None = Field(description="The last day of the offer; null: it doesn't expire")
    answered_at: Moment | None = Field(description="When it was accepted or rejected; null until then (extension)")
    answered_by: str | None = Field(
        description="Who accepted or rejected it, where that is known (extension)", examples=["Mette Holm"]
    )
    answer_comment: str | None = Field(
        description="What was said to a rejection (extension)", examples=["Vi har valgt en anden leverandør"]
    )
    acceptance_url: str | None = Field(
        description="The page on which its buyer sees and answers it, for whoever knows the address (extension). Null: "
        "a draft, a revoked link, or an installation without an address of its own",
        examples=["https://books.example.com/quotes/lbq_00.hWgPa3x0pTn6ZfC9wqKJr2eVYb1mDsLUoQ8iN5vXtEc"],
    )
    converted_to_order_confirmation_id: IdText | None = Field(
        description="The order confirmation that was made of it; null without one"
    )


class ListQuotesResponse(PageResponse[PublicQuoteSummary]):
    """A page of quotes, without their lines."""


class PublicQuote(PublicQuoteSummary):
    """A quote with its lines."""

    lines: list[LineResponse]


class ConvertedOrderConfirmationResponse(PublicOrderConfirmation):
    """The order confirmation that was made, a draft."""

    warnings: list[DocumentWarningResponse] = omitted(
        description="Only where there is something to look at. `SALES_DOCUMENT_TOTALS_DIFFER`: its totals are others "
        "than what it was made of"
    )


class Sent(NamedTuple):
    """What a sent quote has beside its row: where its newest delivery stands, the address of its buyer's page."""

    delivery_status: DeliveryStatus | None
    acceptance_url: str | None


NEVER_SENT: Final = Sent(None, None)

_changes_of = changes_to(QuoteFields, UpdateQuoteRequest)
# Checked when the process starts: the fields of `document` are those of the targets.
changes_to(InvoiceFields, OverridesRequest)


def quote_fields_of(body: CreateQuoteRequest, today: date) -> QuoteFields:
    """What the author of a new draft gives. Raises validation errors of its lines."""
    return QuoteFields(**with_lines(sent_fields(body), _day_checks(body, today)))


def changes_of(body: UpdateQuoteRequest, today: date) -> Changes[QuoteFields]:
    """What is to change of a quote. Raises validation errors of its lines."""
    return Changes(with_lines(_changes_of(body).fields, _day_checks(body, today)))


def invoice_changes_of(body: ConvertQuoteRequest, today: date) -> Changes[InvoiceFields]:
    """What the invoice says otherwise. Raises validation errors of its lines."""
    return overrides_of(body.document, today)


def order_confirmation_changes_of(body: ConvertQuoteRequest, today: date) -> Changes[OrderConfirmationFields]:
    """What the order confirmation says otherwise. Raises validation errors, also for what only invoices have."""
    if body.document is not None:
        others = [wire for name, wire in ONLY_OF_INVOICES.items() if name in body.document.model_fields_set]
        require_of_target(Target.ORDER_CONFIRMATION, others)
    return overrides_of(body.document, today)


def render_summary(quote: Quote, sent: Sent, today: date) -> PublicQuoteSummary:
    """The wire form of a quote in a list; `today` is the company's."""
    return PublicQuoteSummary(**_fields(quote), **sent._asdict(), display_status=display_status(quote, today))


async def render(full: FullQuote, sent: Sent, today: date) -> PublicQuote:
    """The wire form of a quote, as `render_summary`. One of many lines is made in steps."""
    currency = full.document.currency
    lines = [render_line(LineResponse, line, currency) async for line in in_steps(full.lines)]
    return PublicQuote(
        **_fields(full.document),
        **sent._asdict(),
        display_status=display_status(full.document, today),
        lines=lines,
    )


async def event_form(full: FullQuote) -> dict[str, Any]:
    """The wire form as JSON values, for an event.

    Without the delivery, which has events of its own, what follows from the day, and the address that lets its buyer
    answer.
    """
    currency = full.document.currency
    summary = render_summary(full.document, NEVER_SENT, full.document.issue_date)
    form = summary.model_dump(mode="json", exclude={"delivery_status", "acceptance_url", "display_status"})
    form["lines"] = [render_line(LineResponse, line, currency).as_event() async for line in in_steps(full.lines)]
    return form


async def render_converted(converted: Converted[OrderConfirmation]) -> ConvertedOrderConfirmationResponse:
    """The answer to a conversion to an order confirmation; without warnings it has no such field."""
    made = await render_order_confirmation(converted.made)
    return with_warnings(ConvertedOrderConfirmationResponse(**dict(made)), converted)


def _fields(quote: Quote) -> dict[str, Any]:
    return wire_fields(quote) | {"type": "quote", "document_number": quote.number}


def _checks(body: CreateQuoteRequest | UpdateQuoteRequest, facts: Facts) -> Iterator[Check]:
    yield from _day_checks(body, facts.today)
    yield from line_checks(body.lines)


def _day_checks(body: CreateQuoteRequest | UpdateQuoteRequest, today: date) -> Iterator[Check]:
    """What can be said of the days that a body names, one by one."""
    issued = body.issue_date
    yield from issue_checks(body, today)
    yield lambda: None if issued is None else check_valid_until(issued, body.valid_until)
