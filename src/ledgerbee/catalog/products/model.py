"""Products (contract 2.13)."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from ledgerbee.core.errors import ErrorCode


class CatalogStatus(StrEnum):
    """Whether a product or price can be used on new documents."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    ARCHIVED = "ARCHIVED"


@dataclass(frozen=True, slots=True)
class Product:
    """What is sold. Its group decides the revenue accounts."""

    id: UUID
    number: str
    name: str
    description: str | None
    product_group_id: UUID
    unit: str | None
    status: CatalogStatus
    created_at: datetime
    updated_at: datetime
    metadata: dict[str, Any] = field(default_factory=dict)


PRODUCT_NOT_FOUND = ErrorCode("PRODUCT_NOT_FOUND", 404, "No such product in the company")
PRODUCT_NUMBER_ALREADY_EXISTS = ErrorCode(
    "PRODUCT_NUMBER_ALREADY_EXISTS", 409, "Another product of the company has this number"
)
PRODUCT_IN_USE = ErrorCode("PRODUCT_IN_USE", 409, "The product has prices that are in use")
PRODUCT_INVALID_STATE = ErrorCode("PRODUCT_INVALID_STATE", 409, "The product's status does not allow this")
