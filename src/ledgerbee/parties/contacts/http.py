"""Routes of contacts, of customers and of vendors (contract 2.4, 2.26)."""

from typing import Annotated

from fastapi import Path, Response

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.contacts import actions, store
from ledgerbee.parties.contacts.model import CONTACT_DEFAULT_REQUIRED, CONTACT_NOT_FOUND, ContactId
from ledgerbee.parties.contacts.wire import (
    ContactResponse,
    CreateContactRequest,
    UpdateContactRequest,
    changes_of,
    render,
)
from ledgerbee.parties.departments.model import DEPARTMENT_NOT_FOUND
from ledgerbee.parties.party.http import CustomerPath, VendorPath, list_of_party
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND, Party

customer_router = resource_router("Customers")
vendor_router = resource_router("Vendors")

ContactPath = Annotated[IdOf[ContactId], Path(alias="contactId", description="Contact ID")]

_FIRST_IS_DEFAULT = (
    "The first contact becomes the default by itself. A contact that is added as default takes the mark from the one "
    "before: exactly one is the default at any time."
)
_FLAG_MOVES = (
    "Only the fields provided in the request are changed. `isDefault: true` moves the mark to this contact; the "
    "default itself can't give it up."
)


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
async def list_customer_contacts(context: Ctx, customer_id: CustomerPath) -> Response:
    """List a customer's contacts."""
    return await list_of_party(context, Party.customer(customer_id), store.list_of_party, render)


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
async def create_customer_contact(
    context: Ctx, customer_id: CustomerPath, body: CreateContactRequest
) -> ContactResponse:
    """Add a contact to a customer."""
    return render(await actions.create(context, Party.customer(customer_id), body.given()))


@customer_router.patch(
    "/v1/customers/{customerId}/contacts/{contactId}",
    **operation(
        "Update a customer's contact",
        scope="customers-write",
        description=_FLAG_MOVES,
        response="Contact updated successfully",
        errors=[CUSTOMER_NOT_FOUND, CONTACT_NOT_FOUND, DEPARTMENT_NOT_FOUND, CONTACT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def update_customer_contact(
    context: Ctx, customer_id: CustomerPath, contact_id: ContactPath, body: UpdateContactRequest
) -> ContactResponse:
    """Update a customer's contact."""
    return render(await actions.update(context, Party.customer(customer_id), contact_id, changes_of(body)))


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
async def list_vendor_contacts(context: Ctx, vendor_id: VendorPath) -> Response:
    """List vendor contacts."""
    return await list_of_party(context, Party.vendor(vendor_id), store.list_of_party, render)


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
async def create_vendor_contact(context: Ctx, vendor_id: VendorPath, body: CreateContactRequest) -> ContactResponse:
    """Add a contact to a vendor."""
    return render(await actions.create(context, Party.vendor(vendor_id), body.given()))


@vendor_router.patch(
    "/v1/vendors/{vendorId}/contacts/{contactId}",
    **operation(
        "Update a vendor's contact",
        scope="vendors-write",
        description=_FLAG_MOVES,
        response="Contact updated successfully",
        errors=[VENDOR_NOT_FOUND, CONTACT_NOT_FOUND, DEPARTMENT_NOT_FOUND, CONTACT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def update_vendor_contact(
    context: Ctx, vendor_id: VendorPath, contact_id: ContactPath, body: UpdateContactRequest
) -> ContactResponse:
    """Update a vendor's contact."""
    return render(await actions.update(context, Party.vendor(vendor_id), contact_id, changes_of(body)))
