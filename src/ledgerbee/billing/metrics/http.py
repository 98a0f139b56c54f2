"""Routes of metrics (extension; decisions "Metrics")."""

from typing import Annotated, Final

from fastapi import Query

from ledgerbee.billing.metrics import actions, rules, store
from ledgerbee.billing.metrics.model import Movement
from ledgerbee.billing.metrics.wire import (
    ListCustomerMrrResponse,
    MrrResponse,
    MrrSeriesResponse,
    RevenueReconciliationResponse,
    render,
    render_customers,
    render_reconciliation,
    render_series,
)
from ledgerbee.core.dates import add_months
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.fields import Month
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.platform.credentials.model import LICENSE_REQUIRED
from ledgerbee.tenancy.rates.model import EXCHANGE_RATE_MISSING

router = resource_router("Subscriptions")

_LICENSE: Final = "Subscription"

MonthAsked = Annotated[
    Month, Query(description="A month that has begun, YYYY-MM: measured on its last day, the running month today")
]


@router.get(
    "/v1/metrics/mrr",
    **operation(
        "Get monthly recurring revenue",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="MRR of all customers at the end of a month, and how it moved since the end of the month before. "
        "It is what recurring prices cost a month (a year's twelfth, 52/12 of a week, 365/12 of a day), by their "
        "quantity, less the discount that the customer's group has today. Usage and what comes once have none, nor "
        "have trials, pauses, and subscriptions that haven't started or wait for their first payment. Who is late in "
        "paying counts, and who has cancelled until the end.\n\nIt follows from what was agreed day by day, for any "
        "month of the past; a subscription that is given for days of the past changes these months. Currencies are "
        "converted at each month end's rate, so that their rates move MRR too.",
        response="MRR, ARR, movements, rates and customers",
        errors=[LICENSE_REQUIRED, EXCHANGE_RATE_MISSING],
    ),
)
async def get_mrr(context: Ctx, month: MonthAsked) -> MrrResponse:
    currency, (found,) = await actions.series(context, month, month)
    return render(found, currency)


@router.get(
    "/v1/metrics/mrr/customers",
    **operation(
        "List customers with monthly recurring revenue",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="The customers with MRR at the end of a month or at the end of the month before, the highest MRR "
        "first, and which movement each of them is.",
        response="Paginated list of customers with their MRR",
        errors=[LICENSE_REQUIRED, EXCHANGE_RATE_MISSING],
    ),
)
async def list_mrr_customers(
    context: Ctx,
    month: MonthAsked,
    page: PageNumber = 1,
    limit: Limit = 25,
    movement: Annotated[Movement | None, Query(description="Only customers with this movement")] = None,
) -> ListCustomerMrrResponse:
    asked = PageRequest(page, limit)
    measured, found = await actions.customers(context, month, movement, asked)
    names = await store.names_of(context, [one.customer_id for one in found.rows])
    return render_customers(found, names, asked, measured.days[-1], measured.currency)


@router.get(
    "/v1/metrics/mrr/series",
    **operation(
        "Get monthly recurring revenue by month",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="MRR and its movements of up to 60 months, as `GET /v1/metrics/mrr` has them of one.",
        response="The months, the oldest first",
        errors=[LICENSE_REQUIRED, EXCHANGE_RATE_MISSING],
    ),
)
async def get_mrr_series(
    context: Ctx,
    first: Annotated[
        Month | None, Query(alias="from", description="The first month, YYYY-MM; eleven before `to` unless given")
    ] = None,
    last: Annotated[
        Month | None, Query(alias="to", description="The last month, YYYY-MM; the running one unless given")
    ] = None,
) -> MrrSeriesResponse:
    last = last or context.today.replace(day=1)
    first = first or add_months(last, -11)
    rules.check_range(first, last, context.today)
    currency, months = await actions.series(context, first, last)
    return render_series(months, currency)


@router.get(
    "/v1/metrics/revenue-reconciliation",
    **operation(
        "Reconcile invoiced revenue with recurring revenue",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="What invoices charge for the days of a month in recurring prices, each line by days, beside MRR "
        "at its end, and what the difference is made of. Invoices of any day count, as far as they are there by now, "
        "less credit notes. Usage and what comes once are left out.",
        response="MRR, what was agreed and invoiced, and why they differ",
        errors=[LICENSE_REQUIRED, EXCHANGE_RATE_MISSING],
    ),
)
async def get_revenue_reconciliation(context: Ctx, month: MonthAsked) -> RevenueReconciliationResponse:
    currency, found = await actions.reconcile(context, month)
    return render_reconciliation(found, currency)
