"""Adding and changing the contacts of a customer or vendor."""

from collections.abc import Sequence
from dataclasses import replace

from ledgerbee.core.changes import Changes
from ledgerbee.core.fields import fields_of
from ledgerbee.core.ids import new_id
from ledgerbee.parties.contacts import store
from ledgerbee.parties.contacts.model import (
    CONTACT_DEFAULT_REQUIRED,
    CONTACT_MULTIPLE_DEFAULTS,
    Contact,
    ContactFields,
    ContactId,
)
from ledgerbee.parties.contacts.wire import as_event
from ledgerbee.parties.defaults import default_flag, default_flags
from ledgerbee.parties.departments import store as departments
from ledgerbee.parties.party import store as parties
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context


async def create_first(context: Context, party: Party, given: Sequence[ContactFields]) -> None:
    """Add the contacts that come with a new party. Emits `contact.created` of each.

    Raises `CONTACT_DEFAULT_REQUIRED`, `CONTACT_MULTIPLE_DEFAULTS`.
    """
    flags = default_flags(
        [fields.is_default for fields in given], none=CONTACT_DEFAULT_REQUIRED, several=CONTACT_MULTIPLE_DEFAULTS
    )
    contacts = [_new(context, fields, is_default=flag) for fields, flag in zip(given, flags, strict=True)]
    if contacts:
        await store.insert(context, party, contacts)
    for contact in contacts:
        context.emit("contact.created", contact.id, as_event(party, contact))


async def create(context: Context, party: Party, given: ContactFields) -> Contact:
    """Add a contact. The first is the default by itself; a later default takes the flag from the one before.

    Emits `contact.created`, and `contact.updated` of the one before.
    Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`.
    """
    await parties.require_for_update(context, party)
    await _check_department(context, party, given)
    contact = _new(context, given, is_default=False)
    contact = await _with_default_flag(context, party, contact, asked=given.is_default or None)
    await store.insert(context, party, [contact])
    context.emit("contact.created", contact.id, as_event(party, contact))
    return contact


async def update(context: Context, party: Party, contact_id: ContactId, changes: Changes[ContactFields]) -> Contact:
    """Change the named fields of a contact; `is_default` true moves the flag to it.

    Emits `contact.updated` if anything became different, also of the one that loses the flag.
    Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`, `CONTACT_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`, and
    `CONTACT_DEFAULT_REQUIRED` when the default would give up the flag.
    """
    await parties.require_for_update(context, party)
    before = await store.get(context, party, contact_id)
    contact = changes.applied_to(before, is_default=before.is_default)
    if "department_id" in changes:
        await _check_department(context, party, contact)
    contact = await _with_default_flag(context, party, contact, asked=changes.fields.get("is_default"))
    if contact == before:
        return before
    await store.update(context, contact)
    context.emit("contact.updated", contact_id, as_event(party, contact), before=as_event(party, before))
    return contact


def _new(context: Context, given: ContactFields, *, is_default: bool) -> Contact:
    values = {**fields_of(given), "is_default": is_default}
    return Contact(id=ContactId(new_id()), created_at=context.now, **values)


async def _check_department(context: Context, party: Party, contact: ContactFields) -> None:
    if contact.department_id is not None:
        await departments.get(context, party, contact.department_id, "departmentId")


async def _with_default_flag(context: Context, party: Party, contact: Contact, *, asked: bool | None) -> Contact:
    others = [other for other in await store.list_of_party(context, party) if other.id != contact.id]
    is_default, loser = default_flag(others, contact, asked=asked, refusal=CONTACT_DEFAULT_REQUIRED)
    if loser is not None:
        await store.clear_default(context, party)
        after = as_event(party, replace(loser, is_default=False))
        context.emit("contact.updated", loser.id, after, before=as_event(party, loser))
    return replace(contact, is_default=is_default)
