"""Refunds of charges (extension): what is given back of a charge that succeeded, and what became of it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.payments.charges.model import ChargeId
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.sales.invoices.model import InvoiceId

RefundId = NewType("RefundId", UUID)

#: What journal entries call a refund as their source.
SOURCE_TYPE: Final = "refund"
#: Payload `refundId`.
REFUND_JOB: Final = "refund_charge"


class RefundStatus(StrEnum):
    """Where a refund stands. `succeeded` and `failed` are final.

    `unclear`: the provider was asked and gave no answer; it is asked what it knows until that is definite.
    """

    PENDING = "pending"
    UNCLEAR = "unclear"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


UNDER_WAY: Final = frozenset({RefundStatus.PENDING, RefundStatus.UNCLEAR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Refund:
    """One refund of a charge, in its currency.

    `reference` is what the provider knows it by; `asked_at` is when the provider was asked last.
    """

    id: RefundId
    reference: str
    charge_id: ChargeId
    invoice_id: InvoiceId
    customer_id: UUID
    provider: ProviderName
    provider_id: str | None = None
    amount: Decimal
    currency: str
    status: RefundStatus
    failure_code: str | None = None
    failure_message: str | None = None
    asked_at: datetime | None = None
    finished_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


REFUND_NOT_FOUND = ErrorCode("REFUND_NOT_FOUND", 404, "No such refund in the company")
REFUND_EXCEEDS_CHARGE = ErrorCode(
    "REFUND_EXCEEDS_CHARGE",
    409,
    "The refund is more than what is left of the charge: refunds, also those under way, and lost disputes take of it",
)
REFUND_BEING_ASKED = ErrorCode("REFUND_BEING_ASKED", 503, "The provider is being asked for this refund elsewhere")
REFUND_UNDECIDED = ErrorCode("REFUND_UNDECIDED", 503, "The provider has not decided on the refund yet")
