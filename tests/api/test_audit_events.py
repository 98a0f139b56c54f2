"""The audit trail over HTTP, that nobody changes it, and who posted an entry."""

import hashlib
import json
from base64 import b64encode
from typing import Any

import asyncpg
import pytest
from tests.api.test_imports import work_off
from tests.conftest import Api
from tests.ledger_books import Books, books_of

from ledgerbee.core.ids import new_id
from ledgerbee.tenancy.company import actions as companies

PATH = "/v1/audit-events"
IMPORT = "/v2/journal-entries/import"
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360606060000000050001"
    "a5f645400000000049454e44ae426082"
)


async def listed(api: Api, **query: str) -> list[dict[str, Any]]:
    answer = await api.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    assert answer.json()["total"] >= len(answer.json()["data"])
    return list(answer.json()["data"])


async def test_who_changed_the_bank_account(api: Api) -> None:
    api.clock.advance(minutes=1)
    headers = {"x-forwarded-for": "203.0.113.7"}
    answer = await api.patch("/v1/company", {"iban": "DK5000400440116243"}, headers=headers)
    (event,) = await listed(api, type="company.updated")
    key = (await api.get("/v1/api-keys")).json()[-1]
    company = (await api.get("/v1/company")).json()
    del company["today"]  # follows from the moment of reading
    assert event == {
        "id": event["id"],
        "type": "company.updated",
        "objectId": str(api.company_id),
        "sequence": 2,
        "actor": f"api_key:{key['id']}",
        "credentialKind": "api_key",
        "credentialId": key["id"],
        "address": event["address"],
        "requestId": answer.headers["X-Request-Id"],
        "occurredAt": "2026-03-16T12:01:00.000Z",
        "before": {**company, "iban": None, "updatedAt": "2026-03-16T12:00:00.000Z"},
        "data": company,
    }
    assert event["address"] in {"127.0.0.1", "203.0.113.7"}  # that of the proxy's client, where the server takes it
    assert (await api.get(f"{PATH}/{event['id']}")).json() == event


async def test_filters_and_pages(api: Api) -> None:
    made = []
    for number in range(3):
        api.clock.advance(minutes=1)
        made.append(await api.post("/v1/dimensions", {"name": f"D{number}", "isUnique": False}))
    first = made[0].json()["id"]
    api.clock.advance(minutes=1)
    await api.put(f"/v1/dimensions/{first}", {"name": "Changed", "isUnique": False})
    client = (await api.post("/v1/oauth-clients", {"name": "c", "scopes": ["dimensions-write"]})).json()
    form = {"client_id": client["clientId"], "client_secret": client["clientSecret"]}
    token = await api.http.post("/api/v1/auth/token", data={"grant_type": "client_credentials", **form})
    bearer = {"x-api-key": "", "authorization": f"Bearer {token.json()['access_token']}"}
    by_client = (await api.post("/v1/dimensions", {"name": "Its", "isUnique": False}, headers=bearer)).json()["id"]

    def names(events: list[dict[str, Any]]) -> list[str]:
        return [event["data"]["name"] for event in events]

    assert names(await listed(api, type="dimension.created")) == ["Its", "D2", "D1", "D0"]
    assert names(await listed(api, type="dimension.created", sortOrder="ASC", limit="2")) == ["D0", "D1"]
    assert names(await listed(api, type="dimension.created", limit="2", page="2")) == ["D1", "D0"]
    assert [event["sequence"] for event in await listed(api, objectId=first)] == [2, 1]
    (its,) = await listed(api, credentialId=client["clientId"])
    assert (its["objectId"], its["credentialKind"]) == (by_client, "oauth_token")
    assert await listed(api, actor=f"oauth_client:{client['clientId']}") == [its]
    assert names(await listed(api, requestId=made[1].headers["X-Request-Id"])) == ["D1"]
    between = {"from": "2026-03-16T12:02:00Z", "to": "2026-03-16T12:03:00Z"}
    assert names(await listed(api, **between)) == ["D2", "D1"]
    assert await listed(api, actor="operator:tests", type="company.created") != []
    assert await listed(api, type="journal_entry.posted") == []
    for query in ("from=yesterday", "objectId=x", "credentialId=1", "sortBy=type", "limit=0"):
        assert (await api.get(f"{PATH}?{query}")).status_code == 400


async def test_of_a_logo_the_digest_is_told(api: Api) -> None:
    assert (await api.patch("/v1/company", {"logo": b64encode(PNG).decode()})).status_code == 200
    (event,) = await listed(api, type="company.updated")
    assert event["before"]["logo"] is None
    assert event["data"]["logo"]["bytes"] > 0
    assert len(event["data"]["logo"]["sha256"]) == len(hashlib.sha256().hexdigest())
    assert b64encode(PNG).decode() not in str(event)
    assert (await api.patch("/v1/company", {"logo": b64encode(PNG).decode()})).status_code == 200
    assert len(await listed(api, type="company.updated")) == 1


async def test_the_operator_is_told_of_too(api: Api) -> None:
    for _ in range(2):
        await api.run(lambda context: companies.set_licenses(context, ["Subscription"]))
    (event,) = await listed(api, type="company.licenses_changed")
    assert (event["actor"], event["credentialKind"], event["address"]) == ("operator:tests", None, None)
    assert (event["before"]["licenses"][1:], event["data"]["licenses"]) != ([], ["CustomerPortal"])


async def test_nobody_changes_what_was_told(api: Api, database_url: str) -> None:
    """Not the application, which has no privilege to; nor the owner, but for removing what is past its retention."""
    await api.post("/v1/dimensions", {"name": "D", "isUnique": False})
    change = "UPDATE events SET actor = 'nobody' WHERE company_id = $1"
    remove = "DELETE FROM events WHERE company_id = $1"
    company = str(api.company_id)
    for settings, refusal in (
        ({"role": "ledgerbee_app"}, asyncpg.InsufficientPrivilegeError),
        ({}, asyncpg.PostgresError),
    ):
        connection = await asyncpg.connect(database_url, server_settings={"app.company_id": company, **settings})
        try:
            for statement in (change, remove):
                with pytest.raises(refusal):
                    await connection.execute(statement, api.company_id)
            with pytest.raises(refusal):
                await connection.execute("TRUNCATE events")
            if not settings:
                async with connection.transaction():
                    await connection.execute("SET LOCAL app.retention = 'on'")
                    with pytest.raises(asyncpg.PostgresError, match="never changed"):
                        async with connection.transaction():
                            await connection.execute(change, api.company_id)
                    assert await connection.execute(remove, api.company_id) != "DELETE 0"
        finally:
            await connection.close()


async def test_an_entry_names_what_posted_it(api: Api) -> None:
    books: Books = await books_of(api)
    key = (await api.get("/v1/api-keys")).json()[-1]["id"]
    body = {
        "entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "5.00",
        "lines": [
            {"accountId": str(books.accounts[6480]), "side": "DEBIT", "amount": "5.00"},
            {"accountId": str(books.accounts[1010]), "side": "CREDIT", "amount": "5.00"},
        ],
    }  # fmt: skip

    async def check(entry: dict[str, Any], kind: str, source: str | None) -> None:
        found = (await api.get(f"/v1/journal-entries/{entry['id']}")).json()
        assert (entry["sourceType"], entry["sourceId"], entry["postedBy"]) == (kind, source, f"api_key:{key}")
        assert {**found, "reversedByEntryId": None} == {**entry, "reversedByEntryId": None}
        (told,) = await listed(api, objectId=entry["id"], type="journal_entry.posted")
        assert told["data"] == entry

    entry = (await api.post("/v2/journal-entries", body)).json()
    await check(entry, "API", None)
    draft = (await api.post("/v2/draft-journal-entries", body)).json()
    booked = (await api.post(f"/v2/draft-journal-entries/{draft['id']}/book")).json()
    await check(booked, "DRAFT", draft["id"])
    for one in (entry, booked):
        back = await api.post(f"/v1/journal-entries/{one['id']}/reverse")
        assert back.status_code == 201, back.text
        await check(back.json(), "REVERSAL", one["id"])


async def test_an_import_makes_entries_and_nothing_else(api: Api) -> None:
    """With a key that may post entries and no more, whatever its rows name."""
    scopes = ["journal-entries-read", "journal-entries-write"]
    made = (await api.post("/v1/api-keys", {"name": "poster", "scopes": scopes})).json()
    before = len(await listed(api))
    line: dict[str, Any] = {"side": "DEBIT", "amount": "1.00"}
    rows: list[dict[str, Any]] = [
        {"lines": [line | {"accountNumber": 6480}, line | {"accountNumber": 1010, "side": "CREDIT"}]},
        {"lines": [line | {"accountNumber": 99_123}, line | {"accountNumber": 1010, "side": "CREDIT"}]},
        {"lines": [line | {"accountNumber": 6480, "tags": ["new"]}, line | {"accountNumber": 1010, "side": "CREDIT"}]},
        {"lines": [line | {"accountNumber": 6480, "tagIds": [str(new_id())]}, line | {"accountNumber": 1010}]},
        {"date": "2024-05-01", "lines": [line | {"accountNumber": 6480}, line | {"accountNumber": 1010}]},
    ]
    entry = {"entryType": "JOURNAL_ENTRY", "date": "2026-03-16", "originalAmount": "1.00"}
    content = "\n".join(json.dumps(entry | row) for row in rows)
    headers = {"x-api-key": made["key"], "content-type": "application/x-ndjson"}
    refused = await api.request("POST", f"{IMPORT}?openFiscalYears=true", content=content, headers=headers)
    assert (refused.status_code, refused.json()["details"]) == (403, {"requiredScopes": ["accounts-write"]})
    queued = await api.request("POST", IMPORT, content=content, headers=headers)
    assert queued.status_code == 202, queued.text
    done = await work_off(api, queued.json()["id"])
    assert (done["status"], done["entriesPosted"], done["errorCount"]) == ("completed", 1, 4)
    told = (await listed(api, limit="100"))[: -before or None]
    assert {event["type"] for event in told} == {
        "journal_import.created", "journal_import.posted", "journal_import.completed",
    }  # fmt: skip
    (found,) = (await api.get("/v1/journal-entries")).json()["data"]
    assert (found["sourceType"], found["sourceId"]) == ("IMPORT", queued.json()["id"])
    assert found["postedBy"] == f"api_key:{made['id']}"
    back = await api.post(f"/v1/journal-entries/{found['id']}/reverse")
    assert (back.json()["sourceType"], back.json()["sourceId"]) == ("REVERSAL", found["id"])


async def test_an_event_of_another_company_is_nobodys(api: Api, other_api: Api) -> None:
    (event, *_) = await listed(api)
    foreign = await other_api.get(f"{PATH}/{event['id']}")
    unknown = await other_api.get(f"{PATH}/{new_id()}")
    assert foreign.status_code == unknown.status_code == 404
    assert await listed(other_api, objectId=event["objectId"]) == []
