"""Meters: what counts the units of USAGE prices, and which subscriptions report to one (contract 2.10)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType
from uuid import UUID

from ledgerbee.catalog.prices.model import MeterStatus
from ledgerbee.core.errors import ErrorCode

MeterId = NewType("MeterId", UUID)


class Aggregation(StrEnum):
    """How the events of a period become its quantity.

    Their sum, their number, the largest value, the value of the last one, or the number of distinct values.
    """

    SUM = "SUM"
    COUNT = "COUNT"
    MAX = "MAX"
    LAST = "LAST"
    UNIQUE_COUNT = "UNIQUE_COUNT"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterFields:
    """What whoever keeps a meter says of it.

    `unique_key` is the name in an event's metadata whose distinct values a UNIQUE_COUNT meter counts; None: the
    distinct values of its events.
    """

    name: str
    description: str | None = None
    unit: str | None = None
    aggregation: Aggregation = Aggregation.SUM
    unique_key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter(MeterFields):
    """A meter as it is kept. Moments are aware UTC."""

    id: MeterId
    status: MeterStatus
    created_at: datetime
    archived_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class MeteredProduct:
    """A product that a subscription has, by one of its usage prices."""

    product_id: UUID
    product_name: str
    price_id: UUID


@dataclass(frozen=True, slots=True)
class ReportingSubscription:
    """A subscription that may report to a meter, with the products that it has for that."""

    subscription_id: UUID
    customer_id: UUID
    customer_name: str
    products: Sequence[MeteredProduct]


METER_NAME_ALREADY_EXISTS = ErrorCode("METER_NAME_ALREADY_EXISTS", 409, "Another meter of the company has this name")
