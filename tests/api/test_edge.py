"""What is true for every operation, shown on product groups: bodies, limits, idempotency, headers, events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from tests.conftest import Api

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context

PATH = "/v1/product-groups"


async def group_body(api: Api, number: str = "PG001") -> dict[str, Any]:
    """A valid body for a new product group."""
    group = (await api.get(PATH)).json()["data"][0]
    accounts = ("domesticAccountId", "euAccountId", "abroadAccountId", "domesticWithoutVatAccountId")
    return {"number": number, "name": "Office Supplies", **{name: group[name] for name in accounts}}


async def send_raw(api: Api, content: bytes, **headers: str) -> Any:
    return await api.request("POST", PATH, content=content, headers={"content-type": "application/json", **headers})


def problems(answer: Any) -> dict[str, dict[str, str]]:
    """Constraints by property of a validation error."""
    body = answer.json()
    assert answer.status_code == 400, body
    assert body["code"] == "SHARED_VALIDATION_FAILED"
    assert body["message"] == "Bad Request Exception"
    return {problem["property"]: problem["constraints"] for problem in body["details"]["validationErrors"]}


async def count(api: Api) -> int:
    return int((await api.get(PATH)).json()["total"])


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"",
        b"nonsense",
        b'{"number": NaN}',
        b'{"number": Infinity}',
        b'{"number": -Infinity}',
        b'{"number": 1e999999999999999999999}',
        b'{"number": "\xff"}',
        b'{"number": "a\x00b"}',
        b'{"number": "\xed\xa0\x80"}',
        '{"number": "a\\u0000b"}'.encode("utf-16"),
        '{"number": "a"}'.encode("utf-32-le"),
        b"[" * 10_000,
        b'{"a":' * 5_000,
        b'{"number": ' + b"9" * 5_000 + b"}",
    ],
)
async def test_what_is_no_json_is_refused_and_changes_nothing(api: Api, content: bytes) -> None:
    before = await count(api)
    answer = await send_raw(api, content)
    assert {rule for rules in problems(answer).values() for rule in rules} == {"isJson" if content else "isDefined"}
    assert await count(api) == before


@pytest.mark.parametrize("text", ["\\u0000", "a\\ud800b", "\\udfff"])
async def test_text_that_cannot_be_kept_is_refused_by_name(api: Api, text: str) -> None:
    body = json.dumps(await group_body(api)).replace("Office Supplies", "@").replace("@", text)
    answer = await send_raw(api, body.encode())
    assert list(problems(answer)) == ["name"]


async def test_characters_outside_the_basic_plane_are_kept(api: Api) -> None:
    body = json.dumps({**await group_body(api), "name": "Kaffe \U0001f41d"})
    assert "\\ud83d" in body  # a surrogate pair on the wire, one character in the books
    answer = await send_raw(api, body.encode())
    assert answer.status_code == 201
    assert answer.json()["name"] == "Kaffe \U0001f41d"


@pytest.mark.parametrize(
    ("changes", "name", "rule"),
    [
        ({"number": 7}, "number", "isString"),
        ({"number": None}, "number", "isString"),
        ({"number": ""}, "number", "minLength"),
        ({"number": "   "}, "number", "minLength"),
        ({"name": "x" * 10_000}, "name", "maxLength"),
        ({"domesticAccountId": "nope"}, "domesticAccountId", "isUuid"),
        ({"domesticAccountId": 12}, "domesticAccountId", "isUuid"),
        ({"surprise": True}, "surprise", "whitelistValidation"),
        ({"domestic_account_id": "x"}, "domestic_account_id", "whitelistValidation"),
    ],
)
async def test_a_wrong_field_is_named_with_its_rule(api: Api, changes: dict[str, Any], name: str, rule: str) -> None:
    answer = await api.post(PATH, {**await group_body(api), **changes})
    found = problems(answer)
    assert rule in found[name]
    assert found[name][rule].startswith(name)


async def test_every_problem_is_told_at_once(api: Api) -> None:
    assert set(problems(await api.post(PATH, {"number": 1, "x": 2}))) == {
        "number", "name", "domesticAccountId", "euAccountId", "abroadAccountId", "domesticWithoutVatAccountId", "x",
    }  # fmt: skip


async def test_a_body_must_be_json(api: Api) -> None:
    answer = await api.request("POST", PATH, content=b"number=1", headers={"content-type": "text/plain"})
    assert answer.status_code == 415
    assert answer.json()["code"] == "UNSUPPORTED_MEDIA_TYPE"


async def test_sixteen_megabytes_are_too_much(api: Api) -> None:
    answer = await send_raw(api, b" " * (16 * 1024 * 1024))
    assert answer.status_code == 413
    assert answer.json()["code"] == "PAYLOAD_TOO_LARGE"


async def test_a_body_that_hides_its_length_is_cut_off(api: Api) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(17):
            yield b" " * 1024 * 1024

    headers = {"content-type": "application/json", "x-api-key": api.key}
    answer = await api.http.post(f"/api{PATH}", content=chunks(), headers=headers)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/v1%2Fproduct-groups", "/v1%2fproduct-groups", "/v1/product-groups%2F"])
async def test_an_encoded_slash_divides_no_path(api: Api, path: str) -> None:
    """A proxy that allows or forbids paths by their text would not know them."""
    answer = await api.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


async def test_a_body_is_transferred_in_chunks_or_not_at_all(api: Api) -> None:
    headers = {"transfer-encoding": "gzip, chunked", "content-type": "application/json"}
    answer = await api.http.post(f"/api{PATH}", content=b"{}", headers=headers)
    assert answer.status_code == 415


@pytest.mark.parametrize("query", ["search=%00", "search=%ff%fe", "search=a%00b"])
async def test_an_address_must_be_text(api: Api, query: str) -> None:
    answer = await api.get(f"{PATH}?{query}")
    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("query", "name", "rule"),
    [
        ("page=0", "page", "min"),
        ("page=-1", "page", "min"),
        ("page=abc", "page", "isInt"),
        ("limit=0", "limit", "min"),
        ("limit=101", "limit", "max"),
        ("sortBy=secret", "sortBy", "isEnum"),
        ("sortOrder=UP", "sortOrder", "isEnum"),
        (f"search={'x' * 201}", "search", "maxLength"),
    ],
)
async def test_absurd_paging_is_refused(api: Api, query: str, name: str, rule: str) -> None:
    assert rule in problems(await api.get(f"{PATH}?{query}"))[name]


async def test_a_page_past_the_end_is_empty(api: Api) -> None:
    for page in (10_000, 10**20):
        answer = (await api.get(f"{PATH}?page={page}")).json()
        assert answer["data"] == []
        assert answer["total"] > 0


@pytest.mark.parametrize("term", ["%", "_", "\\", "'; DROP TABLE product_groups; --", "' OR 1=1 --"])
async def test_search_terms_are_text_and_nothing_else(api: Api, term: str) -> None:
    answer = await api.get(PATH, params={"search": term})
    assert answer.status_code == 200
    assert answer.json()["total"] == 0
    assert await count(api) > 0


async def test_unknown_routes_and_methods_have_the_envelope(api: Api) -> None:
    answer = await api.get("/v1/nowhere")
    assert (answer.status_code, answer.json()["code"], answer.json()["path"]) == (404, "NOT_FOUND", "/v1/nowhere")
    answer = await api.delete("/v1/accounts")
    assert (answer.status_code, answer.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert answer.headers["allow"] == "GET, HEAD, POST"


async def test_the_same_request_twice_works_once(api: Api) -> None:
    body = await group_body(api)
    before = await count(api)
    first = await api.post(PATH, body, headers={"x-api-idempotency-key": "k-1"})
    again = await api.post(PATH, body, headers={"x-api-idempotency-key": "k-1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await count(api) == before + 1


async def test_a_key_belongs_to_its_request_and_its_company(api: Api, other_api: Api) -> None:
    headers = {"x-api-idempotency-key": "k-2"}
    body = await group_body(api)
    assert (await api.post(PATH, body, headers=headers)).status_code == 201
    other_body = await api.post(PATH, {**body, "number": "PG002"}, headers=headers)
    assert (other_body.status_code, other_body.json()["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    other_path = await api.post("/v1/products", body, headers=headers)
    assert other_path.status_code == 409
    elsewhere = await other_api.post(PATH, await group_body(other_api), headers=headers)
    assert elsewhere.status_code == 201
    assert "Idempotent-Replayed" not in elsewhere.headers


async def test_a_key_is_free_again_after_a_day_and_after_a_refusal(api: Api) -> None:
    headers = {"x-api-idempotency-key": "k-3"}
    body = await group_body(api)
    assert (await api.post(PATH, {**body, "number": 5}, headers=headers)).status_code == 400
    assert (await api.post(PATH, body, headers=headers)).status_code == 201
    api.clock.advance(hours=25)
    assert (await api.post(PATH, {**body, "number": "PG003"}, headers=headers)).status_code == 201


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 256, "ø"])
async def test_an_idempotency_key_is_visible_ascii(api: Api, key: str) -> None:
    answer = await api.post(PATH, await group_body(api), headers={"x-api-idempotency-key": key.encode()})
    assert "x-api-idempotency-key" in problems(answer)


async def test_a_key_whose_request_still_runs_is_in_use(api: Api, database_url: str) -> None:
    """The first request waits for a row that another session holds; the second finds the key taken."""
    body = await group_body(api)
    group_id = (await api.post(PATH, body)).json()["id"]
    holder = await asyncpg.connect(database_url)
    try:
        transaction = holder.transaction()
        await transaction.start()
        await holder.execute(f"SET LOCAL app.company_id = '{api.company_id}'")
        await holder.execute("SELECT 1 FROM product_groups WHERE id = $1 FOR UPDATE", group_id)
        headers = {"x-api-idempotency-key": "k-4"}
        first = asyncio.create_task(api.patch(f"{PATH}/{group_id}", {"name": "A"}, headers=headers))
        while not await holder.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # until the first request holds its key
        second = await api.patch(f"{PATH}/{group_id}", {"name": "A"}, headers=headers)
        assert (second.status_code, second.json()["code"]) == (409, "IDEMPOTENCY_KEY_IN_USE")
        await transaction.rollback()
        assert (await first).status_code == 200
    finally:
        await holder.close()


async def test_every_response_names_its_request(api: Api) -> None:
    given = await api.get("/v1/accounts", headers={"x-request-id": "my-request_1"})
    assert given.headers["x-request-id"] == "my-request_1"
    made = await api.get("/v1/nowhere", headers={"x-request-id": "not acceptable\t"})
    assert made.headers["x-request-id"] != "not acceptable"
    assert len(made.headers["x-request-id"]) == 32


async def test_security_headers_are_on_every_response(api: Api) -> None:
    for path in ("/v1/accounts", "/v1/nowhere"):
        headers = (await api.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "server" not in headers


async def test_browsers_of_other_origins_are_not_let_in_by_default(api: Api) -> None:
    answer = await api.get("/v1/accounts", headers={"origin": "https://elsewhere.example"})
    assert "access-control-allow-origin" not in answer.headers


async def test_what_rolls_back_is_not_told(api: Api) -> None:
    class RefusedError(Exception):
        pass

    async def work(context: Context) -> None:
        context.emit("test.happened", context.company_id, {"a": 1})
        raise RefusedError

    async def told(context: Context) -> int:
        return int(await context.connection.fetchval("SELECT count(*) FROM events WHERE type = 'test.happened'"))

    with pytest.raises(RefusedError):
        await api.run(work)
    assert await api.run(told) == 0


async def test_events_are_numbered_per_object(api: Api) -> None:
    async def work(context: Context) -> None:
        for number in range(3):
            context.emit("test.happened", context.company_id, {"number": number})

    async def told(context: Context) -> list[tuple[int, int]]:
        rows = await context.connection.fetch(
            "SELECT sequence, data FROM events WHERE type = 'test.happened' ORDER BY sequence"
        )
        return [(row["sequence"], row["data"]["number"]) for row in rows]

    await api.run(work)
    await api.run(work)
    assert [number for _, number in await api.run(told)] == [0, 1, 2, 0, 1, 2]
    sequences = [sequence for sequence, _ in await api.run(told)]
    assert sequences == list(range(sequences[0], sequences[0] + 6))


async def test_the_events_of_a_new_object_begin_at_one(api: Api) -> None:
    new, old = new_id(), new_id()

    async def made(context: Context) -> None:
        context.emit("test.made", old, {})
        context.emit("test.made", new, {"line": "one\ntwo"}, is_first=True)
        context.emit("test.changed", old, {})
        context.emit("test.changed", new, {})

    async def changed(context: Context) -> None:
        context.emit("test.gone", new, {})

    async def told(context: Context) -> list[tuple[object, ...]]:
        rows = await context.connection.fetch(
            "SELECT object_id, sequence, type, data FROM events WHERE object_id = ANY ($1) ORDER BY sequence",
            [new, old],
        )
        return sorted(tuple(row) for row in rows)

    await api.run(made)
    await api.run(changed)
    assert await api.run(told) == sorted(
        [
            (old, 1, "test.made", {}),
            (old, 2, "test.changed", {}),
            (new, 1, "test.made", {"line": "one\ntwo"}),
            (new, 2, "test.changed", {}),
            (new, 3, "test.gone", {}),
        ]
    )


@pytest.mark.parametrize("text", ["1e2", "+5", " 5", "5 ", "\u0665", "1_0", ".5", "5.", "0x5", "NaN", "-Infinity", ""])
async def test_a_decimal_string_is_digits_and_a_point(api: Api, text: str) -> None:
    """As the document's pattern has it, so that what one client may send every client may."""
    body = {"currency": "EUR", "date": "2026-03-16", "rate": text}
    assert list(problems(await api.put("/v1/exchange-rates", body))) == ["rate"]


async def test_a_number_may_have_an_exponent(api: Api) -> None:
    raw = b'{"currency": "EUR", "date": "2026-03-16", "rate": 74.6e-1}'
    answer = await api.request("PUT", "/v1/exchange-rates", content=raw, headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["rate"]) == (200, "7.46")
