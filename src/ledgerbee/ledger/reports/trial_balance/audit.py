"""The auditor's look at the totals by month and by day: they are the sums of the lines that they count."""

from typing import Final

from ledgerbee.platform.context import Context

_MONTHS: Final = """
WITH actual AS (
    SELECT account_id, currency, date_trunc('month', entry_date::timestamp)::date AS month,
           coalesce(sum(amount) FILTER (WHERE is_debit), 0) AS debit,
           coalesce(-sum(amount) FILTER (WHERE NOT is_debit), 0) AS credit,
           coalesce(sum(base_amount) FILTER (WHERE is_debit), 0) AS base_debit,
           coalesce(-sum(base_amount) FILTER (WHERE NOT is_debit), 0) AS base_credit
    FROM journal_lines WHERE company_id = $1 GROUP BY 1, 2, 3
), kept AS (
    SELECT account_id, currency, month, debit, credit, base_debit, base_credit
    FROM account_months WHERE company_id = $1
)
SELECT coalesce(actual.account_id, kept.account_id) AS account_id, currency, month, n.number AS account_number
FROM actual FULL JOIN kept USING (account_id, currency, month)
LEFT JOIN accounts n ON n.company_id = $1 AND n.id = coalesce(actual.account_id, kept.account_id)
WHERE (actual.debit, actual.credit, actual.base_debit, actual.base_credit)
    IS DISTINCT FROM (kept.debit, kept.credit, kept.base_debit, kept.base_credit)
ORDER BY month, account_number LIMIT 1
"""
_DAYS: Final = """
WITH actual AS (
    SELECT l.account_id, l.entry_date AS day,
           coalesce(sum(l.base_amount) FILTER (WHERE l.is_debit), 0) AS base_debit,
           coalesce(-sum(l.base_amount) FILTER (WHERE NOT l.is_debit), 0) AS base_credit
    FROM journal_entries e JOIN journal_lines l ON l.company_id = e.company_id AND l.entry_id = e.id
    WHERE e.company_id = $1 AND e.chain_position <= rolled_up_through($2)
    GROUP BY 1, 2
), kept AS (
    SELECT account_id, day, base_debit, base_credit FROM account_days WHERE company_id = $1
)
SELECT day, n.number AS account_number
FROM actual FULL JOIN kept USING (account_id, day)
LEFT JOIN accounts n ON n.company_id = $1 AND n.id = account_id
WHERE (actual.base_debit, actual.base_credit) IS DISTINCT FROM (kept.base_debit, kept.base_credit)
ORDER BY day, account_number LIMIT 1
"""


async def fault_in_months(context: Context) -> str | None:
    """What is wrong with the first wrong total by month; None: nothing with any."""
    wrong = await context.connection.fetchrow(_MONTHS, context.company_id)
    if wrong is None:
        return None
    account = f"account {wrong['account_number']} in {wrong['currency']}"
    return f"the total of {account} for {wrong['month']:%Y-%m} is not the sum of its lines"


async def fault_in_days(context: Context, chain_position: int) -> str | None:
    """What is wrong with the first wrong total by day of a chain that is so long; None: nothing with any."""
    wrong = await context.connection.fetchrow(_DAYS, context.company_id, chain_position)
    if wrong is None:
        return None
    return f"the total of account {wrong['account_number']} for {wrong['day']} is not the sum of its lines"
