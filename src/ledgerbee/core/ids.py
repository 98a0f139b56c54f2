"""Identifiers are UUIDv7: made by the application, sortable by creation, friendly to B-trees.

In memory they are objects of the database driver's own UUID, as every id that comes from the database is: a subclass of
`uuid.UUID`, equal to one of the same value, read, hashed and written at a tenth of the cost.
"""

from uuid import UUID

import uuid_utils
from asyncpg.pgproto import pgproto

__all__ = ["UUID", "DriverUUID", "new_id", "parse_id"]

DriverUUID = pgproto.UUID


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return DriverUUID(uuid_utils.uuid7().bytes)


def parse_id(text: str) -> UUID:
    """The id that a text of 32 hexadecimal digits says, with hyphens or without. Raises `ValueError` for any other."""
    return DriverUUID(text)
