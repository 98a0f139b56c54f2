"""Customer and vendor groups over HTTP (contract 2.4, 2.26)."""

from pydantic import Field

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_FOUND
from ledgerbee.core.money import ZERO
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.metadata import Metadata, MetadataOut
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import Id, IdText, Line, Number, Percent, RequestModel, ResponseModel
from ledgerbee.parties.groups import actions, store
from ledgerbee.parties.groups.model import (
    CUSTOMER_GROUP_ACCOUNT_INVALID,
    CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS,
    VENDOR_GROUP_ACCOUNT_INVALID,
    VENDOR_GROUP_NUMBER_ALREADY_EXISTS,
    CustomerGroup,
    GroupAccount,
    VendorGroup,
)
from ledgerbee.parties.wire import PartyNumber

customer_router = resource_router("Customers")
vendor_router = resource_router("Vendors")


class CustomerGroupResponse(ResponseModel):
    """A customer group."""

    id: IdText
    number: str = Field(examples=["1"])
    name: str = Field(examples=["Domestic customers"])
    discount: Number = Field(description="Discount in percent", examples=[0])
    account_id: IdText = Field(description="The receivable account that its customers' entries stand on")
    account_number: int = Field(examples=[6100])
    account_name: str = Field(examples=["Trade receivables"])
    metadata: MetadataOut


class VendorGroupResponse(ResponseModel):
    """A vendor group."""

    id: IdText
    number: str = Field(examples=["1"])
    name: str = Field(examples=["Domestic vendors"])
    account_id: IdText = Field(description="The payable account that its vendors' entries stand on")
    account_number: int = Field(examples=[7200])
    account_name: str = Field(examples=["Trade payables"])
    metadata: MetadataOut


class CreateCustomerGroupRequest(RequestModel):
    """What a new customer group needs."""

    number: PartyNumber = Field(description="Unique group number within the company", examples=["10"])
    name: Line = Field(examples=["Resellers"])
    account_id: Id = Field(description="An active control account of type ACCOUNTS_RECEIVABLE")
    discount: Percent = ZERO
    metadata: Metadata = Field(default_factory=dict)


class CreateVendorGroupRequest(RequestModel):
    """What a new vendor group needs."""

    number: PartyNumber = Field(description="Unique group number within the company", examples=["10"])
    name: Line = Field(examples=["Subcontractors"])
    account_id: Id = Field(description="An active control account of type ACCOUNTS_PAYABLE")
    metadata: Metadata = Field(default_factory=dict)


@form_of(CustomerGroup)
def _render_customer_group(group: CustomerGroup, account: GroupAccount) -> CustomerGroupResponse:
    return CustomerGroupResponse(
        id=group.id,
        number=group.number,
        name=group.name,
        discount=group.discount_percent,
        account_id=group.account_id,
        account_number=account.number,
        account_name=account.name,
        metadata=group.metadata,
    )


@form_of(VendorGroup)
def _render_vendor_group(group: VendorGroup, account: GroupAccount) -> VendorGroupResponse:
    return VendorGroupResponse(
        id=group.id,
        number=group.number,
        name=group.name,
        account_id=group.account_id,
        account_number=account.number,
        account_name=account.name,
        metadata=group.metadata,
    )


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
    return [_render_customer_group(*found) for found in await store.list_customer_groups(context)]


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
    group, account = await actions.create_customer_group(
        context,
        number=body.number,
        name=body.name,
        discount_percent=body.discount,
        account_id=body.account_id,
        metadata=body.metadata,
    )
    return _render_customer_group(group, account)


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
    return [_render_vendor_group(*found) for found in await store.list_vendor_groups(context)]


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
    group, account = await actions.create_vendor_group(
        context, number=body.number, name=body.name, account_id=body.account_id, metadata=body.metadata
    )
    return _render_vendor_group(group, account)
