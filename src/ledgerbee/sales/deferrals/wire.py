"""Deferred revenue on the wire (extension)."""

from collections.abc import Iterable, Sequence
from datetime import date as day
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic.alias_generators import to_camel

from ledgerbee.core.dates import last_of_month
from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import EXACT, format_amount
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import Month
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.wire import (
    EXAMPLE_ID,
    Id,
    IdText,
    MoneyText,
    PageResponse,
    RequestModel,
    ResponseModel,
    WholeNumber,
    omitted,
    pages,
)
from ledgerbee.ledger.periods.wire import BookDay
from ledgerbee.sales.deferrals import rules
from ledgerbee.sales.deferrals.model import (
    DeferralFilter,
    DeferralStanding,
    DeferralTotals,
    OutstandingMonth,
    RecognizedMonth,
)


class RecognizeRevenueRequest(RequestModel):
    """Which month is recognised."""

    month: Month = Field(description="A month that has ended; months before it that are outstanding come first")
    date: BookDay | None = omitted(
        description="The day of the entries, for months whose last day is locked: from the end of `month` to today. "
        "The last day of each month unless given"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """That the month has ended, and the day comes after it."""
        yield lambda: rules.check_month(self.month, self.date, facts.today)


class RecognizedMonthResponse(ResponseModel):
    """What was recognised for a month."""

    month: str = Field(examples=["2026-03"])
    deferrals: WholeNumber = Field(description="Of how many deferrals", examples=[12])
    amount: MoneyText = Field(description="In the company's currency", examples=["4200.00"])
    journal_entry_ids: list[IdText] = Field(description="The entries that booked it")


class RecognizeRevenueResponse(ResponseModel):
    """What was recognised now; nothing of what was before."""

    currency: str = Field(description="The company's", examples=["DKK"])
    recognized: list[RecognizedMonthResponse] = Field(description="By month, the oldest first")


class DeferredRevenueQuery(BaseModel):
    """The query parameters of the report."""

    model_config = ConfigDict(alias_generator=to_camel, frozen=True)

    page: PageNumber = 1
    limit: Limit = 25
    as_of: Annotated[BookDay | None, WithJsonSchema({"type": "string", "format": "date"})] = Field(
        None, description="The day at whose end it stands; today unless given"
    )
    invoice_id: Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})] = Field(
        None, description="Only deferrals of this invoice"
    )
    customer_id: Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})] = Field(
        None, description="Only deferrals of this customer's invoices"
    )
    include_finished: bool = Field(False, description="Also deferrals of which nothing is left")

    def chosen(self, today: day) -> DeferralFilter:
        """Which deferrals are asked for, and on which day."""
        return DeferralFilter(self.as_of or today, self.invoice_id, self.customer_id, self.include_finished)

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit)


class DeferralResponse(ResponseModel):
    """What of an invoice's line was deferred, and where it stands. In the company's currency, as booked, but for what
    names the invoice's."""

    invoice_id: IdText
    invoice_number: str = Field(description="Number of the invoice", examples=["1042"])
    invoice_line_id: IdText = Field(description="The invoice's line")
    customer_id: IdText
    service_period_start: day = Field(description="The first day that the line is for")
    service_period_end: day = Field(description="The last day that the line is for")
    deferred: MoneyText = Field(
        description="What was deferred when the invoice was sent; of a line below zero it is negative",
        examples=["1200.00"],
    )
    recognized: MoneyText = Field(description="Earned by months that were booked", examples=["400.00"])
    credited: MoneyText = Field(description="Taken off by credit notes before it was earned", examples=["0.00"])
    left: MoneyText = Field(description="`deferred` less `recognized` and `credited`", examples=["800.00"])
    invoice_currency: str = Field(description="Currency of the invoice (ISO 4217)", examples=["DKK"])
    deferred_in_invoice_currency: MoneyText = Field(
        description="What was deferred, in the invoice's currency", examples=["1200.00"]
    )
    left_in_invoice_currency: MoneyText = Field(
        description="What is left, in the invoice's currency", examples=["800.00"]
    )


class DeferredRevenueTotals(ResponseModel):
    """The sums of all deferrals that the report has, on all pages, in the company's currency."""

    deferred: MoneyText = Field(description="What was deferred", examples=["1200.00"])
    recognized: MoneyText = Field(description="What was earned", examples=["400.00"])
    credited: MoneyText = Field(description="What credit notes took off", examples=["0.00"])
    left: MoneyText = Field(description="What is left", examples=["800.00"])
    account_balance: MoneyText = Field(
        description="What the account of deferred revenue stands at, credit positive: of the whole company",
        examples=["800.00"],
    )
    other_entries: MoneyText | None = Field(
        description="What of it isn't `left`: booked on the account by hand. Null for a part of the company's invoices",
        examples=["0.00"],
    )


class OutstandingMonthResponse(ResponseModel):
    """A month that has ended and isn't recognised."""

    month: str = Field(examples=["2026-03"])
    deferrals: WholeNumber = Field(description="Of how many deferrals", examples=[12])
    is_locked: bool = Field(
        description="Its last day is locked: nothing is booked until it is open, or recognised with a `date`"
    )


class DeferredRevenueResponse(PageResponse[DeferralResponse]):
    """Deferred revenue at the end of a day."""

    as_of: day = Field(description="The day at whose end it stands")
    currency: str = Field(description="The company's", examples=["DKK"])
    totals: DeferredRevenueTotals = Field(description="Their sums")
    outstanding: list[OutstandingMonthResponse] = Field(description="As of now, the oldest first")


def _month(month: day) -> str:
    return f"{month:%Y-%m}"


def render_recognized(months: Sequence[RecognizedMonth], currency: str) -> RecognizeRevenueResponse:
    """What was recognised."""
    return RecognizeRevenueResponse(
        currency=currency,
        recognized=[
            RecognizedMonthResponse(
                month=_month(one.month),
                deferrals=one.deferrals,
                amount=format_amount(one.amount, currency),
                journal_entry_ids=list(one.journal_entry_ids),
            )
            for one in months
        ],
    )


def render_report(
    chosen: DeferralFilter,
    asked: PageRequest,
    found: Sequence[DeferralStanding],
    totals: DeferralTotals,
    outstanding: Sequence[OutstandingMonth],
    locked_through: day | None,
    currency: str,
) -> DeferredRevenueResponse:
    """The report; `currency` is the company's."""
    is_part = chosen.invoice_id is not None or chosen.customer_id is not None
    other = EXACT.subtract(totals.account_balance, totals.left)
    return DeferredRevenueResponse(
        data=[_deferral(one, currency) for one in found],
        total=totals.deferrals,
        page=asked.page,
        limit=asked.limit,
        total_pages=pages(totals.deferrals, asked.limit),
        as_of=chosen.as_of,
        currency=currency,
        totals=DeferredRevenueTotals(
            deferred=format_amount(totals.deferred, currency),
            recognized=format_amount(totals.recognized, currency),
            credited=format_amount(totals.credited, currency),
            left=format_amount(totals.left, currency),
            account_balance=format_amount(totals.account_balance, currency),
            other_entries=None if is_part else format_amount(other, currency),
        ),
        outstanding=[
            OutstandingMonthResponse(
                month=_month(one.month),
                deferrals=one.deferrals,
                is_locked=locked_through is not None and last_of_month(one.month) <= locked_through,
            )
            for one in outstanding
        ],
    )


def _deferral(one: DeferralStanding, currency: str) -> DeferralResponse:
    amounts = {
        name: format_amount(getattr(one, name), currency) for name in ("deferred", "recognized", "credited", "left")
    }
    return DeferralResponse(
        **{**fields_of(one), **amounts},
        service_period_start=one.period_start,
        service_period_end=one.period_end,
        invoice_currency=one.currency,
        deferred_in_invoice_currency=format_amount(one.amount, one.currency),
        left_in_invoice_currency=format_amount(one.amount_left, one.currency),
    )
