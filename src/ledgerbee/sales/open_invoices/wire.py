"""Open invoices on the wire (extension)."""

from collections.abc import Iterable, Sequence
from datetime import date as day
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import ZERO, format_amount, total
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.wire import EXAMPLE_ID, Id, IdText, MoneyText, PageResponse, ResponseModel, WholeNumber, pages
from ledgerbee.ledger.periods.wire import BookDay
from ledgerbee.sales.open_invoices.model import AgeBand, BandSum, OpenFilter, OpenInvoice, OpenInvoices
from ledgerbee.sales.open_invoices.rules import band_of, days_overdue


class OpenInvoicesQuery(BaseModel):
    """The query parameters of the list."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    page: PageNumber = 1
    limit: Limit = 25
    as_of: Annotated[BookDay | None, WithJsonSchema({"type": "string", "format": "date"})] = Field(
        None, description="The day at whose end they stand; today unless given"
    )
    customer_id: Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})] = Field(
        None, description="Only this customer's invoices"
    )
    min_days_overdue: Annotated[
        int | None,
        Field(ge=1, le=36_500),
        WithJsonSchema({"type": "number", "multipleOf": 1, "minimum": 1, "maximum": 36_500}),
    ] = Field(None, description="Only what is overdue by so many days, or more; left out: also what isn't due yet")

    def chosen(self, today: day) -> OpenFilter:
        """Which invoices are asked for, and on which day."""
        return OpenFilter(self.as_of or today, self.customer_id, self.min_days_overdue)

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit)


class OpenInvoiceResponse(ResponseModel):
    """An invoice of which something was open."""

    id: IdText = Field(description="The invoice")
    number: str = Field(examples=["1042"])
    customer_id: IdText
    customer_number: str = Field(description="Number of the customer", examples=["1001"])
    customer_name: str = Field(description="Name of the customer, as it is now", examples=["Havblik A/S"])
    date: day = Field(description="Day of issue")
    due_date: day
    days_overdue: WholeNumber = Field(
        description="Days since `dueDate`: 1 on the day after it, 0 until then", examples=[17]
    )
    band: AgeBand = Field(description="Of `daysOverdue`")
    currency: str = Field(examples=["DKK"])
    amount: MoneyText = Field(description="Including VAT", examples=["1250.00"])
    open_amount: MoneyText = Field(
        description="What was still to be paid at the end of the day: `amount` less payments, credit notes, credit and "
        "write-offs up to it",
        examples=["1250.00"],
    )


class AgeBandsResponse(ResponseModel):
    """What is open, by how long it is overdue, in days."""

    not_due: MoneyText = Field(description="Not overdue", examples=["500.00"])
    days_1_to_30: MoneyText = Field(alias="days1To30", description="Overdue by 1 to 30 days", examples=["1250.00"])
    days_31_to_60: MoneyText = Field(alias="days31To60", description="By 31 to 60 days", examples=["0.00"])
    days_61_to_90: MoneyText = Field(alias="days61To90", description="By 61 to 90 days", examples=["0.00"])
    days_91_and_more: MoneyText = Field(alias="days91AndMore", description="By 91 days or more", examples=["0.00"])


class OpenSumResponse(ResponseModel):
    """What is open in one currency."""

    currency: str = Field(examples=["DKK"])
    invoices: WholeNumber = Field(description="How many invoices", examples=[1])
    open_amount: MoneyText = Field(description="What is still to be paid, due or not", examples=["1750.00"])
    overdue_amount: MoneyText = Field(description="What of it is overdue", examples=["1250.00"])
    bands: AgeBandsResponse = Field(description="The same by how long it is overdue, in days")


class OpenOfCustomerResponse(OpenSumResponse):
    """What is open of a customer's invoices, in one currency."""

    customer_id: IdText


class ListOpenInvoicesResponse(PageResponse[OpenInvoiceResponse]):
    """A page of open invoices."""

    as_of: day = Field(description="The day at whose end they stand")
    totals: list[OpenSumResponse] = Field(description="Of all pages, by currency")
    customers: list[OpenOfCustomerResponse] = Field(
        description="Of the customers on this page, with all of theirs that the list has, on other pages too"
    )


def render(found: OpenInvoices, chosen: OpenFilter, asked: PageRequest) -> ListOpenInvoicesResponse:
    """The page that was asked for."""
    return ListOpenInvoicesResponse(
        data=[_invoice(one, chosen.as_of) for one in found.invoices],
        total=found.total,
        page=asked.page,
        limit=asked.limit,
        total_pages=pages(found.total, asked.limit),
        as_of=chosen.as_of,
        totals=[_sum(currency, of) for (_, currency), of in _grouped(found.sums)],
        customers=[
            OpenOfCustomerResponse(customer_id=customer, **dict(_sum(currency, of)))
            for (customer, currency), of in _grouped(found.customer_sums)
        ],
    )


def _invoice(one: OpenInvoice, as_of: day) -> OpenInvoiceResponse:
    days = days_overdue(one.due_date, as_of)
    shown = {
        "date": one.issue_date,
        "days_overdue": days,
        "band": band_of(days),
        "amount": format_amount(one.amount, one.currency),
        "open_amount": format_amount(one.open_amount, one.currency),
    }
    return OpenInvoiceResponse.model_validate({**fields_of(one), **shown})


def _grouped(sums: Iterable[BandSum]) -> Iterable[tuple[tuple[UUID | None, str], Sequence[BandSum]]]:
    """The sums by customer and currency, in their order."""
    groups: dict[tuple[UUID | None, str], list[BandSum]] = {}
    for one in sums:
        groups.setdefault((one.customer_id, one.currency), []).append(one)
    return groups.items()


def _sum(currency: str, of: Sequence[BandSum]) -> OpenSumResponse:
    by_band = {one.band: one.open_amount for one in of}
    return OpenSumResponse(
        currency=currency,
        invoices=sum(one.invoices for one in of),
        open_amount=format_amount(total([one.open_amount for one in of]), currency),
        overdue_amount=format_amount(
            total([one.open_amount for one in of if one.band is not AgeBand.NOT_DUE]), currency
        ),
        bands=AgeBandsResponse.model_validate(
            {band.value: format_amount(by_band.get(band, ZERO), currency) for band in AgeBand}
        ),
    )
