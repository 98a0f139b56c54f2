"""Credit of customers (extension): what payments and credit notes are more than what they settle (decisions
"Documents"). It is used on invoices of the same customer and currency, or paid back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import EXACT, total
from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.sales.invoices.model import Invoice
from ledgerbee.tenancy.rates.model import Rate

CreditUseId = NewType("CreditUseId", UUID)

#: What journal entries call a use of credit as their source.
SOURCE_TYPE: Final = "credit_use"


class CreditSourceType(StrEnum):
    """Where credit comes from: an invoice that more settles than it is, or a credit note of no invoice."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditSource:
    """A document that left a credit, in its currency.

    `amount` is all the credit it left, `base_amount` the same in the company's currency, as it stands on the receivable
    `receivable_account_id`; `since` is the day of the last payment or note that made it. `used` and `base_used` are
    what was used of them; `reserved` is what refunds of charges that are under way will take of the rest.
    `credit_notes` are the numbers of the credit notes on it, of an invoice.
    """

    source_type: CreditSourceType
    id: UUID
    number: str
    issue_date: date
    since: date
    currency: str
    amount: Decimal
    base_amount: Decimal
    used: Decimal
    base_used: Decimal
    reserved: Decimal
    receivable_account_id: UUID
    credit_notes: Sequence[str]

    @property
    def left(self) -> Decimal:
        """What can still be used."""
        return EXACT.subtract(self.amount, EXACT.add(self.used, self.reserved))


@dataclass(frozen=True, slots=True)
class CreditPart:
    """What a use takes of one source; `base_amount` is what it takes off the receivable, in the company's currency."""

    source: CreditSource
    amount: Decimal
    base_amount: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditUse:
    """One use of credit: on the invoice `invoice_id`, or without one paid back out of `account_id`.

    `exchange_rate` is base units for one unit: the invoice's, or that of the day. In the company's currency
    `base_taken` is what was taken off the credit, and `base_given` what it settled of the invoice or was paid. Without
    an entry there was nothing to book.
    """

    id: CreditUseId
    customer_id: UUID
    invoice_id: UUID | None
    account_id: UUID | None
    used_on: date
    amount: Decimal
    currency: str
    exchange_rate: Decimal
    base_taken: Decimal
    base_given: Decimal
    reference: str | None
    journal_entry_id: UUID | None
    created_at: datetime

    @property
    def exchange_difference(self) -> Decimal:
        """Gain (+) or loss (-) by exchange rates, in the company's currency."""
        return EXACT.subtract(self.base_taken, self.base_given)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFields:
    """What is paid back. `account_id` None is the account with the role BANK; `exchange_rate` None the day's."""

    amount: Decimal
    refunded_on: date
    currency: str
    account_id: UUID | None = None
    exchange_rate: Decimal | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class CreditFacts:
    """What a use of credit is decided by, beside what was asked for.

    `sources` have something that nobody used, in the currency that is used, the oldest first. `settled` is what was
    taken off the invoice's receivable so far, in the company's currency. `account` is the one that was named, as far as
    the company has it; `rate` None where none was found or asked for.
    """

    base_currency: str
    language: str
    customer_name: str
    journal_category_id: UUID | None
    sources: Sequence[CreditSource]
    accounts_by_role: Mapping[str, Account]
    settled: Decimal | None = None
    account: Account | None = None
    rate: Rate | None = None


@dataclass(frozen=True, slots=True)
class CreditBooking:
    """All there is to write of a use of credit; `invoice` is the one it is used on, as it is then."""

    use: CreditUse
    parts: Sequence[CreditPart]
    entry: EntryToPost | None
    invoice: Invoice | None = None


@dataclass(frozen=True, slots=True)
class CreditBalance:
    """A customer's credit in one currency: all that there was, what was used on invoices, what was paid back, and what
    refunds of charges that are under way will take.
    """

    currency: str
    amount: Decimal
    applied: Decimal
    refunded: Decimal
    reserved: Decimal

    @property
    def available(self) -> Decimal:
        """What is left."""
        return EXACT.subtract(self.amount, total([self.applied, self.refunded, self.reserved]))


CUSTOMER_CREDIT_INSUFFICIENT = ErrorCode(
    "CUSTOMER_CREDIT_INSUFFICIENT", 409, "The customer has less credit in this currency than is to be used, or none"
)
CREDIT_EXCEEDS_INVOICE = ErrorCode("CREDIT_EXCEEDS_INVOICE", 400, "The credit is more than what is due on the invoice")
