"""The address that payment providers call, `/payment-events/{provider}/{secret}` (ours): no operation of the API.

Its secret says whose company it is, the signature that the provider sent it. The body is read as it came.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.body_limits import SMALL_BODY
from ledgerbee.http.caller import Caller
from ledgerbee.http.edge import Edge
from ledgerbee.http.head_checks import check_length
from ledgerbee.http.state import state_of
from ledgerbee.payments.callbacks import actions
from ledgerbee.payments.provider_settings import actions as provider_settings
from ledgerbee.payments.provider_settings import store as settings_store
from ledgerbee.payments.provider_settings.model import PROVIDER_CALLBACK, ProviderSettings
from ledgerbee.payments.providers.model import Access, Provider, ProviderError, ProviderName
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.platform.db import CredentialRevokedError

router = APIRouter(include_in_schema=False)

_TAKEN: Final = 204


@router.post("/payment-events/{provider}/{secret}")
async def take_payment_event(
    request: Request, provider: Annotated[str, Path()], secret: Annotated[str, Path()]
) -> Response:
    """Take an event: 204, also for one that came before. 404 for no such address, 400 for what isn't the provider's."""
    edge: Edge = request.app.state.edge
    adapters: Mapping[ProviderName, Provider] = request.app.state.providers
    try:
        check_length(request, SMALL_BODY)
        caller = await _caller(edge, request, secret)
        if caller is None or provider not in set(ProviderName):
            return Response(status_code=404)
        state_of(request.scope).max_body = SMALL_BODY
        body = await request.body()
        settings, access = await caller.read(lambda context: _settings(context, ProviderName(provider)))
        event = adapters[settings.name].read_event(access, request.headers, body)

        async def work(context: Context) -> Response:
            await actions.take(context, settings, event, body)
            return Response(status_code=_TAKEN)

        return await caller.command(work)
    except CredentialRevokedError:
        return Response(status_code=404)
    except ProviderError:  # not signed, or nothing that can be read
        return Response(status_code=400)
    except LedgerBeeError as fault:
        return Response(status_code=fault.status)


async def _settings(context: Context, name: ProviderName) -> tuple[ProviderSettings, Access]:
    settings = await settings_store.get(context, name)
    return settings, provider_settings.access_of(context, settings)


async def _caller(edge: Edge, request: Request, secret: str) -> Caller | None:
    """The company whose address it is; None for what is none, or no longer."""
    cell = edge.cells.of_secret(secret)
    if cell is None:
        return None
    async with cell.database.connection() as connection:
        principal = await credentials.resolve(connection, secret_hash(secret), cell.mark)
    if principal is None or principal.kind != PROVIDER_CALLBACK:
        return None
    return Caller(
        principal=principal,
        database=cell.database,
        batcher=cell.batcher,
        blobs=cell.blobs,
        request_id=state_of(request.scope).request_id,
        now=edge.clock(),
        clock=edge.clock,
        address=request.client.host if request.client else None,
    )
