"""Products (contract 2.13)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from ledgerbee.catalog.model import CatalogStatus, ProductId
from ledgerbee.core.errors import ErrorCode


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductFields:
    """What a company says of what it sells. The group decides the revenue accounts."""

    number: str
    name: str
    description: str | None = None
    product_group_id: UUID
    unit: str | None = None
    status: CatalogStatus = CatalogStatus.ACTIVE
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Product(ProductFields):
    """A product as it is kept."""

    id: ProductId
    created_at: datetime
    updated_at: datetime


PRODUCT_NUMBER_ALREADY_EXISTS = ErrorCode(
    "PRODUCT_NUMBER_ALREADY_EXISTS", 409, "Another product of the company has this number"
)
