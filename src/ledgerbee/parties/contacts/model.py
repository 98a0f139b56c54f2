"""Contacts: the people of a customer or vendor. Once a party has any, exactly one is its default."""

from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.parties.departments.model import DepartmentId

ContactId = NewType("ContactId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactFields:
    """What whoever keeps a contact says of it. `department_id` is a department of the same party."""

    name: str
    email: str | None = None
    phone: str | None = None
    is_default: bool = False
    department_id: DepartmentId | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact(ContactFields):
    """A contact as it is kept."""

    id: ContactId
    created_at: datetime

    @property
    def is_active(self) -> bool:
        """Whether it can be the default: any contact can."""
        return True


CONTACT_NOT_FOUND = ErrorCode("CONTACT_NOT_FOUND", 404, "No such contact of this customer or vendor")
CONTACT_DEFAULT_REQUIRED = ErrorCode(
    "CONTACT_DEFAULT_REQUIRED", 400, "One of the contacts must be the default: make another one the default instead"
)
CONTACT_MULTIPLE_DEFAULTS = ErrorCode("CONTACT_MULTIPLE_DEFAULTS", 400, "Only one of the contacts can be the default")
