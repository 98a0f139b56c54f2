"""What a request is refused for by its head alone: fields given twice, the address, what the body is said to be."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from starlette.requests import Request
from starlette.types import Scope

from ledgerbee.core.errors import invalid, refuse
from ledgerbee.http.envelope import NOT_FOUND, PAYLOAD_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE
from ledgerbee.http.route import Operation

#: Header fields that say who calls, and what for. Of two, which is meant?
_ONCE: Final = (b"x-api-key", b"authorization", b"x-api-idempotency-key")
#: They take forms, and refuse other bodies as RFC 6749 has it.
_OAUTH_ENDPOINTS: Final = frozenset({"/api/v1/auth/token", "/api/v1/oauth/revoke"})

Headers = Mapping[bytes, bytes]


def check_fields(scope: Scope, headers: Headers) -> None:
    """Refuse header fields that say who calls, or what for, more than once. `headers` has each name once."""
    if len(headers) < len(scope["headers"]):
        given = [name for name, _ in scope["headers"]]
        repeated = [name.decode() for name in _ONCE if given.count(name) > 1]
        refuse([(name, "arrayMaxSize", f"{name} must not be given more than once") for name in repeated])


def check_address(scope: Scope) -> None:
    """Refuse an address that isn't UTF-8 without NUL characters, and a path in which an encoded slash divides parts: a
    proxy that knows paths by their text would see another one."""
    query: bytes = scope.get("query_string", b"")
    raw_path: bytes = scope.get("raw_path") or b""
    if b"%" not in query and b"%" not in raw_path:
        return
    for part in (query, raw_path):
        text = unquote_to_bytes(part.replace(b"+", b" "))
        try:
            readable = b"\x00" not in text and bool(text.decode("utf-8") or True)
        except UnicodeDecodeError:
            readable = False
        if not readable:
            raise invalid(("", "isText", "the address must be UTF-8 without NUL characters"))
    if b"%2f" in raw_path.lower():
        raise NOT_FOUND.error()


def check_length(request: Request, max_bytes: int) -> None:
    """Refuse a body that says it is larger, ahead of reading any of it. Raises `PAYLOAD_TOO_LARGE`."""
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > max_bytes:
        raise PAYLOAD_TOO_LARGE.error(maxBytes=max_bytes)


def check_body(scope: Scope, headers: Headers, operation: Operation, max_bytes: int) -> None:
    """Refuse a body by what the header says of it: its type, its coding, its size."""
    length = headers.get(b"content-length", b"0")
    size = int(length) if length.isdigit() else 0
    has_body = size > 0 or b"transfer-encoding" in headers
    media_type = headers.get(b"content-type", b"").split(b";")[0].strip().lower()
    if operation.streams:
        if media_type.decode("latin-1") not in operation.streams:
            raise UNSUPPORTED_MEDIA_TYPE.error(f"The body must be {', '.join(operation.streams)}")
    elif (
        has_body
        and media_type != b"application/json"
        and not operation.takes_file(media_type.decode("latin-1"))
        and scope["method"] in {"POST", "PATCH", "PUT"}
        and scope["path"] not in _OAUTH_ENDPOINTS
    ):
        raise UNSUPPORTED_MEDIA_TYPE.error()
    if headers.get(b"transfer-encoding", b"chunked").strip().lower() != b"chunked":
        raise UNSUPPORTED_MEDIA_TYPE.error("The body must not be encoded: Transfer-Encoding may only be chunked")
    # Without this, a compressed body would be refused as malformed (RFC 9110, 15.5.16).
    if has_body and headers.get(b"content-encoding", b"").strip().lower() not in {b"", b"identity"}:
        raise UNSUPPORTED_MEDIA_TYPE.error("The body must not be compressed: leave Content-Encoding out")
    if size > max_bytes:
        raise PAYLOAD_TOO_LARGE.error(maxBytes=max_bytes)
