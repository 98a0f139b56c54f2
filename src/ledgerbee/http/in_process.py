"""Runs operations for a caller who is known already, without HTTP: what answers there answers here.

The same check of scope and licence, of parameters and of the body; the same handler, and the same answer.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from msgspec.json import Encoder
from starlette.types import Message, Scope

from ledgerbee.http.authentication import authorize
from ledgerbee.http.caller import Caller
from ledgerbee.http.json_body import ExactRequest
from ledgerbee.http.route import OperationRoute
from ledgerbee.http.state import KEY, RequestState
from ledgerbee.http.validation import validation_error
from ledgerbee.platform.context import Context

_JSON: Final = ((b"content-type", b"application/json"),)
#: Amounts stay the numbers that they are.
_encode: Final = Encoder(decimal_format="number").encode


async def run_operation(
    route: OperationRoute,
    caller: Caller,
    app: Any,
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Response:
    """The operation's answer, after its transaction has ended.

    `app` is the application, whose parts a handler may want. `path` has the ids of the path as text, `query` texts,
    numbers and flags, a list for a parameter that may be there more than once; `body` JSON values, numbers as `int`
    and `Decimal`. Raises what the operation refuses as `LedgerBeeError`, and `CredentialRevokedError`.
    """
    operation = route.operation
    authorize(operation, caller.principal)
    (method,) = route.methods
    state = RequestState(request_id=caller.request_id, is_identified=True, principal=caller.principal, caller=caller)
    request = _request(route, method, state, path or {}, query or {}, body)
    request.scope["app"] = app

    async def work(context: Context) -> Response:
        state.context = context
        return await route.answer(request)

    try:
        if not operation.opens_transaction:
            return await route.answer(request)
        return await (caller.read(work) if method == "GET" else caller.command(work))
    except RequestValidationError as fault:
        raise validation_error(fault.errors()) from None


def _request(
    route: OperationRoute,
    method: str,
    state: RequestState,
    path: Mapping[str, str],
    query: Mapping[str, Any],
    body: Mapping[str, Any] | None,
) -> ExactRequest:
    raw = b"" if body is None else _encode(body)
    address = route.path
    for name, value in path.items():
        address = address.replace(f"{{{name}}}", value)

    async def receive() -> Message:
        return {"type": "http.request", "body": raw, "more_body": False}

    scope: Scope = {
        "type": "http",
        "method": method,
        "path": address,
        "path_params": dict(path),
        "query_string": urlencode([(name, _text(value)) for name, value in _pairs(query)]).encode(),
        "headers": list(_JSON) if raw else [],
        "route": route,
        KEY: state,
    }
    return ExactRequest(scope, receive)


def _pairs(query: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, one) for name, value in query.items() for one in (value if isinstance(value, list) else [value])]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
