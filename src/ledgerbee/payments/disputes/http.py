"""Routes of disputes (extension)."""

from typing import Annotated

from fastapi import Path, Query

from ledgerbee.core.paging import PageRequest
from ledgerbee.http.list_query import Limit, PageNumber
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.payments.disputes import actions, store
from ledgerbee.payments.disputes.model import DISPUTE_NOT_FOUND, DisputeId
from ledgerbee.payments.disputes.wire import DisputeResponse, ListDisputesResponse
from ledgerbee.payments.providers.model import DisputeStatus

router = resource_router("Payments")

DisputePath = Annotated[IdOf[DisputeId], Path(alias="disputeId", description="Dispute ID")]


@router.get(
    "/v1/disputes",
    **operation(
        "List disputes",
        scope="payments-read",
        description="Charges that card owners dispute, the newest first. Answer a dispute at the provider; how it "
        "stands is asked there, and told as `payment.disputed` when it opens and when it ends.",
        response="Paginated list of disputes",
        extension=True,
    ),
)
async def list_disputes(
    context: Ctx,
    page: PageNumber = 1,
    limit: Limit = 25,
    status: Annotated[DisputeStatus | None, Query(description="Only disputes that stand so")] = None,
) -> ListDisputesResponse:
    asked = PageRequest(page, limit)
    found = await store.list_page(context, asked, status)
    return ListDisputesResponse.of(await actions.rendered(context, found.rows), found.total, asked)


@router.get(
    "/v1/disputes/{disputeId}",
    **operation(
        "Get a dispute by ID",
        scope="payments-read",
        description="Returns a single dispute as it stands.",
        response="The dispute",
        errors=[DISPUTE_NOT_FOUND],
        extension=True,
    ),
)
async def get_dispute(context: Ctx, dispute_id: DisputePath) -> DisputeResponse:
    (found,) = await actions.rendered(context, [await store.get(context, dispute_id)])
    return found
