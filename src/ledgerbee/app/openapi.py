"""The OpenAPI document: the product's face (contract 1; the reference's order of tags)."""

import re
from collections.abc import Iterable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from ledgerbee import __version__
from ledgerbee.core.errors import invalid
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS, UNAUTHORIZED
from ledgerbee.platform.db import DATABASE_UNAVAILABLE
from ledgerbee.platform.http.body_limits import SMALL_BODY
from ledgerbee.platform.http.envelope import INTERNAL_ERROR
from ledgerbee.platform.http.operation import ErrorResponse

#: Tags in the reference's order, with what each resource is.
TAGS: Final[tuple[tuple[str, str], ...]] = (
    ("Accounts", "The chart of accounts."),
    ("API Key", "The key that a request was made with, and the company's other keys."),
    ("Company", "The company behind the credential."),
    ("Customers", "Who buys: customers, their groups, contacts and departments."),
    ("Document Templates", "How invoices, credit notes, quotes and order confirmations look."),
    ("Journal Categories", "Which kinds of entry may be posted where."),
    ("Journal Entries", "The ledger: balanced, numbered, immutable entries."),
    (
        "Product Groups",
        "Product-group ledger-account mappings: a product's group decides the revenue account in each VAT zone.",
    ),
    ("Product Prices", "What a product costs: flat, package, volume and graduated prices."),
    ("Products", "What is sold."),
    ("VAT Codes", "Rates, principles and accounts of VAT."),
    ("Draft Journal Entries", "Entries that are entered but not posted yet. Deprecated: their successors are in v2."),
    ("Invoices", "From draft to booked, delivered and paid."),
    ("Vendors", "Who is bought from: vendors, their groups, contacts and departments."),
    (
        "Draft Journal Entries (v2)",
        "Entries that are entered but not posted yet; the receivable or payable is added by the system.",
    ),
    ("Journal Entries (v2)", "Posting entries; the receivable or payable is added by the system."),
    ("Reports", "What the ledger says."),
    ("Exchange Rates", "What a foreign currency is worth: published rates and the company's own."),
    ("OAuth", "OAuth 2.0 clients and their access tokens."),
)
_DESCRIPTION: Final = """
Accounting and billing in one: every commercial event ends, in the same transaction, as a balanced, immutable
journal entry. An independent implementation of the LedgerBee public API.

Authenticate with an `x-api-key` header or an OAuth 2.0 bearer token. Money in answers is a decimal string at the
currency's minor units; in requests a number or a decimal string. Every `POST`, `PATCH` and `PUT` takes an
`x-api-idempotency-key`. Operations marked `x-extension` go beyond the original API.
""".strip()


#: What any write can answer, beyond what the operation says of itself.
_EVERY_WRITE: Final = {
    "409": "`IDEMPOTENCY_KEY_REUSED`: the key was used with another request. `IDEMPOTENCY_KEY_IN_USE`: it still runs",
    "413": "`PAYLOAD_TOO_LARGE`: the body is larger than {megabytes} MB",
    "415": "`UNSUPPORTED_MEDIA_TYPE`: the body must be application/json",
}

#: What any operation can answer: an error as it would be raised, by status.
_EVERYWHERE: Final = {
    "400": invalid(("name", "isString", "name must be a string")),
    "401": UNAUTHORIZED.error(),
    "403": INSUFFICIENT_PERMISSIONS.error(requiredScopes=["products-read"]),
    "500": INTERNAL_ERROR.error(requestId="01930000000070008000000000000000"),
    "503": DATABASE_UNAVAILABLE.error(),
}
#: A code and its meaning in the description of an answer, as `operation` and `_EVERY_WRITE` put them there.
_CODE: Final = re.compile(r"`([A-Z][A-Z_.]+)`: ([^`]*?)\.?(?= `|$)")


def _stream(media_types: Iterable[str]) -> dict[str, str]:
    """`_EVERY_WRITE` of an operation whose body is a file."""
    return _EVERY_WRITE | {
        "413": "`PAYLOAD_TOO_LARGE`: the body is larger than LEDGERBEE_MAX_IMPORT_MB",
        "415": f"`UNSUPPORTED_MEDIA_TYPE`: the body must be {', '.join(media_types)}",
    }


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
        tags=[{"name": name, "description": text} for name, text in TAGS],
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
        "oauth2": {
            "type": "oauth2",
            "flows": {"clientCredentials": {"tokenUrl": "/api/v1/auth/token", "scopes": {}}},
        },
    }
    document["security"] = [{"apiKey": []}, {"oauth2": []}]
    schemas = components["schemas"]
    for schema in ("HTTPValidationError", "ValidationError"):
        schemas.pop(schema, None)
    schemas[ErrorResponse.__name__] = ErrorResponse.model_json_schema()
    for schema in schemas.values():
        for field in schema.get("properties", {}).values():
            field.pop("title", None)  # Pydantic's: the name again, in a spelling of its own
    components["schemas"] = dict(sorted(schemas.items()))
    _require_bodies(document)
    components["examples"] = {}
    for path in document["paths"].values():
        for method, operation in path.items():
            _tidy(method, operation)
            for status, answer in operation["responses"].items():
                _exemplify(status, answer, components["examples"])
    return document


def _require_bodies(document: dict[str, Any]) -> None:
    """A JSON body is required where one of its fields is: none is the same as an object without fields."""
    for path in document["paths"].values():
        for operation in path.values():
            media = operation.get("requestBody", {}).get("content", {}).get("application/json")
            if media is not None:
                schema = document["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]
                operation["requestBody"]["required"] = bool(schema.get("required"))


def _exemplify(status: str, answer: dict[str, Any], examples: dict[str, Any]) -> None:
    """Give an answer that is an error an example for each code it can have, from `examples` and added to them."""
    media = answer.get("content", {}).get("application/json", {})
    if media.get("schema") != {"$ref": f"#/components/schemas/{ErrorResponse.__name__}"}:
        return
    shared = _EVERYWHERE.get(status)
    errors = [(shared.code, shared.message, shared.details)] if shared else []
    errors += [(code, meaning, {}) for code, meaning in _CODE.findall(answer["description"])]
    for code, message, details in errors:
        example = ErrorResponse(
            statusCode=int(status),
            timestamp="2024-01-15T10:30:00.000Z",
            path="/v1/customers",
            message=message,
            code=code,
            details=details,
        )
        examples.setdefault(code, {"value": example.model_dump()})
    shown = {code: {"$ref": f"#/components/examples/{code}"} for code, _, _ in errors}
    answer["content"] = {"application/json": {**media, "examples": shown}}


def _tidy(method: str, operation: dict[str, Any]) -> None:
    facts = operation.pop("x-ledgerbee-operation", {})  # FastAPI has made a dict of it
    megabytes = facts.get("max_body", SMALL_BODY) // 2**20
    operation["responses"].pop("422", None)
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _given(parameter["schema"])
    if method in {"post", "put", "patch"} and operation.get("security") == []:
        operation["responses"]["413"] = {
            **operation["responses"]["500"],
            "description": _EVERY_WRITE["413"].format(megabytes=megabytes),
        }
    elif method in {"post", "put", "patch"}:
        taken = operation.get("requestBody", {}).get("content", {"application/json": {}})
        for status, template in (_EVERY_WRITE if "application/json" in taken else _stream(taken)).items():
            text = template.format(megabytes=megabytes)
            known = operation["responses"].get(status)
            if known is None:
                operation["responses"][status] = {**operation["responses"]["500"], "description": text}
            else:
                known["description"] += ". " + text
        operation["responses"] = dict(sorted(operation["responses"].items()))
        operation.setdefault("parameters", []).append(
            {
                "name": "x-api-idempotency-key",
                "in": "header",
                "required": False,
                "description": "The same key with the same request does its work once. Kept for 24 hours.",
                "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": r"^[\x21-\x7e]+$"},
            }
        )


def _given(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema without null: it is left out instead, as in the reference."""
    rest = {name: value for name, value in schema.items() if name not in {"anyOf", "title"}}
    choices = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    return {**choices[0], **rest} if len(choices) == 1 else {**({"anyOf": choices} if choices else {}), **rest}
