"""Rows of customer and vendor groups."""

from typing import Any, Final, TypeVar

from ledgerbee.parties.groups.model import (
    CUSTOMER_GROUP_NOT_FOUND,
    CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS,
    VENDOR_GROUP_NUMBER_ALREADY_EXISTS,
    CustomerGroup,
    CustomerGroupId,
    GroupAccount,
    VendorGroup,
)
from ledgerbee.parties.order import natural_key
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

Group = TypeVar("Group", CustomerGroup, VendorGroup)

_TABLES: Final[dict[type[Any], str]] = {CustomerGroup: "customer_groups", VendorGroup: "vendor_groups"}
_LIST: Final = {
    kind: f"SELECT {rows.columns(kind, 'g')}, a.number AS gl_number, a.name AS gl_name FROM {table} g"
    " JOIN accounts a ON a.company_id = g.company_id AND a.id = g.account_id WHERE g.company_id = $1"
    for kind, table in _TABLES.items()
}
_GET: Final = f"SELECT {rows.columns(CustomerGroup)} FROM customer_groups WHERE company_id = $1 AND id = $2"
_INSERT: Final = {kind: rows.insert(table, kind) for kind, table in _TABLES.items()}


async def list_all(context: Context, kind: type[Group]) -> list[tuple[Group, GroupAccount]]:
    """All groups of a kind with their accounts, by number."""
    found = [dict(row) for row in await context.connection.fetch(_LIST[kind], context.company_id)]
    accounts = [GroupAccount(row.pop("gl_number"), row.pop("gl_name")) for row in found]
    listed = [(kind(**row), account) for row, account in zip(found, accounts, strict=True)]
    return sorted(listed, key=lambda one: natural_key(one[0].number))


async def get_customer_group(context: Context, group_id: CustomerGroupId) -> CustomerGroup:
    """One customer group. Raises `CUSTOMER_GROUP_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, group_id)
    if row is None:
        raise CUSTOMER_GROUP_NOT_FOUND.missing("customerGroupId", "customerGroupId", group_id)
    return CustomerGroup(**row)


async def insert(context: Context, group: CustomerGroup | VendorGroup) -> None:
    """Add a group. Raises `CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS` or `VENDOR_GROUP_NUMBER_ALREADY_EXISTS`."""
    refusals = {
        "customer_groups_number": CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS.taken("number", group.number),
        "vendor_groups_number": VENDOR_GROUP_NUMBER_ALREADY_EXISTS.taken("number", group.number),
    }
    with rows.refusing(refusals):
        await context.connection.execute(_INSERT[type(group)], context.company_id, *rows.values(group))
