"""OAuth clients over HTTP (ours: the original makes them in its app)."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from ledgerbee.http.arrays import array
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import Id, IdText, Line, Moment, RequestModel, ResponseModel, changes_of, omitted
from ledgerbee.platform.credentials.model import API_KEY_SCOPE_NOT_ASSIGNABLE, INSUFFICIENT_PERMISSIONS
from ledgerbee.platform.credentials.rules import check_allowlist, check_scopes
from ledgerbee.tenancy.grant_wire import IpAllowlist, IpAllowlistText, Scopes
from ledgerbee.tenancy.oauth import actions, store
from ledgerbee.tenancy.oauth.model import OAUTH_CLIENT_INVALID_STATE, OAUTH_CLIENT_NOT_FOUND, OAuthClient

router = resource_router("OAuth")

ClientId = Annotated[Id, Path(alias="oauthClientId", description="OAuth client ID: its client_id")]


class OAuthClientResponse(ResponseModel):
    """A client without its secret."""

    client_id: IdText = Field(description="What it calls itself at the token endpoint")
    name: str = Field(examples=["Nightly sync"])
    scopes: list[str]
    ip_allowlist: IpAllowlistText
    created_at: Moment
    revoked_at: Moment | None
    expires_at: Moment | None = Field(description="With the credential that made it; null: never")
    created_by: str | None = Field(
        description="Who made it, as in audit events; null: made before that was noted",
        examples=["api_key:018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60"],
    )


class CreatedOAuthClientResponse(OAuthClientResponse):
    """A new client, with its secret."""

    client_secret: str | None = Field(
        description="The secret itself. Shown this once: a replayed answer has null here."
    )


class CreateOAuthClientRequest(RequestModel):
    """What a new client needs."""

    name: Line = Field(description="What the client is for", examples=["Nightly sync"])
    scopes: Scopes
    ip_allowlist: IpAllowlist = Field(default_factory=list)

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Scopes and addresses that there are."""
        yield lambda: check_scopes(self.scopes)
        yield lambda: check_allowlist(self.ip_allowlist)


class UpdateOAuthClientRequest(RequestModel):
    """The fields to change; the others stay as they are."""

    keeps_what_is_left_out = True

    name: Line = omitted(description="What the client is for")
    scopes: Scopes = omitted()
    ip_allowlist: IpAllowlist = omitted()

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Scopes and addresses that there are."""
        yield lambda: check_scopes(self.scopes)
        yield lambda: check_allowlist(self.ip_allowlist)


@form_of(OAuthClient)
def _render(client: OAuthClient) -> OAuthClientResponse:
    return OAuthClientResponse(**_fields(client))


def _fields(client: OAuthClient) -> dict[str, object]:
    fields = asdict(client)
    fields["client_id"] = fields.pop("id")
    return fields


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
    """List OAuth clients."""
    return await array(await store.list_all(context), _render)


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
    """Create an OAuth client."""
    client, secret = await actions.create(
        context,
        name=body.name,
        scopes=body.scopes,
        ip_allowlist=body.ip_allowlist,
        maker=caller.principal,
    )
    return CreatedOAuthClientResponse(**_fields(client), client_secret=secret)


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
    context: Ctx, caller: CallerDep, oauth_client_id: ClientId, body: UpdateOAuthClientRequest
) -> OAuthClientResponse:
    """Update an OAuth client."""
    changes = changes_of(body)
    return _render(await actions.update(context, oauth_client_id, changes, changer=caller.principal))


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
async def revoke_oauth_client(context: Ctx, caller: CallerDep, oauth_client_id: ClientId) -> None:
    """Revoke an OAuth client."""
    await actions.revoke(context, oauth_client_id, caller.principal)
