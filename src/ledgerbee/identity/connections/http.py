"""Routes of connections (ours: the original has them in its app)."""

from typing import Annotated, Final

from fastapi import Path, Response

from ledgerbee.http.arrays import array
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.identity.connections import actions, store
from ledgerbee.identity.connections.model import (
    CONNECTION_INVALID_STATE,
    CONNECTION_NOT_FOUND,
    ConnectionId,
    EndReason,
)
from ledgerbee.identity.connections.wire import ConnectionResponse, UpdateConnectionRequest, render
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS

router = resource_router("Connections")

#: What owners have, and nobody else.
_OWNERS: Final = "users-write"

ConnectionPath = Annotated[IdOf[ConnectionId], Path(alias="connectionId", description="Connection ID")]


@router.get(
    "/v1/connections",
    response_model=list[ConnectionResponse],
    **operation(
        "List connections",
        scope="connections-read",
        extension=True,
        description="The applications that members let work in the company, newest first, the revoked ones too. What "
        "each did stands in the audit trail, by its id as `credentialId`.",
    ),
)
async def list_connections(context: Ctx) -> Response:
    return await array(await store.list_all(context), render)


@router.get(
    "/v1/connections/{connectionId}",
    **operation(
        "Get a connection",
        scope="connections-read",
        extension=True,
        description="One connection, also a revoked one.",
        errors=[CONNECTION_NOT_FOUND],
    ),
)
async def get_connection(context: Ctx, connection_id: ConnectionPath) -> ConnectionResponse:
    return render(await store.get(context, connection_id))


@router.patch(
    "/v1/connections/{connectionId}",
    **operation(
        "Update a connection",
        scope="connections-write",
        extension=True,
        description="Says what the application may book in a day without anybody looking. Takes the scope "
        "`users-write` too, which owners have.",
        response="Connection updated",
        errors=[CONNECTION_NOT_FOUND, CONNECTION_INVALID_STATE, INSUFFICIENT_PERMISSIONS],
    ),
)
async def update_connection(
    context: Ctx, caller: CallerDep, connection_id: ConnectionPath, body: UpdateConnectionRequest
) -> ConnectionResponse:
    if _OWNERS not in caller.principal.scopes:
        raise INSUFFICIENT_PERMISSIONS.error(requiredScopes=[_OWNERS])
    return render(await actions.set_daily_limit(context, connection_id, body.daily_limit))


@router.delete(
    "/v1/connections/{connectionId}",
    **operation(
        "Revoke a connection",
        scope="connections-write",
        status=204,
        extension=True,
        description="The application's tokens stop working at once. The connection stays in the list, as revoked.",
        response="Connection revoked",
        errors=[CONNECTION_NOT_FOUND],
    ),
)
async def revoke_connection(context: Ctx, connection_id: ConnectionPath) -> None:
    await actions.revoke(context, connection_id, EndReason.USER)
