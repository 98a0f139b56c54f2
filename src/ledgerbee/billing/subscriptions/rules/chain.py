"""A subscription with all that its billing goes by, and what becomes of it. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from uuid import UUID

from msgspec import Struct
from msgspec import field as struct_field

from ledgerbee.billing.charges.model import Bill, Charge
from ledgerbee.billing.plans.model import PlanVersion
from ledgerbee.billing.subscriptions.model import (
    BillingSchedule,
    FirstPayment,
    RefundBehavior,
    ScheduledChange,
    Subscription,
    VersionRow,
)
from ledgerbee.billing.timelines.model import Span, TermsFrom, Timeline
from ledgerbee.billing.timelines.rules import timeline_of
from ledgerbee.billing.usage.model import UsedQuantity
from ledgerbee.catalog.prices.model import BillingPeriodType, Price

#: What a meter counted for a price on these days.
UsageOf = Callable[[UUID, Sequence[Span]], UsedQuantity]


class Chain(Struct, frozen=True, kw_only=True):
    """A subscription as it is kept. `changes` are pending ones in the order of their days.

    `charges` are those that a change may still credit, that wait for an invoice, that came once, and usage that late
    events belong to. `credited_by_notes` is what others' credit notes took off invoice lines, by their id,
    `given_up` are lines of invoices that are uncollectible. `late` are billed usage charges whose days have events that
    came since. `first_payment` is of one that waits for the payment of an invoice.
    """

    subscription: Subscription
    versions: tuple[VersionRow, ...]
    schedules: Mapping[UUID, BillingSchedule] = struct_field(default_factory=dict)
    changes: tuple[ScheduledChange, ...] = ()
    charges: tuple[Charge, ...] = ()
    credited_by_notes: Mapping[UUID, Decimal] = struct_field(default_factory=dict)
    given_up: frozenset[UUID] = frozenset()
    late: tuple[UUID, ...] = ()
    first_payment: FirstPayment = FirstPayment.AWAITED

    @property
    def timeline(self) -> Timeline:
        """What holds on which days."""
        return timeline_of(
            [TermsFrom(version.effective_on, version.terms) for version in self.versions],
            trial_until=self.subscription.trial_until,
            ends_on=self.subscription.ends_on,
        )


@dataclass(frozen=True, kw_only=True)
class BillingFacts:
    """What billing goes by beside the chain: prices in the subscription's currency, plans by id and version.

    `newest` are the versions that changes lead to, by the plan's id.

    `discount_percent` is that of the customer's group, `grace_days` how long usage may come late.
    """

    prices: Mapping[UUID, Price]
    plans: Mapping[tuple[UUID, int], PlanVersion] = field(default_factory=dict)
    newest: Mapping[UUID, PlanVersion] = field(default_factory=dict)
    discount_percent: Decimal = Decimal(0)
    grace_days: int = 0

    @cached_property
    def _by_type(self) -> Mapping[BillingPeriodType, frozenset[UUID]]:
        return {
            kind: frozenset(one for one, price in self.prices.items() if price.billing_period_type is kind)
            for kind in BillingPeriodType
        }

    def of_type(self, kind: BillingPeriodType) -> frozenset[UUID]:
        """The prices of one period type."""
        return self._by_type[kind]


class ChainEvent(Struct, frozen=True, kw_only=True):
    """Something that happened to a subscription: `topic` is what comes after `subscription.`."""

    topic: str
    version_id: UUID
    details: dict[str, str] = struct_field(default_factory=dict)


class Advanced(Struct, frozen=True, kw_only=True):
    """What became of a chain: as it is now, what is new of it, and what is to be billed, in order.

    `refund_behavior` is that of an end that came. With `gives_up_first` its first invoice, which is not paid, is
    credited in full.
    """

    chain: Chain
    versions: tuple[VersionRow, ...] = ()
    changes: tuple[ScheduledChange, ...] = ()
    charges: tuple[Charge, ...] = ()
    bills: tuple[Bill, ...] = ()
    events: tuple[ChainEvent, ...] = ()
    refund_behavior: RefundBehavior | None = None
    gives_up_first: bool = False
