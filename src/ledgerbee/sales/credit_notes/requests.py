"""What requests for credit notes bring (contract 2.19, 3.3)."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Final

from pydantic import Field, WithJsonSchema

from ledgerbee.core.errors import check_all, refuse
from ledgerbee.core.fields import names_of
from ledgerbee.core.money import ONE
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableLine
from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.wire import (
    EXAMPLE_ID,
    CurrencyCode,
    Day,
    Id,
    Percent,
    Quantity,
    RequestModel,
    UnitPrice,
    omitted,
)
from ledgerbee.sales.credit_notes.model import CreditedLine, CreditNoteFields, CreditNoteStatus, InvoiceCreditFields
from ledgerbee.sales.delivery.model import DeliveryStatus
from ledgerbee.sales.documents.model import MAX_LINES, DocumentLineType, LineInput
from ledgerbee.sales.documents.rules import NO_PRODUCT_LINE, check_date, line_problems
from ledgerbee.sales.documents.wire import NullableText
from ledgerbee.sales.sending.wire import SendRequest

#: What only product lines have: wire name by field.
_PRODUCT_FIELDS: Final = {
    "price_id": "priceId",
    "invoice_line_id": "invoiceLineId",
    "quantity": "quantity",
    "unit_price": "unitPrice",
    "discount_percent": "discountPercent",
}


class CreditNoteLineRequest(RequestModel):
    """A line, positive as on an invoice. Amounts and VAT follow from the invoice's line, else as on an invoice."""

    line_type: DocumentLineType = Field(
        DocumentLineType.PRODUCT, description="`text` and `separator` lines have no price, quantity or amounts"
    )
    price_id: Id | None = omitted(
        description="The price that was sold; required on a product line without `invoiceLineId`. On an invoice: the "
        "first line of that price with something left is credited"
    )
    invoice_line_id: Id | None = omitted(description="The invoice's line to credit (extension)")
    quantity: Quantity | None = omitted(
        description="On an invoice all that is left of the line unless given, else 1", examples=[1]
    )
    unit_price: UnitPrice | None = omitted(
        description="Credits so much for each instead of the invoice's price; without an invoice it replaces the "
        "price's own amount. Excluding VAT",
        examples=["99.50"],
    )
    description: NullableText = omitted(
        description="The invoice line's text, else the product's name, unless given; required on a text line",
        examples=["Consulting in May"],
    )
    discount_percent: Percent | None = omitted(
        description="The invoice line's discount, else that of the customer's group, unless given", examples=[10]
    )


class CreateCreditNoteRequest(RequestModel):
    """What a credit note needs, and what it may bring. With `invoiceNumber` all that is left out is the invoice's."""

    customer_id: Id = Field(description="The customer; with `invoiceNumber` the invoice's")
    invoice_number: NullableLine = omitted(
        description="Number of the invoice to credit; without it the credit is of no invoice", examples=["1042"]
    )
    issue_date: Day | None = omitted(
        alias="date",
        description="Day of issue, at most a year ahead and not before the invoice's; today unless given: the credit "
        "note is booked on it",
    )
    lines: Annotated[list[CreditNoteLineRequest], Field(min_length=1, max_length=MAX_LINES)] | None = omitted(
        description="At least one product line. With `invoiceNumber`: all that is left of the invoice unless given"
    )
    customer_department_id: Id | None = omitted(description="A department of the customer")
    customer_contact_id: Id | None = omitted(description="A contact of the customer: `Deres ref.`")
    currency: CurrencyCode | None = omitted(description="The invoice's, else the company's, unless given")
    reference: NullableLine = omitted(description="The customer's purchase order number: `PO-nr.`")
    our_reference: NullableLine = omitted(description="`Vores ref.`")
    description: NullableText = omitted(description="A headline; the text of the journal entry starts with it")
    notes: NullableText = omitted(description="Printed below the lines")
    document_template_id: Id | None = omitted(
        description="One in the invoice's language, else the customer's or the company's default, unless given"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its day, and each of its lines."""
        return _checks(self, facts.today)


class SendCreditNoteRequest(SendRequest):
    """How to send it."""


class CreditNoteSortBy(StrEnum):
    """Field to sort by."""

    DATE = "date"
    NUMBER = "number"
    AMOUNT = "amount"
    CREATED_AT = "createdAt"


class CreditNoteQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("7")] = Field(None, description="Prefix search on number or description")
    status: Annotated[
        CreditNoteStatus | None,
        WithJsonSchema({"type": "string", "enum": [status.value for status in CreditNoteStatus]}),
    ] = Field(None, description="Only credit notes of this status")
    customer_id: Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})] = Field(
        None, description="Only credit notes of this customer"
    )
    invoice_id: Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})] = Field(
        None, description="Only credit notes on this invoice (extension)"
    )
    delivery_status: Annotated[
        DeliveryStatus | None, WithJsonSchema({"type": "string", "enum": [status.value for status in DeliveryStatus]})
    ] = Field(
        None,
        description="Only sent credit notes whose newest delivery stands there (extension); `failed`: send them again",
    )
    sort_by: CreditNoteSortBy = Field(CreditNoteSortBy.CREATED_AT, description="Field to sort by")


def fields_of_body(body: CreateCreditNoteRequest, today: date) -> CreditNoteFields | InvoiceCreditFields:
    """What the author of a new credit note gives: of no invoice, or on one. Raises validation errors."""
    check_all(*_checks(body, today))
    given: dict[str, Any] = {name: getattr(body, name) for name in body.model_fields_set}
    given["issue_date"] = body.issue_date or today
    lines = body.lines
    if body.invoice_number is not None:
        asked = None if lines is None else tuple(CreditedLine(**_given(line, CreditedLine)) for line in lines)
        return InvoiceCreditFields(**{**given, "lines": asked})
    del given["lines"]
    given.pop("invoice_number", None)
    return CreditNoteFields(**given, lines=tuple(_line_input(line) for line in lines or ()))


def _line_input(line: CreditNoteLineRequest) -> LineInput:
    return LineInput(**{**_given(line, LineInput), "quantity": ONE if line.quantity is None else line.quantity})


def _given(line: CreditNoteLineRequest, kind: type) -> dict[str, Any]:
    """What a line of the wire says of the fields of its kind; the others aren't told on the wire."""
    return {name: getattr(line, name) for name in names_of(kind) if name in type(line).model_fields}


def _checks(body: CreateCreditNoteRequest, today: date) -> Iterator[Check]:
    """What can be said of a body, one by one, also of one that is wrong in places."""
    yield lambda: None if body.issue_date is None else check_date(body.issue_date, today)
    yield lambda: _check_lines(body)
    lines: Sequence[CreditNoteLineRequest] = body.lines or ()
    is_on_invoice = body.invoice_number is not None
    for index, line in enumerate(lines):
        path = f"lines.{index}"
        yield lambda line=line, path=path: refuse(list(_surplus(line, path)))  # type: ignore[misc]
        yield lambda line=line, path=path: refuse(list(_problems(line, path, is_on_invoice)))  # type: ignore[misc]


def _check_lines(body: CreateCreditNoteRequest) -> None:
    if body.lines is None:
        if body.customer_id and body.invoice_number is None:  # a body that can be read so far
            refuse([("lines", "isDefined", "lines should not be null or undefined without invoiceNumber")])
    elif not any(line.line_type is DocumentLineType.PRODUCT for line in body.lines):
        refuse([NO_PRODUCT_LINE])


def _surplus(line: CreditNoteLineRequest, path: str) -> Iterator[tuple[str, str, str]]:
    """What a line has that only product lines have."""
    if line.line_type is not DocumentLineType.PRODUCT:
        for field, wire_name in _PRODUCT_FIELDS.items():
            if field in line.model_fields_set:
                name = f"{path}.{wire_name}"
                yield name, "whitelistValidation", f"{name} should not exist on a {line.line_type.value} line"


def _problems(line: CreditNoteLineRequest, path: str, is_on_invoice: bool) -> Iterator[tuple[str, str, str]]:
    """A product line that names nothing, a text without words, an invoice's line without an invoice."""
    names_line = line.line_type is DocumentLineType.PRODUCT and line.invoice_line_id is not None
    if is_on_invoice and names_line:
        return
    yield from line_problems(line, path)
    if names_line:
        name = f"{path}.invoiceLineId"
        yield name, "whitelistValidation", f"{name} should not exist without invoiceNumber"
