"""The trial balance: every account's balance and turnover over a span of days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts.model import LedgerType
from ledgerbee.core.money import ZERO


@dataclass(frozen=True, slots=True)
class Balances:
    """Base-currency figures, debit positive: opening, turnover by side (both >= 0), and what is left at the end."""

    opening: Decimal = ZERO
    debit: Decimal = ZERO
    credit: Decimal = ZERO

    @property
    def closing(self) -> Decimal:
        return self.opening + self.debit - self.credit

    def plus(self, other: "Balances") -> "Balances":
        """The sum of both, column by column."""
        return Balances(self.opening + other.opening, self.debit + other.debit, self.credit + other.credit)

    def minus(self, other: "Balances") -> "Balances":
        """The difference, column by column."""
        return Balances(self.opening - other.opening, self.debit - other.debit, self.credit - other.credit)


#: Of an account that nothing was ever posted on: most of a chart.
NO_BALANCES: Final = Balances()


@dataclass(frozen=True, slots=True)
class AccountTurnover:
    """An account's balance before the span (and before its financial year) and its turnover in it."""

    account_id: UUID
    before: Decimal
    before_year: Decimal
    debit: Decimal
    credit: Decimal


@dataclass(frozen=True, slots=True)
class TrialBalanceRow:
    """A line of the chart with its figures; headings have none, totals those of the accounts they sum."""

    account_id: UUID
    account_number: int
    name: str
    ledger_type: LedgerType
    balances: Balances | None


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The whole chart over `from_date`..`to_date` (both inclusive), in the company's base currency.

    Profit-and-loss accounts open at the financial year that holds `from_date`; what they stood at before is
    `prior_years_result` (debit positive), carried forward to the retained earnings account.
    """

    from_date: date
    to_date: date
    currency: str
    fiscal_year_start: date
    fiscal_year_end: date
    prior_years_result: Decimal
    rows: Sequence[TrialBalanceRow]
    totals: Balances
