"""What a quantity costs, what a price may look like and which states it may take (contract 2.12).

The arithmetic of the four pricing models is exact to the last digit: amounts are in the price's own currency and
unrounded; documents round them, once, to the currency.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any, Final

from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.catalog.prices.model import (
    PRODUCT_PRICE_IN_USE,
    PRODUCT_PRICE_INVALID_STATE,
    PRODUCT_PRICE_LOCKED,
    PRODUCT_PRICE_QUANTITY_INVALID,
    BillingPeriodType,
    NewPrice,
    Price,
    PriceId,
    PriceTerms,
    PricingModel,
    Tier,
)
from ledgerbee.catalog.prices.rules.terms import check_price as check_price
from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import wire_name
from ledgerbee.core.money import EXACT, ONE, UNIT_PRICE_PLACES, ZERO, minor_units, multiply, round_to
from ledgerbee.platform.credentials.model import LICENSE_REQUIRED
from ledgerbee.tenancy.rates.model import RatePair
from ledgerbee.tenancy.rates.rules import convert

#: Licences that a company needs to create a price of the period type, in the order they are asked for.
LICENSES: Final[Mapping[BillingPeriodType, tuple[str, ...]]] = {
    BillingPeriodType.ONE_TIME: (),
    BillingPeriodType.RECURRING: ("Subscription",),
    BillingPeriodType.USAGE: ("Subscription", "MeteredProducts"),
}
#: What a price's status may become. Archived prices come back as active, or not at all.
MOVES: Final[Mapping[CatalogStatus, frozenset[CatalogStatus]]] = {
    CatalogStatus.ACTIVE: frozenset({CatalogStatus.DISABLED, CatalogStatus.ARCHIVED}),
    CatalogStatus.DISABLED: frozenset({CatalogStatus.ACTIVE, CatalogStatus.ARCHIVED}),
    CatalogStatus.ARCHIVED: frozenset({CatalogStatus.ACTIVE}),
}
#: What may not change while anything uses the price. Amounts in further currencies may be added.
LOCKED_FIELDS: Final = (
    "billing_period_type",
    "pricing_model",
    "currency",
    "unit_amount",
    "tiers",
    "billing_interval",
    "billing_interval_count",
    "meter_id",
)


def amount_for(price: Price, quantity: Decimal) -> Decimal:
    """What `quantity` units cost, exactly.

    - FLAT_RATE: quantity x unit amount; a negative quantity (a return) costs the negative amount.
    - PACKAGE: every package begun costs `unit_amount`, plus `flat_amount` once.
    - VOLUME: the tier that holds the whole quantity prices all of it, plus that tier's `flat_amount`.
    - GRADUATED: each tier prices the units that fall into it; its `flat_amount` comes with the first of them.

    A tier holds quantities up to and including `up_to`. Nothing costs nothing: at quantity 0 no flat amount is due.
    Raises `PRODUCT_PRICE_QUANTITY_INVALID` for a negative quantity of a price with tiers: which tier returned units
    were sold at is not known.
    """
    if price.pricing_model is PricingModel.FLAT_RATE:
        return multiply(quantity, price.unit_amount or ZERO)
    if quantity < 0:
        raise PRODUCT_PRICE_QUANTITY_INVALID.error(priceId=str(price.id), quantity=f"{quantity:f}")
    if quantity == 0:
        return ZERO
    with localcontext(EXACT):
        if price.pricing_model is PricingModel.PACKAGE:
            return _package_amount(price.tiers[0], quantity)
        if price.pricing_model is PricingModel.VOLUME:
            return _volume_amount(price.tiers, quantity)
        return _graduated_amount(price.tiers, quantity)


def effective_unit_price(price: Price, quantity: Decimal) -> Decimal:
    """The price of one unit when `quantity` are bought: what a document line shows, at up to 12 decimals.

    FLAT_RATE: its unit amount. With tiers: the amount divided by the quantity, so that quantity x unit price is the
    amount again to within half a unit of the 12th decimal for each unit bought; 0 for quantity 0. Raises what
    `amount_for` raises.
    """
    if price.pricing_model is PricingModel.FLAT_RATE:
        return price.unit_amount or ZERO
    amount = amount_for(price, quantity)
    return round_to(EXACT.divide(amount, quantity), UNIT_PRICE_PLACES) if quantity else ZERO


def _package_amount(tier: Tier, quantity: Decimal) -> Decimal:
    whole, rest = divmod(quantity, tier.package_size or ONE)
    packages = whole + 1 if rest else whole
    return packages * tier.unit_amount + tier.flat_amount


def _volume_amount(tiers: tuple[Tier, ...], quantity: Decimal) -> Decimal:
    tier = next(tier for tier in tiers if tier.up_to is None or quantity <= tier.up_to)
    return quantity * tier.unit_amount + tier.flat_amount


def _graduated_amount(tiers: tuple[Tier, ...], quantity: Decimal) -> Decimal:
    amount, below = ZERO, ZERO
    for tier in tiers:
        top = quantity if tier.up_to is None else min(quantity, tier.up_to)
        amount += (top - below) * tier.unit_amount + tier.flat_amount
        if top == quantity:
            break
        below = top
    return amount


def in_currency(price: Price, currency: str, conversion: RatePair | None) -> Price | None:
    """The price as it is in another currency, or None when that takes a rate and there is none.

    Its own currency and those with a fixed amount (`currency_amounts`) need no rate; any other amount is converted
    by `conversion` (from the price's own currency). A converted amount is rounded once, half away from zero, to the
    currency's minor units, as a price in that currency would be written. An amount finer than its own currency's minor
    units (0.0042 for a call), or one too small to show in the other, keeps 12 decimals instead, so that no price
    vanishes by conversion.
    """
    if currency == price.currency:
        return price
    if currency in price.currency_amounts:
        return replace(price, currency=currency, unit_amount=price.currency_amounts[currency], currency_amounts={})
    if conversion is None:
        return None

    def converted(amount: Decimal) -> Decimal:
        exact = convert(amount, conversion)
        rounded = round_to(exact, minor_units(currency))
        is_fine = amount != round_to(amount, minor_units(price.currency))
        return round_to(exact, UNIT_PRICE_PLACES) if is_fine or rounded == 0 else rounded

    return replace(
        price,
        currency=currency,
        unit_amount=None if price.unit_amount is None else converted(price.unit_amount),
        tiers=tuple(
            replace(tier, unit_amount=converted(tier.unit_amount), flat_amount=converted(tier.flat_amount))
            for tier in price.tiers
        ),
        currency_amounts={},
    )


def currencies(price: Price) -> tuple[str, ...]:
    """The currencies that have an amount of their own: the price's first, the others in alphabetical order."""
    return (price.currency, *sorted(price.currency_amounts))


def new_price(price_id: PriceId, product_id: ProductId, given: NewPrice, currency: str, now: datetime) -> Price:
    """A price on the terms given, active; `currency` is what an unnamed one means. Raises what `check_price` raises."""
    terms = {field.name: getattr(given, field.name) for field in fields(given)}
    terms["currency"] = given.currency or currency
    if given.billing_period_type is not BillingPeriodType.ONE_TIME and given.billing_interval_count is None:
        terms["billing_interval_count"] = 1
    price = Price(
        id=price_id,
        product_id=product_id,
        status=CatalogStatus.ACTIVE,
        is_default=False,
        is_locked=False,
        created_at=now,
        updated_at=now,
        **terms,
    )
    check_price(price)
    return price


def changed(price: Price, changes: Changes[PriceTerms], now: datetime) -> Price:
    """The price with `changes` made to it.

    What the new pricing model or period type has no use for (the tiers of what is now a FLAT_RATE price, the
    interval of what is now ONE_TIME) goes by itself unless `changes` names it. Raises what `check_price` raises, and
    `PRODUCT_PRICE_LOCKED` when the price is locked and one of `LOCKED_FIELDS` or an amount in another currency would
    be different afterwards.
    """
    after = replace(price, **_dropped(price, changes.fields) | dict(changes.fields), updated_at=now)
    check_price(after)
    if price.is_locked:
        changed_fields = [name for name in LOCKED_FIELDS if getattr(price, name) != getattr(after, name)]
        if not price.currency_amounts.items() <= after.currency_amounts.items():
            changed_fields.append("currency_amounts")
        if changed_fields:
            raise PRODUCT_PRICE_LOCKED.error(fields=[wire_name(name) for name in changed_fields])
    return after


def _dropped(price: Price, named: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that changes of the `named` fields leave without use, as they are then."""
    dropped: dict[str, Any] = {}
    if named.get("pricing_model", PricingModel.FLAT_RATE) is not PricingModel.FLAT_RATE:
        dropped |= {"unit_amount": None, "currency_amounts": {}}
    elif "pricing_model" in named:
        dropped |= {"tiers": ()}
    period = named.get("billing_period_type", price.billing_period_type)
    if period is BillingPeriodType.ONE_TIME:
        dropped |= {"billing_interval": None, "billing_interval_count": None}
    elif price.billing_interval_count is None:
        dropped |= {"billing_interval_count": 1}
    if period is not BillingPeriodType.USAGE:
        dropped |= {"meter_id": None}
    if "currency" in named:
        dropped |= {"currency_amounts": {c: a for c, a in price.currency_amounts.items() if c != named["currency"]}}
    return dropped


def check_licenses(period: BillingPeriodType, licenses: Iterable[str]) -> None:
    """Refuse a period type that the company has no licence for. Raises `LICENSE.REQUIRED` with `licenseKey`."""
    for key in LICENSES[period]:
        if key not in licenses:
            raise LICENSE_REQUIRED.error(licenseKey=key)


def takes_default(others: Iterable[Price]) -> bool:
    """Whether a price that is active from now on becomes its product's default: when no active price is it yet.

    So a product's first price is its default, and a product with an active price has an active default.
    """
    return not any(other.is_default and other.status is CatalogStatus.ACTIVE for other in others)


def with_status(price: Price, status: CatalogStatus, others: Iterable[Price], now: datetime) -> Price:
    """The price in another status (`MOVES`). `others` are the product's other prices.

    Where it already is, it stays as it is: repeating an action after a lost answer does no harm. An activated price
    becomes the default when no active price is. Raises `PRODUCT_PRICE_INVALID_STATE` for an archived price that
    should become disabled, and for the default price while another active price could take its place.
    """
    if price.status is status:
        return price
    if status not in MOVES[price.status]:
        raise PRODUCT_PRICE_INVALID_STATE.in_state(price.status)
    if status is CatalogStatus.ACTIVE:
        return replace(price, status=status, is_default=takes_default(others), updated_at=now)
    check_replaceable(price, others)
    return replace(price, status=status, updated_at=now)


def check_replaceable(price: Price, others: Iterable[Price]) -> None:
    """Refuse to lose the default while another active price could be it. Raises `PRODUCT_PRICE_INVALID_STATE`."""
    if price.is_default and any(other.status is CatalogStatus.ACTIVE for other in others):
        raise PRODUCT_PRICE_INVALID_STATE.in_state(
            price.status, "The price is its product's default: set another one as the default first", isDefault=True
        )


def as_default(price: Price, now: datetime) -> Price:
    """The price as its product's default. Raises `PRODUCT_PRICE_INVALID_STATE` unless it is active."""
    if price.status is not CatalogStatus.ACTIVE:
        raise PRODUCT_PRICE_INVALID_STATE.in_state(price.status)
    return price if price.is_default else replace(price, is_default=True, updated_at=now)


def check_deletable(price: Price, others: Iterable[Price], used_by: Sequence[str]) -> None:
    """Refuse to delete what anything uses (`PRODUCT_PRICE_IN_USE`) and the default among active prices."""
    if used_by:
        raise PRODUCT_PRICE_IN_USE.used(used_by)
    check_replaceable(price, others)
