"""Rows of product groups."""

from typing import Final

import asyncpg

from ledgerbee.catalog.product_groups.model import (
    PRODUCT_GROUP_IN_USE,
    PRODUCT_GROUP_NOT_FOUND,
    PRODUCT_GROUP_NUMBER_ALREADY_EXISTS,
    MappedGroup,
    ProductGroup,
    ProductGroupId,
)
from ledgerbee.chart.accounts.model import AccountLabel
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_ZONES: Final = ("domestic", "eu", "abroad", "domestic_without_vat")
_LABELS: Final = "".join(f", {z}.number AS {z}_number, {z}.name AS {z}_name" for z in _ZONES)
_ACCOUNTS: Final = "".join(
    f" JOIN accounts {z} ON {z}.company_id = g.company_id AND {z}.id = g.{z}_account_id" for z in _ZONES
)
_SELECT: Final = f"SELECT {rows.columns(ProductGroup, 'g')}{_LABELS}"
_GET: Final = f"{_SELECT} FROM product_groups g{_ACCOUNTS} WHERE g.company_id = $1 AND g.id = $2"
_LIST: Final = (
    f"{_SELECT}, (SELECT count(*) FROM products x WHERE x.company_id = g.company_id AND x.product_group_id = g.id)"
    f" AS product_count FROM page p JOIN product_groups g USING (company_id, id){_ACCOUNTS}"
)
_LOCK: Final = f"SELECT {rows.columns(ProductGroup)} FROM product_groups WHERE company_id = $1 AND id = $2 FOR UPDATE"
_INSERT: Final = rows.insert("product_groups", ProductGroup)
_UPDATE: Final = rows.update("product_groups", ProductGroup)
_DELETE: Final = "DELETE FROM product_groups WHERE company_id = $1 AND id = $2"
SORT_COLUMNS: Final = {"number": "t.number_key", "name": "t.name_key", "createdAt": "t.created_at"}


async def list_page(context: Context, request: PageRequest) -> Page[MappedGroup]:
    """A page of groups with their number of products; `search` is a prefix of the name or the number."""
    filters = Filter()
    filters.starts_with(request.search, "name_key", "number_key")
    page = await fetch_page(
        context, table="product_groups", select=_LIST, filters=filters, order_by=SORT_COLUMNS, request=request
    )
    return Page([_mapped(row) for row in page.rows], page.total)


async def get(context: Context, group_id: ProductGroupId) -> MappedGroup:
    """One group. Raises `PRODUCT_GROUP_NOT_FOUND`."""
    return _mapped(
        PRODUCT_GROUP_NOT_FOUND.unless(await context.connection.fetchrow(_GET, context.company_id, group_id))
    )


async def get_for_update(context: Context, group_id: ProductGroupId) -> ProductGroup:
    """One group, locked until the transaction ends. Raises `PRODUCT_GROUP_NOT_FOUND`."""
    row = await context.connection.fetchrow(_LOCK, context.company_id, group_id)
    return ProductGroup(**PRODUCT_GROUP_NOT_FOUND.unless(row))


async def insert(context: Context, group: ProductGroup) -> None:
    """Add a group. Raises `PRODUCT_GROUP_NUMBER_ALREADY_EXISTS`."""
    await _write(context, _INSERT, group)


async def update(context: Context, group: ProductGroup) -> None:
    """Write a group's fields. Raises `PRODUCT_GROUP_NUMBER_ALREADY_EXISTS`."""
    await _write(context, _UPDATE, group)


async def delete(context: Context, group_id: ProductGroupId) -> None:
    """Delete a group. Raises `PRODUCT_GROUP_IN_USE` while products belong to it."""
    with rows.refusing({"products_group": PRODUCT_GROUP_IN_USE.used(["products"])}):
        await context.connection.execute(_DELETE, context.company_id, group_id)


async def _write(context: Context, statement: str, group: ProductGroup) -> None:
    with rows.refusing({"product_groups_number": PRODUCT_GROUP_NUMBER_ALREADY_EXISTS.taken("number", group.number)}):
        await context.connection.execute(statement, context.company_id, *rows.values(group))


def _mapped(row: asyncpg.Record) -> MappedGroup:
    found = dict(row)
    labels = {name: (found.pop(f"{name}_number"), found.pop(f"{name}_name")) for name in _ZONES}
    count: int | None = found.pop("product_count", None)
    group = ProductGroup(**found)
    accounts = {getattr(group, f"{name}_account_id"): AccountLabel(*label) for name, label in labels.items()}
    return MappedGroup(group, accounts, count)
