"""Webhook endpoints over HTTP (contract 1.8, 2.17)."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from tests.api.webhook_steps import BODY, PATH, URL, changed, customer, deliver, events, log, made, shown
from tests.conftest import Api
from tests.table_rows import holds, rows_of

from ledgerbee.core.ids import new_id
from ledgerbee.platform.context import Context
from ledgerbee.webhooks.signing import public_key

AUDITED = [f"webhook_endpoint.{what}" for what in ("created", "updated", "deleted", "secret_rolled", "replayed")]


async def stored(api: Api, endpoint: dict[str, Any]) -> dict[str, Any]:
    """The endpoint's row, with its secrets decrypted."""

    async def work(context: Context) -> dict[str, Any]:
        row = await context.connection.fetchrow(
            "SELECT * FROM webhook_endpoints WHERE company_id = $1 AND id = $2",
            context.company_id,
            UUID(endpoint["id"]),
        )
        assert row is not None
        assert context.secrets is not None
        found = dict(row)
        for name in ("secret", "previous_secret"):
            found[name] = context.secrets.decrypt(found[name]).decode() if found[name] else found[name]
        return found

    found: dict[str, Any] = await api.run(work)
    return found


async def owned(api: Api, statement: str) -> Any:
    """A value that only the owner of the tables can read."""

    async def work(context: Context) -> Any:
        await context.connection.execute("SET LOCAL ROLE NONE")
        return await context.connection.fetchval(statement, context.company_id)

    return await api.run(work)


def errors_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 400, answer.text
    assert answer.json()["code"] == "SHARED_VALIDATION_FAILED", answer.text
    return {one["property"]: one["constraints"] for one in answer.json()["details"]["validationErrors"]}


class TestCreating:
    async def test_the_secret_is_shown_once(self, api: Api) -> None:
        endpoint = await made(api, description="Web shop", enabledEvents=["ping", "invoice.paid", "ping"])
        secret = endpoint.pop("secret")
        assert secret.startswith("whsec_")
        assert endpoint == {
            "id": endpoint["id"],
            "url": URL,
            "description": "Web shop",
            "enabledEvents": ["invoice.paid", "ping"],
            "signatureType": "v1",
            "publicKey": None,
            "previousSecretExpiresAt": None,
            "isEnabled": True,
            "status": "active",
            "statusReason": None,
            "statusChangedAt": "2026-03-16T12:00:00.000Z",
            "failingSince": None,
            "lastFailure": None,
            "lastSuccessAt": None,
            "nextAttemptAt": None,
            "pendingCount": 0,
            "failedCount": 0,
            "skippedCount": 0,
            "createdAt": "2026-03-16T12:00:00.000Z",
            "updatedAt": "2026-03-16T12:00:00.000Z",
        }
        assert await shown(api, endpoint) == endpoint
        assert (await api.get(PATH)).json()["data"] == [endpoint]
        assert (await stored(api, endpoint))["secret"] == secret

    async def test_no_table_has_the_secret(self, api: Api) -> None:
        answer = await api.post(PATH, BODY, headers={"x-api-idempotency-key": "k1"})
        rolled = await api.post(f"{PATH}/{answer.json()['id']}/roll-secret", headers={"x-api-idempotency-key": "k2"})
        await api.put(f"{PATH}/{answer.json()['id']}", BODY, headers={"x-api-idempotency-key": "k3"})
        await api.post(f"{PATH}/{answer.json()['id']}/test")
        rows = await rows_of(api)
        for shown_once in (answer.json()["secret"], rolled.json()["secret"]):
            assert not holds(rows, shown_once)
            assert not holds(rows, shown_once.removeprefix("whsec_"))

    async def test_a_replayed_answer_has_no_secret(self, api: Api) -> None:
        headers = {"x-api-idempotency-key": "k1"}
        first, again = [await api.post(PATH, BODY, headers=headers) for _ in range(2)]
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.json() == {**first.json(), "secret": None}
        refused = await api.post(PATH, {**BODY, "url": "https://10.0.0.1/"}, headers=headers)
        assert refused.json()["code"] == "IDEMPOTENCY_KEY_REUSED"

    async def test_of_an_asymmetric_key_the_public_half_is_shown(self, api: Api) -> None:
        endpoint = await made(api, signatureType="v1a")
        assert endpoint.pop("secret") is None
        row = await stored(api, endpoint)
        assert row["secret"].startswith("whsk_")
        assert endpoint["publicKey"] == public_key(row["secret"])
        assert endpoint["publicKey"].startswith("whpk_")
        assert await shown(api, endpoint) == endpoint
        assert (await api.get(PATH)).json()["data"] == [endpoint]
        rolled = (await api.post(f"{PATH}/{endpoint['id']}/roll-secret")).json()
        assert rolled["secret"] is None
        assert rolled["publicKey"] not in {None, endpoint["publicKey"]}
        assert not holds(await rows_of(api), row["secret"].removeprefix("whsk_"))

    async def test_it_is_told_of_what_happens_from_then_on(self, api: Api) -> None:
        await customer(api)
        (before,) = await events(api, "customer.created")
        endpoint = await made(api)
        assert (await stored(api, endpoint))["told_up_to"] >= before["position"]
        (created,) = await events(api, "webhook_endpoint.created")
        assert (await stored(api, endpoint))["told_up_to"] == created["position"] - 1
        assert await owned(api, "SELECT is_listened FROM event_counters WHERE company_id = $1")
        assert await owned(api, "SELECT count(*) FROM webhook_companies WHERE company_id = $1") == 1

    async def test_there_is_a_limit_also_for_several_at_once(self, api: Api) -> None:
        async def many(context: Context) -> None:
            await context.connection.execute(
                "INSERT INTO webhook_endpoints (company_id, id, url, topics, signature_type, secret, status,"
                " status_changed_at, told_up_to, created_at, updated_at)"
                " SELECT $1, gen_random_uuid(), 'https://example.com', '{ping}', 'v1', 'x', 'enabled', $2, 0, $2, $2"
                " FROM generate_series(1, 98)",
                context.company_id,
                context.now,
            )

        await api.run(many)
        answers = await asyncio.gather(*(api.post(PATH, BODY) for _ in range(5)))
        assert sorted(one.status_code for one in answers) == [201, 201, 409, 409, 409]
        refused = next(one.json() for one in answers if one.status_code == 409)
        assert (refused["code"], refused["details"]) == ("WEBHOOK_ENDPOINT_LIMIT_REACHED", {"limit": 100})
        some = next(one.json() for one in answers if one.status_code == 201)
        assert (await api.delete(f"{PATH}/{some['id']}")).status_code == 204
        await made(api)

    @pytest.mark.parametrize(
        ("fields", "named"),
        [
            ({"enabledEvents": ["invoice.paid", "no.such"]}, {"enabledEvents.1": "isIn"}),
            ({"enabledEvents": ["api_key.created"]}, {"enabledEvents.0": "isIn"}),
            (
                {"enabledEvents": ["webhook_endpoint.updated", "ping", "*"]},
                {"enabledEvents.0": "", "enabledEvents.2": ""},
            ),
            ({"enabledEvents": []}, {"enabledEvents": ""}),
            ({"enabledEvents": None}, {"enabledEvents": ""}),
            ({"enabledEvents": "ping"}, {"enabledEvents": ""}),
            ({"url": ""}, {"url": ""}),
            ({"url": "https://example.com/" + "x" * 2029}, {"url": ""}),
            ({"url": None}, {"url": ""}),
            ({"signatureType": "v2"}, {"signatureType": ""}),
            ({"signatureType": None}, {"signatureType": ""}),
            ({"isEnabled": False}, {"isEnabled": "whitelistValidation"}),
            ({"url": "https://10.0.0.1/hook"}, {"url": "isPublicUrl"}),
            ({"url": "http://192.168.1.1/hook"}, {"url": "isPublicUrl"}),
            ({"url": "ftp://example.com/hook"}, {"url": "isPublicUrl"}),
            ({"url": "https://no-such-host.invalid/hook"}, {"url": "isPublicUrl"}),
        ],
    )
    async def test_what_is_refused(self, api: Api, fields: dict[str, Any], named: dict[str, str]) -> None:
        endpoint = await made(api)
        before = await rows_of(api)
        found = errors_of(await api.post(PATH, {**BODY, **fields}))
        assert found.keys() == named.keys()
        assert all(
            rule in rules for (name, rules), rule in zip(sorted(found.items()), named.values(), strict=True) if rule
        )
        if "isEnabled" not in fields:
            assert errors_of(await api.put(f"{PATH}/{endpoint['id']}", {**BODY, **fields})).keys() == named.keys()
        assert await rows_of(api) == before


class TestReading:
    async def test_pages_newest_first(self, api: Api, other_api: Api) -> None:
        ids = [(await made(api))["id"] for _ in range(5)]
        await made(other_api)
        assert (await api.delete(f"{PATH}/{ids.pop(2)}")).status_code == 204
        first = (await api.get(PATH, params={"limit": 3})).json()
        assert [one["id"] for one in first["data"]] == ids[::-1][:3]
        assert {name: first[name] for name in first if name != "data"} == {"total": 4, "page": 1, "pageSize": 3}
        second = (await api.get(PATH, params={"limit": 3, "page": 2})).json()
        assert [one["id"] for one in second["data"]] == ids[:1]
        assert (await api.get(PATH, params={"limit": 101})).status_code == 400

    async def test_its_deliveries_are_counted(self, api: Api) -> None:
        endpoint, other = await made(api), await made(api)
        for number in range(3):
            await customer(api, str(number))
        told = await events(api, "customer.created")
        for event, status in zip(told, ("failed", "skipped", "pending"), strict=True):
            await deliver(api, endpoint, event, status)
        await deliver(api, endpoint, told[0], "failed")
        await deliver(api, endpoint, told[0], "delivered")
        counted = await shown(api, endpoint)
        assert [counted[f"{name}Count"] for name in ("pending", "failed", "skipped")] == [1, 2, 1]
        assert (await api.get(PATH)).json()["data"][1] == counted
        assert (await shown(api, other))["failedCount"] == 0

    async def test_one_that_fails_backs_off(self, api: Api) -> None:
        endpoint = await made(api)

        async def fail(context: Context) -> None:
            await context.connection.execute(
                "UPDATE webhook_endpoints SET failing_since = $2, last_failure = 'Answered 503', next_attempt_at = $3"
                " WHERE company_id = $1",
                context.company_id,
                context.now,
                context.now + timedelta(seconds=30),
            )

        await api.run(fail)
        failing = await shown(api, endpoint)
        assert (failing["status"], failing["lastFailure"]) == ("backing_off", "Answered 503")
        assert failing["nextAttemptAt"] == "2026-03-16T12:00:30.000Z"
        # Disabled and enabled, it begins anew.
        disabled = await changed(api, endpoint, isEnabled=False)
        assert (disabled["status"], disabled["nextAttemptAt"]) == ("disabled_by_user", None)
        enabled = await changed(api, endpoint, isEnabled=True)
        assert (enabled["status"], enabled["failingSince"], enabled["lastFailure"]) == ("active", None, None)


class TestChanging:
    async def test_a_put_is_the_whole_state(self, api: Api) -> None:
        endpoint = await made(api, description="Web shop", signatureType="v1a")
        api.clock.advance(seconds=5)
        after = await changed(api, endpoint, url=f"{URL}/2", enabledEvents=["quote.sent"])
        assert (after["url"], after["enabledEvents"], after["description"]) == (f"{URL}/2", ["quote.sent"], None)
        assert (after["signatureType"], after["publicKey"]) == ("v1a", endpoint["publicKey"])
        assert after["updatedAt"] == "2026-03-16T12:00:05.000Z"
        assert after["statusChangedAt"] == "2026-03-16T12:00:00.000Z"
        (told,) = await events(api, "webhook_endpoint.updated")
        assert told["data"]["url"] == f"{URL}/2"
        assert "secret" not in told["data"]

    async def test_the_same_again_changes_nothing(self, api: Api) -> None:
        endpoint = await made(api)
        before = await rows_of(api)
        api.clock.advance(seconds=5)
        await changed(api, endpoint, isEnabled=True, signatureType="v1")
        assert await rows_of(api) == before

    async def test_its_type_of_signature_stays(self, api: Api) -> None:
        endpoint = await made(api)
        found = errors_of(await api.put(f"{PATH}/{endpoint['id']}", {**BODY, "signatureType": "v1a"}))
        assert found["signatureType"].keys() == {"isUnchanged"}

    async def test_what_waits_for_a_disabled_one_is_skipped(self, api: Api) -> None:
        """Forty events wait; disabled and enabled again, none of them is lost or said to be delivered."""
        endpoint, other = await made(api), await made(api)
        one = await customer(api)
        for number in range(39):
            await api.patch(f"/v1/customers/{one['id']}", {"name": f"Havn {number}"})
        told = await events(api, "customer.created", "customer.updated")
        for event in told:
            await deliver(api, endpoint, event, "pending")
        await deliver(api, other, told[0], "pending")
        await deliver(api, endpoint, told[0], "delivered")
        api.clock.advance(seconds=5)
        disabled = await changed(api, endpoint, isEnabled=False)
        assert (disabled["status"], disabled["isEnabled"]) == ("disabled_by_user", False)
        assert (disabled["statusReason"], disabled["statusChangedAt"]) == (
            "Disabled over the API",
            "2026-03-16T12:00:05.000Z",
        )
        assert (disabled["pendingCount"], disabled["skippedCount"]) == (0, 40)
        assert {row["finishedAt"] for row in await log(api, endpoint, status="skipped")} == {"2026-03-16T12:00:05.000Z"}
        assert (await shown(api, other))["pendingCount"] == 1
        enabled = await changed(api, endpoint, isEnabled=True)
        assert (enabled["status"], enabled["statusReason"], enabled["skippedCount"]) == ("active", None, 40)

    async def test_one_that_was_disabled_by_the_system_stays_so(self, api: Api) -> None:
        endpoint = await made(api)

        async def disable(context: Context) -> None:
            await context.connection.execute(
                "UPDATE webhook_endpoints SET status = 'disabled_by_system', status_reason = 'Failed for five days',"
                " failing_since = $2, last_failure = 'Answered 503' WHERE company_id = $1",
                context.company_id,
                context.now - timedelta(days=5),
            )

        await api.run(disable)
        for fields in ({}, {"isEnabled": False}, {"description": "Shop"}):
            same = await changed(api, endpoint, **fields)
            assert (same["status"], same["statusReason"]) == ("disabled_by_system", "Failed for five days")
        enabled = await changed(api, endpoint, isEnabled=True)
        assert (enabled["status"], enabled["statusReason"], enabled["failingSince"]) == ("active", None, None)

    async def test_a_target_is_looked_at_before_it_is_enabled(self, api: Api) -> None:
        endpoint = await made(api)
        await changed(api, endpoint, isEnabled=False)
        body = {**BODY, "url": "https://169.254.169.254/latest", "isEnabled": True}
        assert errors_of(await api.put(f"{PATH}/{endpoint['id']}", body)).keys() == {"url"}
        assert (await shown(api, endpoint))["status"] == "disabled_by_user"

    async def test_disabled_and_enabled_at_once(self, api: Api) -> None:
        endpoint = await made(api)
        answers = await asyncio.gather(*(changed(api, endpoint, isEnabled=bool(number % 2)) for number in range(6)))
        assert {one["status"] for one in answers} <= {"active", "disabled_by_user"}
        told = await events(api, "webhook_endpoint.updated")
        states = [one["data"]["isEnabled"] for one in told]
        assert states == [bool(number % 2) for number in range(len(states))]  # each is told that became different
        assert (await shown(api, endpoint))["isEnabled"] == (states[-1] if states else True)


class TestSecrets:
    async def test_the_one_before_signs_for_a_day(self, api: Api) -> None:
        endpoint = await made(api)
        api.clock.advance(hours=1)
        rolled = (await api.post(f"{PATH}/{endpoint['id']}/roll-secret")).json()
        assert rolled["secret"] != endpoint["secret"]
        assert rolled["previousSecretExpiresAt"] == "2026-03-17T13:00:00.000Z"
        row = await stored(api, endpoint)
        assert (row["secret"], row["previous_secret"]) == (rolled["secret"], endpoint["secret"])
        again = (await api.post(f"{PATH}/{endpoint['id']}/roll-secret")).json()
        row = await stored(api, endpoint)
        assert (row["secret"], row["previous_secret"]) == (again["secret"], rolled["secret"])
        told = await events(api, "webhook_endpoint.secret_rolled")
        assert len(told) == 2
        assert "secret" not in told[0]["data"]

    async def test_two_rolls_at_once_keep_the_newest_two(self, api: Api) -> None:
        endpoint = await made(api)
        answers = await asyncio.gather(*(api.post(f"{PATH}/{endpoint['id']}/roll-secret") for _ in range(2)))
        row = await stored(api, endpoint)
        assert {row["secret"], row["previous_secret"]} == {one.json()["secret"] for one in answers}


class TestDeleting:
    async def test_its_secrets_are_gone(self, api: Api) -> None:
        endpoint = await made(api)
        await api.post(f"{PATH}/{endpoint['id']}/roll-secret")
        await customer(api)
        (event,) = await events(api, "customer.created")
        await deliver(api, endpoint, event, "pending")
        assert (await api.delete(f"{PATH}/{endpoint['id']}")).status_code == 204
        row = await stored(api, endpoint)
        assert (row["status"], row["secret"], row["previous_secret"]) == ("deleted", b"", None)
        status = "SELECT string_agg(status, ' ') FROM webhook_deliveries WHERE company_id = $1"
        assert await owned(api, status) == "skipped"
        for answer in (
            await api.get(f"{PATH}/{endpoint['id']}"),
            await api.put(f"{PATH}/{endpoint['id']}", BODY),
            await api.delete(f"{PATH}/{endpoint['id']}"),
            await api.post(f"{PATH}/{endpoint['id']}/roll-secret"),
            await api.post(f"{PATH}/{endpoint['id']}/test"),
            await api.get(f"{PATH}/{endpoint['id']}/deliveries"),
            await api.post(f"{PATH}/{endpoint['id']}/replay", {"failed": True}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "WEBHOOK_ENDPOINT_NOT_FOUND")
        assert (await api.get(PATH)).json()["total"] == 0
        (told,) = await events(api, "webhook_endpoint.deleted")
        assert told["data"]["url"] == URL

    async def test_two_at_once(self, api: Api) -> None:
        endpoint = await made(api)
        answers = await asyncio.gather(*(api.delete(f"{PATH}/{endpoint['id']}") for _ in range(3)))
        assert sorted(one.status_code for one in answers) == [204, 404, 404]
        assert len(await events(api, "webhook_endpoint.deleted")) == 1


class TestTesting:
    async def test_a_ping_is_told_of(self, api: Api) -> None:
        endpoint = await made(api)
        answer = await api.post(f"{PATH}/{endpoint['id']}/test")
        assert answer.status_code == 200
        (told,) = await events(api, "ping")
        assert answer.json() == {"eventId": str(told["id"])}
        assert str(told["object_id"]) == told["data"]["id"] == endpoint["id"]
        assert "secret" not in told["data"]

    async def test_not_to_a_disabled_one(self, api: Api) -> None:
        endpoint = await made(api)
        await changed(api, endpoint, isEnabled=False)
        answer = await api.post(f"{PATH}/{endpoint['id']}/test")
        assert (answer.status_code, answer.json()["code"]) == (409, "WEBHOOK_ENDPOINT_INVALID_STATE")
        assert answer.json()["details"] == {"status": "disabled_by_user"}
        assert await events(api, "ping") == []


async def test_endpoints_of_others_are_nobodys(api: Api, other_api: Api) -> None:
    endpoint = await made(other_api)
    before = await rows_of(other_api)
    for one in (endpoint["id"], str(new_id())):
        answers = [
            await api.get(f"{PATH}/{one}"),
            await api.put(f"{PATH}/{one}", BODY),
            await api.delete(f"{PATH}/{one}"),
            await api.post(f"{PATH}/{one}/roll-secret"),
            await api.post(f"{PATH}/{one}/test"),
        ]
        assert {(each.status_code, each.json()["code"]) for each in answers} == {(404, "WEBHOOK_ENDPOINT_NOT_FOUND")}
    assert await rows_of(other_api) == before
    assert await events(api, "ping", *AUDITED) == []
