"""API keys over HTTP (contract 2.2; making and revoking them is ours)."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

from fastapi import Path, Response
from pydantic import Field

from ledgerbee.http.arrays import array
from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.event_forms import form_of
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import Id, IdText, Line, Moment, RequestModel, ResponseModel, omitted
from ledgerbee.platform.credentials.model import API_KEY_SCOPE_NOT_ASSIGNABLE, INSUFFICIENT_PERMISSIONS
from ledgerbee.platform.credentials.rules import check_allowlist, check_scopes
from ledgerbee.tenancy.api_keys import actions, store
from ledgerbee.tenancy.api_keys.model import API_KEY_NOT_FOUND, ApiKey
from ledgerbee.tenancy.grant_wire import IpAllowlist, IpAllowlistText, RequestMoment, Scopes

router = resource_router("API Key")

KeyId = Annotated[Id, Path(alias="apiKeyId", description="API key ID")]


class RateLimitTierResponse(ResponseModel):
    """How many calls in how much time."""

    name: str = Field(examples=["default"])
    ttl: int = Field(description="Milliseconds that the limit is for; 0 = no time limit", examples=[0])
    limit: int = Field(description="Calls in that time; -1 = unlimited", examples=[-1])


class CurrentApiKeyResponse(ResponseModel):
    """The key that the request was made with."""

    rate_limit_tiers: list[RateLimitTierResponse]
    expires_at: Moment | None = Field(description="When the key stops working; null: never")
    ip_allowlist: IpAllowlistText
    scopes: list[str] = Field(examples=[["customers-read", "invoices-write"]])


class ApiKeyResponse(ResponseModel):
    """A key without its secret."""

    id: IdText
    name: str = Field(examples=["Web shop"])
    prefix: str = Field(description="How the key begins, to recognise it", examples=["lb_x7Kq2"])
    scopes: list[str]
    ip_allowlist: IpAllowlistText
    expires_at: Moment | None
    created_at: Moment
    revoked_at: Moment | None
    created_by: str | None = Field(
        description="Who made it, as in audit events; null: made before that was noted",
        examples=["api_key:018f4e6a-7b1c-7d2e-9f3a-1b2c3d4e5f60"],
    )


class CreatedApiKeyResponse(ApiKeyResponse):
    """A new key, with its secret."""

    key: str | None = Field(description="The key itself. Shown this once: a replayed answer has null here.")


class CreateApiKeyRequest(RequestModel):
    """What a new key needs."""

    name: Line = Field(description="What the key is for", examples=["Web shop"])
    scopes: Scopes
    ip_allowlist: IpAllowlist = Field(default_factory=list)
    expires_at: RequestMoment = omitted(
        description="When the key stops working, not after the key that makes it; left out: with that one, or never"
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Scopes and addresses that there are, and an expiry to come."""
        yield lambda: check_scopes(self.scopes)
        yield lambda: check_allowlist(self.ip_allowlist)
        yield lambda: actions.check_expiry(self.expires_at, facts.now)


@form_of(ApiKey)
def _render(key: ApiKey) -> ApiKeyResponse:
    return ApiKeyResponse.model_validate(key)


@router.get(
    "/v1/api-key",
    **operation(
        "Get current API key",
        scope=None,
        api_key_only=True,
        description="The key that the request is made with: limits, expiry, addresses and scopes. Takes API keys only.",
        errors=[INSUFFICIENT_PERMISSIONS],
    ),
)
async def get_current_api_key(context: Ctx, caller: CallerDep) -> CurrentApiKeyResponse:  # noqa: ARG001 the context's transaction checks that the key still works
    """Get current API key."""
    principal = caller.principal
    return CurrentApiKeyResponse(
        rate_limit_tiers=[RateLimitTierResponse(name="default", ttl=0, limit=-1)],
        expires_at=principal.expires_at,
        ip_allowlist=list(principal.ip_allowlist),
        scopes=sorted(principal.scopes),
    )


@router.get(
    "/v1/api-keys",
    response_model=list[ApiKeyResponse],
    **operation(
        "List API keys",
        scope="api-keys-read",
        extension=True,
        description="All keys of the company, newest first, the revoked ones too.",
    ),
)
async def list_api_keys(context: Ctx) -> Response:
    """List API keys."""
    return await array(await store.list_all(context), _render)


@router.post(
    "/v1/api-keys",
    **operation(
        "Create an API key",
        scope="api-keys-write",
        status=201,
        extension=True,
        description="Makes a key. Its secret is in this answer and can't be had again.\n\nA key never has more than "
        "the credential that makes it: its scopes, addresses and expiry lie within that one's (those left out are that "
        "one's), and it ends when that one is revoked. What an access token makes ends with the token's client.",
        response="API key created",
        errors=[API_KEY_SCOPE_NOT_ASSIGNABLE, INSUFFICIENT_PERMISSIONS],
        secret_fields=("key",),
    ),
)
async def create_api_key(context: Ctx, caller: CallerDep, body: CreateApiKeyRequest) -> CreatedApiKeyResponse:
    """Create an API key."""
    key, secret = await actions.create(
        context,
        name=body.name,
        scopes=body.scopes,
        ip_allowlist=body.ip_allowlist,
        expires_at=body.expires_at,
        maker=caller.principal,
    )
    return CreatedApiKeyResponse(**asdict(key), key=secret)


@router.delete(
    "/v1/api-keys/{apiKeyId}",
    **operation(
        "Revoke an API key",
        scope="api-keys-write",
        status=204,
        extension=True,
        description="The key stops working at once, and so do the keys and clients that it made. It stays in the list, "
        "as revoked. Whoever revokes it has to carry all its scopes.",
        response="API key revoked",
        errors=[API_KEY_NOT_FOUND, INSUFFICIENT_PERMISSIONS],
    ),
)
async def revoke_api_key(context: Ctx, caller: CallerDep, api_key_id: KeyId) -> None:
    """Revoke an API key."""
    await actions.revoke(context, api_key_id, caller.principal)
