"""Backfills: usage of some days told anew, in the place of what came in before.

A backfill is opened over days of a meter, of one customer or of all; events are reported into it, and count for nothing
until it is closed. Then they stand in the place of what had come in for these days before it was opened. Reverted, all
is as it was. Nothing is deleted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

BackfillId = NewType("BackfillId", UUID)

#: Days that a backfill is of at most.
MAX_DAYS: Final = 366
#: Events that one has at most, and that one stands in the place of: all of them change in one transaction.
MAX_BACKFILLED: Final = 200_000


class BackfillStatus(StrEnum):
    """How far a backfill is; `reverted` and `cancelled` are ends."""

    OPEN = "open"
    CLOSED = "closed"
    REVERTED = "reverted"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBackfill:
    """What is to be told anew: usage of a meter, named by its id or name, from `starts_on` through `ends_on`."""

    meter_id: UUID | None
    meter_name: str | None
    customer_id: UUID | None
    starts_on: date
    ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """A backfill as it is kept. `opened_at` is on the company's clock, the other moments are when it happened.

    `events` are those that are its own, `superseded` those that it stands in the place of.
    """

    id: BackfillId
    meter_id: UUID
    customer_id: UUID | None
    starts_on: date
    ends_on: date
    status: BackfillStatus = BackfillStatus.OPEN
    events: int = 0
    superseded: int = 0
    opened_at: datetime
    created_at: datetime
    closed_at: datetime | None = None
    reverted_at: datetime | None = None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BackfilledEvents:
    """What came of events that were reported into a backfill: new ones, those that had come in before and are its own
    now, and those that were its own already or are of other days by now.
    """

    accepted: int
    kept: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class UsedByCustomer:
    """What a customer used of the meter in the days of a backfill: events, and what their subscriptions come to."""

    customer_id: UUID
    customer_name: str
    events: int
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class BilledUsage:
    """What a period was billed, or will have been: its events, their quantity, and the net amount."""

    events: int
    quantity: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class PreviewedPeriod:
    """A billed period of which a backfill makes another one; from `starts_on` until the day before `ends_on`."""

    subscription_id: UUID
    price_id: UUID
    starts_on: date
    ends_on: date
    currency: str
    before: BilledUsage
    after: BilledUsage


@dataclass(frozen=True, slots=True)
class PreviewedCustomer:
    """What closing a backfill would make of a customer's usage, and of what is billed of it."""

    before: UsedByCustomer
    after: UsedByCustomer
    periods: Sequence[PreviewedPeriod]


USAGE_BACKFILL_NOT_FOUND = ErrorCode("USAGE_BACKFILL_NOT_FOUND", 404, "No such backfill of usage in the company")
USAGE_BACKFILL_INVALID_STATE = ErrorCode(
    "USAGE_BACKFILL_INVALID_STATE", 409, "The status of the backfill doesn't allow this"
)
USAGE_BACKFILL_OVERLAPS = ErrorCode(
    "USAGE_BACKFILL_OVERLAPS",
    409,
    "Another backfill has days of the same usage: close or cancel it, or revert it first",
)
USAGE_BACKFILL_TOO_LARGE = ErrorCode(
    "USAGE_BACKFILL_TOO_LARGE", 409, "The backfill has too many events, or stands in the place of too many"
)
