"""Routes of saved cards (contract 2.20). Those that change subscriptions too stand in `billing.cards`."""

from typing import Annotated

from fastapi import Path, Query, Response

from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.parties.customers import store as customers
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND, CustomerId
from ledgerbee.payments.payment_methods import actions, store
from ledgerbee.payments.payment_methods.model import (
    PAYMENT_METHOD_INVALID_STATE,
    PAYMENT_METHOD_NOT_FOUND,
    CardLinkStatus,
    PaymentMethodId,
)
from ledgerbee.payments.payment_methods.wire import (
    CardLinkResponse,
    CreateCardLinkRequest,
    CreateTestCardRequest,
    PaymentMethodQuery,
    PaymentMethodResponse,
    render,
)
from ledgerbee.payments.provider_settings.model import (
    PAYMENT_PROVIDER_DISABLED,
    PAYMENT_PROVIDER_NOT_FOUND,
    PAYMENT_PROVIDER_REFUSED,
    PAYMENT_PROVIDER_UNCLEAR,
    told,
)
from ledgerbee.payments.providers.dependency import ProvidersDep
from ledgerbee.payments.providers.model import ProviderRefusedError
from ledgerbee.platform.context import Context

router = resource_router("Payment Methods")

CustomerPath = Annotated[IdOf[CustomerId], Path(alias="customerId", description="Customer ID")]
MethodPath = Annotated[IdOf[PaymentMethodId], Path(alias="paymentMethodId", description="Payment method ID")]
PATH = "/v1/customers/{customerId}/payment-methods"


@router.get(
    PATH,
    **operation(
        "List saved payment methods for a customer",
        scope="payment-methods-read",
        description="Every saved card of the customer, oldest first, those that have expired or were cancelled too.",
        response="The payment methods",
        errors=[CUSTOMER_NOT_FOUND],
    ),
)
async def list_payment_methods(
    context: Ctx, customer_id: CustomerPath, query: Annotated[PaymentMethodQuery, Query()]
) -> list[PaymentMethodResponse]:
    await customers.get(context, customer_id)
    return [render(one) for one in await store.list_of_customer(context, customer_id, query.provider)]


@router.put(
    f"{PATH}/{{paymentMethodId}}/default",
    **operation(
        "Set a saved payment method as the customer default",
        scope="payment-methods-write",
        description="The customer pays with it where no card is named. The first card that is saved becomes the "
        "default by itself, and so does one that is saved while there is none.",
        response="The payment method",
        errors=[CUSTOMER_NOT_FOUND, PAYMENT_METHOD_NOT_FOUND, PAYMENT_METHOD_INVALID_STATE],
    ),
)
async def set_default_payment_method(
    context: Ctx, customer_id: CustomerPath, payment_method_id: MethodPath
) -> PaymentMethodResponse:
    return render(await actions.set_default(context, customer_id, payment_method_id))


@router.post(
    f"{PATH}/{{paymentMethodId}}/assign",
    **operation(
        "Assign an unassigned payment method to a customer",
        scope="payment-methods-write",
        description="Takes a card again that was unassigned, from this customer or another one. It becomes the default "
        "where the customer has none; subscriptions don't get it by itself.",
        response="The payment method",
        errors=[CUSTOMER_NOT_FOUND, PAYMENT_METHOD_NOT_FOUND, PAYMENT_METHOD_INVALID_STATE],
        extension=True,
    ),
)
async def assign_payment_method(
    context: Ctx, customer_id: CustomerPath, payment_method_id: MethodPath
) -> PaymentMethodResponse:
    return render(await actions.assign(context, customer_id, payment_method_id))


@router.post(
    f"{PATH}/card-link",
    response_model=CardLinkResponse,
    **operation(
        "Generate a link for the customer to save a card for future payments",
        scope="payment-methods-write",
        status=201,
        description="Asks the provider for a page on which the customer saves a card, which is a payment method of the "
        "customer from then on. The link works for 24 hours and saves one card. Nothing is charged.",
        response="The link",
        errors=[
            CUSTOMER_NOT_FOUND,
            PAYMENT_PROVIDER_NOT_FOUND,
            PAYMENT_PROVIDER_DISABLED,
            PAYMENT_PROVIDER_REFUSED,
            PAYMENT_PROVIDER_UNCLEAR,
        ],
        opens_transaction=False,
    ),
)
async def create_card_link(
    caller: CallerDep, providers: ProvidersDep, customer_id: CustomerPath, body: CreateCardLinkRequest
) -> Response:
    kept = await caller.answered_before()
    if kept is not None:
        return kept
    link, asked, access = await caller.write_step(lambda context: actions.ask_for_link(context, customer_id, body))
    try:
        with told(link.provider):
            page = await providers[link.provider].start_agreement(access, asked)
    except Exception as fault:
        if isinstance(fault.__cause__, ProviderRefusedError):
            await caller.write_step(lambda context: actions.end_link(context, link.id, CardLinkStatus.FAILED))
        raise

    async def work(context: Context) -> Response:
        opened = await actions.open_link(context, link.id, page)
        answer = CardLinkResponse(url=page.url, expires_at=opened.expires_at)
        return Response(answer.model_dump_json(by_alias=True), 201, media_type="application/json")

    return await caller.final_command(work)


@router.post(
    "/v1/payment-providers/sandbox/cards",
    **operation(
        "Save a test card of the sandbox provider",
        scope="payment-methods-write",
        status=201,
        description="Saves a test card for a customer without the page on which customers do it, for tests of your "
        "own. No money moves. What becomes of each number stands on the page of saved cards in the guides.",
        response="The payment method",
        errors=[CUSTOMER_NOT_FOUND, PAYMENT_PROVIDER_NOT_FOUND, PAYMENT_PROVIDER_DISABLED],
        extension=True,
    ),
)
async def save_test_card(context: Ctx, body: CreateTestCardRequest) -> PaymentMethodResponse:
    return render(await actions.save_test_card(context, body.customer_id, body.number))
