"""Wire types that the four kinds of billing document share (contract 3.3, decisions "Documents")."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Final, TypeVar

from pydantic import BeforeValidator, Field

from ledgerbee.core.errors import LedgerBeeError, check_all, refuse, with_more
from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import ONE, format_amount
from ledgerbee.http.checks import Check
from ledgerbee.http.wire import (
    DecimalText,
    Id,
    IdText,
    MoneyText,
    Number,
    Percent,
    Quantity,
    RequestModel,
    ResponseModel,
    Text,
    UnitPrice,
    omitted,
)
from ledgerbee.sales.documents.model import (
    MAX_LINES,
    Document,
    DocumentKind,
    DocumentLineType,
    DocumentRef,
    DocumentWarning,
    Line,
    LineInput,
    ServicePeriod,
    period_of,
)
from ledgerbee.sales.documents.rules import NO_PRODUCT_LINE, check_lines, line_problems

#: What only product lines have: wire name by field.
_PRODUCT_FIELDS: Final = {
    "price_id": "priceId",
    "quantity": "quantity",
    "unit_price": "unitPrice",
    "discount_percent": "discountPercent",
    "service_period_start": "servicePeriodStart",
    "service_period_end": "servicePeriodEnd",
}


def _blank_to_none(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


#: Free text or null; blank text is null.
NullableText = Annotated[Text | None, BeforeValidator(_blank_to_none)]


class LineRequest(RequestModel):
    """A line. Amounts and VAT follow from the price, the product group and the customer's VAT zone."""

    line_type: DocumentLineType = Field(
        DocumentLineType.PRODUCT, description="`text` and `separator` lines have no price, quantity or amounts"
    )
    price_id: Id | None = omitted(description="The price that is sold; required on a product line")
    quantity: Quantity = Field(ONE, examples=[3])
    unit_price: UnitPrice | None = omitted(
        description="Replaces the price's own amount, excluding VAT, in the document's currency", examples=["99.50"]
    )
    description: NullableText = omitted(
        description="The product's name unless given; required on a text line", examples=["Consulting in May"]
    )
    discount_percent: Percent | None = omitted(
        description="The discount of the customer's group unless given", examples=[10]
    )

    @property
    def service_period(self) -> ServicePeriod | None:
        """The days that it is for, in a kind of document whose lines say so."""
        return None

    def period_problems(self, path: str) -> Iterator[tuple[str, str, str]]:  # noqa: ARG002
        """What is wrong with those days; `path` is the line's place."""
        yield from ()


#: The lines of a document.
Lines = Annotated[
    list[LineRequest],
    Field(min_length=1, max_length=MAX_LINES, description="At least one product line"),
]


def line_inputs(lines: Sequence[LineRequest], others: Iterable[Check]) -> tuple[LineInput, ...]:
    """The lines as their author gives them; `others` are checks of the body that are told beside what is wrong.

    Raises a validation error for amounts on lines that have none, and what `check_lines` raises.
    """
    problems = [
        problem
        for index, line in enumerate(lines)
        for problem in (*_surplus(line, f"lines.{index}"), *line.period_problems(f"lines.{index}"))
    ]
    given = tuple(_line_input(line) for line in lines)
    try:
        check_all(lambda: refuse(problems), lambda: check_lines(given))
    except LedgerBeeError as fault:
        raise with_more(fault, others) from None
    return given


def _surplus(line: LineRequest, path: str) -> Iterator[tuple[str, str, str]]:
    """What a line has that only product lines have."""
    if line.line_type is not DocumentLineType.PRODUCT:
        for field, wire_name in _PRODUCT_FIELDS.items():
            if field in line.model_fields_set:
                name = f"{path}.{wire_name}"
                yield name, "whitelistValidation", f"{name} should not exist on a {line.line_type.value} line"


def line_checks(lines: Sequence[LineRequest]) -> Iterator[Check]:
    """What `line_inputs` refuses, one by one, of lines that may be wrong in places."""
    yield lambda: _check_any_product(lines)
    for index, line in enumerate(lines):
        path = f"lines.{index}"
        yield lambda line=line, path=path: refuse(list(_surplus(line, path)))  # type: ignore[misc]
        yield lambda line=line, path=path: refuse(list(line.period_problems(path)))  # type: ignore[misc]
        yield lambda line=line, path=path: refuse(list(line_problems(line, path)))  # type: ignore[misc]


def _check_any_product(lines: Sequence[LineRequest]) -> None:
    if not any(line.line_type is DocumentLineType.PRODUCT for line in lines):
        refuse([NO_PRODUCT_LINE])


def _line_input(line: LineRequest) -> LineInput:
    quantity: Decimal = line.quantity
    return LineInput(
        line_type=line.line_type,
        price_id=line.price_id,
        quantity=quantity,
        unit_price=line.unit_price,
        description=line.description,
        discount_percent=line.discount_percent,
        service_period=line.service_period,
    )


class DocumentWarningResponse(ResponseModel):
    """Something to look at."""

    code: str = Field(examples=["INVOICE_BUYER_INCOMPLETE"])
    message: str
    details: dict[str, Any] = Field(examples=[{"missing": ["address", "postalCode", "city"]}])


class ConvertedFromType(StrEnum):
    """The kinds of document that others are made of."""

    QUOTE = "quote"
    ORDER_CONFIRMATION = "orderConfirmation"


class ConvertedFromResponse(ResponseModel):
    """The document that it was made of."""

    type: ConvertedFromType = Field(description="What it was made of")
    id: IdText = Field(description="The unique identifier of what it was made of")


class LineResponse(ResponseModel):
    """A line of a document. Text and separator lines have no price, quantity or amounts."""

    id: IdText
    line_type: DocumentLineType
    price_id: IdText | None
    product_id: IdText | None
    description: str | None = Field(examples=["Consulting"])
    quantity: Number | None = Field(examples=[3])
    unit: str | None = Field(examples=["hours"])
    unit_price: DecimalText | None = Field(
        description="Price of one unit before discount, excluding VAT, in the document's currency", examples=["99.5"]
    )
    discount_percent: Number | None = Field(examples=[10])
    total_price: MoneyText | None = Field(
        description="Quantity x unit price less discount, excluding VAT", examples=["268.65"]
    )
    vat_rate: Number | None = Field(description="Percent", examples=[25])
    vat_amount: MoneyText | None = Field(
        description="The line's share of its rate's VAT; the lines sum to the document's `vat`", examples=["67.16"]
    )


class PeriodLineResponse(LineResponse):
    """A line of a document whose lines say which days they are for."""

    service_period_start: date | None = Field(description="The first day that the line is for (extension)")
    service_period_end: date | None = Field(description="The last day that the line is for (extension)")


L = TypeVar("L", bound=LineResponse)
P = TypeVar("P", bound=PeriodLineResponse)


def render_line(model: type[L], line: Line, currency: str, **own: Any) -> L:
    """A line on the wire, in the model of its kind of document; `own` is what only that kind has."""
    return model(
        **own,
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


def render_period_line(model: type[P], line: Line, currency: str, **own: Any) -> P:
    """A line on the wire with the days that it is for."""
    start, end = period_of(line) or (None, None)
    return render_line(model, line, currency, service_period_start=start, service_period_end=end, **own)


def wire_fields(document: Document) -> dict[str, Any]:
    """The fields of a document by their names on the wire; what its response model doesn't have is left out there."""
    currency = document.currency
    return {
        **fields_of(document),
        "date": document.issue_date,
        "subtotal": format_amount(document.subtotal, currency),
        "vat": format_amount(document.vat, currency),
        "amount": format_amount(document.amount, currency),
    }


_CONVERTED_FROM: Final = {
    DocumentKind.QUOTE: ConvertedFromType.QUOTE,
    DocumentKind.ORDER_CONFIRMATION: ConvertedFromType.ORDER_CONFIRMATION,
}


def render_origin(origin: DocumentRef | None) -> ConvertedFromResponse | None:
    """What a document was made of, on the wire."""
    return None if origin is None else ConvertedFromResponse(type=_CONVERTED_FROM[origin.kind], id=origin.id)


def render_warnings(warnings: Iterable[DocumentWarning]) -> list[DocumentWarningResponse]:
    """What to look at, on the wire."""
    return [DocumentWarningResponse(**warning._asdict()) for warning in warnings]
