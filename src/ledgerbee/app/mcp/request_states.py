"""The state that a tool keeps with the client while it asks the user something (`requestState`, SEP-2322).

What comes back is nobody's word but the client's. It is sealed with the installation's keys, for the request, the
connection and ten minutes (the SDK's boundary), and taken once: whoever brings it back first has used it up.
"""

import base64
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.request_state import InvalidRequestState, RequestStateBoundary, RequestStateSecurity
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS
from mcp_types.methods import INPUT_REQUIRED_METHODS

from ledgerbee.app.mcp import store
from ledgerbee.app.mcp.requests import caller_of
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id, parse_id
from ledgerbee.platform.secrets import SecretBox

_LIFE: Final = timedelta(minutes=10)
#: How long it is known that a state was taken: longer than one lives, however clocks differ.
_KEPT: Final = 2 * _LIFE
#: What was sealed for something else with the same keys is no state.
_PURPOSE: Final = b"requestState "
RequestContext = ServerRequestContext[Any, Any]


class _Codec:
    """Seals with the keys that the installation has for its secrets."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    def seal(self, payload: bytes) -> str:
        return self._box.encrypt(_PURPOSE + payload).decode()

    def unseal(self, token: str) -> bytes:
        try:
            if base64.urlsafe_b64encode(base64.urlsafe_b64decode(token)).decode() != token:
                raise InvalidRequestState("form")  # what is read over would be taken: it isn't as it was given
            payload = self._box.decrypt(token.encode())
        except (LedgerBeeError, ValueError):
            raise InvalidRequestState("seal") from None
        if not payload.startswith(_PURPOSE):
            raise InvalidRequestState("purpose")
        return payload.removeprefix(_PURPOSE)


def boundary(box: SecretBox) -> RequestStateBoundary:
    """Seals what goes out and opens what comes back, for the connection that it was given to."""
    security = RequestStateSecurity(
        codec=_Codec(box),
        ttl=_LIFE.total_seconds(),
        bind_principal=lambda context: str(caller_of(context).principal.subject_id),
    )
    return RequestStateBoundary(security, default_audience="ledgerbee")


async def take_once(ctx: RequestContext, call_next: CallNext) -> HandlerResult:
    """Within the boundary: marks each state that goes out, and refuses one that has come back before."""
    if ctx.method not in INPUT_REQUIRED_METHODS:
        return await call_next(ctx)
    if ctx.params is not None and ctx.params.get("requestState") is not None:
        nonce, _, state = str(ctx.params["requestState"]).partition(" ")
        if not await _spend(ctx, parse_id(nonce)):
            raise MCPError(
                code=INVALID_PARAMS, message="Invalid or expired requestState", data={"reason": "invalid_request_state"}
            )
        ctx = replace(ctx, params={**ctx.params, "requestState": state})
    result = await call_next(ctx)
    if isinstance(result, dict) and result.get("resultType") == "input_required" and result.get("requestState"):
        return {**result, "requestState": f"{new_id()} {result['requestState']}"}
    return result


async def _spend(context: RequestContext, nonce: UUID) -> bool:
    caller = caller_of(context)
    return await caller.database.run(caller.tenant, caller.now, lambda here: store.spend(here, nonce, here.now + _KEPT))
