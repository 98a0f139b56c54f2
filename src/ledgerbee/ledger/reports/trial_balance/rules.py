"""How a trial balance is put together. Pure."""

from bisect import bisect_left, bisect_right
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal, localcontext
from functools import reduce
from typing import Final
from uuid import UUID

from ledgerbee.chart.accounts.model import BOOKABLE, Account, Classification, LedgerType, StatementLine
from ledgerbee.core.dates import first_of_month
from ledgerbee.core.money import EXACT, ZERO, total
from ledgerbee.ledger.reports.trial_balance.model import NO_BALANCES, AccountTurnover, Balances, TrialBalanceRow

#: The account that takes the results of earlier years.
RETAINED_EARNINGS: Final = "RETAINED_EARNINGS"
_STATEMENTS: Final[Sequence[str]] = (
    StatementLine.RESULT,
    StatementLine.TOTAL_ASSETS,
    StatementLine.TOTAL_EQUITY_AND_LIABILITIES,
)
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


@dataclass(slots=True)
class _Running:
    """Figures by place in the chart with their sum up to each, so that any interval is one difference."""

    places: list[int] = field(default_factory=list)
    sums: list[Balances] = field(default_factory=lambda: [NO_BALANCES])

    def add(self, place: int, balances: Balances) -> None:
        self.places.append(place)
        self.sums.append(self.sums[-1] if balances is NO_BALANCES else self.sums[-1].plus(balances))

    def between(self, first: int, last: int) -> Balances:
        """The sum of what stands at `first`..`last`, both inclusive."""
        return self.sums[bisect_right(self.places, last)].minus(self.sums[bisect_left(self.places, first)])


def rows(
    accounts: Sequence[Account], turnovers: Mapping[UUID, AccountTurnover], carried: Decimal
) -> list[TrialBalanceRow]:
    """The chart by standard number, then number, with figures; `carried` opens the retained earnings account.

    The year's result, total assets, and total equity and liabilities sum every account of their kind, wherever it
    stands; the result's line in equity counts as one of equity. So assets equal equity and liabilities in any chart
    that has these four lines. Any other total sums the accounts whose standard numbers lie from its first number to its
    own, of the statement that it is a part of.
    """
    chart = sorted(accounts, key=lambda account: (account.standard_number, account.number))
    with localcontext(EXACT):
        figures = {
            account.id: _balances(account, turnovers.get(account.id), carried)
            for account in chart
            if account.ledger_type in BOOKABLE
        }
        result = sum_up([figures[one.id] for one in chart if one.ledger_type is LedgerType.PROFIT_AND_LOSS])
        figures |= {one.id: result for one in chart if one.role == StatementLine.RESULT_IN_EQUITY}
        statements: dict[str, _Running] = {statement: _Running() for statement in _STATEMENTS}
        for account in chart:
            if account.id in figures:
                statements[_statement_of(account)].add(account.standard_number, figures[account.id])
        wholes = [account for account in chart if account.role in _STATEMENTS]
        for account in chart:
            if account.ledger_type in _SUMS and account.id not in figures:
                figures[account.id] = _total(account, wholes, statements)
    return [
        TrialBalanceRow(account.id, account.number, account.name, account.ledger_type, figures.get(account.id))
        for account in chart
    ]


def _statement_of(account: Account) -> StatementLine:
    """The total that counts the account."""
    if account.ledger_type is LedgerType.PROFIT_AND_LOSS:
        return StatementLine.RESULT
    if account.classification is Classification.ASSET:
        return StatementLine.TOTAL_ASSETS
    return StatementLine.TOTAL_EQUITY_AND_LIABILITIES


def _total(account: Account, wholes: Sequence[Account], statements: Mapping[str, _Running]) -> Balances:
    """What a total sums. A statement is also the part of the chart from the first number of its total to its own.

    A total outside of every statement sums whatever lies in its interval.
    """
    whole = statements.get(account.role or "")
    if whole is not None:
        return whole.sums[-1]
    place = account.standard_number
    part_of = [whole.role for whole in wholes if (whole.sum_from or 0) <= place <= whole.standard_number]
    counted = [running for statement, running in statements.items() if not part_of or statement in part_of]
    return reduce(Balances.plus, (running.between(account.sum_from or 0, place) for running in counted))


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
        return Balances(opening=opening) if opening else NO_BALANCES
    opening += turnover.before
    if account.ledger_type is LedgerType.PROFIT_AND_LOSS:
        opening -= turnover.before_year
    return Balances(opening=opening, debit=turnover.debit, credit=turnover.credit)
