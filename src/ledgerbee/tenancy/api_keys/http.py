"""Routes of API keys (contract 2.2; making and revoking them is ours)."""

from typing import Annotated

from fastapi import Path, Response

from ledgerbee.core.fields import fields_of
from ledgerbee.http.arrays import array
from ledgerbee.http.operation import CallerDep, Ctx, operation, resource_router
from ledgerbee.http.wire import IdOf
from ledgerbee.platform.credentials.model import API_KEY_SCOPE_NOT_ASSIGNABLE, INSUFFICIENT_PERMISSIONS
from ledgerbee.tenancy.api_keys import actions
from ledgerbee.tenancy.api_keys.wire import (
    CreateApiKeyRequest,
    CreatedApiKeyResponse,
    CurrentApiKeyResponse,
    RateLimitTierResponse,
)
from ledgerbee.tenancy.grants import actions as grants
from ledgerbee.tenancy.grants import store
from ledgerbee.tenancy.grants.model import API_KEY_NOT_FOUND, ApiKey, ApiKeyId
from ledgerbee.tenancy.grants.wire import ApiKeyResponse, render_key

router = resource_router("API Key")

KeyPath = Annotated[IdOf[ApiKeyId], Path(alias="apiKeyId", description="API key ID")]


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
    return await array(await store.list_all(context, ApiKey), render_key)


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
    key, secret = await actions.create(
        context,
        name=body.name,
        scopes=body.scopes,
        ip_allowlist=body.ip_allowlist,
        expires_at=body.expires_at,
        maker=caller.principal,
    )
    return CreatedApiKeyResponse(**fields_of(key), key=secret)


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
async def revoke_api_key(context: Ctx, caller: CallerDep, api_key_id: KeyPath) -> None:
    await grants.revoke(context, ApiKey, api_key_id, caller.principal)
