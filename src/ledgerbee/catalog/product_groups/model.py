"""Product groups: the revenue account of a sale in each VAT zone (contract 2.11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NewType
from uuid import UUID

from ledgerbee.chart.accounts.model import AccountLabel
from ledgerbee.core.errors import ErrorCode

ProductGroupId = NewType("ProductGroupId", UUID)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductGroupFields:
    """What whoever keeps a group says of it. The four accounts are the company's own, by VAT zone of the customer.

    `defer_revenue`: what is sold for days after the invoice's month is earned then, not at once.
    """

    number: str
    name: str
    description: str | None = None
    domestic_account_id: UUID
    eu_account_id: UUID
    abroad_account_id: UUID
    domestic_without_vat_account_id: UUID
    defer_revenue: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductGroup(ProductGroupFields):
    """A group as it is kept. Moments are aware UTC."""

    id: ProductGroupId
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class MappedGroup:
    """A group with the labels of its accounts, by their ids; in a list with its number of products."""

    group: ProductGroup
    accounts: Mapping[UUID, AccountLabel]
    product_count: int | None = None


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
