"""The route of the trial balance (extension)."""

from typing import Annotated

from fastapi import Query, Response

from ledgerbee.http.arrays import in_thread
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.ledger.periods.wire import BookDay
from ledgerbee.ledger.reports.query import OfProject, OfValue
from ledgerbee.ledger.reports.tags import tags_of
from ledgerbee.ledger.reports.trial_balance.actions import trial_balance
from ledgerbee.ledger.reports.trial_balance.wire import TrialBalanceResponse, render

router = resource_router("Reports")


@router.get(
    "/v1/reports/trial-balance",
    response_model=TrialBalanceResponse,
    **operation(
        "Get the trial balance",
        scope="reports-read",
        extension=True,
        description="Opening balance, turnover and closing balance of every account over a span of days, in base "
        "currency. Balance-sheet accounts open with everything posted before; profit and loss accounts open at the "
        "start of the fiscal year that holds `fromDate`. Equity shows the result that no entry has moved there, so "
        "total assets and total equity and liabilities are equal but for their sign on any day.\n\nWith "
        "`dimensionValueId` or `projectId` only lines that carry it count, by themselves or through their entry. Their "
        "counterparts need not carry it, so that neither the columns nor the statements have to balance.",
    ),
)
async def get_trial_balance(
    context: Ctx,
    from_date: Annotated[
        BookDay | None, Query(alias="fromDate", description="First day, inclusive; default the fiscal year's start")
    ] = None,
    to_date: Annotated[BookDay | None, Query(alias="toDate", description="Last day, inclusive; default today")] = None,
    dimension_value_id: OfValue = None,
    project_id: OfProject = None,
) -> Response:
    tag_ids = await tags_of(context, dimension_value_id, project_id)
    report = await trial_balance(context, from_date, to_date, tag_ids)
    return await in_thread(len(report.rows), lambda: render(report))
