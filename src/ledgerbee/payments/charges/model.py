"""Charges of saved cards (extension): what an invoice's customer is charged, and what became of it."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ZERO
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.payments.customer_payments.model import PAYMENT_ACCOUNT_INVALID, PAYMENT_ACCOUNT_MISSING
from ledgerbee.payments.providers.model import ANSWER_TIMEOUT_S, ProviderName
from ledgerbee.sales.invoices.model import InvoiceId
from ledgerbee.sales.write_offs.model import WRITE_OFF_ACCOUNT_MISSING
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

ChargeId = NewType("ChargeId", UUID)

#: What journal entries call a charge as their source.
SOURCE_TYPE: Final = "charge"
#: Roles of the accounts that charges stand on, where a provider's settings name no others.
PAYMENT_CLEARING: Final = "PAYMENT_CLEARING"
UNIDENTIFIED_RECEIPTS: Final = "UNIDENTIFIED_RECEIPTS"

#: Payload `chargeId`.
CHARGE_JOB: Final = "charge_card"
#: The code of a charge that somebody cancelled while its owner was to confirm it.
CANCELLED: Final = "cancelled"
#: Of charges that begin together, at most `TOGETHER` of them: payload `chargeIds`.
CHARGES_JOB: Final = "charge_cards"
TOGETHER: Final = 20
#: Why nothing can be booked today, until somebody opens a period, gives a rate or names an account.
NOT_BOOKED: Final = frozenset(
    {
        ACCOUNT_NOT_BOOKABLE,
        EXCHANGE_RATE_MISSING,
        FISCAL_YEAR_MISSING,
        PAYMENT_ACCOUNT_INVALID,
        PAYMENT_ACCOUNT_MISSING,
        PERIOD_LOCKED,
        WRITE_OFF_ACCOUNT_MISSING,
    }
)


class ChargeStatus(StrEnum):
    """Where a charge stands. `succeeded` and `failed` are final: a refund or a dispute is an object of its own.

    `unclear`: the provider was asked and gave no answer; it is asked what it knows until that is definite.
    """

    PENDING = "pending"
    UNCLEAR = "unclear"
    REQUIRES_ACTION = "requires_action"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


UNDER_WAY: Final = frozenset({ChargeStatus.PENDING, ChargeStatus.UNCLEAR, ChargeStatus.REQUIRES_ACTION})


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """One charge of a saved card for what was due on an invoice, in its currency.

    `reference` is what the provider knows it by. `attempt` counts charges that follow each other on an invoice;
    `retry_on` is the company's day on which the next one comes, where a decline may pass. `asked_at` is when the
    provider was last asked to charge; questions about how it stands leave it, and move `updated_at`. `payment_id` is
    what it paid of the invoice; `unapplied_amount` what it was more than was due by then, which `unapplied_entry_id`
    booked on unidentified receipts. `confirm_by` is the company's day on which one that `requires_action` is cancelled
    by itself. `cancel_code` and `cancel_asked_at` are why and since when the provider is to cancel it.
    """

    id: ChargeId
    reference: str
    invoice_id: InvoiceId
    customer_id: UUID
    payment_method_id: UUID
    provider: ProviderName
    provider_id: str | None = None
    amount: Decimal
    currency: str
    status: ChargeStatus
    decline_code: str | None = None
    decline_message: str | None = None
    is_soft_decline: bool | None = None
    action_url: str | None = None
    attempt: int
    retry_on: date | None = None
    asked_at: datetime | None = None
    confirm_by: date | None = None
    cancel_code: str | None = None
    cancel_asked_at: datetime | None = None
    payment_id: UUID | None = None
    unapplied_amount: Decimal = ZERO
    unapplied_entry_id: UUID | None = None
    finished_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Patience:
    """How long after the question something may be expected of a provider that was asked to charge.

    `asking`: whoever asked may still be waiting for the answer, and others wait too. `settling`: a request that nobody
    waits for any more may still be carried out, and what was carried out may not be shown yet; so what the provider
    doesn't know isn't asked for again. `deciding`: what it says by then it stands by, however odd that is.
    """

    asking: timedelta
    settling: timedelta
    deciding: timedelta


#: An answer is waited for half a minute. Providers carry requests out within two minutes, and show what they did within
#: one; each remembers references for a day at least, and refuses them the second time.
PATIENCE: Final = Patience(
    asking=timedelta(seconds=2 * ANSWER_TIMEOUT_S), settling=timedelta(minutes=5), deciding=timedelta(days=1)
)


@dataclass(frozen=True, slots=True)
class ChargeFields:
    """What is asked for: the customer's default card unless another is named; all that is due, in its currency."""

    payment_method_id: UUID | None = None
    amount: Decimal | None = None
    currency: str | None = None


@dataclass(frozen=True, slots=True)
class CardToCharge:
    """A saved card, and how the company's account at its provider stands."""

    id: UUID
    customer_id: UUID | None
    provider: ProviderName
    agreement_id: str
    is_active: bool
    is_enabled: bool
    clearing_account_id: UUID | None
    unidentified_account_id: UUID | None


CHARGE_NOT_FOUND = ErrorCode("CHARGE_NOT_FOUND", 404, "No such charge in the company")
CHARGE_AMOUNT_INVALID = ErrorCode("CHARGE_AMOUNT_INVALID", 400, "A charge is of all that is due on its invoice")
CHARGE_CURRENCY_MISMATCH = ErrorCode("CHARGE_CURRENCY_MISMATCH", 400, "A charge is in the currency of its invoice")
PAYMENT_METHOD_MISSING = ErrorCode("PAYMENT_METHOD_MISSING", 409, "The customer has no saved card that can be charged")
PAYMENT_METHOD_AMBIGUOUS = ErrorCode(
    "PAYMENT_METHOD_AMBIGUOUS", 409, "The subscriptions on the invoice are not all paid automatically by one card"
)
PAYMENT_METHOD_INACTIVE = ErrorCode(
    "PAYMENT_METHOD_INACTIVE", 409, "The card has expired or was cancelled, or its provider is switched off"
)
CHARGE_INVALID_STATE = ErrorCode("CHARGE_INVALID_STATE", 409, "The state of the charge doesn't allow this")
CHARGE_OF_ANOTHER_CARD = ErrorCode(
    "CHARGE_OF_ANOTHER_CARD", 409, "A charge of another card is under way on the invoice: cancel it first"
)
CHARGE_BEING_ASKED = ErrorCode("CHARGE_BEING_ASKED", 503, "The provider is being asked for this charge elsewhere")
CHARGE_UNDECIDED = ErrorCode("CHARGE_UNDECIDED", 503, "The provider has not decided on the charge yet")
