"""The API's operations as tools find them: by their ids, with the schemas of the OpenAPI document."""

from functools import cache
from typing import Any

from ledgerbee.app.routes import ROUTERS
from ledgerbee.http.route import OperationRoute


@cache
def _routes() -> dict[str, OperationRoute]:
    return {route.name: route for router in ROUTERS for route in router.routes}


def operation_route(operation_id: str) -> OperationRoute:
    """The route of an operation. `KeyError` for an unknown one."""
    return _routes()[operation_id]


def response_schema(operation_id: str) -> dict[str, Any]:
    """The JSON schema of an operation's answer, with all that it refers to inside."""
    field = operation_route(operation_id).response_field
    assert field is not None, "the operation answers JSON"
    schema: dict[str, Any] = field._type_adapter.json_schema(mode="serialization")
    return schema
