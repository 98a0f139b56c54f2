"""Creating, changing and deleting prices, setting their status, and converting them to another currency."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from ledgerbee.catalog.model import PRODUCT_INVALID_STATE, CatalogStatus, ProductId
from ledgerbee.catalog.prices import rules, store
from ledgerbee.catalog.prices.model import (
    METER_INVALID_STATE,
    PRODUCT_PRICE_NOT_FOUND,
    MeterStatus,
    NewPrice,
    Price,
    PriceId,
    PriceTerms,
    SellablePrice,
    SoldProduct,
)
from ledgerbee.catalog.prices.wire import render
from ledgerbee.core.changes import Changes
from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import store as companies
from ledgerbee.tenancy.rates import store as rates
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING


async def create(context: Context, product_id: ProductId, given: NewPrice) -> SellablePrice:
    """Create an active price; the first active one of a product is its default.

    Emits `product_price.created`.
    Raises `LICENSE.REQUIRED`, validation errors (`rules.check_price`), `PRODUCT_NOT_FOUND`, `PRODUCT_INVALID_STATE`
    for an archived product, `METER_NOT_FOUND` and `METER_INVALID_STATE`.
    """
    company = await companies.get(context)
    rules.check_licenses(given.billing_period_type, company.licenses)
    price = rules.new_price(PriceId(new_id()), product_id, given, company.base_currency, context.now)
    product = await store.get_product_for_update(context, product_id)
    if product.status is CatalogStatus.ARCHIVED:
        raise PRODUCT_INVALID_STATE.in_state(product.status)
    await _check_meter(context, price.meter_id)
    others = await store.list_of_product_for_update(context, product_id)
    price = replace(price, is_default=rules.takes_default(others))
    context.emit("product_price.created", price.id, _event(context, product, price))
    await _clear_default(context, product, price, others)
    await store.insert(context, price)
    return SellablePrice(price, product)


async def update(context: Context, price_id: PriceId, changes: Changes[PriceTerms]) -> SellablePrice:
    """Change the named fields of a price. Raises what `create` raises (but for the product's errors),
    `PRODUCT_PRICE_NOT_FOUND` and `PRODUCT_PRICE_LOCKED`. Emits `product_price.updated` if anything became different.
    """
    product, before, others = await _get_for_update(context, price_id)
    price = rules.changed(before, changes, context.now)
    if price.billing_period_type is not before.billing_period_type:
        rules.check_licenses(price.billing_period_type, (await companies.get(context)).licenses)
    if price.meter_id != before.meter_id:
        await _check_meter(context, price.meter_id)
    return await _update(context, product, before, price, others)


async def delete(context: Context, price_id: PriceId) -> None:
    """Delete a price. Raises `PRODUCT_PRICE_NOT_FOUND`, `PRODUCT_PRICE_IN_USE`, `PRODUCT_PRICE_INVALID_STATE`.

    Emits `product_price.deleted`.
    """
    product, price, others = await _get_for_update(context, price_id)
    rules.check_deletable(price, others, await store.uses_of(context, [price]))
    await store.delete(context, price_id)
    was = _event(context, product, price)
    context.emit("product_price.deleted", price_id, was, before=was)


async def set_status(context: Context, price_id: PriceId, status: CatalogStatus) -> SellablePrice:
    """Activate, disable or archive a price. Raises `PRODUCT_PRICE_NOT_FOUND`, `PRODUCT_PRICE_INVALID_STATE`.

    Emits `product_price.updated` if anything became different.
    """
    product, before, others = await _get_for_update(context, price_id)
    price = rules.with_status(before, status, others, context.now)
    return await _update(context, product, before, price, others)


async def set_default(context: Context, price_id: PriceId) -> SellablePrice:
    """Make an active price its product's default. Raises `PRODUCT_PRICE_NOT_FOUND`, `PRODUCT_PRICE_INVALID_STATE`.

    Emits `product_price.updated` if it wasn't, also of the one that loses the mark.
    """
    product, before, others = await _get_for_update(context, price_id)
    return await _update(context, product, before, rules.as_default(before, context.now), others)


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


async def shown_in(context: Context, found: Iterable[SellablePrice], currency: str | None) -> Sequence[Price]:
    """The prices, in their order, as they are in `currency` today; None: each in its own.

    Raises `EXCHANGE_RATE_MISSING`.
    """
    prices = [sellable.price for sellable in found]
    if currency is None:
        return prices
    converted = await in_currency(context, prices, currency, context.today)
    for price in prices:
        if price.id not in converted:
            raise EXCHANGE_RATE_MISSING.error(
                currency=price.currency, toCurrency=currency, date=context.today.isoformat()
            )
    return [converted[price.id] for price in prices]


async def _get_for_update(context: Context, price_id: PriceId) -> tuple[SoldProduct, Price, list[Price]]:
    """A price with its product and the product's other prices, all locked until the transaction ends."""
    product = await store.get_product_of_price_for_update(context, price_id)
    prices = {price.id: price for price in await store.list_of_product_for_update(context, product.id)}
    price = PRODUCT_PRICE_NOT_FOUND.unless(prices.pop(price_id, None))  # it may be deleted while we wait
    return product, price, list(prices.values())


async def _check_meter(context: Context, meter_id: UUID | None) -> None:
    if meter_id is None:
        return
    meter = await store.get_meter(context, meter_id)
    if meter.status is not MeterStatus.ACTIVE:
        raise METER_INVALID_STATE.in_state(meter.status)


def _event(context: Context, product: SoldProduct, price: Price) -> dict[str, Any]:
    return render(SellablePrice(price, product), context.today).as_event()


async def _update(
    context: Context, product: SoldProduct, before: Price, price: Price, others: Iterable[Price]
) -> SellablePrice:
    """Write a changed price, if it is one. Emits `product_price.updated`."""
    if replace(price, updated_at=before.updated_at) == before:
        return SellablePrice(before, product)
    was = _event(context, product, before)
    context.emit("product_price.updated", price.id, _event(context, product, price), before=was)
    await _clear_default(context, product, price, others)
    await store.update(context, price)
    return SellablePrice(price, product)


async def _clear_default(context: Context, product: SoldProduct, price: Price, others: Iterable[Price]) -> None:
    """Take the mark of the default from another price where `price` has it. Emits `product_price.updated`."""
    replaced = [other for other in others if other.is_default] if price.is_default else []
    if replaced:
        await store.clear_default(context, product.id)
    for other in replaced:
        was = _event(context, product, other)
        context.emit("product_price.updated", other.id, was | {"isDefault": False}, before=was)
