"""Routes of saved cards that change subscriptions too (contract 2.20)."""

from fastapi import Response

from ledgerbee.billing.cards import actions
from ledgerbee.billing.cards.wire import ApplyPaymentMethodRequest, ApplyPaymentMethodResponse
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.parties.party.model import CUSTOMER_NOT_FOUND
from ledgerbee.payments.payment_methods import actions as methods
from ledgerbee.payments.payment_methods.http import PATH, CustomerPath, MethodPath
from ledgerbee.payments.payment_methods.model import (
    PAYMENT_METHOD_INVALID_STATE,
    PAYMENT_METHOD_NOT_FOUND,
    PaymentMethodStatus,
)
from ledgerbee.payments.provider_settings.model import PAYMENT_PROVIDER_REFUSED, PAYMENT_PROVIDER_UNCLEAR, told
from ledgerbee.payments.providers.dependency import ProvidersDep
from ledgerbee.platform.context import Context

router = resource_router("Payment Methods")


@router.post(
    f"{PATH}/{{paymentMethodId}}/apply-to-subscriptions",
    **operation(
        "Apply a payment method to all active subscriptions for a customer",
        scope="payment-methods-write",
        description="Sets the card on every subscription of the customer that is `active`, `trial` or `scheduled`, in "
        "place of another one. Those of a customer that a parent pays for (`parent_pays`) are passed over.",
        response="How many subscriptions it was set on",
        errors=[CUSTOMER_NOT_FOUND, PAYMENT_METHOD_NOT_FOUND, PAYMENT_METHOD_INVALID_STATE],
    ),
)
async def apply_payment_method(
    context: Ctx, customer_id: CustomerPath, payment_method_id: MethodPath, body: ApplyPaymentMethodRequest
) -> ApplyPaymentMethodResponse:
    applied = await actions.apply(
        context, customer_id, payment_method_id, enables_automatic_billing=body.enable_automatic_billing
    )
    return ApplyPaymentMethodResponse(
        payment_method_id=payment_method_id,
        updated_subscriptions=applied.updated,
        skipped_subscriptions=applied.skipped,
    )


@router.delete(
    f"{PATH}/{{paymentMethodId}}/agreement",
    **operation(
        "Cancel a saved card on the payment provider",
        scope="payment-methods-write",
        status=204,
        description="Ends the card at the provider, for good: it is `CANCELLED` and can't be charged any more. "
        "Subscriptions that name it lose it, and no other card becomes the default by it. Where the provider gives no "
        "clear answer nothing is changed; the same may be asked again.",
        response="The card is cancelled",
        errors=[CUSTOMER_NOT_FOUND, PAYMENT_METHOD_NOT_FOUND, PAYMENT_PROVIDER_REFUSED, PAYMENT_PROVIDER_UNCLEAR],
        opens_transaction=False,
    ),
)
async def cancel_payment_method(
    caller: CallerDep, providers: ProvidersDep, customer_id: CustomerPath, payment_method_id: MethodPath
) -> Response:
    method, access = await caller.read(lambda context: methods.access_to(context, customer_id, payment_method_id))
    if method.status is PaymentMethodStatus.CANCELLED:
        return Response(status_code=204)
    with told(method.provider):
        await providers[method.provider].cancel_agreement(access, method.agreement_id)

    async def work(context: Context) -> Response:
        await actions.mark_cancelled(context, customer_id, payment_method_id)
        return Response(status_code=204)

    return await caller.final_command(work)


@router.delete(
    f"{PATH}/{{paymentMethodId}}",
    **operation(
        "Unassign a payment method from a customer",
        scope="payment-methods-write",
        status=204,
        description="The card is the customer's no longer, but lives on at the provider: it can be assigned again. "
        "Subscriptions that name it lose it, and no other card becomes the default by it.",
        response="The card is unassigned",
        errors=[CUSTOMER_NOT_FOUND, PAYMENT_METHOD_NOT_FOUND],
    ),
)
async def unassign_payment_method(context: Ctx, customer_id: CustomerPath, payment_method_id: MethodPath) -> None:
    await actions.unassign(context, customer_id, payment_method_id)
