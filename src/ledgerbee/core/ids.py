"""Identifiers are UUIDv7: made by the application, sortable by creation, friendly to B-trees."""

from uuid import UUID

from uuid_utils.compat import uuid7

__all__ = ["UUID", "new_id"]


def new_id() -> UUID:
    """A fresh UUIDv7."""
    return uuid7()
