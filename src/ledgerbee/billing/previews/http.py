"""The route of previews (an extension)."""

from fastapi import Response

from ledgerbee.billing.previews import actions
from ledgerbee.billing.previews.wire import PreviewSubscriptionRequest, SubscriptionPreviewResponse, render
from ledgerbee.billing.subscriptions.http import SCHEDULING_ERRORS, SubscriptionPath
from ledgerbee.core.errors import within
from ledgerbee.http.operation import CallerDep, operation, resource_router
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents.printing import Trials, with_trials
from ledgerbee.sales.invoices.model import INVOICE_SELLER_INCOMPLETE

router = resource_router("Subscriptions")


@router.post(
    "/v1/subscriptions/{subscriptionId}/preview",
    response_model=SubscriptionPreviewResponse,
    **operation(
        "Preview what a subscription is billed",
        scope="subscriptions-read",
        license_key="Subscription",
        extension=True,
        description="Returns what a change would make at once, and the next regular invoice after it. It is what the "
        "change and the next run make, computed by the same code, and nothing of it is kept: no number is used up, "
        "nothing is told or mailed. Usage counts as far as it was reported. What keeps the subscription from being "
        "changed or billed is answered as it would be then.",
        response="What would be made",
        errors=[*SCHEDULING_ERRORS, INVOICE_SELLER_INCOMPLETE],
        opens_transaction=False,
    ),
)
async def preview_subscription(
    caller: CallerDep, subscription_id: SubscriptionPath, body: PreviewSubscriptionRequest
) -> Response:
    async def run(trials: Trials) -> Response:
        async def work(context: Context) -> Response:
            with within("change"):
                change = None if body.change is None else body.change.given(context.today)
            made = await actions.preview(context, subscription_id, change, trials)
            return Response(render(made).model_dump_json(), media_type="application/json")

        return await caller.command(work)

    return await with_trials(caller.principal.company_id, run)
