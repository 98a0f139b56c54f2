"""Rows of vendors."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.errors import ErrorCode
from ledgerbee.parties.groups.model import VENDOR_GROUP_NOT_FOUND
from ledgerbee.parties.order import natural_key
from ledgerbee.parties.vendors.model import (
    LEDGER_NOT_FOUND,
    VENDOR_NUMBER_ALREADY_EXISTS,
    GroupedVendor,
    Vendor,
    VendorStatus,
)
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import by_ids, in_order

_FIELDS: Final = tuple(field.name for field in fields(Vendor))
_COLUMNS: Final = ", ".join(_FIELDS)
_PREFIXED: Final = ", ".join(f"v.{name}" for name in _FIELDS)
_LIST: Final = (
    f"SELECT {_PREFIXED}, g.name AS group_name FROM vendors v"
    " JOIN vendor_groups g ON g.company_id = v.company_id AND g.id = v.vendor_group_id WHERE v.company_id = $1"
)
#: A constraint's name -> the error it stands for, and the field that broke it: its wire name, its own,
#: and what the id is called that it refers by.
_REFUSALS: Final[Mapping[str, tuple[ErrorCode, str, str, str | None]]] = {
    "vendors_number": (VENDOR_NUMBER_ALREADY_EXISTS, "vendorNumber", "number", None),
    "vendors_group": (VENDOR_GROUP_NOT_FOUND, "vendorGroupId", "vendor_group_id", "vendorGroupId"),
    "vendors_default_account": (LEDGER_NOT_FOUND, "defaultAccountId", "default_account_id", "accountId"),
}


async def list_ids(context: Context) -> list[UUID]:
    """The ids of all vendors, by number in natural order."""
    found = await context.connection.fetch("SELECT id, number FROM vendors WHERE company_id = $1", context.company_id)
    return await in_order(found, natural_key)


async def list_some(context: Context, ids: Sequence[UUID]) -> list[GroupedVendor]:
    """Those of the vendors that are there, in this order, with their groups' names."""
    rows = await context.connection.fetch(f"{_LIST} AND v.id = ANY ($2)", context.company_id, ids)
    return [GroupedVendor(_vendor(row), row["group_name"]) for row in by_ids(ids, rows)]


async def insert(context: Context, vendor: Vendor) -> None:
    """Add a vendor. Raises `VENDOR_NUMBER_ALREADY_EXISTS`, `VENDOR_GROUP_NOT_FOUND`, `LEDGER_NOT_FOUND`."""
    places = ", ".join(f"${number}" for number in range(2, len(_FIELDS) + 2))
    values = [getattr(vendor, name) for name in _FIELDS]
    try:
        await context.connection.execute(
            f"INSERT INTO vendors (company_id, {_COLUMNS}) VALUES ($1, {places})", context.company_id, *values
        )
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as fault:
        refusal = _REFUSALS.get(fault.constraint_name or "")
        if refusal is None:
            raise
        error, name, field, id_name = refusal
        value = getattr(vendor, field)
        raise (error.missing(name, id_name, value) if id_name else error.taken(name, value)) from None


def _vendor(row: asyncpg.Record) -> Vendor:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values["status"] = VendorStatus(values["status"])
    return Vendor(**values)
