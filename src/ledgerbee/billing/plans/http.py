"""Routes of subscription plans (contract 2.15)."""

from typing import Annotated

from fastapi import Path, Query

from ledgerbee.billing.plans import actions, store
from ledgerbee.billing.plans.model import (
    SUBSCRIPTION_PLAN_INTERVAL_MISMATCH,
    SUBSCRIPTION_PLAN_NOT_FOUND,
    SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING,
    SUBSCRIPTION_PLAN_PRICE_NOT_USABLE,
    SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS,
    PlanId,
)
from ledgerbee.billing.plans.wire import (
    CreateSubscriptionPlanRequest,
    ListSubscriptionPlansResponse,
    ListSubscriptionPlanVersionsResponse,
    SubscriptionPlanQuery,
    SubscriptionPlanResponse,
    SubscriptionPlanVersionQuery,
    UpdateSubscriptionPlanRequest,
    changes_of,
    render,
    render_version,
)
from ledgerbee.catalog.prices.model import PRODUCT_PRICE_NOT_FOUND
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.platform.credentials.model import LICENSE_REQUIRED

router = resource_router("Subscriptions")

PathId = Annotated[IdOf[PlanId], Path(alias="planId", description="Subscription plan ID")]

_LICENSE = "Subscription"
_TERMS_ERRORS = [
    PRODUCT_PRICE_NOT_FOUND,
    SUBSCRIPTION_PLAN_PRICE_NOT_USABLE,
    SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING,
    SUBSCRIPTION_PLAN_INTERVAL_MISMATCH,
    SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS,
]


@router.get(
    "/v1/subscription-plans",
    **operation(
        "List subscription plans",
        scope="subscriptions-read",
        license_key=_LICENSE,
        description="Lists the company's subscription plans, archived ones too, each as new subscriptions get it.\n\n"
        "Pass `?search=` to prefix-match on the name.",
        response="Paginated list of subscription plans",
        errors=[LICENSE_REQUIRED],
    ),
)
async def list_subscription_plans(
    context: Ctx, query: Annotated[SubscriptionPlanQuery, Query()]
) -> ListSubscriptionPlansResponse:
    found = await store.list_page(context, query.asked, status=query.status)
    return ListSubscriptionPlansResponse.of([render(plan) for plan in found.rows], found.total, query.asked)


@router.post(
    "/v1/subscription-plans",
    **operation(
        "Create a subscription plan",
        scope="subscriptions-write",
        license_key=_LICENSE,
        extension=True,
        status=201,
        description="Creates a plan of the prices that its subscriptions are billed by. It is active at once, and its "
        "prices are locked from now on.",
        response="Subscription plan created successfully",
        errors=[LICENSE_REQUIRED, *_TERMS_ERRORS],
    ),
)
async def create_subscription_plan(context: Ctx, body: CreateSubscriptionPlanRequest) -> SubscriptionPlanResponse:
    return render(await actions.create(context, body.plan()))


@router.get(
    "/v1/subscription-plans/{planId}",
    **operation(
        "Get a subscription plan",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="Returns a plan as new subscriptions get it.",
        response="Subscription plan details",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_PLAN_NOT_FOUND],
    ),
)
async def get_subscription_plan(context: Ctx, plan_id: PathId) -> SubscriptionPlanResponse:
    return render(await store.get(context, plan_id))


@router.patch(
    "/v1/subscription-plans/{planId}",
    **operation(
        "Update a subscription plan",
        scope="subscriptions-write",
        license_key=_LICENSE,
        extension=True,
        description="Changes the fields provided in the request. Where items, currency, cadence, alternatives or trial "
        "become others, the plan gets a new version, for subscriptions that begin from then on; those that there are "
        "keep the version they have.",
        response="Subscription plan updated successfully",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_PLAN_NOT_FOUND, *_TERMS_ERRORS],
    ),
)
async def update_subscription_plan(
    context: Ctx, plan_id: PathId, body: UpdateSubscriptionPlanRequest
) -> SubscriptionPlanResponse:
    return render(await actions.update(context, plan_id, changes_of(body)))


@router.get(
    "/v1/subscription-plans/{planId}/versions",
    **operation(
        "List versions of a subscription plan",
        scope="subscriptions-read",
        license_key=_LICENSE,
        extension=True,
        description="Lists the versions of a plan, the newest first. A version never changes.",
        response="Paginated list of versions",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_PLAN_NOT_FOUND],
    ),
)
async def list_subscription_plan_versions(
    context: Ctx, plan_id: PathId, query: Annotated[SubscriptionPlanVersionQuery, Query()]
) -> ListSubscriptionPlanVersionsResponse:
    found = await store.list_versions(context, plan_id, query.asked)
    data = [render_version(version) for version in found.rows]
    return ListSubscriptionPlanVersionsResponse.of(data, found.total, query.asked)


@router.post(
    "/v1/subscription-plans/{planId}/archive",
    **operation(
        "Archive a subscription plan",
        scope="subscriptions-write",
        license_key=_LICENSE,
        description="Takes a plan off new subscriptions; those that have it go on. An archived plan stays as it is.",
        response="The archived subscription plan",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_PLAN_NOT_FOUND],
    ),
)
async def archive_subscription_plan(context: Ctx, plan_id: PathId) -> SubscriptionPlanResponse:
    return render(await actions.archive(context, plan_id))


@router.post(
    "/v1/subscription-plans/{planId}/activate",
    **operation(
        "Activate a subscription plan",
        scope="subscriptions-write",
        license_key=_LICENSE,
        extension=True,
        description="Brings a plan back from the archive. An active plan stays as it is.",
        response="The active subscription plan",
        errors=[LICENSE_REQUIRED, SUBSCRIPTION_PLAN_NOT_FOUND],
    ),
)
async def activate_subscription_plan(context: Ctx, plan_id: PathId) -> SubscriptionPlanResponse:
    return render(await actions.activate(context, plan_id))
