"""Routes of customer and vendor groups (contract 2.4, 2.26)."""

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.parties.groups import actions, store
from ledgerbee.parties.groups.model import (
    CUSTOMER_GROUP_ACCOUNT_INVALID,
    CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS,
    VENDOR_GROUP_ACCOUNT_INVALID,
    VENDOR_GROUP_NUMBER_ALREADY_EXISTS,
    CustomerGroup,
    VendorGroup,
)
from ledgerbee.parties.groups.wire import (
    CreateCustomerGroupRequest,
    CreateVendorGroupRequest,
    CustomerGroupResponse,
    VendorGroupResponse,
    render_customer_group,
    render_vendor_group,
)

customer_router = resource_router("Customers")
vendor_router = resource_router("Vendors")


@customer_router.get(
    "/v1/customer-groups",
    **operation(
        "List customer groups",
        scope="customers-read",
        description="All customer groups with their receivable accounts, by number.",
        response="Customer groups of the company",
    ),
)
async def list_customer_groups(context: Ctx) -> list[CustomerGroupResponse]:
    """List customer groups."""
    return [render_customer_group(*found) for found in await store.list_all(context, CustomerGroup)]


@customer_router.post(
    "/v1/customer-groups",
    **operation(
        "Create a customer group",
        scope="customers-write",
        status=201,
        description="Creates a customer group. Its account takes the receivable leg of its customers' entries.",
        response="Customer group created successfully",
        errors=[ACCOUNT_NOT_FOUND, CUSTOMER_GROUP_ACCOUNT_INVALID, CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS],
        extension=True,
    ),
)
async def create_customer_group(context: Ctx, body: CreateCustomerGroupRequest) -> CustomerGroupResponse:
    """Create a customer group."""
    return render_customer_group(*await actions.create_customer_group(context, body.given()))


@vendor_router.get(
    "/v1/vendor-groups",
    **operation(
        "List vendor groups",
        scope="vendors-read",
        description="All vendor groups with their payable accounts, by number.",
        response="Vendor groups of the company",
    ),
)
async def list_vendor_groups(context: Ctx) -> list[VendorGroupResponse]:
    """List vendor groups."""
    return [render_vendor_group(*found) for found in await store.list_all(context, VendorGroup)]


@vendor_router.post(
    "/v1/vendor-groups",
    **operation(
        "Create a vendor group",
        scope="vendors-write",
        status=201,
        description="Creates a vendor group. Its account takes the payable leg of its vendors' entries.",
        response="Vendor group created successfully",
        errors=[ACCOUNT_NOT_FOUND, VENDOR_GROUP_ACCOUNT_INVALID, VENDOR_GROUP_NUMBER_ALREADY_EXISTS],
        extension=True,
    ),
)
async def create_vendor_group(context: Ctx, body: CreateVendorGroupRequest) -> VendorGroupResponse:
    """Create a vendor group."""
    return render_vendor_group(*await actions.create_vendor_group(context, body.given()))
