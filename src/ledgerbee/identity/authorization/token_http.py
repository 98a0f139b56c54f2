"""The endpoints that speak OAuth itself: access tokens, their revocation, registration (contract 1.2, 1.6; RFC 7591).

They answer in the shapes of RFC 6749, RFC 7009 and RFC 7591, not in the API's envelope, and have a rate limit: per
client address, and for tokens per client as well. A call with a wrong secret counts for its address alone. The id of a
public client is many people's: what is counted by it and the address is what the address counts already.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Final

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from ledgerbee.core.addresses import network_of
from ledgerbee.core.cells import new_marked_id, new_secret
from ledgerbee.http.body_limits import FORM_BODY
from ledgerbee.http.operation import RouteOptions, operation, resource_router
from ledgerbee.http.state import state_of
from ledgerbee.identity.authorization import clients
from ledgerbee.identity.authorization import store as client_rows
from ledgerbee.identity.authorization.actions import GrantService
from ledgerbee.identity.authorization.model import REGISTRATION_HITS, REGISTRATION_HITS_IN_ALL, TokenPair
from ledgerbee.identity.authorization.rules.documents import (
    AUTH_METHODS,
    GRANT_TYPES,
    MetadataRefusedError,
    read_registration,
)
from ledgerbee.identity.authorization.rules.token_forms import claimed_client
from ledgerbee.identity.connections.model import TOKEN_LIFE
from ledgerbee.identity.pages.addresses import base_url_of
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.tenancy.oauth import rules, store
from ledgerbee.tenancy.oauth.actions import TokenService
from ledgerbee.tenancy.oauth.model import (
    CLIENT_SECRET_PREFIX,
    RATE_LIMIT_HITS,
    RATE_LIMITED,
    OAuthRefusal,
    RateLimitWindow,
    invalid_request,
    rate_limited,
)

router = resource_router("OAuth")

_CLIENT_FIELDS: Final = {
    "client_id": {"type": "string", "description": "The client's id, unless it is shown by HTTP Basic"},
    "client_secret": {
        "type": "string",
        "description": "The client's secret, unless it is shown by HTTP Basic; a public client has none",
    },
}


@dataclass(frozen=True, slots=True)
class _Call:
    """A call of an endpoint: its form, what it shows for its client, and the services for both kinds of client."""

    request: Request
    service: TokenService
    form: dict[str, str]
    authorization: str | None

    async def grants(self) -> GrantService:
        """For an application that members let in. Raises `invalid_client`."""
        service = self.service
        shown = clients.ShownClient(*claimed_client(self.form, self.authorization))
        client = await clients.prove(shown, service.cells)
        if client.is_confidential:
            await self.count(client.client_id)
        base_url = base_url_of(self.request)
        return GrantService(service.cells, service.request_id, service.now, service.host, client, base_url)

    async def count(self, client_id: str) -> None:
        """Count a call of a client that has shown its secret, before anything is exchanged. Raises `rate_limited`."""
        cell = self.service.cells.of_client(client_id) or self.service.cells.own
        async with cell.database.connection() as connection:
            window = await store.take_hit(connection, f"token/client/{client_id}", self.service.now)
        if not window.allowed:
            raise rate_limited(window)


Answer = Callable[[_Call], Awaitable[Response]]


class AccessTokenResponse(BaseModel):
    """RFC 6749, section 5.1."""

    access_token: str = Field(description="Send it as `Authorization: Bearer`")
    token_type: str = Field(examples=["Bearer"])
    expires_in: int = Field(description="Seconds", examples=[3600])
    scope: str = Field(description="The token's scopes, separated by spaces", examples=["customers-read"])
    refresh_token: str | None = Field(
        None, description="Of an application that a member lets in: what the next token is had for, once"
    )


class OAuthErrorResponse(BaseModel):
    """RFC 6749, section 5.2."""

    error: str = Field(examples=["invalid_client"])
    error_description: str = Field(examples=["Client authentication failed"])


class RegistrationResponse(BaseModel):
    """RFC 7591, section 3.2.1: what was registered, which may be less than what was asked for."""

    client_id: str = Field(
        description="What it calls itself from now on", examples=["018f4e6a-7b1c-8d00-9f3a-1b2c3d4e5f60"]
    )
    client_id_issued_at: int = Field(description="Unix seconds", examples=[1773662400])
    client_secret: str | None = Field(None, description="Shown this once; of a client that can keep one")
    client_secret_expires_at: int | None = Field(None, description="0: it doesn't", examples=[0])
    client_name: str = Field(description="What members are shown", examples=["Cursor"])
    redirect_uris: list[str] = Field(
        description="Where answers for it may go", examples=[["cursor://anysphere.cursor-mcp/oauth/callback"]]
    )
    token_endpoint_auth_method: str = Field(
        description="How it shows who it is; `none`: it has no secret", examples=["none"]
    )
    grant_types: list[str] = Field(
        description="What it gets tokens for", examples=[["authorization_code", "refresh_token"]]
    )
    response_types: list[str] = Field(description="What its requests are answered with", examples=[["code"]])


def _options(
    title: str, description: str, content: dict[str, Any], refusals: dict[int, str], *, status: int = 200, **facts: Any
) -> RouteOptions:
    options = operation(
        title, scope=None, public=True, description=description, max_body=FORM_BODY, status=status, **facts
    )
    options["openapi_extra"]["requestBody"] = {"required": True, "content": content}
    headers = {
        "X-Rate-Limit-Remaining": {"description": "Calls left for this address", "schema": {"type": "integer"}},
        "X-Rate-Limit-Reset": {"description": "Unix seconds", "schema": {"type": "integer"}},
    }
    options["responses"][status]["headers"] = headers
    for code, text in {**refusals, 429: "More than 10 calls in 60 seconds"}.items():
        answer = {"model": OAuthErrorResponse, "description": text, "headers": headers}
        if code == 429:
            example = OAuthErrorResponse(error="invalid_client", error_description=RATE_LIMITED)
            answer["content"] = {"application/json": {"example": example.model_dump()}}
        options["responses"][code] = answer
    return options


def _form_options(
    title: str, description: str, fields: dict[str, Any], required: list[str], refused: str
) -> RouteOptions:
    form = {"type": "object", "properties": {**fields, **_CLIENT_FIELDS}, "required": required}
    refusals = {
        400: refused,
        401: "`invalid_client`: unknown client, wrong secret, or an address that isn't on the client's list",
    }
    return _options(title, description, {rules.FORM: {"schema": form}}, refusals)


@router.post(
    "/v1/auth/token",
    response_model=AccessTokenResponse,
    response_model_exclude_unset=True,
    **_form_options(
        "Get an access token",
        "OAuth 2.0 client credentials: a token for an hour, with the scopes that the client is set up with (a `scope` "
        "in the request is ignored). The client shows its id and secret in the form or by HTTP Basic.\n\nOAuth 2.1 "
        "authorization code: an application that a member lets in exchanges the code that it was sent, with the "
        "verifier of its challenge (PKCE, S256), for a token of an hour for one MCP address, and a refresh token. A "
        "code is good for a minute and once: shown again, it ends all that came of it.\n\nRefresh token: new tokens. "
        "The one before works for 30 seconds more and leads to the same ones; shown later, it ends the connection. One "
        "that isn't used lasts 30 days.\n\nAt most 10 calls in 60 seconds from an address (of IPv6 from a /64), and 10 "
        "for a client that shows its right secret. Calls are counted before anything is exchanged.",
        {
            "grant_type": {"type": "string", "enum": list(rules.GRANT_TYPES), "description": "What is exchanged"},
            "code": {"type": "string", "description": "Of `authorization_code`: the code"},
            "redirect_uri": {"type": "string", "description": "Of `authorization_code`: where the code was sent to"},
            "code_verifier": {"type": "string", "description": "Of `authorization_code`: what the challenge is of"},
            "refresh_token": {"type": "string", "description": "Of `refresh_token`: the refresh token"},
            "scope": {"type": "string", "description": "Of `refresh_token`: fewer scopes than the connection has"},
            "resource": {"type": "string", "description": "The MCP address, as it was asked for (RFC 8707)"},
        },
        ["grant_type"],
        "`invalid_request`, `invalid_grant`, `invalid_scope`, `invalid_target`, `unsupported_grant_type`",
    ),
)
async def create_access_token(request: Request) -> Response:
    async def answer(call: _Call) -> Response:
        form = call.form
        match rules.grant_type_of(form):
            case "authorization_code":
                grants, code = await call.grants(), _parameter(form, "code")
                pair = await grants.exchange(
                    code, form.get("redirect_uri"), form.get("code_verifier"), form.get("resource")
                )
                return _pair(pair)
            case "refresh_token":
                grants, token = await call.grants(), _parameter(form, "refresh_token")
                return _pair(await grants.refresh(token, form.get("scope"), form.get("resource")))
        # Only who knows the secret uses up the client's own calls: a stranger, who has used up those of his address by
        # then, doesn't keep the client out. It still comes before the exchange: a refused call costs it nothing else.
        shown = rules.client_credentials(form, call.authorization)
        client = await call.service.authenticate(shown)
        await call.count(str(client.subject_id))
        issued = await call.service.issue(shown)
        return _token(issued.secret, int(issued.life.total_seconds()), issued.scopes)

    return await _serve_form(request, "token", answer)


@router.post(
    "/v1/oauth/revoke",
    response_class=Response,
    **_form_options(
        "Revoke an access token",
        "RFC 7009: the token stops working at once; with a refresh token all of its connection does. A token that is "
        "unknown, or of another client, is answered with 200 as well. The client authenticates as for a token: a "
        "public one by its id alone.\n\nAt most 10 calls in 60 seconds from an address.",
        {
            "token": {"type": "string", "description": "The access token or refresh token to revoke"},
            "token_type_hint": {"type": "string", "description": "Taken, and not needed"},
        },
        ["token"],
        "`invalid_request`",
    ),
)
async def revoke_access_token(request: Request) -> Response:
    async def answer(call: _Call) -> Response:
        client_id, secret = claimed_client(call.form, call.authorization)
        if secret is None or await clients.is_registered(client_id, call.service.cells):
            grants = await call.grants()
            await grants.revoke(rules.token_to_revoke(call.form))
        else:
            shown = rules.client_credentials(call.form, call.authorization)
            await call.service.revoke(shown, rules.token_to_revoke(call.form))
        return Response()

    return await _serve_form(request, "revoke", answer)


_METADATA: Final = {
    "type": "object",
    "properties": {
        "client_name": {"type": "string", "description": "What members are shown"},
        "redirect_uris": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "https, http on loopback (whose port doesn't count), or an app's own scheme",
        },
        "token_endpoint_auth_method": {
            "type": "string",
            "enum": list(AUTH_METHODS),
            "description": "`none` for a public client; else it gets a secret",
        },
        "grant_types": {
            "type": "array",
            "items": {"type": "string"},
            "contains": {"const": GRANT_TYPES[0]},
            "description": "`authorization_code` is among them",
        },
        "response_types": {
            "type": "array",
            "items": {"type": "string"},
            "contains": {"const": "code"},
            "description": "`code` is among them",
        },
    },
    "required": ["redirect_uris"],
}


@router.post(
    "/v1/oauth/register",
    response_model=RegistrationResponse,
    response_model_exclude_unset=True,
    **_options(
        "Register an application",
        "RFC 7591, for applications that members let in and that have no metadata document of their own (whose URL is "
        "then the client id, and better). Other metadata is taken and left out. A client that nobody uses for a month "
        "is forgotten.\n\nAt most 10 calls in 60 seconds from an address, and 60 in all.",
        {"application/json": {"schema": _METADATA}},
        {400: "`invalid_client_metadata`, `invalid_redirect_uri`"},
        status=201,
        extension=True,
        response="Application registered",
    ),
)
async def register_application(request: Request) -> Response:
    async def answer(service: TokenService) -> Response:
        cell = service.cells.own
        try:
            wanted = read_registration(await request.body())
        except MetadataRefusedError as fault:
            raise OAuthRefusal(fault.error, fault.description) from None
        async with cell.database.connection() as connection:
            window = await store.take_hit(connection, "register/all", service.now, REGISTRATION_HITS_IN_ALL)
            if not window.allowed:
                raise rate_limited(window)
            client_id = new_marked_id(cell.mark)
            secret = None if wanted.auth_method == "none" else new_secret(CLIENT_SECRET_PREFIX, cell.mark)
            digest = secret_hash(secret) if secret else None
            await client_rows.register(connection, client_id, wanted, digest, service.now)
        secrets = {"client_secret": secret, "client_secret_expires_at": 0} if secret else {}
        body = RegistrationResponse(
            client_id=str(client_id),
            client_id_issued_at=int(service.now.timestamp()),
            client_name=wanted.name,
            redirect_uris=list(wanted.redirect_uris),
            token_endpoint_auth_method=wanted.auth_method,
            grant_types=list(wanted.grant_types),
            response_types=["code"],
            **secrets,
        )
        return JSONResponse(body.model_dump(exclude_unset=True), 201)

    return await _serve(request, "register", answer, REGISTRATION_HITS)


async def _serve_form(request: Request, endpoint: str, answer: Answer) -> Response:
    async def answer_form(service: TokenService) -> Response:
        if request.query_params:
            raise invalid_request("The parameters stand in the body")  # RFC 6749, section 2.3.1: never in the address
        form = rules.read_form(request.headers.get("content-type", ""), await request.body())
        return await answer(_Call(request, service, form, request.headers.get("authorization")))

    return await _serve(request, endpoint, answer_form)


async def _serve(
    request: Request,
    endpoint: str,
    answer: Callable[[TokenService], Awaitable[Response]],
    hits: int = RATE_LIMIT_HITS,
) -> Response:
    """Count the call, have it answered, and say what is left on every answer."""
    state = state_of(request.scope)
    cells, now = state.cells, state.now
    assert cells is not None, "the edge sets it for public operations"
    assert now is not None, "the edge sets it for public operations"
    host = request.client.host if request.client else None
    service = TokenService(cells, state.request_id, now, host)
    async with cells.own.database.connection() as connection:  # an address is of no cell
        window = await store.take_hit(connection, f"{endpoint}/address/{network_of(host)}", service.now, hits)
    try:
        if not window.allowed:
            raise rate_limited(window)
        response = await answer(service)
    except OAuthRefusal as refusal:
        response = _refusal(refusal, service)
    _set_headers(response, window)
    return response


def _parameter(form: dict[str, str], name: str) -> str:
    if name not in form:
        raise invalid_request(f"{name} is missing")
    return form[name]


def _pair(pair: TokenPair) -> Response:
    return _token(pair.access, int(TOKEN_LIFE.total_seconds()), pair.scopes, refresh_token=pair.refresh)


def _token(secret: str, seconds: int, scopes: tuple[str, ...], **more: str) -> Response:
    body = AccessTokenResponse(
        access_token=secret,
        token_type="Bearer",  # noqa: S106 RFC 6749's name of the type
        expires_in=seconds,
        scope=" ".join(scopes),
        **more,
    )
    return JSONResponse(body.model_dump(exclude_unset=True))


def _refusal(refusal: OAuthRefusal, service: TokenService) -> Response:
    headers = {"WWW-Authenticate": 'Basic realm="ledgerbee"'} if refusal.status == 401 else {}
    if refusal.free_at:
        headers["Retry-After"] = str(max(1, ceil((refusal.free_at - service.now).total_seconds())))
    body = OAuthErrorResponse(error=refusal.error, error_description=refusal.description)
    return JSONResponse(body.model_dump(), refusal.status, headers)


def _set_headers(response: Response, window: RateLimitWindow) -> None:
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    response.headers["X-Rate-Limit-Remaining"] = str(window.remaining)
    response.headers["X-Rate-Limit-Reset"] = str(ceil(window.resets_at.timestamp()))
