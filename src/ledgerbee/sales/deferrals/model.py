"""Deferred revenue: what invoices charge for days to come, and when it is earned.

Amounts of a deferral have the sign of its line's net: what an invoice takes off (a line below zero) is deferred as what
it charges. `base_...` are in the company's currency, as booked; the others in the invoice's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.core.errors import ErrorCode
from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.sales.documents.model import ServicePeriod

#: Role of the account of deferred revenue (chart/seed).
DEFERRED_REVENUE: Final = "DEFERRED_REVENUE"
#: What journal entries call the recognition of revenue as their source.
SOURCE_TYPE: Final = "revenue_recognition"


class Deferred(NamedTuple):
    """The part of a line's net that is booked to an account of deferred revenue instead of revenue, with its sign."""

    account_id: UUID
    amount: Decimal


#: Of documents that defer nothing.
NOTHING_DEFERRED: Final[Mapping[UUID, Deferred]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Deferral:
    """What of an invoice's line was deferred, and what of it is left.

    `scheduled_amount`, the line's net, is earned by days over the period, but for what credit notes took off some of
    these days (`HeldDeferral`). `next_month` is the first day of the month that is recognised next, None when nothing
    is left.
    """

    invoice_line_id: UUID
    invoice_id: UUID
    account_id: UUID
    revenue_account_id: UUID
    period_start: date
    period_end: date
    amount: Decimal
    base_amount: Decimal
    amount_left: Decimal
    base_amount_left: Decimal
    scheduled_amount: Decimal
    scheduled_base_amount: Decimal
    next_month: date | None
    created_at: datetime

    @property
    def period(self) -> ServicePeriod:
        """The days that its line is for."""
        return ServicePeriod(self.period_start, self.period_end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognition:
    """What was recognised of a deferral for a month, by its first day; no entry where nothing was to be booked."""

    invoice_line_id: UUID
    month: date
    amount: Decimal
    base_amount: Decimal
    journal_entry_id: UUID | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferralCredit:
    """What a credit note took off a deferral, and off which of its days: by days, as these were scheduled."""

    credit_note_id: UUID
    invoice_line_id: UUID
    first_day: date
    last_day: date
    amount: Decimal
    base_amount: Decimal


@dataclass(frozen=True, slots=True)
class HeldDeferral:
    """A deferral, locked, with its invoice's currency and all that credit notes took off it."""

    deferral: Deferral
    currency: str
    credits: tuple[DeferralCredit, ...] = ()


class CreditingLine(NamedTuple):
    """A line of a credit note: which line of the invoice it credits, its net, of the other sign than that line's, and
    the days that it gives back, None where it doesn't say."""

    id: UUID
    invoice_line_id: UUID
    net: Decimal
    period: ServicePeriod | None


@dataclass(frozen=True, slots=True)
class Recognized:
    """What is written of deferrals of which a month is recognised: where they stand, the recognitions and their entry,
    None where nothing comes to an amount."""

    deferrals: Sequence[Deferral]
    recognitions: Sequence[Recognition]
    entry: EntryToPost | None


@dataclass(frozen=True, slots=True)
class CreditedDeferrals:
    """What a credit note takes off deferrals: what is booked to their accounts, by the invoice's line, and what is
    written. All amounts of `deferred` and `base_amounts` have the note's sign."""

    deferred: Mapping[UUID, Deferred]
    base_amounts: Mapping[UUID, Decimal]
    credits: Sequence[DeferralCredit]
    deferrals: Sequence[Deferral]


class RecognitionBooks(NamedTuple):
    """What an entry of recognised revenue is booked by: currency and language of the company, and where it is filed."""

    base_currency: str
    language: str
    journal_category_id: UUID | None


class RecognizedChunk(NamedTuple):
    """How many deferrals were recognised together, the amount in the company's currency, and by which entry."""

    deferrals: int
    amount: Decimal
    journal_entry_id: UUID | None


class RecognizedMonth(NamedTuple):
    """What came of a month: how many deferrals, the amount in the company's currency, and the entries."""

    month: date
    deferrals: int
    amount: Decimal
    journal_entry_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferralStanding:
    """Where a deferral stands on a day, in the company's currency but for `amount` and `amount_left`.

    `deferred` is what was deferred, `left` what of it is neither `recognized` nor `credited`.
    """

    invoice_line_id: UUID
    invoice_id: UUID
    invoice_number: str
    customer_id: UUID
    issue_date: date
    period_start: date
    period_end: date
    currency: str
    amount: Decimal
    amount_left: Decimal
    deferred: Decimal
    recognized: Decimal
    credited: Decimal
    left: Decimal


class DeferralTotals(NamedTuple):
    """The sums of deferrals on a day, all in the company's currency; `account_balance` is what their accounts and that
    with the role DEFERRED_REVENUE stand at, credit positive."""

    deferrals: int
    deferred: Decimal
    recognized: Decimal
    credited: Decimal
    left: Decimal
    account_balance: Decimal


class OutstandingMonth(NamedTuple):
    """A month that has ended, by its first day, and of how many deferrals it is recognised next."""

    month: date
    deferrals: int


@dataclass(frozen=True, slots=True)
class DeferralFilter:
    """Which deferrals a report has; those of which nothing is left only with `finished`."""

    as_of: date
    invoice_id: UUID | None = None
    customer_id: UUID | None = None
    finished: bool = False


INVOICE_DEFERRAL_ACCOUNT_MISSING = ErrorCode(
    "INVOICE_DEFERRAL_ACCOUNT_MISSING",
    400,
    "A line's service period ends after the invoice's month, and the chart has no account for deferred revenue; create "
    "one with the role (POST /v1/accounts), or set deferRevenue of the product group to false",
)
