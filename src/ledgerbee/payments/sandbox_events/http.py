"""Routes of the sandbox provider's events (extension)."""

from typing import Annotated

from fastapi import Query

from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.payments.charges.model import CHARGE_NOT_FOUND
from ledgerbee.payments.payment_methods.model import PAYMENT_METHOD_NOT_FOUND
from ledgerbee.payments.provider_settings.model import PAYMENT_PROVIDER_DISABLED, PAYMENT_PROVIDER_NOT_FOUND
from ledgerbee.payments.providers.sandbox.model import SANDBOX_EVENT_INVALID_STATE
from ledgerbee.payments.refunds.model import REFUND_NOT_FOUND
from ledgerbee.payments.sandbox_events import actions, store
from ledgerbee.payments.sandbox_events.model import SANDBOX_EVENT_NOT_FOUND
from ledgerbee.payments.sandbox_events.wire import (
    ListSandboxEventsResponse,
    SandboxEventQuery,
    SandboxEventResponse,
    SendSandboxEventRequest,
    render,
    wanted_of,
)

router = resource_router("Payment Providers")
_PATH = "/v1/payment-providers/sandbox/events"


@router.get(
    _PATH,
    **operation(
        "List events of the sandbox provider",
        scope="payments-read",
        description="What the sandbox provider has told the company, newest first, and when each came in.",
        response="Paginated list of events",
        extension=True,
    ),
)
async def list_sandbox_events(context: Ctx, query: Annotated[SandboxEventQuery, Query()]) -> ListSandboxEventsResponse:
    found = await store.list_page(context, query.asked)
    return ListSandboxEventsResponse.of([render(one) for one in found.rows], found.total, query.asked)


@router.post(
    _PATH,
    **operation(
        "Send an event of the sandbox provider",
        scope="payments-write",
        status=202,
        description="Sends an event late or again, for tests of your own: one that was sent (`eventId`), or a new one "
        "of a `type`. It is signed and taken as those that the provider sends by itself, after the answer. An event "
        "is a hint: how a charge or a card stands is asked of the provider, so a `charge.failed` of a charge that "
        "succeeded changes nothing.\n\nDisputes do begin and end by it: `dispute.opened` disputes a charge that "
        "succeeded, and `dispute.lost` or `dispute.won` decides an open one today. It is won with the card whose "
        "disputes are won, and lost with all others.",
        response="The event that is sent",
        errors=[
            PAYMENT_PROVIDER_NOT_FOUND,
            PAYMENT_PROVIDER_DISABLED,
            SANDBOX_EVENT_NOT_FOUND,
            SANDBOX_EVENT_INVALID_STATE,
            CHARGE_NOT_FOUND,
            REFUND_NOT_FOUND,
            PAYMENT_METHOD_NOT_FOUND,
        ],
        extension=True,
    ),
)
async def send_sandbox_event(context: Ctx, body: SendSandboxEventRequest) -> SandboxEventResponse:
    return render(await actions.send(context, wanted_of(body)))
