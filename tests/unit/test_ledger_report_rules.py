"""How the trial balance cuts time and sums the chart. Pure."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.chart.accounts.model import Account, LedgerType
from ledgerbee.core.dates import first_of_month
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import ZERO
from ledgerbee.ledger.reports.trial_balance import rules
from ledgerbee.ledger.reports.trial_balance.model import AccountTurnover, Balances

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


def account(number: int, kind: LedgerType, role: str | None = None, sum_from: int | None = None) -> Account:
    return Account(
        id=new_id(), number=number, name=str(number), standard_number=number, ledger_type=kind, classification=None,
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
    turnovers = {
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
    turnovers = {
        sales.id: AccountTurnover(sales.id, Decimal(-5), Decimal(-5), ZERO, ZERO),
        bank.id: AccountTurnover(bank.id, Decimal(5), Decimal(5), ZERO, ZERO),
    }
    carried = rules.prior_years_result([sales, bank], turnovers)
    assert rules.totals(rules.rows([sales, bank], turnovers, carried), carried).opening == 0
