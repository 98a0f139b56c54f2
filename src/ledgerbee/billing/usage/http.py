"""Routes of usage (contract 2.10; all but reporting one event is ours)."""

from functools import partial
from typing import Annotated, Final

from fastapi import Header, Path, Query, Response

from ledgerbee.billing.meters import store as meters
from ledgerbee.billing.meters.http import MeterPath, metered
from ledgerbee.billing.usage import actions
from ledgerbee.billing.usage.actions.events import UNATTRIBUTED
from ledgerbee.billing.usage.model import (
    KEY_PATTERN,
    USAGE_EVENT_INVALID_STATE,
    USAGE_EVENT_NOT_FOUND,
    Recorded,
    UsageEventId,
)
from ledgerbee.billing.usage.store import reads
from ledgerbee.billing.usage.wire import (
    DuplicateUsageResponse,
    ListUnattributedUsageResponse,
    ListUsageEventsResponse,
    MeterUsageQuery,
    MeterUsageResponse,
    ReportBatchBody,
    ReportBody,
    ReportUsageBatchResponse,
    ReportUsageResponse,
    UpdateUsageEventRequest,
    UsageEventQuery,
    UsageEventResponse,
    changes_of,
    render,
    render_totals,
    render_unattributed,
)
from ledgerbee.catalog.prices.model import METER_INVALID_STATE, METER_NOT_FOUND
from ledgerbee.http.body_limits import LARGE_BODY
from ledgerbee.http.idempotency import HEADER
from ledgerbee.http.operation import CallerDep, Ctx, resource_router
from ledgerbee.http.reused_keys import IDEMPOTENCY_KEY_REUSED
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.platform.context import Context

router = resource_router("Meters")
usage_router = resource_router("Usage")

UsageEventPath = Annotated[IdOf[UsageEventId], Path(alias="usageEventId", description="Usage event ID")]
UsageKeyHeader = Annotated[
    str,
    Header(
        alias=HEADER,
        min_length=1,
        max_length=255,
        pattern=KEY_PATTERN,
        description="Identifies the event for ever, in batches too: what was reported under it is not counted twice",
        examples=["req-1042"],
    ),
]
_REPORT_ERRORS: Final = (METER_NOT_FOUND, CUSTOMER_NOT_FOUND, METER_INVALID_STATE, IDEMPOTENCY_KEY_REUSED)
_CHANGE_ERRORS: Final = (USAGE_EVENT_NOT_FOUND, USAGE_EVENT_INVALID_STATE)
_ATTRIBUTED: Final = (
    "It belongs to the subscription that `metadata.subscriptionId` names, else to the customer's first one that has a "
    "price of the meter on its day. Where none has, it is kept as unattributed, and belongs to one that is dated back."
)
_DUPLICATE: Final = b'{"status":"duplicate"}'

#: An operation on usage that is ours.
extension = partial(metered, extension=True)


@router.post(
    "/v1/meters/report",
    response_model=ReportUsageResponse,
    **metered(
        "Report usage",
        status=202,
        description="Reports usage of a customer to an active meter, by its id or name. The key in the header is "
        f"required: reporting the same again answers 200 `duplicate` and counts nothing. {_ATTRIBUTED}",
        response="Usage taken in",
        errors=_REPORT_ERRORS,
        opens_transaction=False,
        keeps_keys=True,
        repeated=DuplicateUsageResponse,
    ),
)
async def report_usage(caller: CallerDep, key: UsageKeyHeader, body: ReportBody) -> Response:
    recorded: list[Recorded] = []

    def answer(outcome: Recorded) -> Response:
        recorded[:] = [outcome]
        return _taken_in(outcome)

    response = await caller.command_batched(actions.report, body.reported(key, caller.company_now), answer)
    if any(one.is_unattributed for one in recorded):
        UNATTRIBUTED.inc()
    return response


def _taken_in(outcome: Recorded) -> Response:
    if outcome.is_duplicate:
        return Response(_DUPLICATE, 200, media_type="application/json")
    content = b'{"status":"queued","requestId":"%b"}' % str(outcome.event_id).encode()
    return Response(content, 202, media_type="application/json")


@router.post(
    "/v1/meters/report-batch",
    response_model=ReportUsageBatchResponse,
    **extension(
        "Report usage in a batch",
        status=202,
        description="1 to 1,000 events, each under a key of its own, taken in together or not at all; an error names "
        f"its event, as in `events.3.customerId`. What was reported before is not counted twice. {_ATTRIBUTED}",
        response="Usage taken in",
        errors=_REPORT_ERRORS,
        opens_transaction=False,
        max_body=LARGE_BODY,
    ),
)
async def report_usage_batch(caller: CallerDep, body: ReportBatchBody) -> Response:
    recorded: list[Recorded] = []
    reports = body.reported(caller.company_now)

    async def work(context: Context) -> Response:
        recorded[:] = await actions.report_batch(context, reports)
        repeated = sum(one.is_duplicate for one in recorded)
        content = b'{"accepted":%d,"duplicates":%d}' % (len(recorded) - repeated, repeated)
        return Response(content, 202, media_type="application/json")

    response = await caller.command(work)
    UNATTRIBUTED.inc(sum(one.is_unattributed for one in recorded))
    return response


@router.get(
    "/v1/meters/{meterId}/usage",
    **extension(
        "Get the usage of a meter",
        description="How many events the meter has, by what becomes of them, and what they come to. `accepted` = "
        "`attributed` + `unattributed`; `attributed` = `billed` + `open` + `shown` + `tooLate`.",
        errors=[METER_NOT_FOUND],
    ),
)
async def get_meter_usage(
    context: Ctx, meter_id: MeterPath, query: Annotated[MeterUsageQuery, Query()]
) -> MeterUsageResponse:
    meter = await meters.get(context, meter_id)
    return render_totals(await reads.totals(context, meter.id, query.narrowed_to()))


@usage_router.get(
    "/v1/usage/events",
    **extension(
        "List usage events",
        description="Events of the newest day first, withdrawn and superseded ones too; not those of "
        "backfills that are not in force.",
    ),
)
async def list_usage_events(context: Ctx, query: Annotated[UsageEventQuery, Query()]) -> ListUsageEventsResponse:
    found = await reads.list_page(context, query.wanted, query.asked)
    return ListUsageEventsResponse.of([render(event) for event in found.rows], found.total, query.asked)


@usage_router.get(
    "/v1/usage/unattributed",
    **extension(
        "List unattributed usage",
        description="Events that belong to no subscription, and are not billed: of the newest day first, each with the "
        "reason. They belong to a subscription that is dated back to their day.",
    ),
)
async def list_unattributed_usage(
    context: Ctx, query: Annotated[UsageEventQuery, Query()]
) -> ListUnattributedUsageResponse:
    found = await reads.list_unattributed(context, query.wanted, query.asked)
    data = [render_unattributed(event) for event in found.rows]
    return ListUnattributedUsageResponse.of(data, found.total, query.asked)


@usage_router.patch(
    "/v1/usage/events/{usageEventId}",
    **extension(
        "Amend a usage event",
        description="Changes what is sent. The event is attributed anew; where its day is billed, the next bill has "
        "the difference. What it was stays in the audit trail.",
        response="Usage event amended",
        errors=_CHANGE_ERRORS,
    ),
)
async def amend_usage_event(
    context: Ctx, usage_event_id: UsageEventPath, body: UpdateUsageEventRequest
) -> UsageEventResponse:
    return render(await actions.amend(context, usage_event_id, changes_of(body)))


@usage_router.post(
    "/v1/usage/events/{usageEventId}/withdraw",
    **extension(
        "Withdraw a usage event",
        description="The event counts no more; where its day is billed, the next bill has the difference. Its key "
        "stays taken. What it was stays in the audit trail.",
        response="Usage event withdrawn",
        errors=_CHANGE_ERRORS,
    ),
)
async def withdraw_usage_event(context: Ctx, usage_event_id: UsageEventPath) -> UsageEventResponse:
    return render(await actions.withdraw(context, usage_event_id))
