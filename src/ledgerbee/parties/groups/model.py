"""Customer and vendor groups: which control account a party's entries stand on (contract 2.4, 2.26)."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ZERO

CustomerGroupId = NewType("CustomerGroupId", UUID)
VendorGroupId = NewType("VendorGroupId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorGroupFields:
    """What whoever keeps a vendor group says of it. `account_id` is the payable account (the AP leg)."""

    number: str
    name: str
    account_id: UUID
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGroupFields:
    """What whoever keeps a customer group says of it.

    `account_id` is the receivable account (the AR leg), `discount_percent` the group's discount.
    """

    number: str
    name: str
    account_id: UUID
    discount_percent: Decimal = ZERO
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorGroup(VendorGroupFields):
    """A vendor group as it is kept."""

    id: VendorGroupId
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerGroup(CustomerGroupFields):
    """A customer group as it is kept."""

    id: CustomerGroupId
    created_at: datetime


@dataclass(frozen=True, slots=True)
class GroupAccount:
    """The number and name of a group's control account, as the wire form shows them."""

    number: int
    name: str


CUSTOMER_GROUP_NOT_FOUND = ErrorCode("CUSTOMER_GROUP_NOT_FOUND", 404, "No such customer group in the company")
CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS = ErrorCode(
    "CUSTOMER_GROUP_NUMBER_ALREADY_EXISTS", 409, "Another customer group of the company has this number"
)
CUSTOMER_GROUP_ACCOUNT_INVALID = ErrorCode(
    "CUSTOMER_GROUP_ACCOUNT_INVALID",
    400,
    "A customer group's account must be an active control account of type ACCOUNTS_RECEIVABLE",
)
VENDOR_GROUP_NOT_FOUND = ErrorCode("VENDOR_GROUP_NOT_FOUND", 404, "No such vendor group in the company")
VENDOR_GROUP_NUMBER_ALREADY_EXISTS = ErrorCode(
    "VENDOR_GROUP_NUMBER_ALREADY_EXISTS", 409, "Another vendor group of the company has this number"
)
VENDOR_GROUP_ACCOUNT_INVALID = ErrorCode(
    "VENDOR_GROUP_ACCOUNT_INVALID",
    400,
    "A vendor group's account must be an active control account of type ACCOUNTS_PAYABLE",
)
