"""Figures of the trial balance: whole months from the monthly totals, the days of a month cut through from lines."""

from datetime import date
from typing import Final
from uuid import UUID

from ledgerbee.ledger.reports.trial_balance.model import AccountTurnover
from ledgerbee.ledger.reports.trial_balance.rules import Cut
from ledgerbee.platform.context import Context

# $2 financial year's start; $3, $4, $5, $6 and $7, $8, $9, $10 = the cuts before the first day and after the last.
# The lines are reached account by account, so that only the index rows of those few days are read.
_TURNOVER: Final = """
WITH months AS MATERIALIZED (
    SELECT m.account_id,
           coalesce(sum(m.base_debit - m.base_credit) FILTER (WHERE m.month < $2), 0) AS before_year,
           coalesce(sum(m.base_debit) FILTER (WHERE m.month < $3), 0) AS debit_before,
           coalesce(sum(m.base_credit) FILTER (WHERE m.month < $3), 0) AS credit_before,
           coalesce(sum(m.base_debit) FILTER (WHERE m.month < $7), 0) AS debit_through,
           coalesce(sum(m.base_credit) FILTER (WHERE m.month < $7), 0) AS credit_through
    FROM account_months m WHERE m.company_id = $1 GROUP BY m.account_id
), sums AS MATERIALIZED (
    SELECT m.account_id, m.before_year,
           m.debit_before + $4 * coalesce(a.debit, 0) AS debit_before,
           m.credit_before + $4 * coalesce(a.credit, 0) AS credit_before,
           m.debit_through + $8 * coalesce(z.debit, 0) AS debit_through,
           m.credit_through + $8 * coalesce(z.credit, 0) AS credit_through
    FROM months m
    CROSS JOIN LATERAL (
        SELECT sum(l.base_amount) FILTER (WHERE l.is_debit) AS debit,
               -sum(l.base_amount) FILTER (WHERE NOT l.is_debit) AS credit
        FROM journal_lines l
        WHERE l.company_id = $1 AND l.account_id = m.account_id AND l.entry_date BETWEEN $5 AND $6
    ) a
    CROSS JOIN LATERAL (
        SELECT sum(l.base_amount) FILTER (WHERE l.is_debit) AS debit,
               -sum(l.base_amount) FILTER (WHERE NOT l.is_debit) AS credit
        FROM journal_lines l
        WHERE l.company_id = $1 AND l.account_id = m.account_id AND l.entry_date BETWEEN $9 AND $10
    ) z
)
SELECT account_id, debit_before - credit_before AS before, before_year,
       debit_through - debit_before AS debit, credit_through - credit_before AS credit
FROM sums
"""


async def turnovers(context: Context, year_start: date, before: Cut, through: Cut) -> dict[UUID, AccountTurnover]:
    """Turnover of each account that was ever posted on, in base currency.

    `before` cuts off what lies before the span's first day, `through` what lies before the day after its last.
    """
    rows = await context.connection.fetch(
        _TURNOVER,
        context.company_id,
        year_start,
        before.month,
        before.sign,
        before.first,
        before.last,
        through.month,
        through.sign,
        through.first,
        through.last,
    )
    return {row["account_id"]: AccountTurnover(**row) for row in rows}


async def base_currency(context: Context) -> str:
    """The currency that the company's books are kept in."""
    return str(
        await context.connection.fetchval("SELECT base_currency FROM ledgers WHERE company_id = $1", context.company_id)
    )
