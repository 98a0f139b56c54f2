"""The auditor's look at the currency of the books and at financial years: as the company and their events say."""

from typing import Final

from ledgerbee.platform.context import Context

_CURRENCY: Final = """
SELECT c.base_currency AS stated, g.base_currency AS kept FROM companies c JOIN ledgers g USING (company_id)
WHERE company_id = $1 AND c.base_currency <> g.base_currency
"""
_YEARS: Final = """
SELECT y.start_date FROM fiscal_years y JOIN events v ON v.company_id = $1 AND v.object_id = y.id
    AND v.type = 'fiscal_year.opened'
WHERE y.company_id = $1
  AND (v.data ->> 'startDate', v.data ->> 'endDate') IS DISTINCT FROM (y.start_date::text, y.end_date::text)
ORDER BY y.start_date LIMIT 1
"""


async def fault_in_books(context: Context) -> str | None:
    """What is wrong with the currency, or with the first year that is not as its event says; None: nothing."""
    row = await context.connection.fetchrow(_CURRENCY, context.company_id)
    if row is not None:
        return f"the company states {row['stated']} as its currency, the books are kept in {row['kept']}"
    row = await context.connection.fetchrow(_YEARS, context.company_id)
    if row is not None:
        return f"the fiscal year that starts {row['start_date']} is not the one that its event says"
    return None
