"""Payouts of payment providers (extension): what moved on the company's account there, and what was paid out of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final, NewType
from uuid import UUID

from ledgerbee.chart.accounts.model import Account
from ledgerbee.core.errors import ErrorCode
from ledgerbee.core.money import ZERO
from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.payments.provider_settings.model import ProviderSettings
from ledgerbee.payments.providers.model import MovementType, ProviderName

PayoutId = NewType("PayoutId", UUID)

#: What journal entries call a payout as their source.
SOURCE_TYPE: Final = "payout"
#: The role of the account for what providers keep, where a provider's settings name no other.
PAYMENT_FEES: Final = "PAYMENT_FEES"
#: The job that reads what moved at a provider; payload `provider`.
PAYOUTS_JOB: Final = "read_payouts"
#: Movements that one request may bring.
MAX_MOVEMENTS: Final = 5_000
#: Differences that one look keeps.
MAX_DIFFERENCES: Final = 1_000
#: Providers that tell no payouts: what was paid out comes by import, and their list is only compared.
TELL_NO_PAYOUTS: Final = frozenset({ProviderName.QUICKPAY})


class PayoutStatus(StrEnum):
    """Where a payout stands: `paid` is booked. `pending`: not all of it is known yet, or it can't be booked."""

    PENDING = "pending"
    PAID = "paid"


#: Why a payout waits, beside what keeps it from being booked: its movements don't add up to it; something of ours in it
#: is under way here, and is looked at again.
INCOMPLETE: Final = "incomplete"
UNDECIDED: Final = "undecided"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """A payout: `amount` is above zero for what came to the bank, below for what the provider took.

    Amounts are in `currency`, those in base and `base_amount` (what the bank got) in the company's, at `exchange_rate`,
    the day's. `fee_amount` is what was kept, `unidentified_amount` what nobody knows (above zero: it came in),
    `cleared_amount` what left the clearing account by it; `left_amount` is what of its movements it did not pay out,
    which the next one does. `named_account_id` is the account that the request named, `bank_account_id` the one
    that it was booked on.
    """

    id: PayoutId
    provider: ProviderName
    provider_id: str
    named_account_id: UUID | None = None
    amount: Decimal
    currency: str
    paid_at: datetime
    paid_on: date
    status: PayoutStatus = PayoutStatus.PENDING
    waits_for: str | None = INCOMPLETE
    fee_amount: Decimal = ZERO
    unidentified_amount: Decimal = ZERO
    cleared_amount: Decimal = ZERO
    cleared_base_amount: Decimal = ZERO
    left_amount: Decimal = ZERO
    left_base_amount: Decimal = ZERO
    base_amount: Decimal = ZERO
    exchange_rate: Decimal | None = None
    bank_account_id: UUID | None = None
    clearing_account_id: UUID | None = None
    journal_entry_id: UUID | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutMovement:
    """A movement on the account at the provider: `amount` before `fee`, above zero what comes in.

    `payout_name` is the payout that the provider says it was paid out with, `payout_id` the one it was booked with.
    One that is of a charge, refund or dispute of ours has its id, the account that this stood on, and what was taken
    off it in the movement's currency (`cleared_amount`) and the company's, with the sign of `amount`: less than that by
    a fee that is booked with a dispute. `unidentified_amount` is what of it is nobody's: all of it, or what it is more
    than ours is. One of a dispute has the charge too; the dispute itself once the provider has told of it.
    `charge_object_id` is the provider's id of that charge, where it tells it beside the dispute's.
    """

    id: UUID
    provider: ProviderName
    provider_id: str
    type: MovementType
    amount: Decimal
    fee: Decimal
    currency: str
    moved_at: datetime
    object_id: str | None
    charge_object_id: str | None = None
    reference: str | None
    payout_name: str | None
    payout_id: UUID | None = None
    description: str
    charge_id: UUID | None = None
    refund_id: UUID | None = None
    dispute_id: UUID | None = None
    account_id: UUID | None = None
    cleared_amount: Decimal = ZERO
    base_amount: Decimal = ZERO
    unidentified_amount: Decimal = ZERO
    created_at: datetime
    updated_at: datetime


class OurKind(StrEnum):
    """What of the company's a movement can be."""

    CHARGE = "charge"
    REFUND = "refund"
    DISPUTE = "dispute"


class OurState(StrEnum):
    """Where it stands here: in the books, not decided, or ended without a booking.

    `under_way` is looked at again, and keeps a payout waiting. A dispute that is `open`, for weeks or for good, does
    not.
    """

    BOOKED = "booked"
    UNDER_WAY = "under_way"
    OPEN = "open"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Something of the company's that a movement is.

    `amount` is what it is, in its own `currency`, above zero what comes in, and `fee` what is booked with it, now or
    when it is lost. `account_id` and `base_amount` are the clearing account that it was booked on and how, with its
    fee, in the company's currency; None and zero for what is not booked. `is_paid_out`: another movement of it was
    booked before, or what comes back of a dispute wasn't taken before. Of a dispute that isn't booked, `taken` and
    `base_taken` are what its movements took off clearing, `taken_fee` what that has for a fee that no entry has.
    `charge_id` is the charge of a dispute; one that the provider hasn't told of (`is_told`) has that for its own id.
    """

    kind: OurKind
    id: UUID
    provider_id: str | None
    reference: str
    state: OurState
    amount: Decimal
    currency: str
    account_id: UUID | None = None
    base_amount: Decimal = ZERO
    fee: Decimal = ZERO
    taken: Decimal = ZERO
    base_taken: Decimal = ZERO
    taken_fee: Decimal = ZERO
    is_paid_out: bool = False
    charge_id: UUID | None = None
    is_told: bool = True
    finished_at: datetime | None = None


#: What of ours movements are, by the movements' ids.
Matches = Mapping[UUID, Ours]


@dataclass(frozen=True, slots=True, kw_only=True)
class PayoutSources:
    """All that the booking of a payout is decided by, beside its movements.

    `left` and `base_left` are what earlier payouts left on the clearing account; `bank_account` is the one that was
    named, for this payout or for the provider.
    """

    settings: ProviderSettings
    base_currency: str
    language: str
    rate: Decimal
    named: Mapping[UUID, Account]
    by_role: Mapping[str, Account]
    left: Decimal
    base_left: Decimal
    journal_category_id: UUID | None


@dataclass(frozen=True, slots=True)
class PayoutBooking:
    """All there is to write of a payout."""

    payout: Payout
    movements: Sequence[PayoutMovement]
    entry: EntryToPost


class DifferenceKind(StrEnum):
    """What doesn't agree between the company and the provider's list.

    `missing_at_provider`: a charge that succeeded here. `unknown_here`: what moved there and nobody here knows.
    `undecided_here`: a charge that is under way here; it is looked at again. `failed_here`: one that failed here.
    `movement_differs`: a movement that was told otherwise before. `payout_waits`: a payout that isn't booked.
    """

    MISSING_AT_PROVIDER = "missing_at_provider"
    UNKNOWN_HERE = "unknown_here"
    UNDECIDED_HERE = "undecided_here"
    FAILED_HERE = "failed_here"
    AMOUNT_DIFFERS = "amount_differs"
    MOVEMENT_DIFFERS = "movement_differs"
    PAYOUT_WAITS = "payout_waits"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A difference: `amount` as it is here, `provider_amount` as it is there; None for what a side lacks."""

    kind: DifferenceKind
    charge_id: UUID | None = None
    movement_id: str | None = None
    movement_type: MovementType | None = None
    object_id: str | None = None
    reference: str | None = None
    amount: Decimal | None = None
    provider_amount: Decimal | None = None
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    """A look at a provider's list, of what moved from `since` until before `until`. `failure`: why there was none."""

    id: UUID
    provider: ProviderName
    since: datetime
    until: datetime
    movements: int
    failure: str | None = None
    created_at: datetime


PAYOUT_NOT_FOUND = ErrorCode("PAYOUT_NOT_FOUND", 404, "No such payout in the company")
PAYOUT_MOVEMENT_DIFFERS = ErrorCode(
    "PAYOUT_MOVEMENT_DIFFERS", 409, "A movement of this ID was taken before, and was another one. Nothing was taken"
)
PAYOUT_ALREADY_PAID = ErrorCode(
    "PAYOUT_ALREADY_PAID", 409, "The payout is booked, without this movement: it can't be added any more"
)
PAYOUT_IMPORT_UNREADABLE = ErrorCode(
    "PAYOUT_IMPORT_UNREADABLE", 400, "The file can't be read as movements of a provider. Nothing was taken"
)
PAYOUT_UNDECIDED = ErrorCode(
    "PAYOUT_UNDECIDED", 503, "Something in a payout is under way here: the payout is looked at again"
)
