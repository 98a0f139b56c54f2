"""The trial balance of a company, for HTTP and the command line alike."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from ledgerbee.chart.accounts import store as accounts
from ledgerbee.core.errors import invalid
from ledgerbee.core.money import ZERO
from ledgerbee.ledger.periods import store as periods
from ledgerbee.ledger.reports.trial_balance import rules, store
from ledgerbee.ledger.reports.trial_balance.model import TrialBalance
from ledgerbee.platform.context import Context


async def trial_balance(
    context: Context,
    from_date: date | None = None,
    to_date: date | None = None,
    tag_ids: Sequence[UUID] | None = None,
) -> TrialBalance:
    """The trial balance over `from_date`..`to_date`, both inclusive and within 1900..2999, in base currency.

    Left out, they are the start of the financial year that holds the other (or today) and today; a `from_date`
    in the future runs to the end of its financial year. Balance-sheet accounts open with everything before, profit
    and loss accounts at the start of the financial year that holds `from_date`; what they stood at then opens
    the retained earnings account, so that the opening column balances too. With `tag_ids` only lines that carry one
    of these tags count: then nothing has to balance. Raises a validation error when the first day is after the last.
    """
    year_start, year_end = await periods.get_span_around(context, from_date or to_date or context.today)
    from_date = from_date or year_start
    if to_date is None:
        to_date = context.today if context.today >= from_date else year_end
    if from_date > to_date:
        raise invalid(("toDate", "minDate", "toDate must not be before fromDate"))
    chart = await accounts.list_all(context)
    turnovers = await store.list_turnovers(
        context, year_start, rules.cut_before(from_date), rules.cut_before(to_date + timedelta(days=1)), tag_ids
    )
    carried = rules.prior_years_result(chart, turnovers)
    rows = rules.rows(chart, turnovers, carried)
    has_retained_earnings = any(account.role == rules.RETAINED_EARNINGS for account in chart)
    return TrialBalance(
        from_date=from_date,
        to_date=to_date,
        currency=await store.get_base_currency(context),
        fiscal_year_start=year_start,
        fiscal_year_end=year_end,
        prior_years_result=carried,
        rows=rows,
        totals=rules.totals(rows, ZERO if has_retained_earnings else carried),
    )
