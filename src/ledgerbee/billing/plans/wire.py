"""Plans on the wire (contract 2.15; making and changing them is ours)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BaseModel, Field, StringConstraints, WithJsonSchema

from ledgerbee.billing.plans.model import (
    MAX_TRIAL_DAYS,
    NewAlternative,
    Plan,
    PlanFields,
    PlanItem,
    PlanRow,
    PlanStatus,
    PlanVersion,
)
from ledgerbee.billing.plans.rules import check_prices_differ
from ledgerbee.catalog.prices.model import BillingInterval, PriceId
from ledgerbee.catalog.prices.wire import IntervalCount
from ledgerbee.catalog.wire import CatalogName
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import property_path
from ledgerbee.core.fields import fields_of
from ledgerbee.core.money import ONE
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.fields import BLANK_IS_NULL
from ledgerbee.http.list_query import Limit, ListQuery, PageNumber, Search, search_schema
from ledgerbee.http.wire import (
    CurrencyCode,
    IdOf,
    IdText,
    Moment,
    Number,
    PageResponse,
    Quantity,
    RequestModel,
    ResponseModel,
    Whole,
    WholeNumber,
    blank_or,
    changes_to,
    decimal_schema,
    omitted,
)

_SLUG: Final = r"^[a-z0-9]+(-[a-z0-9]+)*$"
_MAX_SLUG: Final = 63
_MAX_ORDER: Final = 1_000_000
_EXAMPLE_SLUG: Final = "basis"

_ITEMS: Final = (
    "What is billed: 1 to 100 prices, each at most once, of which one at least is RECURRING or USAGE. ONE_TIME prices "
    "are billed when a subscription starts."
)
_CURRENCY: Final = "Currency (ISO 4217) that each price has to have an amount of its own in"
_INTERVAL: Final = (
    "How often the RECURRING prices are billed. They say it themselves, and it may be left out; needed where all that "
    "is billed again are USAGE prices, which are billed by no longer interval."
)
_INTERVAL_COUNT: Final = (
    "How many intervals make a period (a quarter is 3 months); left out: that of the RECURRING prices, else 1"
)
_ALTERNATIVES: Final = (
    "Other cadences that a subscription may change to, each with the prices that are billed then: at most 20, that "
    "differ from the plan's own and from each other"
)
_TRIAL: Final = "Days of a subscription, from its start on, that nothing is billed for unless it says otherwise"
_ORDER: Final = "Place among the plans that are offered, the lowest first; plans may share one"
_VANITY: Final = "Short name for addresses, unique among the company's plans: lower-case letters, digits and hyphens"
_OPTIONAL: Final = "Billed only for subscriptions that name the price in `productOverrides`"
_QUANTITY: Final = "How many are billed, above 0; 1 for USAGE prices, whose meter counts"


class PlanItemResponse(ResponseModel):
    """A price of a plan."""

    price_id: IdText = Field(description="The price")
    quantity: Number = Field(description=_QUANTITY, examples=[1])
    optional: bool = Field(description=_OPTIONAL)


class PlanAlternativeResponse(ResponseModel):
    """Another cadence of a plan."""

    interval: BillingInterval = Field(description="Unit of the billing period")
    interval_count: WholeNumber = Field(description="How many of them make a period", examples=[1])
    items: list[PlanItemResponse] = Field(description="What is billed in this cadence")


class _Terms(ResponseModel):
    """What a version of a plan fixes."""

    currency: str = Field(description=_CURRENCY, examples=["DKK"])
    items: list[PlanItemResponse] = Field(description="What is billed, in the order that it was given in")
    interval: BillingInterval = Field(description="Unit of the billing period")
    interval_count: WholeNumber = Field(description="How many of them make a period", examples=[1])
    alternatives: list[PlanAlternativeResponse] = Field(description="Other cadences that a subscription may change to")
    trial_days: WholeNumber = Field(description=_TRIAL, examples=[14])


class SubscriptionPlanResponse(_Terms):
    """A subscription plan, as new subscriptions get it. Its id is the `planId` of subscriptions."""

    id: IdText
    name: str = Field(examples=["Basis"])
    status: PlanStatus = Field(description="Only ACTIVE plans can be given to customers")
    display_order: WholeNumber = Field(description=_ORDER, examples=[10])
    vanity: str | None = Field(description=_VANITY + "; null without one", examples=[_EXAMPLE_SLUG])
    version: WholeNumber = Field(description="Number of the current version, from 1 (extension)", examples=[1])
    created_at: Moment
    updated_at: Moment


class SubscriptionPlanVersionResponse(_Terms):
    """A version of a subscription plan, which never changes."""

    plan_id: IdText = Field(description="The plan")
    version: WholeNumber = Field(description="Number within the plan, from 1", examples=[1])
    created_at: Moment


class ListSubscriptionPlansResponse(PageResponse[SubscriptionPlanResponse]):
    """A page of subscription plans."""


class ListSubscriptionPlanVersionsResponse(PageResponse[SubscriptionPlanVersionResponse]):
    """A page of versions of a plan, the newest first."""


PlanQuantity = Annotated[
    Quantity,
    Field(gt=0),
    decimal_schema(f"{_QUANTITY}. Up to 6 decimals.", exclusiveMinimum=0, maximum=10**9),
]
Flag = Annotated[bool, Field(strict=True)]
TrialDays = Annotated[int, Field(strict=True, ge=0, le=MAX_TRIAL_DAYS), Whole]
DisplayOrder = Annotated[int, Field(strict=True, ge=0, le=_MAX_ORDER), Whole]
Vanity = Annotated[
    Annotated[str, StringConstraints(strict=True, max_length=_MAX_SLUG, pattern=_SLUG)] | None,
    BLANK_IS_NULL,
    blank_or({"type": "string", "maxLength": _MAX_SLUG, "pattern": _SLUG}),
    Field(description=_VANITY + "; null: none", examples=[_EXAMPLE_SLUG]),
]


class PlanItemRequest(RequestModel):
    """A price of a plan."""

    price_id: IdOf[PriceId] = Field(description="The price: ACTIVE, as its product")
    quantity: PlanQuantity = Field(ONE, examples=[1])
    optional: Flag = Field(False, description=_OPTIONAL)


Items = Annotated[list[PlanItemRequest], Field(min_length=1, max_length=100)]


class PlanAlternativeRequest(RequestModel):
    """Another cadence of a plan."""

    interval: BillingInterval | None = Field(None, description=_INTERVAL)
    interval_count: IntervalCount | None = Field(None, description=_INTERVAL_COUNT, examples=[1])
    items: Items = Field(description=_ITEMS)

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Whether each price is there once."""
        yield lambda: _check_items(self.items, path)


Alternatives = Annotated[list[PlanAlternativeRequest], Field(max_length=20)]


class CreateSubscriptionPlanRequest(RequestModel):
    """What a new plan needs."""

    name: CatalogName = Field(examples=["Basis"])
    items: Items = Field(description=_ITEMS)
    currency: CurrencyCode | None = Field(None, description=_CURRENCY + "; default: the company's base currency")
    interval: BillingInterval | None = Field(None, description=_INTERVAL)
    interval_count: IntervalCount | None = Field(None, description=_INTERVAL_COUNT, examples=[1])
    alternatives: Alternatives = Field([], description=_ALTERNATIVES)
    trial_days: TrialDays = Field(0, description=_TRIAL, examples=[14])
    display_order: DisplayOrder = Field(0, description=_ORDER, examples=[10])
    vanity: Vanity = None

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Whether each price is there once."""
        yield lambda: _check_items(self.items, path)

    def plan(self) -> PlanFields:
        """The plan that the body describes."""
        return PlanFields(
            **self.model_dump(exclude={"items", "alternatives"}),
            items=_items(self.items),
            alternatives=_alternatives(self.alternatives),
        )


class UpdateSubscriptionPlanRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    keeps_what_is_left_out = True

    name: CatalogName = omitted(examples=["Basis"])
    items: Items = omitted(
        description=_ITEMS + " Replaces all of them, and brings the cadence of its RECURRING prices."
    )
    currency: CurrencyCode = omitted(description=_CURRENCY)
    interval: BillingInterval = omitted(description=_INTERVAL)
    interval_count: IntervalCount = omitted(description=_INTERVAL_COUNT, examples=[1])
    alternatives: Alternatives = omitted(description=_ALTERNATIVES + ". Replaces all of them.")
    trial_days: TrialDays = omitted(description=_TRIAL, examples=[14])
    display_order: DisplayOrder = omitted(description=_ORDER, examples=[10])
    vanity: Vanity = None

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Whether each price is there once."""
        yield lambda: _check_items(self.items or [], path)


_changes_of = changes_to(PlanFields, UpdateSubscriptionPlanRequest)


def changes_of(body: UpdateSubscriptionPlanRequest) -> Changes[PlanFields]:
    """The changes that the body describes."""
    named = dict(_changes_of(body).fields)
    if "items" in named:
        named["items"] = _items(body.items)
    if "alternatives" in named:
        named["alternatives"] = _alternatives(body.alternatives)
    return Changes(named)


class SubscriptionPlanQuery(ListQuery):
    """The query parameters of the list."""

    search: Annotated[Search, search_schema("Basis")] = Field(None, description="Prefix search on the name")
    status: Annotated[
        PlanStatus | None, WithJsonSchema({"type": "string", "enum": [status.value for status in PlanStatus]})
    ] = Field(None, description="Only plans of this status")
    sort_by: Literal["name", "createdAt", "displayOrder"] = Field("createdAt", description="Field to sort by")


class SubscriptionPlanVersionQuery(BaseModel):
    """The query parameters of a plan's versions, which have one order."""

    model_config = ListQuery.model_config

    page: PageNumber = 1
    limit: Limit = 25

    @property
    def asked(self) -> PageRequest:
        """The page that is asked for."""
        return PageRequest(self.page, self.limit)


def _check_items(items: Sequence[PlanItemRequest], path: str) -> None:
    check_prices_differ(property_path(path, "items"), [item.price_id for item in items])


def _items(items: Iterable[PlanItemRequest]) -> tuple[PlanItem, ...]:
    return tuple(PlanItem(item.price_id, Decimal(item.quantity), item.optional) for item in items)


def _alternatives(alternatives: Iterable[PlanAlternativeRequest]) -> tuple[NewAlternative, ...]:
    return tuple(NewAlternative(_items(one.items), one.interval, one.interval_count) for one in alternatives)


def render(plan: Plan) -> SubscriptionPlanResponse:
    """A plan on the wire."""
    return SubscriptionPlanResponse(**fields_of(plan, PlanRow), **dict(_Terms.of_row(plan.current)))


def render_version(version: PlanVersion) -> SubscriptionPlanVersionResponse:
    """A version of a plan on the wire."""
    return SubscriptionPlanVersionResponse.of_row(version)
