"""Routes of subscriptions (contract 2.15, 3.1)."""

from typing import Annotated, Final

from fastapi import Path, Query, Response

from ledgerbee.billing.plans.model import SUBSCRIPTION_PLAN_NOT_FOUND
from ledgerbee.billing.subscriptions import rules
from ledgerbee.billing.subscriptions.actions import assign, cancel, schedule, update
from ledgerbee.billing.subscriptions.model import (
    SUBSCRIPTION_CADENCE_UNAVAILABLE,
    SUBSCRIPTION_CADENCE_UNCHANGED,
    SUBSCRIPTION_CHANGE_ALREADY_EXISTS,
    SUBSCRIPTION_CHANGE_INVALID_STATE,
    SUBSCRIPTION_CHANGE_NOT_FOUND,
    SUBSCRIPTION_CURRENCY_MISMATCH,
    SUBSCRIPTION_INVALID_STATE,
    SUBSCRIPTION_NOT_FOUND,
    SUBSCRIPTION_PLAN_INVALID_STATE,
    SUBSCRIPTION_PRICE_NOT_IN_PLAN,
    ChangeType,
    SubscriptionId,
)
from ledgerbee.billing.subscriptions.requests import (
    CancelSubscriptionRequest,
    CreateScheduledChangeRequest,
    CreateSubscriptionRequest,
    HoldSubscriptionRequest,
    ScheduledChangesQuery,
    SubscriptionPartsQuery,
    SubscriptionQuery,
    SubscriptionReadQuery,
    UpdateSubscriptionRequest,
    changes_of,
)
from ledgerbee.billing.subscriptions.store import reads
from ledgerbee.billing.subscriptions.wire import (
    BillingScheduleResponse,
    CancelledSubscriptionResponse,
    ListSubscriptionChargesResponse,
    ListSubscriptionsResponse,
    ListSubscriptionVersionsResponse,
    ScheduledChangeResponse,
    SegmentResponse,
    SubscriptionResponse,
    render,
    render_cancelled,
    render_change,
    render_charge,
    render_schedule,
    render_segment,
    render_version,
)
from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE
from ledgerbee.http.arrays import array
from ledgerbee.http.caller import Caller
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import Id, IdOf
from ledgerbee.ledger.entries.model import FISCAL_YEAR_MISSING, PERIOD_LOCKED
from ledgerbee.parties.contacts.model import CONTACT_NOT_FOUND
from ledgerbee.parties.departments.model import DEPARTMENT_NOT_FOUND
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.payments.charges.model import PAYMENT_METHOD_INACTIVE
from ledgerbee.payments.customer_payments.model import PAYMENT_ACCOUNT_INVALID, PAYMENT_ACCOUNT_MISSING
from ledgerbee.payments.payment_methods.model import PAYMENT_METHOD_NOT_FOUND
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import LICENSE_REQUIRED
from ledgerbee.sales.documents.model import SALES_DOCUMENT_CUSTOMER_INACTIVE, SALES_DOCUMENT_DEPARTMENT_INACTIVE
from ledgerbee.sales.documents.printing import Trials, with_trials

router = resource_router("Subscriptions")

SubscriptionPath = Annotated[IdOf[SubscriptionId], Path(alias="subscriptionId", description="Subscription ID")]
ChangePath = Annotated[Id, Path(alias="changeId", description="Scheduled change ID")]

_LICENSE: Final = "Subscription"
_PEOPLE: Final = (DEPARTMENT_NOT_FOUND, SALES_DOCUMENT_DEPARTMENT_INACTIVE, CONTACT_NOT_FOUND)
#: What a change that bills at once can be refused for by the books.
_BOOKING: Final = (SALES_DOCUMENT_CUSTOMER_INACTIVE, PERIOD_LOCKED, FISCAL_YEAR_MISSING)
_CHANGING: Final = (LICENSE_REQUIRED, SUBSCRIPTION_NOT_FOUND, SUBSCRIPTION_INVALID_STATE)
#: What a change, at once or to come, can be refused for.
SCHEDULING_ERRORS: Final = (
    *_CHANGING,
    SUBSCRIPTION_PLAN_NOT_FOUND,
    SUBSCRIPTION_PLAN_INVALID_STATE,
    SUBSCRIPTION_CURRENCY_MISMATCH,
    SUBSCRIPTION_CADENCE_UNAVAILABLE,
    SUBSCRIPTION_CADENCE_UNCHANGED,
    SUBSCRIPTION_PRICE_NOT_IN_PLAN,
    SUBSCRIPTION_CHANGE_ALREADY_EXISTS,
    *_BOOKING,
)
_AT_ONCE: Final = (
    "Carried out at once, it is billed as `prorationBehavior` says; a run of its own bills what else is due."
)


@router.get(
    "/v1/subscriptions",
    response_model_exclude_unset=True,
    **operation(
        "List customer subscriptions",
        scope="subscriptions-read",
        license_key=_LICENSE,
        description="Lists the company's subscriptions as they stand today, the newest first.\n\n"
        "Pass `?search=` to prefix-match on the customer's name or the subscription's.",
        response="Paginated list of subscriptions",
        errors=[LICENSE_REQUIRED],
    ),
)
async def list_subscriptions(context: Ctx, query: Annotated[SubscriptionQuery, Query()]) -> ListSubscriptionsResponse:
    wanted = reads.ListFilter(
        today=context.today,
        statuses=query.wanted_statuses,
        customer_id=query.customer_id,
        plan_id=query.plan_id,
        partner_reference_id=query.partner_reference_id,
    )
    found = await reads.list_page(context, query.asked, wanted)
    data = [render(one, context.today, context.today) for one in found.rows]
    return ListSubscriptionsResponse.of(data, found.total, query.asked)


@router.post(
    "/v1/subscriptions",
    response_model_exclude_unset=True,
    **operation(
        "Assign a subscription to a customer",
        scope="subscriptions-write",
        license_key=_LICENSE,
        status=201,
        description="Gives a customer a plan from `startDate` on. It makes no invoice in its own request: a run of its "
        "own, right after it, bills what is due, of a start in the past one invoice for each period that has begun or, "
        "with `arrears`, ended.\n\n"
        "With `paymentBehavior` `pay_first` it is `awaiting_payment` from its first day until the invoice of that day, "
        "which is charged at once, is paid; it ends where that fails.",
        response="The subscription",
        errors=[
            LICENSE_REQUIRED,
            CUSTOMER_NOT_FOUND,
            SALES_DOCUMENT_CUSTOMER_INACTIVE,
            *_PEOPLE,
            PAYMENT_METHOD_NOT_FOUND,
            PAYMENT_METHOD_INACTIVE,
            PAYMENT_ACCOUNT_MISSING,
            PAYMENT_ACCOUNT_INVALID,
            ACCOUNT_NOT_BOOKABLE,
            SUBSCRIPTION_PLAN_NOT_FOUND,
            SUBSCRIPTION_PLAN_INVALID_STATE,
            SUBSCRIPTION_PRICE_NOT_IN_PLAN,
        ],
    ),
)
async def create_subscription(context: Ctx, body: CreateSubscriptionRequest) -> SubscriptionResponse:
    read = await assign.assign(context, body.given(context.today))
    return render(read, context.today, context.today)


@router.post(
    "/v1/subscriptions/cancel",
    response_model=CancelledSubscriptionResponse,
    response_model_exclude_unset=True,
    **operation(
        "Cancel a customer subscription",
        scope="subscriptions-write",
        license_key=_LICENSE,
        description="Ends a subscription by a strategy. A cancellation of a day to come is a scheduled change, and "
        "replaces one that was scheduled before; `clear_schedule` takes it back, and with nothing scheduled changes "
        "nothing. A subscription that hasn't started is cancelled at once by any day up to its first.\n\n"
        "What was not billed yet of the days up to the end, usage and `arrears`, is billed on the day of the end, "
        "whatever `refundBehavior` says.",
        response="The subscription, and what was given back",
        errors=[*_CHANGING, *_BOOKING],
        opens_transaction=False,
    ),
)
async def cancel_subscription(caller: CallerDep, body: CancelSubscriptionRequest) -> Response:
    async def run(trials: Trials) -> Response:
        async def work(context: Context) -> Response:
            cancelled = await cancel.cancel(context, body.id, body.command(context.today), trials, "id")
            answer = render_cancelled(cancelled.read, context.today, cancelled.refund)
            return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")

        return await caller.command(work)

    return await with_trials(caller.principal.company_id, run)


@router.get(
    "/v1/subscriptions/{subscriptionId}",
    response_model_exclude_unset=True,
    **operation(
        "Get a customer subscription by its stable id",
        scope="subscriptions-read",
        license_key=_LICENSE,
        description="Returns a subscription by the id that survives every change: its version that holds today, or on "
        "the day `asOf`. Of a day to come it shows what is agreed for it by now, and today's status.",
        response="The subscription",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_NOT_FOUND],
    ),
)
async def get_subscription(
    context: Ctx, subscription_id: SubscriptionPath, query: Annotated[SubscriptionReadQuery, Query()]
) -> SubscriptionResponse:
    day = query.as_of or context.today
    return render(await reads.get(context, subscription_id, day), day, context.today)


@router.patch(
    "/v1/subscriptions/{subscriptionId}",
    response_model_exclude_unset=True,
    **operation(
        "Update a customer subscription",
        scope="subscriptions-write",
        license_key=_LICENSE,
        description="Changes what a subscription is called and how its invoices are addressed and paid, from today on. "
        "What it costs is changed by scheduled changes.",
        response="The subscription as it is now",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_NOT_FOUND, PAYMENT_METHOD_NOT_FOUND, *_PEOPLE],
    ),
)
async def update_subscription(
    context: Ctx, subscription_id: SubscriptionPath, body: UpdateSubscriptionRequest
) -> SubscriptionResponse:
    read = await update.update(context, subscription_id, changes_of(body))
    return render(read, context.today, context.today)


@router.get(
    "/v1/subscriptions/{subscriptionId}/scheduled-changes",
    response_model=list[ScheduledChangeResponse],
    **operation(
        "List a subscription's pending scheduled changes",
        scope="subscriptions-read",
        license_key=_LICENSE,
        description="The changes that wait for their day, in the order of their days; with `statuses` also those that "
        "have had it.",
        response="The changes",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_NOT_FOUND],
    ),
)
async def list_scheduled_changes(
    context: Ctx, subscription_id: SubscriptionPath, query: Annotated[ScheduledChangesQuery, Query()]
) -> Response:
    return await array(await reads.list_changes(context, subscription_id, query.wanted), render_change)


@router.post(
    "/v1/subscriptions/{subscriptionId}/scheduled-changes",
    response_model=ScheduledChangeResponse,
    **operation(
        "Schedule a change of a subscription",
        scope="subscriptions-write",
        license_key=_LICENSE,
        extension=True,
        status=201,
        description="Queues a change for `effectiveDate`, the next boundary unless given; with today it is carried out "
        "at once. One change of each type can wait; a cancellation replaces the one that waits.\n\n" + _AT_ONCE,
        response="The change: `pending`, or `applied` at once",
        errors=SCHEDULING_ERRORS,
        opens_transaction=False,
    ),
)
async def schedule_subscription_change(
    caller: CallerDep, subscription_id: SubscriptionPath, body: CreateScheduledChangeRequest
) -> Response:
    async def run(trials: Trials) -> Response:
        async def work(context: Context) -> Response:
            scheduled = await schedule.schedule(context, subscription_id, body.given(context.today), trials)
            answer = render_change(scheduled.change).model_dump_json()
            return Response(answer, status_code=201, media_type="application/json")

        return await caller.command(work)

    return await with_trials(caller.principal.company_id, run)


@router.delete(
    "/v1/subscriptions/{subscriptionId}/scheduled-changes/{changeId}",
    **operation(
        "Cancel a single pending scheduled change",
        scope="subscriptions-write",
        license_key=_LICENSE,
        status=204,
        description="Cancels a change that waits for its day. Of a cancellation it is the strategy `clear_schedule`.",
        response="Change cancelled",
        errors=[*_CHANGING, SUBSCRIPTION_CHANGE_NOT_FOUND, SUBSCRIPTION_CHANGE_INVALID_STATE],
    ),
)
async def cancel_scheduled_change(context: Ctx, subscription_id: SubscriptionPath, change_id: ChangePath) -> None:
    await schedule.take_back(context, subscription_id, change_id)


_HOLDING: Final = (*_CHANGING, SUBSCRIPTION_CHANGE_ALREADY_EXISTS, *_BOOKING)


@router.post(
    "/v1/subscriptions/{subscriptionId}/pause",
    response_model=SubscriptionResponse,
    response_model_exclude_unset=True,
    **operation(
        "Pause a subscription",
        scope="subscriptions-write",
        license_key=_LICENSE,
        extension=True,
        description="Nothing is billed from today on, or from `effectiveDate`. What was billed in advance for the days "
        "from then on is credited as `prorationBehavior` says. Anchor, trial and end stay.",
        response="The subscription",
        errors=_HOLDING,
        opens_transaction=False,
    ),
)
async def pause_subscription(
    caller: CallerDep, subscription_id: SubscriptionPath, body: HoldSubscriptionRequest
) -> Response:
    return await _hold(caller, subscription_id, ChangeType.PAUSE, body)


@router.post(
    "/v1/subscriptions/{subscriptionId}/resume",
    response_model=SubscriptionResponse,
    response_model_exclude_unset=True,
    **operation(
        "Resume a paused subscription",
        scope="subscriptions-write",
        license_key=_LICENSE,
        extension=True,
        description="It is billed again from today on, or from `effectiveDate`: what is left of the period, less what "
        "was billed for those days and not credited, as `prorationBehavior` says.",
        response="The subscription",
        errors=_HOLDING,
        opens_transaction=False,
    ),
)
async def resume_subscription(
    caller: CallerDep, subscription_id: SubscriptionPath, body: HoldSubscriptionRequest
) -> Response:
    return await _hold(caller, subscription_id, ChangeType.RESUME, body)


async def _hold(
    caller: Caller, subscription_id: SubscriptionId, kind: ChangeType, body: HoldSubscriptionRequest
) -> Response:
    async def run(trials: Trials) -> Response:
        async def work(context: Context) -> Response:
            scheduled = await schedule.schedule(context, subscription_id, body.given(kind, context.today), trials)
            answer = render(scheduled.read, context.today, context.today)
            return Response(answer.model_dump_json(exclude_unset=True), media_type="application/json")

        return await caller.command(work)

    return await with_trials(caller.principal.company_id, run)


@router.get(
    "/v1/subscriptions/{subscriptionId}/versions",
    **operation(
        "List a subscription's versions",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="Every version, the newest first: what was agreed, by what, and from which day on. A version "
        "never changes.",
        response="Paginated list of versions",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_NOT_FOUND],
    ),
)
async def list_subscription_versions(
    context: Ctx, subscription_id: SubscriptionPath, query: Annotated[SubscriptionPartsQuery, Query()]
) -> ListSubscriptionVersionsResponse:
    found = await reads.list_versions(context, subscription_id, query.asked)
    products = await reads.product_ids(context, found.rows)
    data = [render_version(one, products) for one in found.rows]
    return ListSubscriptionVersionsResponse.of(data, found.total, query.asked)


@router.get(
    "/v1/subscriptions/{subscriptionId}/timeline",
    response_model=list[SegmentResponse],
    **operation(
        "Get a subscription's timeline",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="What is agreed for which days, in order and without gaps: what follows from all versions. Changes "
        "that wait are not in it.",
        response="The segments",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_NOT_FOUND],
    ),
)
async def get_subscription_timeline(context: Ctx, subscription_id: SubscriptionPath) -> Response:
    subscription, versions = await reads.get_whole(context, subscription_id)
    products = await reads.product_ids(context, versions)
    segments = rules.timeline(subscription, versions)
    return await array(segments, lambda segment: render_segment(segment, products))


@router.get(
    "/v1/subscriptions/{subscriptionId}/charges",
    **operation(
        "List a subscription's charges",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="What was charged and credited, the newest first: price by price, period by period, with the "
        "invoices and credit notes that have it. One that `isWaiting` stands on the next regular invoice.",
        response="Paginated list of charges",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_NOT_FOUND],
    ),
)
async def list_subscription_charges(
    context: Ctx, subscription_id: SubscriptionPath, query: Annotated[SubscriptionPartsQuery, Query()]
) -> ListSubscriptionChargesResponse:
    currency, found = await reads.list_charges(context, subscription_id, query.asked)
    data = [render_charge(one, currency) for one in found.rows]
    return ListSubscriptionChargesResponse.of(data, found.total, query.asked)


@router.get(
    "/v1/subscriptions/{subscriptionId}/billing-schedules",
    response_model=list[BillingScheduleResponse],
    **operation(
        "List a subscription's billing schedules",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="Where the billing of each price of the subscription stands, the next one first.",
        response="The schedules",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_NOT_FOUND],
    ),
)
async def list_subscription_billing_schedules(context: Ctx, subscription_id: SubscriptionPath) -> Response:
    return await array(await reads.list_schedules(context, subscription_id), render_schedule)
