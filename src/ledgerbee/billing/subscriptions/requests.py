"""What requests for subscriptions bring (contract 2.15, 3.1)."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from ledgerbee.billing.plans.model import MAX_TRIAL_DAYS
from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.model import (
    CancelCommand,
    CancelStrategy,
    ChangeStatus,
    ChangeType,
    NewChange,
    NewSubscription,
    PaymentBehavior,
    ProductOverride,
    RefundBehavior,
    SubscriptionFields,
    SubscriptionStatus,
)
from ledgerbee.billing.timelines.model import BillingDirection, ProrationBehavior
from ledgerbee.catalog.prices.model import BillingInterval
from ledgerbee.catalog.prices.wire import IntervalCount
from ledgerbee.catalog.wire import CatalogName
from ledgerbee.core.errors import check_all, refuse, shortened
from ledgerbee.core.money import ONE
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import BLANK_IS_NULL
from ledgerbee.http.list_query import Limit, ListQuery, PageNumber, Search, search_schema
from ledgerbee.http.wire import (
    EXAMPLE_ID,
    Day,
    Id,
    Quantity,
    RequestModel,
    Trimmed,
    Whole,
    changes_to,
    decimal_schema,
    omitted,
)

Problem = tuple[str, str, str]

#: Prices that one request may name.
_MAX_PRODUCTS: Final = 100

_QUANTITY: Final = "How many are billed; 0 leaves the price out. 1 or 0 of a USAGE price, whose meter counts"
_ANCHOR: Final = "The day that periods are counted from, before or after the start; `startDate` unless given"
_PAYMENT_METHOD: Final = "A saved card of who pays for the customer: its own, or where a parent pays, the parent's"
_AUTOMATIC: Final = "Charge its invoices to the payment method"
_DEPARTMENT: Final = "A department of the customer"
_CONTACT: Final = "A contact of the customer, for its invoices to name"
_PRORATION: Final = "What becomes of the period that is billed; the subscription's own unless given"
_OVERRIDES: Final = (
    "Quantities in place of the plan's. Optional prices of the plan are billed only where they are named here"
)

Flag = Annotated[bool, Field(strict=True)]
TrialDays = Annotated[int, Field(strict=True, ge=0, le=MAX_TRIAL_DAYS), Whole]
ProductQuantity = Annotated[
    Quantity,
    Field(ge=0),
    decimal_schema(f"{_QUANTITY}. Up to 6 decimals.", minimum=0, maximum=10**9),
]
#: At most 255 characters: an index holds it.
Reference = Annotated[Annotated[str, Trimmed(255)] | None, BLANK_IS_NULL]


class ProductRequest(RequestModel):
    """A price, and how much of it."""

    price_id: Id
    quantity: ProductQuantity = Field(ONE, examples=[3])

    def override(self) -> ProductOverride:
        """What it names."""
        return ProductOverride(self.price_id, Decimal(self.quantity))


Products = Annotated[list[ProductRequest], Field(max_length=_MAX_PRODUCTS)]


def _check_once(products: Iterable[ProductRequest], place: str) -> None:
    """That no price is named twice."""
    seen: set[Any] = set()
    problems = []
    for index, one in enumerate(products):
        if one.price_id in seen:
            name = f"{place}.{index}.priceId"
            problems.append((name, "arrayUnique", f"{name} must not name a price twice"))
        seen.add(one.price_id)
    refuse(problems)


class CreateSubscriptionRequest(RequestModel):
    """What a subscription needs, and what it may bring."""

    customer_id: Id = Field(description="An active customer")
    plan_id: Id = Field(description="A plan that is ACTIVE")
    start_date: Day = Field(
        description="First day, up to 20 years ago or 10 years ahead; periods that have passed are billed one by one"
    )
    end_date: Day | None = omitted(description="Last day that is covered; open-ended unless given")
    billing_cycle_anchor: Day | None = omitted(description=_ANCHOR)
    proration_behavior: ProrationBehavior = Field(
        ProrationBehavior.NONE,
        description="What becomes of partial periods: `none` gives them away, `create_prorations` puts them on the "
        "next regular invoice, `always_invoice` bills them at once. With `arrears` they are always billed.",
    )
    trial_days: TrialDays | None = omitted(
        description="Days from the start on that nothing is billed for; the plan's unless given", examples=[14]
    )
    billing_direction: BillingDirection = Field(
        BillingDirection.ADVANCE, description="`advance`: a period is billed at its start; `arrears`: at its end"
    )
    product_overrides: Products = Field([], description=_OVERRIDES)
    payment_method_id: Id | None = omitted(description=_PAYMENT_METHOD)
    automatic_billing: Flag = Field(False, description=_AUTOMATIC)
    payment_behavior: PaymentBehavior = Field(
        PaymentBehavior.DEFAULT,
        description="`pay_first`: it is `awaiting_payment` from its first day until its first invoice is paid, and "
        "ends where that fails. It needs `automaticBilling`, a `paymentMethodId` that can be charged, "
        "`billingDirection` `advance`, no trial and a `startDate` that is not past (extension)",
    )
    customer_department_id: Id | None = omitted(description=_DEPARTMENT)
    department_contact_override_id: Id | None = omitted(description=_CONTACT)
    partner_reference_id: Reference = omitted(
        description="Your own reference, to find it and its events by (extension)", examples=["order-8812"]
    )
    name: CatalogName | None = omitted(description="The plan's name unless given (extension)", examples=["Basis"])

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its days, and that each price is named once."""
        return _of_subscription(self, facts.today)

    def given(self, today: date) -> NewSubscription:
        """What it asks for. Raises a validation error for all that its rules find."""
        check_all(*_of_subscription(self, today))
        return self.given_as_it_is()

    def given_as_it_is(self) -> NewSubscription:
        """What it asks for, whatever is wrong with it."""
        values = self.model_dump(exclude={"product_overrides"})
        return NewSubscription(**values, product_overrides=tuple(one.override() for one in self.product_overrides))


def _of_subscription(body: CreateSubscriptionRequest, today: date) -> Iterator[Check]:
    yield lambda: refuse(list(rules.day_problems("startDate", body.start_date, today)))
    yield lambda: refuse(_of_day(body.billing_cycle_anchor, "billingCycleAnchor", today))
    yield lambda: refuse([] if body.end_date is None else list(rules.end_problems(body.start_date, body.end_date)))
    yield lambda: _check_once(body.product_overrides, "productOverrides")
    yield lambda: refuse(list(rules.pay_first_problems(body.given_as_it_is(), today)))


def _of_day(day: date | None, name: str, today: date) -> list[Problem]:
    return [] if day is None else list(rules.day_problems(name, day, today))


class UpdateSubscriptionRequest(RequestModel):
    """The fields to change; the others stay as they are. Null clears what may be null."""

    keeps_what_is_left_out = True

    name: CatalogName = omitted(examples=["Basis"])
    payment_method_id: Id | None = omitted(description=_PAYMENT_METHOD + "; null: none")
    automatic_billing: Flag = omitted(description=_AUTOMATIC)
    customer_department_id: Id | None = omitted(description=_DEPARTMENT + "; null: none")
    department_contact_override_id: Id | None = omitted(description=_CONTACT + "; null: the customer's own")


changes_of = changes_to(SubscriptionFields, UpdateSubscriptionRequest)


class CancelSubscriptionRequest(RequestModel):
    """Which subscription to cancel, and how."""

    id: Id = Field(description="The subscription")
    strategy: CancelStrategy = Field(
        description="`end_of_cycle`: at the end of the period that runs, or of the trial; `immediately`: today is the "
        "first day without it; `specific_date`: `effectiveDate` is; `clear_schedule`: a scheduled cancellation is "
        "taken back"
    )
    effective_date: Day | None = omitted(
        description="First day that is not covered, today or later; needed for `specific_date` and left out otherwise"
    )
    refund_behavior: RefundBehavior = Field(
        RefundBehavior.NONE,
        description="With `immediately` and `specific_date`: nothing, the newest paid invoice in full, or the days "
        "that are paid for and not used",
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its day, and what goes with its strategy."""
        return _of_cancellation(self, facts.today)

    def command(self, today: date) -> CancelCommand:
        """What it asks for. Raises a validation error for all that its rules find."""
        check_all(*_of_cancellation(self, today))
        return CancelCommand(
            strategy=self.strategy, effective_date=self.effective_date, refund_behavior=self.refund_behavior
        )


def _of_cancellation(body: CancelSubscriptionRequest, today: date) -> Iterator[Check]:
    yield lambda: refuse(list(rules.cancel_problems(body.strategy, body.effective_date, body.refund_behavior)))
    yield lambda: refuse(_of_effective_date(body.effective_date, today))


def _of_effective_date(day: date | None, today: date) -> list[Problem]:
    return [] if day is None else list(rules.effective_problems(day, today))


class ChangePayloadRequest(RequestModel):
    """What a change needs, by its type."""

    plan_id: Id = omitted(description="`replace_plan`: a plan that is ACTIVE, of the same currency")
    products: Products = omitted(
        description="`edit_products`: the prices that change, with their new quantities; 0 removes one. "
        "`replace_plan`: as `productOverrides` of a new subscription"
    )
    interval: BillingInterval = omitted(description="`change_cadence`: that of an alternative of the plan")
    interval_count: IntervalCount = omitted(description="`change_cadence`: how many of them; 1 unless given")
    billing_direction: BillingDirection = omitted(description="`change_direction`: the new one")
    refund_behavior: RefundBehavior = omitted(
        description="`cancel` with an `effectiveDate`: what is given back; nothing unless given"
    )


#: What the payload of each type has to have, and what it may have.
_NEEDED: Final[Mapping[ChangeType, tuple[str, ...]]] = {
    ChangeType.REPLACE_PLAN: ("planId",),
    ChangeType.CHANGE_CADENCE: ("interval",),
    ChangeType.CHANGE_DIRECTION: ("billingDirection",),
    ChangeType.EDIT_PRODUCTS: ("products",),
}
_ALLOWED: Final[Mapping[ChangeType, tuple[str, ...]]] = {
    ChangeType.REPLACE_PLAN: ("products",),
    ChangeType.CHANGE_CADENCE: ("intervalCount",),
    ChangeType.CANCEL: ("refundBehavior",),
}
#: What doesn't begin a period of its own.
_NEVER_RESTARTS: Final = frozenset({ChangeType.CANCEL, ChangeType.PAUSE})


class CreateScheduledChangeRequest(RequestModel):
    """A change, and when."""

    type: ChangeType
    effective_date: Day | None = omitted(
        description="First day of the new state: today for at once, or later; the next boundary unless given"
    )
    proration_behavior: ProrationBehavior | None = omitted(description=_PRORATION)
    restart_period: Flag = Field(
        False, description="Begin a period on its day, which becomes the anchor; the rest of the old one is credited"
    )
    payload: ChangePayloadRequest = Field(ChangePayloadRequest(), description="What the change needs, by its type")

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its day, and what goes with its type."""
        return _of_change(self, facts.today)

    def given(self, today: date) -> NewChange:
        """What it asks for. Raises a validation error for all that its rules find."""
        check_all(*_of_change(self, today))
        sent = self.payload
        payload: dict[str, Any] = {}
        if sent.plan_id is not None:
            payload["planId"] = str(sent.plan_id)
        if sent.products is not None:
            payload["products"] = rules.overrides_payload([one.override() for one in sent.products])
        if sent.interval is not None:
            payload |= {"interval": sent.interval.value, "intervalCount": sent.interval_count or 1}
        if sent.billing_direction is not None:
            payload["billingDirection"] = sent.billing_direction.value
        if self.type is ChangeType.CANCEL:
            payload["refundBehavior"] = (sent.refund_behavior or RefundBehavior.NONE).value
        return NewChange(
            type=self.type,
            effective_date=self.effective_date,
            proration_behavior=self.proration_behavior,
            restarts_period=self.restart_period,
            payload=payload,
        )


def _of_change(body: CreateScheduledChangeRequest, today: date) -> Iterator[Check]:
    yield lambda: refuse(_of_effective_date(body.effective_date, today))
    yield lambda: refuse(list(_payload_problems(body)))
    yield lambda: refuse(list(_problems(body)))
    yield lambda: _check_once(body.payload.products or [], "payload.products")


def _payload_problems(body: CreateScheduledChangeRequest) -> Iterator[Problem]:
    kind, payload = body.type, body.payload
    needed, allowed = _NEEDED.get(kind, ()), _ALLOWED.get(kind, ())
    sent = {ChangePayloadRequest.model_fields[name].alias or name for name in payload.model_fields_set}
    for name in needed:
        if name not in sent:
            yield f"payload.{name}", "isNotEmpty", f"payload.{name} should not be empty with the type {kind.value}"
    for name in sorted(sent - {*needed, *allowed}):
        yield f"payload.{name}", "isEmpty", f"payload.{name} must be left out with the type {kind.value}"
    if kind is ChangeType.EDIT_PRODUCTS and payload.products == []:
        yield "payload.products", "arrayNotEmpty", "payload.products must name a price"


def _problems(body: CreateScheduledChangeRequest) -> Iterator[Problem]:
    kind = body.type
    if body.restart_period and kind in _NEVER_RESTARTS:
        yield "restartPeriod", "equals", f"restartPeriod must be false with the type {kind.value}"
    if kind is not ChangeType.CANCEL:
        return
    if body.proration_behavior is not None:
        text = "prorationBehavior must be left out with the type cancel: payload.refundBehavior says it"
        yield "prorationBehavior", "isEmpty", text
    refund = body.payload.refund_behavior
    if body.effective_date is None and refund not in {None, RefundBehavior.NONE}:
        name = "payload.refundBehavior"
        yield name, "equals", f"{name} must be none without an effectiveDate"


class HoldSubscriptionRequest(RequestModel):
    """When to pause or resume, and what becomes of the period that is billed."""

    effective_date: Day | None = omitted(description="First day of the new state: today unless given")
    proration_behavior: ProrationBehavior | None = omitted(description=_PRORATION)

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Its day."""
        yield lambda: refuse(_of_effective_date(self.effective_date, facts.today))

    def given(self, kind: ChangeType, today: date) -> NewChange:
        """The change that it asks for. Raises a validation error for a day that is past."""
        refuse(_of_effective_date(self.effective_date, today))
        return NewChange(
            type=kind, effective_date=self.effective_date or today, proration_behavior=self.proration_behavior
        )


def _enum_list(kind: type[SubscriptionStatus] | type[ChangeStatus]) -> Callable[[str | None], str | None]:
    known = [one.value for one in kind]

    def check(value: str | None) -> str | None:
        for one in () if value is None else value.split(","):
            if one not in known:
                raise PydanticCustomError(
                    "isEnum",
                    "must be some of {known}, separated by commas: {one} is none",
                    {"known": ", ".join(known), "one": shortened(one)},
                )
        return value

    return check


Statuses = Annotated[
    str | None,
    AfterValidator(_enum_list(SubscriptionStatus)),
    WithJsonSchema({"type": "string", "pattern": r"^[a-z_]+(,[a-z_]+)*$", "examples": ["active,trial"]}),
]
ChangeStatuses = Annotated[
    str,
    AfterValidator(_enum_list(ChangeStatus)),
    WithJsonSchema({"type": "string", "pattern": r"^[a-z]+(,[a-z]+)*$", "examples": ["pending,failed"]}),
]
_QueryId = Annotated[Id | None, WithJsonSchema({"type": "string", "examples": [EXAMPLE_ID]})]
_QueryDay = Annotated[Day | None, WithJsonSchema({"type": "string", "format": "date", "examples": ["2026-01-31"]})]


class SubscriptionQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("Nordlys")] = Field(
        None, description="Prefix search on the customer's name or the subscription's"
    )
    statuses: Statuses = Field(None, description="Only subscriptions of these statuses, separated by commas")
    customer_id: _QueryId = Field(None, description="Only subscriptions of this customer")
    plan_id: _QueryId = Field(None, description="Only subscriptions of this plan")
    partner_reference_id: Annotated[
        Annotated[str, StringConstraints(max_length=255)] | None,
        WithJsonSchema({"type": "string", "maxLength": 255, "examples": ["order-8812"]}),
    ] = Field(None, description="Only subscriptions with this reference of yours, exactly")
    sort_by: Literal["createdAt"] = Field("createdAt", description="Field to sort by")

    @property
    def wanted_statuses(self) -> list[SubscriptionStatus]:
        """The statuses that are asked for; none: all."""
        return [] if self.statuses is None else [SubscriptionStatus(one) for one in self.statuses.split(",")]


class SubscriptionReadQuery(BaseModel):
    """The query parameters of a read of a single one."""

    model_config = ListQuery.model_config

    as_of: _QueryDay = Field(None, description="As it stood on this day; today unless given (extension)")


class ScheduledChangesQuery(BaseModel):
    """The query parameters of a subscription's changes."""

    model_config = ListQuery.model_config

    statuses: ChangeStatuses = Field(
        ChangeStatus.PENDING.value, description="Only changes of these statuses, separated by commas (extension)"
    )

    @property
    def wanted(self) -> list[ChangeStatus]:
        """The statuses that are asked for."""
        return [ChangeStatus(one) for one in self.statuses.split(",")]


class SubscriptionPartsQuery(BaseModel):
    """The query parameters of versions and charges, which have one order."""

    model_config = ListQuery.model_config

    page: PageNumber = 1
    limit: Limit = 25

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit)
