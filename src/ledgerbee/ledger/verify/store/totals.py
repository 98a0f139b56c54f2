"""Totals by month, day and dimension value and the parties' balances: they are the sums of the lines."""

from typing import Final

from ledgerbee.ledger.verify.model import Fault
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
_COUNT_MONTHS: Final = "SELECT count(*) FROM account_months WHERE company_id = $1"
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
_TAG_MONTHS: Final = """
WITH actual AS (
    SELECT t.id AS tag_id, l.account_id, date_trunc('month', l.entry_date::timestamp)::date AS month,
           coalesce(sum(l.base_amount) FILTER (WHERE l.is_debit), 0) AS base_debit,
           coalesce(-sum(l.base_amount) FILTER (WHERE NOT l.is_debit), 0) AS base_credit
    FROM journal_lines l
    JOIN journal_entries e ON e.company_id = l.company_id AND e.id = l.entry_id
    CROSS JOIN LATERAL (SELECT unnest(e.tag_ids) UNION SELECT unnest(l.tag_ids)) AS t (id)
    WHERE l.company_id = $1 AND (e.tag_ids <> '{}' OR l.tag_ids <> '{}')
    GROUP BY 1, 2, 3
), kept AS (
    SELECT tag_id, account_id, month, base_debit, base_credit FROM tag_months WHERE company_id = $1
)
SELECT tag_id, month, n.number AS account_number, v.name
FROM actual FULL JOIN kept USING (tag_id, account_id, month)
LEFT JOIN accounts n ON n.company_id = $1 AND n.id = account_id
LEFT JOIN dimension_values v ON v.company_id = $1 AND v.id = tag_id
WHERE v.id IS NULL
   OR (actual.base_debit, actual.base_credit) IS DISTINCT FROM (kept.base_debit, kept.base_credit)
ORDER BY month, account_number LIMIT 1
"""
_PARTIES: Final = """
WITH parties AS (
    SELECT l.account_id, sum(l.base_amount) AS balance,
           count(*) FILTER (WHERE c.id IS NULL AND v.id IS NULL) AS unknown
    FROM journal_lines l
    LEFT JOIN customers c ON c.company_id = l.company_id AND c.id = l.customer_id
    LEFT JOIN vendors v ON v.company_id = l.company_id AND v.id = l.vendor_id
    WHERE l.company_id = $1 AND (l.customer_id IS NOT NULL OR l.vendor_id IS NOT NULL)
    GROUP BY l.account_id
), controls AS (
    SELECT m.account_id, sum(m.base_debit - m.base_credit) AS balance
    FROM account_months m JOIN accounts a ON a.company_id = m.company_id AND a.id = m.account_id
    WHERE m.company_id = $1 AND a.control_account_type IS NOT NULL
    GROUP BY m.account_id
)
SELECT a.number, parties.unknown, coalesce(parties.balance, 0) AS of_parties,
       coalesce(controls.balance, 0) AS of_account
FROM parties FULL JOIN controls USING (account_id)
LEFT JOIN accounts a ON a.company_id = $1 AND a.id = account_id
WHERE parties.unknown > 0 OR parties.balance IS DISTINCT FROM controls.balance
ORDER BY a.number LIMIT 1
"""


async def fault_in_months(context: Context) -> Fault | None:
    """Totals by account and month are the sums of the lines."""
    wrong = await context.connection.fetchrow(_MONTHS, context.company_id)
    if wrong is None:
        return None
    account = f"account {wrong['account_number']} in {wrong['currency']}"
    return Fault(f"the total of {account} for {wrong['month']:%Y-%m} is not the sum of its lines")


async def count_months(context: Context) -> int:
    return int(await context.connection.fetchval(_COUNT_MONTHS, context.company_id))


async def fault_in_days(context: Context, chain_position: int) -> Fault | None:
    """Totals by account and day of a chain that is so long are the sums of the lines that they count."""
    wrong = await context.connection.fetchrow(_DAYS, context.company_id, chain_position)
    if wrong is None:
        return None
    return Fault(f"the total of account {wrong['account_number']} for {wrong['day']} is not the sum of its lines")


async def fault_in_tag_months(context: Context) -> Fault | None:
    """Totals by dimension value are the sums of the lines that carry it, and the values are there."""
    wrong = await context.connection.fetchrow(_TAG_MONTHS, context.company_id)
    if wrong is None:
        return None
    if wrong["name"] is None:
        return Fault(f"lines carry the dimension value {wrong['tag_id']}, which does not exist")
    account = f"{wrong['name']} on account {wrong['account_number']}"
    return Fault(f"the total of {account} for {wrong['month']:%Y-%m} is not the sum of its lines")


async def fault_in_parties(context: Context) -> Fault | None:
    """What customers owe and vendors are owed is, party by party, what stands on the accounts that stand for them."""
    wrong = await context.connection.fetchrow(_PARTIES, context.company_id)
    if wrong is None:
        return None
    account = f"account {wrong['number']}"
    if wrong["unknown"]:
        return Fault(f"{wrong['unknown']} lines of {account} are of parties that do not exist")
    sums = f"add up to {wrong['of_parties']:f}, the account's is {wrong['of_account']:f}"
    return Fault(f"the balances of the parties on {account} {sums}")
