"""Few calls stand between the start of a transaction and the handler function: a stack trace is short to read."""

import inspect
import sys
from types import CodeType, FrameType
from typing import Any, Final

import pytest
from tests.contract.world import World

from ledgerbee.app.routes import ROUTERS
from ledgerbee.http.operation import OperationRoute
from ledgerbee.platform.db import Database

_MOST_CALLS: Final = 3
_ENDPOINTS: Final = {
    inspect.unwrap(route.endpoint).__code__
    for router in ROUTERS
    for route in router.routes
    if isinstance(route, OperationRoute)
}


class Calls:
    """The calls that stand between the transaction and the first handler function that is called."""

    def __init__(self) -> None:
        self.names: list[str] | None = None

    def look(self, frame: FrameType, event: str, _: Any) -> None:
        """For `sys.setprofile`."""
        if event != "call" or self.names is not None or frame.f_code not in _ENDPOINTS:
            return
        names = []
        caller = frame.f_back
        while caller is not None and not _holds_transaction(caller.f_code):
            names.append(caller.f_code.co_qualname)
            caller = caller.f_back
        self.names = names[::-1] if caller is not None else []


def _holds_transaction(code: CodeType) -> bool:
    return code is Database._run_once.__code__


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/company", None),
        ("GET", "/v1/product-groups?limit=1", None),
        ("GET", "/v1/customers/{customerId}", None),
        ("POST", "/v1/customers/{customerId}/departments", {"name": "Lager"}),
        ("DELETE", "/v1/product-groups/{productGroupId}", None),
    ],
)
async def test_few_calls_stand_between_a_transaction_and_its_handler(
    world: World, method: str, path: str, body: dict[str, Any] | None
) -> None:
    calls = Calls()
    before = sys.getprofile()
    sys.setprofile(calls.look)
    try:
        await world.api.request(method, path.format_map(world.ids), **({"json": body} if body else {}))
    finally:
        sys.setprofile(before)
    assert calls.names, "the handler was called within a transaction"
    assert len(calls.names) <= _MOST_CALLS, calls.names
