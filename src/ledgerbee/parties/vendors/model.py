"""Vendors (contract 2.26)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ZERO, format_amount
from ledgerbee.parties.groups.model import VendorGroupId
from ledgerbee.parties.party.model import VendorId


class VendorStatus(StrEnum):
    """Whether the company still buys there."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorFields:
    """What whoever keeps a vendor says of it. `currency` is ISO 4217, `attention` is whom letters go to.

    `payment_terms_days` is None where nothing was agreed. `default_account_id` is the account its bills are usually
    booked on.
    """

    number: str
    name: str
    vendor_group_id: VendorGroupId
    currency: str
    country_code: str
    email: str | None = None
    phone: str | None = None
    address: str | None = None
    city: str | None = None
    postal_code: str | None = None
    vat_number: str | None = None
    attention: str | None = None
    payment_terms_days: int | None = None
    default_account_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Vendor(VendorFields):
    """A vendor as it is kept. Moments are aware UTC."""

    id: VendorId
    created_at: datetime
    updated_at: datetime
    status: VendorStatus = VendorStatus.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupedVendor(Vendor):
    """A vendor with what is shown of its group, in a company that keeps its books in `base_currency`."""

    vendor_group_name: str
    base_currency: str

    @property
    def opening_balance(self) -> str:
        """What was owed to it when the books were opened: nothing, as no operation brings in earlier balances."""
        return format_amount(ZERO, self.base_currency)


VENDOR_NUMBER_ALREADY_EXISTS = ErrorCode(
    "VENDOR_NUMBER_ALREADY_EXISTS", 400, "Another vendor of the company has this number"
)
LEDGER_NOT_FOUND = ErrorCode("LEDGER_NOT_FOUND", 404, "No such ledger account in the company")
VENDOR_DEFAULT_ACCOUNT_INVALID = ErrorCode(
    "VENDOR_DEFAULT_ACCOUNT_INVALID", 400, "A vendor's default account must be bookable and no control account"
)
