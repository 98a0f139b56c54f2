"""Creating, changing and deleting prices, moving them between states, and reading them in another currency."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from ledgerbee.catalog.prices import rules, store
from ledgerbee.catalog.prices.model import (
    METER_INVALID_STATE,
    PRODUCT_PRICE_NOT_FOUND,
    MeterStatus,
    NewPrice,
    Price,
    SellablePrice,
    SoldProduct,
)
from ledgerbee.catalog.products.model import PRODUCT_INVALID_STATE, CatalogStatus
from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import store as rates
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING


async def create(context: Context, product_id: UUID, terms: NewPrice) -> SellablePrice:
    """Create an active price; the first active one of a product is its default.

    Emits `product_price.created`.
    Raises `LICENSE.REQUIRED`, validation errors (`rules.check_price`), `PRODUCT_NOT_FOUND`, `PRODUCT_INVALID_STATE`
    for an archived product, `METER_NOT_FOUND` and `METER_INVALID_STATE`.
    """
    company = await companies.get(context)
    rules.check_licenses(terms.billing_period_type, company.licenses)
    price = rules.new_price(new_id(), product_id, terms, company.base_currency, context.now)
    sold = await store.hold_product(context, product_id)
    if sold.product.status is CatalogStatus.ARCHIVED:
        raise PRODUCT_INVALID_STATE.in_state(sold.product.status)
    await _check_meter(context, price.meter_id)
    others = (await store.prices_for_update(context, product_id)).values()
    price = replace(price, is_default=rules.takes_default(others))
    context.emit("product_price.created", price.id, _form(context, sold, price))
    return await _save(context, sold, price, others)


async def update(context: Context, price_id: UUID, changes: Mapping[str, Any]) -> SellablePrice:
    """Change the named fields of a price. Raises what `create` raises (but for the product's errors),
    `PRODUCT_PRICE_NOT_FOUND` and `PRODUCT_PRICE_LOCKED`. Emits `product_price.updated` if anything became different.
    """
    sold, before, others = await _held(context, price_id)
    price = rules.changed(before, changes, context.now)
    if price.billing_period_type is not before.billing_period_type:
        rules.check_licenses(price.billing_period_type, (await companies.get(context)).licenses)
    if price.meter_id != before.meter_id:
        await _check_meter(context, price.meter_id)
    return await _change(context, sold, before, price, others)


async def delete(context: Context, price_id: UUID) -> None:
    """Delete a price. Raises `PRODUCT_PRICE_NOT_FOUND`, `PRODUCT_PRICE_IN_USE`, `PRODUCT_PRICE_INVALID_STATE`.

    Emits `product_price.deleted`.
    """
    sold, price, others = await _held(context, price_id)
    rules.check_deletable(price, others)
    await store.delete(context, price_id)
    was = _form(context, sold, price)
    context.emit("product_price.deleted", price_id, was, before=was)


async def move(context: Context, price_id: UUID, status: CatalogStatus) -> SellablePrice:
    """Activate, disable or archive a price. Raises `PRODUCT_PRICE_NOT_FOUND`, `PRODUCT_PRICE_INVALID_STATE`.

    Emits `product_price.updated` if anything became different.
    """
    sold, before, others = await _held(context, price_id)
    price = rules.moved(before, status, others, context.now)
    return await _change(context, sold, before, price, others)


async def set_default(context: Context, price_id: UUID) -> SellablePrice:
    """Make an active price its product's default. Raises `PRODUCT_PRICE_NOT_FOUND`, `PRODUCT_PRICE_INVALID_STATE`.

    Emits `product_price.updated` if it wasn't, also of the one that loses the mark.
    """
    sold, before, others = await _held(context, price_id)
    return await _change(context, sold, before, rules.made_default(before, context.now), others)


async def in_currency(context: Context, prices: Iterable[Price], currency: str, on: date) -> dict[UUID, Price]:
    """The prices by id, each as it is in `currency` on a day; one that takes a rate which is not there is left out.

    What documents charge and what the catalogue shows is converted here: a price's own and fixed amounts are taken as
    they are, others are converted at the rates of the day (`rules.in_currency`), each looked up once.
    """
    prices = list(prices)
    foreign = {price.currency for price in prices if rules.in_currency(price, currency, None) is None}
    conversions = await rates.conversions(context, foreign, currency, on)
    found = {price.id: rules.in_currency(price, currency, conversions.get(price.currency)) for price in prices}
    return {price_id: price for price_id, price in found.items() if price is not None}


async def shown_in(context: Context, found: Iterable[SellablePrice], currency: str) -> list[Price]:
    """The prices, in their order, as they are in `currency` today. Raises `EXCHANGE_RATE_MISSING`."""
    prices = [sellable.price for sellable in found]
    converted = await in_currency(context, prices, currency, context.today)
    for price in prices:
        if price.id not in converted:
            raise EXCHANGE_RATE_MISSING.error(
                currency=price.currency, toCurrency=currency, date=context.today.isoformat()
            )
    return [converted[price.id] for price in prices]


async def _held(context: Context, price_id: UUID) -> tuple[SoldProduct, Price, list[Price]]:
    """A price with its product and the product's other prices, all held until the transaction ends."""
    sold = await store.hold_product_of(context, price_id)
    prices = await store.prices_for_update(context, sold.product.id)
    price = prices.pop(price_id, None)
    if price is None:
        raise PRODUCT_PRICE_NOT_FOUND.error()  # deleted while we waited for its product
    return sold, price, list(prices.values())


async def _check_meter(context: Context, meter_id: UUID | None) -> None:
    if meter_id is None:
        return
    meter = await store.meter(context, meter_id)
    if meter.status is not MeterStatus.ACTIVE:
        raise METER_INVALID_STATE.in_state(meter.status)


def _form(context: Context, sold: SoldProduct, price: Price) -> dict[str, Any]:
    return told(SellablePrice, SellablePrice(price, sold.product, sold.zones), context.today)


async def _change(
    context: Context, sold: SoldProduct, before: Price, price: Price, others: Iterable[Price]
) -> SellablePrice:
    """Write a changed price, if it is one, and tell `product_price.updated`."""
    if replace(price, updated_at=before.updated_at) == before:
        return SellablePrice(before, sold.product, sold.zones)
    was = _form(context, sold, before)
    context.emit("product_price.updated", price.id, _form(context, sold, price), before=was)
    return await _save(context, sold, price, others)


async def _save(context: Context, sold: SoldProduct, price: Price, others: Iterable[Price]) -> SellablePrice:
    old = [other for other in others if other.is_default] if price.is_default else []
    if old:
        await store.clear_default(context, price.product_id)
    for other in old:
        was = _form(context, sold, other)
        context.emit("product_price.updated", other.id, was | {"isDefault": False}, before=was)
    await store.save(context, price)
    return SellablePrice(price, sold.product, sold.zones)
