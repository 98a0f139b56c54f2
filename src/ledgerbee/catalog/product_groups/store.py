"""Rows of product groups."""

from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.catalog.product_groups.model import (
    PRODUCT_GROUP_IN_USE,
    PRODUCT_GROUP_NOT_FOUND,
    PRODUCT_GROUP_NUMBER_ALREADY_EXISTS,
    ProductGroup,
)
from ledgerbee.core.paging import Page, PageRequest
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import Filter, fetch_page

_OWN = (
    "g.id, g.number, g.name, g.description, g.domestic_account_id, g.eu_account_id, g.abroad_account_id,"
    " g.domestic_without_vat_account_id, g.created_at, g.updated_at"
)
_WITH_ACCOUNTS = f"""
SELECT {_OWN},
       d.number AS domestic_account_number, d.name AS domestic_account_name,
       e.number AS eu_account_number, e.name AS eu_account_name,
       a.number AS abroad_account_number, a.name AS abroad_account_name,
       w.number AS domestic_without_vat_account_number, w.name AS domestic_without_vat_account_name"""
_ACCOUNT_JOINS = """
JOIN accounts d ON d.company_id = g.company_id AND d.id = g.domestic_account_id
JOIN accounts e ON e.company_id = g.company_id AND e.id = g.eu_account_id
JOIN accounts a ON a.company_id = g.company_id AND a.id = g.abroad_account_id
JOIN accounts w ON w.company_id = g.company_id AND w.id = g.domestic_without_vat_account_id"""
_GET = f"{_WITH_ACCOUNTS} FROM product_groups g {_ACCOUNT_JOINS} WHERE g.company_id = $1 AND g.id = $2"
_LIST = (
    f"{_WITH_ACCOUNTS}, (SELECT count(*) FROM products x WHERE x.company_id = g.company_id"
    " AND x.product_group_id = g.id) AS product_count"
    f" FROM page p JOIN product_groups g USING (company_id, id) {_ACCOUNT_JOINS}"
)
SORT_COLUMNS: Final = {"number": "t.number_key", "name": "t.name_key", "createdAt": "t.created_at"}


async def list_page(context: Context, request: PageRequest) -> Page[asyncpg.Record]:
    """A page of groups with their accounts' numbers and names and `product_count`."""
    filters = Filter()
    filters.starts_with(request.search, "name_key", "number_key")
    return await fetch_page(
        context,
        table="product_groups",
        select=_LIST,
        filters=filters,
        order_by=SORT_COLUMNS,
        request=request,
    )


async def read(context: Context, group_id: UUID) -> asyncpg.Record:
    """One group with its accounts' numbers and names. Raises `PRODUCT_GROUP_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, group_id)
    if row is None:
        raise PRODUCT_GROUP_NOT_FOUND.error()
    return row


async def get_for_update(context: Context, group_id: UUID) -> ProductGroup:
    """One group, locked until the end of the transaction. Raises `PRODUCT_GROUP_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_OWN} FROM product_groups g WHERE g.company_id = $1 AND g.id = $2 FOR UPDATE",
        context.company_id,
        group_id,
    )
    if row is None:
        raise PRODUCT_GROUP_NOT_FOUND.error()
    return ProductGroup(**row)


async def save(context: Context, group: ProductGroup) -> None:
    """Insert or update a group. Raises `PRODUCT_GROUP_NUMBER_ALREADY_EXISTS`."""
    try:
        await context.connection.execute(
            "INSERT INTO product_groups (company_id, id, number, name, description, domestic_account_id,"
            " eu_account_id, abroad_account_id, domestic_without_vat_account_id, created_at, updated_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (company_id, id) DO UPDATE SET"
            " number = excluded.number, name = excluded.name, description = excluded.description,"
            " domestic_account_id = excluded.domestic_account_id, eu_account_id = excluded.eu_account_id,"
            " abroad_account_id = excluded.abroad_account_id,"
            " domestic_without_vat_account_id = excluded.domestic_without_vat_account_id,"
            " updated_at = excluded.updated_at",
            context.company_id,
            group.id,
            group.number,
            group.name,
            group.description,
            group.domestic_account_id,
            group.eu_account_id,
            group.abroad_account_id,
            group.domestic_without_vat_account_id,
            group.created_at,
            group.updated_at,
        )
    except asyncpg.UniqueViolationError as fault:
        if fault.constraint_name == "product_groups_number":
            raise PRODUCT_GROUP_NUMBER_ALREADY_EXISTS.taken("number", group.number) from None
        raise


async def delete(context: Context, group_id: UUID) -> None:
    """Delete a group. Raises `PRODUCT_GROUP_NOT_FOUND` and, while products belong to it, `PRODUCT_GROUP_IN_USE`."""
    try:
        deleted = await context.connection.fetchval(
            "DELETE FROM product_groups WHERE company_id = $1 AND id = $2 RETURNING id", context.company_id, group_id
        )
    except asyncpg.ForeignKeyViolationError:
        raise PRODUCT_GROUP_IN_USE.used(["products"]) from None
    if deleted is None:
        raise PRODUCT_GROUP_NOT_FOUND.error()
