"""What products and their prices share: statuses, ids and refusals."""

from enum import StrEnum
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

ProductId = NewType("ProductId", UUID)


class CatalogStatus(StrEnum):
    """Whether a product or price can be used on new documents."""

    ACTIVE = "ACTIVE"
    DISABLED = "DISABLED"
    ARCHIVED = "ARCHIVED"


PRODUCT_NOT_FOUND = ErrorCode("PRODUCT_NOT_FOUND", 404, "No such product in the company")
PRODUCT_IN_USE = ErrorCode("PRODUCT_IN_USE", 409, "The product has prices that are in use")
PRODUCT_INVALID_STATE = ErrorCode("PRODUCT_INVALID_STATE", 409, "The product's status does not allow this")
