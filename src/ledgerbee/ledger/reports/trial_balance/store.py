"""Figures of the trial balance: whole months from totals by month, the days of a month cut through from totals by day.

Totals by day lack the newest entries, at most 255 of them: these are summed up from their lines.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from ledgerbee.ledger.reports.trial_balance.model import AccountTurnover
from ledgerbee.ledger.reports.trial_balance.rules import Cut
from ledgerbee.platform import rows
from ledgerbee.platform.context import Context

# $2 financial year's start; $3 to $6 and $7 to $10: the fields of the cuts before the first day and after the last.
# The newest entries are found between two computed values: row-level security keeps computing itself away from indexes.
# Their lines are looked up entry by entry (OFFSET 0), only of entries on the cut days.
_TURNOVERS: Final = """
WITH months AS MATERIALIZED (
    SELECT m.account_id,
           coalesce(sum(m.base_debit - m.base_credit) FILTER (WHERE m.month < $2), 0) AS before_year,
           coalesce(sum(m.base_debit) FILTER (WHERE m.month < $3), 0) AS debit_before,
           coalesce(sum(m.base_credit) FILTER (WHERE m.month < $3), 0) AS credit_before,
           coalesce(sum(m.base_debit) FILTER (WHERE m.month < $7), 0) AS debit_through,
           coalesce(sum(m.base_credit) FILTER (WHERE m.month < $7), 0) AS credit_through
    FROM account_months m WHERE m.company_id = $1 GROUP BY m.account_id
), chain AS MATERIALIZED (
    SELECT rolled_up_through(g.chain_position) AS rolled_up, g.chain_position AS position
    FROM ledgers g WHERE g.company_id = $1
), newest AS MATERIALIZED (
    SELECT e.id, e.entry_date
    FROM journal_entries e
    WHERE e.company_id = $1 AND e.chain_position > (SELECT c.rolled_up FROM chain c)
        AND e.chain_position <= (SELECT c.position FROM chain c)
), days AS MATERIALIZED (
    SELECT c.cut, t.account_id, sum(t.debit) AS debit, sum(t.credit) AS credit
    FROM (VALUES ('before', $5::date, $6::date), ('through', $9, $10)) AS c (cut, first, last)
    CROSS JOIN LATERAL (
        SELECT d.account_id, d.base_debit AS debit, d.base_credit AS credit
        FROM account_days d WHERE d.company_id = $1 AND d.day BETWEEN c.first AND c.last
        UNION ALL
        SELECT l.account_id,
               CASE WHEN l.is_debit THEN l.base_amount END, CASE WHEN NOT l.is_debit THEN -l.base_amount END
        FROM newest e
        CROSS JOIN LATERAL (SELECT * FROM journal_lines l WHERE l.company_id = $1 AND l.entry_id = e.id OFFSET 0) l
        WHERE e.entry_date BETWEEN c.first AND c.last
    ) t
    GROUP BY c.cut, t.account_id
), sums AS MATERIALIZED (
    SELECT m.account_id, m.before_year,
           m.debit_before + $4 * coalesce(a.debit, 0) AS debit_before,
           m.credit_before + $4 * coalesce(a.credit, 0) AS credit_before,
           m.debit_through + $8 * coalesce(z.debit, 0) AS debit_through,
           m.credit_through + $8 * coalesce(z.credit, 0) AS credit_through
    FROM months m
    LEFT JOIN days a ON a.account_id = m.account_id AND a.cut = 'before'
    LEFT JOIN days z ON z.account_id = m.account_id AND z.cut = 'through'
)
SELECT account_id, debit_before - credit_before AS before, before_year,
       debit_through - debit_before AS debit, credit_through - credit_before AS credit
FROM sums
"""
#: The same of the lines that carry one of the tags $11. There are no totals of them by day: the lines of the cut days
#: are summed up. A tag of an entry counts for each of its lines, as in `tag_months`.
_TURNOVERS_OF_TAGS: Final = """
WITH months AS MATERIALIZED (
    SELECT m.account_id,
           coalesce(sum(m.base_debit - m.base_credit) FILTER (WHERE m.month < $2), 0) AS before_year,
           coalesce(sum(m.base_debit) FILTER (WHERE m.month < $3), 0) AS debit_before,
           coalesce(sum(m.base_credit) FILTER (WHERE m.month < $3), 0) AS credit_before,
           coalesce(sum(m.base_debit) FILTER (WHERE m.month < $7), 0) AS debit_through,
           coalesce(sum(m.base_credit) FILTER (WHERE m.month < $7), 0) AS credit_through
    FROM tag_months m WHERE m.company_id = $1 AND m.tag_id = ANY ($11) GROUP BY m.account_id
), days AS MATERIALIZED (
    SELECT c.cut, l.account_id,
           sum(CASE WHEN l.is_debit THEN l.base_amount END) AS debit,
           sum(CASE WHEN NOT l.is_debit THEN -l.base_amount END) AS credit
    FROM (VALUES ('before', $5::date, $6::date), ('through', $9, $10)) AS c (cut, first, last)
    JOIN journal_entries e ON e.company_id = $1 AND e.entry_date BETWEEN c.first AND c.last
    CROSS JOIN LATERAL (SELECT * FROM journal_lines l WHERE l.company_id = $1 AND l.entry_id = e.id OFFSET 0) l
    WHERE e.tag_ids && $11 OR l.tag_ids && $11
    GROUP BY c.cut, l.account_id
)
SELECT m.account_id, m.before_year,
       m.debit_before + $4 * coalesce(a.debit, 0) - m.credit_before - $4 * coalesce(a.credit, 0) AS before,
       m.debit_through + $8 * coalesce(z.debit, 0) - m.debit_before - $4 * coalesce(a.debit, 0) AS debit,
       m.credit_through + $8 * coalesce(z.credit, 0) - m.credit_before - $4 * coalesce(a.credit, 0) AS credit
FROM months m
LEFT JOIN days a ON a.account_id = m.account_id AND a.cut = 'before'
LEFT JOIN days z ON z.account_id = m.account_id AND z.cut = 'through'
"""
_BASE_CURRENCY: Final = "SELECT base_currency FROM ledgers WHERE company_id = $1"


async def list_turnovers(
    context: Context, year_start: date, before: Cut, through: Cut, tag_ids: Sequence[UUID] | None = None
) -> dict[UUID, AccountTurnover]:
    """Turnover of each account that was ever posted on, by its id, in base currency.

    `before` cuts off what lies before the span's first day, `through` what lies before the day after its last. With
    tags only lines that carry one of them count; no line carries two.
    """
    arguments = [context.company_id, year_start, *rows.values(before), *rows.values(through)]
    if tag_ids is None:
        found = await context.connection.fetch(_TURNOVERS, *arguments)
    else:
        found = await context.connection.fetch(_TURNOVERS_OF_TAGS, *arguments, tag_ids)
    return {row["account_id"]: AccountTurnover(**row) for row in found}


async def get_base_currency(context: Context) -> str:
    """The currency that the company's books are kept in."""
    return str(await context.connection.fetchval(_BASE_CURRENCY, context.company_id))
