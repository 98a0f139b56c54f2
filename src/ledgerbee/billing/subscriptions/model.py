"""Subscriptions: a customer, a plan, and what was agreed since (contract 2.15 and 3.1, decisions "Periods").

A subscription's id is that of its chain and survives every change. Each change appends a version; nothing of a version
is ever changed. Days are the company's local days; `ends_on` is the first day that is not covered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, NewType
from uuid import UUID

from msgspec import Struct

from ledgerbee.billing.timelines.model import (
    BillingDirection,
    Cadence,
    Grid,
    Item,
    ProrationBehavior,
    Terms,
)
from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ZERO

SubscriptionId = NewType("SubscriptionId", UUID)

#: The job that bills subscriptions right after they were made or changed; its payload names them: `subscriptionIds`.
BILL_SUBSCRIPTIONS_JOB: Final = "bill_subscriptions"
#: The job that does with subscriptions what the company has chosen for after the last decline; payload `invoiceId`.
FOLLOW_DECLINE_JOB: Final = "follow_decline"


class SubscriptionStatus(StrEnum):
    """Where a subscription stands on a day. It follows from its timeline; nobody writes it (contract 3.1)."""

    SCHEDULED = "scheduled"
    TRIAL = "trial"
    AWAITING_PAYMENT = "awaiting_payment"
    ACTIVE = "active"
    PENDING_CANCELLATION = "pending_cancellation"
    PAUSED = "paused"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class PaymentBehavior(StrEnum):
    """When a new subscription begins: on its first day, or once its first invoice is paid."""

    DEFAULT = "default"
    PAY_FIRST = "pay_first"


class FirstPayment(StrEnum):
    """How the payment of a first invoice stands: nothing is due any more; a provider is being asked; somebody has to
    confirm it, or the next charge comes by itself; neither."""

    PAID = "paid"
    CHARGING = "charging"
    AWAITED = "awaited"
    DECLINED = "declined"


class ChangeType(StrEnum):
    """What a scheduled change does."""

    CANCEL = "cancel"
    REPLACE_PLAN = "replace_plan"
    CHANGE_CADENCE = "change_cadence"
    CHANGE_DIRECTION = "change_direction"
    EDIT_PRODUCTS = "edit_products"
    PAUSE = "pause"
    RESUME = "resume"


class ChangeStatus(StrEnum):
    """Where a scheduled change stands."""

    PENDING = "pending"
    APPLIED = "applied"
    CANCELLED = "cancelled"
    FAILED = "failed"


class RefundBehavior(StrEnum):
    """What a cancellation gives back: nothing, the newest paid invoice, or the days that are not used."""

    NONE = "none"
    LAST_INVOICE = "last_invoice"
    PRORATED = "prorated"


class CancelStrategy(StrEnum):
    """When a subscription ends; `clear_schedule` takes a scheduled end back."""

    END_OF_CYCLE = "end_of_cycle"
    IMMEDIATELY = "immediately"
    SPECIFIC_DATE = "specific_date"
    CLEAR_SCHEDULE = "clear_schedule"


class SubscriptionFields(Struct, frozen=True, kw_only=True):
    """What PATCH may change: how a subscription is called and paid, not what it costs."""

    name: str
    payment_method_id: UUID | None = None
    automatic_billing: bool = False
    customer_department_id: UUID | None = None
    department_contact_override_id: UUID | None = None


class Subscription(SubscriptionFields, frozen=True, kw_only=True):
    """A chain, with what its newest version says as far as lists need it.

    Days before `billed_until` are billed, of the prices that recur. Starts, ends of trials and ends of days up to
    `emitted_until` have had their events. `next_run_on` is when a billing run has to look at it next.
    One that `awaits_payment` begins when its `first_invoice_id`, once there is one, is paid; on the day `pay_by` it is
    given up.
    """

    id: SubscriptionId
    customer_id: UUID
    partner_reference_id: str | None
    currency: str
    starts_on: date
    trial_until: date | None
    proration_behavior: ProrationBehavior
    version: int
    plan_id: UUID
    is_paused: bool
    ends_on: date | None
    is_cancelled: bool
    awaits_payment: bool = False
    first_invoice_id: UUID | None = None
    pay_by: date | None = None
    billed_until: date
    emitted_until: date
    next_run_on: date | None
    created_at: datetime
    updated_at: datetime


class VersionRow(SubscriptionFields, frozen=True, kw_only=True):
    """A version as it is kept. `reason` is the change that made it: `assigned`, `updated`, or its `ChangeType`."""

    id: UUID
    subscription_id: SubscriptionId
    number: int
    reason: str
    effective_on: date
    ends_on: date | None
    is_cancelled: bool
    plan_id: UUID
    plan_version: int
    billing_direction: BillingDirection
    billing_interval: BillingInterval
    billing_interval_count: int
    anchor: date
    anchor_day: int
    proration: ProrationBehavior
    is_paused: bool
    restarted_by: UUID | None
    price_ids: list[UUID]
    quantities: list[Decimal]
    change_id: UUID | None
    created_at: datetime

    @property
    def terms(self) -> Terms:
        """What holds from `effective_on` on."""
        return Terms(
            plan_id=self.plan_id,
            plan_version=self.plan_version,
            grid=Grid(Cadence(self.billing_interval, self.billing_interval_count), self.anchor, self.anchor_day),
            direction=self.billing_direction,
            items=tuple(map(Item, self.price_ids, self.quantities)),
            proration=self.proration,
            is_paused=self.is_paused,
            restarted_by=self.restarted_by,
        )


class BillingSchedule(Struct, frozen=True, kw_only=True):
    """Where the billing of one price of a subscription stands. Days before `billed_until` are billed.

    `next_billing_date` is None where nothing is left to bill. `carried` is usage below zero that no period has taken
    yet: it is taken off the next one.
    """

    subscription_id: SubscriptionId
    price_id: UUID
    billing_period_type: BillingPeriodType
    billed_until: date
    next_billing_date: date | None
    carried: Decimal = ZERO


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduledChange:
    """A change of a subscription that waits for its day, or has had it.

    `payload` has the wire's names: `planId`, `products`, `interval` and `intervalCount`, `billingDirection`, or
    `refundBehavior` of a cancellation. `proration_behavior` None is the subscription's.
    """

    id: UUID
    subscription_id: SubscriptionId
    type: ChangeType
    effective_on: date
    status: ChangeStatus
    payload: Mapping[str, Any]
    proration_behavior: ProrationBehavior | None
    restarts_period: bool
    failure: str | None
    created_at: datetime
    updated_at: datetime


class SubscriptionRead(Struct, frozen=True, kw_only=True):
    """A subscription as it is shown: with the version that holds on a day, and the products of that version's prices.

    `next_billing_date` is where the billing of its prices stands now; None where nothing is left to bill, and where
    another day is asked for.
    """

    subscription: Subscription
    version: VersionRow
    product_ids: Mapping[UUID, UUID]
    next_billing_date: date | None
    customer_name: str | None = None


@dataclass(frozen=True, slots=True)
class ProductOverride:
    """A price that a caller names, with the quantity that it is to have; 0 leaves it out."""

    price_id: UUID
    quantity: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubscription:
    """What is asked for of a subscription that is given to a customer.

    `end_date` is the last day that is covered. What is None is the plan's (`name`, `trial_days`) or `start_date`
    (`billing_cycle_anchor`).
    """

    customer_id: UUID
    plan_id: UUID
    start_date: date
    end_date: date | None = None
    billing_cycle_anchor: date | None = None
    proration_behavior: ProrationBehavior = ProrationBehavior.NONE
    trial_days: int | None = None
    billing_direction: BillingDirection = BillingDirection.ADVANCE
    product_overrides: tuple[ProductOverride, ...] = ()
    payment_method_id: UUID | None = None
    automatic_billing: bool = False
    payment_behavior: PaymentBehavior = PaymentBehavior.DEFAULT
    customer_department_id: UUID | None = None
    department_contact_override_id: UUID | None = None
    partner_reference_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewChange:
    """What is asked for of a change: on `effective_date`, None for the next boundary. For `payload` see
    `ScheduledChange`.
    """

    type: ChangeType
    effective_date: date | None = None
    proration_behavior: ProrationBehavior | None = None
    restarts_period: bool = False
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCommand:
    """How a subscription is to be cancelled; `effective_date` is for `SPECIFIC_DATE`."""

    strategy: CancelStrategy
    effective_date: date | None = None
    refund_behavior: RefundBehavior = RefundBehavior.NONE


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRefund:
    """What a cancellation has given back, `amount` excluding VAT; `reason` says why it is nothing though it was to."""

    behavior: RefundBehavior
    credit_note_ids: tuple[UUID, ...] = ()
    amount: Decimal = ZERO
    reason: str | None = None


SUBSCRIPTION_NOT_FOUND = ErrorCode("SUBSCRIPTION_NOT_FOUND", 404, "No such subscription in the company")
SUBSCRIPTION_INVALID_STATE = ErrorCode(
    "SUBSCRIPTION_INVALID_STATE", 409, "The subscription's status does not allow this"
)
SUBSCRIPTION_CHANGE_NOT_FOUND = ErrorCode(
    "SUBSCRIPTION_CHANGE_NOT_FOUND", 404, "The subscription has no such scheduled change"
)
SUBSCRIPTION_CHANGE_INVALID_STATE = ErrorCode(
    "SUBSCRIPTION_CHANGE_INVALID_STATE", 409, "Only a pending change can be cancelled"
)
SUBSCRIPTION_CHANGE_ALREADY_EXISTS = ErrorCode(
    "SUBSCRIPTION_CHANGE_ALREADY_EXISTS", 409, "A change of this type is pending already; cancel it first"
)
SUBSCRIPTION_CURRENCY_MISMATCH = ErrorCode(
    "SUBSCRIPTION_CURRENCY_MISMATCH",
    409,
    "A subscription bills in one currency: the other plan's is another one",
)
SUBSCRIPTION_PRICE_NOT_IN_PLAN = ErrorCode(
    "SUBSCRIPTION_PRICE_NOT_IN_PLAN", 400, "A quantity was given for a price that the plan does not have"
)
SUBSCRIPTION_CADENCE_UNAVAILABLE = ErrorCode(
    "SUBSCRIPTION_CADENCE_UNAVAILABLE", 400, "The plan has no alternative with this interval and count"
)
SUBSCRIPTION_CADENCE_UNCHANGED = ErrorCode(
    "SUBSCRIPTION_CADENCE_UNCHANGED", 409, "The subscription has this interval and count; restartPeriod begins anew"
)
SUBSCRIPTION_PLAN_INVALID_STATE = ErrorCode(
    "SUBSCRIPTION_PLAN_INVALID_STATE", 409, "An archived plan is not given to customers any more"
)
