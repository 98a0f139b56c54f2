"""Adding and changing the contacts of a customer or vendor."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from ledgerbee.core.ids import new_id
from ledgerbee.http.event_forms import told
from ledgerbee.parties.contacts import store
from ledgerbee.parties.contacts.model import (
    CONTACT_DEFAULT_REQUIRED,
    CONTACT_MULTIPLE_DEFAULTS,
    Contact,
    NewContact,
)
from ledgerbee.parties.defaults import Candidate, default_holder, settle_defaults
from ledgerbee.parties.departments import store as departments
from ledgerbee.parties.party import store as parties
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context


async def add_first(context: Context, party: Party, given: Sequence[NewContact]) -> None:
    """Add the contacts that come with a new party. Emits `contact.created` of each.

    Raises `CONTACT_DEFAULT_REQUIRED`, `CONTACT_MULTIPLE_DEFAULTS`.
    """
    marks = settle_defaults(
        [contact.is_default for contact in given], none=CONTACT_DEFAULT_REQUIRED, several=CONTACT_MULTIPLE_DEFAULTS
    )
    contacts = [
        Contact(new_id(), contact.name, context.now, contact.email, contact.phone, is_default=mark)
        for contact, mark in zip(given, marks, strict=True)
    ]
    if contacts:
        await store.insert(context, party, contacts)
    for contact in contacts:
        context.emit("contact.created", contact.id, _form(party, contact))


async def add(context: Context, party: Party, given: NewContact, *, department_id: UUID | None = None) -> Contact:
    """Add a contact. The first is the default by itself; a later default takes the mark from the one before.

    Emits `contact.created`, and `contact.updated` of the one before.
    Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`.
    """
    await parties.lock(context, party)
    if department_id is not None:
        await departments.get(context, party, department_id, "departmentId")
    contact = Contact(new_id(), given.name, context.now, given.email, given.phone, department_id=department_id)
    contact = await _with_mark(context, party, contact, asked=True if given.is_default else None)
    await store.insert(context, party, [contact])
    context.emit("contact.created", contact.id, _form(party, contact))
    return contact


async def update(context: Context, party: Party, contact_id: UUID, changes: dict[str, Any]) -> Contact:
    """Change the named fields of a contact; `is_default` true moves the mark to it.

    Emits `contact.updated` if anything became different, also of the one that loses the mark.
    Raises `CUSTOMER_NOT_FOUND` or `VENDOR_NOT_FOUND`, `CONTACT_NOT_FOUND`, `DEPARTMENT_NOT_FOUND`, and
    `CONTACT_DEFAULT_REQUIRED` when the default would give up the mark.
    """
    await parties.lock(context, party)
    before = await store.get(context, party, contact_id)
    if (department_id := changes.get("department_id")) is not None:
        await departments.get(context, party, department_id, "departmentId")
    asked = changes.get("is_default")
    contact = replace(before, **{**changes, "is_default": before.is_default})
    contact = await _with_mark(context, party, contact, asked=asked)
    if contact == before:
        return before
    await store.update(context, contact)
    context.emit("contact.updated", contact.id, _form(party, contact), before=_form(party, before))
    return contact


async def _with_mark(context: Context, party: Party, contact: Contact, *, asked: bool | None) -> Contact:
    others = [other for other in await store.list_of(context, party) if other.id != contact.id]
    holder = default_holder(
        [Candidate(other.id, other.is_default) for other in others],
        Candidate(contact.id, contact.is_default),
        asked=asked,
        refusal=CONTACT_DEFAULT_REQUIRED,
    )
    if holder == contact.id and not contact.is_default:
        await store.clear_default(context, party)
        for other in others:
            if other.is_default:
                was = _form(party, other)
                context.emit("contact.updated", other.id, was | {"isDefault": False}, before=was)
    return replace(contact, is_default=holder == contact.id)


def _form(party: Party, contact: Contact) -> dict[str, Any]:
    """The wire form with whose it is."""
    return told(Contact, contact) | {f"{party.kind}Id": str(party.id)}
