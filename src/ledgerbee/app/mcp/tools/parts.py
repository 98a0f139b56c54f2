"""What tools that read have in common: the parts of a result that take a scope of their own, periods, and the texts of
others."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from msgspec import Raw

from ledgerbee.app.mcp.model import Call, Period
from ledgerbee.app.mcp.operations import Schema, operation_route
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.http.authentication import authorize

#: Fields in which objects have what their customers or vendors wrote, or what was copied from them.
OF_PARTY: Final = (
    "name", "email", "phone", "address", "city", "postalCode", "website", "externalSystemId", "metadata",
)  # fmt: skip
OF_DOCUMENT: Final = ("reference", "description", "notes", "lines.*.description")
OF_ENTRY: Final = ("description", "reference", "externalSystemId", "lines.*.description")

#: What a part that may be missing is said to be, in a result.
NOT_SHOWN: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"part": {"type": "string"}, "scope": {"type": "string"}},
        "required": ["part", "scope"],
    },
    "description": "Parts that are null because the connection lacks the scope that they take",
}


def may(call: Call, operation_id: str) -> bool:
    """Whether the caller may run the operation: its scope and its licences."""
    try:
        authorize(operation_route(operation_id).operation, call.caller.principal)
    except LedgerBeeError:
        return False
    return True


def not_shown(call: Call, parts: Mapping[str, str]) -> list[dict[str, str | None]]:
    """The parts (name -> the operation that reads it) that the caller doesn't see, with the scopes that they take."""
    return [
        {"part": name, "scope": operation_route(operation_id).operation.scope}
        for name, operation_id in parts.items()
        if not may(call, operation_id)
    ]


def under(path: str, names: Iterable[str]) -> list[str]:
    """The paths of fields of the object, or objects, at `path`."""
    return [f"{path}.{name}" for name in names]


def day_of(text: Raw | Any) -> date:
    """A day out of an answer's JSON, or an argument."""
    return date.fromisoformat(bytes(text).decode().strip('"') if isinstance(text, Raw) else text)


def asked_period(call: Call, first: str, last: str) -> Period | None:
    """The period that two arguments ask for; None where neither is given."""
    start, end = call.arguments.get(first), call.arguments.get(last)
    if start is None and end is None:
        return None
    return Period(day_of(start) if start else None, day_of(end) if end else None)


def nullable(schema: Schema) -> Schema:
    """The schema of a part that may be null."""
    return {"anyOf": [schema, {"type": "null"}]}
