"""The committed OpenAPI document is the application's."""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import httpx
import jsonschema_rs
import pytest
from tests.contract.operations import OPERATIONS, Row
from tests.document import DOCUMENT

from ledgerbee.app.main import create_api, openapi_document
from ledgerbee.platform.credentials.model import SCOPES

SCHEMAS: Final = DOCUMENT["components"]["schemas"]
by_row: Final = pytest.mark.parametrize("row", OPERATIONS, ids=str)
AN_ID: Final = "550e8400-e29b-41d4-a716-446655440000"


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Path, method and operation, in the document's order."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def operation_of(row: Row) -> dict[str, Any]:
    return dict(DOCUMENT["paths"][row.path.partition("?")[0]][row.method.lower()])


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a part of the document."""
    if isinstance(node, dict):
        yield node
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(value)


def test_the_committed_document_is_what_the_application_says() -> None:
    assert openapi_document() == DOCUMENT, "run `make openapi`"


async def test_the_application_answers_it_as_it_is_committed_and_builds_none() -> None:
    """Building takes seconds, and would take them from everybody whom the process has to answer."""
    api = create_api()
    transport = httpx.ASGITransport(api)
    async with httpx.AsyncClient(transport=transport, base_url="http://ledgerbee.test") as http:
        answer = await http.get("/api/openapi.json")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
        assert answer.json() == DOCUMENT
        assert answer.headers["cache-control"] == "no-cache"
        etag = answer.headers["etag"]
        for known, status in ((etag, 304), (f'"another", W/{etag}', 304), ("*", 304), ('"another"', 200)):
            again = await http.get("/api/openapi.json", headers={"if-none-match": known})
            assert (again.status_code, again.headers["etag"]) == (status, etag)
            assert again.content == (b"" if status == 304 else answer.content)
    assert api.openapi_schema is None


def test_names_are_the_apis_not_the_codes() -> None:
    """No schema is called after a module or a generic class, and no property after a Python name."""
    assert [name for name in SCHEMAS if not re.fullmatch(r"[A-Z][A-Za-z0-9]+", name)] == []
    properties = [(name, field) for name, schema in SCHEMAS.items() for field in schema.get("properties", {}).items()]
    assert [(name, field) for name, (field, schema) in properties if "title" in schema] == []


def test_every_error_has_examples_of_its_own_codes_and_path() -> None:
    for path, method, operation in operations():
        for status, answer in operation["responses"].items():
            media = answer.get("content", {}).get("application/json", {})
            if media.get("schema") != {"$ref": "#/components/schemas/ErrorResponse"}:
                continue
            assert media["examples"], (path, status)
            assert set(re.findall(r"`([A-Z][A-Z_.]+)`: ", answer["description"])) <= set(media["examples"])
            address = re.sub(r"\{\w+\}", AN_ID, path)
            for code, shown in media["examples"].items():
                body = shown["value"]
                assert (body["statusCode"], body["code"], body["path"]) == (int(status), code, address), (method, path)


def test_a_query_parameter_is_given_or_left_out() -> None:
    """None can be null (the reference has no such parameter), and the console sends none that nobody filled in."""
    for address, _, operation in operations():
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            assert {"type": "null"} not in schema.get("anyOf", []), (address, parameter)
            assert "title" not in schema, (address, parameter)
            assert schema.get("type") != "object" or parameter["example"] == {}, (address, parameter)


def test_where_blank_means_null_the_document_takes_it() -> None:
    for name in ("CreateContactRequest", "UpdateCustomerRequest", "CreateVendorRequest", "UpdateCompanyRequest"):
        fields = SCHEMAS[name]["properties"]
        assert {"type": "string", "maxLength": 1000} in fields["phone"]["anyOf"], name
        assert {"type": "string", "pattern": r"^\s*$"} in fields["email"]["anyOf"], name


@by_row
def test_an_operation_says_all_of_itself(row: Row) -> None:
    operation = operation_of(row)
    assert operation["tags"] == [row.tag]
    assert operation["summary"] == row.title
    assert operation["description"]
    assert operation.get("x-extension", False) != row.documented
    if row.public:
        assert operation["security"] == []
    elif row.path == "/v1/api-key":  # the one operation that takes no token
        assert operation["security"] == [{"apiKey": []}]
    else:
        assert operation["security"] == [{"apiKey": []}, {"oauth2": [row.scope]}]
        assert f"- `{row.scope}`" in operation["description"]


@by_row
def test_an_operation_has_an_example_of_its_answer_and_of_its_request(row: Row) -> None:
    operation = operation_of(row)
    (answer,) = [answer for status, answer in operation["responses"].items() if status == str(row.success)]
    if "application/json" in answer.get("content", {}) and answer["content"]["application/json"].get("schema"):
        assert "example" in answer["content"]["application/json"]
    for media in operation.get("requestBody", {}).get("content", {}).values():
        assert "example" in media


@by_row
def test_an_answer_names_its_headers(row: Row) -> None:
    operation = operation_of(row)
    for status, answer in operation["responses"].items():
        headers = set(answer["headers"])
        assert "X-Request-Id" in headers
        assert ("X-API-Key-Expires-At" in headers) == (not row.public and status != "401")
        assert ("Idempotent-Replayed" in headers) == (row.writes and not row.public and status.startswith("2"))
        assert ("Retry-After" in headers) == (status in {"429", "503", "507"})
        assert ("Sunset" in headers) == (row.tag == "Draft Journal Entries")
        for header in answer["headers"].values():
            assert "$ref" not in header or header["$ref"].rpartition("/")[2] in DOCUMENT["components"]["headers"]


@pytest.mark.parametrize("path", ["/v1/auth/token", "/v1/oauth/revoke"])
def test_the_limit_of_calls_is_shown_as_it_is_answered(path: str) -> None:
    answer = DOCUMENT["paths"][path]["post"]["responses"]["429"]
    assert answer["content"]["application/json"]["example"] == {
        "error": "invalid_client",
        "error_description": "Rate limit exceeded. Try again later.",
    }


def test_resources_and_operations_stand_in_the_references_order() -> None:
    """The rows do; a resource's extensions come after its documented paths."""
    documented = [(row.tag, f"{row.method} {row.path}") for row in OPERATIONS if row.documented]
    shown = [
        (operation["tags"][0], f"{method.upper()} {path}")
        for path, method, operation in operations()
        if "x-extension" not in operation
    ]
    tags = list(dict.fromkeys(tag for tag, _ in documented))
    assert list(dict.fromkeys(tag for tag, _ in shown)) == tags
    for tag in tags:
        assert [name for each, name in shown if each == tag] == [name for each, name in documented if each == tag]
    for tag in tags:
        extensions = [
            all("x-extension" in operation for operation in methods.values())
            for methods in DOCUMENT["paths"].values()
            if next(iter(methods.values()))["tags"] == [tag]
        ]
        assert extensions == sorted(extensions), tag


def test_every_tag_is_used_and_described() -> None:
    used = list(dict.fromkeys(operation["tags"][0] for _, _, operation in operations()))
    assert [tag["name"] for tag in DOCUMENT["tags"]] == used, (
        "`RESOURCES` of app/openapi/resources.py describes each tag"
    )
    assert all(tag["description"].endswith(".") for tag in DOCUMENT["tags"])


def test_every_scope_is_listed_with_what_it_allows() -> None:
    listed = DOCUMENT["components"]["securitySchemes"]["oauth2"]["flows"]["clientCredentials"]["scopes"]
    assert list(listed) == list(SCOPES)
    assert all(listed.values())
    assert len(set(listed.values())) == len(listed)


def test_addresses_follow_the_server() -> None:
    assert [server["url"] for server in DOCUMENT["servers"]] == ["/api"]
    assert [path for path in DOCUMENT["paths"] if not re.match(r"/v\d+/", path)] == []


def test_every_property_and_parameter_is_described() -> None:
    silent = [
        (name, field)
        for name, schema in SCHEMAS.items()
        for field, described in schema.get("properties", {}).items()
        if not described.get("description")
    ]
    silent += [
        (path, parameter["name"])
        for path, _, operation in operations()
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    silent += [
        (path, field)
        for path, _, operation in operations()
        for media in operation.get("requestBody", {}).get("content", {}).values()
        for field, described in media["schema"].get("properties", {}).items()
        if not described.get("description")
    ]
    assert silent == []


def test_every_schema_is_used() -> None:
    shown = (DOCUMENT["paths"], DOCUMENT["webhooks"])
    left = [node["$ref"] for part in shown for node in nodes(part) if isinstance(node.get("$ref"), str)]
    used: set[str] = set()
    while left:
        name = left.pop().rpartition("/")[2]
        if name in SCHEMAS and name not in used:
            used.add(name)
            left += [node["$ref"] for node in nodes(SCHEMAS[name]) if isinstance(node.get("$ref"), str)]
    assert set(SCHEMAS) == used


def test_numbers_are_called_numbers() -> None:
    """As in the reference; what is sent as a whole number says so."""
    assert [node for node in nodes(DOCUMENT) if node.get("type") == "integer"] == []


def test_what_is_sent_states_its_limits() -> None:
    """Texts and lists have a greatest length, numbers a greatest and a least value. Ids have their form."""
    unlimited = [
        (name, field)
        for name, field, schema in sent_fields()
        if field != "id" and not field.endswith("Id") and any(map(lacks_limits, leaves(schema)))
    ]
    assert unlimited == []


def sent_fields() -> Iterator[tuple[str, str, dict[str, Any]]]:
    left = [node["$ref"] for _, _, each in operations() for node in nodes(each.get("requestBody")) if "$ref" in node]
    seen: set[str] = set()
    while left:
        name = left.pop().rpartition("/")[2]
        if name not in seen:
            seen.add(name)
            left += [node["$ref"] for node in nodes(SCHEMAS[name]) if "$ref" in node]
            yield from ((name, field, schema) for field, schema in SCHEMAS[name].get("properties", {}).items())


def leaves(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for choice in schema.get("anyOf", [schema]):
        if "anyOf" in choice:
            yield from leaves(choice)
        else:
            yield choice


def lacks_limits(schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    if kind == "array":
        return "maxItems" not in schema
    if kind == "number":
        return not schema.keys() & {"maximum", "exclusiveMaximum"} or not schema.keys() & {
            "minimum",
            "exclusiveMinimum",
        }
    return kind == "string" and not schema.keys() & {"maxLength", "pattern", "format", "enum", "const"}


#: Of operations that are called by what they do, the verb of their model, by the start of the path's last part.
OWN_VERBS: Final = {
    "charges": "Create", "refunds": "Create",
    "advance": "Advance", "apply": "Apply|Create", "cancel": "Cancel", "convert": "Convert", "events": "Report|Send",
    "pause": "Hold",
    "preview": "Preview", "recognize": "Recognize", "report": "Report", "resume": "Hold", "reverse": "Reverse",
}  # fmt: skip


def test_requests_are_named_after_what_they_do() -> None:
    """A create's model is Create...Request, a change's Update...Request; other verbs have their own."""
    for path, method, operation in operations():
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        if not name:
            continue
        verbs = {"put": "Update|Upsert", "patch": "Update", "post": "Create"}[method]
        if method == "post" and re.search(r"\}/[a-z-]+$|batch$", path) and operation["responses"].get("201") is None:
            verbs = "Send|Reverse|Answer|Draft|Replay"
        last = path.rpartition("/")[2].partition("-")[0]
        verbs = OWN_VERBS.get(last, verbs)
        assert re.fullmatch(rf"({verbs})[A-Z]\w+Request", name), (method, path, name)


def examples() -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Every example in the document: where it is, its schema, and the example."""
    yield from examples_of_fields()
    for path, method, operation in operations():
        for parameter in operation.get("parameters", []):
            for example in [parameter.get("example"), *parameter["schema"].get("examples", [])]:
                if example is not None:
                    yield f"{method} {path} {parameter['name']}", parameter["schema"], example
        for where in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for media in where.get("content", {}).values():
                shown = [media["example"]] if "example" in media else []
                shown += [each["value"] for each in media.get("examples", {}).values()]
                for example in shown:
                    yield f"{method} {path}", media["schema"], example


def examples_of_fields() -> Iterator[tuple[str, dict[str, Any], Any]]:
    for name, schema in SCHEMAS.items():
        for field, described in schema.get("properties", {}).items():
            for node in nodes(described):
                for example in node.get("examples", []):
                    yield f"{name}.{field}", node, example


def test_no_example_contradicts_its_schema() -> None:
    wrong = []
    count = 0
    document = jsonschema_rs.Registry([("urn:document", {"components": {"schemas": SCHEMAS}})])
    for where, schema, example in examples():
        count += 1
        filled = json.loads(re.sub(r"\{\w+\}", AN_ID, json.dumps(example)))
        referring = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
        validator = jsonschema_rs.Draft202012Validator(referring, validate_formats=True, registry=document)
        wrong += [(where, fault.message) for fault in validator.iter_errors(filled)]
    assert count > 1_000
    assert wrong == []


def test_examples_of_errors_have_the_details_of_their_family() -> None:
    """What an error tells that ends alike stands in its example too (docs/reference/errors.md)."""
    keys = {"_ALREADY_EXISTS": {"property", "value"}, "_INVALID_STATE": {"status"}, "_IN_USE": {"usedBy"}}
    seen = set()
    for _, _, operation in operations():
        for answer in operation["responses"].values():
            examples = answer.get("content", {}).get("application/json", {}).get("examples", {})
            for code, example in examples.items():
                for end, wanted in keys.items():
                    if code.endswith(end) and code != "IDEMPOTENCY_KEY_IN_USE":
                        assert example["value"]["details"].keys() >= wanted, code
                        seen.add(end)
    assert seen == keys.keys()
