"""Vendors (contract 2.26)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


class VendorStatus(StrEnum):
    """Whether the company still buys there."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True)
class Vendor:
    """One vendor. `payment_terms_days` is None where nothing was agreed; `attention` is whom letters go to.

    `default_account_id` is the account its bills are usually booked on.
    """

    id: UUID
    number: str
    name: str
    vendor_group_id: UUID
    currency: str
    country_code: str
    created_at: datetime
    updated_at: datetime
    status: VendorStatus = VendorStatus.ACTIVE
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    vat_number: str | None = None
    attention: str | None = None
    payment_terms_days: int | None = None
    default_account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class GroupedVendor:
    """A vendor with its group's name."""

    vendor: Vendor
    group_name: str


VENDOR_NOT_FOUND = ErrorCode("VENDOR_NOT_FOUND", 404, "No such vendor in the company")
VENDOR_NUMBER_ALREADY_EXISTS = ErrorCode(
    "VENDOR_NUMBER_ALREADY_EXISTS", 400, "Another vendor of the company has this number"
)
LEDGER_NOT_FOUND = ErrorCode("LEDGER_NOT_FOUND", 404, "No such ledger account in the company")
VENDOR_DEFAULT_ACCOUNT_INVALID = ErrorCode(
    "VENDOR_DEFAULT_ACCOUNT_INVALID", 400, "A vendor's default account must be bookable and no control account"
)
