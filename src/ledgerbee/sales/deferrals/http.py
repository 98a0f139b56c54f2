"""Routes of deferred revenue (extension; decisions "Deferred revenue")."""

from typing import Annotated

from fastapi import Query

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.ledger.periods import store as periods
from ledgerbee.platform import company_store
from ledgerbee.sales.deferrals import actions, store
from ledgerbee.sales.deferrals.wire import (
    DeferredRevenueQuery,
    DeferredRevenueResponse,
    RecognizeRevenueRequest,
    RecognizeRevenueResponse,
    render_recognized,
    render_report,
)

router = resource_router("Reports")


@router.get(
    "/v1/deferred-revenue",
    **operation(
        "Get deferred revenue",
        scope="reports-read",
        extension=True,
        description="What invoices charge for days to come, at the end of a day: of each line what was deferred, what "
        "of it was earned by then, what credit notes took off before, and what is left. The sum of what is left is the "
        "balance of the account of deferred revenue (role DEFERRED_REVENUE), but for what is booked there by hand."
        "\n\n`outstanding` are months that have ended and aren't recognised yet: the worker does it several times a "
        "day, unless the month's last day is locked.",
        response="The deferrals, their sums, and the months that are outstanding",
    ),
)
async def get_deferred_revenue(
    context: Ctx, query: Annotated[DeferredRevenueQuery, Query()]
) -> DeferredRevenueResponse:
    chosen, asked = query.chosen(context.today), query.asked
    base_currency, _ = await company_store.get_currency_and_country(context)
    return render_report(
        chosen,
        asked,
        await store.list_standing(context, chosen, asked.limit, asked.offset),
        await store.get_totals(context, chosen),
        await store.list_outstanding(context),
        await periods.get_lock_date(context),
        base_currency,
    )


@router.post(
    "/v1/deferred-revenue/recognize",
    **operation(
        "Recognize deferred revenue",
        scope="journal-entries-write",
        extension=True,
        description="Books what deferred revenue earned in a month that has ended, and in months before it that are "
        "outstanding: deferred revenue against revenue, without VAT, an entry for each month on its last day. The "
        "worker does the same by itself. What is recognised already isn't booked again.\n\nOf a month whose last day "
        "is locked nothing is booked, and no day is moved: open it, or give the `date` that is to be booked on.",
        response="What was recognised now",
        errors=[PERIOD_LOCKED, FISCAL_YEAR_MISSING, ACCOUNT_NOT_BOOKABLE],
    ),
)
async def recognize_deferred_revenue(context: Ctx, body: RecognizeRevenueRequest) -> RecognizeRevenueResponse:
    months = await actions.recognize(context, body.month, body.date)
    base_currency, _ = await company_store.get_currency_and_country(context)
    return render_recognized(months, base_currency)
