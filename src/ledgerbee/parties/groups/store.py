"""Rows of customer and vendor groups."""

import asyncpg

from ledgerbee.core.errors import ErrorCode
from ledgerbee.parties.groups.model import CustomerGroup, VendorGroup
from ledgerbee.platform.context import Context

CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS = ErrorCode(
    "CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS", 409, "Another customer group of the company has this number"
)
VENDOR_GROUP_NUMBER_ALREADY_EXISTS = ErrorCode(
    "VENDOR_GROUP_NUMBER_ALREADY_EXISTS", 409, "Another vendor group of the company has this number"
)


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
            raise CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS.error(number=group.number) from None
        raise


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
            raise VENDOR_GROUP_NUMBER_ALREADY_EXISTS.error(number=group.number) from None
        raise
