"""Rows of contacts. Whoever writes holds the party's row (its own INSERT, or `party.store.require_for_update`)."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ledgerbee.parties.contacts.model import CONTACT_NOT_FOUND, Contact
from ledgerbee.parties.party.model import Party
from ledgerbee.parties.party.store import for_each_kind
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

_SELECT: Final = f"SELECT {rows.columns(Contact)} FROM contacts WHERE company_id = $1 AND {{party}} = $2"
_LIST: Final = for_each_kind(f"{_SELECT} ORDER BY is_default DESC, lower(name), id")
_GET: Final = for_each_kind(f"{_SELECT} AND id = $3")
_INSERT: Final = for_each_kind(rows.insert("contacts", Contact, "{party}"))
_UPDATE: Final = rows.update("contacts", Contact)
_CLEAR_DEFAULT: Final = for_each_kind(
    "UPDATE contacts SET is_default = false WHERE company_id = $1 AND {party} = $2 AND is_default"
)


async def list_of_party(context: Context, party: Party) -> list[Contact]:
    """The party's contacts: the default first, then by name."""
    found = await context.connection.fetch(_LIST[party.kind], context.company_id, party.id)
    return [Contact(**row) for row in found]


async def get(context: Context, party: Party, contact_id: UUID, property_: str | None = None) -> Contact:
    """One contact of the party; `property_` is the field of a body that refers to it. Raises `CONTACT_NOT_FOUND`."""
    row = await context.connection.fetchrow(_GET[party.kind], context.company_id, party.id, contact_id)
    if row is None and property_:
        raise CONTACT_NOT_FOUND.missing(property_, "contactId", contact_id)
    return Contact(**CONTACT_NOT_FOUND.unless(row))


async def insert(context: Context, party: Party, contacts: Sequence[Contact]) -> None:
    """Add contacts to the party."""
    await context.connection.executemany(
        _INSERT[party.kind], [(context.company_id, party.id, *rows.values(contact)) for contact in contacts]
    )


async def update(context: Context, contact: Contact) -> None:
    """Write a contact's fields."""
    await context.connection.execute(_UPDATE, context.company_id, *rows.values(contact))


async def clear_default(context: Context, party: Party) -> None:
    """Take the flag from the party's default contact, for another one to get it."""
    await context.connection.execute(_CLEAR_DEFAULT[party.kind], context.company_id, party.id)
