"""JSON-RPC messages as the MCP server reads and answers them: one a request, never a batch."""

from dataclasses import dataclass
from typing import Any, Final

import msgspec
from fastapi import Response

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.envelope import RETRY_AFTER
from ledgerbee.http.json_body import decode_json
from ledgerbee.http.step_scheduler import run_step

#: Error codes of JSON-RPC 2.0, and the one that a refusal of ours has: what it is says `data.code`.
PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
INVALID_PARAMS: Final = -32602
REFUSED: Final = -32010

_encode: Final = msgspec.json.encode
_WANTED: Final = "The body must be a single JSON-RPC 2.0 request or notification"


@dataclass(frozen=True, slots=True)
class Message:
    """A request, or a notification (`id` None). Numbers of `params` are `int` and `Decimal`."""

    id: str | int | None
    method: str
    params: dict[str, Any]


class MalformedMessageError(Exception):
    """The body is no message. `code` is JSON-RPC's, `id` what it has for one."""

    def __init__(self, code: int, message: str, id_: str | int | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.id = code, message, id_


async def read_message(raw: bytes) -> Message | None:
    """The message of a body; None for a client's answer to a request, of which we send none.

    Raises `MalformedMessageError`.
    """
    try:
        value = await run_step(len(raw), lambda: decode_json(raw))
    except LedgerBeeError as fault:
        (finding, *_) = fault.details["validationErrors"]
        (text, *_) = finding["constraints"].values()
        is_json = "isJson" not in finding["constraints"]
        raise MalformedMessageError(INVALID_REQUEST if is_json else PARSE_ERROR, text) from None
    if not isinstance(value, dict) or value.get("jsonrpc") != "2.0":
        raise MalformedMessageError(INVALID_REQUEST, _WANTED)
    id_, method, params = value.get("id"), value.get("method"), value.get("params", {})
    if "id" in value and (isinstance(id_, bool) or not isinstance(id_, (str, int))):
        raise MalformedMessageError(INVALID_REQUEST, "The id of a request must be a string or a whole number")
    if method is None and ("result" in value or "error" in value):
        return None
    if not isinstance(method, str):
        raise MalformedMessageError(INVALID_REQUEST, _WANTED, id_)
    if not isinstance(params, dict):
        raise MalformedMessageError(INVALID_PARAMS, "params must be an object", id_)
    return Message(id_, method, params)


def malformed(fault: MalformedMessageError) -> Response:
    """The answer to a body that is no message."""
    return error(fault.id, fault.code, fault.message, 400)


def refusal(id_: str | int | None, fault: LedgerBeeError, remedy: str) -> Response:
    """The answer to a message that is refused as a request of the API is, with the API's status and code."""
    data = {"code": fault.code, "details": fault.details, "remedy": remedy}
    response = error(id_, REFUSED, fault.message, fault.status, data)
    if fault.status in RETRY_AFTER:
        after = fault.retry_after
        response.headers["Retry-After"] = RETRY_AFTER[fault.status] if after is None else str(after)
    return response


def error(id_: str | int | None, code: int, message: str, status: int, data: dict[str, Any] | None = None) -> Response:
    """An error of JSON-RPC."""
    told = {"code": code, "message": message, **({} if data is None else {"data": data})}
    return json_response(_encode({"jsonrpc": "2.0", "id": id_, "error": told}), status)


def json_response(body: bytes, status: int = 200) -> Response:
    """An answer with this JSON."""
    return Response(body, status, media_type="application/json")


def tool_result(id_: str | int, text: bytes, *, is_error: bool, ending: bytes) -> bytes:
    """The answer to a call: `text`, a JSON object, as structured content and as text; `ending` is put at its end."""
    return b'{"jsonrpc":"2.0","id":%b,"result":{"content":[{"type":"text","text":%b}],"structuredContent":%b%b%b}}' % (
        _encode(id_),
        _encode(text.decode()),
        text,
        b',"isError":true' if is_error else b',"isError":false',
        ending,
    )
