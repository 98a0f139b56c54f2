"""Rows of products."""

from dataclasses import fields
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.catalog.product_groups.model import PRODUCT_GROUP_NOT_FOUND
from ledgerbee.catalog.products.model import (
    PRODUCT_NOT_FOUND,
    PRODUCT_NUMBER_ALREADY_EXISTS,
    CatalogStatus,
    Product,
)
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_FIELDS: Final = tuple(field.name for field in fields(Product))
_COLUMNS: Final = ", ".join(f"x.{name}" for name in _FIELDS)
_PLACES: Final = ", ".join(f"${number}" for number in range(2, len(_FIELDS) + 2))
_CHANGES: Final = ", ".join(f"{name} = excluded.{name}" for name in _FIELDS if name not in {"id", "created_at"})
SORT_COLUMNS: Final = {"number": "t.number_key", "name": "t.name_key", "createdAt": "t.created_at"}


async def list_page(
    context: Context, request: PageRequest, *, product_group_id: UUID | None, status: CatalogStatus | None
) -> Page[Product]:
    """A page of products, of one group or status if asked for."""
    filters = Filter()
    filters.starts_with(request.search, "name_key", "number_key")
    if product_group_id is not None:
        filters.add("t.product_group_id = {}", product_group_id)
    if status is not None:
        filters.add("t.status = {}", status)
    page = await fetch_page(
        context,
        table="products",
        select=f"SELECT {_COLUMNS} FROM page p JOIN products x USING (company_id, id)",
        filters=filters,
        order_by=SORT_COLUMNS,
        request=request,
    )
    return Page([_product(row) for row in page.rows], page.total)


async def read(context: Context, product_id: UUID) -> Product:
    """One product. Raises `PRODUCT_NOT_FOUND`."""
    return await _fetch(context, product_id, "")


async def get_for_update(context: Context, product_id: UUID) -> Product:
    """One product, locked until the end of the transaction. Raises `PRODUCT_NOT_FOUND`."""
    return await _fetch(context, product_id, "FOR NO KEY UPDATE")


async def _fetch(context: Context, product_id: UUID, lock: str) -> Product:
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM products x WHERE x.company_id = $1 AND x.id = $2 {lock}",
        context.company_id,
        product_id,
    )
    if row is None:
        raise PRODUCT_NOT_FOUND.error()
    return _product(row)


async def save(context: Context, product: Product) -> None:
    """Insert or update a product. Raises `PRODUCT_NUMBER_ALREADY_EXISTS`, `PRODUCT_GROUP_NOT_FOUND`."""
    try:
        await context.connection.execute(
            f"INSERT INTO products (company_id, {', '.join(_FIELDS)}) VALUES ($1, {_PLACES})"
            f" ON CONFLICT (company_id, id) DO UPDATE SET {_CHANGES}",
            context.company_id,
            *(getattr(product, name) for name in _FIELDS),
        )
    except asyncpg.UniqueViolationError as fault:
        if fault.constraint_name == "products_number":
            raise PRODUCT_NUMBER_ALREADY_EXISTS.taken("number", product.number) from None
        raise
    except asyncpg.ForeignKeyViolationError as fault:
        if fault.constraint_name == "products_group":
            raise PRODUCT_GROUP_NOT_FOUND.missing(
                "productGroupId", "productGroupId", product.product_group_id
            ) from None
        raise


async def delete(context: Context, product_id: UUID) -> None:
    """Delete a product that has no prices any more."""
    await context.connection.execute(
        "DELETE FROM products WHERE company_id = $1 AND id = $2", context.company_id, product_id
    )


def _product(row: asyncpg.Record) -> Product:
    values = {name: row[name] for name in _FIELDS}
    return Product(**values | {"status": CatalogStatus(values["status"])})
