"""How a trial balance is put together. Pure."""

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts.model import BOOKABLE, Account, LedgerType
from ledgerbee.core.dates import first_of_month
from ledgerbee.core.money import ZERO, total
from ledgerbee.ledger.reports.trial_balance.model import AccountTurnover, Balances, TrialBalanceRow

#: The account that takes the results of earlier years.
RETAINED_EARNINGS: Final = "RETAINED_EARNINGS"
_SUMS: Final = frozenset({LedgerType.TOTAL_FROM, LedgerType.TOTAL_INTERVALS})
_ONE_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cut:
    """Everything before a day: the months before `month`, plus (`sign` 1) or minus (-1) some of its days.

    The days are `first`..`last`, both inclusive, always the smaller part of the month; an empty range has `first`
    after `last`.
    """

    month: date
    sign: int
    first: date
    last: date


def cut_before(day: date) -> Cut:
    """How to sum up everything before `day` from whole months and as few single days as can be."""
    month = first_of_month(day)
    length = monthrange(day.year, day.month)[1]
    if 2 * (day.day - 1) <= length:
        return Cut(month, 1, month, day - _ONE_DAY)
    month_end = month.replace(day=length)
    return Cut(month_end + _ONE_DAY, -1, day, month_end)


def prior_years_result(accounts: Sequence[Account], turnovers: Mapping[UUID, AccountTurnover]) -> Decimal:
    """What profit-and-loss accounts stood at when the financial year began, debit positive (a profit is negative)."""
    return total(
        [
            turnovers[account.id].before_year
            for account in accounts
            if account.ledger_type is LedgerType.PROFIT_AND_LOSS and account.id in turnovers
        ]
    )


def rows(
    accounts: Sequence[Account], turnovers: Mapping[UUID, AccountTurnover], carried: Decimal
) -> list[TrialBalanceRow]:
    """The chart by number with figures; `carried` opens the retained earnings account.

    A total sums the accounts from its first number to its own.
    """
    by_number = sorted(accounts, key=lambda account: account.number)
    figures = {
        account.id: _balances(account, turnovers.get(account.id), carried)
        for account in by_number
        if account.ledger_type in BOOKABLE
    }
    for account in by_number:
        if account.ledger_type in _SUMS:
            figures[account.id] = sum_up(
                [
                    figures[other.id]
                    for other in by_number
                    if other.ledger_type in BOOKABLE and (account.sum_from or 0) <= other.number <= account.number
                ]
            )
    return [
        TrialBalanceRow(account.id, account.number, account.name, account.ledger_type, figures.get(account.id))
        for account in by_number
    ]


def sum_up(balances: Sequence[Balances]) -> Balances:
    """The sum of several accounts' figures."""
    return Balances(
        opening=total([one.opening for one in balances]),
        debit=total([one.debit for one in balances]),
        credit=total([one.credit for one in balances]),
    )


def totals(rows: Sequence[TrialBalanceRow], unplaced: Decimal) -> Balances:
    """The sum of all accounts: it opens and closes at zero, and its debit equals its credit.

    `unplaced` is a prior result that no account of the chart takes.
    """
    booked = [row.balances for row in rows if row.balances is not None and row.ledger_type in BOOKABLE]
    return sum_up([*booked, Balances(opening=unplaced)])


def _balances(account: Account, turnover: AccountTurnover | None, carried: Decimal) -> Balances:
    opening = carried if account.role == RETAINED_EARNINGS else ZERO
    if turnover is None:
        return Balances(opening=opening)
    opening += turnover.before
    if account.ledger_type is LedgerType.PROFIT_AND_LOSS:
        opening -= turnover.before_year
    return Balances(opening=opening, debit=turnover.debit, credit=turnover.credit)
