"""Rows of departments. Whoever writes holds the party's row (its own INSERT, or `party.store.require_for_update`)."""

from typing import Final
from uuid import UUID

from ledgerbee.parties.departments.model import DEPARTMENT_NOT_FOUND, Department
from ledgerbee.parties.party.model import Party
from ledgerbee.parties.party.store import for_each_kind
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_SELECT: Final = f"SELECT {rows.columns(Department)} FROM departments WHERE company_id = $1 AND {{party}} = $2"
_LIST: Final = for_each_kind(f"{_SELECT} ORDER BY is_default DESC, lower(name), id")
_GET: Final = for_each_kind(f"{_SELECT} AND id = $3")
_INSERT: Final = for_each_kind(rows.insert("departments", Department, "{party}"))
_UPDATE: Final = rows.update("departments", Department)
_CLEAR_DEFAULT: Final = for_each_kind(
    "UPDATE departments SET is_default = false WHERE company_id = $1 AND {party} = $2 AND is_default"
)


async def list_of_party(context: Context, party: Party) -> list[Department]:
    """The party's departments: the default first, then by name."""
    found = await context.connection.fetch(_LIST[party.kind], context.company_id, party.id)
    return [Department(**row) for row in found]


async def get(context: Context, party: Party, department_id: UUID, property_: str | None = None) -> Department:
    """One department of the party; `property_` is the field of a body that refers to it.

    Raises `DEPARTMENT_NOT_FOUND`.
    """
    row = await context.connection.fetchrow(_GET[party.kind], context.company_id, party.id, department_id)
    if row is None and property_:
        raise DEPARTMENT_NOT_FOUND.missing(property_, "departmentId", department_id)
    return Department(**DEPARTMENT_NOT_FOUND.unless(row))


async def insert(context: Context, party: Party, department: Department) -> None:
    """Add a department to the party."""
    await context.connection.execute(_INSERT[party.kind], context.company_id, party.id, *rows.values(department))


async def update(context: Context, department: Department) -> None:
    """Write a department's fields."""
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(department))


async def clear_default(context: Context, party: Party) -> None:
    """Take the flag from the party's default department, for another one to get it."""
    await context.connection.execute(_CLEAR_DEFAULT[party.kind], context.company_id, party.id)
