"""Invoices that are given up as uncollectible: the loss, and the VAT that is regulated (momslovens § 27, stk. 6)."""

from collections.abc import Mapping, Sequence
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

WriteOffId = NewType("WriteOffId", UUID)

#: What journal entries call a write-off as their source.
SOURCE_TYPE: Final = "write_off"
#: Role of the account that takes the loss (chart/seed).
BAD_DEBTS: Final = "BAD_DEBTS"
#: Roles of the accounts of exchange differences (chart/seed).
FX_GAIN: Final = "FX_GAIN"
FX_LOSS: Final = "FX_LOSS"


@dataclass(frozen=True, slots=True)
class WriteOffFields:
    """When an invoice is given up (None: today, or the invoice's day if that is later), and why."""

    written_off_on: date | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteOff:
    """What was due on an invoice when it was given up. One that was taken back counts no more.

    `amount` and `vat_amount`, the VAT in it, are in the invoice's currency; `base_amount` is what it took off the
    receivable, `base_vat_amount` the VAT as booked, both in the company's. `prepaid_amount` is what was taken out of
    prepayments, as no sale was booked yet. The loss is what remains.
    """

    id: WriteOffId
    invoice_id: InvoiceId
    written_off_on: date
    amount: Decimal
    vat_amount: Decimal
    base_amount: Decimal
    base_vat_amount: Decimal
    prepaid_amount: Decimal
    description: str | None
    journal_entry_id: UUID
    created_at: datetime
    reversed_at: datetime | None = None
    reversal_entry_id: UUID | None = None

    @property
    def loss(self) -> Decimal:
        """The part without VAT that was sold, in the invoice's currency."""
        return EXACT.subtract(self.amount, EXACT.add(self.vat_amount, self.prepaid_amount))


@dataclass(frozen=True, slots=True)
class Charged:
    """What an invoice and its sent credit notes charge by account, code and rate, as booked: positive is in credit.

    Output VAT, or what a prepayment invoice received ahead.
    """

    account_id: UUID
    vat_code_id: UUID | None
    vat_rate: Decimal | None
    amount: Decimal
    base_amount: Decimal


@dataclass(frozen=True, slots=True)
class WriteOffSources:
    """All that a write-off is decided by, beside the invoice. `settled` is what was taken off its receivable so far.

    `charged` is its VAT. `prepaid` is what it has on prepayments, and empty where that is sold: of an invoice that is
    no prepayment invoice, and of one that a booked invoice deducts.
    """

    base_currency: str
    language: str
    customer_name: str
    settled: Decimal
    charged: Sequence[Charged]
    prepaid: Sequence[Charged]
    journal_category_id: UUID | None
    accounts_by_role: Mapping[str, Account]


@dataclass(frozen=True, slots=True)
class WriteOffBooking:
    """All there is to write of a write-off."""

    write_off: WriteOff
    entry: EntryToPost
    invoice: Invoice


WRITE_OFF_ACCOUNT_MISSING = ErrorCode(
    "WRITE_OFF_ACCOUNT_MISSING",
    400,
    "The chart has no account for losses on customers, or for exchange differences; assign the role",
)
INVOICE_NOT_WRITTEN_OFF = ErrorCode("INVOICE_NOT_WRITTEN_OFF", 409, "The invoice is not given up as uncollectible")
