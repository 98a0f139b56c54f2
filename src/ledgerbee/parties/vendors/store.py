"""Rows of vendors."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

import asyncpg

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.parties.groups.model import VENDOR_GROUP_NOT_FOUND
from ledgerbee.parties.order import natural_key
from ledgerbee.parties.vendors.model import (
    LEDGER_NOT_FOUND,
    VENDOR_NUMBER_ALREADY_EXISTS,
    GroupedVendor,
    Vendor,
    VendorStatus,
)
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import by_ids, in_order

_LIST_IDS: Final = "SELECT id, number FROM vendors WHERE company_id = $1"
_GET_MANY: Final = (
    f"SELECT {rows.columns(Vendor, 'v')}, g.name AS vendor_group_name, c.base_currency FROM vendors v"
    " JOIN vendor_groups g ON g.company_id = v.company_id AND g.id = v.vendor_group_id"
    " JOIN companies c ON c.company_id = v.company_id"
    " WHERE v.company_id = $1 AND v.id = ANY ($2)"
)
_INSERT: Final = rows.insert("vendors", Vendor)


async def list_ids(context: Context) -> list[UUID]:
    """The ids of all vendors, by number in natural order."""
    return await in_order(await context.connection.fetch(_LIST_IDS, context.company_id), natural_key)


async def get_many(context: Context, ids: Sequence[UUID]) -> list[GroupedVendor]:
    """Those of the vendors that are there, in this order, with what is shown beside them."""
    found = await context.connection.fetch(_GET_MANY, context.company_id, ids)
    return [_grouped(row) for row in by_ids(ids, found)]


async def insert(context: Context, vendor: Vendor) -> None:
    """Add a vendor. Raises `VENDOR_NUMBER_ALREADY_EXISTS`, `VENDOR_GROUP_NOT_FOUND`, `LEDGER_NOT_FOUND`."""
    with rows.refusing(_refusals(vendor)):
        await context.connection.execute(_INSERT, context.company_id, *rows.values(vendor))


def _refusals(vendor: Vendor) -> Mapping[str, LedgerBeeError]:
    group, account = vendor.vendor_group_id, vendor.default_account_id
    return {
        "vendors_number": VENDOR_NUMBER_ALREADY_EXISTS.taken("vendorNumber", vendor.number),
        "vendors_group": VENDOR_GROUP_NOT_FOUND.missing("vendorGroupId", "vendorGroupId", group),
        "vendors_default_account": LEDGER_NOT_FOUND.missing("defaultAccountId", "accountId", account),
    }


def _grouped(row: asyncpg.Record) -> GroupedVendor:
    values = dict(row)
    values["status"] = VendorStatus(values["status"])
    return GroupedVendor(**values)
