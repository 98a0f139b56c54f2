"""The authorization server: an application asks, a member agrees, tokens come of it (OAuth 2.1, decisions "OAuth")."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio
from mcp.shared.auth import OAuthClientInformationFull, OAuthMetadata, OAuthToken, ProtectedResourceMetadata
from tests.authorizing import CALLBACK, RESOURCE, Application, connected, new_verifier, query_of, registered
from tests.conftest import PUBLIC_URL, Api
from tests.pages import Page
from tests.people import signed_in
from tests.table_rows import holds, rows_of

from ledgerbee.core.ids import new_id
from ledgerbee.identity.users import actions as users
from ledgerbee.identity.users.model import Role
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import Principal, secret_hash
from ledgerbee.platform.db import Database


@pytest_asyncio.fixture(autouse=True)
async def fresh_windows(database: Database) -> AsyncIterator[None]:
    """Every test starts at the same moment and address, so it must not find the calls of the one before."""
    await forget_calls(database)
    yield


async def forget_calls(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("SET ROLE NONE; DELETE FROM rate_limit_hits; RESET ROLE")


async def principal_of(database: Database, token: str) -> Principal | None:
    async with database.connection() as connection:
        return await credentials.resolve(connection, secret_hash(token), "00")


async def test_the_way_of_an_application(api: Api, database: Database) -> None:
    browser, person = await signed_in(api)
    application = await registered(api.http)
    page = await browser.open(application.request())
    assert page.status_code == 200
    shown = Page(page.text).text
    assert "May Regnemester work in Nordlys ApS?" in shown
    assert "127.0.0.1:54545" in shown
    assert "a program on the computer that you sit at" in shown
    assert "Create, change and send invoices and credit notes" in shown
    for never in ("API keys that", "Create companies", "Invite people", "customer portal shows, and"):
        assert never not in shown
    policy = page.headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' http://127.0.0.1:54545;" in policy
    assert page.headers["x-frame-options"] == "DENY"

    answer = await browser.send(application.request(), {"decision": "allow", "access": "full"})
    assert answer.headers["location"].startswith(f"{CALLBACK}?")
    assert answer.headers["cache-control"] == "no-store"
    told = query_of(answer)
    assert told.keys() == {"code", "state", "iss"}
    assert (told["state"], told["iss"]) == ("a b&c", PUBLIC_URL)

    exchanged = await application.exchanges(told["code"], resource=RESOURCE)
    assert exchanged.headers["cache-control"] == "no-store"
    body = OAuthToken.model_validate(exchanged.json())
    assert (body.token_type, body.expires_in) == ("Bearer", 3600)
    assert body.refresh_token
    token = await principal_of(database, body.access_token)
    assert token is not None
    assert token.company_id == api.company_id
    assert (token.kind, token.user_id, token.resource) == ("user_token", person.id, "/api/v1/mcp")
    assert token.scopes == set((body.scope or "").split())
    assert not token.scopes & {"api-keys-write", "companies-write", "connections-write", "users-write"}
    assert {"journal-entries-write", "invoices-write"} <= token.scopes

    # The API itself takes none of these tokens.
    refused = await api.http.get("/api/v1/company", headers={"authorization": f"Bearer {body.access_token}"})
    assert refused.status_code == 401
    (found,) = (await api.get("/v1/connections")).json()
    assert found["id"] == str(token.subject_id)
    assert (found["clientName"], found["redirectHost"], found["dailyLimit"]) == (
        "Regnemester", "127.0.0.1:54545", "10000",
    )  # fmt: skip
    events = (await api.get(f"/v1/audit-events?objectId={found['id']}")).json()["data"]
    assert [(one["type"], one["actor"]) for one in events] == [("connection.created", f"user:{person.id}")]
    assert (await api.get(f"/v1/audit-events?credentialId={found['id']}")).json()["total"] == 1


async def test_metadata_for_applications(api: Api) -> None:
    http = api.http
    server = await http.get("/.well-known/oauth-authorization-server")
    metadata = OAuthMetadata.model_validate(server.json())
    assert str(metadata.issuer).rstrip("/") == PUBLIC_URL
    assert server.json()["client_id_metadata_document_supported"] is True
    assert server.json()["authorization_response_iss_parameter_supported"] is True
    assert metadata.code_challenge_methods_supported == ["S256"]
    assert set(metadata.grant_types_supported or ()) == {"authorization_code", "client_credentials", "refresh_token"}
    assert "portal-provision" not in (metadata.scopes_supported or ())
    for path in ("/api/v1/mcp", f"/api/v1/mcp/c/{api.company_id}", f"/api/v1/mcp/c/{new_id()}"):
        answer = await http.get(f"/.well-known/oauth-protected-resource{path}")
        resource = ProtectedResourceMetadata.model_validate(answer.json())
        assert answer.json()["resource"] == f"{PUBLIC_URL}{path}"
        assert [str(one).rstrip("/") for one in resource.authorization_servers] == [PUBLIC_URL]
        assert answer.headers["access-control-allow-origin"] == "*"
        assert (await http.get(f"/.well-known/oauth-authorization-server{path}")).json() == server.json()
    for path in ("/api/v1/invoices", "/api/v1/mcp/c/x", "/api/v1/mcp/"):
        assert (await http.get(f"/.well-known/oauth-protected-resource{path}")).status_code == 404


async def test_registration(api: Api, database: Database) -> None:
    answer = await api.http.post(
        "/api/v1/oauth/register",
        json={
            "client_name": "Cur\u202esor\n<b>", "redirect_uris": ["cursor://anysphere.cursor-mcp/callback"],
            "token_endpoint_auth_method": "none", "software_id": "x", "scope": "portal-provision", "jwks": {"keys": []},
        },
    )  # fmt: skip
    assert answer.status_code == 201
    assert answer.headers["cache-control"] == "no-store"
    OAuthClientInformationFull.model_validate(answer.json())
    assert answer.json()["client_name"] == "Cursor <b>"
    assert answer.json().keys() == {
        "client_id", "client_id_issued_at", "client_name", "redirect_uris", "token_endpoint_auth_method", "grant_types",
        "response_types",
    }  # fmt: skip
    confidential = await registered(api.http, token_endpoint_auth_method="client_secret_basic")
    assert confidential.secret
    uris = ["http://127.0.0.1/callback"]
    for metadata, error in (
        ({"redirect_uris": []}, "invalid_redirect_uri"),
        ({"redirect_uris": ["javascript:alert(1)"], "token_endpoint_auth_method": "none"}, "invalid_redirect_uri"),
        ({"redirect_uris": ["http://example.com/"]}, "invalid_redirect_uri"),
        ({"redirect_uris": ["cursor://x/y"]}, "invalid_redirect_uri"),  # a secret is no app's own
        ({"redirect_uris": uris, "token_endpoint_auth_method": "private_key_jwt"}, "invalid_client_metadata"),
        ({"redirect_uris": uris, "grant_types": ["implicit"]}, "invalid_client_metadata"),
        ({"redirect_uris": uris, "response_types": ["token"]}, "invalid_client_metadata"),
        ([], "invalid_client_metadata"),
    ):
        refused = await api.http.post("/api/v1/oauth/register", json=metadata)
        assert (refused.status_code, refused.json()["error"]) == (400, error), metadata
    limited = await api.http.post("/api/v1/oauth/register", json={"redirect_uris": uris})
    assert limited.status_code == 429
    assert limited.json()["error_description"] == "Rate limit exceeded. Try again later."
    assert limited.headers["x-rate-limit-remaining"] == "0"


async def test_clients_that_nobody_uses_are_forgotten(api: Api, database: Database) -> None:
    used, unused = await registered(api.http), await registered(api.http)
    browser, _ = await signed_in(api)
    await used.connects(browser)
    async with database.connection() as connection:
        await connection.execute("SET ROLE NONE")
        await connection.execute("SELECT purge_authorizations($1)", api.clock())
        await connection.execute("UPDATE registered_clients SET created_at = created_at - interval '32 days'")
        await connection.execute("SELECT purge_authorizations($1)", api.clock())
        left = {str(row["id"]) for row in await connection.fetch("SELECT id FROM registered_clients")}
        await connection.execute("RESET ROLE")
    assert used.client_id in left
    assert unused.client_id not in left
    assert (await browser.open(unused.request())).status_code == 400


async def test_what_is_told_to_the_person_alone(api: Api) -> None:
    """Nobody is led anywhere by a request whose client or redirect URI is no good, signed in or not."""
    browser, _ = await signed_in(api)
    application = await registered(api.http)
    bad = (
        {"client_id": None}, {"client_id": str(new_id())}, {"client_id": "x"}, {"redirect_uri": None},
        {"redirect_uri": "https://evil.dk/callback"}, {"redirect_uri": "http://localhost:54545/callback"},
        {"redirect_uri": "http://127.0.0.1:54545/callback/"}, {"redirect_uri": "http://127.0.0.1@evil.dk/callback"},
        {"redirect_uri": "http://127.0.0.1.evil.dk/callback"}, {"redirect_uri": "http://127.0.0.1:54545/callback#x"},
        {"redirect_uri": "javascript:alert(1)"}, {"redirect_uri": "http://127.0.0.1:0/callback"},
    )  # fmt: skip
    for changes in bad:
        address = application.request(**changes)
        for answer in (await browser.open(address), await api.http.get(address)):
            assert answer.status_code == 400, changes
            assert "location" not in answer.headers
    twice = application.request() + "&redirect_uri=https%3A%2F%2Fevil.dk"
    assert (await browser.open(twice)).status_code == 400
    # A stranger signs in first, whatever else is wrong: no link alone leads to another site.
    stranger = await api.http.get(application.request(response_type="token"))
    assert stranger.status_code == 303
    assert stranger.headers["location"].startswith("/sign-in?next=%2Foauth%2Fauthorize%3F")


async def test_what_is_told_to_the_application(api: Api, other_api: Api) -> None:
    browser, _ = await signed_in(api)
    application = await registered(api.http)
    for changes, error in (
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": None}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge": "short"}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": None}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "x"}, "request_not_supported"),
        ({"request_uri": "https://evil.dk"}, "request_uri_not_supported"),
        ({"resource": "https://evil.dk/api/v1/mcp"}, "invalid_target"),
        ({"resource": f"{PUBLIC_URL}/api/v1/company"}, "invalid_target"),
        ({"scope": "portal-provision users-write openid"}, "invalid_scope"),
    ):
        told = query_of(await browser.open(application.request(**changes)))
        assert (told["error"], told["state"], told["iss"]) == (error, "a b&c", PUBLIC_URL), changes
        assert "code" not in told
    refused = query_of(await browser.open(application.request() + "&resource=x"))
    assert refused["error"] == "invalid_request"
    assert "state" not in query_of(await browser.open(application.request(state="x" * 2000)))

    await browser.open(application.request())
    denied = query_of(await browser.send(application.request(), {"decision": "refuse"}))
    assert (denied["error"], denied["state"], denied["iss"]) == ("access_denied", "a b&c", PUBLIC_URL)

    # The company of the address is another one: nothing to agree to, but to go back.
    elsewhere = application.request(resource=f"{RESOURCE}/c/{other_api.company_id}")
    page = await browser.open(elsewhere)
    assert page.status_code == 403
    assert "other" not in Page(page.text).text.lower()
    for company in (other_api.company_id, api.company_id):
        fields = {"decision": "allow", "access": "full", "company": str(company)}
        await browser.open(elsewhere)
        assert (await browser.send(elsewhere, fields)).status_code == 404
    assert (await api.get("/v1/connections")).json() == []


async def test_forms_are_taken_from_the_page_alone(api: Api) -> None:
    browser, _ = await signed_in(api)
    application = await registered(api.http)
    address, fields = application.request(), {"decision": "allow", "access": "full"}
    assert (await browser.request("POST", address, data=fields)).status_code == 400
    assert (await browser.request("POST", address, data={**fields, "token": "0" * 64})).status_code == 400
    for headers in ({"origin": "https://evil.dk"}, {"sec-fetch-site": "cross-site"}, {"sec-fetch-site": "same-site"}):
        await browser.open(address)
        assert (await browser.send(address, fields, headers=headers)).status_code == 400
    await browser.open(address)
    other, _ = await signed_in(api)
    other.page = browser.page  # the token of somebody else's session
    assert (await other.send(address, fields)).status_code == 400
    stranger = await api.http.post(address, data=fields)
    assert stranger.headers["location"].startswith("/sign-in?")
    assert (await browser.send(address, fields)).status_code == 303
    # Without saying how much, the page asks again, and an answer that is none gives nothing.
    await browser.open(address)
    again = await browser.send(address, {"decision": "allow"})
    assert again.status_code == 400
    assert "Choose how much" in Page(again.text).text


async def test_read_only_and_roles(api: Api, database: Database) -> None:
    application, owner = await registered(api.http), (await signed_in(api))[0]
    body = await application.connects(owner, "read")
    assert all(scope.endswith("-read") for scope in body["scope"].split())
    assert "invoices-read" in body["scope"]
    asked = await application.connects(
        owner, "full", scope="invoices-write customers-read users-write portal-provision"
    )
    assert asked["scope"] == "customers-read invoices-write"
    seller = (await signed_in(api, "sales"))[0]
    sold = await application.connects(seller, "full", scope="journal-entries-write invoices-write")
    assert sold["scope"] == "invoices-write"
    nothing = await seller.open(application.request(scope="journal-entries-write"))
    assert nothing.status_code == 403
    assert "allows nothing" in Page(nothing.text).text
    reader = (await signed_in(api, "read-only"))[0]
    page = await reader.open(application.request(scope="invoices-read customers-read"))
    assert Page(page.text).forms[1].fields["access"] == "read"  # there is nothing to choose
    assert (await api.get("/v1/connections")).json()[1]["scopes"] == ["customers-read", "invoices-write"]


async def test_a_company_is_chosen_or_named_by_the_address(api: Api, other_api: Api, database: Database) -> None:
    browser, person = await signed_in(api)

    async def join(context: Any) -> None:
        await users.add_member(context, person.id, Role.SALES)  # type: ignore[arg-type]

    await other_api.run(join)
    application = await registered(api.http)
    choice = Page((await browser.open(application.request())).text)
    assert "Where is Regnemester to work?" in choice.text
    assert choice.forms[1].fields["state"] == "a b&c"
    chosen = f"{application.request()}&company={other_api.company_id}"
    page = Page((await browser.open(chosen)).text)
    assert "Your role sales" in page.text
    fields = {"decision": "allow", "access": "full", "company": str(other_api.company_id)}
    code = query_of(await browser.send(chosen, fields))["code"]
    token = await principal_of(database, (await application.exchanges(code)).json()["access_token"])
    assert token is not None
    assert (token.company_id, token.resource) == (other_api.company_id, "/api/v1/mcp")

    pinned = f"{RESOURCE}/c/{str(api.company_id).upper()}"
    page = Page((await browser.open(application.request(resource=pinned))).text)
    assert "Your role owner" in page.text
    answer = await application.exchanges(await application.asks(browser, resource=pinned), resource=pinned)
    named = await principal_of(database, answer.json()["access_token"])
    assert named is not None
    assert (named.company_id, named.resource) == (api.company_id, f"/api/v1/mcp/c/{api.company_id}")
    # Whatever the form says, the address decides.
    fields = {"decision": "allow", "access": "full", "company": str(other_api.company_id)}
    code = query_of(await browser.send(application.request(resource=pinned), fields))["code"]
    assert (await application.exchanges(code)).status_code == 200
    assert len((await other_api.get("/v1/connections")).json()) == 1


async def test_a_code_is_good_once_for_who_asked(api: Api, database: Database) -> None:
    browser, _ = await signed_in(api)
    application, thief = await registered(api.http), await registered(api.http)
    code = await application.asks(browser)
    thief.verifier = application.verifier
    wrong: tuple[tuple[Application, dict[str, str | None]], ...] = (
        (thief, {}), (application, {"code_verifier": new_verifier()}), (application, {"code_verifier": "x"}),
        (application, {"redirect_uri": "http://127.0.0.1:9/callback"}), (application, {"redirect_uri": None}),
    )  # fmt: skip
    for who, changes in wrong:
        refused = await who.exchanges(code, **changes)
        assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant"), changes
        assert "www-authenticate" not in refused.headers
    assert (await application.exchanges(code, code_verifier=None)).json()["error"] == "invalid_request"
    other_resource = await application.exchanges(code, resource=f"{RESOURCE}/c/{api.company_id}")
    assert other_resource.json()["error"] == "invalid_target"
    await forget_calls(database)
    first = (await application.exchanges(code)).json()
    assert (await application.refreshes(first["refresh_token"])).status_code == 200
    # The second time ends what came of the first, refreshed or not.
    assert (await application.exchanges(code)).json()["error"] == "invalid_grant"
    assert await principal_of(database, first["access_token"]) is None
    assert (await application.refreshes(first["refresh_token"])).json()["error"] == "invalid_grant"
    (found,) = (await api.get("/v1/connections")).json()
    assert found["revokedBecause"] == "code_reused"
    late = await application.asks(browser)
    api.clock.advance(seconds=60)
    assert (await application.exchanges(late)).json()["error"] == "invalid_grant"
    assert (await application.exchanges("lbc_00.nonsense")).json()["error"] == "invalid_grant"
    assert (await application.exchanges("lbc_ff.nonsense")).json()["error"] == "invalid_grant"
    assert (await application.exchanges(first["access_token"])).json()["error"] == "invalid_grant"


async def test_two_exchanges_of_a_code_at_once(api: Api, database: Database) -> None:
    browser, _ = await signed_in(api)
    application = await registered(api.http)
    codes = [await application.asks(browser), await application.asks(browser)]  # two consents: two connections
    answers = await asyncio.gather(*(application.exchanges(code) for code in (*codes, codes[0])))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 400]
    found = (await api.get("/v1/connections")).json()
    assert sorted(one["revokedBecause"] or "" for one in found) == ["", "code_reused"]


async def test_a_confidential_client_shows_its_secret(api: Api, database: Database) -> None:
    browser, _ = await signed_in(api)
    application = await registered(
        api.http, token_endpoint_auth_method="client_secret_basic", redirect_uris=["https://app.example/callback"]
    )
    code = await application.asks(browser)
    secret, application.secret = application.secret, None
    assert (await application.exchanges(code)).status_code == 401
    application.secret = "wrong"
    assert (await application.exchanges(code)).json() == {
        "error": "invalid_client", "error_description": "Client authentication failed",
    }  # fmt: skip
    application.secret = secret
    assert (await application.exchanges(code)).status_code == 200
    await forget_calls(database)
    for _ in range(9):
        await application.refreshes("lbn_00.nonsense")
    async with database.connection() as connection:  # from everywhere: the address is none of it
        await connection.execute("SET ROLE NONE; DELETE FROM rate_limit_hits WHERE bucket LIKE '%address%'; RESET ROLE")
    assert (await application.refreshes("lbn_00.nonsense")).status_code == 400
    limited = await application.exchanges(await application.asks(browser))
    assert limited.status_code == 429
    public = await registered(api.http)
    public.secret = "any"
    assert (await public.refreshes("lbn_00.nonsense")).status_code == 401


async def test_refresh_tokens_take_turns(api: Api, database: Database) -> None:
    application, first, person = await connected(api)
    other = await registered(api.http)
    assert (await other.refreshes(first["refresh_token"])).json()["error"] == "invalid_grant"
    elsewhere = f"{RESOURCE}/c/{api.company_id}"
    assert (await application.refreshes(first["refresh_token"], resource=elsewhere)).json()["error"] == "invalid_target"
    api.clock.advance(hours=1)
    second = (await application.refreshes(first["refresh_token"], scope="invoices-read", resource=RESOURCE)).json()
    assert second["scope"] == "invoices-read"
    too_much = await application.refreshes(second["refresh_token"], scope="invoices-read users-write")
    assert too_much.json()["error"] == "invalid_scope"
    # The one before leads to the same successor for half a minute, and one further on.
    api.clock.advance(seconds=29)
    again = (await application.refreshes(first["refresh_token"])).json()
    assert again["refresh_token"] == second["refresh_token"]
    assert again["scope"] == first["scope"]
    third = (await application.refreshes(second["refresh_token"])).json()
    api.clock.advance(seconds=1)
    assert (await application.refreshes(first["refresh_token"])).json()["refresh_token"] == third["refresh_token"]
    await forget_calls(database)
    # At once: both work, and there is one chain.
    answers = await asyncio.gather(*(application.refreshes(third["refresh_token"]) for _ in range(4)))
    fourths = {answer.json()["refresh_token"] for answer in answers}
    assert len(fourths) == 1
    assert len({answer.json()["access_token"] for answer in answers}) == 4
    (fourth,) = fourths
    api.clock.advance(days=29)
    fifth = (await application.refreshes(fourth)).json()
    assert (await principal_of(database, fifth["access_token"])) is not None
    # Later it was stolen: the whole connection ends, and the audit trail says why.
    api.clock.advance(seconds=31)
    assert (await application.refreshes(fourth)).json()["error"] == "invalid_grant"
    assert await principal_of(database, fifth["access_token"]) is None
    assert (await application.refreshes(fifth["refresh_token"])).json()["error"] == "invalid_grant"
    (event,) = (await api.get("/v1/audit-events?type=connection.revoked")).json()["data"]
    assert (event["data"]["revokedBecause"], event["actor"]) == ("refresh_token_reused", f"user:{person.id}")
    assert event["credentialKind"] == "refresh_token"


async def test_a_connection_that_is_not_used_ends(api: Api) -> None:
    application, first, _ = await connected(api)
    api.clock.advance(days=30)
    assert (await application.refreshes(first["refresh_token"])).json()["error"] == "invalid_grant"
    (found,) = (await api.get("/v1/connections")).json()
    assert found["revokedAt"] is None
    assert found["expiresAt"] == "2026-04-15T12:00:00.000Z"


async def test_revocation(api: Api, database: Database) -> None:
    application, first, _ = await connected(api)
    other = await registered(api.http)

    async def revoke(who: Application, token: str) -> None:
        answer = await api.http.post("/api/v1/oauth/revoke", data={"client_id": who.client_id, "token": token})
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"

    await revoke(other, first["access_token"])
    await revoke(other, first["refresh_token"])
    await revoke(application, "lbn_00.nonsense")
    assert await principal_of(database, first["access_token"]) is not None
    await revoke(application, first["access_token"])
    assert await principal_of(database, first["access_token"]) is None
    second = (await application.refreshes(first["refresh_token"])).json()
    await revoke(application, second["refresh_token"])
    assert await principal_of(database, second["access_token"]) is None
    assert (await application.refreshes(second["refresh_token"])).json()["error"] == "invalid_grant"
    (found,) = (await api.get("/v1/connections")).json()
    assert found["revokedBecause"] == "application"
    nobody = await api.http.post("/api/v1/oauth/revoke", data={"client_id": str(new_id()), "token": "x"})
    assert nobody.status_code == 401


async def test_what_happens_to_the_member_happens_to_the_connection(api: Api, database: Database) -> None:
    application, first, person = await connected(api, "accountant")
    user_id: Any = person.id

    async def change(context: Any) -> None:
        await users.change_role(context, user_id, Role.SALES, None)

    code = await application.asks((await signed_in(api, "sales"))[0])
    await api.run(change)
    assert await principal_of(database, first["access_token"]) is None
    (found,) = (await api.get("/v1/connections")).json()
    assert "journal-entries-write" not in found["scopes"]
    assert "invoices-write" in found["scopes"]
    (event,) = (await api.get("/v1/audit-events?type=connection.updated")).json()["data"]
    assert "journal-entries-write" in event["before"]["scopes"]
    second = (await application.refreshes(first["refresh_token"])).json()
    assert second["scope"].split() == found["scopes"]
    await api.run(lambda context: users.remove(context, user_id, None))
    assert await principal_of(database, second["access_token"]) is None
    assert (await application.refreshes(second["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await api.get("/v1/connections")).json()[0]["revokedBecause"] == "membership"
    assert (await application.exchanges(code)).status_code == 200

    another, third, member = await connected(api)
    async with database.connection() as connection:
        await connection.execute("SET ROLE NONE")
        await connection.execute("SELECT end_everything_of($1)", member.id)
        await connection.execute("RESET ROLE")
    assert await principal_of(database, third["access_token"]) is None
    assert (await another.refreshes(third["refresh_token"])).json()["error"] == "invalid_grant"
    assert (await api.get("/v1/connections")).json()[0]["revokedBecause"] == "password"


async def test_secrets_are_kept_as_hashes(api: Api) -> None:
    application, first, _ = await connected(api)
    second = (await application.refreshes(first["refresh_token"])).json()
    rows = await rows_of(api)
    for secret in (first["refresh_token"], second["refresh_token"], second["access_token"]):
        assert not holds(rows, secret)
        assert not holds(rows, secret.encode().hex())
