"""Rows of customer and vendor groups."""

from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.parties.groups.model import (
    CUSTOMER_GROUP_NOT_FOUND,
    CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS,
    VENDOR_GROUP_NUMBER_ALREADY_EXISTS,
    CustomerGroup,
    GroupAccount,
    VendorGroup,
)
from ledgerbee.parties.order import natural_key
from ledgerbee.platform.context import Context

#: A customer group's columns by the names of its fields; also for the joins of `customers.store`.
CUSTOMER_GROUP_FIELDS: Final = ("id", "number", "name", "discount_percent", "account_id", "created_at", "metadata")
_VENDOR_GROUP_FIELDS: Final = ("id", "number", "name", "account_id", "created_at", "metadata")


async def list_customer_groups(context: Context) -> list[tuple[CustomerGroup, GroupAccount]]:
    """All customer groups with their accounts, by number."""
    rows = await _with_accounts(context, "customer_groups", CUSTOMER_GROUP_FIELDS)
    return [(CustomerGroup(**_own(row)), _account(row)) for row in rows]


async def list_vendor_groups(context: Context) -> list[tuple[VendorGroup, GroupAccount]]:
    """All vendor groups with their accounts, by number."""
    rows = await _with_accounts(context, "vendor_groups", _VENDOR_GROUP_FIELDS)
    return [(VendorGroup(**_own(row)), _account(row)) for row in rows]


async def get_customer_group(context: Context, group_id: UUID) -> CustomerGroup:
    """One customer group. Raises `CUSTOMER_GROUP_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {', '.join(CUSTOMER_GROUP_FIELDS)} FROM customer_groups WHERE company_id = $1 AND id = $2",
        context.company_id,
        group_id,
    )
    if row is None:
        raise CUSTOMER_GROUP_NOT_FOUND.missing("customerGroupId", "customerGroupId", group_id)
    return CustomerGroup(**row)


async def insert_customer_group(context: Context, group: CustomerGroup) -> None:
    """Add a customer group. Raises `CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS`."""
    try:
        await context.connection.execute(
            "INSERT INTO customer_groups (company_id, id, number, name, discount_percent, account_id, metadata,"
            " created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            context.company_id,
            group.id,
            group.number,
            group.name,
            group.discount_percent,
            group.account_id,
            group.metadata,
            group.created_at,
        )
    except asyncpg.UniqueViolationError as fault:
        if fault.constraint_name == "customer_groups_number":
            raise CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS.taken("number", group.number) from None
        raise


async def vendor_group_name(context: Context, group_id: UUID) -> str:
    """The name of a vendor group that the company has."""
    name: str = await context.connection.fetchval(
        "SELECT name FROM vendor_groups WHERE company_id = $1 AND id = $2", context.company_id, group_id
    )
    return name


async def insert_vendor_group(context: Context, group: VendorGroup) -> None:
    """Add a vendor group. Raises `VENDOR_GROUP_NUMBER_ALREADY_EXISTS`."""
    try:
        await context.connection.execute(
            "INSERT INTO vendor_groups (company_id, id, number, name, account_id, metadata, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7)",
            context.company_id,
            group.id,
            group.number,
            group.name,
            group.account_id,
            group.metadata,
            group.created_at,
        )
    except asyncpg.UniqueViolationError as fault:
        if fault.constraint_name == "vendor_groups_number":
            raise VENDOR_GROUP_NUMBER_ALREADY_EXISTS.taken("number", group.number) from None
        raise


async def _with_accounts(context: Context, table: str, fields: tuple[str, ...]) -> list[asyncpg.Record]:
    columns = ", ".join(f"g.{field}" for field in fields)
    rows = await context.connection.fetch(
        f"SELECT {columns}, a.number AS gl_number, a.name AS gl_name FROM {table} g"
        " JOIN accounts a ON a.company_id = g.company_id AND a.id = g.account_id WHERE g.company_id = $1",
        context.company_id,
    )
    return sorted(rows, key=lambda row: natural_key(row["number"]))


def _own(row: asyncpg.Record) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not name.startswith("gl_")}


def _account(row: asyncpg.Record) -> GroupAccount:
    return GroupAccount(row["gl_number"], row["gl_name"])
