"""Subscriptions on the wire: what operations answer with and what events carry (contract 1.8, 2.15, 3.1).

Days are the company's local days. `endDate` and other days that end something are the last day that is covered.
"""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import Field

from ledgerbee.billing.charges.model import Charge, ChargeKind
from ledgerbee.billing.subscriptions.model import (
    BillingSchedule,
    CancelRefund,
    ChangeStatus,
    ChangeType,
    RefundBehavior,
    ScheduledChange,
    SubscriptionFields,
    SubscriptionRead,
    SubscriptionStatus,
    VersionRow,
)
from ledgerbee.billing.subscriptions.rules import read_of, status_on
from ledgerbee.billing.subscriptions.rules.chain import BillingFacts, Chain
from ledgerbee.billing.timelines.model import BillingDirection, Item, ProrationBehavior, Segment
from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.money import format_amount, plain_number
from ledgerbee.http.wire import (
    EXAMPLE_ID,
    IdText,
    Moment,
    MoneyText,
    Number,
    PageResponse,
    ResponseModel,
    WholeNumber,
    omitted,
)

_ANCHOR = "The day that periods are counted from; only its phase counts"
_VERSION_ID = "The version that holds; for diagnosis only, refer to `id`"


class SubscriptionProductResponse(ResponseModel):
    """A price of a subscription, and how much of it."""

    price_id: IdText
    product_id: IdText
    quantity: Number = Field(description="1 of a USAGE price, whose meter counts", examples=[1])


class _Terms(ResponseModel):
    """What a version of a subscription fixes."""

    plan_id: IdText
    plan_version: WholeNumber = Field(
        description="The version of the plan that it is billed by: a newer one changes nothing (extension)",
        examples=[1],
    )
    billing_cycle_anchor: date = Field(description=_ANCHOR, examples=["2026-07-01"])
    billing_direction: BillingDirection = Field(
        description="`advance`: a period is billed at its start; `arrears`: at its end"
    )
    billing_interval: BillingInterval = Field(description="Unit of the billing period")
    billing_interval_count: WholeNumber = Field(description="How many of them make a period", examples=[1])
    products: list[SubscriptionProductResponse] = Field(description="What is billed")


class _Head(ResponseModel):
    """Which subscription it is."""

    id: IdText = Field(description="Stable: refer to this one", examples=[EXAMPLE_ID])
    customer_id: IdText
    customer_name: str = omitted(description="In answers, not in events", examples=["Nordlys ApS"])
    name: str = Field(description="The plan's name, unless it was given another", examples=["Basis"])
    status: SubscriptionStatus = Field(description="Follows from its timeline; nobody writes it")


class SubscriptionResponse(_Terms, _Head):
    """A subscription. Its id is that of the chain of its versions and survives every change."""

    currency: str = Field(description="The plan's: a subscription bills in one currency", examples=["DKK"])
    start_date: date = Field(description="First day")
    end_date: date | None = Field(
        description="Last day that is covered; null: open-ended. The day before `startDate` where none is"
    )
    trial_end_date: date | None = Field(description="Last day of the trial; null without one (extension)")
    cancellation_date: date | None = Field(
        description="First day that a cancellation, scheduled or carried out, doesn't cover; null of others (extension)"
    )
    proration_behavior: ProrationBehavior = Field(description="What becomes of partial periods")
    next_billing_date: date | None = Field(
        description="When it is billed next, after the company's `usageGraceDays` where usage is among it; null where "
        "nothing is left to bill, and where another day is asked for (extension)"
    )
    partner_reference_id: str | None = Field(description="Your own reference", examples=["order-8812"])
    payment_method_id: IdText | None
    automatic_billing: bool = Field(description="Whether its invoices are charged to the payment method")
    first_invoice_id: IdText | None = Field(
        description="The invoice that it begins, or began, with the payment of; null of those that begin on "
        "their first day, and before it is made (extension)"
    )
    pay_by: date | None = Field(
        description="While it is `awaiting_payment`, the day on which it is given up; null otherwise (extension)"
    )
    customer_department_id: IdText | None
    department_contact_override_id: IdText | None = Field(description="The contact that its invoices name")
    version_id: IdText = Field(description=_VERSION_ID)
    version: WholeNumber = Field(description="Number of that version, from 1 (extension)", examples=[1])
    created_at: Moment
    updated_at: Moment


class ListSubscriptionsResponse(PageResponse[SubscriptionResponse]):
    """A page of subscriptions."""


class RefundResponse(ResponseModel):
    """What a cancellation gave back."""

    behavior: RefundBehavior = Field(description="What was asked to be given back")
    credit_note_ids: list[IdText] = Field(description="The credit notes that were sent", examples=[[EXAMPLE_ID]])
    amount: MoneyText = Field(description="What they sum up to, excluding VAT", examples=["135.48"])
    reason: str | None = Field(
        description="Why there is no credit note though it was asked for: `scheduled` (it is on its day), "
        "`no_paid_invoice`, `nothing_left`, `on_invoice` (the days were not invoiced yet and are charged less); "
        "null otherwise",
        examples=["no_paid_invoice"],
    )


class CancelledSubscriptionResponse(SubscriptionResponse):
    """A subscription after a cancellation, and what was given back."""

    refund: RefundResponse = Field(description="What the cancellation has given back by now (extension)")


class ScheduledChangeResponse(ResponseModel):
    """A change of a subscription that waits for its day, or has had it."""

    id: IdText
    subscription_id: IdText
    type: ChangeType
    effective_date: date = Field(description="First day of the new state")
    status: ChangeStatus
    proration_behavior: ProrationBehavior | None = Field(
        description="What becomes of the period that is billed; null: as the subscription has it (extension)"
    )
    restart_period: bool = Field(description="Whether a period begins on its day (extension)")
    payload: dict[str, Any] = Field(
        description="What the change needs: `planId` and `products`, `interval` and `intervalCount`, "
        "`billingDirection`, `refundBehavior`",
        examples=[{"planId": EXAMPLE_ID}],
    )
    failure: str | None = Field(
        description="The code of what was in the way of a `failed` change; null of others (extension)",
        examples=["SUBSCRIPTION_CADENCE_UNAVAILABLE"],
    )
    created_at: Moment


class _VersionHead(ResponseModel):
    """Which version it is."""

    id: IdText
    subscription_id: IdText
    version: WholeNumber = Field(description="Number within the subscription, from 1", examples=[2])
    reason: str = Field(
        description="What made it: `assigned`, `updated`, `cancellation_scheduled`, `cancellation_cleared`, "
        "`expired` (it was not paid for), or the type of a change",
        examples=["replace_plan"],
    )
    effective_date: date = Field(description="The first day on which it holds")


class SubscriptionVersionResponse(_Terms, _VersionHead):
    """A version of a subscription, which never changes."""

    end_date: date | None = Field(description="Last day that is covered, as was known then")
    is_cancelled: bool = Field(description="Whether the end is that of a cancellation")
    is_paused: bool = Field(description="Whether nothing is billed")
    proration_behavior: ProrationBehavior = Field(description="What becomes of partial periods that begin or end in it")
    name: str = Field(examples=["Basis"])
    payment_method_id: IdText | None
    automatic_billing: bool
    customer_department_id: IdText | None
    department_contact_override_id: IdText | None
    change_id: IdText | None = Field(description="The change that made it; null of others")
    created_at: Moment


class ListSubscriptionVersionsResponse(PageResponse[SubscriptionVersionResponse]):
    """A page of versions of a subscription, the newest first."""


class _Days(ResponseModel):
    """Days on which the same holds."""

    start_date: date = Field(description="First day")
    end_date: date | None = Field(description="Last day; null: until further notice")


class SegmentResponse(_Terms, _Days):
    """Days on which the same terms hold."""

    is_trial: bool = Field(description="Whether nothing is billed as its days are a trial")
    is_paused: bool = Field(description="Whether nothing is billed as its days are paused")


class SubscriptionChargeResponse(ResponseModel):
    """A charge of a subscription, or the credit of one."""

    id: IdText
    price_id: IdText
    kind: ChargeKind = Field(description="Why it is charged")
    period_start: date = Field(description="First day of the whole period")
    period_end: date | None = Field(description="Last day of the whole period; null of what comes once")
    service_period_start: date = Field(description="First day that it pays for")
    service_period_end: date = Field(description="Last day that it pays for")
    quantity: Number = Field(examples=[1])
    discount_percent: Number = Field(description="The discount of the customer's group that day", examples=[0])
    amount: MoneyText = Field(description="Excluding VAT; below zero of a credit", examples=["135.48"])
    events: WholeNumber = Field(description="How many events of usage it bills", examples=[0])
    is_waiting: bool = Field(description="Whether it stands on the next regular invoice, which isn't made yet")
    credits_charge_id: IdText | None = Field(description="The charge that it takes back; null of others")
    change_id: IdText | None = Field(description="The change that made it, or that began its period")
    invoice_id: IdText | None
    invoice_line_id: IdText | None
    credit_note_id: IdText | None = Field(description="The credit note that has what its invoice had no room for")
    credit_note_amount: MoneyText = Field(description="What that takes of it, above zero", examples=["0.00"])


class ListSubscriptionChargesResponse(PageResponse[SubscriptionChargeResponse]):
    """A page of charges, the newest first."""


class BillingScheduleResponse(ResponseModel):
    """Where the billing of one price of a subscription stands."""

    price_id: IdText
    billing_period_type: BillingPeriodType
    billed_until: date = Field(description="Days before it are billed")
    next_billing_date: date | None = Field(description="When its next period is billed; null: nothing is left to bill")
    carried: Number = Field(
        description="Usage below zero that no period has taken yet: it is taken off the next one", examples=[0]
    )


def render(read: SubscriptionRead, day: date, today: date) -> SubscriptionResponse:
    """A subscription on the wire, as it stands on `day`; of a day to come the status is today's."""
    return SubscriptionResponse(**_fields(read, min(day, today)))


def render_cancelled(read: SubscriptionRead, today: date, refund: CancelRefund) -> CancelledSubscriptionResponse:
    """A subscription on the wire after a cancellation, with what that has given back."""
    given_back = RefundResponse(
        behavior=refund.behavior,
        credit_note_ids=list(refund.credit_note_ids),
        amount=format_amount(refund.amount, read.subscription.currency),
        reason=refund.reason,
    )
    return CancelledSubscriptionResponse(**_fields(read, today), refund=given_back)


def event_data(chain: Chain, facts: BillingFacts, version_id: UUID, today: date, **details: str) -> dict[str, Any]:
    """What an event of a subscription carries (contract 1.8): its wire form as JSON values, and what the event adds.

    `version_id` is the version that the event is of; `facts` have all prices of the chain. Reconcile on
    `subscriptionId` or `partnerReferenceId`.
    """
    products = {price_id: price.product_id for price_id, price in facts.prices.items()}
    form = render(read_of(chain, products, today), today, today).as_event()
    return form | {"subscriptionId": form["id"], "versionId": str(version_id)} | details


def render_change(change: ScheduledChange) -> ScheduledChangeResponse:
    """A change on the wire."""
    return ScheduledChangeResponse(
        id=change.id,
        subscription_id=change.subscription_id,
        type=change.type,
        effective_date=change.effective_on,
        status=change.status,
        proration_behavior=change.proration_behavior,
        restart_period=change.restarts_period,
        payload=_payload(change.payload),
        failure=change.failure,
        created_at=change.created_at,
    )


def render_version(version: VersionRow, product_ids: Mapping[UUID, UUID]) -> SubscriptionVersionResponse:
    """A version on the wire."""
    return SubscriptionVersionResponse(
        **_terms_of_version(version, product_ids),
        **fields_of(version, SubscriptionFields),
        id=version.id,
        subscription_id=version.subscription_id,
        version=version.number,
        reason=version.reason,
        effective_date=version.effective_on,
        end_date=last_day(version.ends_on),
        is_cancelled=version.is_cancelled,
        is_paused=version.is_paused,
        proration_behavior=version.proration,
        change_id=version.change_id,
        created_at=version.created_at,
    )


def render_segment(segment: Segment, product_ids: Mapping[UUID, UUID]) -> SegmentResponse:
    """Days of a timeline on the wire."""
    terms = segment.terms
    return SegmentResponse(
        plan_id=terms.plan_id,
        plan_version=terms.plan_version,
        billing_cycle_anchor=terms.grid.anchor,
        billing_direction=terms.direction,
        billing_interval=terms.grid.cadence.interval,
        billing_interval_count=terms.grid.cadence.count,
        products=_products(terms.items, product_ids),
        start_date=segment.start,
        end_date=last_day(segment.end),
        is_trial=segment.is_trial,
        is_paused=terms.is_paused,
    )


def render_charge(charge: Charge, currency: str) -> SubscriptionChargeResponse:
    """A charge on the wire."""
    period, service = charge.period, charge.service
    return SubscriptionChargeResponse(
        id=charge.id,
        price_id=charge.price_id,
        kind=charge.kind,
        period_start=period.start,
        period_end=last_day(period.end) if period.days else None,
        service_period_start=service.start,
        service_period_end=service.end - timedelta(days=1),
        quantity=charge.quantity,
        discount_percent=charge.discount_percent,
        amount=format_amount(charge.net, currency),
        events=charge.events,
        is_waiting=charge.waits,
        credits_charge_id=charge.credits_charge_id,
        change_id=charge.change_id,
        invoice_id=charge.invoice_id,
        invoice_line_id=charge.invoice_line_id,
        credit_note_id=charge.credit_note_id,
        credit_note_amount=format_amount(charge.credit_note_net, currency),
    )


def render_schedule(schedule: BillingSchedule) -> BillingScheduleResponse:
    """A billing schedule on the wire."""
    return BillingScheduleResponse(
        price_id=schedule.price_id,
        billing_period_type=schedule.billing_period_type,
        billed_until=schedule.billed_until,
        next_billing_date=schedule.next_billing_date,
        carried=schedule.carried,
    )


def last_day(end: date | None) -> date | None:
    """The last day that is covered, of the first one that is not."""
    return None if end is None else end - timedelta(days=1)


def _fields(read: SubscriptionRead, status_day: date) -> dict[str, Any]:
    subscription, version = read.subscription, read.version
    fields = {
        **_terms_of_version(version, read.product_ids),
        **fields_of(version, SubscriptionFields),
        "id": subscription.id,
        "customer_id": subscription.customer_id,
        "status": _status_as_of(read, status_day),
        "currency": subscription.currency,
        "start_date": subscription.starts_on,
        "end_date": last_day(version.ends_on),
        "trial_end_date": last_day(subscription.trial_until),
        "cancellation_date": version.ends_on if version.is_cancelled else None,
        "proration_behavior": subscription.proration_behavior,
        "next_billing_date": read.next_billing_date,
        "partner_reference_id": subscription.partner_reference_id,
        "first_invoice_id": subscription.first_invoice_id,
        "pay_by": subscription.pay_by if subscription.awaits_payment else None,
        "version_id": version.id,
        "version": version.number,
        "created_at": subscription.created_at,
        "updated_at": subscription.updated_at,
    }
    return fields if read.customer_name is None else fields | {"customer_name": read.customer_name}


def _payload(kept: Mapping[str, Any]) -> dict[str, Any]:
    """A change's payload; quantities are kept as text, and the end that was agreed before a cancellation is ours."""
    shown = {name: value for name, value in kept.items() if name != "endsOn"}
    if "products" in shown:
        shown["products"] = [
            {"priceId": one["priceId"], "quantity": plain_number(Decimal(one["quantity"]))} for one in shown["products"]
        ]
    return shown


def _status_as_of(read: SubscriptionRead, day: date) -> SubscriptionStatus:
    version = read.version
    known_then = replace(
        read.subscription, ends_on=version.ends_on, is_cancelled=version.is_cancelled, is_paused=version.is_paused
    )
    return status_on(known_then, day)


def _terms_of_version(version: VersionRow, product_ids: Mapping[UUID, UUID]) -> dict[str, Any]:
    return {
        "plan_id": version.plan_id,
        "plan_version": version.plan_version,
        "billing_cycle_anchor": version.anchor,
        "billing_direction": version.billing_direction,
        "billing_interval": version.billing_interval,
        "billing_interval_count": version.billing_interval_count,
        "products": _products(version.terms.items, product_ids),
    }


def _products(items: Sequence[Item], product_ids: Mapping[UUID, UUID]) -> list[SubscriptionProductResponse]:
    return [
        SubscriptionProductResponse(
            price_id=item.price_id, product_id=product_ids[item.price_id], quantity=item.quantity
        )
        for item in items
    ]
