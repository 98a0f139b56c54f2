"""The two endpoints that speak OAuth itself: access tokens and their revocation (contract 1.2, 1.6).

They answer in the shapes of RFC 6749 and RFC 7009, not in the API's envelope, and are the only ones with a rate
limit: per client address, and for tokens per client as well. A call with a wrong secret counts for its address alone.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from math import ceil
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from ledgerbee.core.addresses import network_of
from ledgerbee.http.body_limits import FORM_BODY
from ledgerbee.http.operation import RouteOptions, operation, resource_router
from ledgerbee.http.state import state_of
from ledgerbee.tenancy.oauth import rules, store
from ledgerbee.tenancy.oauth.actions import TokenService
from ledgerbee.tenancy.oauth.model import RATE_LIMITED, OAuthRefusal, RateLimitWindow, invalid_request, rate_limited

router = resource_router("OAuth")

Answer = Callable[[TokenService, dict[str, str], str | None], Awaitable[Response]]

_CLIENT_FIELDS: Final = {
    "client_id": {
        "type": "string",
        "format": "uuid",
        "description": "The client's id, unless it is shown by HTTP Basic",
    },
    "client_secret": {"type": "string", "description": "The client's secret, unless it is shown by HTTP Basic"},
}


class AccessTokenResponse(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str = Field(description="Send it as `Authorization: Bearer`")
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="Seconds", examples=[3600])
    scope: str = Field(description="The client's scopes, separated by spaces", examples=["customers-read"])


class OAuthErrorResponse(BaseModel):
    """RFC 6749, section 5.2."""

    error: str = Field(examples=["invalid_client"])
    error_description: str = Field(examples=["Client authentication failed"])


def _endpoint(title: str, description: str, fields: dict[str, Any], required: list[str]) -> RouteOptions:
    options = operation(title, scope=None, public=True, description=description, max_body=FORM_BODY)
    form = {"type": "object", "properties": {**fields, **_CLIENT_FIELDS}, "required": required}
    options["openapi_extra"]["requestBody"] = {"required": True, "content": {rules.FORM: {"schema": form}}}
    headers = {
        "X-Rate-Limit-Remaining": {"description": "Calls left for this address", "schema": {"type": "integer"}},
        "X-Rate-Limit-Reset": {"description": "Unix seconds", "schema": {"type": "integer"}},
    }
    options["responses"][200]["headers"] = headers
    for status, text in {
        400: "`invalid_request`; for tokens also `unsupported_grant_type`",
        401: "`invalid_client`: unknown client, wrong secret, or an address that isn't on the client's list",
        429: "More than 10 calls in 60 seconds",
    }.items():
        answer = {"model": OAuthErrorResponse, "description": text, "headers": headers}
        if status == 429:
            example = OAuthErrorResponse(error="invalid_client", error_description=RATE_LIMITED)
            answer["content"] = {"application/json": {"example": example.model_dump()}}
        options["responses"][status] = answer
    return options


@router.post(
    "/v1/auth/token",
    response_model=AccessTokenResponse,
    **_endpoint(
        "Get an access token",
        "OAuth 2.0 client credentials: a token for an hour, with the scopes that the client is set up with (a `scope` "
        "in the request is ignored). The client shows its id and secret in the form or by HTTP Basic.\n\nAt most 10 "
        "calls in 60 seconds from an address (of IPv6 from a /64), and 10 for a client that shows its right secret.",
        {"grant_type": {"type": "string", "enum": ["client_credentials"], "description": "The only one there is"}},
        ["grant_type"],
    ),
)
async def create_access_token(request: Request) -> Response:
    async def answer(service: TokenService, form: dict[str, str], authorization: str | None) -> Response:
        rules.check_grant_type(form)
        # Only who knows the secret uses up the client's own calls: a stranger, who has used up those of his address by
        # then, doesn't keep the client out. It still comes before the exchange: a refused call costs it nothing else.
        shown = rules.client_credentials(form, authorization)
        client = await service.authenticate(shown)
        async with service.cell_of(shown).database.connection() as connection:
            window = await store.take_hit(connection, f"token/client/{client.subject_id}", service.now)
        if not window.allowed:
            raise rate_limited(window)
        token = await service.issue(shown)
        body = AccessTokenResponse(
            access_token=token.secret,
            token_type="Bearer",  # noqa: S106 RFC 6749's name of the type
            expires_in=int(token.life.total_seconds()),
            scope=" ".join(token.scopes),
        )
        return JSONResponse(body.model_dump())

    return await _serve(request, "token", answer)


@router.post(
    "/v1/oauth/revoke",
    response_class=Response,
    **_endpoint(
        "Revoke an access token",
        "RFC 7009: the token stops working at once. A token that is unknown, or of another client, is answered with "
        "200 as well. The client authenticates as for a token.\n\nAt most 10 calls in 60 seconds from an address.",
        {
            "token": {"type": "string", "description": "The access token to revoke"},
            "token_type_hint": {"type": "string", "description": "Taken, and not needed"},
        },
        ["token"],
    ),
)
async def revoke_access_token(request: Request) -> Response:
    async def answer(service: TokenService, form: dict[str, str], authorization: str | None) -> Response:
        client = rules.client_credentials(form, authorization)
        await service.revoke(client, rules.token_to_revoke(form))
        return Response()

    return await _serve(request, "revoke", answer)


async def _serve(request: Request, endpoint: str, answer: Answer) -> Response:
    """Count the call, have it answered, and say what is left on every answer."""
    state = state_of(request.scope)
    cells, now = state.cells, state.now
    assert cells is not None, "the edge sets it for public operations"
    assert now is not None, "the edge sets it for public operations"
    host = request.client.host if request.client else None
    service = TokenService(cells, state.request_id, now, host)
    async with cells.own.database.connection() as connection:  # an address is of no cell
        window = await store.take_hit(connection, f"{endpoint}/address/{network_of(host)}", service.now)
    try:
        if not window.allowed:
            raise rate_limited(window)
        if request.query_params:
            raise invalid_request("The parameters stand in the body")  # RFC 6749, section 2.3.1: never in the address
        form = rules.read_form(request.headers.get("content-type", ""), await request.body())
        response = await answer(service, form, request.headers.get("authorization"))
    except OAuthRefusal as refusal:
        response = _refusal(refusal, service.now)
    _set_headers(response, window)
    return response


def _refusal(refusal: OAuthRefusal, now: datetime) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="ledgerbee"'} if refusal.status == 401 else {}
    if refusal.free_at:
        headers["Retry-After"] = str(max(1, ceil((refusal.free_at - now).total_seconds())))
    body = OAuthErrorResponse(error=refusal.error, error_description=refusal.description)
    return JSONResponse(body.model_dump(), refusal.status, headers)


def _set_headers(response: Response, window: RateLimitWindow) -> None:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    response.headers["X-Rate-Limit-Remaining"] = str(window.remaining)
    response.headers["X-Rate-Limit-Reset"] = str(ceil(window.resets_at.timestamp()))
