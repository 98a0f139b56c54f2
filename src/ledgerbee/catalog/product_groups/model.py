"""Product groups: the revenue account of a sale in each VAT zone (contract 2.11)."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


@dataclass(frozen=True, slots=True)
class ProductGroup:
    """One group. The four accounts are the company's own, by VAT zone of the customer."""

    id: UUID
    number: str
    name: str
    description: str | None
    domestic_account_id: UUID
    eu_account_id: UUID
    abroad_account_id: UUID
    domestic_without_vat_account_id: UUID
    created_at: datetime
    updated_at: datetime


PRODUCT_GROUP_NOT_FOUND = ErrorCode("PRODUCT_GROUP_NOT_FOUND", 404, "No such product group in the company")
PRODUCT_GROUP_NUMBER_ALREADY_EXISTS = ErrorCode(
    "PRODUCT_GROUP_NUMBER_ALREADY_EXISTS", 409, "Another product group of the company has this number"
)
PRODUCT_GROUP_IN_USE = ErrorCode("PRODUCT_GROUP_IN_USE", 409, "The product group still has products")
PRODUCT_GROUP_ACCOUNT_INVALID = ErrorCode(
    "PRODUCT_GROUP_ACCOUNT_INVALID",
    400,
    "A sales account must be bookable, and for domestic, EU and abroad sales carry a VAT code valid for sales",
)
