"""What goes back of a charge, by a refund that succeeded or a dispute that was lost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, NewType
from uuid import UUID

from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ZERO
from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.payments.customer_payments.model import InvoiceFacts, UsedExcess

ChargeReturnId = NewType("ChargeReturnId", UUID)

#: Role of the account that providers' fees stand on, where a provider's settings name no other.
PAYMENT_FEES: Final = "PAYMENT_FEES"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenBack:
    """Why something goes back: a refund or a dispute, its amount and the provider's fee for it.

    `source_type` is what journal entries call it as their source, `reference` what the provider knows it by.
    """

    source_type: str
    refund_id: UUID | None = None
    dispute_id: UUID | None = None
    amount: Decimal
    fee: Decimal = ZERO
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeReturn:
    """What went back of a charge, and where it was taken from, in the charge's currency.

    `settled_amount` is what is paid less on the invoice: first off the credit that it has, then it is due again.
    `unapplied_amount` is off what the charge was more than was due. `unidentified_amount` is what neither had any more;
    it stands on unidentified receipts. Each has its `base_...` in the company's currency: the invoice's rate, that of
    the charge, and that of the day; `base_amount` is the whole at the day's `exchange_rate`.
    """

    id: ChargeReturnId
    charge_id: UUID
    invoice_id: UUID
    customer_id: UUID
    refund_id: UUID | None
    dispute_id: UUID | None
    returned_on: date
    amount: Decimal
    currency: str
    exchange_rate: Decimal
    base_amount: Decimal
    settled_amount: Decimal
    base_settled: Decimal
    unapplied_amount: Decimal
    base_unapplied: Decimal
    unidentified_amount: Decimal
    base_unidentified: Decimal
    unidentified_account_id: UUID | None
    fee: Decimal
    base_fee: Decimal
    fee_account_id: UUID | None
    clearing_account_id: UUID
    journal_entry_id: UUID
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSources:
    """What a charge is made of, and what went back of it so far.

    `paid` is its payment on the invoice, `settled` what went back of that. `unapplied` was more than was due: it stands
    on the account `unapplied_account_id` with `base_unapplied`; `unapplied_gone` and `base_unapplied_gone` are what
    went back of it. `used` is what was used elsewhere of the invoice's credit.
    """

    paid: Decimal
    settled: Decimal
    unapplied: Decimal
    base_unapplied: Decimal
    unapplied_account_id: UUID | None
    unapplied_gone: Decimal
    base_unapplied_gone: Decimal
    used: UsedExcess


@dataclass(frozen=True, slots=True)
class Parts:
    """How an amount that goes back is made up: `credit` and `opened` are off the invoice, see `ChargeReturn`."""

    credit: Decimal
    opened: Decimal
    unapplied: Decimal
    unidentified: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnFacts:
    """What the booking of a return is decided by, beside the charge, its invoice and its sources.

    `rate` is the day's. `fees` is None where there is no fee to book.
    """

    books: InvoiceFacts
    rate: Decimal
    clearing: Account
    unidentified: Account
    fees: Account | None
    accounts_by_role: Mapping[str, Account]


@dataclass(frozen=True, slots=True)
class ReturnBooking:
    """All there is to write of a return but for the invoice."""

    gone: ChargeReturn
    entry: EntryToPost


CHARGE_CREDIT_USED = ErrorCode(
    "CHARGE_CREDIT_USED",
    409,
    "A credit note made a credit of what the charge paid, and that was used on an invoice or paid back: it can't be "
    "refunded too",
)
