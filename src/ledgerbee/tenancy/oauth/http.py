"""Routes of OAuth clients (ours: the original makes them in its app)."""

from typing import Annotated

from fastapi import Path, Response

from ledgerbee.core.fields import fields_of
from ledgerbee.http.arrays import array
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.platform.credentials.model import API_KEY_SCOPE_NOT_ASSIGNABLE, INSUFFICIENT_PERMISSIONS
from ledgerbee.tenancy.grants import actions as grants
from ledgerbee.tenancy.grants import store
from ledgerbee.tenancy.grants.model import OAUTH_CLIENT_NOT_FOUND, OAuthClient, OAuthClientId
from ledgerbee.tenancy.grants.wire import OAuthClientResponse, render_client
from ledgerbee.tenancy.oauth import actions
from ledgerbee.tenancy.oauth.model import OAUTH_CLIENT_INVALID_STATE
from ledgerbee.tenancy.oauth.wire import (
    CreatedOAuthClientResponse,
    CreateOAuthClientRequest,
    UpdateOAuthClientRequest,
    changes_of,
)

router = resource_router("OAuth")

ClientPath = Annotated[IdOf[OAuthClientId], Path(alias="oauthClientId", description="OAuth client ID: its client_id")]


@router.get(
    "/v1/oauth-clients",
    response_model=list[OAuthClientResponse],
    **operation(
        "List OAuth clients",
        scope="oauth-clients-read",
        extension=True,
        description="All clients of the company, newest first, the revoked ones too.",
    ),
)
async def list_oauth_clients(context: Ctx) -> Response:
    return await array(await store.list_all(context, OAuthClient), render_client)


@router.post(
    "/v1/oauth-clients",
    **operation(
        "Create an OAuth client",
        scope="oauth-clients-write",
        status=201,
        extension=True,
        description="Makes a client for the client-credentials grant. Its secret is in this answer and can't be had "
        "again.\n\nA client never has more than the credential that makes it: its scopes and addresses lie within that "
        "one's (addresses left out are that one's), and it ends when that one expires or is revoked.",
        response="OAuth client created",
        errors=[API_KEY_SCOPE_NOT_ASSIGNABLE, INSUFFICIENT_PERMISSIONS],
        secret_fields=("clientSecret",),
    ),
)
async def create_oauth_client(
    context: Ctx, caller: CallerDep, body: CreateOAuthClientRequest
) -> CreatedOAuthClientResponse:
    client, secret = await actions.create(
        context,
        name=body.name,
        scopes=body.scopes,
        ip_allowlist=body.ip_allowlist,
        maker=caller.principal,
    )
    return CreatedOAuthClientResponse(**fields_of(client), client_secret=secret)


@router.patch(
    "/v1/oauth-clients/{oauthClientId}",
    **operation(
        "Update an OAuth client",
        scope="oauth-clients-write",
        extension=True,
        description="Changes the fields that are sent. Other scopes or addresses end all its access tokens at once, "
        "and the keys and clients that it made beyond them. Whoever changes it has to carry all its scopes, and its "
        "addresses then lie within those of the caller and of its maker.",
        response="OAuth client updated",
        errors=[
            OAUTH_CLIENT_NOT_FOUND,
            OAUTH_CLIENT_INVALID_STATE,
            API_KEY_SCOPE_NOT_ASSIGNABLE,
            INSUFFICIENT_PERMISSIONS,
        ],
    ),
)
async def update_oauth_client(
    context: Ctx, caller: CallerDep, oauth_client_id: ClientPath, body: UpdateOAuthClientRequest
) -> OAuthClientResponse:
    client = await actions.update(context, oauth_client_id, changes_of(body), changer=caller.principal)
    return render_client(client)


@router.delete(
    "/v1/oauth-clients/{oauthClientId}",
    **operation(
        "Revoke an OAuth client",
        scope="oauth-clients-write",
        status=204,
        extension=True,
        description="The client, its access tokens and the keys and clients that it made stop working at once. It "
        "stays in the list, as revoked. Whoever revokes it has to carry all its scopes.",
        response="OAuth client revoked",
        errors=[OAUTH_CLIENT_NOT_FOUND, INSUFFICIENT_PERMISSIONS],
    ),
)
async def revoke_oauth_client(context: Ctx, caller: CallerDep, oauth_client_id: ClientPath) -> None:
    await grants.revoke(context, OAuthClient, oauth_client_id, caller.principal)
