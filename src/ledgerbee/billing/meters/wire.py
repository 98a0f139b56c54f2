"""Meters on the wire (contract 2.10; keeping meters is ours)."""

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, WithJsonSchema

from ledgerbee.billing.meters import rules
from ledgerbee.billing.meters.model import Aggregation, Meter, MeterFields, ReportingSubscription
from ledgerbee.catalog.prices.model import MeterStatus
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import NullableLine
from ledgerbee.http.list_query import ListQuery, Search, search_schema
from ledgerbee.http.metadata import MAX_KEY_LENGTH
from ledgerbee.http.wire import IdText, Line, Moment, PageResponse, RequestModel, ResponseModel, Text, omitted

#: A name in the metadata of events.
UniqueKey = Annotated[
    Annotated[str, StringConstraints(strict=True, min_length=1, max_length=MAX_KEY_LENGTH, pattern=r"^[^\[\]]+$")]
    | None,
    Field(examples=["userId"]),
]


class CreateMeterRequest(RequestModel):
    """What a new meter needs."""

    name: Line = Field(
        description="Name, unique in the company and without a slash: usage may be reported by it",
        examples=["API calls"],
    )
    description: Text | None = Field(None, description="What it measures", examples=["Calls to the public API"])
    unit: NullableLine = Field(None, description="What it counts, as people read it", examples=["calls"])
    aggregation: Aggregation = omitted(
        description="How the events of a period become its quantity: the `SUM` of their values (default), their "
        "`COUNT`, the largest (`MAX`), that of the `LAST`, or the number of distinct ones (`UNIQUE_COUNT`)"
    )
    unique_key: UniqueKey = Field(
        None,
        description="Of a `UNIQUE_COUNT` meter: the name in the metadata of events whose distinct values are counted. "
        "Events without it count for nothing. Without it distinct values of the events are counted",
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """A name that a path can have, and a key where it is of use."""
        yield lambda: rules.check_name(self.name)
        yield lambda: rules.check_unique_key(self.aggregation, self.unique_key)

    def meter(self) -> MeterFields:
        """The meter that the body describes."""
        return MeterFields(**self.model_dump(exclude_unset=True))


class MeterResponse(ResponseModel):
    """A meter."""

    id: IdText
    name: str = Field(examples=["API calls"])
    description: str | None = Field(description="What it measures", examples=["Calls to the public API"])
    unit: str | None = Field(description="What it counts", examples=["calls"])
    aggregation: Aggregation = Field(description="How the events of a period become its quantity", examples=["SUM"])
    unique_key: str | None = Field(
        description="The name in the metadata of events whose distinct values are counted", examples=["userId"]
    )
    status: MeterStatus = Field(description="An archived meter takes no more usage", examples=["ACTIVE"])
    created_at: Moment
    archived_at: Moment | None = Field(description="When it was archived")


class ListMetersResponse(PageResponse[MeterResponse]):
    """A page of meters."""


class MeterQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("API")] = Field(None, description="Prefix search on the name")
    status: Annotated[
        MeterStatus | None, WithJsonSchema({"type": "string", "enum": [status.value for status in MeterStatus]})
    ] = Field(None, description="Only meters of this status")
    sort_by: Literal["name", "createdAt"] = Field("createdAt", description="Field to sort by")


class MeteredProductResponse(ResponseModel):
    """A product that usage is billed for."""

    product_id: IdText = Field(description="The product")
    product_name: str = Field(description="Its name", examples=["API access"])
    price_id: IdText = Field(description="The price that is linked to the meter")


class MeterSubscriptionResponse(ResponseModel):
    """A subscription that may report usage to the meter."""

    subscription_id: IdText = Field(description="The subscription")
    customer_id: IdText = Field(description="Its customer: usage is reported for them")
    customer_name: str = Field(description="The customer's name", examples=["Havn A/S"])
    products: list[MeteredProductResponse] = Field(description="Its products whose price is linked to the meter")


class MeterSubscriptionsResponse(ResponseModel):
    """A meter, and who may report to it."""

    meter_id: IdText = Field(description="The meter")
    meter_name: str = Field(description="Its name", examples=["API calls"])
    subscriptions: list[MeterSubscriptionResponse] = Field(
        description="Subscriptions that may report today: paused and ended ones may not. Empty where no price uses "
        "the meter, or it is archived"
    )


def render(meter: Meter) -> MeterResponse:
    """A meter on the wire."""
    return MeterResponse.of_row(meter)


def render_subscriptions(meter: Meter, found: Iterable[ReportingSubscription]) -> MeterSubscriptionsResponse:
    """A meter with the subscriptions that may report to it."""
    return MeterSubscriptionsResponse(
        meter_id=meter.id,
        meter_name=meter.name,
        subscriptions=[MeterSubscriptionResponse.of_row(one) for one in found],
    )
