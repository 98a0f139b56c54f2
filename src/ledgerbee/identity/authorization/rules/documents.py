"""What applications say of themselves: metadata documents (draft-ietf-oauth-client-id-metadata-document) and
registrations (RFC 7591). Pure."""

import json
import unicodedata
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from ledgerbee.identity.authorization.model import MAX_NAME, MAX_REDIRECT_URIS, MAX_URI, Client, Registration
from ledgerbee.identity.authorization.rules.redirects import OWN_SCHEMES, is_redirect

GRANT_TYPES: Final = ("authorization_code", "refresh_token")
AUTH_METHODS: Final = ("none", "client_secret_basic", "client_secret_post")


class MetadataRefusedError(Exception):
    """What an application says of itself can't be taken. `error` is RFC 7591's (3.2.2), the text what is wrong."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description


def is_document_id(client_id: str, *, is_plain_allowed: bool = False) -> bool:
    """Whether a client's id is the address of its metadata document: https with a path, and nothing that is repaired.

    `is_plain_allowed`: http too, for a document on this machine.
    """
    if len(client_id) > MAX_URI or not client_id.isascii() or not client_id.isprintable() or " " in client_id:
        return False
    if not client_id.startswith(("https://", "http://") if is_plain_allowed else "https://"):
        return False
    try:
        parts = urlsplit(client_id)
        is_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    segments = parts.path.split("/")
    return (
        is_host
        and len(parts.path) > 1
        and not {".", ".."} & set(segments)
        and not any(mark in client_id for mark in '#@\\"<>')
    )


def is_json_type(content_type: str) -> bool:
    """Whether a document with this content type is one of a client: `application/json`, or one that ends in `+json`.

    So what a site keeps for its users, such as a text of one of them, is not taken for the site's word.
    """
    kind = content_type.partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def read_document(client_id: str, content: bytes) -> Client:
    """The client of a metadata document that was fetched from `client_id`.

    It says the same id of itself, and has no secret: anybody can read it. Redirect URIs that aren't allowed are left
    out: the document is for other servers too. Raises `MetadataRefusedError`.
    """
    told = _object(content)
    if told.get("client_id") != client_id:
        raise MetadataRefusedError("invalid_client_metadata", "client_id is not the address of the document")
    if "client_secret" in told or told.get("token_endpoint_auth_method", "none") != "none":
        raise MetadataRefusedError("invalid_client_metadata", "A client with a metadata document has no secret")
    host = urlsplit(client_id).hostname or ""
    return Client(
        client_id=client_id,
        name=shown_name(told.get("client_name"), host),
        redirect_uris=_redirect_uris(told, is_public=True, is_strict=False),
        host=host,
    )


def read_registration(content: bytes) -> Registration:
    """What an application wants to be registered with; what isn't supported is left out (RFC 7591, 3.2.1).

    Raises `MetadataRefusedError`.
    """
    told = _object(content)
    method = told.get("token_endpoint_auth_method", "client_secret_basic")
    if method not in AUTH_METHODS:
        text = f"token_endpoint_auth_method must be one of {', '.join(AUTH_METHODS)}"
        raise MetadataRefusedError("invalid_client_metadata", text)
    if not isinstance(told.get("client_name", ""), str):
        raise MetadataRefusedError("invalid_client_metadata", "client_name must be a text")
    grants = told.get("grant_types", [GRANT_TYPES[0]])
    if not _are_texts(grants) or GRANT_TYPES[0] not in grants:
        raise MetadataRefusedError("invalid_client_metadata", "grant_types must have authorization_code")
    kinds = told.get("response_types", ["code"])
    if not _are_texts(kinds) or "code" not in kinds:
        raise MetadataRefusedError("invalid_client_metadata", "response_types must have code")
    uris = _redirect_uris(told, is_public=method == "none")
    return Registration(
        name=shown_name(told.get("client_name"), "?"),
        redirect_uris=uris,
        auth_method=method,
        grant_types=tuple(grant for grant in GRANT_TYPES if grant in grants),
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def shown_name(name: object, otherwise: str) -> str:
    """An application's name as a person is shown it: one line without what shows as nothing or turns text around.

    `otherwise` where nothing is left of it. (Categories Cc, Cf, Cs, Co and Cn of Unicode are left out.)
    """
    if not isinstance(name, str):
        return otherwise
    seen = "".join(" " if char.isspace() else char for char in name[: 10 * MAX_NAME])
    kept = "".join(char for char in seen if unicodedata.category(char)[0] != "C")
    return " ".join(unicodedata.normalize("NFC", kept).split())[:MAX_NAME].strip() or otherwise


def _object(content: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict):
        raise MetadataRefusedError("invalid_client_metadata", "The metadata must be an object of JSON")
    return told


def _redirect_uris(told: Mapping[str, Any], *, is_public: bool, is_strict: bool = True) -> tuple[str, ...]:
    uris = told.get("redirect_uris")
    if not isinstance(uris, list) or len(uris) > MAX_REDIRECT_URIS:
        uris = []
    good = tuple(uri for uri in uris if isinstance(uri, str) and is_redirect(uri, is_public=is_public))
    if not good or (is_strict and len(good) < len(uris)):
        schemes = "https, http on loopback" + (
            f", an app's own scheme (with a dot, or {', '.join(OWN_SCHEMES)})" if is_public else ""
        )
        text = f"redirect_uris must be 1 to {MAX_REDIRECT_URIS} URIs of these kinds: {schemes}"
        raise MetadataRefusedError("invalid_redirect_uri", text)
    return good
