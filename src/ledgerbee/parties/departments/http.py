"""Routes of departments, of customers and of vendors (contract 2.4, 2.26)."""

from typing import Annotated

from fastapi import Path, Response

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.departments import actions, store
from ledgerbee.parties.departments.model import (
    DEPARTMENT_DEFAULT_REQUIRED,
    DEPARTMENT_NOT_FOUND,
    DepartmentId,
)
from ledgerbee.parties.departments.wire import (
    CreateDepartmentRequest,
    DepartmentResponse,
    UpdateDepartmentRequest,
    changes_of,
    render,
)
from ledgerbee.parties.party.http import CustomerPath, VendorPath, list_of_party
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, VENDOR_NOT_FOUND, Party

customer_router = resource_router("Customers")
vendor_router = resource_router("Vendors")

DepartmentPath = Annotated[IdOf[DepartmentId], Path(alias="departmentId", description="Department ID")]

_FIRST_IS_DEFAULT = (
    "The first department becomes the default by itself. One that is added as default takes the mark from the one "
    "before: exactly one is the default at any time, an active one as long as any is."
)
_FLAG_MOVES = (
    "Only the fields provided in the request are changed. `isDefault: true` moves the mark to this department; the "
    "default itself can't give it up, nor become inactive while others are active."
)


@customer_router.get(
    "/v1/customers/{customerId}/departments",
    response_model=list[DepartmentResponse],
    **operation(
        "List a customer's departments",
        scope="customers-read",
        description="All departments of the customer, the default first, then by name.",
        response="Departments of the customer",
        errors=[CUSTOMER_NOT_FOUND],
    ),
)
async def list_customer_departments(context: Ctx, customer_id: CustomerPath) -> Response:
    """List a customer's departments."""
    return await list_of_party(context, Party.customer(customer_id), store.list_of_party, render)


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
    context: Ctx, customer_id: CustomerPath, body: CreateDepartmentRequest
) -> DepartmentResponse:
    """Add a department to a customer."""
    return render(await actions.create(context, Party.customer(customer_id), body.given()))


@customer_router.patch(
    "/v1/customers/{customerId}/departments/{departmentId}",
    **operation(
        "Update a customer's department",
        scope="customers-write",
        description=_FLAG_MOVES,
        response="Department updated successfully",
        errors=[CUSTOMER_NOT_FOUND, DEPARTMENT_NOT_FOUND, DEPARTMENT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def update_customer_department(
    context: Ctx, customer_id: CustomerPath, department_id: DepartmentPath, body: UpdateDepartmentRequest
) -> DepartmentResponse:
    """Update a customer's department."""
    return render(await actions.update(context, Party.customer(customer_id), department_id, changes_of(body)))


@vendor_router.get(
    "/v1/vendors/{vendorId}/departments",
    response_model=list[DepartmentResponse],
    **operation(
        "List vendor departments",
        scope="vendors-read",
        description="All departments of the vendor, the default first, then by name.",
        response="Departments of the vendor",
        errors=[VENDOR_NOT_FOUND],
    ),
)
async def list_vendor_departments(context: Ctx, vendor_id: VendorPath) -> Response:
    """List vendor departments."""
    return await list_of_party(context, Party.vendor(vendor_id), store.list_of_party, render)


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
    context: Ctx, vendor_id: VendorPath, body: CreateDepartmentRequest
) -> DepartmentResponse:
    """Add a department to a vendor."""
    return render(await actions.create(context, Party.vendor(vendor_id), body.given()))


@vendor_router.patch(
    "/v1/vendors/{vendorId}/departments/{departmentId}",
    **operation(
        "Update a vendor's department",
        scope="vendors-write",
        description=_FLAG_MOVES,
        response="Department updated successfully",
        errors=[VENDOR_NOT_FOUND, DEPARTMENT_NOT_FOUND, DEPARTMENT_DEFAULT_REQUIRED],
        extension=True,
    ),
)
async def update_vendor_department(
    context: Ctx, vendor_id: VendorPath, department_id: DepartmentPath, body: UpdateDepartmentRequest
) -> DepartmentResponse:
    """Update a vendor's department."""
    return render(await actions.update(context, Party.vendor(vendor_id), department_id, changes_of(body)))
