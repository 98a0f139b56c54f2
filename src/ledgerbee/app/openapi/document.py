"""Building the document from what FastAPI knows of the routes."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from ledgerbee import __version__
from ledgerbee.app.openapi.answers import HEADERS, complete_answers, exemplify_answers
from ledgerbee.app.openapi.events import describe_events
from ledgerbee.app.openapi.fields import describe_fields, print_numbers
from ledgerbee.app.openapi.requests import KEY_OF_IDS, KEY_OF_STEPS, TODAY, exemplify_request
from ledgerbee.app.openapi.resources import RESOURCES, sorted_paths
from ledgerbee.app.openapi.scopes import assignable
from ledgerbee.http.operation import ErrorResponse, Operation, operation_of

#: Where the API is, seen from the host (contract 1.1). Paths of the document and of errors leave it out.
BASE: Final = "/api"
_DESCRIPTION: Final = f"""
Accounting and billing in one: every commercial event ends, in the same transaction, as a balanced, immutable
journal entry. An independent implementation of the LedgerBee public API.

Authenticate with an `x-api-key` header or an OAuth 2.0 bearer token. Money in answers is a decimal string at the
currency's minor units; in requests a number or a decimal string. Every `POST`, `PATCH` and `PUT` takes an
`x-api-idempotency-key`. Operations marked `x-extension` go beyond the original API.

A long answer comes in chunks, without `Content-Length`, and is read as the client takes it. A connection that ends
before the last chunk has brought half an answer: ask again.

## Examples

Each example of a request works as it is in a new Danish company. A name in braces, such as `{{customerId}}`, stands for
an id: the operation says which one, and `{KEY_OF_IDS}` and `{KEY_OF_STEPS}` say it for programs. `{TODAY}` stands
for today.
""".strip()


def describe(api: FastAPI) -> None:
    """Make `api.openapi()` return the document with tags, security and without internals."""

    def openapi() -> dict[str, Any]:
        if api.openapi_schema is None:
            api.openapi_schema = _document(api)
        return api.openapi_schema

    api.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def _document(api: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="LedgerBee Public API",
        version=__version__,
        description=_DESCRIPTION,
        routes=api.routes,
        servers=[{"url": BASE, "description": "This installation"}],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    paths = {path.removeprefix(BASE): operations for path, operations in document["paths"].items()}
    document["paths"] = paths = sorted_paths(paths)
    used = {tag for operations in paths.values() for operation in operations.values() for tag in operation["tags"]}
    document["tags"] = [{"name": each.name, "description": each.text} for each in RESOURCES if each.name in used]
    components = document.setdefault("components", {})
    components["headers"] = HEADERS
    components["securitySchemes"] = {
        "apiKey": {
            "type": "apiKey",
            "in": "header",
            "name": "x-api-key",
            "description": "A key of the company. It carries scopes, and may have an expiry and a list of addresses.",
        },
        "oauth2": {
            "type": "oauth2",
            "description": "A token of a client of the company, good for an hour.",
            "flows": {"clientCredentials": {"tokenUrl": f"{BASE}/v1/auth/token", "scopes": assignable()}},
        },
    }
    schemas = components["schemas"]
    for schema in ("HTTPValidationError", "ValidationError"):
        schemas.pop(schema, None)
    schemas[ErrorResponse.__name__] = ErrorResponse.model_json_schema()
    components["schemas"] = schemas = dict(sorted(schemas.items()))
    describe_fields(schemas)
    facts_of = {
        (route.path.removeprefix(BASE), method.lower()): operation_of(route)
        for route in api.routes
        if isinstance(route, APIRoute)
        for method in route.methods or ()
    }
    every = [
        (path, method, operation, facts)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if (facts := facts_of[path, method])
    ]
    for path, method, operation, facts in every:
        _tidy(method, operation, facts)
        _require_body(operation, schemas)
        exemplify_request(method, path, operation)
        complete_answers(method, operation, facts)
    sent = _sent(every, schemas)
    for name, schema in schemas.items():
        print_numbers(schema, sent=name in sent)
    for path, _, operation, facts in every:
        print_numbers(operation.get("parameters", []), sent=True)
        print_numbers(operation["responses"], sent=False)
        exemplify_answers(path, operation, facts, schemas)
    describe_events(document)
    return document


def _tidy(method: str, operation: dict[str, Any], facts: Operation) -> None:
    """Say who may call, and name the parameters that every operation of its kind has."""
    if not facts.public:
        token = [] if facts.api_key_only else [{"oauth2": [facts.scope] if facts.scope else []}]
        operation["security"] = [{"apiKey": []}, *token]
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _given(parameter["schema"])
    for media in operation.get("requestBody", {}).get("content", {}).values():
        media["schema"] = _given(media["schema"])
    if method in {"post", "put", "patch"} and not facts.public and not facts.keeps_keys:
        operation.setdefault("parameters", []).append(
            {
                "name": "x-api-idempotency-key",
                "in": "header",
                "required": False,
                "description": "The same key with the same request does its work once. Kept for 24 hours.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
            }
        )


def _require_body(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """A JSON body is required where one of its fields is: none is the same as an object without fields."""
    media = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if media is not None:
        schema = media["schema"]  # of a public operation its own
        known = schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        operation["requestBody"]["required"] = bool(known.get("required"))


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema without null, of what is left out instead, as in the reference."""
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "title"}}
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    return {**choices[0], **rest} if len(choices) == 1 else {**({"anyOf": choices} if choices else {}), **rest}


def _sent(every: list[tuple[str, str, dict[str, Any], Operation]], schemas: dict[str, Any]) -> set[str]:
    """Names of the schemas that requests are made of."""
    return referred_to([operation.get("requestBody", {}) for _, _, operation, _ in every], schemas)


def referred_to(node: Any, schemas: Mapping[str, Any]) -> set[str]:
    """Names of the schemas that a part of the document refers to, itself or by others."""
    found: set[str] = set()
    left = list(_references(node))
    while left:
        name = left.pop()
        if name not in found:
            found.add(name)
            left += _references(schemas[name])
    return found


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)
