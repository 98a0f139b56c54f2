"""Rows of customers, and what the documents of a customer need to know of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final
from uuid import UUID

import asyncpg

from ledgerbee.core.errors import ErrorCode
from ledgerbee.parties.contacts import store as contacts
from ledgerbee.parties.contacts.model import Contact
from ledgerbee.parties.customers.model import (
    CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS,
    CUSTOMER_NOT_FOUND,
    CUSTOMER_NUMBER_ALREADY_EXISTS,
    DOCUMENT_TEMPLATE_NOT_FOUND,
    BillingFacts,
    BillingRelationship,
    Customer,
    CustomerType,
    GroupedCustomer,
    VatZone,
)
from ledgerbee.parties.departments import store as departments
from ledgerbee.parties.departments.model import Department
from ledgerbee.parties.groups.model import CUSTOMER_GROUP_NOT_FOUND, CustomerGroup
from ledgerbee.parties.groups.store import CUSTOMER_GROUP_FIELDS
from ledgerbee.parties.order import natural_key
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context
from ledgerbee.platform.listing import by_ids, in_order

_FIELDS: Final = tuple(field.name for field in fields(Customer))
_COLUMNS: Final = ", ".join(_FIELDS)
_PREFIXED: Final = ", ".join(f"c.{name}" for name in _FIELDS)
_WITH_GROUP: Final = (
    f"SELECT {_PREFIXED}, g.number AS group_number, g.name AS group_name FROM customers c"
    " JOIN customer_groups g ON g.company_id = c.company_id AND g.id = c.customer_group_id WHERE c.company_id = $1"
)
_CONTACT_FIELDS: Final = tuple(field.name for field in fields(Contact))
_BILLING_FACTS: Final = (
    f"SELECT {_PREFIXED}"
    + "".join(f", g.{name} AS group_{name}" for name in CUSTOMER_GROUP_FIELDS)
    + "".join(f", d.{name} AS contact_{name}" for name in _CONTACT_FIELDS)
    + " FROM customers c"
    " JOIN customer_groups g ON g.company_id = c.company_id AND g.id = c.customer_group_id"
    " LEFT JOIN contacts d ON d.company_id = c.company_id AND d.customer_id = c.id AND d.is_default"
    " WHERE c.company_id = $1 AND c.id = $2"
)
#: A constraint's name -> the error it stands for, and the field that broke it: its wire name, its own,
#: and what the id is called that it refers by.
_REFUSALS: Final[Mapping[str, tuple[ErrorCode, str, str, str | None]]] = {
    "customers_number": (CUSTOMER_NUMBER_ALREADY_EXISTS, "customerNumber", "number", None),
    "customers_external_system_id": (
        CUSTOMER_EXTERNAL_SYSTEM_ID_ALREADY_EXISTS,
        "externalSystemId",
        "external_system_id",
        None,
    ),
    "customers_group": (CUSTOMER_GROUP_NOT_FOUND, "customerGroupId", "customer_group_id", "customerGroupId"),
    "customers_parent": (CUSTOMER_NOT_FOUND, "parentCustomerId", "parent_customer_id", "customerId"),
    "customers_document_template": (
        DOCUMENT_TEMPLATE_NOT_FOUND,
        "documentTemplateId",
        "document_template_id",
        "documentTemplateId",
    ),
}


async def list_ids(
    context: Context,
    *,
    number: str | None = None,
    external_system_id: str | None = None,
    metadata: Iterable[Sequence[dict[str, Any]]] = (),
) -> list[UUID]:
    """The ids of the customers that match every filter, by number in natural order.

    `metadata` holds, for each condition, the objects of which the customer's metadata must contain one.
    """
    arguments: list[Any] = [context.company_id]
    conditions = []
    for column, value in (("number", number), ("external_system_id", external_system_id)):
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


async def list_some(context: Context, ids: Sequence[UUID]) -> list[GroupedCustomer]:
    """Those of the customers that are there, in this order."""
    rows = await context.connection.fetch(f"{_WITH_GROUP} AND c.id = ANY ($2)", context.company_id, ids)
    return [_grouped(row) for row in by_ids(ids, rows)]


async def read(context: Context, customer_id: UUID) -> GroupedCustomer:
    """One customer with its group's number and name. Raises `CUSTOMER_NOT_FOUND`."""
    row = await context.connection.fetchrow(f"{_WITH_GROUP} AND c.id = $2", context.company_id, customer_id)
    if row is None:
        raise CUSTOMER_NOT_FOUND.error()
    return _grouped(row)


async def get(context: Context, customer_id: UUID) -> Customer:
    """One customer. Raises `CUSTOMER_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM customers WHERE company_id = $1 AND id = $2", context.company_id, customer_id
    )
    if row is None:
        raise CUSTOMER_NOT_FOUND.error()
    return _customer(row)


async def get_many(context: Context, ids: Iterable[UUID]) -> dict[UUID, Customer]:
    """The customers among `ids` that the company has, by id."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM customers WHERE company_id = $1 AND id = ANY($2)", context.company_id, list(set(ids))
    )
    return {row["id"]: _customer(row) for row in rows}


async def get_for_update(context: Context, customer_id: UUID) -> Customer:
    """One customer, kept from other changes until the transaction ends. Raises `CUSTOMER_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM customers WHERE company_id = $1 AND id = $2 FOR NO KEY UPDATE",
        context.company_id,
        customer_id,
    )
    if row is None:
        raise CUSTOMER_NOT_FOUND.error()
    return _customer(row)


async def parent_of(context: Context, customer_id: UUID) -> UUID | None:
    """The customer's parent, which can't change until the transaction ends. Raises `CUSTOMER_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        "SELECT parent_customer_id FROM customers WHERE company_id = $1 AND id = $2 FOR SHARE",
        context.company_id,
        customer_id,
    )
    if row is None:
        raise CUSTOMER_NOT_FOUND.missing("parentCustomerId", "customerId", customer_id)
    parent: UUID | None = row["parent_customer_id"]
    return parent


async def billing_facts(context: Context, customer_id: UUID) -> BillingFacts:
    """The customer, its group and its default contact in one round trip. Raises `CUSTOMER_NOT_FOUND`."""
    row = await context.connection.fetchrow(_BILLING_FACTS, context.company_id, customer_id)
    if row is None:
        raise CUSTOMER_NOT_FOUND.missing("customerId", "customerId", customer_id)
    contact = {name: row[f"contact_{name}"] for name in _CONTACT_FIELDS}
    return BillingFacts(
        customer=_customer(row),
        group=CustomerGroup(**{name: row[f"group_{name}"] for name in CUSTOMER_GROUP_FIELDS}),
        default_contact=Contact(**contact) if contact["id"] else None,
    )


async def contact(context: Context, customer_id: UUID, contact_id: UUID) -> Contact:
    """A contact of this customer. Raises `CONTACT_NOT_FOUND`, also for another customer's."""
    return await contacts.get(context, Party.customer(customer_id), contact_id, "customerContactId")


async def department(context: Context, customer_id: UUID, department_id: UUID) -> Department:
    """A department of this customer. Raises `DEPARTMENT_NOT_FOUND`, also for another customer's."""
    return await departments.get(context, Party.customer(customer_id), department_id, "customerDepartmentId")


async def insert(context: Context, customer: Customer) -> None:
    """Add a customer. Raises the errors of `_REFUSALS` for a taken number or an unknown reference."""
    places = ", ".join(f"${number}" for number in range(2, len(_FIELDS) + 2))
    await _write(context, f"INSERT INTO customers (company_id, {_COLUMNS}) VALUES ($1, {places})", customer)


async def update(context: Context, customer: Customer) -> None:
    """Write a customer's fields. Raises what `insert` raises."""
    changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(_FIELDS, 2) if name != "id")
    await _write(context, f"UPDATE customers SET {changes} WHERE company_id = $1 AND id = $2", customer)


async def _write(context: Context, statement: str, customer: Customer) -> None:
    values = [getattr(customer, name) for name in _FIELDS]
    try:
        await context.connection.execute(statement, context.company_id, *values)
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as fault:
        refusal = _REFUSALS.get(fault.constraint_name or "")
        if refusal is None:
            raise
        error, name, field, id_name = refusal
        value = getattr(customer, field)
        raise (error.missing(name, id_name, value) if id_name else error.taken(name, value)) from None


def _customer(row: asyncpg.Record) -> Customer:
    values: dict[str, Any] = {name: row[name] for name in _FIELDS}
    values["customer_type"] = CustomerType(values["customer_type"])
    values["vat_zone"] = VatZone(values["vat_zone"])
    values["billing_relationship"] = BillingRelationship(values["billing_relationship"])
    return Customer(**values)


def _grouped(row: asyncpg.Record) -> GroupedCustomer:
    return GroupedCustomer(_customer(row), row["group_number"], row["group_name"])
