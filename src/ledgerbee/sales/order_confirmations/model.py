"""Order confirmations: what a customer has ordered, before it is invoiced (contract 2.23, decisions "Documents")."""

from enum import StrEnum
from typing import NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.sales.documents.model import DocumentKind, DocumentRef, DraftFields, FullDocument
from ledgerbee.sales.presales.model import Presale

OrderConfirmationId = NewType("OrderConfirmationId", UUID)


class OrderConfirmationStatus(StrEnum):
    """Where an order confirmation stands, as it is kept."""

    DRAFT = "draft"
    SENT = "sent"


class OrderConfirmationDisplayStatus(StrEnum):
    """Where an order confirmation stands, as it is shown."""

    DRAFT = "draft"
    SENT = "sent"
    CONVERTED = "converted"


class OrderConfirmationFields(DraftFields, frozen=True, kw_only=True):
    """What an author says of an order confirmation."""


class OrderConfirmation(Presale, frozen=True, kw_only=True):
    """One order confirmation."""

    id: OrderConfirmationId
    status: OrderConfirmationStatus
    converted_from_quote_id: UUID | None = None

    @property
    def converted_from(self) -> DocumentRef | None:
        """The quote that it was made of, if it was."""
        quote_id = self.converted_from_quote_id
        return None if quote_id is None else DocumentRef(DocumentKind.QUOTE, quote_id)


FullOrderConfirmation = FullDocument[OrderConfirmation]

ORDER_CONFIRMATION_NOT_FOUND = ErrorCode(
    "ORDER_CONFIRMATION_NOT_FOUND", 404, "No such order confirmation in the company"
)
ORDER_CONFIRMATION_INVALID_STATE = ErrorCode(
    "ORDER_CONFIRMATION_INVALID_STATE", 409, "The order confirmation's status does not allow this"
)
ORDER_CONFIRMATION_RECIPIENT_MISSING = ErrorCode(
    "ORDER_CONFIRMATION_RECIPIENT_MISSING",
    400,
    "There is no address to send to: neither recipientEmail nor the contact's or customer's",
)
