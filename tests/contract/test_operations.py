"""What every operation owes its caller, from the table of operations."""

import json

import httpx
import pytest
from tests.contract.operations import OF_COMPANIES, OPERATIONS, WITH_IDS, WRITES, Row
from tests.contract.world import NewWorld, World
from tests.table_rows import rows_of

from ledgerbee.app.routes import ROUTERS
from ledgerbee.core.ids import new_id
from ledgerbee.http.operation import operation_of
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.tenancy.api_keys import actions as api_keys


def path_of(row: Row, ids: dict[str, str]) -> str:
    """The row's path with ids in place."""
    path = row.path
    for name in row.path_names:
        assert name in ids, f"tests/contract/world.py makes nothing that has a {name}"
        path = path.replace(f"{{{name}}}", ids.get(f"{row.tag}.{name}", ids[name]))
    return path


async def call(row: Row, world: World, path: str, key: str | None, **options: object) -> httpx.Response:
    """The row's operation with a valid body."""
    sent = row.sent(world) if row.writes and not row.public else {}
    headers = {"x-api-key": key} if key else {}
    options = {**sent, **options, "headers": {**headers, **sent.get("headers", {})}}
    return await world.api.http.request(row.method, f"/api{path}", **options)  # type: ignore[arg-type]


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    routes = {(method, route.path) for router in ROUTERS for route in router.routes for method in route.methods}
    rows = {(row.method, "/api" + row.path.partition("?")[0]) for row in OPERATIONS}
    assert routes == rows, "a new operation gets its row in tests/contract/operations.py"


@pytest.mark.parametrize("row", OPERATIONS, ids=str)
def test_an_operation_says_what_the_table_says(row: Row) -> None:
    routes = [route for router in ROUTERS for route in router.routes]
    (route,) = [r for r in routes if r.path == "/api" + row.path.partition("?")[0] and row.method in r.methods]
    operation = operation_of(route)
    assert operation is not None
    assert operation.scope == row.scope
    assert operation.scope is None or operation.scope in SCOPES
    assert operation.public == row.public
    # The OAuth endpoints are documented, though no row of the reference's list is about them.
    assert operation.extension == (not row.documented)


@pytest.mark.parametrize("row", OF_COMPANIES, ids=str)
async def test_without_a_credential_nobody_gets_in(row: Row, world: World) -> None:
    answer = await call(row, world, path_of(row, world.ids), None)
    assert answer.status_code == 401
    assert answer.json()["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("row", [row for row in OF_COMPANIES if row.scope], ids=str)
async def test_without_its_scope_nothing_happens(row: Row, world: World, keyring: dict[str, str]) -> None:
    """The key carries every other scope there is."""
    assert row.scope is not None
    answer = await call(row, world, path_of(row, world.ids), keyring[row.scope])
    assert answer.status_code == 403
    assert answer.json()["code"] == "INSUFFICIENT_PERMISSIONS"
    assert answer.json()["details"] == {"requiredScopes": [row.scope]}


@pytest.mark.parametrize("row", WITH_IDS, ids=str)
async def test_what_is_no_id_is_refused(row: Row, world: World) -> None:
    for name in row.id_names:
        answer = await call(
            row, world, path_of(row, {**world.ids, name: "not-an-id", f"{row.tag}.{name}": "not-an-id"}), world.api.key
        )
        assert answer.status_code == 400
        assert answer.json()["details"]["validationErrors"] == [
            {"property": name, "constraints": {"isUuid": f"{name} must be a UUID"}}
        ]


@pytest.mark.parametrize("row", WITH_IDS, ids=str)
async def test_an_id_of_another_company_is_nobodys(row: Row, world: World, other_world: World) -> None:
    strange = await call(row, world, path_of(row, {name: str(new_id()) for name in row.id_names}), world.api.key)
    foreign = await call(row, world, path_of(row, other_world.ids), world.api.key)
    assert strange.status_code == foreign.status_code == 404
    assert strange.json()["code"] == foreign.json()["code"] == row.not_found
    assert strange.json()["message"] == foreign.json()["message"]
    assert strange.json()["details"] == foreign.json()["details"]


@pytest.mark.parametrize("row", [row for row in WRITES if not row.file], ids=str)
async def test_an_unknown_field_is_refused(row: Row, world: World) -> None:
    body = row.sent(world, noSuchField=1)["json"]
    answer = await call(row, world, path_of(row, world.ids), world.api.key, json=body)
    assert answer.status_code == 400, answer.text
    errors = {error["property"]: error["constraints"] for error in answer.json()["details"]["validationErrors"]}
    assert errors == {"noSuchField": {"whitelistValidation": "noSuchField should not exist"}}


def with_danish_text(body: object) -> object:
    """The body with a text in each of its objects."""
    if isinstance(body, dict):
        return {name: with_danish_text(value) for name, value in body.items()} | {"description": "Køb af øl"}
    return [with_danish_text(value) for value in body] if isinstance(body, list) else body


@pytest.mark.parametrize("row", [row for row in WRITES if not row.file], ids=str)
async def test_a_body_that_is_not_utf_8_is_refused(row: Row, world: World) -> None:
    """As an old program sends it: Windows-1252."""
    body = json.dumps(with_danish_text(row.sent(world)["json"]), ensure_ascii=False).encode("cp1252")
    path, headers = path_of(row, world.ids), {"content-type": "application/json"}
    answer = await world.api.request(row.method, path, content=body, headers=headers)
    assert (answer.status_code, answer.json().get("code")) == (400, "SHARED_VALIDATION_FAILED"), answer.text
    (error,) = answer.json()["details"]["validationErrors"]
    assert error["constraints"].keys() == {"isJson"}


@pytest.mark.parametrize("row", [row for row in WRITES if not row.file], ids=str)
async def test_a_body_is_an_object(row: Row, world: World) -> None:
    for content in ("1.5", "1", "[]", '"{}"', "true"):
        path, headers = path_of(row, world.ids), {"content-type": "application/json"}
        answer = await world.api.request(row.method, path, content=content, headers=headers)
        assert answer.status_code == 400, (content, answer.text)
        assert answer.json()["details"]["validationErrors"] == [
            {"property": "", "constraints": {"isObject": "body must be an object"}}
        ]


@pytest.mark.parametrize("row", [row for row in WRITES if not row.keyed], ids=str)
async def test_the_same_key_does_the_work_once(row: Row, new_world: NewWorld) -> None:
    fresh = await new_world()
    options = row.sent(fresh)
    if row.prepare is not None:
        await row.prepare(fresh)
    headers = {"x-api-key": fresh.api.key, "x-api-idempotency-key": str(new_id()), **options.pop("headers", {})}
    path = path_of(row, fresh.ids)

    async def send() -> httpx.Response:
        return await fresh.api.http.request(row.method, f"/api{path}", headers=headers, **options)

    untouched = await rows_of(fresh.api)
    first = await send()
    assert first.status_code == row.success, first.text
    before = await rows_of(fresh.api)
    assert before != untouched, "the answer at least is kept"
    again = await send()
    assert again.status_code == first.status_code
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await rows_of(fresh.api) == before
    assert again.content == first.content or _without_secrets(first) == _without_secrets(again)


@pytest.mark.parametrize("row", [row for row in OF_COMPANIES if not row.writes], ids=str)
async def test_a_read_or_delete_answers_as_the_table_says(row: Row, world: World, new_world: NewWorld) -> None:
    used = world
    if row.method == "DELETE" or row.prepare is not None:
        used = await new_world()
    if row.method == "DELETE":
        await make_deletable(used)
    if row.prepare is not None:
        await row.prepare(used)
    answer = await call(row, used, path_of(row, used.ids), used.api.key)
    assert answer.status_code == row.success, answer.text
    assert bool(answer.content) == (row.success != 204)
    if row.success == 204:
        assert not {"content-type", "content-length", "transfer-encoding"} & set(answer.headers)


async def make_deletable(world: World) -> None:
    """New objects that nothing stands on, in place of the used ones."""
    api, ids = world.api, world.ids
    group = await api.get(f"/v1/product-groups/{ids['productGroupId']}")
    accounts = {name: group.json()[name] for name in group.json() if name.endswith("AccountId")}
    ids["productGroupId"] = (
        await api.post("/v1/product-groups", {"number": "PG-new", "name": "New", **accounts})
    ).json()["id"]
    product = {"number": "P-new", "name": "New", "productGroupId": group.json()["id"]}
    ids["productId"] = (await api.post("/v1/products", product)).json()["id"]
    price = {"billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE", "unitAmount": 1}
    other = (await api.post("/v1/products", {**product, "number": "P-other"})).json()["id"]
    ids["productPriceId"] = (await api.post("/v1/product-prices", {**price, "productId": other})).json()["id"]


def _without_secrets(answer: httpx.Response) -> dict[str, object]:
    secrets = {"key", "clientSecret", "apiKey", "secret", "callbackUrl"}
    return {name: value for name, value in answer.json().items() if name not in secrets}


@pytest.fixture(scope="session")
def keyring_cache() -> dict[str, str]:
    """Keys made so far."""
    return {}


@pytest.fixture
async def keyring(world: World, keyring_cache: dict[str, str]) -> dict[str, str]:
    """For each scope, a key that carries every other one."""
    if not keyring_cache:

        async def work(context: Context) -> dict[str, str]:
            return {
                scope: (await api_keys.create(context, name=scope, scopes=[s for s in SCOPES if s != scope]))[1]
                for scope in SCOPES
            }

        keyring_cache.update(await world.api.run(work))
    return keyring_cache
