"""Reading authorization requests (OAuth 2.1 4.1.1; RFC 8707; RFC 9207). Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from ledgerbee.identity.authorization.model import (
    MAX_STATE,
    AuthorizationRequest,
    Client,
    ClientRefusedError,
    RequestRefusedError,
)
from ledgerbee.identity.authorization.rules import proof_keys, redirects, resources, scopes

#: What a request says; anything else in the address is passed over (RFC 6749, 3.1), and not handed on.
PARAMETERS: Final = (
    "response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method",
    "resource", "response_mode", "request", "request_uri",
)  # fmt: skip


def read_parameters(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], frozenset[str]]:
    """The parameters of a request that are ours, and those of them that are there more than once.

    Empty ones count as left out (RFC 6749, 3.1).
    """
    found: dict[str, str] = {}
    twice = set()
    for name, value in pairs:
        if name in PARAMETERS and value:
            if name in found:
                twice.add(name)
            found[name] = value
    return found, frozenset(twice)


def client_id_of(parameters: Mapping[str, str], twice: frozenset[str]) -> str:
    """Who asks. Raises `ClientRefusedError`."""
    if "client_id" not in parameters or "client_id" in twice:
        raise ClientRefusedError
    return parameters["client_id"]


def redirect_uri_of(parameters: Mapping[str, str], twice: frozenset[str], client: Client) -> str:
    """Where the answer goes: one that the client has registered. Raises `ClientRefusedError`."""
    wanted = parameters.get("redirect_uri", "")
    if "redirect_uri" in twice or not redirects.is_redirect(wanted, is_public=not client.is_confidential):
        raise ClientRefusedError
    if not redirects.matches(wanted, client.redirect_uris):
        raise ClientRefusedError
    return wanted


def state_of(parameters: Mapping[str, str], twice: frozenset[str]) -> str | None:
    """What goes back with the answer, whatever that is: nothing of what is too long or there twice."""
    state = parameters.get("state")
    return None if "state" in twice or state is None or len(state) > MAX_STATE else state


def read_request(
    parameters: Mapping[str, str], twice: frozenset[str], client: Client, base_url: str
) -> AuthorizationRequest:
    """The whole request of a client whose redirect URI is good.

    Raises `ClientRefusedError` where that isn't so, `RequestRefusedError` for anything else.
    """
    redirect_uri = redirect_uri_of(parameters, twice, client)
    if "request" in parameters or "request_uri" in parameters:
        error = "request_not_supported" if "request" in parameters else "request_uri_not_supported"
        raise RequestRefusedError(error, "Request objects are not supported")
    if twice:
        raise RequestRefusedError("invalid_request", f"{min(twice)} is there more than once")
    if len(parameters.get("state", "")) > MAX_STATE:
        raise RequestRefusedError("invalid_request", f"state has more than {MAX_STATE} characters")
    if parameters.get("response_type") != "code":
        raise RequestRefusedError("unsupported_response_type", "response_type must be code")
    if parameters.get("response_mode", "query") != "query":
        raise RequestRefusedError("invalid_request", "response_mode must be query")
    if parameters.get("code_challenge_method") != "S256":
        raise RequestRefusedError("invalid_request", "code_challenge_method must be S256")
    if not proof_keys.is_challenge(parameters.get("code_challenge", "")):
        raise RequestRefusedError("invalid_request", "code_challenge must be a SHA-256 in base64url")
    path = resources.path_of(parameters.get("resource"), base_url)
    if path is None:
        raise RequestRefusedError("invalid_target", "resource must be the address of an MCP server of this host")
    asked = scopes.read_scopes(parameters.get("scope"))
    if asked is None:
        raise RequestRefusedError("invalid_scope", "None of these scopes can be had here")
    return AuthorizationRequest(
        client=client,
        redirect_uri=redirect_uri,
        state=parameters.get("state"),
        challenge=parameters["code_challenge"],
        scopes=asked,
        resource=path,
        company_id=resources.company_of(path),
    )
