"""Payments of customers on their invoices (extension)."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import EXACT

#: What journal entries call a payment as their source.
SOURCE_TYPE: Final = "payment"
#: Roles of the accounts that payments stand on (chart/seed).
BANK: Final = "BANK"
FX_GAIN: Final = "FX_GAIN"
FX_LOSS: Final = "FX_LOSS"


@dataclass(frozen=True, slots=True)
class PaymentFields:
    """What was paid. `account_id` None is the account with the role BANK; `exchange_rate` None the day's."""

    paid_on: date
    amount: Decimal
    currency: str | None = None
    account_id: UUID | None = None
    reference: str | None = None
    exchange_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """One payment, in its invoice's currency.

    `exchange_rate` is base units for one unit of it on the day of payment, `base_amount` what came in by it, and
    `base_settled` what it took off the receivable, at the invoice's rate; both in the company's currency. One that was
    taken back has `reversed_at` and the entry that reverses its own; it counts no more.
    """

    id: UUID
    invoice_id: UUID
    customer_id: UUID
    paid_on: date
    amount: Decimal
    currency: str
    exchange_rate: Decimal
    base_amount: Decimal
    base_settled: Decimal
    account_id: UUID
    reference: str | None
    journal_entry_id: UUID
    created_at: datetime
    reversed_at: datetime | None = None
    reversal_entry_id: UUID | None = None

    @property
    def exchange_difference(self) -> Decimal:
        """Gain (+) or loss (-) by exchange rates, in the company's currency."""
        return EXACT.subtract(self.base_amount, self.base_settled)


PAYMENT_NOT_FOUND = ErrorCode("PAYMENT_NOT_FOUND", 404, "No such payment in the company")
PAYMENT_ALREADY_REVERSED = ErrorCode("PAYMENT_ALREADY_REVERSED", 409, "The payment has been taken back before")
PAYMENT_EXCEEDS_INVOICE = ErrorCode(
    "PAYMENT_EXCEEDS_INVOICE", 400, "The payment is more than what is due on the invoice"
)
PAYMENT_CURRENCY_MISMATCH = ErrorCode(
    "PAYMENT_CURRENCY_MISMATCH", 400, "A payment is recorded in the currency of its invoice"
)
PAYMENT_ACCOUNT_INVALID = ErrorCode(
    "PAYMENT_ACCOUNT_INVALID", 400, "A payment comes in on a balance sheet account that does not stand for parties"
)
PAYMENT_ACCOUNT_MISSING = ErrorCode(
    "PAYMENT_ACCOUNT_MISSING", 400, "The chart has no account for this purpose; give accountId or assign the role"
)
