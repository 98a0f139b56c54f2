"""Routes of vendors (contract 2.26)."""

from fastapi import Response

from ledgerbee.http.arrays import array_of
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.parties.contacts.model import CONTACT_DEFAULT_REQUIRED, CONTACT_MULTIPLE_DEFAULTS
from ledgerbee.parties.groups.model import VENDOR_GROUP_NOT_FOUND
from ledgerbee.parties.vendors import actions, store
from ledgerbee.parties.vendors.model import (
    LEDGER_NOT_FOUND,
    VENDOR_DEFAULT_ACCOUNT_INVALID,
    VENDOR_NUMBER_ALREADY_EXISTS,
)
from ledgerbee.parties.vendors.wire import CreatedVendorResponse, CreateVendorRequest, VendorResponse, render

router = resource_router("Vendors")


@router.get(
    "/v1/vendors",
    response_model=list[VendorResponse],
    **operation(
        "List vendors",
        scope="vendors-read",
        description="All vendors, by vendor number: runs of digits count as numbers, so `2` comes before `10`.",
        response="Vendors of the company",
    ),
)
async def list_vendors(context: Ctx, caller: CallerDep) -> Response:
    """List vendors."""
    return await array_of(context, caller, await store.list_ids(context), store.get_many, render)


@router.post(
    "/v1/vendors",
    **operation(
        "Create a vendor",
        scope="vendors-write",
        status=201,
        description="Creates a vendor with its contacts.",
        response="Vendor created successfully",
        errors=[
            VENDOR_NUMBER_ALREADY_EXISTS,
            CONTACT_DEFAULT_REQUIRED,
            CONTACT_MULTIPLE_DEFAULTS,
            VENDOR_DEFAULT_ACCOUNT_INVALID,
            VENDOR_GROUP_NOT_FOUND,
            LEDGER_NOT_FOUND,
        ],
    ),
)
async def create_vendor(context: Ctx, body: CreateVendorRequest) -> CreatedVendorResponse:
    """Create a vendor."""
    vendor = await actions.create(context, body.given(), [contact.given() for contact in body.contacts])
    return CreatedVendorResponse.of_row(vendor)
