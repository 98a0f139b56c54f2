"""Adding and changing the departments of a customer or vendor."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.parties.defaults import Candidate, default_holder
from ledgerbee.parties.departments import store
from ledgerbee.parties.departments.model import DEPARTMENT_DEFAULT_REQUIRED, Department
from ledgerbee.parties.party import store as parties
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context


async def add(context: Context, party: Party, *, name: str, is_default: bool = False, **optional: Any) -> Department:
    """Add a department. `optional` are further fields of `Department`.

    The first is the default by itself; a later default takes the mark from the one before.
    Emits `department.created`, and `department.updated` of the one before.
    Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`, and `DEPARTMENT_DEFAULT_REQUIRED` for an inactive default.
    """
    await parties.lock(context, party)
    department = Department(id=new_id(), name=name, created_at=context.now, **optional)
    department = await _with_mark(context, party, department, asked=True if is_default else None)
    await store.insert(context, party, department)
    context.emit("department.created", department.id, _form(party, department))
    return department


async def update(context: Context, party: Party, department_id: UUID, changes: dict[str, Any]) -> Department:
    """Change the named fields of a department; `is_default` true moves the mark to it.

    Emits `department.updated` if anything became different, also of the one that loses the mark.
    Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`, and `DEPARTMENT_DEFAULT_REQUIRED`
    when the default would give up the mark, or become inactive while others are active.
    """
    await parties.lock(context, party)
    before = await store.get(context, party, department_id)
    department = replace(before, **{**changes, "is_default": before.is_default})
    department = await _with_mark(context, party, department, asked=changes.get("is_default"))
    if department == before:
        return before
    await store.update(context, department)
    context.emit("department.updated", department.id, _form(party, department), before=_form(party, before))
    return department


async def _with_mark(context: Context, party: Party, department: Department, *, asked: bool | None) -> Department:
    others = [other for other in await store.list_of(context, party) if other.id != department.id]
    holder = default_holder(
        [Candidate(other.id, other.is_default, other.is_active) for other in others],
        Candidate(department.id, department.is_default, department.is_active),
        asked=asked,
        refusal=DEPARTMENT_DEFAULT_REQUIRED,
    )
    if holder == department.id and not department.is_default:
        await store.clear_default(context, party)
        for other in others:
            if other.is_default:
                was = _form(party, other)
                context.emit("department.updated", other.id, was | {"isDefault": False}, before=was)
    return replace(department, is_default=holder == department.id)


def _form(party: Party, department: Department) -> dict[str, Any]:
    """The wire form with whose it is."""
    return told(Department, department) | {f"{party.kind}Id": str(party.id)}
