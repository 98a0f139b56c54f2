"""Contacts on the wire (contract 2.4, 2.26)."""

from typing import Any

from pydantic import Field

from ledgerbee.http.fields import NullableEmail, NullableLine
from ledgerbee.http.wire import IdOf, IdText, Line, RequestModel, ResponseModel, changes_to, omitted
from ledgerbee.parties.contacts.model import Contact, ContactFields
from ledgerbee.parties.departments.model import DepartmentId
from ledgerbee.parties.party.model import Party
from ledgerbee.parties.wire import Flag


class ContactResponse(ResponseModel):
    """A contact of a customer or vendor."""

    id: IdText
    name: str = Field(examples=["Astrid Holm"])
    email: str | None = Field(examples=["astrid@example.com"])
    phone: str | None = Field(examples=["+45 33 12 34 56"])
    is_default: bool = Field(description="Exactly one contact is the default, once there are any")
    department_id: IdText | None = Field(description="The department that the contact belongs to")


class NewContactRequest(RequestModel):
    """A contact that comes with a new customer or vendor."""

    name: Line = Field(examples=["Astrid Holm"])
    email: NullableEmail = omitted()
    phone: NullableLine = omitted(examples=["+45 33 12 34 56"])
    is_default: Flag = Field(False, description="Exactly one of several; a single contact is the default by itself")

    def given(self) -> ContactFields:
        """The fields of the contact that it asks for."""
        return ContactFields(**self.model_dump(exclude_unset=True))


class CreateContactRequest(NewContactRequest):
    """What a further contact needs."""

    department_id: IdOf[DepartmentId] | None = omitted(description="A department of the same customer or vendor")


class UpdateContactRequest(RequestModel):
    """The fields to change; the others stay as they are. Null clears what may be null."""

    name: Line = omitted()
    email: NullableEmail = omitted()
    phone: NullableLine = omitted()
    is_default: Flag = omitted(description="True makes it the default instead of the present one")
    department_id: IdOf[DepartmentId] | None = omitted(description="A department of the same customer or vendor")


changes_of = changes_to(ContactFields, UpdateContactRequest)


def render(contact: Contact) -> ContactResponse:
    """A contact on the wire."""
    return ContactResponse.of_row(contact)


def as_event(party: Party, contact: Contact) -> dict[str, Any]:
    """What events have of a contact: beside its wire form whose it is."""
    return render(contact).as_event() | {f"{party.kind}Id": str(party.id)}
