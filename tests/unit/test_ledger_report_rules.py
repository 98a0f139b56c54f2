"""How the trial balance cuts time and sums the chart. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.chart.accounts.model import BOOKABLE, Account, AccountId, Classification, LedgerType, StatementLine
from ledgerbee.chart.seed.loader import seed_for, standard_accounts
from ledgerbee.chart.seed.model import AccountSeed
from ledgerbee.core.dates import first_of_month
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO
from ledgerbee.ledger.reports.trial_balance import rules
from ledgerbee.ledger.reports.trial_balance.model import AccountTurnover, Balances, TrialBalanceRow

days = st.dates(min_value=date(1900, 1, 1), max_value=date(2999, 12, 31))


@given(days, days)
def test_a_cut_counts_exactly_the_days_before_it(day: date, line: date) -> None:
    cut = rules.cut_before(day)
    counted = int(first_of_month(line) < cut.month) + cut.sign * int(cut.first <= line <= cut.last)
    assert counted == int(line < day)


@given(days, st.integers(min_value=-40, max_value=40))
def test_a_cut_near_the_day_counts_right_and_reads_half_a_month_at_most(day: date, distance: int) -> None:
    cut = rules.cut_before(day)
    line = day + timedelta(days=distance)
    assert int(first_of_month(line) < cut.month) + cut.sign * int(cut.first <= line <= cut.last) == int(line < day)
    assert (cut.last - cut.first).days + 1 <= 16
    assert cut.month.day == 1


def account(
    number: int,
    kind: LedgerType,
    role: str | None = None,
    sum_from: int | None = None,
    classification: Classification | None = None,
) -> Account:
    return Account(
        id=AccountId(new_id()), number=number, name=str(number), standard_number=number, ledger_type=kind,
        classification=classification,
        control_account_type=None, vat_code_id=None, role=role, sum_from=sum_from, is_active=True,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def test_totals_sum_their_interval_and_results_are_carried_forward() -> None:
    sales = account(1000, LedgerType.PROFIT_AND_LOSS)
    result = account(1999, LedgerType.TOTAL_FROM, sum_from=1000)
    heading = account(2000, LedgerType.HEADING)
    bank = account(2100, LedgerType.BALANCE_SHEET)
    retained = account(2200, LedgerType.BALANCE_SHEET, role="RETAINED_EARNINGS")
    balance = account(2999, LedgerType.TOTAL_INTERVALS, sum_from=2000)
    chart = [balance, retained, bank, heading, result, sales]
    turnovers: dict[UUID, AccountTurnover] = {
        one.account_id: one
        for one in (
            AccountTurnover(sales.id, Decimal(-130), Decimal(-100), ZERO, Decimal(7)),
            AccountTurnover(bank.id, Decimal(130), Decimal(100), Decimal(7), ZERO),
        )
    }
    carried = rules.prior_years_result(chart, turnovers)
    assert carried == -100
    rows = {row.account_number: row.balances for row in rules.rows(chart, turnovers, carried)}
    assert list(rows) == [1000, 1999, 2000, 2100, 2200, 2999]
    assert rows[1000] == rows[1999] == Balances(Decimal(-30), ZERO, Decimal(7))
    assert rows[2000] is None
    assert rows[2200] == Balances(Decimal(-100), ZERO, ZERO)
    assert rows[2999] == Balances(Decimal(30), Decimal(7), ZERO)
    totals = rules.totals(rules.rows(chart, turnovers, carried), ZERO)
    assert totals == Balances(ZERO, Decimal(7), Decimal(7))
    assert totals.closing == 0


def test_a_chart_without_retained_earnings_still_balances() -> None:
    sales = account(1000, LedgerType.PROFIT_AND_LOSS)
    bank = account(2100, LedgerType.BALANCE_SHEET)
    turnovers: dict[UUID, AccountTurnover] = {
        sales.id: AccountTurnover(sales.id, Decimal(-5), Decimal(-5), ZERO, ZERO),
        bank.id: AccountTurnover(bank.id, Decimal(5), Decimal(5), ZERO, ZERO),
    }
    carried = rules.prior_years_result([sales, bank], turnovers)
    assert rules.totals(rules.rows([sales, bank], turnovers, carried), carried).opening == 0


def of_seed(row: AccountSeed) -> Account:
    """An account of a seed, ready for the report."""
    made = account(
        row.number,
        LedgerType(row.ledger_type),
        row.role,
        row.sum_from,
        Classification(row.classification) if row.classification else None,
    )
    return replace(made, standard_number=row.standard_number)


def whole_standard() -> list[Account]:
    """The whole public standard, with the result's line in equity as in a new company's chart."""
    (line,) = [row for row in seed_for("DK").accounts if row.role == StatementLine.RESULT_IN_EQUITY]
    return [of_seed(row) for row in (*standard_accounts("DK").values(), line)]


CHARTS = {
    "DK": [of_seed(row) for row in seed_for("DK").accounts],
    "US": [of_seed(row) for row in seed_for("US").accounts],
    "the whole standard": whole_standard(),
}
#: Accounts that a company may add: of any kind, with a number far from the chart's or among accounts of another kind.
ADDED = st.lists(
    st.tuples(st.integers(1, 12_000) | st.integers(1_000_000, 5_000_000), st.sampled_from(Classification)),
    max_size=5,
)
AMOUNTS = st.decimals("-99999", "99999", places=2)


def added(number: int, classification: Classification) -> Account:
    is_result = classification in {Classification.REVENUE, Classification.EXPENSE}
    kind = LedgerType.PROFIT_AND_LOSS if is_result else LedgerType.BALANCE_SHEET
    return account(number, kind, classification=classification)


def posted(draw: Any, chart: Sequence[Account]) -> dict[UUID, AccountTurnover]:
    """The turnovers of random entries on random accounts, before the year, before the span and in it."""
    found: dict[UUID, AccountTurnover] = {
        one.id: AccountTurnover(one.id, ZERO, ZERO, ZERO, ZERO) for one in chart if one.is_bookable
    }
    for _ in range(draw(st.integers(0, 12))):
        debit, credit = draw(st.sampled_from(list(found))), draw(st.sampled_from(list(found)))
        amount, when = draw(AMOUNTS), draw(st.sampled_from(["before the year", "before the span", "in the span"]))
        for one, signed in ((debit, amount), (credit, -amount)):
            old = found[one]
            if when == "in the span":
                found[one] = replace(old, debit=old.debit + max(signed, ZERO), credit=old.credit - min(signed, ZERO))
            else:
                earlier = signed if when == "before the year" else ZERO
                found[one] = replace(old, before=old.before + signed, before_year=old.before_year + earlier)
    return found


@pytest.mark.parametrize("name", CHARTS)
@given(st.data())
def test_assets_equal_equity_and_liabilities_in_any_chart(name: str, data: st.DataObject) -> None:
    """The result's line in equity holds what profit and loss accounts hold; the statements leave no account out."""
    chart = [*CHARTS[name], *(added(*one) for one in data.draw(ADDED))]
    turnovers = posted(data.draw, chart)
    rows = rules.rows(chart, turnovers, rules.prior_years_result(chart, turnovers))
    lines = {one.role: figures(rows, one) for one in chart if one.role in list(StatementLine)}
    assets, whole = lines[StatementLine.TOTAL_ASSETS], lines[StatementLine.TOTAL_EQUITY_AND_LIABILITIES]
    assert (assets.opening, assets.closing) == (-whole.opening, -whole.closing)
    assert assets.debit - assets.credit == whole.credit - whole.debit
    assert lines[StatementLine.RESULT] == lines[StatementLine.RESULT_IN_EQUITY]
    equity_and_debt = rules.sum_up([figures(rows, one) for one in chart if one.classification in OWED])
    assert whole == equity_and_debt.plus(lines[StatementLine.RESULT])


OWED = {Classification.EQUITY, Classification.LIABILITY}


def figures(rows: Sequence[TrialBalanceRow], of: Account) -> Balances:
    (found,) = [row.balances for row in rows if row.account_id == of.id]
    assert found is not None
    return found


@pytest.mark.parametrize("name", CHARTS)
@given(st.data())
def test_each_total_is_the_sum_of_its_accounts(name: str, data: st.DataObject) -> None:
    chart = CHARTS[name]
    turnovers = posted(data.draw, chart)
    rows = rules.rows(chart, turnovers, rules.prior_years_result(chart, turnovers))
    members = [one for one in chart if one.ledger_type in BOOKABLE or one.role == StatementLine.RESULT_IN_EQUITY]
    by_id: Mapping[UUID, Balances | None] = {row.account_id: row.balances for row in rows}
    for total in chart:
        if total.sum_from is not None:
            start, end = total.sum_from, total.standard_number
            inside = [by_id[one.id] for one in members if start <= one.standard_number <= end]
            assert by_id[total.id] == rules.sum_up([balances for balances in inside if balances is not None]), total


def test_an_account_counts_in_totals_of_its_own_statement_only() -> None:
    """Among accounts of another kind, or outside of every total, it is counted by its statement all the same."""
    lost = added(1015, Classification.ASSET)
    far = added(2_000_001, Classification.LIABILITY)
    chart = [*CHARTS["DK"], lost, far]
    turnovers: dict[UUID, AccountTurnover] = {
        lost.id: AccountTurnover(lost.id, ZERO, ZERO, Decimal(7), ZERO),
        far.id: AccountTurnover(far.id, ZERO, ZERO, ZERO, Decimal(7)),
    }
    rows = {row.account_number: row.balances for row in rules.rows(chart, turnovers, ZERO)}
    assert rows[1390] == rows[4999] == Balances()
    assert rows[6499] == Balances(debit=Decimal(7))
    assert rows[9950] == Balances()
    assert rows[9999] == Balances(credit=Decimal(7))


def test_an_account_stands_and_counts_where_its_standard_account_does() -> None:
    clearing = replace(added(20_001, Classification.ASSET), standard_number=6330)
    chart = [*CHARTS["DK"], clearing]
    turnovers: dict[UUID, AccountTurnover] = {clearing.id: AccountTurnover(clearing.id, ZERO, ZERO, Decimal(7), ZERO)}
    rows = rules.rows(chart, turnovers, ZERO)
    numbers = [row.account_number for row in rows]
    assert numbers[numbers.index(20_001) - 2 : numbers.index(20_001) + 2] == [6330, 6331, 20_001, 6340]
    by_number = {row.account_number: row.balances for row in rows}
    assert by_number[6340] == by_number[6411] == by_number[6499] == Balances(debit=Decimal(7))
