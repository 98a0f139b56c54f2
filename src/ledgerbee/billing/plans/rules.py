"""Which prices fit together in a plan, and what changes of a plan make of it (contract 2.15)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import partial
from typing import Final
from uuid import UUID

from ledgerbee.billing.plans.model import (
    SUBSCRIPTION_PLAN_INTERVAL_MISMATCH,
    SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING,
    SUBSCRIPTION_PLAN_PRICE_NOT_USABLE,
    NewAlternative,
    Plan,
    PlanAlternative,
    PlanFields,
    PlanId,
    PlanItem,
    PlanStatus,
    PlanTerms,
    PlanVersion,
)
from ledgerbee.catalog.prices.model import (
    DAYS_OF_INTERVAL,
    MONTHS_OF_INTERVAL,
    PRODUCT_PRICE_NOT_FOUND,
    BillingInterval,
    BillingPeriodType,
    SellablePrice,
)
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError, check_all, property_path, refuse, refuse_first
from ledgerbee.core.fields import fields_of, replace
from ledgerbee.core.money import ONE

Prices = Mapping[UUID, SellablePrice]
Problem = tuple[str, str, str]

#: Fields of a plan that its versions fix; the others are the plan's own.
VERSIONED: Final = frozenset({"items", "currency", "interval", "interval_count", "alternatives", "trial_days"})
#: Days of a month on average: 400 years are 146,097 days.
_DAYS_A_MONTH: Final = Fraction(146_097, 4_800)


@dataclass(frozen=True, slots=True)
class _List:
    """The items of a plan (path "") or of one of its alternatives, with the cadence that is said of them."""

    path: str
    items: tuple[PlanItem, ...]
    interval: BillingInterval | None
    interval_count: int | None

    def place(self, name: str) -> str:
        return property_path(self.path, name)

    def of(self, kind: BillingPeriodType, prices: Prices) -> Iterator[tuple[str, SellablePrice]]:
        """The prices of a period type with their places."""
        for index, item in enumerate(self.items):
            found = prices[item.price_id]
            if found.price.billing_period_type is kind:
                yield self.place(f"items.{index}"), found


def check_prices_differ(path: str, price_ids: Sequence[UUID]) -> None:
    """Refuse a price that stands twice in the items at `path`, with a validation error that names each further one."""
    refuse(
        [
            (f"{path}.{index}.priceId", "arrayUnique", f"{path}.{index}.priceId stands in {path} already")
            for index, price_id in enumerate(price_ids)
            if price_id in price_ids[:index]
        ]
    )


def price_ids(given: PlanFields) -> set[UUID]:
    """The prices that a plan is made of."""
    return {item.price_id for listed in _lists(given) for item in listed.items}


def terms_of(given: PlanFields, prices: Prices, base_currency: str) -> PlanTerms:
    """What a version of the plan fixes, in its currency or else the company's.

    `prices` are those of `price_ids` that the company has. In the plan's items, and in those of each alternative:

    - each price is there once, is ACTIVE, as its product, and has an amount of its own in the plan's currency;
    - at least one price is RECURRING or USAGE; those that are ONE_TIME come beside them;
    - RECURRING prices have one cadence, which is that of the list; without any, the list says its own;
    - USAGE prices are billed by no longer interval (a month is as long as on average), and have no quantity but 1.

    The cadences of the plan and its alternatives differ (12 months are a year). Raises validation errors,
    `PRODUCT_PRICE_NOT_FOUND`, `SUBSCRIPTION_PLAN_PRICE_NOT_USABLE`, `SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING`,
    `SUBSCRIPTION_PLAN_INTERVAL_MISMATCH`.
    """
    lists = list(_lists(given))
    currency = given.currency or base_currency
    check_all(*(partial(_check_list, listed) for listed in lists))
    refuse_first(fault for listed in lists for fault in _unusable(listed, prices, currency))
    refuse([problem for listed in lists for problem in _problems(listed, prices)])
    cadences = [_cadence(listed, prices) for listed in lists]
    refuse_first(
        fault for listed, cadence in zip(lists, cadences, strict=True) for fault in _mismatches(listed, cadence, prices)
    )
    refuse(list(_repeated(cadences)))
    (interval, count), *others = cadences
    return PlanTerms(
        currency=currency,
        interval=interval,
        interval_count=count,
        trial_days=given.trial_days,
        items=given.items,
        alternatives=tuple(
            PlanAlternative(*cadence, listed.items) for cadence, listed in zip(others, lists[1:], strict=True)
        ),
    )


def fields_now(plan: Plan) -> PlanFields:
    """What is said of a plan as it stands, with every cadence."""
    now = plan.current
    return PlanFields(
        name=plan.name,
        display_order=plan.display_order,
        vanity=plan.vanity,
        items=now.items,
        currency=now.currency,
        interval=now.interval,
        interval_count=now.interval_count,
        alternatives=tuple(NewAlternative(a.items, a.interval, a.interval_count) for a in now.alternatives),
        trial_days=now.trial_days,
    )


def merged(plan: Plan, changes: Changes[PlanFields], prices: Prices) -> PlanFields:
    """What is said of a plan with `changes` made to it. `prices` are those of the new items that there are.

    New items with RECURRING prices bring their cadence along, as far as the changes don't name it.
    """
    fields = dict(changes.fields)
    if any(_is_recurring(prices.get(item.price_id)) for item in fields.get("items", ())):
        fields = {"interval": None, "interval_count": None} | fields
    return replace(fields_now(plan), **fields)


def terms_now(plan: Plan) -> PlanTerms:
    """What the current version of a plan fixes."""
    return PlanTerms(**fields_of(plan.current, PlanTerms))


def has_other_terms(plan: Plan, fields: PlanFields) -> bool:
    """Whether `fields` say anything else than the plan's current version does."""
    now = fields_now(plan)
    return any(getattr(fields, name) != getattr(now, name) for name in VERSIONED)


def with_fields(plan: Plan, fields: PlanFields, terms: PlanTerms, now: datetime) -> Plan:
    """The plan as `fields` say, at its next version where `terms` are not those of the current one.

    As it was if nothing is different.
    """
    version = plan.current
    if terms != terms_now(plan):
        version = new_version(plan.id, plan.version + 1, fields.name, terms, now)
    after = replace(
        plan,
        name=fields.name,
        display_order=fields.display_order,
        vanity=fields.vanity,
        version=version.version,
        current=replace(version, name=fields.name),
    )
    return plan if after == plan else replace(after, updated_at=now)


def new_version(plan_id: PlanId, number: int, name: str, terms: PlanTerms, now: datetime) -> PlanVersion:
    """A version of a plan on these terms."""
    return PlanVersion(**fields_of(terms), plan_id=plan_id, version=number, name=name, created_at=now)


def with_status(plan: Plan, status: PlanStatus, now: datetime) -> Plan:
    """The plan in a status; where it already is, it stays as it is: repeating an action does no harm."""
    return plan if plan.status is status else replace(plan, status=status, updated_at=now)


def _lists(given: PlanFields) -> Iterator[_List]:
    yield _List("", given.items, given.interval, given.interval_count)
    for index, one in enumerate(given.alternatives):
        yield _List(f"alternatives.{index}", one.items, one.interval, one.interval_count)


def _check_list(listed: _List) -> None:
    check_prices_differ(listed.place("items"), [item.price_id for item in listed.items])


def _is_recurring(found: SellablePrice | None) -> bool:
    return found is not None and found.price.billing_period_type is BillingPeriodType.RECURRING


def _unusable(listed: _List, prices: Prices, currency: str) -> Iterator[LedgerBeeError]:
    for index, item in enumerate(listed.items):
        name = listed.place(f"items.{index}.priceId")
        found = prices.get(item.price_id)
        if found is None:
            yield PRODUCT_PRICE_NOT_FOUND.missing(name, "priceId", item.price_id)
        elif not found.is_sellable:
            yield SUBSCRIPTION_PLAN_PRICE_NOT_USABLE.error(
                property=name,
                priceId=str(item.price_id),
                status=found.price.status.value,
                productStatus=found.product.status.value,
            )
        elif currency != found.price.currency and currency not in found.price.currency_amounts:
            yield SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING.error(
                property=name, priceId=str(item.price_id), currency=found.price.currency, planCurrency=currency
            )


def _problems(listed: _List, prices: Prices) -> Iterator[Problem]:
    """What is wrong with the items of a list and its cadence, but for cadences that don't fit."""
    for index, item in enumerate(listed.items):
        name = listed.place(f"items.{index}.quantity")
        is_usage = prices[item.price_id].price.billing_period_type is BillingPeriodType.USAGE
        if is_usage and item.quantity != ONE:
            yield name, "equals", f"{name} must be 1 or left out: the meter of a USAGE price counts"
    if any(listed.of(BillingPeriodType.RECURRING, prices)):
        return
    if not any(listed.of(BillingPeriodType.USAGE, prices)):
        name = listed.place("items")
        yield name, "arrayContains", f"{name} must contain a RECURRING or USAGE price"
    elif listed.interval is None:
        name = listed.place("interval")
        yield name, "isDefined", f"{name} should not be null or undefined: no RECURRING price says it"


def _cadence(listed: _List, prices: Prices) -> tuple[BillingInterval, int]:
    """The cadence that is said, completed by the first RECURRING price."""
    first = next((found.price for _, found in listed.of(BillingPeriodType.RECURRING, prices)), None)
    interval = listed.interval or (first.billing_interval if first else None)
    assert interval is not None  # refused before
    same = first if first is not None and first.billing_interval is interval else None
    return interval, listed.interval_count or (same.billing_interval_count if same else None) or 1


def _mismatches(listed: _List, cadence: tuple[BillingInterval, int], prices: Prices) -> Iterator[LedgerBeeError]:
    for place, found in listed.of(BillingPeriodType.RECURRING, prices):
        if _cadence_of(found) != cadence:
            yield _mismatch(place, found, cadence)
    for place, found in listed.of(BillingPeriodType.USAGE, prices):
        if _length(*_cadence_of(found)) > _length(*cadence):
            yield _mismatch(place, found, cadence)


def _mismatch(place: str, found: SellablePrice, cadence: tuple[BillingInterval, int]) -> LedgerBeeError:
    own_interval, own_count = _cadence_of(found)
    interval, count = cadence
    return SUBSCRIPTION_PLAN_INTERVAL_MISMATCH.error(
        property=f"{place}.priceId",
        priceId=str(found.price.id),
        billingInterval=own_interval.value,
        billingIntervalCount=own_count,
        interval=interval.value,
        intervalCount=count,
    )


def _cadence_of(found: SellablePrice) -> tuple[BillingInterval, int]:
    interval, count = found.price.billing_interval, found.price.billing_interval_count
    assert interval is not None
    assert count is not None  # only ONE_TIME prices have none
    return interval, count


def _repeated(cadences: Sequence[tuple[BillingInterval, int]]) -> Iterator[Problem]:
    """The alternatives whose cadence is that of the plan or of one before them."""
    same = [_counted(*cadence) for cadence in cadences]
    for index, one in enumerate(same[1:]):
        if one in same[: index + 1]:
            name = f"alternatives.{index}.interval"
            yield name, "arrayUnique", f"{name} and its count must differ from the plan's and other alternatives'"


def _counted(interval: BillingInterval, count: int) -> tuple[bool, int]:
    """A cadence in days or in months."""
    if interval in DAYS_OF_INTERVAL:
        return True, DAYS_OF_INTERVAL[interval] * count
    return False, MONTHS_OF_INTERVAL[interval] * count


def _length(interval: BillingInterval, count: int) -> Fraction:
    """Days of a cadence, on average."""
    is_days, number = _counted(interval, count)
    return Fraction(number) if is_days else number * _DAYS_A_MONTH
