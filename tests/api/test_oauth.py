"""OAuth 2.0: clients, access tokens and their revocation (contract 1.2, 1.6; RFC 6749, RFC 7009)."""

import asyncio
import base64
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.api.instances import instance
from tests.conftest import Api, SteeredClock
from tests.table_rows import holds, rows_of

from ledgerbee.app.config import Settings
from ledgerbee.core.ids import new_id
from ledgerbee.platform.db import Database

SCOPES = ["accounts-read", "company-read"]
INVALID_CLIENT = {"error": "invalid_client", "error_description": "Client authentication failed"}
RATE_LIMITED = {"error": "invalid_client", "error_description": "Rate limit exceeded. Try again later."}


@pytest_asyncio.fixture(autouse=True)
async def fresh_windows(database: Database) -> AsyncIterator[None]:
    """Every test starts at the same moment and address, so it must not find the calls of the one before."""
    async with database.connection() as connection:
        await connection.execute("SET ROLE NONE; DELETE FROM rate_limit_hits; RESET ROLE")
    yield


async def make_client(api: Api, **body: Any) -> dict[str, str]:
    answer = await api.post("/v1/oauth-clients", {"name": "sync", "scopes": SCOPES, **body})
    assert answer.status_code == 201, answer.text
    return {"client_id": answer.json()["clientId"], "client_secret": answer.json()["clientSecret"]}


async def ask(http: httpx.AsyncClient, form: dict[str, str], **options: Any) -> httpx.Response:
    body = {"grant_type": "client_credentials", **form}
    return await http.post("/api/v1/auth/token", data={k: v for k, v in body.items() if v is not None}, **options)


async def token_of(http: httpx.AsyncClient, client: dict[str, str]) -> str:
    answer = await ask(http, client)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


async def use(http: httpx.AsyncClient, token: str, path: str = "/v1/accounts") -> httpx.Response:
    return await http.get(f"/api{path}", headers={"authorization": f"Bearer {token}"})


async def test_a_token_and_its_use(api: Api) -> None:
    client = await make_client(api)
    answer = await ask(api.http, {**client, "scope": "invoices-write"})
    assert answer.status_code == 200
    body = answer.json()
    token = body.pop("access_token")
    assert token.startswith("lbt_")
    assert body == {"token_type": "Bearer", "expires_in": 3600, "scope": "accounts-read company-read"}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["pragma"] == "no-cache"
    found = await use(api.http, token)
    assert found.status_code == 200
    assert "x-api-key-expires-at" not in found.headers
    assert (await use(api.http, token, "/v1/company")).json()["id"] == str(api.company_id)
    refused = await use(api.http, token, "/v1/vat-codes")
    assert refused.json()["details"] == {"requiredScopes": ["vat-codes-read"]}
    current = await use(api.http, token, "/v1/api-key")
    assert current.status_code == 403
    assert current.json()["code"] == "INSUFFICIENT_PERMISSIONS"
    assert current.json()["details"] == {"reason": "endpoint_requires_api_key_auth"}
    assert (await api.http.get("/api/v1/accounts", headers={"x-api-key": token})).status_code == 401


async def test_http_basic_shows_the_client_too(api: Api) -> None:
    client = await make_client(api)
    basic = httpx.BasicAuth(client["client_id"], client["client_secret"])
    assert (await ask(api.http, {}, auth=basic)).status_code == 200
    assert (await ask(api.http, {"client_id": client["client_id"]}, auth=basic)).status_code == 200


async def test_a_token_lives_an_hour(api: Api) -> None:
    token = await token_of(api.http, await make_client(api))
    api.clock.advance(seconds=3599)
    assert (await use(api.http, token)).status_code == 200
    api.clock.advance(seconds=1)
    answer = await use(api.http, token)
    assert answer.status_code == 401
    assert answer.json()["details"] == {"error": "invalid_token", "reason": "invalid_token"}
    assert answer.headers["www-authenticate"].endswith('error="invalid_token"')


def basic(text: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(text.encode()).decode()}


#: Form, headers -> status and error of the token endpoint (RFC 6749, section 5.2). `ID` and `SECRET` are a client's.
REFUSALS: list[tuple[str, dict[str, str], int, str]] = [
    ("client_id=ID&client_secret=SECRET", {}, 400, "invalid_request"),
    ("grant_type=&client_id=ID&client_secret=SECRET", {}, 400, "invalid_request"),
    ("grant_type=client_credentials&grant_type=client_credentials", {}, 400, "invalid_request"),
    ("grant_type=client_credentials&client_id=%FF&client_secret=x", {}, 400, "invalid_request"),
    ("grant_type=client_credentials&" + "&".join(f"x{n}=1" for n in range(60)), {}, 400, "invalid_request"),
    ("grant_type=client_credentials&client_id=ID&client_secret=SECRET", basic("ID:SECRET"), 400, "invalid_request"),
    ("grant_type=client_credentials&client_id=other", basic("ID:SECRET"), 400, "invalid_request"),
    ("grant_type=password&client_id=ID&client_secret=SECRET", {}, 400, "unsupported_grant_type"),
    # A client of this kind gets no codes: it is none that a member could let in.
    ("grant_type=authorization_code&code=x&client_id=ID", {}, 401, "invalid_client"),
    ("grant_type=refresh_token&refresh_token=x&client_id=ID&client_secret=SECRET", {}, 401, "invalid_client"),
    ("grant_type=client_credentials", {}, 401, "invalid_client"),
    ("grant_type=client_credentials&client_id=ID", {}, 401, "invalid_client"),
    ("grant_type=client_credentials&client_id=ID&client_secret=", {}, 401, "invalid_client"),
    ("grant_type=client_credentials&client_id=ID&client_secret=wrong", {}, 401, "invalid_client"),
    ("grant_type=client_credentials&client_id=unknown&client_secret=SECRET", {}, 401, "invalid_client"),
    ("grant_type=client_credentials&client_id=%00&client_secret=%00", {}, 401, "invalid_client"),
    ("grant_type=client_credentials", basic("ID:wrong"), 401, "invalid_client"),
    ("grant_type=client_credentials", basic("ID"), 401, "invalid_client"),
    ("grant_type=client_credentials", {"authorization": "Basic !"}, 401, "invalid_client"),
    ("grant_type=client_credentials", {"authorization": "Bearer SECRET"}, 401, "invalid_client"),
]


@pytest.mark.parametrize(("form", "headers", "status", "error"), REFUSALS)
async def test_refusals(api: Api, form: str, headers: dict[str, str], status: int, error: str) -> None:
    client = await make_client(api)

    def fill(text: str) -> str:
        return text.replace("ID", client["client_id"]).replace("SECRET", client["client_secret"])

    if headers.get("authorization", "").startswith("Basic ") and headers["authorization"] != "Basic !":
        headers = basic(fill(base64.b64decode(headers["authorization"][6:]).decode()))
    answer = await api.http.post(
        "/api/v1/auth/token",
        content=fill(form),
        headers={"content-type": "application/x-www-form-urlencoded", **headers},
    )
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "error_description"}
    assert answer.json()["error"] == error
    if status == 401:
        assert answer.json() == INVALID_CLIENT  # the same whatever was wrong
        assert answer.headers["www-authenticate"] == 'Basic realm="ledgerbee"'
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-rate-limit-remaining"] == "9"
    assert client["client_secret"] not in answer.text


async def test_a_body_that_is_no_form(api: Api) -> None:
    body = {"grant_type": "client_credentials", **await make_client(api)}
    for path in ("/api/v1/auth/token", "/api/v1/oauth/revoke"):
        for given in ({"json": body}, {"files": {"grant_type": b"client_credentials"}}, {"content": b"grant_type=x"}):
            answer = await api.http.post(path, **given)
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")
            assert "x-rate-limit-remaining" in answer.headers


async def test_an_api_key_is_no_client(api: Api) -> None:
    current = (await api.get("/v1/api-keys")).json()[0]["id"]
    assert (await ask(api.http, {"client_id": current, "client_secret": api.key})).json() == INVALID_CLIENT


async def test_a_clients_secret_opens_nothing_by_itself(api: Api) -> None:
    client = await make_client(api)
    for secret in (client["client_secret"], f"{client['client_id']}:{client['client_secret']}"):
        assert (await api.http.get("/api/v1/accounts", headers={"x-api-key": secret})).status_code == 401
        assert (await use(api.http, secret)).status_code == 401


async def test_ten_calls_a_minute_from_an_address(database_url: str, api: Api) -> None:
    client = await make_client(api)
    start = int(api.clock.now.timestamp())
    for left in range(9, -1, -1):
        answer = await ask(api.http, {"client_id": str(new_id()), "client_secret": "wrong"})
        assert answer.status_code == 401
        assert answer.headers["x-rate-limit-remaining"] == str(left)
        assert answer.headers["x-rate-limit-reset"] == str(start + 60)
        api.clock.advance(seconds=1)
    for _ in range(2):  # a refused call takes no place of its own
        refused = await ask(api.http, client)
        assert refused.status_code == 429
        assert refused.json() == RATE_LIMITED
        assert refused.headers["x-rate-limit-remaining"] == "0"
        assert refused.headers["x-rate-limit-reset"] == str(start + 60)
        assert refused.headers["retry-after"] == str(start + 60 - int(api.clock.now.timestamp()))
    async with instance(database_url, api.clock) as other_process:
        assert (await ask(other_process, client)).status_code == 429
    async with instance(database_url, api.clock, "203.0.113.5") as elsewhere:
        assert (await ask(elsewhere, client)).status_code == 200
    api.clock.advance(seconds=50)
    freed = await ask(api.http, client)  # sliding: the first call left the window, the second has not
    assert freed.status_code == 200
    assert freed.headers["x-rate-limit-remaining"] == "0"
    assert freed.headers["x-rate-limit-reset"] == str(start + 61)
    assert (await ask(api.http, client)).status_code == 429


async def test_ten_calls_a_minute_for_a_client(database_url: str, api: Api) -> None:
    client, other = await make_client(api), await make_client(api)
    for number in range(10):
        async with instance(database_url, api.clock, f"203.0.113.{number}") as anywhere:
            assert (await ask(anywhere, client)).status_code == 200
    async with instance(database_url, api.clock, "203.0.113.100") as anywhere:
        refused = await ask(anywhere, client)
        assert refused.status_code == 429
        assert refused.json() == RATE_LIMITED
        assert refused.headers["x-rate-limit-remaining"] == "9"
        assert refused.headers["retry-after"] == "60"  # the client's own calls, of which none is left
        assert (await ask(anywhere, other)).status_code == 200
        api.clock.advance(seconds=60)
        assert (await ask(anywhere, client)).status_code == 200


@pytest.mark.parametrize("address", ["203.0.113.{}", "2001:db8:1:{}::7"])
async def test_a_stranger_keeps_no_client_out(database_url: str, api: Api, address: str) -> None:
    """Wrong secrets count for the address that they come from alone, however many addresses there are."""
    client = await make_client(api)
    for number in range(1, 12):
        async with instance(database_url, api.clock, address.format(number)) as anywhere:
            for _ in range(3):
                assert (await ask(anywhere, {**client, "client_secret": "wrong"})).status_code == 401
    assert (await ask(api.http, client)).status_code == 200


async def test_the_addresses_of_a_customers_network_count_as_one(database_url: str, api: Api) -> None:
    client = await make_client(api)
    for number in range(11):
        async with instance(database_url, api.clock, f"2001:db8:9:9::{number:x}") as anywhere:
            answer = await ask(anywhere, {**client, "client_secret": "wrong"})
            assert answer.status_code == (401 if number < 10 else 429)
    async with instance(database_url, api.clock, "2001:db8:9:a::1") as neighbour:
        assert (await ask(neighbour, client)).status_code == 200


async def test_the_limit_holds_for_calls_at_once(api: Api) -> None:
    client = await make_client(api)
    answers = await asyncio.gather(*(ask(api.http, client) for _ in range(25)))
    assert sorted(answer.status_code for answer in answers) == [200] * 10 + [429] * 15


async def test_revocation_has_a_limit_of_its_own(api: Api) -> None:
    client = await make_client(api)
    form = {**client, "token": "unknown"}
    for left in range(9, -1, -1):
        answer = await api.http.post("/api/v1/oauth/revoke", data=form)
        assert answer.status_code == 200
        assert answer.headers["x-rate-limit-remaining"] == str(left)
    refused = await api.http.post("/api/v1/oauth/revoke", data=form)
    assert refused.status_code == 429
    assert refused.json() == RATE_LIMITED
    assert (await ask(api.http, client)).status_code == 200


async def test_the_limit_is_shown_to_browsers(database_url: str, clock: SteeredClock) -> None:
    settings = Settings(allowed_origins=("https://shop.example",))
    async with instance(database_url, clock, settings=settings) as client:
        answer = await ask(client, {"client_id": "x", "client_secret": "y"}, headers={"origin": "https://shop.example"})
    assert answer.status_code == 401
    exposed = answer.headers["access-control-expose-headers"]
    assert "X-Rate-Limit-Remaining" in exposed
    assert "X-Rate-Limit-Reset" in exposed


async def test_a_revoked_token_ends_at_once_in_every_process(database_url: str, api: Api) -> None:
    client = await make_client(api)
    first, second = await token_of(api.http, client), await token_of(api.http, client)
    async with instance(database_url, api.clock) as other_process:
        assert (await use(other_process, first)).status_code == 200
        revoked = await api.http.post("/api/v1/oauth/revoke", data={**client, "token": first, "token_type_hint": "x"})
        assert revoked.status_code == 200
        assert revoked.content == b""
        assert revoked.headers["cache-control"] == "no-store"
        assert (await use(other_process, first)).status_code == 401
        assert (await use(other_process, second)).status_code == 200


async def test_revoking_what_is_not_the_clients(api: Api, other_api: Api) -> None:
    client, neighbour, stranger = await make_client(api), await make_client(api), await make_client(other_api)
    token = await token_of(api.http, client)
    for foreign in (neighbour, stranger):
        answer = await api.http.post("/api/v1/oauth/revoke", data={**foreign, "token": token})
        assert answer.status_code == 200
    answer = await api.http.post("/api/v1/oauth/revoke", data={**client, "token": client["client_secret"]})
    assert answer.status_code == 200
    assert (await use(api.http, token)).status_code == 200
    assert (await ask(api.http, client)).status_code == 200


@pytest.mark.parametrize(
    ("change", "status", "error"),
    [
        ({"token": None}, 400, "invalid_request"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": None, "client_secret": None}, 401, "invalid_client"),
    ],
)
async def test_revocation_refusals(api: Api, change: dict[str, str | None], status: int, error: str) -> None:
    client = await make_client(api)
    token = await token_of(api.http, client)
    form = {key: value for key, value in {**client, "token": token, **change}.items() if value is not None}
    answer = await api.http.post("/api/v1/oauth/revoke", data=form)
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert (await use(api.http, token)).status_code == 200


async def test_a_client_on_a_list_of_addresses(database_url: str, api: Api) -> None:
    client = await make_client(api, ipWhitelist=["203.0.113.0/24"])
    assert (await ask(api.http, client)).json() == INVALID_CLIENT
    assert (await api.http.post("/api/v1/oauth/revoke", data={**client, "token": "x"})).status_code == 401
    async with instance(database_url, api.clock, "203.0.113.9") as allowed:
        token = await token_of(allowed, client)
        assert (await use(allowed, token)).status_code == 200
    carried_away = await use(api.http, token)
    assert carried_away.status_code == 401
    assert carried_away.json()["details"] == {"reason": "ip_whitelist_mismatch"}


@pytest.mark.parametrize(
    ("change", "ends"),
    [({"name": "new"}, False), ({"scopes": SCOPES[::-1]}, False), ({"scopes": SCOPES[:1]}, True),
     ({"ipWhitelist": ["127.0.0.0/8"]}, True)],
)  # fmt: skip
async def test_other_scopes_or_addresses_end_all_tokens(
    database_url: str, api: Api, change: dict[str, Any], ends: bool
) -> None:
    client = await make_client(api)
    token = await token_of(api.http, client)
    async with instance(database_url, api.clock) as other_process:
        assert (await use(other_process, token)).status_code == 200
        answer = await api.patch(f"/v1/oauth-clients/{client['client_id']}", change)
        assert answer.status_code == 200
        assert (await use(other_process, token)).status_code == (401 if ends else 200)
    renewed = await ask(api.http, client)
    assert renewed.status_code == 200
    assert renewed.json()["scope"] == " ".join(answer.json()["scopes"])


async def test_a_revoked_client_and_its_tokens_end_at_once(database_url: str, api: Api) -> None:
    client = await make_client(api)
    token = await token_of(api.http, client)
    async with instance(database_url, api.clock) as other_process:
        assert (await use(other_process, token)).status_code == 200
        for _ in range(2):
            assert (await api.delete(f"/v1/oauth-clients/{client['client_id']}")).status_code == 204
        assert (await use(other_process, token)).status_code == 401
        assert (await ask(other_process, client)).json() == INVALID_CLIENT
    changed = await api.patch(f"/v1/oauth-clients/{client['client_id']}", {"name": "again"})
    assert changed.status_code == 409
    assert changed.json()["code"] == "OAUTH_CLIENT_INVALID_STATE"
    assert changed.json()["details"] == {"status": "revoked"}
    assert (await api.get("/v1/oauth-clients")).json()[0]["revokedAt"] == "2026-03-16T12:00:00.000Z"


async def test_no_token_outlives_a_change_that_it_met(api: Api) -> None:
    """Tokens are made while the client loses a scope: none of them may keep it."""
    client = await make_client(api)

    async def shrink() -> None:
        answer = await api.patch(f"/v1/oauth-clients/{client['client_id']}", {"scopes": SCOPES[:1]})
        assert answer.status_code == 200

    answers = await asyncio.gather(
        *(ask(api.http, client) for _ in range(4)), shrink(), *(ask(api.http, client) for _ in range(4))
    )
    tokens = [answer.json()["access_token"] for answer in answers if answer is not None]
    assert len(tokens) == 8
    for token in tokens:
        assert (await use(api.http, token, "/v1/company")).status_code in {401, 403}


async def test_clients_over_http(api: Api, other_api: Api) -> None:
    headers = {"x-api-idempotency-key": "c1"}
    body = {"name": "sync", "scopes": ["company-read", "accounts-read", "company-read"], "ipWhitelist": ["10.0.0.1"]}
    created = await api.post("/v1/oauth-clients", body, headers=headers)
    assert created.status_code == 201
    client = created.json()
    assert client.pop("clientSecret").startswith("lbs_")
    assert client == {
        "clientId": client["clientId"],
        "name": "sync",
        "scopes": ["accounts-read", "company-read"],
        "ipWhitelist": ["10.0.0.1"],
        "createdAt": "2026-03-16T12:00:00.000Z",
        "revokedAt": None,
        "expiresAt": None,
        "createdBy": f"api_key:{(await api.get('/v1/api-keys')).json()[-1]['id']}",
    }
    replayed = await api.post("/v1/oauth-clients", body, headers=headers)
    assert replayed.json() == {**created.json(), "clientSecret": None}
    assert (await api.get("/v1/oauth-clients")).json() == [client]
    path = f"/v1/oauth-clients/{client['clientId']}"
    changed = await api.patch(path, {"name": "night", "ipWhitelist": []})
    assert changed.json() == {**client, "name": "night", "ipWhitelist": []}
    assert (await other_api.get("/v1/oauth-clients")).json() == []
    for refused in (await other_api.patch(path, {"name": "mine"}), await other_api.delete(path)):
        assert refused.status_code == 404
        assert refused.json()["code"] == "OAUTH_CLIENT_NOT_FOUND"


async def test_nobody_gives_a_client_what_he_lacks(api: Api) -> None:
    scopes = ["oauth-clients-write", "accounts-read"]
    limited = {"x-api-key": (await api.post("/v1/api-keys", {"name": "x", "scopes": scopes})).json()["key"]}
    body = {"name": "more", "scopes": SCOPES}
    refused = await api.http.post("/api/v1/oauth-clients", json=body, headers=limited)
    assert refused.status_code == 403
    assert refused.json()["details"] == {"requiredScopes": ["company-read"]}
    client = await make_client(api)
    path = f"/api/v1/oauth-clients/{client['client_id']}"
    more = await api.http.patch(path, json={"scopes": [*SCOPES, "bank-read"]}, headers=limited)
    assert more.json()["details"] == {"requiredScopes": ["company-read"]}
    for change in ({"scopes": ["company-read"]}, {"ipWhitelist": ["10.0.0.1"]}, {"name": "mine"}):
        stronger = await api.http.patch(path, json=change, headers=limited)
        assert (stronger.status_code, stronger.json()["code"]) == (403, "INSUFFICIENT_PERMISSIONS")
    assert (await api.http.delete(path, headers=limited)).status_code == 403
    partner = await api.patch(f"/v1/oauth-clients/{client['client_id']}", {"scopes": ["portal-sso-mint"]})
    assert partner.json()["code"] == "API_KEY_SCOPE_NOT_ASSIGNABLE"


async def test_secrets_and_tokens_are_kept_only_as_hashes(api: Api, database: Database) -> None:
    client = await make_client(api)
    token = await token_of(api.http, client)

    async def work(context: Any) -> list[str]:
        await context.connection.execute("SET LOCAL ROLE NONE")
        return [row["row"] for row in await context.connection.fetch("SELECT h::text AS row FROM rate_limit_hits h")]

    rows = {**await rows_of(api), "rate_limit_hits": await api.run(work)}
    assert rows.keys() >= {"oauth_clients", "credentials", "events"}
    assert holds(rows, client["client_id"])
    assert not holds(rows, token)
    assert not holds(rows, client["client_secret"])
