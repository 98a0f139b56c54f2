"""Metrics on the wire (extension)."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from pydantic import Field

from ledgerbee.billing.metrics.model import SIGNS, CustomerMrr, MonthMrr, Movement, Reason, Reconciliation
from ledgerbee.core.money import format_amount, minor_units, round_fraction
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.http.wire import DecimalText, IdText, MoneyText, PageResponse, ResponseModel, WholeNumber, pages

_MONTH = "The month, YYYY-MM"
_AS_OF = "The day that it is measured on: the month's last, today in the running month"
_CURRENCY = "The company's: other currencies are converted at the rate of the month's end"


class MovementsResponse(ResponseModel):
    """How MRR moved since the end of the month before, customer by customer; none is below zero."""

    new: MoneyText = Field(description="Of customers who had none at the end of any month before", examples=["49.00"])
    expansion: MoneyText = Field(description="What others have more", examples=["100.00"])
    contraction: MoneyText = Field(description="What others have less, and still some", examples=["0.00"])
    churn: MoneyText = Field(description="Of customers who have none any more", examples=["49.00"])
    reactivation: MoneyText = Field(
        description="Of customers who had none at the end of the month before, and some at the end of an earlier one",
        examples=["0.00"],
    )


class MovedCustomersResponse(ResponseModel):
    """How many customers moved."""

    new: WholeNumber = Field(description="Customers with MRR for the first time", examples=[1])
    expansion: WholeNumber = Field(description="Customers with more", examples=[1])
    contraction: WholeNumber = Field(description="Customers with less", examples=[0])
    churn: WholeNumber = Field(description="Customers with none any more", examples=[1])
    reactivation: WholeNumber = Field(description="Customers with some again", examples=[0])


class MonthMrrResponse(ResponseModel):
    """Recurring revenue at the end of a month."""

    month: str = Field(description=_MONTH, examples=["2026-03"])
    as_of: date = Field(description=_AS_OF)
    mrr: MoneyText = Field(
        description="Monthly recurring revenue: `openingMrr` + new + expansion + reactivation - contraction - churn",
        examples=["294.00"],
    )
    opening_mrr: MoneyText = Field(description="MRR at the end of the month before", examples=["245.00"])
    arr: MoneyText = Field(description="Annual recurring revenue: twelve times MRR", examples=["3528.00"])
    movements: MovementsResponse = Field(description="What lies between `openingMrr` and `mrr`")
    moved_customers: MovedCustomersResponse = Field(description="How many customers make up each movement")
    churn_rate: DecimalText | None = Field(
        description="Churn of `openingMrr`, 0.05 being 5 %; null without any", examples=["0.05"]
    )
    net_revenue_retention: DecimalText | None = Field(
        description="`openingMrr` + expansion - contraction - churn, of `openingMrr`; null without any",
        examples=["1.04"],
    )
    arpa: MoneyText | None = Field(
        description="MRR for each customer who has some; null without any", examples=["49.00"]
    )
    customers: WholeNumber = Field(description="Customers with MRR", examples=[6])
    trial_customers: WholeNumber = Field(description="Customers with a trial that day, and no MRR", examples=[8])


class MrrResponse(MonthMrrResponse):
    """Recurring revenue of a company at the end of a month."""

    currency: str = Field(description=_CURRENCY, examples=["DKK"])


class MrrSeriesResponse(ResponseModel):
    """Recurring revenue month by month."""

    currency: str = Field(description=_CURRENCY, examples=["DKK"])
    data: list[MonthMrrResponse] = Field(description="The months, the oldest first: each opens with the one before")


class CustomerMrrResponse(ResponseModel):
    """A customer's recurring revenue at the end of a month, and at the end of the month before."""

    customer_id: IdText
    customer_name: str = Field(description="The customer's name of now", examples=["Nordlys ApS"])
    mrr: MoneyText = Field(description="At the month's end", examples=["149.00"])
    opening_mrr: MoneyText = Field(description="At the end of the month before", examples=["49.00"])
    change: MoneyText = Field(description="`mrr` less `openingMrr`", examples=["100.00"])
    movement: Movement = Field(description="Which movement of the month it is; `none`: it is the same")


class ListCustomerMrrResponse(PageResponse[CustomerMrrResponse]):
    """A page of customers with their recurring revenue, the highest first."""

    month: str = Field(description=_MONTH, examples=["2026-03"])
    as_of: date = Field(description=_AS_OF)
    currency: str = Field(description=_CURRENCY, examples=["DKK"])


class ReasonsResponse(ResponseModel):
    """Why what was invoiced for a month's days is another amount than MRR; below zero: less was invoiced."""

    calendar: MoneyText = Field(
        description="Days of the calendar are not twelfths of a year: what holds at the month's end, for all days of "
        "the month, less MRR",
        examples=["3.40"],
    )
    changes: MoneyText = Field(
        description="What held on days of the month and not at its end, or the other way round: starts, ends, trials, "
        "pauses, other products",
        examples=["-77.50"],
    )
    not_invoiced: MoneyText = Field(
        description="Agreed and not on an invoice yet: in arrears, due, or waiting for the next one", examples=["0.00"]
    )
    given_away: MoneyText = Field(description="Partial periods under `none`", examples=["-64.52"])
    not_refunded: MoneyText = Field(
        description="Invoiced for days on which nothing is agreed any more: ended or paused without a credit",
        examples=["0.00"],
    )
    other_terms: MoneyText = Field(
        description="Invoiced as it was before a change that charges and credits nothing until the next period",
        examples=["0.00"],
    )
    discount: MoneyText = Field(
        description="The customer's group had another discount when it was billed than it has today", examples=["0.00"]
    )
    credited: MoneyText = Field(description="Credit notes beside those of the subscriptions' own", examples=["0.00"])
    exchange_rates: MoneyText = Field(
        description="Invoices were booked at other rates than that of the month's end", examples=["0.00"]
    )
    rounding: MoneyText = Field(description="Each line is rounded once", examples=["0.00"])


class RevenueReconciliationResponse(ResponseModel):
    """How what was invoiced for a month's days goes with its recurring revenue, without VAT."""

    month: str = Field(description=_MONTH, examples=["2026-03"])
    as_of: date = Field(description=_AS_OF)
    currency: str = Field(description=_CURRENCY, examples=["DKK"])
    mrr: MoneyText = Field(description="MRR at the month's end", examples=["294.00"])
    agreed: MoneyText = Field(
        description="What recurring prices cost for the month's days, by what is agreed: `mrr`, `calendar` and "
        "`changes`",
        examples=["219.90"],
    )
    invoiced: MoneyText = Field(
        description="The share of the month's days in lines of invoices for recurring prices, less credit notes, as "
        "they were booked: `agreed` and the other reasons",
        examples=["155.38"],
    )
    difference: MoneyText = Field(description="`invoiced` less `mrr`: the sum of `reasons`", examples=["-138.62"])
    reasons: ReasonsResponse = Field(description="What it is made of")


def render(of_month: MonthMrr, currency: str) -> MrrResponse:
    """A month on the wire; `currency` is the company's."""
    return MrrResponse(**dict(_of_month(of_month, currency)), currency=currency)


def render_series(months: Sequence[MonthMrr], currency: str) -> MrrSeriesResponse:
    """Months on the wire."""
    return MrrSeriesResponse(currency=currency, data=[_of_month(one, currency) for one in months])


def render_customers(
    found: Page[CustomerMrr], names: Mapping[UUID, str], asked: PageRequest, as_of: date, currency: str
) -> ListCustomerMrrResponse:
    """The page that was asked for; `names` are those of its customers."""
    return ListCustomerMrrResponse(
        data=[_customer(one, names[one.customer_id], currency) for one in found.rows],
        total=found.total,
        page=asked.page,
        limit=asked.limit,
        total_pages=pages(found.total, asked.limit),
        month=_month(as_of),
        as_of=as_of,
        currency=currency,
    )


def render_reconciliation(found: Reconciliation, currency: str) -> RevenueReconciliationResponse:
    """A month's reconciliation on the wire."""
    return RevenueReconciliationResponse(
        month=_month(found.month),
        as_of=found.as_of,
        currency=currency,
        mrr=format_amount(found.mrr, currency),
        agreed=format_amount(found.agreed, currency),
        invoiced=format_amount(found.invoiced, currency),
        difference=format_amount(found.invoiced - found.mrr, currency),
        reasons=ReasonsResponse(**{reason.value: format_amount(found.reasons[reason], currency) for reason in Reason}),
    )


def _of_month(of_month: MonthMrr, currency: str) -> MonthMrrResponse:
    moved = {movement.value: of_month.moved[movement] for movement in SIGNS}
    amounts = {movement.value: format_amount(of_month.movements[movement], currency) for movement in SIGNS}
    return MonthMrrResponse(
        month=_month(of_month.month),
        as_of=of_month.as_of,
        mrr=format_amount(of_month.mrr, currency),
        opening_mrr=format_amount(of_month.opening, currency),
        arr=format_amount(of_month.arr, currency),
        movements=MovementsResponse(**amounts),
        moved_customers=MovedCustomersResponse(**moved),
        churn_rate=of_month.churn_rate,
        net_revenue_retention=of_month.net_revenue_retention,
        arpa=_or_none(of_month.arpa, currency),
        customers=of_month.customers,
        trial_customers=of_month.trial_customers,
    )


def _customer(one: CustomerMrr, name: str, currency: str) -> CustomerMrrResponse:
    places = minor_units(currency)
    now, before = round_fraction(one.now, places), round_fraction(one.before, places)
    return CustomerMrrResponse(
        customer_id=one.customer_id,
        customer_name=name,
        mrr=format_amount(now, currency),
        opening_mrr=format_amount(before, currency),
        change=format_amount(now - before, currency),
        movement=one.movement,
    )


def _or_none(amount: Decimal | None, currency: str) -> str | None:
    return None if amount is None else format_amount(amount, currency)


def _month(day: date) -> str:
    return f"{day:%Y-%m}"
