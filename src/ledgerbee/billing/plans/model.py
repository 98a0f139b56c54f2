"""Subscription plans: what a customer can be subscribed to, in versions that never change (contract 2.15)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.catalog.prices.model import BillingInterval, PriceId
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ONE

PlanId = NewType("PlanId", UUID)

#: Longest trial, in days.
MAX_TRIAL_DAYS: Final = 365


class PlanStatus(StrEnum):
    """Whether new subscriptions can be made from a plan."""

    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True)
class PlanItem:
    """A price of a plan and how many of it; 1 of a USAGE price, whose meter counts.

    What is `optional` is billed only for subscriptions that name it.
    """

    price_id: PriceId
    quantity: Decimal = ONE
    optional: bool = False


@dataclass(frozen=True, slots=True)
class PlanAlternative:
    """Another cadence that subscriptions of the plan may change to, with what is billed then."""

    interval: BillingInterval
    interval_count: int
    items: tuple[PlanItem, ...]


@dataclass(frozen=True, slots=True)
class NewAlternative:
    """An alternative as it is asked for: the cadence that is not said is that of its RECURRING prices."""

    items: tuple[PlanItem, ...]
    interval: BillingInterval | None = None
    interval_count: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFields:
    """What whoever keeps a plan says of it. What a version is made of is everything from `items` on.

    No currency means the company's, no cadence that of the RECURRING `items`, no count 1.
    """

    name: str
    display_order: int = 0
    vanity: str | None = None
    items: tuple[PlanItem, ...]
    currency: str | None = None
    interval: BillingInterval | None = None
    interval_count: int | None = None
    alternatives: tuple[NewAlternative, ...] = ()
    trial_days: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTerms:
    """What subscriptions of a plan are billed by: items in `currency` every `interval_count` intervals."""

    currency: str
    interval: BillingInterval
    interval_count: int
    trial_days: int
    items: tuple[PlanItem, ...]
    alternatives: tuple[PlanAlternative, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanVersion(PlanTerms):
    """A version, which never changes; `name` is the plan's as it is called now. Versions count from 1."""

    plan_id: PlanId
    version: int
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRow:
    """A plan's own row; `version` is the one that new subscriptions get. Moments are aware UTC."""

    id: PlanId
    name: str
    status: PlanStatus
    display_order: int
    vanity: str | None
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan(PlanRow):
    """A plan with its current version."""

    current: PlanVersion


SUBSCRIPTION_PLAN_NOT_FOUND = ErrorCode("SUBSCRIPTION_PLAN_NOT_FOUND", 404, "No such subscription plan in the company")
SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS = ErrorCode(
    "SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS", 409, "Another subscription plan of the company has this vanity"
)
SUBSCRIPTION_PLAN_PRICE_NOT_USABLE = ErrorCode(
    "SUBSCRIPTION_PLAN_PRICE_NOT_USABLE", 400, "A plan needs prices that are ACTIVE, of products that are ACTIVE"
)
SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING = ErrorCode(
    "SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING", 400, "The price has no amount of its own in the plan's currency"
)
SUBSCRIPTION_PLAN_INTERVAL_MISMATCH = ErrorCode(
    "SUBSCRIPTION_PLAN_INTERVAL_MISMATCH",
    400,
    "RECURRING prices are billed by the interval of the plan or alternative that they stand in, USAGE prices by no "
    "longer one",
)
