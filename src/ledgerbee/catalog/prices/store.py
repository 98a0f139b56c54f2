"""Rows of prices: each read brings the product, and the accounts and VAT codes of its group."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.catalog.model import PRODUCT_IN_USE, PRODUCT_NOT_FOUND, CatalogStatus, ProductId
from ledgerbee.catalog.prices.model import (
    METER_NOT_FOUND,
    PRODUCT_PRICE_IN_USE,
    PRODUCT_PRICE_NOT_FOUND,
    BillingInterval,
    BillingPeriodType,
    Meter,
    MeterStatus,
    Price,
    PriceId,
    PriceRow,
    PricingModel,
    ProductRow,
    SellablePrice,
    SoldProduct,
    Tier,
    ZoneSale,
)
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.core.fields import names_of
from ledgerbee.core.money import format_decimal
from ledgerbee.parties.customers.model import VatZone
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_PRICE_FIELDS: Final = names_of(Price)
_PRODUCT_FIELDS: Final = names_of(ProductRow)
_PRICE: Final = f"{rows.columns(PriceRow, 'p')}, price_is_used(p.company_id, p.id) AS is_locked"
_PRODUCT: Final = ", ".join(f"x.{name} AS sold_{name}" for name in _PRODUCT_FIELDS)
_SELECT: Final = (
    f"SELECT {_PRICE}, {_PRODUCT} FROM prices p"
    " JOIN products x ON x.company_id = p.company_id AND x.id = p.product_id WHERE p.company_id = $1"
)
_GET: Final = f"{_SELECT} AND p.id = $2"
_GET_MANY: Final = f"{_SELECT} AND p.id = ANY($2)"
_GET_MANY_FOR_SHARE: Final = f"{_GET_MANY} ORDER BY p.id FOR SHARE OF p"
_LIST_OF_PRODUCT: Final = f"{_SELECT} AND p.product_id = $2 ORDER BY p.is_default DESC, p.created_at, p.id"
_ZONE_ACCOUNTS: Final = ", ".join(f"('{zone}', g.{zone}_account_id)" for zone in VatZone)
_ZONES: Final = (
    f"SELECT g.id AS group_id, g.defer_revenue, z.zone, z.account_id, {vat_codes.columns('v', 'vat_')}"
    " FROM product_groups g"
    f" CROSS JOIN LATERAL (VALUES {_ZONE_ACCOUNTS}) z (zone, account_id)"
    " JOIN accounts a ON a.company_id = $1 AND a.id = z.account_id"
    " LEFT JOIN vat_codes v ON v.company_id = $1 AND v.id = a.vat_code_id"
    " WHERE g.company_id = $1 AND g.id = ANY($2)"
)
_LOCK_PRODUCT: Final = f"SELECT {_PRODUCT} FROM products x WHERE x.company_id = $1 AND x.id = $2 FOR NO KEY UPDATE"
_LOCK_PRODUCT_OF: Final = (
    f"SELECT {_PRODUCT} FROM products x WHERE x.company_id = $1"
    " AND x.id = (SELECT p.product_id FROM prices p WHERE p.company_id = $1 AND p.id = $2) FOR NO KEY UPDATE"
)
_OF_PRODUCT: Final = "FROM prices p WHERE p.company_id = $1 AND p.product_id = $2"
_LOCK_OF_PRODUCT: Final = f"SELECT {_OF_PRODUCT} ORDER BY p.id FOR NO KEY UPDATE"
_LOCKED_OF_PRODUCT: Final = f"SELECT {_PRICE} {_OF_PRODUCT}"
_INSERT: Final = rows.insert("prices", PriceRow)
_UPDATE: Final = rows.update("prices", PriceRow, fixed=("product_id", "created_at"))
_CLEAR_DEFAULT: Final = (
    "UPDATE prices SET is_default = false, updated_at = $3 WHERE company_id = $1 AND product_id = $2 AND is_default"
)
_DELETE: Final = "DELETE FROM prices WHERE company_id = $1 AND id = $2"
_DELETE_OF_PRODUCT: Final = "DELETE FROM prices WHERE company_id = $1 AND product_id = $2"
_USES: Final = (
    "SELECT DISTINCT u.use FROM unnest($2::uuid[]) p (id), unnest(uses_of_price($1, p.id)) u (use) ORDER BY u.use"
)
#: What refers to prices, as `usedBy` names it, by the constraint that says so.
_USED_BY: Final = {
    "invoice_lines_price": "documents",
    "credit_note_lines_price": "documents",
    "quote_lines_price": "documents",
    "order_confirmation_lines_price": "documents",
    "subscription_plan_items_price": "subscriptionPlans",
}
_METER: Final = "SELECT m.id, m.name, m.status FROM meters m WHERE m.company_id = $1 AND m.id = $2"


async def get_many(context: Context, price_ids: Iterable[UUID]) -> dict[UUID, SellablePrice]:
    """The prices among `price_ids` that the company has, each with its product and VAT zones.

    Also inactive ones: `SellablePrice.is_sellable` tells whether a new document may carry it. Two queries, however
    many prices: the prices with their products, and the zones of the few groups that these belong to.
    """
    return await _get_many(context, _GET_MANY, price_ids)


async def get_many_for_share(context: Context, price_ids: Iterable[UUID]) -> dict[UUID, SellablePrice]:
    """As `get_many`; nobody changes or deletes them until the transaction ends, in which something that uses them is
    written.
    """
    return await _get_many(context, _GET_MANY_FOR_SHARE, price_ids)


async def list_of_product(context: Context, product_id: ProductId) -> list[SellablePrice]:
    """Every price of a product: the default first, then in order of creation."""
    return await _sellable(context, await context.connection.fetch(_LIST_OF_PRODUCT, context.company_id, product_id))


async def get(context: Context, price_id: PriceId) -> SellablePrice:
    """One price. Raises `PRODUCT_PRICE_NOT_FOUND`."""
    row = PRODUCT_PRICE_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, price_id))
    return (await _sellable(context, [row]))[0]


async def get_product_for_update(context: Context, product_id: ProductId) -> SoldProduct:
    """A product with its VAT zones, locked: until the transaction ends nobody else decides on its prices.

    Raises `PRODUCT_NOT_FOUND`.
    """
    row = await context.connection.fetchrow(_LOCK_PRODUCT, context.company_id, product_id)
    if row is None:
        raise PRODUCT_NOT_FOUND.missing("productId", "productId", product_id)
    return await _sold(context, row)


async def get_product_of_price_for_update(context: Context, price_id: PriceId) -> SoldProduct:
    """The product of a price, locked as `get_product_for_update` does. Raises `PRODUCT_PRICE_NOT_FOUND`."""
    row = await context.connection.fetchrow(_LOCK_PRODUCT_OF, context.company_id, price_id)
    return await _sold(context, PRODUCT_PRICE_NOT_FOUND.unless(row))


async def list_of_product_for_update(context: Context, product_id: ProductId) -> list[Price]:
    """The prices of a locked product, locked until the transaction ends.

    They are read after the lock is taken: a statement doesn't see what was written while it waited for one, such as the
    document line that uses a price.
    """
    await context.connection.execute(_LOCK_OF_PRODUCT, context.company_id, product_id)
    return [_price(row) for row in await context.connection.fetch(_LOCKED_OF_PRODUCT, context.company_id, product_id)]


async def insert(context: Context, price: Price) -> None:
    """Add a price to a locked product."""
    await context.connection.execute(_INSERT, context.company_id, *_values(price))


async def update(context: Context, price: Price) -> None:
    """Write a price's fields; its product is locked."""
    await context.connection.execute(_UPDATE, context.company_id, *_values(price))


async def clear_default(context: Context, product_id: ProductId) -> None:
    """Leave a locked product without a default price, for another to take the place."""
    await context.connection.execute(_CLEAR_DEFAULT, context.company_id, product_id, context.now)


async def uses_of(context: Context, prices: Iterable[Price]) -> list[str]:
    """What uses any of these prices, as `usedBy` of a refusal names it."""
    price_ids = [price.id for price in prices]
    return [row["use"] for row in await context.connection.fetch(_USES, context.company_id, price_ids)]


async def delete(context: Context, price_id: PriceId) -> None:
    """Delete a price. Raises `PRODUCT_PRICE_IN_USE` while anything refers to it."""
    with rows.refusing({name: PRODUCT_PRICE_IN_USE.used([use]) for name, use in _USED_BY.items()}):
        await context.connection.execute(_DELETE, context.company_id, price_id)


async def delete_of_product(context: Context, product_id: ProductId) -> None:
    """Delete every price of a product. Raises `PRODUCT_IN_USE` while anything refers to one."""
    with rows.refusing({name: PRODUCT_IN_USE.used([use]) for name, use in _USED_BY.items()}):
        await context.connection.execute(_DELETE_OF_PRODUCT, context.company_id, product_id)


async def get_meter(context: Context, meter_id: UUID) -> Meter:
    """One meter. Raises `METER_NOT_FOUND`."""
    row = await context.connection.fetchrow(_METER, context.company_id, meter_id)
    if row is None:
        raise METER_NOT_FOUND.missing("meterId", "meterId", meter_id)
    return Meter(row["id"], row["name"], MeterStatus(row["status"]))


async def _get_many(context: Context, statement: str, price_ids: Iterable[UUID]) -> dict[UUID, SellablePrice]:
    found = await context.connection.fetch(statement, context.company_id, list(set(price_ids)))
    return {sellable.price.id: sellable for sellable in await _sellable(context, found)}


async def _sellable(context: Context, found: Sequence[asyncpg.Record]) -> list[SellablePrice]:
    zones = await _zones(context, {row["sold_product_group_id"] for row in found})
    return [SellablePrice(_price(row), _product(row, zones[row["sold_product_group_id"]])) for row in found]


async def _sold(context: Context, row: asyncpg.Record) -> SoldProduct:
    group_id = row["sold_product_group_id"]
    return _product(row, (await _zones(context, {group_id}))[group_id])


async def _zones(context: Context, group_ids: set[UUID]) -> dict[UUID, dict[VatZone, ZoneSale]]:
    """The zones of product groups, by group."""
    if not group_ids:
        return {}
    zones: dict[UUID, dict[VatZone, ZoneSale]] = {group_id: {} for group_id in group_ids}
    for row in await context.connection.fetch(_ZONES, context.company_id, list(group_ids)):
        code = None if row["vat_id"] is None else vat_codes.vat_code(row, "vat_")
        zones[row["group_id"]][VatZone(row["zone"])] = ZoneSale(row["account_id"], code, row["defer_revenue"])
    return zones


def _product(row: asyncpg.Record, zones: dict[VatZone, ZoneSale]) -> SoldProduct:
    values = {name: row[f"sold_{name}"] for name in _PRODUCT_FIELDS}
    return SoldProduct(**values | {"status": CatalogStatus(values["status"])}, zones=zones)


def _price(row: asyncpg.Record) -> Price:
    values = {name: row[name] for name in _PRICE_FIELDS}
    interval = values["billing_interval"]
    return Price(
        **values
        | {
            "billing_period_type": BillingPeriodType(values["billing_period_type"]),
            "pricing_model": PricingModel(values["pricing_model"]),
            "tiers": tuple(_tier(tier) for tier in values["tiers"]),
            "billing_interval": BillingInterval(interval) if interval else None,
            "status": CatalogStatus(values["status"]),
            "currency_amounts": {code: Decimal(amount) for code, amount in values["currency_amounts"].items()},
        }
    )


def _tier(stored: dict[str, str | None]) -> Tier:
    up_to, package_size = stored["upTo"], stored["packageSize"]
    return Tier(
        up_to=None if up_to is None else Decimal(up_to),
        unit_amount=Decimal(stored["unitAmount"] or 0),
        flat_amount=Decimal(stored["flatAmount"] or 0),
        package_size=None if package_size is None else Decimal(package_size),
    )


def _values(price: Price) -> list[Any]:
    """A price's values in the order of its columns. Decimals inside JSON in one spelling: they are compared as text."""
    amounts = {code: format_decimal(amount) for code, amount in price.currency_amounts.items()}
    values = {"tiers": [_stored_tier(tier) for tier in price.tiers], "currency_amounts": amounts}
    return [values[name] if name in values else getattr(price, name) for name in names_of(PriceRow)]


def _stored_tier(tier: Tier) -> dict[str, str | None]:
    return {
        "upTo": None if tier.up_to is None else format_decimal(tier.up_to),
        "unitAmount": format_decimal(tier.unit_amount),
        "flatAmount": format_decimal(tier.flat_amount),
        "packageSize": None if tier.package_size is None else format_decimal(tier.package_size),
    }
