"""Usage on the wire (contract 2.10; all but `POST /v1/meters/report` is ours)."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeAlias
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.billing.usage import rules
from ledgerbee.billing.usage.fast_wire import DecodedBatch, DecodedReport, decode_batch, decode_report
from ledgerbee.billing.usage.model import (
    KEY_PATTERN,
    MAX_DIGITS,
    MAX_EVENTS,
    MAX_PLACES,
    MAX_VALUE,
    AmendedUsage,
    UsageEvent,
    UsageFilter,
    UsageReport,
    UsageState,
    UsageTotals,
)
from ledgerbee.core.errors import LedgerBeeError, check_all, refuse, with_more, with_others, within
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import RequestMoment
from ledgerbee.http.list_query import Limit, ListQuery, PageNumber
from ledgerbee.http.metadata import Metadata, MetadataOut
from ledgerbee.http.wire import (
    Day,
    Id,
    IdText,
    Line,
    Moment,
    Number,
    PageResponse,
    RequestDecimal,
    RequestModel,
    ResponseModel,
    WholeNumber,
    changes_to,
    decimal_schema,
    omitted,
)


def _to_value(value: Decimal) -> Decimal:
    # Trailing zeros are no digits: 1.50000000 is 1.5.
    plain = value.normalize() if value.is_finite() and value else Decimal(0) if value == 0 else value
    if rules.is_value(plain):
        return value.quantize(Decimal(1)) if plain == plain.to_integral_value() else plain
    raise PydanticCustomError(
        "maxDigits",
        f"must have at most {MAX_DIGITS} digits, {MAX_PLACES} of them behind the point, and be less than {MAX_VALUE:f}",
    )


_LIMIT: Final = int(MAX_VALUE)
#: What one event counts for.
UsageValue = Annotated[
    RequestDecimal,
    AfterValidator(_to_value),
    decimal_schema(
        f"What is used, up to {MAX_PLACES} decimals and {MAX_DIGITS} digits. A number or a decimal string. Below zero "
        "it corrects what was reported, at meters that sum up.",
        exclusiveMinimum=-_LIMIT,
        exclusiveMaximum=_LIMIT,
    ),
]
#: A key in a body, as in the header.
UsageKeyText = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=255, pattern=KEY_PATTERN), Field(examples=["req-1042"])
]
_QueryId = Annotated[Id | None, WithJsonSchema({"type": "string", "format": "uuid"})]
_QueryDay = Annotated[Day | None, WithJsonSchema({"type": "string", "format": "date"})]


def _at(path: str, check: Check) -> Check:
    """A rule of a part of a body, at its place."""

    def checked() -> None:
        with within(path):
            check()

    return checked


class _UsageFields(RequestModel):
    """What was used, when and by whom."""

    value: UsageValue
    customer_id: Id = Field(description="The customer who used it")
    meter_id: Id | None = Field(None, description="The meter; it or `meterName` is needed")
    meter_name: Line | None = Field(None, description="The meter's name, as it is written", examples=["API calls"])
    timestamp: RequestMoment | None = Field(
        None, description="When it was used, at most 24 hours from now. Default: now"
    )
    metadata: Metadata | None = Field(
        None,
        description="Your own keys: strings, numbers and booleans. `subscriptionId` names the subscription that the "
        "event belongs to, where the customer has several",
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:
        """A meter, a moment that can be, and a subscription where one is named."""
        yield _at(path, lambda: rules.check_meter_named(self.meter_id, self.meter_name))
        yield _at(path, lambda: rules.check_moment(self.timestamp, facts.company_now))
        yield _at(path, lambda: rules.named_subscription(self.metadata))

    def reported(self, key: str, now: datetime) -> UsageReport:
        """The report for the rules. Raises validation errors: no meter, a subscription that is no id; beside them what
        is wrong with its moment, which the action looks at otherwise.
        """
        try:
            check_all(
                lambda: rules.check_meter_named(self.meter_id, self.meter_name),
                lambda: rules.named_subscription(self.metadata),
            )
        except LedgerBeeError as fault:
            raise with_more(fault, [lambda: rules.check_moment(self.timestamp, now)]) from None
        return UsageReport(
            key,
            self.value,
            self.customer_id,
            self.meter_id,
            self.meter_name,
            self.timestamp,
            rules.metadata_text(self.metadata),
            rules.named_subscription(self.metadata),
        )


class ReportUsageRequest(_UsageFields):
    """Usage to report, under the key of the header."""

    @classmethod
    def from_bytes(cls, raw: bytes) -> DecodedReport | None:
        """What the fast decoder makes of the body: see `ReportBody`."""
        return decode_report(raw)


class KeyedUsageRequest(_UsageFields):
    """Usage to report, under a key of its own."""

    idempotency_key: UsageKeyText = Field(
        description="Identifies the event for ever: what was reported under it is not counted twice"
    )


class ReportUsageBatchRequest(RequestModel):
    """Usage that is reported together or not at all."""

    events: list[KeyedUsageRequest] = Field(
        min_length=1, max_length=MAX_EVENTS, description="1 to 1,000 events, each under a key of its own"
    )

    def reported(self, now: datetime) -> list[UsageReport]:
        """The reports for the rules. Raises validation errors, each at its event's place."""
        reports, checks = [], []
        faults: list[LedgerBeeError] = []
        for place, one in enumerate(self.events):
            try:
                with within(f"events.{place}"):
                    reports.append(one.reported(one.idempotency_key, now))
            except LedgerBeeError as fault:
                faults.append(fault)
            else:
                checks.append(_at(f"events.{place}", partial(rules.check_moment, one.timestamp, now)))
        if faults:
            raise with_more(with_others(faults[0], faults[1:]), checks)
        return reports

    @classmethod
    def from_bytes(cls, raw: bytes) -> DecodedBatch | None:
        """What the fast decoder makes of the body: see `ReportBatchBody`."""
        return decode_batch(raw)


if TYPE_CHECKING:
    #: What handlers get as a body of such a model: what the fast decoder makes of it, or the model.
    ReportBody: TypeAlias = ReportUsageRequest | DecodedReport
    ReportBatchBody: TypeAlias = ReportUsageBatchRequest | DecodedBatch
else:  # FastAPI takes the model from the annotation
    ReportBody = ReportUsageRequest
    ReportBatchBody = ReportUsageBatchRequest


class ReportUsageResponse(ResponseModel):
    """Usage was taken in."""

    status: Literal["queued"] = Field(description="It was taken in")
    request_id: IdText = Field(description="Id of the usage event that was made of it")


class DuplicateUsageResponse(ResponseModel):
    """The same usage was reported before, and was not counted twice."""

    status: Literal["duplicate"] = Field(description="It was taken in before")


class ReportUsageBatchResponse(ResponseModel):
    """What came of a batch."""

    accepted: WholeNumber = Field(description="How many events were taken in", examples=[997])
    duplicates: WholeNumber = Field(description="How many were there before, or are there twice", examples=[3])


class UpdateUsageEventRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    keeps_what_is_left_out = True

    value: UsageValue = omitted()
    timestamp: RequestMoment = omitted(description="When it was used, at most 24 hours from now")
    metadata: Metadata = omitted(description="Your own keys, all of them: `subscriptionId` names the subscription")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """A moment that can be, and a subscription where one is named."""
        yield lambda: rules.check_moment(self.timestamp, facts.company_now)
        yield lambda: rules.named_subscription(self.metadata)


changes_of = changes_to(AmendedUsage, UpdateUsageEventRequest)

#: Where an event stands.
EventStatus = Literal["attributed", "unattributed", "too_late", "withdrawn", "superseded"]


class UsageEventResponse(ResponseModel):
    """A usage event."""

    id: IdText
    idempotency_key: str = Field(description="The key that it was reported under", examples=["req-1042"])
    meter_id: IdText = Field(description="The meter")
    meter_name: str = Field(description="The meter's name", examples=["API calls"])
    customer_id: IdText = Field(description="The customer who used it")
    customer_name: str = Field(description="The customer's name", examples=["Havn A/S"])
    subscription_id: IdText | None = Field(description="The subscription that it belongs to; null for none")
    status: EventStatus = Field(
        description="`unattributed`: no subscription covers its day; `too_late`: it came in after its subscription had "
        "been settled; `withdrawn`: it was taken back; `superseded`: a backfill stands in its place",
        examples=["attributed"],
    )
    value: Number = Field(description="What was used", examples=[12.5])
    timestamp: Moment = Field(description="When it was used")
    day: date = Field(description="Its day in the company's time zone", examples=["2026-01-31"])
    metadata: MetadataOut
    received_at: Moment = Field(description="When it came in")


class ListUsageEventsResponse(PageResponse[UsageEventResponse]):
    """A page of usage events."""


UnattributedReason = Literal["no_subscription", "subscription_not_found", "before_start", "paused", "after_end"]


class UnattributedUsageResponse(UsageEventResponse):
    """A usage event that belongs to no subscription."""

    reason: UnattributedReason = Field(
        description="`no_subscription`: the customer never had one with a price of the meter; "
        "`subscription_not_found`: nor is the one that it names one; `before_start`, `paused`, `after_end`: it had "
        "none on that day",
        examples=["no_subscription"],
    )


class ListUnattributedUsageResponse(PageResponse[UnattributedUsageResponse]):
    """A page of usage events that belong to no subscription."""


class MeterUsageResponse(ResponseModel):
    """How many events a meter has, by what becomes of them.

    `accepted` = `attributed` + `unattributed`; `attributed` = `billed` + `open` + `shown` + `tooLate`.
    """

    accepted: WholeNumber = Field(
        description="Events that were taken in, and neither withdrawn nor superseded", examples=[100]
    )
    attributed: WholeNumber = Field(description="Events that belong to a subscription", examples=[97])
    unattributed: WholeNumber = Field(description="Events that belong to none", examples=[3])
    billed: WholeNumber = Field(description="Events of days that are billed", examples=[60])
    open: WholeNumber = Field(description="Events that are not billed yet", examples=[20])
    shown: WholeNumber = Field(description="Events of trials, which are not billed", examples=[15])
    too_late: WholeNumber = Field(
        description="Events that came in after their subscription had been settled", examples=[2]
    )
    quantity: Number = Field(
        description="What the subscriptions used, trials included: each one's events by the meter's aggregation, "
        "summed up. What is unattributed or too late doesn't count",
        examples=[1250],
    )


class _Days(BaseModel):
    """Days that a list is narrowed to."""

    model_config = ListQuery.model_config

    customer_id: _QueryId = Field(None, description="Only usage of this customer")
    since: _QueryDay = Field(None, alias="from", description="First day, in the company's time zone")
    until: _QueryDay = Field(None, alias="to", description="Last day")

    def narrowed_to(self, meter_id: UUID | None = None) -> UsageFilter:
        """What is asked for. Raises a validation error for days in the wrong order."""
        refuse(list(rules.days_of(self.since, self.until)))
        return UsageFilter(meter_id, self.customer_id, self.since, self.until)


class MeterUsageQuery(_Days):
    """The query parameters of a meter's usage."""


class UsageEventQuery(_Days):
    """The query parameters of the lists of events, which have one order: the newest day first."""

    page: PageNumber = 1
    limit: Limit = 25
    meter_id: _QueryId = Field(None, description="Only usage of this meter")

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit, sort_by="day")

    @property
    def wanted(self) -> UsageFilter:
        """What the list is narrowed to."""
        return self.narrowed_to(self.meter_id)


def _status(event: UsageEvent) -> EventStatus:
    if event.state is UsageState.WITHDRAWN:
        return "withdrawn"
    if event.state is UsageState.SUPERSEDED:
        return "superseded"
    if event.state is UsageState.TOO_LATE:
        return "too_late"
    return "unattributed" if event.subscription_id is None else "attributed"


def _shown(event: UsageEvent) -> dict[str, Any]:
    return {
        "id": event.id,
        "idempotency_key": event.key,
        "meter_id": event.meter_id,
        "meter_name": event.meter_name,
        "customer_id": event.customer_id,
        "customer_name": event.customer_name,
        "subscription_id": event.subscription_id,
        "status": _status(event),
        "value": event.value,
        "timestamp": event.occurred_at,
        "day": event.day,
        "metadata": event.metadata,
        "received_at": event.received_at,
    }


def render(event: UsageEvent) -> UsageEventResponse:
    """An event on the wire."""
    return UsageEventResponse(**_shown(event))


def render_unattributed(event: UsageEvent) -> UnattributedUsageResponse:
    """An event that belongs to nobody on the wire, with the reason."""
    return UnattributedUsageResponse(**_shown(event), reason=event.reason)


def render_totals(totals: UsageTotals) -> MeterUsageResponse:
    """What becomes of a meter's events on the wire."""
    return MeterUsageResponse.of_row(totals)
