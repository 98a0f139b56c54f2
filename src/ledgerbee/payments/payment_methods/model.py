"""Saved cards of customers, and the links on which customers save them (contract 2.20, decisions "Payments")."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.payments.providers.model import ProviderName

PaymentMethodId = NewType("PaymentMethodId", UUID)
CardLinkId = NewType("CardLinkId", UUID)

#: How long a card can be saved by a link.
LINK_LIFE: Final = timedelta(hours=24)
#: How long after that nobody can be at saving a card by it any more.
LINK_GRACE: Final = timedelta(minutes=5)
#: The job that asks the provider what became of an open link; its payload names it: `cardLinkId`.
CARD_LINK_JOB: Final = "look_at_card_link"
#: How often it asks.
LINK_PAUSE: Final = timedelta(minutes=5)
#: Days before a card's end on which it is told.
EXPIRING_DAYS: Final = 30


class PaymentMethodStatus(StrEnum):
    """Whether a card can be charged. The two others are final."""

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethod:
    """A saved card. `agreement_id` is what the provider charges it by. Without `customer_id` it was unassigned.

    `told_expiry` is the last day of validity that was told of. Moments are aware UTC.
    """

    id: PaymentMethodId
    customer_id: UUID | None
    provider: ProviderName
    agreement_id: str
    label: str | None
    is_default: bool
    status: PaymentMethodStatus
    card_mask: str | None
    card_type: str | None
    expiry_month: int | None
    expiry_year: int | None
    told_expiry: date | None = None
    created_at: datetime
    updated_at: datetime


class CardLinkStatus(StrEnum):
    """Where a link stands. `asked`: the provider's answer isn't there. The last three are final."""

    ASKED = "asked"
    OPEN = "open"
    SAVED = "saved"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class CardLink:
    """A link on which a customer saves a card, once. `reference` is ours, `provider_id` that of the provider's page."""

    id: CardLinkId
    customer_id: UUID
    provider: ProviderName
    reference: str
    provider_id: str | None = None
    url: str | None = None
    status: CardLinkStatus
    payment_method_id: PaymentMethodId | None = None
    expires_at: datetime
    created_at: datetime
    updated_at: datetime

    @property
    def is_open(self) -> bool:
        return self.status in {CardLinkStatus.ASKED, CardLinkStatus.OPEN}


PAYMENT_METHOD_NOT_FOUND = ErrorCode("PAYMENT_METHOD_NOT_FOUND", 404, "No such payment method of the customer")
PAYMENT_METHOD_INVALID_STATE = ErrorCode(
    "PAYMENT_METHOD_INVALID_STATE", 409, "The payment method's status does not allow this"
)
