"""How handlers get at the adapters, which `app.payment_providers` composes."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request

from ledgerbee.http.state import state_of
from ledgerbee.payments.providers.model import Providers
from ledgerbee.platform.db import Database

#: The adapters, for companies of a database.
ProvidersOf = Callable[[Database], Providers]


def _providers(request: Request) -> Providers:
    caller = state_of(request.scope).caller
    assert caller is not None, "a public operation has no caller"
    providers_of: ProvidersOf = request.app.state.providers_of
    return providers_of(caller.database)


#: The adapters, for operations that open their own transactions (`opens_transaction=False`).
ProvidersDep = Annotated[Providers, Depends(_providers)]
