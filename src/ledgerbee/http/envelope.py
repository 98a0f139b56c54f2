"""The error envelope (contract 1.5)."""

from datetime import datetime
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse

from ledgerbee.core.dates import format_moment
from ledgerbee.core.errors import ErrorCode, LedgerBeeError

INTERNAL_ERROR = ErrorCode("INTERNAL_ERROR", 500, "Something went wrong on our side. Nothing was changed.")
NOT_FOUND = ErrorCode("NOT_FOUND", 404, "No such route")
METHOD_NOT_ALLOWED = ErrorCode("METHOD_NOT_ALLOWED", 405, "The route has no such method")
PAYLOAD_TOO_LARGE = ErrorCode("PAYLOAD_TOO_LARGE", 413, "The body is larger than the operation takes")
UNSUPPORTED_MEDIA_TYPE = ErrorCode("UNSUPPORTED_MEDIA_TYPE", 415, "The body must be application/json")
#: Answers of the connection itself (`http/protocol.py`), whatever the request was to be.
REQUEST_TIMEOUT = ErrorCode("REQUEST_TIMEOUT", 408, "The request took too long to come in")
URI_TOO_LONG = ErrorCode("URI_TOO_LONG", 414, "The address is too long")
HEADER_TOO_LARGE = ErrorCode("HEADER_TOO_LARGE", 431, "The header is too large or has too many fields")
TOO_MANY_CONNECTIONS = ErrorCode("TOO_MANY_CONNECTIONS", 503, "There are too many connections. Try again in a moment.")
#: The process ends and waits no longer, as at the end of a long wait for a lock.
SERVER_STOPPING = ErrorCode(
    "SERVER_STOPPING",
    503,
    "The server is stopping, and the request may have been carried out. Send it again, with the same idempotency key.",
)

#: Seconds after which to try again, by status, where the fault doesn't say it.
RETRY_AFTER: Final = {429: "60", 503: "1", 507: "60"}


def envelope(path: str, fault: LedgerBeeError, now: datetime) -> dict[str, Any]:
    """The body of an error answer. `path` is the request's; the envelope leaves `/api` out."""
    return {
        "statusCode": fault.status,
        "timestamp": format_moment(now),
        "path": path.removeprefix("/api"),
        "message": fault.message,
        "code": fault.code,
        "details": fault.details,
    }


def error_response(request: Request, fault: LedgerBeeError, now: datetime) -> JSONResponse:
    """The documented answer to a refusal."""
    headers = {}
    if fault.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="ledgerbee"'
        if fault.details.get("reason") == "invalid_token":
            headers["WWW-Authenticate"] += ', error="invalid_token"'
    if fault.status in RETRY_AFTER:
        after = fault.retry_after
        headers["Retry-After"] = RETRY_AFTER[fault.status] if after is None else str(after)
    return JSONResponse(envelope(request.url.path, fault, now), fault.status, headers)
