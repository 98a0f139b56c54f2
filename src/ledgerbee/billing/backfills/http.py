"""Routes of backfills (extensions)."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Final

from fastapi import Path, Query, Response

from ledgerbee.billing.backfills import actions, preview, store
from ledgerbee.billing.backfills.actions import MovedUsage
from ledgerbee.billing.backfills.model import (
    USAGE_BACKFILL_INVALID_STATE,
    USAGE_BACKFILL_NOT_FOUND,
    USAGE_BACKFILL_OVERLAPS,
    USAGE_BACKFILL_TOO_LARGE,
    BackfillId,
)
from ledgerbee.billing.backfills.wire import (
    AddBackfillEventsResponse,
    CreateUsageBackfillRequest,
    ListUsageBackfillsResponse,
    UsageBackfillPreviewResponse,
    UsageBackfillQuery,
    UsageBackfillResponse,
    render,
    render_added,
    render_customer,
)
from ledgerbee.billing.meters.http import LICENSES, metered
from ledgerbee.billing.usage.actions.events import UNATTRIBUTED
from ledgerbee.billing.usage.wire import ReportBatchBody
from ledgerbee.catalog.prices.model import METER_INVALID_STATE, METER_NOT_FOUND
from ledgerbee.core.paging import PageRequest
from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.http.caller import Caller
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.reused_keys import IDEMPOTENCY_KEY_REUSED
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform.context import Context

router = resource_router("Usage")

BackfillPath = Annotated[IdOf[BackfillId], Path(alias="usageBackfillId", description="Backfill ID")]
_STATES: Final = (USAGE_BACKFILL_NOT_FOUND, USAGE_BACKFILL_INVALID_STATE)

#: An operation on backfills.
extension = partial(metered, extension=True)


@router.post(
    "/v1/usage/backfills",
    **extension(
        "Open a backfill",
        status=201,
        description="Opens a backfill: usage of a meter, of one customer or of all, is told anew for some days. Report "
        "all events of these days into it, look at its preview, and close it: then its events count, and what had come "
        "in for these days before it was opened does no more. Of the same usage one backfill is open at a time; it has "
        "up to 200,000 events, and is put in the place of up to 200,000.",
        response="Backfill opened",
        errors=[METER_NOT_FOUND, METER_INVALID_STATE, CUSTOMER_NOT_FOUND, USAGE_BACKFILL_OVERLAPS],
    ),
)
async def create_usage_backfill(context: Ctx, body: CreateUsageBackfillRequest) -> UsageBackfillResponse:
    return render(await actions.open_backfill(context, body.backfill(context.today)))


@router.get(
    "/v1/usage/backfills",
    **extension("List backfills", description="A page of the company's backfills of usage, the newest first."),
)
async def list_usage_backfills(
    context: Ctx, query: Annotated[UsageBackfillQuery, Query()]
) -> ListUsageBackfillsResponse:
    found = await store.list_page(context, query.wanted, query.meter_id, query.status)
    return ListUsageBackfillsResponse.of([render(one) for one in found.rows], found.total, query.wanted)


@router.get(
    "/v1/usage/backfills/{usageBackfillId}",
    **extension("Get a backfill", errors=[USAGE_BACKFILL_NOT_FOUND]),
)
async def get_usage_backfill(context: Ctx, backfill_id: BackfillPath) -> UsageBackfillResponse:
    return render(await store.get(context, backfill_id))


@router.post(
    "/v1/usage/backfills/{usageBackfillId}/events",
    **extension(
        "Report usage into a backfill",
        status=202,
        description="1 to 1,000 events of the backfill's meter, customer and days, as `POST /v1/meters/report-batch` "
        "takes them, together or not at all. They count when the backfill is closed. An event that had come in before "
        "under its key, and is reported the same again, is kept: it stays, as it is by now, though it was amended. So "
        "is one that was withdrawn, or is of a backfill that is not in force: it counts when this one is closed.",
        response="Usage taken in",
        errors=[
            *_STATES,
            USAGE_BACKFILL_TOO_LARGE,
            METER_NOT_FOUND,
            METER_INVALID_STATE,
            CUSTOMER_NOT_FOUND,
            IDEMPOTENCY_KEY_REUSED,
        ],
        max_body=LARGE_BODY,
    ),
)
async def add_usage_backfill_events(
    context: Ctx, backfill_id: BackfillPath, body: ReportBatchBody
) -> AddBackfillEventsResponse:
    return render_added(await actions.add_events(context, backfill_id, body.reported(context.company_now)))


@router.get(
    "/v1/usage/backfills/{usageBackfillId}/preview",
    response_model=UsageBackfillPreviewResponse,
    **operation(
        "Preview a backfill",
        scope="subscriptions-read",
        license_key=LICENSES,
        extension=True,
        description="What closing an open backfill would make: a page of the customers whose usage it would change, "
        "each with what they used before and after it, and with the billed periods of which the next bill would have a "
        "difference. It is computed by closing it and billing it, and nothing of it is kept.",
        response="What closing it would make",
        errors=[*_STATES, USAGE_BACKFILL_TOO_LARGE],
        opens_transaction=False,
    ),
)
async def preview_usage_backfill(
    caller: CallerDep, backfill_id: BackfillPath, page: PageNumber = 1, limit: Limit = 25
) -> Response:
    asked = PageRequest(page, limit)

    async def work(context: Context) -> Response:
        found = await preview.preview(context, backfill_id, asked)
        shown = UsageBackfillPreviewResponse.of([render_customer(one) for one in found.rows], found.total, asked)
        return Response(shown.model_dump_json(), media_type="application/json")

    return await caller.command(work)


@router.post(
    "/v1/usage/backfills/{usageBackfillId}/close",
    response_model=UsageBackfillResponse,
    **extension(
        "Close a backfill",
        description="Puts the backfill in force: its events count from now on, and what had come in for its days "
        "before it was opened does no more, but for what it has itself, and usage of subscriptions that ended more "
        "than 30 days ago. Superseded events stay in the lists. Where days are billed, the next bill has the "
        "difference.",
        response="Backfill closed",
        errors=[*_STATES, USAGE_BACKFILL_TOO_LARGE],
        opens_transaction=False,
    ),
)
async def close_usage_backfill(caller: CallerDep, backfill_id: BackfillPath) -> Response:
    return await _moved(caller, lambda context: actions.close(context, backfill_id))


@router.post(
    "/v1/usage/backfills/{usageBackfillId}/revert",
    response_model=UsageBackfillResponse,
    **extension(
        "Revert a backfill",
        description="Puts a closed backfill out of force: what it superseded counts again, and its events don't. Where "
        "days are billed, the next bill has the difference. Later backfills of the same usage are reverted first. A "
        "reverted backfill stays reverted; its events can be reported into another one.",
        response="Backfill reverted",
        errors=[*_STATES, USAGE_BACKFILL_OVERLAPS],
        opens_transaction=False,
    ),
)
async def revert_usage_backfill(caller: CallerDep, backfill_id: BackfillPath) -> Response:
    return await _moved(caller, lambda context: actions.revert(context, backfill_id))


@router.post(
    "/v1/usage/backfills/{usageBackfillId}/cancel",
    **extension(
        "Cancel a backfill",
        description="Ends an open backfill: its events never count. Their keys stay taken; they can be reported into "
        "another backfill.",
        response="Backfill cancelled",
        errors=_STATES,
    ),
)
async def cancel_usage_backfill(context: Ctx, backfill_id: BackfillPath) -> UsageBackfillResponse:
    return render(await actions.cancel(context, backfill_id))


async def _moved(caller: Caller, move: Callable[[Context], Awaitable[MovedUsage]]) -> Response:
    """Move usage, and count what of it belongs to nobody once that is committed."""
    unattributed = 0

    async def work(context: Context) -> Response:
        nonlocal unattributed
        done = await move(context)
        unattributed = done.unattributed
        return Response(render(done.backfill).model_dump_json(), media_type="application/json")

    response = await caller.command(work)
    UNATTRIBUTED.inc(unattributed)
    return response
