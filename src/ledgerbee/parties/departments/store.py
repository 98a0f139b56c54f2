"""Rows of departments."""

from uuid import UUID

from ledgerbee.parties.departments.model import DEPARTMENT_NOT_FOUND, Department
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context

_COLUMNS = "id, name, created_at, is_default, is_active, ean_number, address, city, postal_code, country_code"


async def list_of(context: Context, party: Party) -> list[Department]:
    """The party's departments: the default first, then by name."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM departments WHERE company_id = $1 AND {party.kind}_id = $2"
        " ORDER BY is_default DESC, lower(name), id",
        context.company_id,
        party.id,
    )
    return [Department(**row) for row in rows]


async def get(context: Context, party: Party, department_id: UUID, property_: str | None = None) -> Department:
    """One department of the party; `property_` is the field of a body that refers to it.

    Raises `DEPARTMENT_NOT_FOUND`.
    """
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM departments WHERE company_id = $1 AND {party.kind}_id = $2 AND id = $3",
        context.company_id,
        party.id,
        department_id,
    )
    if row is None:
        if property_ is not None:
            raise DEPARTMENT_NOT_FOUND.missing(property_, "departmentId", department_id)
        raise DEPARTMENT_NOT_FOUND.error()
    return Department(**row)


async def insert(context: Context, party: Party, department: Department) -> None:
    """Add a department to the party. The caller holds the party's row."""
    await context.connection.execute(
        f"INSERT INTO departments (company_id, {party.kind}_id, {_COLUMNS})"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        context.company_id,
        party.id,
        department.id,
        department.name,
        department.created_at,
        department.is_default,
        department.is_active,
        department.ean_number,
        department.address,
        department.city,
        department.postal_code,
        department.country_code,
    )


async def update(context: Context, department: Department) -> None:
    """Write a department's fields. The caller holds the party's row."""
    await context.connection.execute(
        "UPDATE departments SET name = $3, is_default = $4, is_active = $5, ean_number = $6, address = $7, city = $8,"
        " postal_code = $9, country_code = $10 WHERE company_id = $1 AND id = $2",
        context.company_id,
        department.id,
        department.name,
        department.is_default,
        department.is_active,
        department.ean_number,
        department.address,
        department.city,
        department.postal_code,
        department.country_code,
    )


async def clear_default(context: Context, party: Party) -> None:
    """Take the mark from the party's default department, for another one to get it."""
    await context.connection.execute(
        f"UPDATE departments SET is_default = false WHERE company_id = $1 AND {party.kind}_id = $2 AND is_default",
        context.company_id,
        party.id,
    )
