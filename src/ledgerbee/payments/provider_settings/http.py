"""Routes of payment providers (extension)."""

from typing import Annotated

from fastapi import Path

from ledgerbee.chart.accounts.model import ACCOUNT_NOT_BOOKABLE, ACCOUNT_NOT_FOUND
from ledgerbee.http.operation import Ctx, operation, resource_router
from ledgerbee.http.wire import PathName
from ledgerbee.payments.provider_settings import actions, store
from ledgerbee.payments.provider_settings.model import (
    PAYMENT_PROVIDER_ACCOUNT_INVALID,
    PAYMENT_PROVIDER_NOT_FOUND,
    ProviderSettings,
)
from ledgerbee.payments.provider_settings.wire import (
    PaymentProviderResponse,
    UpdatePaymentProviderRequest,
    render,
    render_unused,
    wanted_of,
)
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.platform.context import Context

router = resource_router("Payment Providers")

ProviderPath = Annotated[PathName, Path(alias="provider", description="`stripe`, `quickpay` or `sandbox`")]


@router.get(
    "/v1/payment-providers",
    **operation(
        "List payment providers",
        scope="payment-methods-read",
        description="Every provider there is, by name; those that the company has not set up are not "
        "enabled, and have no `createdAt`.",
        response="The providers",
        extension=True,
    ),
)
async def list_payment_providers(context: Ctx) -> list[PaymentProviderResponse]:
    known = {settings.name: settings for settings in await store.list_all(context)}
    return [_shown(context, name, known.get(name)) for name in sorted(ProviderName)]


@router.get(
    "/v1/payment-providers/{provider}",
    **operation(
        "Get a payment provider",
        scope="payment-methods-read",
        description="A provider, and the address that it is to call.",
        response="The provider",
        errors=[PAYMENT_PROVIDER_NOT_FOUND],
        extension=True,
    ),
)
async def get_payment_provider(context: Ctx, provider: ProviderPath) -> PaymentProviderResponse:
    name = name_of(provider)
    return _shown(context, name, await store.find(context, name))


@router.put(
    "/v1/payment-providers/{provider}",
    **operation(
        "Set up a payment provider",
        scope="payment-methods-write",
        description="Sets up the company's account at a provider, or changes it. Keys are stored encrypted and never "
        "answered; those that are left out stay. One that is enabled needs all of its keys. The first that is enabled "
        "is the default. A disabled one saves and charges no cards.",
        response="The provider as it is now",
        errors=[
            PAYMENT_PROVIDER_NOT_FOUND,
            ACCOUNT_NOT_FOUND,
            ACCOUNT_NOT_BOOKABLE,
            PAYMENT_PROVIDER_ACCOUNT_INVALID,
        ],
        secret_fields=("callbackUrl",),
        extension=True,
    ),
)
async def put_payment_provider(
    context: Ctx, provider: ProviderPath, body: UpdatePaymentProviderRequest
) -> PaymentProviderResponse:
    name = name_of(provider)
    return _shown(context, name, await actions.put(context, name, wanted_of(body)))


def name_of(text: str) -> ProviderName:
    """Raises `PAYMENT_PROVIDER_NOT_FOUND` for what is the name of none."""
    try:
        return ProviderName(text)
    except ValueError:
        raise PAYMENT_PROVIDER_NOT_FOUND.error() from None


def _shown(context: Context, name: ProviderName, settings: ProviderSettings | None) -> PaymentProviderResponse:
    if settings is None:
        return render_unused(name)
    key_names = actions.key_names_of(context, settings)
    return render(settings, key_names, actions.find_callback_url(context, settings))
