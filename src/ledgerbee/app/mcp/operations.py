"""The API's operations as tools use them: their schemas as JSON Schema without references, and their answers.

Tools take an operation's arguments flat, under the names that they have on the wire, whether they stand in its path,
its query or its body there.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import msgspec
from fastapi import Response
from fastapi.responses import StreamingResponse
from msgspec import Raw
from pydantic import BaseModel

from ledgerbee.app.mcp.model import RESULT_TOO_LARGE, Call
from ledgerbee.app.mcp.results import MAX_RESULT, of_page, of_rows, page_data
from ledgerbee.app.routes import ROUTERS
from ledgerbee.http.caller import Part
from ledgerbee.http.in_process import run_operation
from ledgerbee.http.route import OperationRoute
from ledgerbee.platform.credentials.model import Principal
from ledgerbee.platform.db import CredentialRevokedError

Schema = dict[str, Any]

#: Bytes of a character at most: a longer answer isn't read to its end.
_MOST_BYTES: Final = 4
_FIELDS: Final = msgspec.json.Decoder(dict[str, Raw])
_ROWS: Final = msgspec.json.Decoder(list[Raw])
#: What says how a schema looks in Python, or to a reader of our document: nothing to a caller.
_LEFT_OUT: Final = frozenset({"title", "discriminator", "x-extension"})


@cache
def _routes() -> dict[str, OperationRoute]:
    return {route.name: route for router in ROUTERS for route in router.routes}


def operation_route(operation_id: str) -> OperationRoute:
    """The route of an operation. `KeyError` for an unknown one."""
    return _routes()[operation_id]


def scope_of(operation_id: str) -> str:
    """The scope that an operation takes."""
    scope = operation_route(operation_id).operation.scope
    assert scope is not None, "tools are made of operations with scopes"
    return scope


def scopes_of(*operation_ids: str) -> frozenset[str]:
    """The scopes that operations take together."""
    return frozenset(scope_of(one) for one in operation_ids)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What an operation takes: the JSON schema of each argument, which of them it wants, and where each goes."""

    properties: Mapping[str, Schema]
    required: frozenset[str]
    path: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()
    #: Those of the query that are written `name[key]=value`.
    objects: frozenset[str] = frozenset()
    body: frozenset[str] = frozenset()
    has_body: bool = False

    def split(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by their places, as `run_operation` takes them; what the operation doesn't take is left out."""
        query = {name: value for name, value in given.items() if name in self.query - self.objects}
        for name in self.objects & given.keys():
            query |= {f"{name}[{key}]": value for key, value in given[name].items()}
        body = {name: value for name, value in given.items() if name in self.body}
        return {
            "path": {name: str(value) for name, value in given.items() if name in self.path},
            "query": query,
            "body": body if self.has_body else None,
        }


@cache
def arguments_of(operation_id: str) -> Arguments:
    """What an operation takes. `AssertionError` where two of its arguments have the same name."""
    route = operation_route(operation_id)
    takes = route.dependant
    properties: dict[str, Schema] = {}
    required: set[str] = set()

    def add(name: str, schema: Schema, *, is_required: bool) -> str:
        assert name not in properties, f"{operation_id} takes {name} twice"
        properties[name] = schema
        if is_required:
            required.add(name)
        return name

    path = [add(one.alias, _of_parameter(one), is_required=True) for one in takes.path_params]
    query: list[str] = []
    for one in takes.query_params:
        model = one.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            of_model = _inlined(model.model_json_schema())
            names = of_model["properties"]
            wanted = of_model.get("required", ())
            query += [add(name, _without_null(names[name]), is_required=name in wanted) for name in names]
        else:
            query.append(add(one.alias, _of_parameter(one), is_required=one.field_info.is_required()))
    declared = [one for one in (route.openapi_extra or {}).get("parameters", ()) if one["in"] == "query"]
    for one in declared:
        add(one["name"], {**one["schema"], "description": one["description"]}, is_required=False)
    body: list[str] = []
    for one in takes.body_params:
        of_model = _inlined(one.field_info.annotation.model_json_schema())  # type: ignore[union-attr]  # a RequestModel
        wanted = of_model.get("required", ())
        body += [add(name, schema, is_required=name in wanted) for name, schema in of_model["properties"].items()]
    return Arguments(
        properties,
        frozenset(required),
        frozenset(path),
        frozenset(query) | frozenset(one["name"] for one in declared),
        frozenset(one["name"] for one in declared),
        frozenset(body),
        bool(takes.body_params),
    )


def _of_parameter(parameter: Any) -> Schema:
    schema = _without_null(_inlined(parameter._type_adapter.json_schema()))
    description = parameter.field_info.description
    return {**schema, "description": description} if description else schema


def _without_null(schema: Schema) -> Schema:
    """The schema of a parameter that may be left out, which is not to be null."""
    choices = schema.get("anyOf")
    rest = {name: value for name, value in schema.items() if name != "default" or value is not None}
    if choices is None:
        return rest
    others = [one for one in choices if one != {"type": "null"}]
    if len(others) > 1 or len(others) == len(choices):
        return {**rest, "anyOf": others}
    del rest["anyOf"]
    return {**others[0], **rest}


def _inlined(schema: Schema, *, without: Collection[str] = ()) -> Schema:
    """A schema with what it refers to in place of the references, without titles and the keywords `without`.

    `RecursionError` for a schema that contains itself: no operation has one.
    """
    parts: Mapping[str, Schema] = schema.get("$defs", {})
    dropped = _LEFT_OUT | {"$defs"} | set(without)

    def of_map(schemas: Mapping[str, Any]) -> dict[str, Any]:
        return {name: inline(one) for name, one in schemas.items()}

    def inline(one: Any) -> Any:
        if isinstance(one, list):
            return [inline(each) for each in one]
        if not isinstance(one, dict):
            return one
        if "$ref" in one:
            part = {**parts[one["$ref"].removeprefix("#/$defs/")], **one}
            del part["$ref"]
            return inline(part)
        return {
            name: of_map(value) if name == "properties" else inline(value)
            for name, value in one.items()
            if name not in dropped
        }

    inlined: Schema = inline(schema)
    return inlined


@cache
def _answer(operation_id: str) -> Schema:
    response = operation_route(operation_id).response_field
    assert response is not None, "the operation answers JSON"
    schema: Schema = response._type_adapter.json_schema(mode="serialization")
    return schema


def answer_schema(operation_id: str, *, is_brief: bool = False) -> Schema:
    """The schema of all that an operation answers; a brief one doesn't describe its fields."""
    return _inlined(_answer(operation_id), without=("examples", *(["description"] if is_brief else [])))


def item_schema(operation_id: str) -> Schema:
    """The brief schema of an object of a list: of its `data`, or of an array."""
    schema = answer_schema(operation_id, is_brief=True)
    items: Schema = schema["items"] if "items" in schema else schema["properties"]["data"]["items"]
    return items


def merged(schemas: Iterable[Schema]) -> Schema:
    """One object schema for objects of several kinds: the fields of all of them; those that all want are wanted."""
    found: dict[str, list[Schema]] = {}
    required: list[set[str]] = []
    for schema in schemas:
        required.append(set(schema.get("required", ())))
        for name, one in schema["properties"].items():
            shapes = found.setdefault(name, [])
            if all(_shape(one) != _shape(known) for known in shapes):
                shapes.append(one)
    properties = {name: shapes[0] if len(shapes) == 1 else _one_of(shapes) for name, shapes in found.items()}
    common = set.intersection(*required)
    return {"type": "object", "properties": properties, "required": [name for name in properties if name in common]}


def _one_of(shapes: list[Schema]) -> Schema:
    """A schema for values of several: one enumeration of all texts, one list of all items, else any of them."""
    if all("enum" in one for one in shapes):
        return {"type": "string", "enum": list(dict.fromkeys(text for one in shapes for text in one["enum"]))}
    if all(one.get("type") == "array" and "properties" in one["items"] for one in shapes):
        return {"type": "array", "items": merged(one["items"] for one in shapes)}
    return {"anyOf": shapes}


def _described(schema: Schema, as_in: Schema) -> Schema:
    return {**schema, "description": as_in["description"]} if "description" in as_in else schema


def _shape(schema: Any) -> Any:
    """A schema without what describes it."""
    if isinstance(schema, dict):
        return {name: _shape(value) for name, value in schema.items() if name not in {"description", "examples"}}
    return schema


def input_schema(
    *operation_ids: str,
    without: Collection[str] = (),
    required: Collection[str] = (),
    first: Mapping[str, Schema] | None = None,
) -> Schema:
    """The input schema of a tool: what its operations take, flat, but for `without`, behind the tool's `first` own.

    Of several operations the first that takes an argument describes it, and enumerations are those of all. Wanted are
    what the first operation wants and `required`.
    """
    found: dict[str, list[Schema]] = {}
    for one in operation_ids:
        for name, schema in arguments_of(one).properties.items():
            if name not in without:
                shapes = found.setdefault(name, [])
                if all(_shape(schema) != _shape(known) for known in shapes):
                    shapes.append(schema)
    properties = dict(first or {}) | {
        name: shapes[0] if len(shapes) == 1 else _described(_one_of(shapes), shapes[0])
        for name, shapes in found.items()
    }
    wanted = set(required) | (arguments_of(operation_ids[0]).required - set(without) if operation_ids else set())
    return object_schema(properties, [name for name in properties if name in wanted])


def object_schema(properties: Mapping[str, Schema], required: Collection[str] = ()) -> Schema:
    """The schema of an object with these properties and no others."""
    schema: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    return {**schema, "required": list(required)} if required else schema


async def raw_answer(call: Call, operation_id: str, given: Mapping[str, Any] | None = None) -> Raw:
    """What an operation answers, as the JSON text that it is. `given` may have more than the operation takes.

    Raises what the operation refuses, and `RESULT_TOO_LARGE`.
    """
    return Raw(await _text(call, operation_id, given or {}, None))


async def fields_of_answer(call: Call, operation_id: str, given: Mapping[str, Any] | None = None) -> dict[str, Raw]:
    """As `raw_answer`, of an operation that answers an object: its fields, each as the JSON text that it is."""
    return _FIELDS.decode(await _text(call, operation_id, given or {}, None))


async def page_of_answer(call: Call, operation_id: str, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """`data`, `total`, `page`, `limit` and `nextPage` of a list that the operation gives by pages."""
    return of_page(Response(await _text(call, operation_id, given or {}, None)))


async def slice_of_answer(call: Call, operation_id: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The same of a list that the operation answers whole: the page that `given` asks for (`page`, `limit`)."""
    page, limit = page_of(given)
    part = Part((page - 1) * limit, limit)
    arguments = {name: value for name, value in given.items() if name not in PAGING}
    found = _ROWS.decode(await _text(call, operation_id, arguments, part))
    if part.total is None:  # it isn't one of those that are cut while they are read
        return of_rows(found, page, limit)
    return page_data(found, part.total, page, limit)


#: Objects of a page unless asked for.
PAGE_SIZE: Final = 25
MAX_PAGE: Final = 100
#: The arguments of a list that is given by pages.
PAGING: Final[Mapping[str, Schema]] = {
    "page": {"type": "integer", "minimum": 1, "default": 1, "description": "Page number (1-indexed)"},
    "limit": {
        "type": "integer",
        "minimum": 1,
        "maximum": MAX_PAGE,
        "default": PAGE_SIZE,
        "description": "Maximum number of items per page",
    },
}


def page_of(given: Mapping[str, Any]) -> tuple[int, int]:
    """The page number and the size of a page that are asked for."""
    return int(given.get("page", 1)), int(given.get("limit", PAGE_SIZE))


async def _text(call: Call, operation_id: str, given: Mapping[str, Any], part: Part | None) -> bytes:
    async def admit(is_stale: bool) -> Principal:
        if is_stale:
            raise CredentialRevokedError  # the whole request is run again, as whoever it is then
        return call.caller.principal

    caller = replace(call.caller, admit=admit, part=part)
    arguments = arguments_of(operation_id).split(given)
    response = await run_operation(operation_route(operation_id), caller, call.app, **arguments)
    if not isinstance(response, StreamingResponse):
        return bytes(response.body)
    pieces, size = [], 0
    async for piece in response.body_iterator:
        assert isinstance(piece, bytes)
        pieces.append(piece)
        size += len(piece)
        if size > MAX_RESULT * _MOST_BYTES:
            raise RESULT_TOO_LARGE.error(maxLength=MAX_RESULT)
    return b"".join(pieces)
