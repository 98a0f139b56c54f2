"""What requests for invoices bring (contract 2.22, 3.3)."""

from collections.abc import Iterable, Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema

from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import check_unique
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableLine
from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.wire import EXAMPLE_ID, CurrencyCode, Day, Id, RequestModel, changes_to, omitted
from ledgerbee.ledger.entries.rules import check_delivery_date
from ledgerbee.parties.wire import Flag, NullablePaymentTerms
from ledgerbee.sales.delivery.model import DeliveryStatus, DeliveryType
from ledgerbee.sales.documents.model import MAX_LINES, MAX_SERVICE_DAYS, ServicePeriod
from ledgerbee.sales.documents.rules import check_date, check_due_date
from ledgerbee.sales.documents.wire import LineRequest, NullableText, line_checks, line_inputs
from ledgerbee.sales.invoices.model import InvoiceFields, InvoiceStatus
from ledgerbee.sales.sending.wire import SendRequest

#: Invoices that one request may send.
MAX_SENT_TOGETHER: Final = 1_000


#: Prepayment invoices that one invoice may deduct.
_MAX_PREPAYMENTS: Final = 50


class InvoiceLineRequest(LineRequest):
    """A line. Amounts and VAT follow from the price, the product group and the customer's VAT zone."""

    service_period_start: Day | None = omitted(
        description="The first day that the line is for; with `servicePeriodEnd` (extension)", examples=["2026-03-01"]
    )
    service_period_end: Day | None = omitted(
        description="The last day that the line is for. What is for days after the invoice's month is earned then, "
        "unless the product group's `deferRevenue` is false (extension)",
        examples=["2026-03-31"],
    )

    @property
    def service_period(self) -> ServicePeriod | None:
        """The days that it is for; None where it says none."""
        if self.service_period_start is None or self.service_period_end is None:
            return None
        return ServicePeriod(self.service_period_start, self.service_period_end)

    def period_problems(self, path: str) -> Iterator[tuple[str, str, str]]:
        """One day without the other, an end before the start, and a mistyped year."""
        start, end = self.service_period_start, self.service_period_end
        if start is not None and end is not None:
            name = f"{path}.servicePeriodEnd"
            if end < start:
                yield name, "minDate", f"{name} must not be before servicePeriodStart"
            elif (end - start).days >= MAX_SERVICE_DAYS:
                yield name, "maxDate", f"{name} must be within {MAX_SERVICE_DAYS} days from servicePeriodStart"
        elif start is not None or end is not None:
            name = f"{path}.{'servicePeriodEnd' if end is None else 'servicePeriodStart'}"
            yield name, "isDefined", f"{name} should not be null or undefined"


#: The lines of an invoice.
InvoiceLines = Annotated[
    list[InvoiceLineRequest],
    Field(min_length=1, max_length=MAX_LINES, description="At least one product line"),
]

PrepaymentIds = Annotated[tuple[Id, ...], Field(max_length=_MAX_PREPAYMENTS, examples=[[EXAMPLE_ID]])]


class CreateInvoiceRequest(RequestModel):
    """What a draft needs, and what it may bring."""

    customer_id: Id
    issue_date: Day = Field(alias="date", description="Day of issue, at most a year ahead: the invoice is booked on it")
    lines: InvoiceLines
    customer_department_id: Id | None = omitted(description="A department of the customer")
    customer_contact_id: Id | None = omitted(description="A contact of the customer: `Deres ref.`")
    delivery_date: Day | None = omitted(
        description="Day of delivery, where it isn't `date`: its VAT rates count (extension)"
    )
    due_date: Day | None = omitted(description="Follows from the payment terms unless given")
    is_prepayment: Flag = Field(
        False,
        description="Books to prepayments received from customers instead of revenue; VAT is due at once (extension)",
    )
    prepayment_invoice_ids: PrepaymentIds = omitted(
        description="Sent prepayment invoices of the same customer and currency, paid or not: each is deducted by "
        "lines of its own, by VAT code and rate, once (extension)"
    )
    currency: CurrencyCode | None = omitted(description="The company's unless given")
    payment_terms_days: NullablePaymentTerms = omitted(
        alias="paymentTerms",
        description="Days from `date` to the due date; the customer's, else the company's, unless given",
    )
    reference: NullableLine = omitted(description="The customer's purchase order number: `PO-nr.`")
    our_reference: NullableLine = omitted(description="`Vores ref.`")
    description: NullableText = omitted(description="A headline; the text of the journal entry starts with it")
    notes: NullableText = omitted(description="Printed below the lines")
    document_template_id: Id | None = omitted(
        description="The customer's, else one in its language, else the company's default, unless given"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its days, and each of its lines."""
        return _checks(self, facts)


class UpdateInvoiceRequest(RequestModel):
    """The fields to change; the others stay as they are. Null takes back what may be left out of a new draft."""

    keeps_what_is_left_out = True

    customer_id: Id = omitted(description="A new customer's contact, department and terms take the place of the old")
    issue_date: Day = omitted(
        alias="date", description="Day of issue, at most a year ahead: the invoice is booked on it"
    )
    lines: InvoiceLines = omitted(description="Replace all lines")
    customer_department_id: Id | None = omitted(description="A department of the customer")
    customer_contact_id: Id | None = omitted(description="A contact of the customer: `Deres ref.`")
    delivery_date: Day | None = omitted(description="Null: `date`")
    due_date: Day | None = omitted(description="Null: follows from the payment terms")
    is_prepayment: Flag = omitted(description="Books to prepayments received from customers (extension)")
    prepayment_invoice_ids: PrepaymentIds = omitted(
        description="Replace those that are deducted; deductions can't be changed otherwise (extension)"
    )
    currency: CurrencyCode | None = omitted(description="Null: the company's. Prices are looked up anew.")
    payment_terms_days: NullablePaymentTerms = omitted(
        alias="paymentTerms", description="Null: the customer's, else the company's"
    )
    reference: NullableLine = omitted(description="The customer's purchase order number: `PO-nr.`")
    our_reference: NullableLine = omitted(description="`Vores ref.`")
    description: NullableText = omitted(description="A headline; the text of the journal entry starts with it")
    notes: NullableText = omitted(description="Printed below the lines")
    document_template_id: Id | None = omitted(
        description="Null: the customer's, else one in its language, else the company's default"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its days, and each of its lines."""
        return _checks(self, facts)


class SendInvoiceRequest(SendRequest):
    """How to send it."""


class SendInvoicesRequest(RequestModel):
    """Which drafts to send, and how."""

    invoice_ids: Annotated[
        list[Id], Field(min_length=1, max_length=MAX_SENT_TOGETHER, description="Each once", examples=[[EXAMPLE_ID]])
    ]
    delivery_type: DeliveryType = Field(
        DeliveryType.MANUAL,
        description="Of all of them; `Email` needs addresses, `Sproom` (as e-invoices) receivers' endpoints",
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """That no invoice is named twice."""
        yield lambda: check_unique("invoiceIds", self.invoice_ids)


class InvoiceSortBy(StrEnum):
    """Field to sort by."""

    DATE = "date"
    NUMBER = "number"
    AMOUNT = "amount"
    CREATED_AT = "createdAt"


class InvoiceQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("104")] = Field(None, description="Prefix search on number or description")
    status: Annotated[
        InvoiceStatus | None, WithJsonSchema({"type": "string", "enum": [status.value for status in InvoiceStatus]})
    ] = Field(None, description="Only invoices of this status")
    customer_id: Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})] = Field(
        None, description="Only invoices of this customer"
    )
    delivery_status: Annotated[
        DeliveryStatus | None, WithJsonSchema({"type": "string", "enum": [status.value for status in DeliveryStatus]})
    ] = Field(
        None,
        description="Only sent invoices whose newest delivery stands there (extension); `failed`: send them again",
    )
    sort_by: InvoiceSortBy = Field(InvoiceSortBy.CREATED_AT, description="Field to sort by")


_changes_of = changes_to(InvoiceFields, UpdateInvoiceRequest)


def invoice_fields_of(body: CreateInvoiceRequest, today: date) -> InvoiceFields:
    """What the author of a new draft gives. Raises validation errors of its lines."""
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    return InvoiceFields(**{**given, "lines": line_inputs(body.lines, day_checks(body, today))})


def changes_of(body: UpdateInvoiceRequest, today: date) -> Changes[InvoiceFields]:
    """What is to change of a draft. Raises validation errors of its lines."""
    changes = _changes_of(body)
    if "lines" not in changes:
        return changes
    return Changes({**changes.fields, "lines": line_inputs(body.lines, day_checks(body, today))})


def _checks(body: CreateInvoiceRequest | UpdateInvoiceRequest, facts: Facts) -> Iterator[Check]:
    yield from day_checks(body, facts.today)
    yield lambda: check_unique("prepaymentInvoiceIds", body.prepayment_invoice_ids or ())
    yield from line_checks(body.lines)


def day_checks(body: CreateInvoiceRequest | UpdateInvoiceRequest, today: date) -> Iterator[Check]:
    """What can be said of the days that a body names, one by one."""
    day = body.issue_date
    yield lambda: None if day is None else check_date(day, today)
    yield lambda: None if day is None else check_delivery_date(body.delivery_date, day)
    yield lambda: None if day is None or body.due_date is None else check_due_date(day, body.due_date)
