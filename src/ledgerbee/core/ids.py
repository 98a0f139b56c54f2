"""Identifiers are UUIDv7: made by the application, sortable by creation, friendly to B-trees."""

from uuid import UUID

import uuid_utils
from uuid_utils.compat import uuid7

__all__ = ["UUID", "new_id", "new_id_text"]


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid7()


def new_id_text() -> str:
    """A fresh UUIDv7 in its usual text form, for ids that are only written: a third of the cost of the object."""
    return str(uuid_utils.uuid7())
