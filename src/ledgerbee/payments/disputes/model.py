"""Disputes of charges (extension): what a card's owner disputes, until the provider says who has the money."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.payments.charges.model import ChargeId
from ledgerbee.payments.providers.model import DisputeStatus, ProviderName
from ledgerbee.sales.invoices.model import InvoiceId

DisputeId = NewType("DisputeId", UUID)

#: What journal entries call a dispute as their source.
SOURCE_TYPE: Final = "dispute"
#: Payload `provider`, `disputeId` (the provider's).
DISPUTE_JOB: Final = "look_at_dispute"


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """One dispute, in its charge's currency. `won` and `lost` are final; `fee` is what the provider takes for it."""

    id: DisputeId
    provider: ProviderName
    provider_id: str
    charge_id: ChargeId
    invoice_id: InvoiceId
    customer_id: UUID
    status: DisputeStatus
    amount: Decimal
    currency: str
    fee: Decimal
    reason: str
    ended_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


DISPUTE_NOT_FOUND = ErrorCode("DISPUTE_NOT_FOUND", 404, "No such dispute in the company")
DISPUTE_OF_OPEN_CHARGE = ErrorCode(
    "DISPUTE_OF_OPEN_CHARGE", 503, "The provider's answer to the charge isn't booked yet: the dispute waits for it"
)
