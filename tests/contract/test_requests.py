"""How requests are judged, the same for every operation: query parameters, idempotency keys, no body."""

import gzip
import hashlib
import json
import re
from typing import Any, cast

import httpx
import pytest
from tests.contract.operations import OF_COMPANIES, OPERATIONS, WRITES, Row
from tests.contract.test_operations import call, path_of
from tests.contract.world import NewWorld, World
from tests.document import DOCUMENT
from tests.table_rows import rows_of

from ledgerbee.app.routes import ROUTERS
from ledgerbee.core.ids import new_id
from ledgerbee.http.partial import has_checks
from ledgerbee.http.wire import RequestModel
from ledgerbee.platform.context import Context

JSON_WRITES = [row for row in WRITES if not row.file]


def errors_of(answer: httpx.Response) -> dict[str, dict[str, str]]:
    """Constraints by property of a validation error."""
    assert (answer.status_code, answer.json().get("code")) == (400, "SHARED_VALIDATION_FAILED"), answer.text
    return {error["property"]: error["constraints"] for error in answer.json()["details"]["validationErrors"]}


def with_query(path: str, query: str) -> str:
    return f"{path}{'&' if '?' in path else '?'}{query}"


def request_model(row: Row) -> type[RequestModel] | None:
    """The model of the operation's body, None where it takes none."""
    for router in ROUTERS:
        for route in router.routes:
            if route.path == "/api" + row.path.partition("?")[0] and row.method in route.methods:
                body = route.dependant.body_params
                return cast("type[RequestModel]", body[0].field_info.annotation) if body else None
    raise AssertionError(row)


def query_names(row: Row, openapi: dict[str, Any]) -> list[str]:
    """The operation's query parameters, as the document has them."""
    operation = openapi["paths"][row.path.partition("?")[0]][row.method.lower()]
    return [one["name"] for one in operation.get("parameters", []) if one["in"] == "query"]


@pytest.fixture(scope="module")
def openapi() -> dict[str, Any]:
    return DOCUMENT


@pytest.mark.parametrize("row", OF_COMPANIES, ids=str)
async def test_an_unknown_query_parameter_is_refused(row: Row, world: World) -> None:
    before = await rows_of(world.api)
    path = with_query(path_of(row, world.ids), "noSuchParameter=1&search[]=2&noSuchParameter=3")
    answer = await call(row, world, path, world.api.key)
    assert errors_of(answer) == {
        "noSuchParameter": {"whitelistValidation": "noSuchParameter should not exist"},
        "search[]": {"whitelistValidation": "search[] should not exist"},
    }
    assert await rows_of(world.api) == before


@pytest.mark.parametrize("row", OF_COMPANIES, ids=str)
async def test_a_repeated_query_parameter_is_refused(row: Row, world: World, openapi: dict[str, Any]) -> None:
    for name in query_names(row, openapi):
        if name == "metadata":  # filters: each has a name of its own
            continue
        path = with_query(path_of(row, world.ids).partition("?")[0], f"{name}=1&{name}=1")
        answer = await call(row, world, path, world.api.key)
        assert errors_of(answer)[name] == {"arrayMaxSize": f"{name} must not be given more than once"}


@pytest.mark.parametrize("row", OF_COMPANIES, ids=str)
async def test_a_parameter_that_is_refused_hides_no_other_fault(
    row: Row, world: World, openapi: dict[str, Any]
) -> None:
    """What is wrong with the path, the other parameters and the body is told with it."""
    path = re.sub(r"\{\w+\}", "xyz", row.path).partition("?")[0]
    known = "&".join(f"{name}=~" for name in query_names(row, openapi) if name != "metadata")
    sent = row.sent(world, noSuchField=1) if row.writes else {}

    async def faults(query: str) -> dict[str, dict[str, str]]:
        answer = await world.api.request(row.method, with_query(path, query), **sent)
        return errors_of(answer) if answer.status_code == 400 else {}

    refused = "noSuchParameter=1&search[]=2"
    alone = await faults(known)
    assert set(row.id_names) <= alone.keys()
    assert ("noSuchField" in alone) == ("json" in sent)
    assert await faults(f"{known}&{refused}") == {
        **alone,
        "noSuchParameter": {"whitelistValidation": "noSuchParameter should not exist"},
        "search[]": {"whitelistValidation": "search[] should not exist"},
    }


@pytest.mark.parametrize("row", [row for row in OPERATIONS if row.takes_form], ids=str)
async def test_a_public_operation_takes_no_query_parameters(row: Row, world: World) -> None:
    answer = await world.api.http.request(row.method, f"/api{row.path}?client_id=x", data={"client_id": "x"})
    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_request"


@pytest.mark.parametrize("row", [row for row in OF_COMPANIES if row.method == "GET"], ids=str)
async def test_the_key_may_stand_in_the_query(row: Row, world: World, new_world: NewWorld) -> None:
    if row.prepare is not None:
        world = await new_world()
        await row.prepare(world)
    path = with_query(path_of(row, world.ids), f"x-api-key={world.api.key}")
    answer = await call(row, world, path, None)
    assert answer.status_code == row.success, answer.text


@pytest.mark.parametrize("row", OF_COMPANIES, ids=str)
async def test_the_key_stands_in_the_query_once(row: Row, world: World) -> None:
    key = world.api.key
    for more in (f"x-api-key={key}&x-api-key={key}", f"x-api-key={key}&X-API-KEY=other", "x%2Dapi-key=&x-api-key="):
        answer = await call(row, world, with_query(path_of(row, world.ids), more), None)
        assert errors_of(answer) == {"x-api-key": {"arrayMaxSize": "x-api-key must not be given more than once"}}
        assert key not in answer.text


@pytest.mark.parametrize("row", WRITES, ids=str)
async def test_a_compressed_body_is_refused_as_such(row: Row, world: World) -> None:
    before = await rows_of(world.api)
    for coding in ("gzip", "BR", "identity, gzip"):
        headers = {"content-type": row.file or "application/json", "content-encoding": coding}
        path = path_of(row, world.ids)
        answer = await world.api.request(row.method, path, content=gzip.compress(b"{}"), headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE"), answer.text
        assert "Content-Encoding" in answer.json()["message"]
    assert await rows_of(world.api) == before


async def test_the_identity_is_no_compression(world: World) -> None:
    headers = {"content-type": "application/json", "content-encoding": "Identity"}
    answer = await world.api.request("POST", "/v1/product-groups", content=b"{}", headers=headers)
    assert errors_of(answer)


async def test_metadata_filters_are_query_parameters(world: World) -> None:
    answer = await world.api.get("/v1/customers?metadata[a]=1&metadata%5Bb%5D=2&metadata[c]=3")
    assert answer.status_code == 200
    for twice in ("metadata[a]=1&metadata[b]=2&metadata[a]=2", "metadata[a]=1&metadata%5Ba%5D=1"):
        answer = await world.api.get(f"/v1/customers?{twice}")
        assert errors_of(answer) == {"metadata[a]": {"arrayMaxSize": "metadata[a] must not be given more than once"}}
    answer = await world.api.get("/v1/customers?metadata=1&wrong[a]=1")
    assert errors_of(answer).keys() == {"wrong[a]", "metadata"}
    assert errors_of(await world.api.get("/v1/customers?metadata=1")).keys() == {"metadata"}


#: By the type of a file: another one that the operation takes.
OTHER_TYPES = {"application/x-ndjson": "text/csv", "application/xml": "text/xml"}


@pytest.mark.parametrize("row", [row for row in WRITES if not row.keyed], ids=str)
async def test_a_key_belongs_to_one_request(row: Row, new_world: NewWorld) -> None:
    """The same request in another spelling is answered from memory; any other one is 409, whatever is wrong with it."""
    fresh = await new_world()
    if row.prepare is not None:
        await row.prepare(fresh)
    headers = {"x-api-idempotency-key": str(new_id()), "content-type": row.file or "application/json"}

    async def send(content: bytes, query: str = "") -> httpx.Response:
        path = with_query(path_of(row, fresh.ids), query) if query else path_of(row, fresh.ids)
        return await fresh.api.request(row.method, path, content=content, headers=headers)

    body = {} if row.file else row.sent(fresh)["json"]
    content = row.content.encode() if row.file else json.dumps(body).encode()
    first = await send(content)
    assert first.status_code == row.success, first.text
    before = await rows_of(fresh.api)
    for same in [content] if row.file else spellings(body):
        again = await send(same)
        assert (again.status_code, again.headers.get("Idempotent-Replayed")) == (first.status_code, "true"), again.text
    others = [content + b"\n" if row.file else json.dumps({**body, "noSuchField": 1}).encode()]
    if not row.file:
        others += [
            b"{",
            b"\xff",
            b"[]",
            b'{"a": 1, "a": 1}',
            json.dumps({name: [] for name in body} | {"x": 0}).encode(),
        ]
    for other in others:
        answer = await send(other)
        assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED"), (other, answer.text)
    answer = await send(content, "noSuchParameter=1")
    assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED"), answer.text
    if row.file in OTHER_TYPES:  # the others take one type alone
        headers["content-type"] = OTHER_TYPES[row.file]
        answer = await send(content)
        assert (answer.status_code, answer.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED"), answer.text
    assert await rows_of(fresh.api) == before


def spellings(body: dict[str, Any]) -> list[bytes]:
    """The same JSON value in other bytes."""
    return [
        json.dumps(dict(reversed(body.items())), indent=3, ensure_ascii=False).encode(),
        "".join(f"\\u{ord(char):04x}" if char == "-" else char for char in json.dumps(body)).encode(),
        b"\xef\xbb\xbf" + json.dumps(body, separators=(" , ", " : ")).encode(),
        *([b""] if not body else []),
    ]


@pytest.mark.parametrize("row", [row for row in JSON_WRITES if row.scope], ids=str)
async def test_a_key_of_another_request_helps_nobody_past_the_scope(row: Row, world: World) -> None:
    made = await world.api.post("/v1/api-keys", {"name": "narrow", "scopes": ["accounts-read"]})
    key = made.json()["key"]
    used = str(new_id())
    await world.api.patch("/v1/company", {}, headers={"x-api-idempotency-key": used})
    answer = await world.api.http.request(
        row.method,
        f"/api{path_of(row, world.ids)}",
        content=b"{",
        headers={"x-api-key": key, "x-api-idempotency-key": used, "content-type": "application/json"},
    )
    assert answer.status_code == 403, answer.text


async def test_what_a_release_before_kept_is_still_the_same_request(api: Any) -> None:
    """It kept the digest of method, address and bytes."""
    body = b'{ "name": "Nordlys" }'
    digest = hashlib.sha256(b"PATCH /api/v1/company?\n" + body).digest()

    async def work(context: Context) -> None:
        await context.connection.execute(
            "INSERT INTO idempotency_keys (company_id, key, request_hash, status, content_type, body, created_at)"
            " VALUES ($1, 'old', $2, 200, 'application/json', $3, $4)",
            context.company_id, digest, b'{"kept": true}', context.now,
        )  # fmt: skip

    await api.run(work)
    headers = {"x-api-idempotency-key": "old", "content-type": "application/json"}
    again = await api.request("PATCH", "/v1/company", content=body, headers=headers)
    assert (again.status_code, again.json()) == (200, {"kept": True})
    other = await api.request("PATCH", "/v1/company", content=body + b" ", headers=headers)
    assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


@pytest.mark.parametrize("row", JSON_WRITES, ids=str)
async def test_no_body_is_a_body_without_fields(row: Row, world: World, new_world: NewWorld) -> None:
    """With a length of 0 or without one, with a content type or without one."""
    model = request_model(row)
    required = {field.alias for field in model.model_fields.values() if field.is_required()} if model else set()
    acts = row.method == "POST" and not required  # each time on something new; a change without fields changes nothing
    answers = []
    for content, headers in (
        (b"{}", {"content-type": "application/json"}),
        (None, {}),
        (None, {"content-type": "application/json"}),
        (b"", {"content-length": "0"}),
        (b"", {"content-type": "application/json", "content-length": "0"}),
    ):
        used = await new_world() if acts else world
        answer = await used.api.request(row.method, path_of(row, used.ids), content=content, headers=headers)
        answers.append(answer)
    for answer in answers:
        assert answer.status_code == answers[0].status_code, answer.text
        if required:
            found = errors_of(answer)
            missing = {str(name): {"isDefined": f"{name} should not be null or undefined"} for name in required}
            assert {name: found.get(name) for name in missing} == missing
            assert found.keys() == required or (model is not None and has_checks(model))


@pytest.mark.parametrize("row", JSON_WRITES, ids=str)
def test_the_document_says_whether_a_body_is_required(row: Row, openapi: dict[str, Any]) -> None:
    operation = openapi["paths"][row.path.partition("?")[0]][row.method.lower()]
    model = request_model(row)
    if model is None:
        assert "requestBody" not in operation
    else:
        required = any(field.is_required() for field in model.model_fields.values())
        assert operation["requestBody"].get("required", False) == required
