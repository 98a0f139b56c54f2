"""Reading the form bodies and client authentication of RFC 6749 and RFC 7009. Pure."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, unquote_plus

from ledgerbee.tenancy.oauth.model import ClientCredentials, OAuthRefusal, invalid_client, invalid_request

FORM: Final = "application/x-www-form-urlencoded"
_MAX_PARAMETERS: Final = 50
#: In the order in which they are told of.
GRANT_TYPES: Final = ("authorization_code", "client_credentials", "refresh_token")


def read_form(content_type: str, body: bytes) -> dict[str, str]:
    """The parameters of a form-encoded body; empty ones count as left out (RFC 6749, section 3.2).

    Raises `invalid_request` for another media type, what is no UTF-8 and a parameter that is there twice.
    """
    if content_type.partition(";")[0].strip().lower() != FORM:
        raise invalid_request(f"The body must be {FORM}")
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS, encoding="utf-8", errors="strict"
        )
    except ValueError:
        raise invalid_request("The body can't be read") from None
    if len({name for name, _ in pairs}) < len(pairs):
        raise invalid_request("A parameter is there more than once")
    return {name: value for name, value in pairs if value}


def client_credentials(form: Mapping[str, str], authorization: str | None) -> ClientCredentials:
    """The client's id and secret, from HTTP Basic or from the form (RFC 6749, section 2.3.1).

    Raises `invalid_request` when both are used, `invalid_client` when neither is or the header can't be read.
    """
    if authorization is not None:
        shown = basic_credentials(authorization)
        if "client_secret" in form or form.get("client_id", shown.client_id) != shown.client_id:
            raise invalid_request("Use one way of client authentication only")
        return shown
    if "client_id" not in form or "client_secret" not in form:
        raise invalid_client()
    return ClientCredentials(form["client_id"], form["client_secret"])


def basic_credentials(authorization: str) -> ClientCredentials:
    """The id and secret that HTTP Basic shows. Raises `invalid_client` where the header can't be read."""
    scheme, _, encoded = authorization.partition(" ")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except (binascii.Error, ValueError):
        text = ""
    client_id, colon, secret = text.partition(":")
    if scheme.lower() != "basic" or not (client_id and colon and secret):
        raise invalid_client()
    return ClientCredentials(unquote_plus(client_id), unquote_plus(secret))


def grant_type_of(form: Mapping[str, str]) -> str:
    """What a token is asked for by. Raises `invalid_request` without it, and `unsupported_grant_type`."""
    grant_type = form.get("grant_type")
    if grant_type is None:
        raise invalid_request("grant_type is missing")
    if grant_type not in GRANT_TYPES:
        raise OAuthRefusal("unsupported_grant_type", f"grant_type must be one of {', '.join(GRANT_TYPES)}")
    return grant_type


def token_to_revoke(form: Mapping[str, str]) -> str:
    """The token that a revocation request names. Raises `invalid_request` when it names none."""
    token = form.get("token")
    if token is None:
        raise invalid_request("token is missing")
    return token
