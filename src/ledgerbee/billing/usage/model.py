"""Usage: events that are reported to meters, and what they sum up to (decisions "Usage").

An event belongs to the chain of a subscription whose timeline has a USAGE price of its meter on its day, to the one
that started first unless it names another; one that no chain covers is unattributed. Days are in the company's time
zone, of the moment at which something was reported.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NamedTuple, NewType
from uuid import UUID

from msgspec import Struct

from ledgerbee.billing.meters.model import Aggregation
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ZERO

UsageEventId = NewType("UsageEventId", UUID)

#: What the key of a report looks like: visible ASCII, in the header and in a body.
KEY_PATTERN: Final = r"^[\x21-\x7e]+$"
#: Events of one request.
MAX_EVENTS: Final = 1_000
#: How far ahead of the company's clock an event may be.
MAX_AHEAD: Final = timedelta(hours=24)
#: Values lie below this, on either side of 0, have up to so many decimals and so many digits: a JSON number is exact.
MAX_VALUE: Final = Decimal(10**12)
MAX_PLACES: Final = 6
MAX_DIGITS: Final = 15
#: The key of an event's metadata that names its subscription.
NAMED_SUBSCRIPTION: Final = "subscriptionId"


class UsageState(StrEnum):
    """How an event counts: it does, its subscription had been settled when it came in, or it was taken back: by itself,
    or by a backfill that stands in its place. One that is staged waits in a backfill that isn't in force.
    """

    ACCEPTED = "accepted"
    TOO_LATE = "too_late"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    STAGED = "staged"

    @property
    def is_in_force(self) -> bool:
        """Whether it is usage of the company: it counts, or would if it hadn't come too late."""
        return self in {UsageState.ACCEPTED, UsageState.TOO_LATE}


class UsageReport(Struct, frozen=True, gc=False):
    """What is reported under a key. `occurred_at` is aware UTC; None: now. `metadata` is its JSON, None without any."""

    key: str
    value: Decimal
    customer_id: UUID
    meter_id: UUID | None
    meter_name: str | None
    occurred_at: datetime | None
    metadata: str | None
    named_subscription_id: UUID | None


class NewUsage(Struct, frozen=True, gc=False):
    """A row to add. `body_hash` tells its report from another one under the same key."""

    id: UUID
    key: str
    body_hash: bytes
    meter_id: UUID
    customer_id: UUID
    named_subscription_id: UUID | None
    day: date
    occurred_at: datetime
    value: Decimal
    metadata: str | None
    received_at: datetime
    received_on: date


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of a report: the event, and whether it was there before."""

    event_id: UUID
    is_duplicate: bool = False
    is_unattributed: bool = False


class UsageMeter(NamedTuple):
    """What recording needs of a meter."""

    id: UUID
    name: str
    is_active: bool
    aggregation: Aggregation


class UsageDay(NamedTuple):
    """The events that a day's sums are of: of a customer, at a meter, for a subscription (None: for none)."""

    customer_id: UUID
    meter_id: UUID
    day: date
    subscription_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageEvent:
    """An event as it is kept."""

    id: UsageEventId
    key: str
    meter_id: UUID
    meter_name: str
    customer_id: UUID
    customer_name: str
    subscription_id: UUID | None
    named_subscription_id: UUID | None
    day: date
    occurred_at: datetime
    value: Decimal
    metadata: Mapping[str, Any]
    received_at: datetime
    state: UsageState
    reason: str | None = None

    @property
    def usage_day(self) -> UsageDay:
        """Which sums it is part of."""
        return UsageDay(self.customer_id, self.meter_id, self.day, self.subscription_id)


@dataclass(frozen=True, slots=True)
class AmendedUsage:
    """What can be amended of an event. `timestamp` is aware UTC."""

    value: Decimal
    timestamp: datetime
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """What a list of events is narrowed to; days are inclusive."""

    meter_id: UUID | None = None
    customer_id: UUID | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """Events of a meter by what becomes of them: accepted = attributed + unattributed; attributed = billed + open +
    shown + too_late. `quantity` is what subscriptions used, each by the meter's aggregation, summed up.
    """

    accepted: int
    attributed: int
    unattributed: int
    billed: int
    open: int
    shown: int
    too_late: int
    quantity: Decimal


class AskedQuantity(NamedTuple):
    """A price of a subscription, and the days that are asked for: from `starts_on` until the day before `ends_on`."""

    subscription_id: UUID
    price_id: UUID
    starts_on: date
    ends_on: date


class UsedQuantity(NamedTuple):
    """How many events, and what they come to by the meter's aggregation; a SUM may be below zero."""

    events: int = 0
    quantity: Decimal = ZERO


USAGE_EVENT_NOT_FOUND = ErrorCode("USAGE_EVENT_NOT_FOUND", 404, "No such usage event in the company")
USAGE_EVENT_INVALID_STATE = ErrorCode(
    "USAGE_EVENT_INVALID_STATE", 409, "The usage event was withdrawn or superseded, or waits in a backfill"
)
