"""The chart of accounts (contract 2.1)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

AccountId = NewType("AccountId", UUID)


class LedgerType(StrEnum):
    """What a line of the chart is; only the first two can be booked on."""

    BALANCE_SHEET = "BALANCE_SHEET"
    PROFIT_AND_LOSS = "PROFIT_AND_LOSS"
    HEADING = "HEADING"
    HEADING_BREAK = "HEADING_BREAK"
    TOTAL_FROM = "TOTAL_FROM"
    TOTAL_INTERVALS = "TOTAL_INTERVALS"


BOOKABLE = frozenset({LedgerType.BALANCE_SHEET, LedgerType.PROFIT_AND_LOSS})


class Classification(StrEnum):
    """The side of the accounts it belongs to."""

    ASSET = "ASSET"
    LIABILITY = "LIABILITY"
    EQUITY = "EQUITY"
    REVENUE = "REVENUE"
    EXPENSE = "EXPENSE"


class ControlAccountType(StrEnum):
    """An account that stands for parties: an entry on it names a customer or a vendor."""

    ACCOUNTS_RECEIVABLE = "ACCOUNTS_RECEIVABLE"
    ACCOUNTS_PAYABLE = "ACCOUNTS_PAYABLE"


class StatementLine(StrEnum):
    """Role of a total that sums every account of its kind, wherever in the chart these stand."""

    RESULT = "RESULT"
    #: In equity: the result that no entry has moved there.
    RESULT_IN_EQUITY = "RESULT_IN_EQUITY"
    TOTAL_ASSETS = "TOTAL_ASSETS"
    TOTAL_EQUITY_AND_LIABILITIES = "TOTAL_EQUITY_AND_LIABILITIES"


class AccountRole(StrEnum):
    """Roles of accounts that the system books on and that charts of earlier releases lack: a new account may have one.

    Liabilities: what customers paid ahead, what they were invoiced for days to come, and receipts of which nobody knows
    what they pay. An asset: what payment providers have and have not paid out. An expense: what they keep.
    """

    CUSTOMER_PREPAYMENTS = "CUSTOMER_PREPAYMENTS"
    DEFERRED_REVENUE = "DEFERRED_REVENUE"
    PAYMENT_CLEARING = "PAYMENT_CLEARING"
    PAYMENT_FEES = "PAYMENT_FEES"
    UNIDENTIFIED_RECEIPTS = "UNIDENTIFIED_RECEIPTS"

    @property
    def classification(self) -> Classification:
        """What an account with the role has to be."""
        others = {self.PAYMENT_CLEARING: Classification.ASSET, self.PAYMENT_FEES: Classification.EXPENSE}
        return others.get(self, Classification.LIABILITY)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """What is said of an account to be added. What is left out is as the public standard chart has it.

    `number` and `standard_number` stand in for each other.
    """

    number: int | None = None
    standard_number: int | None = None
    name: str | None = None
    ledger_type: LedgerType | None = None
    classification: Classification | None = None
    control_account_type: ControlAccountType | None = None
    vat_code_id: UUID | None = None
    sum_from: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountFields(NewAccount):
    """What a company says of an account, complete.

    `standard_number` is the public chart's account it maps to, `vat_code_id` its default code. The chart is in the
    order of `standard_number`, then `number`. `sum_from`: a total sums the bookable accounts whose standard numbers are
    from that up to its own.
    """

    number: int
    standard_number: int
    name: str
    ledger_type: LedgerType
    is_active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Account(AccountFields):
    """An account as it is kept.

    `role`: what the system itself needs it for, to book on (BANK, FX_GAIN, ...) or as a `StatementLine`.
    """

    id: AccountId
    role: str | None = None
    created_at: datetime

    @property
    def is_bookable(self) -> bool:
        return self.ledger_type in BOOKABLE and self.is_active


class AccountLabel(NamedTuple):
    """What is shown of an account beside its id."""

    number: int
    name: str


ACCOUNT_NOT_FOUND = ErrorCode("ACCOUNT_NOT_FOUND", 404, "No such account in the company")
ACCOUNT_NUMBER_ALREADY_EXISTS = ErrorCode(
    "ACCOUNT_NUMBER_ALREADY_EXISTS", 409, "Another account of the company has this number"
)
ACCOUNT_ROLE_ALREADY_EXISTS = ErrorCode(
    "ACCOUNT_ROLE_ALREADY_EXISTS", 409, "Another account of the company has this role"
)
ACCOUNT_IN_USE = ErrorCode("ACCOUNT_IN_USE", 409, "The account is booked on by the system itself")
ACCOUNT_NOT_BOOKABLE = ErrorCode(
    "ACCOUNT_NOT_BOOKABLE", 400, "Only active accounts of type BALANCE_SHEET or PROFIT_AND_LOSS can be booked on"
)
#: Of the VAT code that an account carries, or a line.
VAT_CODE_NOT_FOUND = ErrorCode("VAT_CODE_NOT_FOUND", 404, "No such VAT code in the company")
