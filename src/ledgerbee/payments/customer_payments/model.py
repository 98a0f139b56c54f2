"""Payments of customers on their invoices (extension)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NewType
from uuid import UUID

from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import EXACT
from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.sales.invoices.model import Invoice, InvoiceId
from ledgerbee.tenancy.rates.model import Rate

PaymentId = NewType("PaymentId", UUID)

#: What journal entries call a payment as their source.
SOURCE_TYPE: Final = "payment"
#: Roles of the accounts that payments stand on (chart/seed).
BANK: Final = "BANK"
FX_GAIN: Final = "FX_GAIN"
FX_LOSS: Final = "FX_LOSS"


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentFields:
    """What was paid. `account_id` None is the account with the role BANK; `exchange_rate` None the day's."""

    paid_on: date
    amount: Decimal
    currency: str | None = None
    account_id: UUID | None = None
    reference: str | None = None
    exchange_rate: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One payment, in its invoice's currency.

    `exchange_rate` is base units for one unit of it on the day of payment, `base_amount` what came in by it, and
    `base_settled` what it took off the receivable, at the invoice's rate; both in the company's currency. One that was
    taken back has `reversed_at` and the entry that reverses its own; it counts no more.
    """

    id: PaymentId
    invoice_id: InvoiceId
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


@dataclass(frozen=True, slots=True)
class InvoiceFacts:
    """What the books say of an invoice that is paid.

    `settled` is what payments, credit notes and used credit so far took off the receivable.
    """

    base_currency: str
    language: str
    customer_name: str
    settled: Decimal
    journal_category_id: UUID | None


@dataclass(frozen=True, slots=True)
class PaymentSources(InvoiceFacts):
    """All that the booking of a payment is decided by, beside the invoice and what was given.

    `account` is the one that was named, as far as the company has it; `rate` None where none was found or asked for.
    """

    accounts_by_role: Mapping[str, Account]
    account: Account | None
    rate: Rate | None


@dataclass(frozen=True, slots=True)
class UsedExcess:
    """What was used elsewhere of what an invoice has too much, in its currency and in the company's."""

    amount: Decimal
    base_amount: Decimal


@dataclass(frozen=True, slots=True)
class ReopenSources:
    """What the books say of an invoice on which a payment is taken back; `settled` as of `InvoiceFacts`.

    `charge_id` is the charge of a saved card that the payment is. `to_refund` is what refunds that are under way will
    take of what others paid.
    """

    base_currency: str
    settled: Decimal
    used: UsedExcess
    to_refund: Decimal
    charge_id: UUID | None


@dataclass(frozen=True, slots=True)
class PaymentBooking:
    """All there is to write of a payment."""

    payment: Payment
    entry: EntryToPost
    invoice: Invoice


PAYMENT_NOT_FOUND = ErrorCode("PAYMENT_NOT_FOUND", 404, "No such payment in the company")
PAYMENT_ALREADY_REVERSED = ErrorCode("PAYMENT_ALREADY_REVERSED", 409, "The payment has been taken back before")
PAYMENT_IS_CHARGE = ErrorCode(
    "PAYMENT_IS_CHARGE", 409, "The payment is a charge of a saved card: what the provider took isn't taken back by this"
)
PAYMENT_CREDIT_USED = ErrorCode(
    "PAYMENT_CREDIT_USED",
    409,
    "The payment made a credit of the customer's that was used on an invoice or paid back, or that a refund under way "
    "takes the rest of: it can't be taken back",
)
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
