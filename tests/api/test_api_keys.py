"""API keys over HTTP (contract 1.2, 2.2)."""

import json
from typing import Any
from uuid import UUID

import pytest
from tests.conftest import Api
from tests.table_rows import holds, rows_of

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import SCOPES, secret_hash

BODY = {"name": "Web shop", "scopes": ["invoices-write", "customers-read", "customers-read"]}


async def test_the_current_key(api: Api) -> None:
    answer = await api.get("/v1/api-key")
    assert answer.status_code == 200
    assert answer.json() == {
        "rateLimitTiers": [{"name": "default", "ttl": 0, "limit": -1}],
        "expiresAt": None,
        "ipWhitelist": [],
        "scopes": sorted(SCOPES),
    }


async def test_the_current_key_needs_no_scope(api: Api) -> None:
    body = {**BODY, "ipWhitelist": ["127.0.0.1", "10.0.0.0/8"], "expiresAt": "2027-01-01T00:00:00Z"}
    key = (await api.post("/v1/api-keys", body)).json()["key"]
    answer = await api.http.get("/api/v1/api-key", headers={"x-api-key": key})
    assert answer.json() == {
        "rateLimitTiers": [{"name": "default", "ttl": 0, "limit": -1}],
        "expiresAt": "2027-01-01T00:00:00.000Z",
        "ipWhitelist": ["127.0.0.1", "10.0.0.0/8"],
        "scopes": ["customers-read", "invoices-write"],
    }


async def test_create_list_revoke(api: Api, other_api: Api) -> None:
    created = await api.post("/v1/api-keys", BODY)
    assert created.status_code == 201
    body = created.json()
    key = body.pop("key")
    assert key.startswith("lb_")
    assert body == {
        "id": body["id"],
        "name": "Web shop",
        "prefix": key[:11],
        "scopes": ["customers-read", "invoices-write"],
        "ipWhitelist": [],
        "expiresAt": None,
        "createdAt": "2026-03-16T12:00:00.000Z",
        "revokedAt": None,
        "createdBy": f"api_key:{(await api.get('/v1/api-keys')).json()[-1]['id']}",
    }
    listed = (await api.get("/v1/api-keys")).json()
    assert listed[0] == body
    assert [row["name"] for row in listed] == ["Web shop", "tests"]
    assert (await other_api.delete(f"/v1/api-keys/{body['id']}")).json()["code"] == "API_KEY_NOT_FOUND"
    api.clock.advance(seconds=5)
    for _ in range(2):
        assert (await api.delete(f"/v1/api-keys/{body['id']}")).status_code == 204
        api.clock.advance(seconds=5)
    assert (await api.get("/v1/api-keys")).json()[0]["revokedAt"] == "2026-03-16T12:00:05.000Z"


async def test_the_secret_is_kept_only_as_its_hash(api: Api) -> None:
    answer = await api.post("/v1/api-keys", BODY, headers={"x-api-idempotency-key": "k1"})
    key = answer.json()["key"]

    async def work(context: Context) -> bytes:
        await context.connection.execute("SET LOCAL ROLE NONE")
        stored: bytes = await context.connection.fetchval(
            "SELECT secret_hash FROM credentials WHERE subject_id = $1", UUID(answer.json()["id"])
        )
        return stored

    rows = await rows_of(api)
    assert rows.keys() >= {"api_keys", "credentials", "idempotency_keys", "events"}
    assert not holds(rows, key)
    assert await api.run(work) == secret_hash(key)


async def test_a_replay_makes_no_second_key_and_shows_no_secret(api: Api) -> None:
    first = await api.post("/v1/api-keys", BODY, headers={"x-api-idempotency-key": "k1"})
    again = await api.post("/v1/api-keys", BODY, headers={"x-api-idempotency-key": "k1"})
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == {**first.json(), "key": None}
    assert list(again.json()) == list(first.json())
    assert len((await api.get("/v1/api-keys")).json()) == 2
    assert (await api.http.get("/api/v1/api-key", headers={"x-api-key": first.json()["key"]})).status_code == 200


async def test_nobody_gives_what_he_lacks(api: Api) -> None:
    scopes = ["api-keys-write", "accounts-read"]
    limited = (await api.post("/v1/api-keys", {"name": "limited", "scopes": scopes})).json()["key"]
    body = {"name": "more", "scopes": ["accounts-read", "company-read", "bank-read"]}
    answer = await api.http.post("/api/v1/api-keys", json=body, headers={"x-api-key": limited})
    assert answer.status_code == 403
    assert answer.json()["code"] == "INSUFFICIENT_PERMISSIONS"
    assert answer.json()["details"] == {"requiredScopes": ["bank-read", "company-read"]}
    less = {"name": "less", "scopes": ["accounts-read"]}
    assert (await api.http.post("/api/v1/api-keys", json=less, headers={"x-api-key": limited})).status_code == 201


@pytest.mark.parametrize("scope", ["portal-provision", "portal-sso-mint"])
async def test_partner_scopes_are_not_for_ordinary_keys(api: Api, scope: str) -> None:
    answer = await api.post("/v1/api-keys", {"name": "p", "scopes": [scope]})
    assert answer.status_code == 400
    assert answer.json()["code"] == "API_KEY_SCOPE_NOT_ASSIGNABLE"
    assert answer.json()["details"] == {"scope": scope}


@pytest.mark.parametrize(
    ("change", "property_", "rule"),
    [
        ({"name": ""}, "name", "minLength"),
        ({"name": "x" * 1001}, "name", "maxLength"),
        ({"scopes": []}, "scopes", "arrayMinSize"),
        ({"scopes": ["accounts-read", "nonsense"]}, "scopes.1", "isIn"),
        ({"scopes": "accounts-read"}, "scopes", "isArray"),
        ({"ipWhitelist": ["203.0.113.7", "here"]}, "ipWhitelist.1", "isIp"),
        ({"ipWhitelist": ["203.0.113.7/33"]}, "ipWhitelist.0", "isIp"),
        ({"expiresAt": "2026-03-16T12:00:00Z"}, "expiresAt", "minDate"),
        ({"expiresAt": "2027-01-01"}, "expiresAt", "isISO8601"),
        ({"expiresAt": "2027-01-01T00:00:00"}, "expiresAt", "isISO8601"),
        ({"expiresAt": "0001-01-01T00:00:00+14:00"}, "expiresAt", "isISO8601"),
        ({"expiresAt": 1767225600}, "expiresAt", "isISO8601"),
        ({"secret": "mine"}, "secret", "whitelistValidation"),
    ],
)
async def test_bad_input(api: Api, change: dict[str, Any], property_: str, rule: str) -> None:
    answer = await api.post("/v1/api-keys", {**BODY, **change})
    assert answer.status_code == 400, answer.text
    [problem] = answer.json()["details"]["validationErrors"]
    assert problem["property"] == property_
    assert rule in problem["constraints"], json.dumps(problem)
    assert len((await api.get("/v1/api-keys")).json()) == 1


async def test_unknown_and_malformed_ids(api: Api) -> None:
    assert (await api.delete(f"/v1/api-keys/{new_id()}")).status_code == 404
    assert (await api.delete("/v1/api-keys/nonsense")).json()["code"] == "SHARED_VALIDATION_FAILED"
