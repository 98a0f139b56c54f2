"""Rows of customers."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.parties.customers.model import (
    CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS,
    CUSTOMER_NUMBER_ALREADY_EXISTS,
    DOCUMENT_TEMPLATE_NOT_FOUND,
    BillingRelationship,
    Customer,
    CustomerType,
    GroupedCustomer,
    InvoicingMode,
    VatZone,
)
from ledgerbee.parties.groups.model import CUSTOMER_GROUP_NOT_FOUND
from ledgerbee.parties.order import natural_key
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, CustomerId
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import by_ids, in_order

_COLUMNS: Final = rows.columns(Customer, "c")
_GROUP: Final = " JOIN customer_groups g ON g.company_id = c.company_id AND g.id = c.customer_group_id"
_GROUPED: Final = (
    f"SELECT {_COLUMNS}, g.number AS customer_group_number, g.name AS customer_group_name FROM customers c{_GROUP}"
    " WHERE c.company_id = $1"
)
_GET_GROUPED: Final = f"{_GROUPED} AND c.id = $2"
_GET_MANY: Final = f"{_GROUPED} AND c.id = ANY ($2)"
_GET: Final = f"SELECT {_COLUMNS} FROM customers c WHERE c.company_id = $1 AND c.id = $2"
_GET_FOR_UPDATE: Final = f"{_GET} FOR NO KEY UPDATE"
_NUMBERS: Final = (
    "SELECT number FROM customers WHERE company_id = $1 AND starts_with(number, $2) ORDER BY number LIMIT $3"
)
_PARENT: Final = "SELECT id, parent_customer_id FROM customers WHERE company_id = $1 AND id = $2 FOR SHARE"
_INSERT: Final = rows.insert("customers", Customer)
_UPDATE: Final = rows.update("customers", Customer)


async def list_ids(
    context: Context,
    *,
    number: str | None = None,
    external_system_id: str | None = None,
    parent_id: UUID | None = None,
    metadata: Iterable[Sequence[dict[str, Any]]] = (),
) -> list[UUID]:
    """The ids of the customers that match every filter, by number in natural order.

    `metadata` holds, for each condition, the objects of which the customer's metadata must contain one.
    """
    arguments: list[Any] = [context.company_id]
    conditions = []
    exact = (("number", number), ("external_system_id", external_system_id), ("parent_customer_id", parent_id))
    for column, value in exact:
        if value is not None:
            arguments.append(value)
            conditions.append(f" AND c.{column} = ${len(arguments)}")
    for candidates in metadata:
        alternatives = []
        for candidate in candidates:
            arguments.append(candidate)
            alternatives.append(f"c.metadata @> ${len(arguments)}")
        conditions.append(f" AND ({' OR '.join(alternatives)})")
    found = await context.connection.fetch(
        f"SELECT c.id, c.number FROM customers c WHERE c.company_id = $1{''.join(conditions)}", *arguments
    )
    return await in_order(found, natural_key)


async def list_numbers(context: Context, start: str, limit: int) -> list[str]:
    """The numbers of customers that begin with `start`, sorted as texts, at most `limit`."""
    found = await context.connection.fetch(_NUMBERS, context.company_id, start, limit)
    return [row["number"] for row in found]


async def get_many(context: Context, ids: Sequence[UUID]) -> list[GroupedCustomer]:
    """Those of the customers that are there, in this order, with their groups' numbers and names."""
    found = await context.connection.fetch(_GET_MANY, context.company_id, ids)
    return [GroupedCustomer(**_values(row)) for row in by_ids(ids, found)]


async def get_grouped(context: Context, customer_id: CustomerId) -> GroupedCustomer:
    """One customer with its group's number and name. Raises `CUSTOMER_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET_GROUPED, context.company_id, customer_id)
    return GroupedCustomer(**_values(CUSTOMER_NOT_FOUND.unless(row)))


async def get(context: Context, customer_id: UUID) -> Customer:
    """One customer. Raises `CUSTOMER_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET, context.company_id, customer_id)
    return Customer(**_values(CUSTOMER_NOT_FOUND.unless(row)))


async def get_for_update(context: Context, customer_id: UUID) -> Customer:
    """One customer, kept from other changes until the transaction ends. Raises `CUSTOMER_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET_FOR_UPDATE, context.company_id, customer_id)
    return Customer(**_values(CUSTOMER_NOT_FOUND.unless(row)))


async def get_parent(context: Context, customer_id: CustomerId) -> CustomerId | None:
    """The customer's parent, which can't change until the transaction ends. Raises `CUSTOMER_NOT_FOUND`."""
    row = await context.connection.fetchrow(_PARENT, context.company_id, customer_id)
    if row is None:
        raise CUSTOMER_NOT_FOUND.missing("parentCustomerId", "customerId", customer_id)
    parent: CustomerId | None = row["parent_customer_id"]
    return parent


async def insert(context: Context, customer: Customer) -> None:
    """Add a customer. Raises the errors of `_refusals` for a taken number or an unknown reference."""
    await _write(context, _INSERT, customer)


async def update(context: Context, customer: Customer) -> None:
    """Write a customer's fields. Raises what `insert` raises."""
    await _write(context, _UPDATE, customer)


async def _write(context: Context, statement: str, customer: Customer) -> None:
    with rows.refusing(_refusals(customer)):
        await context.connection.execute(statement, context.company_id, *rows.values(customer))


def _refusals(customer: Customer) -> Mapping[str, LedgerBeeError]:
    group, parent, template = customer.customer_group_id, customer.parent_customer_id, customer.document_template_id
    return {
        "customers_number": CUSTOMER_NUMBER_ALREADY_EXISTS.taken("customerNumber", customer.number),
        "customers_external_system_id": CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS.taken(
            "externalSystemId", customer.external_system_id
        ),
        "customers_group": CUSTOMER_GROUP_NOT_FOUND.missing("customerGroupId", "customerGroupId", group),
        "customers_parent": CUSTOMER_NOT_FOUND.missing("parentCustomerId", "customerId", parent),
        "customers_document_template": DOCUMENT_TEMPLATE_NOT_FOUND.missing(
            "documentTemplateId", "documentTemplateId", template
        ),
    }


def _values(row: Mapping[str, Any] | asyncpg.Record) -> dict[str, Any]:
    """A row's values as its dataclass has them."""
    values = dict(row)
    values["customer_type"] = CustomerType(values["customer_type"])
    values["vat_zone"] = VatZone(values["vat_zone"])
    values["billing_relationship"] = BillingRelationship(values["billing_relationship"])
    values["invoicing_mode"] = InvoicingMode(values["invoicing_mode"])
    return values
