"""Rows of contacts."""

from collections.abc import Sequence
from uuid import UUID

from ledgerbee.parties.contacts.model import CONTACT_NOT_FOUND, Contact
from ledgerbee.parties.party.model import Party
from ledgerbee.platform.context import Context

_COLUMNS = "id, name, created_at, email, phone, is_default, department_id"


async def list_of(context: Context, party: Party) -> list[Contact]:
    """The party's contacts: the default first, then by name."""
    rows = await context.connection.fetch(
        f"SELECT {_COLUMNS} FROM contacts WHERE company_id = $1 AND {party.kind}_id = $2"
        " ORDER BY is_default DESC, lower(name), id",
        context.company_id,
        party.id,
    )
    return [Contact(**row) for row in rows]


async def get(context: Context, party: Party, contact_id: UUID, property_: str | None = None) -> Contact:
    """One contact of the party; `property_` is the field of a body that refers to it. Raises `CONTACT_NOT_FOUND`."""
    row = await context.connection.fetchrow(
        f"SELECT {_COLUMNS} FROM contacts WHERE company_id = $1 AND {party.kind}_id = $2 AND id = $3",
        context.company_id,
        party.id,
        contact_id,
    )
    if row is None:
        raise CONTACT_NOT_FOUND.missing(property_, "contactId", contact_id) if property_ else CONTACT_NOT_FOUND.error()
    return Contact(**row)


async def insert(context: Context, party: Party, contacts: Sequence[Contact]) -> None:
    """Add contacts to the party. The caller holds the party's row (its own insert or a lock)."""
    await context.connection.executemany(
        f"INSERT INTO contacts (company_id, {party.kind}_id, {_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            (
                context.company_id,
                party.id,
                contact.id,
                contact.name,
                contact.created_at,
                contact.email,
                contact.phone,
                contact.is_default,
                contact.department_id,
            )
            for contact in contacts
        ],
    )


async def update(context: Context, contact: Contact) -> None:
    """Write a contact's fields. The caller holds the party's row."""
    await context.connection.execute(
        "UPDATE contacts SET name = $3, email = $4, phone = $5, is_default = $6, department_id = $7"
        " WHERE company_id = $1 AND id = $2",
        context.company_id,
        contact.id,
        contact.name,
        contact.email,
        contact.phone,
        contact.is_default,
        contact.department_id,
    )


async def clear_default(context: Context, party: Party) -> None:
    """Take the mark from the party's default contact, for another one to get it."""
    await context.connection.execute(
        f"UPDATE contacts SET is_default = false WHERE company_id = $1 AND {party.kind}_id = $2 AND is_default",
        context.company_id,
        party.id,
    )
