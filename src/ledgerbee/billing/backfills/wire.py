"""Backfills on the wire (ours)."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Annotated

from pydantic import BaseModel, Field, WithJsonSchema

from ledgerbee.billing.backfills import rules
from ledgerbee.billing.backfills.model import (
    Backfill,
    BackfilledEvents,
    BackfillStatus,
    BilledUsage,
    NewBackfill,
    PreviewedCustomer,
    PreviewedPeriod,
)
from ledgerbee.billing.usage.rules import check_meter_named
from ledgerbee.core.errors import check_all, refuse
from ledgerbee.core.money import format_amount
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.list_query import Limit, ListQuery, PageNumber
from ledgerbee.http.wire import (
    Day,
    Id,
    IdText,
    Line,
    Moment,
    MoneyText,
    Number,
    PageResponse,
    RequestModel,
    ResponseModel,
    WholeNumber,
)


class CreateUsageBackfillRequest(RequestModel):
    """Whose usage of which days is told anew."""

    meter_id: Id | None = Field(None, description="The meter; it or `meterName` is needed")
    meter_name: Line | None = Field(None, description="The meter's name, as it is written", examples=["API calls"])
    customer_id: Id | None = Field(None, description="Only usage of this customer; of all unless given")
    since: Day = Field(alias="from", description="First day, in the company's time zone")
    until: Day = Field(alias="to", description="Last day: today at the latest, less than 366 days after the first")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """A meter, and days that there were."""
        yield lambda: check_meter_named(self.meter_id, self.meter_name)
        yield lambda: refuse(list(rules.problems_of_days(self.since, self.until, facts.today)))

    def backfill(self, today: date) -> NewBackfill:
        """What the body asks for. Raises validation errors: no meter, days that can't be."""
        check_all(
            lambda: check_meter_named(self.meter_id, self.meter_name),
            lambda: refuse(list(rules.problems_of_days(self.since, self.until, today))),
        )
        return NewBackfill(
            meter_id=self.meter_id,
            meter_name=self.meter_name,
            customer_id=self.customer_id,
            starts_on=self.since,
            ends_on=self.until,
        )


class UsageBackfillResponse(ResponseModel):
    """A backfill."""

    id: IdText
    meter_id: IdText = Field(description="The meter")
    customer_id: IdText | None = Field(description="Only usage of this customer; null: of all")
    since: date = Field(alias="from", description="First day, in the company's time zone", examples=["2026-01-01"])
    until: date = Field(alias="to", description="Last day", examples=["2026-01-31"])
    status: BackfillStatus = Field(
        description="`open`: takes events, which count for nothing yet; `closed`: they count; `reverted` and "
        "`cancelled` are ends: they don't"
    )
    events: WholeNumber = Field(description="Events of its own", examples=[120])
    superseded: WholeNumber = Field(
        description="Events that it was put in the place of when it was closed", examples=[118]
    )
    created_at: Moment = Field(description="When it was opened: it is put in the place of what had come in by then")
    closed_at: Moment | None = Field(description="When it was closed")
    reverted_at: Moment | None = Field(description="When it was reverted")
    cancelled_at: Moment | None = Field(description="When it was cancelled")


class ListUsageBackfillsResponse(PageResponse[UsageBackfillResponse]):
    """A page of backfills."""


class UsageBackfillQuery(BaseModel):
    """The query parameters of the list, which has one order: the newest first."""

    model_config = ListQuery.model_config

    page: PageNumber = 1
    limit: Limit = 25
    meter_id: Annotated[Id | None, WithJsonSchema({"type": "string", "format": "uuid"})] = Field(
        None, description="Only backfills of this meter"
    )
    status: Annotated[
        BackfillStatus | None, WithJsonSchema({"type": "string", "enum": [one.value for one in BackfillStatus]})
    ] = Field(None, description="Only backfills of this status")

    @property
    def wanted(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit)


class AddBackfillEventsResponse(ResponseModel):
    """What came of events that were reported into a backfill."""

    accepted: WholeNumber = Field(description="How many are new", examples=[997])
    kept: WholeNumber = Field(
        description="How many had come in before, under the same key: they are the backfill's own, and stay",
        examples=[2],
    )
    duplicates: WholeNumber = Field(
        description="How many the backfill had, are there twice, or were moved to other days since", examples=[1]
    )


class BilledUsageResponse(ResponseModel):
    """What a period is billed."""

    events: WholeNumber = Field(description="Events that it is billed by", examples=[118])
    quantity: Number = Field(description="Their quantity", examples=[118])
    amount: MoneyText = Field(description="Excluding VAT", examples=["118.00"])


class PreviewedPeriodResponse(ResponseModel):
    """A billed period of which the next bill would have a difference."""

    subscription_id: IdText = Field(description="The subscription")
    price_id: IdText = Field(description="The price")
    since: date = Field(alias="from", description="First day of the period", examples=["2026-01-01"])
    until: date = Field(alias="to", description="Last day of the period", examples=["2026-01-31"])
    currency: str = Field(examples=["DKK"])
    before: BilledUsageResponse = Field(description="As it is billed")
    after: BilledUsageResponse = Field(description="As it would have been billed, with what came late before, too")
    difference: MoneyText = Field(
        description="What the next bill would charge, excluding VAT; below zero: credit", examples=["2.00"]
    )


class UsedResponse(ResponseModel):
    """What a customer used in the days of the backfill."""

    events: WholeNumber = Field(description="Events, unattributed ones too", examples=[118])
    quantity: Number = Field(description="What their subscriptions used", examples=[118])


class PreviewedCustomerResponse(ResponseModel):
    """What closing a backfill would make of a customer's usage."""

    customer_id: IdText = Field(description="The customer")
    customer_name: str = Field(description="The customer's name", examples=["Havn A/S"])
    before: UsedResponse = Field(description="What they used, as it is")
    after: UsedResponse = Field(description="What they used, as it would be")
    periods: list[PreviewedPeriodResponse] = Field(
        description="Billed periods of which the next bill would have a difference. What isn't billed yet is billed as "
        "it is by then"
    )


class UsageBackfillPreviewResponse(PageResponse[PreviewedCustomerResponse]):
    """A page of the customers whose usage closing a backfill would change."""


def render(backfill: Backfill) -> UsageBackfillResponse:
    """A backfill on the wire."""
    return UsageBackfillResponse(
        id=backfill.id,
        meter_id=backfill.meter_id,
        customer_id=backfill.customer_id,
        since=backfill.starts_on,
        until=backfill.ends_on,
        status=backfill.status,
        events=backfill.events,
        superseded=backfill.superseded,
        created_at=backfill.created_at,
        closed_at=backfill.closed_at,
        reverted_at=backfill.reverted_at,
        cancelled_at=backfill.cancelled_at,
    )


def render_added(added: BackfilledEvents) -> AddBackfillEventsResponse:
    """What came of events on the wire."""
    return AddBackfillEventsResponse.of_row(added)


def render_customer(customer: PreviewedCustomer) -> PreviewedCustomerResponse:
    """A customer of a preview on the wire."""
    return PreviewedCustomerResponse(
        customer_id=customer.before.customer_id,
        customer_name=customer.before.customer_name,
        before=UsedResponse.of_row(customer.before),
        after=UsedResponse.of_row(customer.after),
        periods=[_period(one) for one in customer.periods],
    )


def _period(period: PreviewedPeriod) -> PreviewedPeriodResponse:
    return PreviewedPeriodResponse(
        subscription_id=period.subscription_id,
        price_id=period.price_id,
        since=period.starts_on,
        until=period.ends_on - timedelta(days=1),
        currency=period.currency,
        before=_billed(period.before, period.currency),
        after=_billed(period.after, period.currency),
        difference=format_amount(period.after.amount - period.before.amount, period.currency),
    )


def _billed(billed: BilledUsage, currency: str) -> BilledUsageResponse:
    return BilledUsageResponse(
        events=billed.events, quantity=billed.quantity, amount=format_amount(billed.amount, currency)
    )
