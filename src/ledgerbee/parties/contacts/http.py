"""Contacts over HTTP, of customers and of vendors (contract 2.4, 2.26)."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from ledgerbee.http.arrays import array
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.fields import NullableEmail, NullableLine
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import Id, IdText, Line, RequestModel, ResponseModel, changes_of, omitted
from ledgerbee.parties.contacts import actions, store
from ledgerbee.parties.contacts.model import (
    CONTACT_DEFAULT_REQUIRED,
    CONTACT_NOT_FOUND,
    Contact,
    NewContact,
)
from ledgerbee.parties.customers.model import CUSTOMER_NOT_FOUND
from ledgerbee.parties.departments.model import DEPARTMENT_NOT_FOUND
from ledgerbee.parties.party import store as parties
from ledgerbee.parties.party.model import Party
from ledgerbee.parties.vendors.model import VENDOR_NOT_FOUND
from ledgerbee.parties.wire import Flag
from ledgerbee.platform.context import Context

customer_router = resource_router("Customers")
vendor_router = resource_router("Vendors")

CustomerId = Annotated[Id, Path(alias="customerId", description="Customer ID")]
VendorId = Annotated[Id, Path(alias="vendorId", description="Vendor ID")]
ContactId = Annotated[Id, Path(alias="contactId", description="Contact ID")]

_FIRST_IS_DEFAULT = (
    "The first contact becomes the default by itself. A contact that is added as default takes the mark from the one "
    "before: exactly one is the default at any time."
)
_MARK_MOVES = (
    "Only the fields provided in the request are changed. `isDefault: true` moves the mark to this contact; the "
    "default itself can't give it up."
)


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

    def contact(self) -> NewContact:
        """What was sent, in the domain's words."""
        return NewContact(self.name, self.email, self.phone, self.is_default)


class CreateContactRequest(NewContactRequest):
    """What a further contact needs."""

    department_id: Id | None = omitted(description="A department of the same customer or vendor")


class UpdateContactRequest(RequestModel):
    """The fields to change; the others stay as they are. Null clears what may be null."""

    name: Line = omitted()
    email: NullableEmail = omitted()
    phone: NullableLine = omitted()
    is_default: Flag = omitted(description="True makes it the default instead of the present one")
    department_id: Id | None = omitted(description="A department of the same customer or vendor")


@form_of(Contact)
def _render(contact: Contact) -> ContactResponse:
    return ContactResponse.model_validate(contact)


async def _list(context: Context, party: Party) -> Response:
    found: Sequence[Contact] = await store.list_of(context, party)
    if not found:
        await parties.require(context, party)
    return await array(found, _render)


@customer_router.get(
    "/v1/customers/{customerId}/contacts",
    response_model=list[ContactResponse],
    **operation(
        "List a customer's contacts",
        scope="customers-read",
        description="All contacts of the customer, the default first, then by name.",
        response="Contacts of the customer",
        errors=[CUSTOMER_NOT_FOUND],
    ),
)
async def list_customer_contacts(context: Ctx, customer_id: CustomerId) -> Response:
    """List a customer's contacts."""
    return await _list(context, Party.customer(customer_id))


@customer_router.post(
    "/v1/customers/{customerId}/contacts",
    **operation(
        "Add a contact to a customer",
        scope="customers-write",
        status=201,
        description=_FIRST_IS_DEFAULT,
        response="Contact added successfully",
        errors=[CUSTOMER_NOT_FOUND, DEPARTMENT_NOT_FOUND],
        extension=True,
    ),
)
async def create_customer_contact(context: Ctx, customer_id: CustomerId, body: CreateContactRequest) -> ContactResponse:
    """Add a contact to a customer."""
    party = Party.customer(customer_id)
    return _render(await actions.add(context, party, body.contact(), department_id=body.department_id))


@customer_router.patch(
    "/v1/customers/{customerId}/contacts/{contactId}",
    **operation(
        "Update a customer's contact",
        scope="customers-write",
        description=_MARK_MOVES,
        response="Contact updated successfully",
        errors=[CUSTOMER_NOT_FOUND, CONTACT_NOT_FOUND, DEPARTMENT_NOT_FOUND, CONTACT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def update_customer_contact(
    context: Ctx, customer_id: CustomerId, contact_id: ContactId, body: UpdateContactRequest
) -> ContactResponse:
    """Update a customer's contact."""
    return _render(await actions.update(context, Party.customer(customer_id), contact_id, changes_of(body)))


@vendor_router.get(
    "/v1/vendors/{vendorId}/contacts",
    response_model=list[ContactResponse],
    **operation(
        "List vendor contacts",
        scope="vendors-read",
        description="All contacts of the vendor, the default first, then by name.",
        response="Contacts of the vendor",
        errors=[VENDOR_NOT_FOUND],
    ),
)
async def list_vendor_contacts(context: Ctx, vendor_id: VendorId) -> Response:
    """List vendor contacts."""
    return await _list(context, Party.vendor(vendor_id))


@vendor_router.post(
    "/v1/vendors/{vendorId}/contacts",
    **operation(
        "Add a contact to a vendor",
        scope="vendors-write",
        status=201,
        description=_FIRST_IS_DEFAULT,
        response="Contact added successfully",
        errors=[VENDOR_NOT_FOUND, DEPARTMENT_NOT_FOUND],
        extension=True,
    ),
)
async def create_vendor_contact(context: Ctx, vendor_id: VendorId, body: CreateContactRequest) -> ContactResponse:
    """Add a contact to a vendor."""
    party = Party.vendor(vendor_id)
    return _render(await actions.add(context, party, body.contact(), department_id=body.department_id))


@vendor_router.patch(
    "/v1/vendors/{vendorId}/contacts/{contactId}",
    **operation(
        "Update a vendor's contact",
        scope="vendors-write",
        description=_MARK_MOVES,
        response="Contact updated successfully",
        errors=[VENDOR_NOT_FOUND, CONTACT_NOT_FOUND, DEPARTMENT_NOT_FOUND, CONTACT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def update_vendor_contact(
    context: Ctx, vendor_id: VendorId, contact_id: ContactId, body: UpdateContactRequest
) -> ContactResponse:
    """Update a vendor's contact."""
    return _render(await actions.update(context, Party.vendor(vendor_id), contact_id, changes_of(body)))
