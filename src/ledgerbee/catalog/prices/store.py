"""Rows of prices: each read brings the product, and the accounts and VAT codes of its group."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.catalog.prices.model import (
    METER_NOT_FOUND,
    PRODUCT_PRICE_IN_USE,
    PRODUCT_PRICE_NOT_FOUND,
    BillingInterval,
    BillingPeriodType,
    Meter,
    MeterStatus,
    Price,
    PricingModel,
    SellablePrice,
    SoldProduct,
    Tier,
    ZoneSale,
)
from ledgerbee.catalog.products.model import PRODUCT_IN_USE, PRODUCT_NOT_FOUND, CatalogStatus, Product
from ledgerbee.chart.vat_codes import store as vat_codes
from ledgerbee.chart.vat_codes.model import VatCode
from ledgerbee.core.money import format_decimal
from ledgerbee.parties.customers.model import VatZone
from ledgerbee.platform.context import Context

_PRICE_FIELDS: Final = tuple(field.name for field in fields(Price))
#: Columns that a price is written to; whether it is locked follows from what uses it.
_WRITTEN: Final = tuple(name for name in _PRICE_FIELDS if name != "is_locked")
_PRODUCT_FIELDS: Final = tuple(field.name for field in fields(Product))


def _prefixed(alias: str, names: Iterable[str], prefix: str) -> str:
    return ", ".join(f"{alias}.{name} AS {prefix}_{name}" for name in names)


_PRODUCT: Final = _prefixed("x", _PRODUCT_FIELDS, "product")
_PRICE: Final = f"{_prefixed('p', _WRITTEN, 'price')}, price_is_used(p.company_id, p.id) AS price_is_locked"
_SELLABLE: Final = (
    f"SELECT {_PRICE}, {_PRODUCT} FROM prices p"
    " JOIN products x ON x.company_id = p.company_id AND x.id = p.product_id WHERE p.company_id = $1"
)
_ZONE_ACCOUNTS: Final = ", ".join(f"('{zone}', g.{zone}_account_id)" for zone in VatZone)
_ZONES: Final = (
    f"SELECT g.id AS group_id, z.zone, z.account_id, {vat_codes.columns('v', 'vat_')} FROM product_groups g"
    f" CROSS JOIN LATERAL (VALUES {_ZONE_ACCOUNTS}) z (zone, account_id)"
    " JOIN accounts a ON a.company_id = $1 AND a.id = z.account_id"
    " LEFT JOIN vat_codes v ON v.company_id = $1 AND v.id = a.vat_code_id"
    " WHERE g.company_id = $1 AND g.id = ANY($2)"
)
_PRICE_COLUMNS: Final = ", ".join(_WRITTEN)
_PRICE_PLACES: Final = ", ".join(f"${number}" for number in range(2, len(_WRITTEN) + 2))
_PRICE_CHANGES: Final = ", ".join(
    f"{name} = excluded.{name}" for name in _WRITTEN if name not in {"id", "product_id", "created_at"}
)


async def sellable(context: Context, price_ids: Iterable[UUID], *, hold: bool = False) -> dict[UUID, SellablePrice]:
    """The prices among `price_ids` that the company has, each with its product and VAT zones.

    Also inactive ones: `SellablePrice.is_sellable` tells whether a new document may carry it. Two queries, however
    many prices: the prices with their products, and the zones of the few groups that these belong to. With `hold` they
    can't be changed or deleted until the transaction ends, in which something that uses them is written.
    """
    rows = await context.connection.fetch(
        f"{_SELLABLE} AND p.id = ANY($2){' ORDER BY p.id FOR SHARE OF p' if hold else ''}",
        context.company_id,
        list(set(price_ids)),
    )
    return {found.price.id: found for found in await _with_zones(context, rows)}


async def of_product(context: Context, product_id: UUID) -> list[SellablePrice]:
    """Every price of a product: the default first, then in order of creation."""
    rows = await context.connection.fetch(
        f"{_SELLABLE} AND p.product_id = $2 ORDER BY p.is_default DESC, p.created_at, p.id",
        context.company_id,
        product_id,
    )
    return await _with_zones(context, rows)


async def read(context: Context, price_id: UUID) -> SellablePrice:
    """One price. Raises `PRODUCT_PRICE_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_SELLABLE} AND p.id = $2", context.company_id, price_id)
    if row is None:
        raise PRODUCT_PRICE_NOT_FOUND.error()
    return (await _with_zones(context, [row]))[0]


async def hold_product(context: Context, product_id: UUID) -> SoldProduct:
    """A product with its VAT zones, held: until the transaction ends nobody else decides on its prices.

    Raises `PRODUCT_NOT_FOUND`.
    """
    row = await context.connection.fetchrow(
        f"SELECT {_PRODUCT} FROM products x WHERE x.company_id = $1 AND x.id = $2 FOR NO KEY UPDATE",
        context.company_id,
        product_id,
    )
    if row is None:
        raise PRODUCT_NOT_FOUND.missing("productId", "productId", product_id)
    return await _sold(context, row)


async def hold_product_of(context: Context, price_id: UUID) -> SoldProduct:
    """The product of a price, held like `hold_product` does. Raises `PRODUCT_PRICE_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_PRODUCT} FROM products x WHERE x.company_id = $1"
        " AND x.id = (SELECT p.product_id FROM prices p WHERE p.company_id = $1 AND p.id = $2) FOR NO KEY UPDATE",
        context.company_id,
        price_id,
    )
    if row is None:
        raise PRODUCT_PRICE_NOT_FOUND.error()
    return await _sold(context, row)


async def prices_for_update(context: Context, product_id: UUID) -> dict[UUID, Price]:
    """The prices of a held product by id, locked until the transaction ends.

    They are read after the lock is taken: a statement doesn't see what was written while it waited for one, such as the
    document line that uses a price.
    """
    await context.connection.execute(
        "SELECT FROM prices p WHERE p.company_id = $1 AND p.product_id = $2 ORDER BY p.id FOR NO KEY UPDATE",
        context.company_id,
        product_id,
    )
    rows = await context.connection.fetch(
        f"SELECT {_PRICE} FROM prices p WHERE p.company_id = $1 AND p.product_id = $2",
        context.company_id,
        product_id,
    )
    return {row["price_id"]: _price(row) for row in rows}


async def save(context: Context, price: Price) -> None:
    """Insert or update a price of a held product."""
    await context.connection.execute(
        f"INSERT INTO prices (company_id, {_PRICE_COLUMNS}) VALUES ($1, {_PRICE_PLACES})"
        f" ON CONFLICT (company_id, id) DO UPDATE SET {_PRICE_CHANGES}",
        context.company_id,
        *_values(price),
    )


async def clear_default(context: Context, product_id: UUID) -> None:
    """Leave a held product without a default price, for another to take the place."""
    await context.connection.execute(
        "UPDATE prices SET is_default = false, updated_at = $3"
        " WHERE company_id = $1 AND product_id = $2 AND is_default",
        context.company_id,
        product_id,
        context.now,
    )


async def delete(context: Context, price_id: UUID) -> None:
    """Delete a price. Raises `PRODUCT_PRICE_IN_USE` while anything refers to it."""
    try:
        await context.connection.execute(
            "DELETE FROM prices WHERE company_id = $1 AND id = $2", context.company_id, price_id
        )
    except asyncpg.ForeignKeyViolationError:
        raise PRODUCT_PRICE_IN_USE.used(["documents"]) from None


async def delete_of_product(context: Context, product_id: UUID) -> None:
    """Delete every price of a product. Raises `PRODUCT_IN_USE` while anything refers to one."""
    try:
        await context.connection.execute(
            "DELETE FROM prices WHERE company_id = $1 AND product_id = $2", context.company_id, product_id
        )
    except asyncpg.ForeignKeyViolationError:
        raise PRODUCT_IN_USE.used(["documents"]) from None


async def meter(context: Context, meter_id: UUID) -> Meter:
    """One meter. Raises `METER_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        "SELECT m.id, m.name, m.status FROM meters m WHERE m.company_id = $1 AND m.id = $2",
        context.company_id,
        meter_id,
    )
    if row is None:
        raise METER_NOT_FOUND.missing("meterId", "meterId", meter_id)
    return Meter(row["id"], row["name"], MeterStatus(row["status"]))


def _values(price: Price) -> list[Any]:
    # Decimals inside JSON in one spelling: the database compares them as text.
    values = {name: getattr(price, name) for name in _WRITTEN}
    values["tiers"] = [
        {
            "upTo": None if tier.up_to is None else format_decimal(tier.up_to),
            "unitAmount": format_decimal(tier.unit_amount),
            "flatAmount": format_decimal(tier.flat_amount),
            "packageSize": None if tier.package_size is None else format_decimal(tier.package_size),
        }
        for tier in price.tiers
    ]
    values["currency_amounts"] = {code: format_decimal(amount) for code, amount in price.currency_amounts.items()}
    return [values[name] for name in _WRITTEN]


async def _with_zones(context: Context, rows: Sequence[asyncpg.Record]) -> list[SellablePrice]:
    zones = await _zones(context, {row["product_product_group_id"] for row in rows})
    return [SellablePrice(_price(row), _product(row), zones[row["product_product_group_id"]]) for row in rows]


async def _sold(context: Context, row: asyncpg.Record) -> SoldProduct:
    product = _product(row)
    return SoldProduct(product, (await _zones(context, {product.product_group_id}))[product.product_group_id])


async def _zones(context: Context, group_ids: set[UUID]) -> dict[UUID, dict[VatZone, ZoneSale]]:
    """The zones of product groups, by group."""
    if not group_ids:
        return {}
    zones: dict[UUID, dict[VatZone, ZoneSale]] = {group_id: {} for group_id in group_ids}
    for row in await context.connection.fetch(_ZONES, context.company_id, list(group_ids)):
        zones[row["group_id"]][VatZone(row["zone"])] = ZoneSale(row["account_id"], _vat_code(row))
    return zones


def _price(row: asyncpg.Record) -> Price:
    values = {name: row[f"price_{name}"] for name in _PRICE_FIELDS}
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


def _product(row: asyncpg.Record) -> Product:
    values = {name: row[f"product_{name}"] for name in _PRODUCT_FIELDS}
    return Product(**values | {"status": CatalogStatus(values["status"])})


def _vat_code(row: asyncpg.Record) -> VatCode | None:
    return None if row["vat_id"] is None else vat_codes.vat_code(row, "vat_")
