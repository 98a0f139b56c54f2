"""Rows of products."""

from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.catalog.model import PRODUCT_NOT_FOUND, CatalogStatus, ProductId
from ledgerbee.catalog.product_groups.model import PRODUCT_GROUP_NOT_FOUND
from ledgerbee.catalog.products.model import PRODUCT_NUMBER_ALREADY_EXISTS, Product
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_SELECT: Final = f"SELECT {rows.columns(Product, 'x')}"
_LIST: Final = f"{_SELECT} FROM page p JOIN products x USING (company_id, id)"
_GET: Final = f"{_SELECT} FROM products x WHERE x.company_id = $1 AND x.id = $2"
_LOCK: Final = f"{_GET} FOR NO KEY UPDATE"
_INSERT: Final = rows.insert("products", Product)
_UPDATE: Final = rows.update("products", Product)
_DELETE: Final = "DELETE FROM products WHERE company_id = $1 AND id = $2"
SORT_COLUMNS: Final = {"number": "t.number_key", "name": "t.name_key", "createdAt": "t.created_at"}


async def list_page(
    context: Context, request: PageRequest, *, product_group_id: UUID | None, status: CatalogStatus | None
) -> Page[Product]:
    """A page of products, of one group or status if asked for; `search` is a prefix of the name or the number."""
    filters = Filter()
    filters.starts_with(request.search, "name_key", "number_key")
    if product_group_id is not None:
        filters.add("t.product_group_id = {}", product_group_id)
    if status is not None:
        filters.add("t.status = {}", status)
    page = await fetch_page(
        context, table="products", select=_LIST, filters=filters, order_by=SORT_COLUMNS, request=request
    )
    return Page([_product(row) for row in page.rows], page.total)


async def get(context: Context, product_id: ProductId) -> Product:
    """One product. Raises `PRODUCT_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, product_id)
    return _product(PRODUCT_NOT_FOUND.unless(row))


async def get_for_update(context: Context, product_id: ProductId) -> Product:
    """One product, locked until the transaction ends. Raises `PRODUCT_NOT_FOUND`."""
    row = await context.connection.fetchrow(_LOCK, context.company_id, product_id)
    return _product(PRODUCT_NOT_FOUND.unless(row))


async def insert(context: Context, product: Product) -> None:
    """Add a product. Raises `PRODUCT_NUMBER_ALREADY_EXISTS`, `PRODUCT_GROUP_NOT_FOUND`."""
    await _write(context, _INSERT, product)


async def update(context: Context, product: Product) -> None:
    """Write a product's fields. Raises `PRODUCT_NUMBER_ALREADY_EXISTS`, `PRODUCT_GROUP_NOT_FOUND`."""
    await _write(context, _UPDATE, product)


async def delete(context: Context, product_id: ProductId) -> None:
    """Delete a product that has no prices any more."""
    await context.connection.execute(_DELETE, context.company_id, product_id)


async def _write(context: Context, statement: str, product: Product) -> None:
    group_id = product.product_group_id
    refusals = {
        "products_number": PRODUCT_NUMBER_ALREADY_EXISTS.taken("number", product.number),
        "products_group": PRODUCT_GROUP_NOT_FOUND.missing("productGroupId", "productGroupId", group_id),
    }
    with rows.refusing(refusals):
        await context.connection.execute(statement, context.company_id, *rows.values(product))


def _product(row: asyncpg.Record) -> Product:
    values = dict(row)
    values["status"] = CatalogStatus(values["status"])
    return Product(**values)
