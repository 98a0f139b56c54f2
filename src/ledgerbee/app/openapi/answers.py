"""Answers in the document: what errors look like, an example of each answer, and the headers that come along."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from ledgerbee.app.openapi.details import details_of
from ledgerbee.app.openapi.samples import sample
from ledgerbee.core.errors import LedgerBeeError, invalid
from ledgerbee.http.envelope import INTERNAL_ERROR, RETRY_AFTER
from ledgerbee.http.operation import ErrorResponse, Operation
from ledgerbee.http.wire import EXAMPLE_ID
from ledgerbee.platform.credentials.model import INSUFFICIENT_PERMISSIONS, UNAUTHORIZED
from ledgerbee.platform.db import DATABASE_UNAVAILABLE

#: What any write can answer, beyond what the operation says of itself.
_EVERY_WRITE: Final = {
    "409": "`IDEMPOTENCY_KEY_REUSED`: the key was used with another request. `IDEMPOTENCY_KEY_IN_USE`: it still runs",
    "413": "`PAYLOAD_TOO_LARGE`: the body is larger than {size}",
    "415": "`UNSUPPORTED_MEDIA_TYPE`: the body must be application/json",
}
#: A code and its meaning in the description of an answer, as `operation` and `_EVERY_WRITE` put them there.
_CODE: Final = re.compile(r"`([A-Z][A-Z_.]+)`: ([^`]*?)\.?(?= `|$)")

_TEXT: Final = {"type": "string"}
#: Headers of answers, by their names (contract 1.1, 1.2, 1.6; decisions "Base").
HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": {
        "description": "The request's id, in the log too. It is the one that was sent, or a new one.",
        "schema": _TEXT,
    },
    "X-API-Key-Expires-At": {
        "description": "When the API key expires. Only with a key that does.",
        "schema": {"type": "string", "format": "date-time"},
    },
    "Idempotent-Replayed": {
        "description": "`true` on the kept answer to an earlier request with the same `x-api-idempotency-key`.",
        "schema": {"type": "string", "enum": ["true"]},
    },
    "Deprecation": {"description": "The operation will be shut down.", "schema": {"type": "string", "enum": ["true"]}},
    "Sunset": {"description": "The day of its shutdown.", "schema": {"type": "string", "format": "date"}},
    "Link": {"description": "What to use instead, as `successor-version`.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait before the next try.", "schema": _TEXT},
    "WWW-Authenticate": {"description": "How to authenticate (RFC 6750).", "schema": _TEXT},
}


def complete_answers(method: str, operation: dict[str, Any], facts: Operation) -> None:
    """Add the answers that every operation of its kind has, and the headers of each."""
    answers = operation["responses"]
    answers.pop("422", None)
    if method in {"post", "put", "patch"}:
        for status, text in _of_writes(operation, facts).items():
            if known := answers.get(status):
                known["description"] += ". " + text
            else:
                answers[status] = {**answers["500"], "description": text}
    operation["responses"] = answers = dict(sorted(answers.items()))
    for status, answer in answers.items():
        headers = {name: {"$ref": f"#/components/headers/{name}"} for name in _headers(method, status, facts)}
        answer["headers"] = {**headers, **answer.get("headers", {})}


def _of_writes(operation: Mapping[str, Any], facts: Operation) -> dict[str, str]:
    texts = {status: text.format(size=_size(facts.max_body)) for status, text in _EVERY_WRITE.items()}
    if facts.public:
        return {"413": texts["413"]}
    taken = operation.get("requestBody", {}).get("content", {"application/json": {}})
    return texts if "application/json" in taken else _stream(taken)


def _size(limit: int) -> str:
    return f"{limit // 2**20} MB" if limit >= 2**20 else f"{limit // 2**10} KB"


def _stream(media_types: Iterable[str]) -> dict[str, str]:
    """`_EVERY_WRITE` of an operation whose body is a file."""
    return _EVERY_WRITE | {
        "413": "`PAYLOAD_TOO_LARGE`: the body is larger than LEDGERBEE_MAX_IMPORT_MB",
        "415": f"`UNSUPPORTED_MEDIA_TYPE`: the body must be {', '.join(media_types)}",
    }


def _headers(method: str, status: str, facts: Operation) -> Iterable[str]:
    yield "X-Request-Id"
    if not facts.public and status != "401":
        yield "X-API-Key-Expires-At"
    if not facts.public and status.startswith("2") and method in {"post", "put", "patch"}:
        yield "Idempotent-Replayed"
    if facts.deprecation:
        yield from ("Deprecation", "Sunset", "Link")
    if int(status) in RETRY_AFTER:
        yield "Retry-After"
    if status == "401":
        yield "WWW-Authenticate"


def exemplify_answers(path: str, operation: dict[str, Any], facts: Operation, schemas: Mapping[str, Any]) -> None:
    """Give each answer an example: an error one for each code it can have, with the operation's own path."""
    for status, answer in operation["responses"].items():
        media = answer.get("content", {}).get("application/json", {})
        if "schema" not in media:
            continue
        if media["schema"] != {"$ref": f"#/components/schemas/{ErrorResponse.__name__}"}:
            media.setdefault("example", sample(media["schema"], schemas))
            continue
        media = {**media, "examples": dict(_errors(path, status, answer["description"], operation, facts, schemas))}
        answer["content"] = {"application/json": media}


def _errors(
    path: str,
    status: str,
    description: str,
    operation: Mapping[str, Any],
    facts: Operation,
    schemas: Mapping[str, Any],
) -> Iterable[tuple[str, dict[str, Any]]]:
    shared = _everywhere(operation, facts, schemas).get(status)
    found = [(shared.code, shared.message, shared.details)] if shared else []
    found += [
        (code, meaning, details_of(code, path, operation, schemas, facts.max_body))
        for code, meaning in _CODE.findall(description)
        if shared is None or code != shared.code
    ]
    address = re.sub(r"\{\w+\}", EXAMPLE_ID, path)
    for code, message, details in found:
        example = ErrorResponse(
            statusCode=int(status),
            timestamp="2026-03-16T12:00:00.000Z",
            path=address,
            message=message,
            code=code,
            details=details,
        )
        yield code, {"value": example.model_dump()}


def _everywhere(
    operation: Mapping[str, Any], facts: Operation, schemas: Mapping[str, Any]
) -> dict[str, LedgerBeeError]:
    """What any operation can answer: an error as it would be raised, by status."""
    return {
        "400": invalid(_fault(operation, schemas)),
        "401": UNAUTHORIZED.error(),
        "403": INSUFFICIENT_PERMISSIONS.error(**_missing(facts)),
        "500": INTERNAL_ERROR.error(requestId="01930000000070008000000000000000"),
        "503": DATABASE_UNAVAILABLE.error(),
    }


def _missing(facts: Operation) -> dict[str, Any]:
    if facts.api_key_only:
        return {"reason": "endpoint_requires_api_key_auth"}
    return {"requiredScopes": [facts.scope]} if facts.scope else {}


def _fault(operation: Mapping[str, Any], schemas: Mapping[str, Any]) -> tuple[str, str, str]:
    """A mistake that this operation's caller can make: property, rule and text (contract 1.5)."""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            return parameter["name"], "isUuid", f"{parameter['name']} must be a UUID"
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    named = schemas.get(str(body.get("$ref", "")).rpartition("/")[2], {})
    for name in named.get("required", ()):
        return name, "isDefined", f"{name} should not be null or undefined"
    if any(parameter["name"] == "limit" for parameter in operation.get("parameters", ())):
        return "limit", "max", "limit must not be greater than 100"
    return "extra", "whitelistValidation", "extra should not exist"
