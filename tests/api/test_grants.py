"""What a credential made never outlives it, nor reaches further; revoking and narrowing it takes what it made along."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tests.conftest import Api

from ledgerbee.app.companies import allow_new_companies
from ledgerbee.app.config import Settings
from ledgerbee.core.cells import DEFAULT_CELL
from ledgerbee.core.changes import Changes
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import Grant, Principal, secret_hash
from ledgerbee.platform.credentials.rules import fits, granted, is_address_allowed
from ledgerbee.platform.db import CredentialRevokedError
from ledgerbee.tenancy.api_keys import actions as api_keys
from ledgerbee.tenancy.grants import actions as subjects
from ledgerbee.tenancy.grants.model import ApiKey, OAuthClient, SubjectFields
from ledgerbee.tenancy.oauth import actions as oauth_clients

ALL = ["api-keys-write", "api-keys-read", "oauth-clients-write", "accounts-read", "accounts-write"]


async def key(api: Api, **fields: Any) -> dict[str, Any]:
    """A new key, made with that of `api` or another (`by`)."""
    by = fields.pop("by", api.key)
    answer = await api.post("/v1/api-keys", {"name": "k", "scopes": ALL, **fields}, headers={"x-api-key": by})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def works(api: Api, secret: str, host: str = "127.0.0.1") -> bool:
    """Whether a key lets in."""
    assert host == "127.0.0.1"
    return (await api.get("/v1/accounts", headers={"x-api-key": secret})).status_code == 200


async def test_a_key_has_the_addresses_and_the_end_of_its_maker(api: Api) -> None:
    parent = await key(api, ipWhitelist=["127.0.0.0/8", "10.0.0.0/24", "10.0.1.0/24"], expiresAt="2026-03-17T12:00:00Z")
    child = await key(api, by=parent["key"])
    assert (child["ipWhitelist"], child["expiresAt"]) == (parent["ipWhitelist"], parent["expiresAt"])
    assert child["createdBy"] == f"api_key:{parent['id']}"
    narrower = await key(api, by=parent["key"], ipWhitelist=["10.0.0.0/23"], expiresAt="2026-03-17T11:00:00Z")
    assert narrower["ipWhitelist"] == ["10.0.0.0/23"]
    for name, value in (
        ("ipWhitelist", ["10.0.0.0/22"]),
        ("ipWhitelist", ["127.0.0.1", "::1"]),
        ("expiresAt", "2026-03-17T12:00:01Z"),
    ):
        body = {"name": "k", "scopes": ["accounts-read"], name: value}
        refused = await api.post("/v1/api-keys", body, headers={"x-api-key": parent["key"]})
        assert refused.status_code == 400, refused.text
        (error,) = refused.json()["details"]["validationErrors"]
        assert error["property"].startswith(name)


async def test_revoking_a_key_takes_its_descendants_along(api: Api) -> None:
    parent = await key(api)
    child = await key(api, by=parent["key"])
    client = await api.post(
        "/v1/oauth-clients", {"name": "c", "scopes": ALL}, headers={"x-api-key": child["key"]}
    )  # fmt: skip
    token = await token_of(api, client.json())
    grandchild = await api.post(
        "/v1/api-keys", {"name": "g", "scopes": ["accounts-read"]},
        headers={"x-api-key": "", "authorization": f"Bearer {token}"},
    )  # fmt: skip
    assert grandchild.status_code == 201, grandchild.text
    assert grandchild.json()["createdBy"] == f"oauth_client:{client.json()['clientId']}"
    other = await key(api)
    assert await works(api, grandchild.json()["key"])
    assert (await api.delete(f"/v1/api-keys/{parent['id']}")).status_code == 204
    for secret in (parent["key"], child["key"], grandchild.json()["key"]):
        assert not await works(api, secret)
    bearer = await api.http.get("/api/v1/accounts", headers={"authorization": f"Bearer {token}"})
    assert bearer.status_code == 401
    assert await works(api, other["key"])
    listed = {one["id"]: one["revokedAt"] for one in (await api.get("/v1/api-keys")).json()}
    assert {listed[one] is None for one in (parent["id"], child["id"], grandchild.json()["id"])} == {False}
    told = (await api.get("/v1/audit-events?type=api_key.revoked")).json()["data"]
    assert {event["objectId"] for event in told} == {parent["id"], child["id"], grandchild.json()["id"]}


@pytest.mark.parametrize("is_circle", [False, True])
async def test_revoking_ends_however_long_the_line_is(api: Api, *, is_circle: bool) -> None:
    """Longer than Python calls itself; and round in a circle, which only SQL can make."""
    first = UUID((await key(api))["id"])
    line = [first, *(uuid4() for _ in range(1_100))]

    async def make(context: Context) -> None:
        await context.connection.execute(
            "INSERT INTO credentials (secret_hash, company_id, kind, subject_id, scopes, made_by)"
            " SELECT sha256(uuid_send(l.id)), $1, 'api_key', l.id, '{}', l.maker"
            " FROM unnest($2::uuid[], $3::uuid[]) AS l (id, maker)",
            context.company_id,
            line[1:] + [first] * is_circle,
            line[:-1] + [line[-1]] * is_circle,
        )

    async def left(context: Context) -> int:
        count = "SELECT count(*) FROM credentials WHERE company_id = $1 AND made_by IS NOT NULL"
        return int(await context.connection.fetchval(count, context.company_id))

    await api.run(make)
    assert await api.run(left) == len(line) + is_circle
    assert (await api.delete(f"/v1/api-keys/{first}")).status_code == 204
    assert await api.run(left) == 0


async def test_what_a_token_makes_ends_with_its_client(api: Api) -> None:
    client = (await api.post("/v1/oauth-clients", {"name": "c", "scopes": ALL})).json()
    token = await token_of(api, client)
    headers = {"x-api-key": "", "authorization": f"Bearer {token}"}
    made = (await api.post("/v1/api-keys", {"name": "k", "scopes": ALL}, headers=headers)).json()
    api.clock.advance(hours=2)  # the token is over, its client isn't
    assert await works(api, made["key"])
    path = f"/v1/oauth-clients/{client['clientId']}"
    assert (await api.patch(path, {"scopes": [*ALL, "company-read"]})).status_code == 200  # wider: nothing to end
    assert await works(api, made["key"])
    assert (await api.patch(path, {"scopes": ALL[1:]})).status_code == 200  # narrower than what it made
    assert not await works(api, made["key"])


async def test_a_client_ends_with_the_key_that_made_it(api: Api) -> None:
    parent = await key(api, expiresAt="2026-03-16T12:30:00Z")
    made = await api.post("/v1/oauth-clients", {"name": "c", "scopes": ALL}, headers={"x-api-key": parent["key"]})
    assert made.json()["expiresAt"] == parent["expiresAt"]
    form = {"client_id": made.json()["clientId"], "client_secret": made.json()["clientSecret"]}
    answer = await api.http.post("/api/v1/auth/token", data={"grant_type": "client_credentials", **form})
    assert answer.json()["expires_in"] == 1800
    api.clock.advance(minutes=30)
    bearer = {"authorization": f"Bearer {answer.json()['access_token']}"}
    assert (await api.http.get("/api/v1/accounts", headers=bearer)).status_code == 401
    late = await api.http.post("/api/v1/auth/token", data={"grant_type": "client_credentials", **form})
    assert (late.status_code, late.json()["error"]) == (401, "invalid_client")


async def test_a_weaker_key_ends_no_stronger_one(api: Api) -> None:
    weak = await key(api, scopes=["api-keys-write"])
    strong = await key(api)
    refused = await api.delete(f"/v1/api-keys/{strong['id']}", headers={"x-api-key": weak["key"]})
    assert (refused.status_code, refused.json()["code"]) == (403, "INSUFFICIENT_PERMISSIONS")
    assert refused.json()["details"] == {"requiredScopes": sorted(set(ALL) - {"api-keys-write"})}
    assert await works(api, strong["key"])
    assert (await api.delete(f"/v1/api-keys/{weak['id']}", headers={"x-api-key": weak["key"]})).status_code == 204


async def test_a_company_makes_so_many_others(api: Api) -> None:
    allow_new_companies(2)
    try:
        body = {"name": "Another", "countryCode": "DK"}
        for _ in range(2):
            made = await api.post("/v1/companies", body)
            assert made.status_code == 201
            api.clock.advance(hours=1)
        refused = await api.post("/v1/companies", body)
        assert (refused.status_code, refused.json()["code"]) == (429, "COMPANY_LIMIT_REACHED")
        assert refused.headers["retry-after"] == str(22 * 3600)  # when the first of the two leaves the window
        told = (await api.get("/v1/audit-events?type=company.created")).json()["data"]
        assert made.json()["id"] in {event["objectId"] for event in told}
        api.clock.advance(hours=24)
        assert (await api.post("/v1/companies", body)).status_code == 201
        # The new company's first key can't go on making companies.
        answer = await api.post("/v1/companies", body, headers={"x-api-key": made.json()["key"]})
        assert answer.json()["details"] == {"requiredScopes": ["companies-write"]}
    finally:
        allow_new_companies(Settings().max_new_companies)


async def token_of(api: Api, client: dict[str, Any]) -> str:
    """An access token of a new client."""
    form = {"client_id": client["clientId"], "client_secret": client["clientSecret"]}
    answer = await api.http.post("/api/v1/auth/token", data={"grant_type": "client_credentials", **form})
    assert answer.status_code == 200, answer.text
    return str(answer.json()["access_token"])


# --- any chain of grants

moments = st.one_of(st.none(), st.integers(1, 5).map(lambda hours: datetime.fromisoformat(f"2026-03-16T1{hours}:00Z")))
networks = st.sampled_from(
    ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "192.0.2.0/24", "::/0", "2001:db8::/32", "0.0.0.0/0"]
)
lists = st.lists(networks, max_size=3).map(tuple)
scope_sets = st.sets(st.sampled_from(ALL), min_size=1).map(lambda found: tuple(sorted(found)))
grants = st.builds(Grant, scope_sets, lists, moments)
ADDRESSES = ["10.1.2.3", "10.1.9.9", "10.9.9.9", "192.0.2.1", "203.0.113.1", "2001:db8::1", "2001:db9::1"]
MOMENTS = [datetime.fromisoformat("2026-03-16T10:30Z") + timedelta(hours=hours) for hours in range(6)]


def where_valid(grant: Grant) -> set[tuple[str, datetime, str]]:
    """Everything that a grant lets in, of what is tried."""
    return {
        (address, moment, scope)
        for address in ADDRESSES
        for moment in MOMENTS
        for scope in grant.scopes
        if is_address_allowed(address, grant.ip_allowlist) and (grant.expires_at is None or moment < grant.expires_at)
    }


@given(grants, grants)
def test_what_is_granted_lies_within_what_is_held(wanted: Grant, held: Grant) -> None:
    try:
        got = granted(wanted, held)
    except LedgerBeeError:
        assert not fits(wanted, held)
    else:
        assert fits(got, held)
        assert where_valid(got) <= where_valid(held)
    if fits(wanted, held):
        assert where_valid(wanted) <= where_valid(held)


#: What is done, to or by which of them, what is asked for, and whether that is cut down to what the maker has.
steps = st.tuples(
    st.sampled_from(["key", "client", "client", "key", "change", "revoke"]), st.integers(0, 5), grants, st.booleans()
)


@dataclass
class Chain:
    """Keys and clients of a company: each one's id, maker and the hash of its secret, in order; and what kind it is."""

    api: Api
    made: list[tuple[UUID, UUID | None, bytes]] = field(default_factory=list)
    kinds: dict[UUID, str] = field(default_factory=dict)

    async def resolved(self, digest: bytes) -> Principal | None:
        async with self.api.database.connection() as connection:
            return await credentials.resolve(connection, digest, DEFAULT_CELL)

    async def step(self, verb: str, place: int, grant: Grant, is_fitting: bool) -> None:
        """Make one (by any of them, or the operator), or change or revoke one; what is refused is refused."""
        number = place % (len(self.made) + 1)
        maker = await self.resolved(self.made[number][2]) if number < len(self.made) else None
        if maker is not None and is_fitting:
            grant = Grant(tuple(sorted(maker.scopes & set(grant.scopes) or maker.scopes)), (), None)
        with suppress(LedgerBeeError, CredentialRevokedError):
            if verb in {"key", "client"}:
                await self.api.run(lambda context: self.make(context, verb, grant, maker))
            elif self.made:
                target = self.made[place % len(self.made)][0]
                await self.api.run(lambda context: self.end(context, verb, target, grant))

    async def make(self, context: Context, verb: str, grant: Grant, maker: Principal | None) -> None:
        options: dict[str, Any] = {"scopes": grant.scopes, "ip_allowlist": grant.ip_allowlist, "maker": maker}
        new: Any
        if verb == "key":
            new, secret = await api_keys.create(context, name="k", expires_at=grant.expires_at, **options)
            digest = secret_hash(secret)
        else:
            new, secret = await oauth_clients.create(context, name="c", **options)
            digest = secret_hash(f"{new.id}:{secret}")
        self.kinds[new.id] = verb
        self.made.append((new.id, maker.subject_id if maker else None, digest))

    async def end(self, context: Context, verb: str, target: UUID, grant: Grant) -> None:
        if verb == "change" and self.kinds[target] == "client":
            changes: Changes[SubjectFields] = Changes({"scopes": grant.scopes, "ip_allowlist": grant.ip_allowlist})
            await oauth_clients.update(context, target, changes)
        elif verb == "revoke" and self.kinds[target] == "client":
            await subjects.revoke(context, OAuthClient, target)
        elif verb == "revoke":
            await subjects.revoke(context, ApiKey, target)

    async def validity(self, digest: bytes) -> set[tuple[str, datetime, str]]:
        there = await self.resolved(digest)
        if there is None:
            return set()
        return where_valid(Grant(tuple(there.scopes), there.ip_allowlist, there.expires_at))


EVERYTHING = Grant(tuple(ALL), (), None)


@example(
    plan=[
        ("client", 0, EVERYTHING, False),
        ("key", 0, EVERYTHING, True),
        ("change", 0, Grant(("accounts-read",), (), None), False),
    ]
)
@given(plan=st.lists(steps, min_size=4, max_size=14))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_no_descendant_is_valid_where_an_ancestor_is_not(
    api: Api, plan: list[tuple[str, int, Grant, bool]]
) -> None:
    """Keys and clients are made, changed and revoked in any order; made by the operator or by any of them."""
    chain = Chain(api)
    api.clock.now = MOMENTS[0]
    for step in plan:
        await chain.step(*step)
    found = {subject: await chain.validity(digest) for subject, _, digest in chain.made}
    for subject, maker, _ in chain.made:
        if maker is not None:
            assert found[subject] <= found[maker]
