"""What can be summed up: measures, by dimensions, of what filters leave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


class Source(StrEnum):
    """Where measures come from."""

    #: Lines of posted entries; amounts are in the company's currency.
    BOOKS = "books"
    #: Booked invoices and credit notes; amounts are in their own currency, by which they are always grouped.
    DOCUMENTS = "documents"


class Measure(StrEnum):
    """What is summed up or counted."""

    DEBIT = "debit"
    CREDIT = "credit"
    NET = "net"
    LINES = "lines"
    ENTRIES = "entries"
    INVOICED_NET = "invoicedNet"
    INVOICED_VAT = "invoicedVat"
    INVOICED_GROSS = "invoicedGross"
    QUANTITY = "quantity"
    OPEN_AMOUNT = "openAmount"
    DOCUMENTS = "documents"


class Dimension(StrEnum):
    """What is grouped by. Months, quarters and years are the calendar's."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    ACCOUNT = "account"
    ACCOUNT_CLASS = "accountClass"
    CUSTOMER = "customer"
    VENDOR = "vendor"
    PRODUCT = "product"
    PRODUCT_GROUP = "productGroup"
    DIMENSION_VALUE = "dimensionValue"
    PROJECT = "project"
    CURRENCY = "currency"
    DOCUMENT_KIND = "documentKind"


MEASURES_OF: Final[Mapping[Source, Sequence[Measure]]] = {
    Source.BOOKS: (Measure.DEBIT, Measure.CREDIT, Measure.NET, Measure.LINES, Measure.ENTRIES),
    Source.DOCUMENTS: (
        Measure.INVOICED_NET,
        Measure.INVOICED_VAT,
        Measure.INVOICED_GROSS,
        Measure.QUANTITY,
        Measure.OPEN_AMOUNT,
        Measure.DOCUMENTS,
    ),
}
_TIMES: Final = (Dimension.MONTH, Dimension.QUARTER, Dimension.YEAR)
DIMENSIONS_OF: Final[Mapping[Source, Sequence[Dimension]]] = {
    Source.BOOKS: (
        *_TIMES,
        Dimension.ACCOUNT,
        Dimension.ACCOUNT_CLASS,
        Dimension.CUSTOMER,
        Dimension.VENDOR,
        Dimension.DIMENSION_VALUE,
        Dimension.PROJECT,
        Dimension.CURRENCY,
    ),
    Source.DOCUMENTS: (
        *_TIMES,
        Dimension.CUSTOMER,
        Dimension.PRODUCT,
        Dimension.PRODUCT_GROUP,
        Dimension.CURRENCY,
        Dimension.DOCUMENT_KIND,
    ),
}
#: The filters of each source, by the names of the arguments.
FILTERS_OF: Final[Mapping[Source, frozenset[str]]] = {
    Source.BOOKS: frozenset(
        {
            "fromDate", "toDate", "accountIds", "accountClasses", "customerIds", "vendorIds", "dimensionId",
            "dimensionValueIds", "projectIds", "currencies",
        }
    ),
    Source.DOCUMENTS: frozenset(
        {"fromDate", "toDate", "customerIds", "productIds", "productGroupIds", "currencies", "documentKinds"}
    ),
}  # fmt: skip
#: What is said of lines of documents, and not of documents as a whole.
OF_LINES: Final = frozenset({Dimension.PRODUCT, Dimension.PRODUCT_GROUP})
LINE_FILTERS: Final = frozenset({"productIds", "productGroupIds"})
#: Dimensions of one question at most.
MAX_DIMENSIONS: Final = 4


@dataclass(frozen=True, slots=True)
class Question:
    """Measures of one source by dimensions, of what the filters leave (values by the names of `FILTERS_OF`).

    `sort_by` None: by the dimensions, in their order.
    """

    source: Source
    measures: Sequence[Measure]
    dimensions: Sequence[Dimension] = ()
    filters: Mapping[str, Any] = field(default_factory=dict)
    sort_by: Measure | None = None
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Named:
    """An object that is grouped by; an account's number is a number, written out."""

    id: UUID
    number: str | None
    name: str


@dataclass(frozen=True, slots=True)
class Group:
    """One row of the answer: where it stands in each dimension (None: what has none), and its figures."""

    keys: Mapping[Dimension, str | Named | None]
    figures: Mapping[Measure, Decimal | int]


AGGREGATE_TOO_LARGE = ErrorCode(
    "AGGREGATE_TOO_LARGE", 400, "Summing this up takes too long: ask about a shorter period, or fewer objects"
)
