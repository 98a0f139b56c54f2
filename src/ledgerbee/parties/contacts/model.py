"""Contacts: the people of a customer or vendor. Once a party has any, exactly one is its default."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class Contact:
    """One person. `department_id` is a department of the same party."""

    id: UUID
    name: str
    created_at: datetime
    email: str | None = None
    phone: str | None = None
    is_default: bool = False
    department_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class NewContact:
    """A contact that comes with a new customer or vendor."""

    name: str
    email: str | None = None
    phone: str | None = None
    is_default: bool = False


CONTACT_NOT_FOUND = ErrorCode("CONTACT_NOT_FOUND", 404, "No such contact of this customer or vendor")
CONTACT_DEFAULT_REQUIRED = ErrorCode(
    "CONTACT_DEFAULT_REQUIRED", 400, "One of the contacts must be the default: make another one the default instead"
)
CONTACT_MULTIPLE_DEFAULTS = ErrorCode("CONTACT_MULTIPLE_DEFAULTS", 400, "Only one of the contacts can be the default")
