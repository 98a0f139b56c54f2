"""What quotes and order confirmations share: they are sent and converted, never booked (contract 2.23, 2.25, 3.3)."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.sales.documents.model import Document, DocumentWarning, FullDocument


class Target(StrEnum):
    """What a document is converted to."""

    ORDER_CONFIRMATION = "orderConfirmation"
    INVOICE = "invoice"


class Presale(Document, frozen=True, kw_only=True):
    """A quote or an order confirmation. Once it is converted nothing of it changes any more."""

    converted_to_invoice_id: UUID | None = None

    @property
    def is_converted(self) -> bool:
        """Whether a document was made of it."""
        return self.converted_to_invoice_id is not None


M = TypeVar("M", bound=Document)


@dataclass(frozen=True, slots=True)
class Converted(Generic[M]):
    """The draft that was made, and what to look at of it."""

    made: FullDocument[M]
    warnings: tuple[DocumentWarning, ...]


#: The status of what was converted, as refusals and lists say it.
CONVERTED = "converted"

SALES_DOCUMENT_CONVERT_REQUIRES_SENT = ErrorCode(
    "SALES_DOCUMENT_CONVERT_REQUIRES_SENT", 400, "A draft can't be converted: send it first"
)
