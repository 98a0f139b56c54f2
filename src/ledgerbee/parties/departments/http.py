"""Departments over HTTP, of customers and of vendors (contract 2.4, 2.26)."""

from typing import Annotated, Any

from fastapi import Path
from pydantic import Field

from ledgerbee.http.event_forms import form_of
from ledgerbee.http.fields import NullableAddress, NullableLine
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import Id, IdText, Line, RequestModel, ResponseModel, changes_of, omitted
from ledgerbee.parties.customers.model import CUSTOMER_NOT_FOUND
from ledgerbee.parties.departments import actions, store
from ledgerbee.parties.departments.model import (
    DEPARTMENT_DEFAULT_REQUIRED,
    DEPARTMENT_NOT_FOUND,
    Department,
)
from ledgerbee.parties.party import store as parties
from ledgerbee.parties.party.model import Party
from ledgerbee.parties.vendors.model import VENDOR_NOT_FOUND
from ledgerbee.parties.wire import Flag, NullableCountry, NullableEan
from ledgerbee.platform.context import Context

customer_router = resource_router("Customers")
vendor_router = resource_router("Vendors")

CustomerId = Annotated[Id, Path(alias="customerId", description="Customer ID")]
VendorId = Annotated[Id, Path(alias="vendorId", description="Vendor ID")]
DepartmentId = Annotated[Id, Path(alias="departmentId", description="Department ID")]

_FIRST_IS_DEFAULT = (
    "The first department becomes the default by itself. One that is added as default takes the mark from the one "
    "before: exactly one is the default at any time, an active one as long as any is."
)
_MARK_MOVES = (
    "Only the fields provided in the request are changed. `isDefault: true` moves the mark to this department; the "
    "default itself can't give it up, nor become inactive while others are active."
)


class DepartmentResponse(ResponseModel):
    """A department of a customer or vendor."""

    id: IdText
    name: str = Field(examples=["Indkøb"])
    is_default: bool = Field(description="Exactly one department is the default, once there are any")
    is_active: bool = Field(description="Whether new documents can name it")
    ean_number: str | None = Field(description="Its EAN (GLN) for e-invoices", examples=["5798009811578"])
    address: str | None = Field(description="Replaces the address of the customer or vendor")
    city: str | None
    postal_code: str | None
    country_code: str | None = Field(examples=["DK"])


class CreateDepartmentRequest(RequestModel):
    """What a new department needs."""

    name: Line = Field(examples=["Indkøb"])
    is_default: Flag = Field(False, description="True makes it the default instead of the present one")
    is_active: Flag = Field(True, description="Whether new documents can name it")
    ean_number: NullableEan = omitted(description="EAN (GLN) for e-invoices: 13 digits")
    address: NullableAddress = omitted(description="Replaces the address of the customer or vendor")
    city: NullableLine = omitted()
    postal_code: NullableLine = omitted()
    country_code: NullableCountry = omitted()


class UpdateDepartmentRequest(RequestModel):
    """The fields to change; the others stay as they are. Null clears what may be null."""

    name: Line = omitted()
    is_default: Flag = omitted(description="True makes it the default instead of the present one")
    is_active: Flag = omitted(description="Whether new documents can name it")
    ean_number: NullableEan = omitted(description="EAN (GLN) for e-invoices: 13 digits")
    address: NullableAddress = omitted(description="Replaces the address of the customer or vendor")
    city: NullableLine = omitted()
    postal_code: NullableLine = omitted()
    country_code: NullableCountry = omitted()


@form_of(Department)
def _render(department: Department) -> DepartmentResponse:
    return DepartmentResponse.model_validate(department)


async def _list(context: Context, party: Party) -> list[DepartmentResponse]:
    found = await store.list_of(context, party)
    if not found:
        await parties.require(context, party)
    return [_render(department) for department in found]


async def _create(context: Context, party: Party, body: CreateDepartmentRequest) -> DepartmentResponse:
    given: dict[str, Any] = dict(body)
    return _render(await actions.add(context, party, **given))


@customer_router.get(
    "/v1/customers/{customerId}/departments",
    **operation(
        "List a customer's departments",
        scope="customers-read",
        description="All departments of the customer, the default first, then by name.",
        response="Departments of the customer",
        errors=[CUSTOMER_NOT_FOUND],
    ),
)
async def list_customer_departments(context: Ctx, customer_id: CustomerId) -> list[DepartmentResponse]:
    """List a customer's departments."""
    return await _list(context, Party.customer(customer_id))


@customer_router.post(
    "/v1/customers/{customerId}/departments",
    **operation(
        "Add a department to a customer",
        scope="customers-write",
        status=201,
        description=_FIRST_IS_DEFAULT,
        response="Department added successfully",
        errors=[CUSTOMER_NOT_FOUND, DEPARTMENT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def create_customer_department(
    context: Ctx, customer_id: CustomerId, body: CreateDepartmentRequest
) -> DepartmentResponse:
    """Add a department to a customer."""
    return await _create(context, Party.customer(customer_id), body)


@customer_router.patch(
    "/v1/customers/{customerId}/departments/{departmentId}",
    **operation(
        "Update a customer's department",
        scope="customers-write",
        description=_MARK_MOVES,
        response="Department updated successfully",
        errors=[CUSTOMER_NOT_FOUND, DEPARTMENT_NOT_FOUND, DEPARTMENT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def update_customer_department(
    context: Ctx, customer_id: CustomerId, department_id: DepartmentId, body: UpdateDepartmentRequest
) -> DepartmentResponse:
    """Update a customer's department."""
    return _render(await actions.update(context, Party.customer(customer_id), department_id, changes_of(body)))


@vendor_router.get(
    "/v1/vendors/{vendorId}/departments",
    **operation(
        "List vendor departments",
        scope="vendors-read",
        description="All departments of the vendor, the default first, then by name.",
        response="Departments of the vendor",
        errors=[VENDOR_NOT_FOUND],
    ),
)
async def list_vendor_departments(context: Ctx, vendor_id: VendorId) -> list[DepartmentResponse]:
    """List vendor departments."""
    return await _list(context, Party.vendor(vendor_id))


@vendor_router.post(
    "/v1/vendors/{vendorId}/departments",
    **operation(
        "Add a department to a vendor",
        scope="vendors-write",
        status=201,
        description=_FIRST_IS_DEFAULT,
        response="Department added successfully",
        errors=[VENDOR_NOT_FOUND, DEPARTMENT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def create_vendor_department(
    context: Ctx, vendor_id: VendorId, body: CreateDepartmentRequest
) -> DepartmentResponse:
    """Add a department to a vendor."""
    return await _create(context, Party.vendor(vendor_id), body)


@vendor_router.patch(
    "/v1/vendors/{vendorId}/departments/{departmentId}",
    **operation(
        "Update a vendor's department",
        scope="vendors-write",
        description=_MARK_MOVES,
        response="Department updated successfully",
        errors=[VENDOR_NOT_FOUND, DEPARTMENT_NOT_FOUND, DEPARTMENT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def update_vendor_department(
    context: Ctx, vendor_id: VendorId, department_id: DepartmentId, body: UpdateDepartmentRequest
) -> DepartmentResponse:
    """Update a vendor's department."""
    return _render(await actions.update(context, Party.vendor(vendor_id), department_id, changes_of(body)))
