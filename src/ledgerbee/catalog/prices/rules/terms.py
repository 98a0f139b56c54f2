"""What the parts of a price must be for it to be one (contract 2.12)."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Final, Protocol
from uuid import UUID

from ledgerbee.catalog.prices.model import BillingInterval, BillingPeriodType, PricingModel, Tier
from ledgerbee.core.errors import refuse
from ledgerbee.core.money import ZERO

Problem = tuple[str, str, str]


class Terms(Protocol):
    """What the rules look at of a price, or of a request for one."""

    @property
    def pricing_model(self) -> PricingModel: ...
    @property
    def billing_period_type(self) -> BillingPeriodType: ...
    @property
    def currency(self) -> str: ...
    @property
    def unit_amount(self) -> Decimal | None: ...
    @property
    def currency_amounts(self) -> Mapping[str, Decimal]: ...
    @property
    def tiers(self) -> Sequence[Tier]: ...
    @property
    def billing_interval(self) -> BillingInterval | None: ...
    @property
    def billing_interval_count(self) -> int | None: ...
    @property
    def meter_id(self) -> UUID | None: ...


def check_price(price: Terms) -> None:
    """Refuse a price whose parts don't fit together, with a validation error that names every problem.

    - FLAT_RATE has a unit amount and no tiers; the other models have tiers and no unit amount.
    - PACKAGE has exactly one tier, open-ended, with a package size above 0.
    - VOLUME and GRADUATED have tiers of ascending `up_to`, the last one (and only it) open-ended.
    - Amounts of tiers are not negative (a FLAT_RATE amount may be: a discount).
    - RECURRING and USAGE have an interval, ONE_TIME has none; USAGE, and only it, has a meter.
    - Fixed amounts in other currencies are for FLAT_RATE, and not for the price's own currency.
    """
    refuse([problem for find in finders(price) for problem in find()])


def _missing(name: str) -> Problem:
    return name, "isDefined", f"{name} should not be null or undefined"


def _unwanted(name: str, reason: str) -> Problem:
    return name, "isEmpty", f"{name} must be left out: {reason}"


def _unit_amount_problems(price: Terms) -> Iterator[Problem]:
    model = price.pricing_model
    if model is PricingModel.FLAT_RATE and price.unit_amount is None:
        yield _missing("unitAmount")
    if model is not PricingModel.FLAT_RATE and price.unit_amount is not None:
        yield _unwanted("unitAmount", f"the amounts of a {model} price are in its tiers")


def _currency_amount_problems(price: Terms) -> Iterator[Problem]:
    if price.pricing_model is not PricingModel.FLAT_RATE and price.currency_amounts:
        yield _unwanted("currencyAmounts", "only FLAT_RATE prices have fixed amounts in other currencies")


def _own_currency_problems(price: Terms) -> Iterator[Problem]:
    if price.currency in price.currency_amounts:
        text = f"currencyAmounts must not contain the price's own currency {price.currency}"
        yield "currencyAmounts", "arrayNotContains", text


def _tier_problems(price: Terms) -> Iterator[Problem]:
    if price.pricing_model is PricingModel.FLAT_RATE:
        if price.tiers:
            yield _unwanted("tiers", "a FLAT_RATE price has a unitAmount instead")
    elif not price.tiers:
        yield "tiers", "arrayMinSize", "tiers must contain at least 1 elements"
    elif price.pricing_model is PricingModel.PACKAGE and len(price.tiers) > 1:
        yield "tiers", "arrayMaxSize", "tiers must contain no more than 1 elements"


def _tiers_of(price: Terms) -> Iterator[tuple[str, Tier]]:
    """The tiers with their places; none of a price that has none."""
    if price.pricing_model is not PricingModel.FLAT_RATE:
        for index, tier in enumerate(price.tiers):
            yield f"tiers.{index}", tier


def _amount_problems(path: str, tier: Tier, _: PricingModel) -> Iterator[Problem]:
    if tier.unit_amount < 0:
        yield f"{path}.unitAmount", "min", f"{path}.unitAmount must not be less than 0"


def _flat_amount_problems(path: str, tier: Tier, _: PricingModel) -> Iterator[Problem]:
    if tier.flat_amount < 0:
        yield f"{path}.flatAmount", "min", f"{path}.flatAmount must not be less than 0"


def _package_problems(path: str, tier: Tier, model: PricingModel) -> Iterator[Problem]:
    name = f"{path}.packageSize"
    if model is not PricingModel.PACKAGE:
        if tier.package_size is not None:
            yield _unwanted(name, "only PACKAGE prices have packages")
    elif tier.package_size is None:
        yield _missing(name)
    elif tier.package_size <= 0:
        yield name, "isPositive", f"{name} must be greater than 0"


def _bound_problems(price: Terms) -> Iterator[Problem]:
    below, last = ZERO, len(price.tiers) - 1
    for index, (path, tier) in enumerate(_tiers_of(price)):
        name = f"{path}.upTo"
        if index == last:
            if tier.up_to is not None:
                yield name, "isEmpty", f"{name} must be null: the last tier has no limit"
        elif tier.up_to is None:
            yield _missing(name)
        else:
            if tier.up_to <= below:
                yield name, "isPositive", f"{name} must be greater than {below:f}"
            below = tier.up_to


def _interval_problems(price: Terms) -> Iterator[Problem]:
    if price.billing_period_type is BillingPeriodType.ONE_TIME:
        if price.billing_interval is not None:
            yield _unwanted("billingInterval", "a ONE_TIME price is not billed again")
    elif price.billing_interval is None:
        yield _missing("billingInterval")


def _interval_count_problems(price: Terms) -> Iterator[Problem]:
    if price.billing_period_type is BillingPeriodType.ONE_TIME and price.billing_interval_count is not None:
        yield _unwanted("billingIntervalCount", "a ONE_TIME price is not billed again")


def _meter_problems(price: Terms) -> Iterator[Problem]:
    if price.billing_period_type is BillingPeriodType.USAGE:
        if price.meter_id is None:
            yield _missing("meterId")
    elif price.meter_id is not None:
        yield _unwanted("meterId", "only USAGE prices are measured by a meter")


#: Functions that find the parts of a price that don't fit together; `check_price` says which parts.
_PROBLEMS: Final = (
    _unit_amount_problems,
    _currency_amount_problems,
    _own_currency_problems,
    _tier_problems,
    _bound_problems,
    _interval_problems,
    _interval_count_problems,
    _meter_problems,
)
#: Functions that find the same in one tier.
_TIER_PROBLEMS: Final = (_amount_problems, _flat_amount_problems, _package_problems)


def finders(price: Terms) -> Iterator[Callable[[], Iterator[Problem]]]:
    """Functions that find the problems of a price; each reads only the parts that it is about."""
    for find in _PROBLEMS:
        yield partial(find, price)
    for path, tier in _tiers_of(price):
        for find_in in _TIER_PROBLEMS:
            yield partial(find_in, path, tier, price.pricing_model)
