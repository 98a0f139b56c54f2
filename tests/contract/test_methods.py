"""What every address answers to every method, and every operation to a body that is too large."""

import json
import re
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import httpx
import pytest
from tests.contract.operations import OF_COMPANIES, OPERATIONS, WRITES, Row
from tests.contract.test_operations import path_of
from tests.contract.world import NewWorld, World
from tests.document import DOCUMENT

from ledgerbee.app.main import create_api
from ledgerbee.app.routes import ROUTERS
from ledgerbee.http.body_limits import FORM_BODY, LARGE_BODY, SMALL_BODY, max_elements
from ledgerbee.http.operation import Operation, OperationRoute, operation_of

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "NONSENSE")
#: Addresses that are no operations, each with what it takes.
PAGES = {
    "/healthz": {"GET"},
    "/readyz": {"GET"},
    "/metrics": {"GET"},
    "/docs": {"GET"},
    "/docs/assets/start.js": {"GET"},
    "/docs/assets/swagger-ui.css": {"GET"},
    "/api/openapi.json": {"GET"},
    "/.well-known/oauth-authorization-server": {"GET"},
    "/.well-known/oauth-protected-resource": {"GET"},
}
#: What people sign in and let applications in by, and what they see then: tests of their own
#: (tests/api/test_sign_in.py, test_authorization.py and others).
PAGES_OF_PEOPLE = {
    "/account",
    "/account/passkeys",
    "/account/passkeys/options",
    "/account/passkeys/remove",
    "/account/password",
    "/account/recovery-codes",
    "/account/sessions/end",
    "/account/totp",
    "/account/totp/remove",
    "/.well-known/oauth-authorization-server/{path:path}",
    "/.well-known/oauth-protected-resource/{path:path}",
    "/companies/x/connected-apps",
    "/companies/x/connected-apps/commands",
    "/companies/x/connected-apps/commands/x",
    "/companies/x/connected-apps/x",
    "/companies/x/people",
    "/companies/x/people/invite",
    "/companies/x/people/remove",
    "/companies/x/people/revoke-invitation",
    "/companies/x/people/role",
    "/invitations/x",
    "/oauth/authorize",
    "/reset-password",
    "/reset-password/x",
    "/sign-in",
    "/sign-in/passkey",
    "/sign-in/passkey/options",
    "/sign-in/second-factor",
    "/sign-out",
}
#: Their answers differ from one moment to the next.
_OF_THE_MOMENT = {"date", "x-request-id"}


def _addresses() -> dict[str, set[str]]:
    """Every address, an id for each parameter, with the methods of all operations there."""
    templates = [(row.method, "/api" + row.path.partition("?")[0]) for row in OPERATIONS]
    found = {re.sub(r"\{\w+\}", "01930000-0000-7000-8000-000000000000", path): set[str]() for _, path in templates}
    for method, template in templates:
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", template))
        for address, methods in found.items():
            if pattern.fullmatch(address):
                methods.add(method)
    return {**found, **PAGES}


ADDRESSES = _addresses()


def test_the_table_is_whole() -> None:
    """No address is served that isn't in it."""
    served = {re.sub(r"\{\w+\}", "x", getattr(route, "path", "")) for route in create_api().routes}
    known = {address.replace("01930000-0000-7000-8000-000000000000", "x") for address in ADDRESSES}
    # Pages behind secrets have tests of their own: whoever has no link gets the same answer to anything.
    pages = {"/quotes/x", "/quotes/x/quote.pdf", "/payment-events/x/x", "/sandbox-payments/x", "/saved-cards/x"}
    mcp = {"/api/v1/mcp", "/api/v1/mcp/c/x"}  # tests/api/test_mcp_messages.py
    assert served - known == {"/docs/assets/x"} | pages | PAGES_OF_PEOPLE | mcp


@pytest.mark.parametrize("address", ADDRESSES)
async def test_other_methods_are_405(world: World, address: str) -> None:
    allowed = ADDRESSES[address] | ({"HEAD"} if "GET" in ADDRESSES[address] else set())
    for method in METHODS:
        if method not in allowed:
            answer = await world.api.http.request(method, address, headers={"x-api-key": world.api.key})
            assert answer.status_code == 405, method
            assert set(answer.headers["allow"].split(", ")) == allowed
            if method != "HEAD":
                assert answer.json()["code"] == "METHOD_NOT_ALLOWED"


def _told(answer: httpx.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name not in _OF_THE_MOMENT}


async def _assert_same_without_body(world: World, path: str, status: int) -> None:
    headers = {"x-api-key": world.api.key}
    whole = await world.api.http.get(path, headers=headers)
    head = await world.api.http.head(path, headers=headers)
    assert (whole.status_code, head.status_code) == (status, status)
    assert head.content == b""
    assert _told(head) == _told(whole)
    assert int(head.headers["content-length"]) == len(whole.content) > 0


@pytest.mark.parametrize("row", [row for row in OF_COMPANIES if row.method == "GET"], ids=str)
async def test_head_is_get_without_its_body(row: Row, world: World, new_world: NewWorld) -> None:
    # What others have written into the shared world's drafts may be no text that a font shows.
    if row.prepare is not None or row.path.endswith("/pdf"):
        world = await new_world()
    if row.prepare is not None:
        await row.prepare(world)
    await _assert_same_without_body(world, f"/api{path_of(row, world.ids)}", row.success)


@pytest.mark.parametrize("address", sorted(PAGES.keys() - {"/metrics"}))
async def test_head_is_get_of_pages_too(world: World, address: str) -> None:
    await _assert_same_without_body(world, address, 200)


@pytest.mark.parametrize("address", ["/api/v1/nowhere", "/api/v1/invoices/x", "/nowhere"])
async def test_head_of_a_refusal_has_no_body(world: World, address: str) -> None:
    await _assert_same_without_body(world, address, 400 if address.endswith("x") else 404)


def _operation(row: Row) -> Operation:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, OperationRoute)]
    (route,) = [one for one in routes if one.path == _template(row) and row.method in (one.methods or ())]
    operation = operation_of(route)
    assert operation is not None
    return operation


def _template(row: Row) -> str:
    return "/api" + row.path.partition("?")[0]


def _schemas_of(document: dict[str, Any], part: Any) -> set[str]:
    """Names of all schemas that a part of the document is made of."""
    found: set[str] = set()
    wanted = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(part)))
    while wanted - found:
        name = (wanted - found).pop()
        found.add(name)
        wanted |= set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document["components"]["schemas"][name])))
    return found


def _limit(row: Row, *, carries_files: bool) -> int:
    if row.public:
        return FORM_BODY
    return LARGE_BODY if carries_files else SMALL_BODY


def test_large_bodies_are_for_files_and_batches_and_short_ones_for_strangers() -> None:
    for row in OPERATIONS:
        described = DOCUMENT["paths"][row.path.partition("?")[0]][row.method.lower()]
        content = described.get("requestBody", {})
        # A file of its own, a mail that came back, files in it, or a thousand events of usage.
        carries_files = bool(
            {"AttachmentFile", "CreateBounceRequest", "ReportUsageBatchRequest"} & _schemas_of(DOCUMENT, content)
        )
        carries_files |= {"application/json", "application/xml"} <= content.get("content", {}).keys()
        limit = _operation(row).max_body
        assert limit == _limit(row, carries_files=carries_files), row
        if row.writes and not row.file:
            size = "16 KB" if row.public else f"{limit // 2**20} MB"
            assert f"larger than {size}" in described["responses"]["413"]["description"], row


@pytest.mark.parametrize("row", [row for row in WRITES if not row.file], ids=str)
async def test_a_body_has_the_limit_of_its_operation(row: Row, world: World) -> None:
    limit = _operation(row).max_body
    path, headers = f"/api{path_of(row, world.ids)}", {"x-api-key": world.api.key, "content-type": "application/json"}
    answer = await world.api.http.request(row.method, path, content=b" " * (limit + 1), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.json()["details"] == {"maxBytes": limit}
    within = await world.api.http.request(row.method, path, content=b" " * limit, headers=headers)
    assert within.status_code == 400


@pytest.mark.parametrize("row", [row for row in OPERATIONS if row.takes_form], ids=str)
@pytest.mark.parametrize("says_length", [True, False])
async def test_a_stranger_has_room_for_a_form_and_no_more(row: Row, says_length: bool, world: World) -> None:
    """Whether it says how long its body is, or not; and the limit isn't that of operations that take a credential."""

    async def send(length: int) -> httpx.Response:
        async def pieces() -> AsyncIterator[bytes]:
            yield b"grant_type=" + b"%41" * ((length - 11) // 3)
            yield b"a" * ((length - 11) % 3)

        body = b"".join([piece async for piece in pieces()])
        assert len(body) == length
        return await world.api.http.request(
            row.method,
            f"/api{row.path}",
            content=body if says_length else pieces(),
            headers={"content-type": "application/x-www-form-urlencoded"},
        )

    answer = await send(FORM_BODY + 1)
    assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert answer.json()["details"] == {"maxBytes": FORM_BODY}
    assert (await send(FORM_BODY)).status_code in {400, 401, 429}


@pytest.mark.parametrize("row", [row for row in WRITES if not row.file], ids=str)
async def test_a_body_has_an_end_of_elements_and_findings(row: Row, world: World) -> None:
    path, headers = f"/api{path_of(row, world.ids)}", {"x-api-key": world.api.key, "content-type": "application/json"}
    headers |= row.sent(world).get("headers", {})

    async def refusal(content: bytes) -> tuple[list[str], Any]:
        answer = await world.api.http.request(row.method, path, content=content, headers=headers)
        assert answer.status_code == 400, answer.text
        details = answer.json()["details"]
        return [rule for found in details["validationErrors"] for rule in found["constraints"]], details

    many = max_elements(_operation(row).max_body) + 10_000
    hostile = ["[" + "[]," * 150_000 + "[]]", json.dumps({f"k{number}": 1 for number in range(many)})]
    for text in hostile:
        assert (await refusal(text.encode()))[0] == ["maxElements"]
    rules, details = await refusal(json.dumps({f"k{number}": 1 for number in range(15_000)}).encode())
    assert "whitelistValidation" in rules
    assert len(details["validationErrors"]) == 100
    assert details["furtherErrors"] >= 400  # where very many are found, nobody counts on
    for text in ('{"k":' + "9" * 2_000 + "}", '{"k":' + "[" * 120 + "]" * 120 + "}"):
        assert set((await refusal(text.encode()))[0]) <= {"isJson", "maxDepth"}


@pytest.mark.parametrize(
    ("version", "method"), list(product(("v1", "v2"), ("GET", "POST", "PUT", "PATCH", "DELETE"))), ids=str
)
async def test_an_address_without_api_is_told_the_right_one(world: World, version: str, method: str) -> None:
    options: dict[str, Any] = {"json": {}} if method in {"POST", "PUT", "PATCH"} else {}
    answer = await world.api.http.request(method, f"/{version}/journal-entries", **options)
    body = answer.json()
    assert (answer.status_code, body["code"], body["details"]) == (404, "NOT_FOUND", {})
    assert f"/api/{version}/journal-entries" in body["message"]


async def test_an_access_token_shown_as_a_key_is_told_how(world: World) -> None:
    headers = {"x-api-key": "lbt_" + "x" * 43}
    for path in ("/v1/accounts", "/v1/company"):
        body = (await world.api.http.get(f"/api{path}", headers=headers)).json()
        assert (body["statusCode"], body["code"], body["details"]) == (401, "UNAUTHORIZED", {})
        assert body["message"].startswith("Invalid API key: ")
        assert "Authorization: Bearer" in body["message"]
