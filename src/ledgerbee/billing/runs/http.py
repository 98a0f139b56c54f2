"""Routes of billing runs (extensions)."""

from typing import Annotated, Final

from fastapi import Path, Query
from pydantic import Field

from ledgerbee.billing.runs import actions, store
from ledgerbee.billing.runs.model import BILLING_RUN_NOT_FOUND, BillingOutcome, BillingRunId, BillingRunTrigger
from ledgerbee.billing.runs.wire import (
    BillingRunDetailResponse,
    BillingRunResponse,
    ListBillingRunsResponse,
    render,
    render_detail,
)
from ledgerbee.billing.subscriptions.model import SUBSCRIPTION_NOT_FOUND
from ledgerbee.core.errors import check_unique
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import Day, Id, IdOf, RequestModel, omitted
from ledgerbee.platform.credentials.model import LICENSE_REQUIRED

router = resource_router("Subscriptions")

_LICENSE: Final = "Subscription"

RunPath = Annotated[IdOf[BillingRunId], Path(alias="billingRunId", description="Billing run ID")]
Flag = Annotated[bool, Field(strict=True)]


class CreateBillingRunRequest(RequestModel):
    """What to bill. Without fields: everything that is due today."""

    as_of: Day | None = omitted(
        description="Bill what is due on or before this day; the company's today unless given. A day to come only with "
        "`dryRun`"
    )
    dry_run: Flag = Field(False, description="Only say what the run would do: nothing is billed, numbered or told")
    confirm_catch_up: Flag = Field(
        False, description="Bill subscriptions with more than 24 due periods, which are skipped otherwise"
    )
    subscription_ids: Annotated[list[Id], Field(min_length=1, max_length=1_000)] | None = omitted(
        description="Only these, as far as they are due; all that are due unless given"
    )


@router.post(
    "/v1/billing-runs",
    **operation(
        "Start a billing run",
        scope="subscriptions-write",
        license_key=_LICENSE,
        status=202,
        extension=True,
        description="Bills what is due, in the background: invoices and credit notes are booked, numbered and handed "
        "over. It is dated today, with older periods first, each line with the days that it is for. A customer who "
        "can't be billed is named in the results and keeps nobody else from being billed; the next run tries again. "
        "Nothing is billed twice, however many runs there are. A run for every due subscription starts by itself once "
        "a day, and one for a subscription right after it is made or changed.",
        response="Billing run started",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_NOT_FOUND],
    ),
)
async def start_billing_run(context: Ctx, body: CreateBillingRunRequest) -> BillingRunResponse:
    check_unique("subscriptionIds", body.subscription_ids or ())
    run = await actions.start(
        context,
        as_of=body.as_of or context.today,
        trigger=BillingRunTrigger.REQUESTED,
        is_dry_run=body.dry_run,
        confirms_catch_up=body.confirm_catch_up,
        subscription_ids=body.subscription_ids,
    )
    return render(run)


@router.get(
    "/v1/billing-runs",
    **operation(
        "List billing runs",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="Lists the company's billing runs, the newest first.",
        response="Paginated list of billing runs",
        errors=[LICENSE_REQUIRED],
    ),
)
async def list_billing_runs(
    context: Ctx,
    page: PageNumber = 1,
    limit: Limit = 25,
    trigger: Annotated[BillingRunTrigger | None, Query(description="Only runs that were started by this")] = None,
) -> ListBillingRunsResponse:
    asked = PageRequest(page, limit)
    found = await store.list_page(context, asked, trigger)
    return ListBillingRunsResponse.of([render(run) for run in found.rows], found.total, asked)


@router.get(
    "/v1/billing-runs/{billingRunId}",
    **operation(
        "Get a billing run",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="Returns a billing run and how far it is, with a page of what came of each subscription. In a dry "
        "run results have amounts and no ids of documents.",
        response="Billing run details",
        errors=[LICENSE_REQUIRED, BILLING_RUN_NOT_FOUND],
    ),
)
async def get_billing_run(
    context: Ctx,
    run_id: RunPath,
    page: PageNumber = 1,
    limit: Limit = 25,
    outcome: Annotated[BillingOutcome | None, Query(description="Only results with this outcome")] = None,
) -> BillingRunDetailResponse:
    run = await store.get(context, run_id)
    asked = PageRequest(page, limit)
    return render_detail(run, await store.list_results(context, run.id, asked, outcome), asked)
