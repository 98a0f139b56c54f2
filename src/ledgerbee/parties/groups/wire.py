"""Customer and vendor groups on the wire (contract 2.4, 2.26)."""

from pydantic import Field

from ledgerbee.core.money import ZERO
from ledgerbee.http.metadata import Metadata, MetadataOut
from ledgerbee.http.wire import Id, IdText, Line, Number, Percent, RequestModel, ResponseModel
from ledgerbee.parties.groups.model import (
    CustomerGroup,
    CustomerGroupFields,
    GroupAccount,
    VendorGroup,
    VendorGroupFields,
)
from ledgerbee.parties.wire import PartyNumber


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
    discount_percent: Percent = Field(ZERO, alias="discount")
    metadata: Metadata = Field(default_factory=dict)

    def given(self) -> CustomerGroupFields:
        """The fields of the group that it asks for."""
        return CustomerGroupFields(**self.model_dump(exclude_unset=True))


class CreateVendorGroupRequest(RequestModel):
    """What a new vendor group needs."""

    number: PartyNumber = Field(description="Unique group number within the company", examples=["10"])
    name: Line = Field(examples=["Subcontractors"])
    account_id: Id = Field(description="An active control account of type ACCOUNTS_PAYABLE")
    metadata: Metadata = Field(default_factory=dict)

    def given(self) -> VendorGroupFields:
        """The fields of the group that it asks for."""
        return VendorGroupFields(**self.model_dump(exclude_unset=True))


def render_customer_group(group: CustomerGroup, account: GroupAccount) -> CustomerGroupResponse:
    """A customer group on the wire."""
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


def render_vendor_group(group: VendorGroup, account: GroupAccount) -> VendorGroupResponse:
    """A vendor group on the wire."""
    return VendorGroupResponse(
        id=group.id,
        number=group.number,
        name=group.name,
        account_id=group.account_id,
        account_number=account.number,
        account_name=account.name,
        metadata=group.metadata,
    )
