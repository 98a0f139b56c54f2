"""Adding and changing the departments of a customer or vendor."""

from dataclasses import replace

from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.parties.defaults import default_flag
from ledgerbee.parties.departments import store
from ledgerbee.parties.departments.model import (
    DEPARTMENT_DEFAULT_REQUIRED,
    Department,
    DepartmentFields,
    DepartmentId,
)
from ledgerbee.parties.departments.wire import as_event
from ledgerbee.parties.party import store as parties
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context


async def create(context: Context, party: Party, given: DepartmentFields) -> Department:
    """Add a department. The first is the default by itself; a later default takes the flag from the one before.

    Emits `department.created`, and `department.updated` of the one before.
    Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`, and `DEPARTMENT_DEFAULT_REQUIRED` for an inactive default.
    """
    await parties.require_for_update(context, party)
    values = {**fields_of(given), "is_default": False}
    department = Department(id=DepartmentId(new_id()), created_at=context.now, **values)
    department = await _with_default_flag(context, party, department, asked=given.is_default or None)
    await store.insert(context, party, department)
    context.emit("department.created", department.id, as_event(party, department))
    return department


async def update(
    context: Context, party: Party, department_id: DepartmentId, changes: Changes[DepartmentFields]
) -> Department:
    """Change the named fields of a department; `is_default` true moves the flag to it.

    Emits `department.updated` if anything became different, also of the one that loses the flag.
    Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`, and `DEPARTMENT_DEFAULT_REQUIRED`
    when the default would give up the flag, or become inactive while others are active.
    """
    await parties.require_for_update(context, party)
    before = await store.get(context, party, department_id)
    department = changes.applied_to(before, is_default=before.is_default)
    department = await _with_default_flag(context, party, department, asked=changes.fields.get("is_default"))
    if department == before:
        return before
    await store.update(context, department)
    context.emit("department.updated", department_id, as_event(party, department), before=as_event(party, before))
    return department


async def _with_default_flag(
    context: Context, party: Party, department: Department, *, asked: bool | None
) -> Department:
    others = [other for other in await store.list_of_party(context, party) if other.id != department.id]
    is_default, loser = default_flag(others, department, asked=asked, refusal=DEPARTMENT_DEFAULT_REQUIRED)
    if loser is not None:
        await store.clear_default(context, party)
        after = as_event(party, replace(loser, is_default=False))
        context.emit("department.updated", loser.id, after, before=as_event(party, loser))
    return replace(department, is_default=is_default)
