"""Payment providers of a company over HTTP."""

import asyncio
import hmac
import json
from typing import Any
from uuid import UUID

from tests.conftest import PUBLIC_URL, Api
from tests.selling import Shop

from ledgerbee.payments.provider_settings import actions, store
from ledgerbee.payments.provider_settings.model import PROVIDER_CALLBACK, ProviderSettings
from ledgerbee.payments.providers.model import ProviderName
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.credentials.model import secret_hash
from ledgerbee.tenancy.grants.store import credential_beyond_subject

PATH = "/v1/payment-providers"
STRIPE = {"isEnabled": True, "keys": {"secretKey": "sk_test_hush", "webhookSecret": "whsec_hush"}}


async def put(api: Api, name: str, **body: Any) -> dict[str, Any]:
    answer = await api.put(f"{PATH}/{name}", {"isEnabled": True, **body})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def defaults(api: Api) -> dict[str, tuple[bool, bool]]:
    """Whether each is enabled, and the default."""
    found = (await api.get(PATH)).json()
    return {one["provider"]: (one["isEnabled"], one["isDefault"]) for one in found}


async def stored(api: Api, name: ProviderName) -> tuple[ProviderSettings, dict[str, str], str]:
    """The row, its keys in clear, and the account."""

    async def work(context: Context) -> tuple[ProviderSettings, dict[str, str], str]:
        settings = await store.get(context, name)
        access = actions.access_of(context, settings)
        return settings, dict(access.keys), access.account

    found: tuple[ProviderSettings, dict[str, str], str] = await api.run(work)
    return found


async def test_none_is_set_up_at_first(api: Api) -> None:
    found = (await api.get(PATH)).json()
    assert [one["provider"] for one in found] == ["quickpay", "sandbox", "stripe"]
    assert found[1] == (await api.get(f"{PATH}/sandbox")).json()
    assert found[1] == {
        "provider": "sandbox", "isEnabled": False, "isDefault": False, "hasKeys": False, "keyNames": [],
        "callbackUrl": None, "clearingAccountId": None, "feeAccountId": None, "unidentifiedReceiptsAccountId": None,
        "bankAccountId": None, "createdAt": None, "updatedAt": None,
    }  # fmt: skip


async def test_keys_are_stored_encrypted_and_never_answered(api: Api) -> None:
    made = await put(api, "stripe", **STRIPE)
    assert (made["hasKeys"], made["keyNames"]) == (True, ["secretKey", "webhookSecret"])
    settings, keys, account = await stored(api, ProviderName.STRIPE)
    assert keys == STRIPE["keys"]
    assert account == str(api.company_id)
    assert b"hush" not in settings.keys + settings.callback_secret
    changed = await put(api, "stripe", keys={"secretKey": "sk_test_new"})
    assert changed["keyNames"] == made["keyNames"]
    assert (await stored(api, ProviderName.STRIPE))[1] == {"secretKey": "sk_test_new", "webhookSecret": "whsec_hush"}
    audited = (await api.get("/v1/audit-events")).text
    told = [one for one in (await api.get("/v1/audit-events")).json()["data"] if "payment_provider" in one["type"]]
    assert [one["type"] for one in told] == ["payment_provider.updated", "payment_provider.created"]
    for text in ((await api.get(PATH)).text, audited, json.dumps(changed)):
        assert "hush" not in text
        assert "sk_test" not in text
    assert "lbp_" not in audited


async def test_what_an_idempotency_key_keeps_has_no_secret(api: Api) -> None:
    headers = {"x-api-idempotency-key": "once"}
    first = await api.put(f"{PATH}/stripe", STRIPE, headers=headers)
    again = await api.put(f"{PATH}/stripe", STRIPE, headers=headers)
    assert first.json()["callbackUrl"] is not None
    assert again.json() == first.json() | {"callbackUrl": None}

    async def work(context: Context) -> list[bytes]:
        found = await context.connection.fetch("SELECT body FROM idempotency_keys WHERE key = 'once'")
        return [row["body"] for row in found]

    assert all(b"lbp_" not in bytes(body) for body in await api.run(work))


async def test_the_address_for_callbacks_names_the_provider_alone(api: Api) -> None:
    made = await put(api, "stripe", **STRIPE)
    start = f"{PUBLIC_URL}/payment-events/stripe/lbp_00."
    assert made["callbackUrl"].startswith(start)
    secret = made["callbackUrl"].rpartition("/")[2]

    async def work(context: Context) -> None:
        settings = await store.get(context, ProviderName.STRIPE)
        assert actions.callback_url(context, settings) == made["callbackUrl"]
        principal = await credentials.resolve(context.connection, secret_hash(secret), context.cell)
        assert principal is not None
        assert (principal.kind, principal.subject_id) == (PROVIDER_CALLBACK, settings.id)
        assert (principal.company_id, principal.scopes) == (api.company_id, frozenset())
        assert await credential_beyond_subject(context) is None

    await api.run(work)
    assert (await put(api, "stripe"))["callbackUrl"] == made["callbackUrl"]
    refused = await api.get("/v1/accounts", headers={"x-api-key": secret})
    assert refused.status_code in {401, 403}


async def test_what_a_callback_says_is_kept_without_the_secret_of_its_address(api: Api) -> None:
    made = await put(api, "quickpay", keys={"apiKey": "a", "privateKey": "hush"})
    url = made["callbackUrl"]
    told = {"id": 7, "type": "Subscription", "operations": [], "link": {"callback_url": url, "continue_url": url}}
    body = json.dumps(told).encode()
    checksum = hmac.new(b"hush", body, "sha256").hexdigest()
    answer = await api.http.post(url, content=body, headers={"quickpay-checksum-sha256": checksum})
    assert answer.status_code == 204

    async def kept(context: Context) -> bytes:
        found = await context.connection.fetchval("SELECT body FROM provider_events WHERE provider = 'quickpay'")
        return bytes(found)

    assert await api.run(kept) == body.replace(url.rpartition("/")[2].encode(), b"***")


async def test_the_first_that_is_enabled_is_the_default(api: Api) -> None:
    await put(api, "stripe", isEnabled=False)
    await put(api, "sandbox")
    await put(api, "stripe", **STRIPE)
    assert await defaults(api) == {"quickpay": (False, False), "sandbox": (True, True), "stripe": (True, False)}
    await put(api, "stripe", isDefault=True)
    assert await defaults(api) == {"quickpay": (False, False), "sandbox": (True, False), "stripe": (True, True)}
    await put(api, "stripe", isEnabled=False)
    assert await defaults(api) == {"quickpay": (False, False), "sandbox": (True, True), "stripe": (False, False)}
    await put(api, "sandbox", isDefault=False)
    assert (await defaults(api))["sandbox"] == (True, True)

    async def default(context: Context) -> ProviderSettings | None:
        return await store.find_default(context)

    assert (await api.run(default)).name is ProviderName.SANDBOX
    await put(api, "sandbox", isEnabled=False)
    assert await api.run(default) is None


async def test_two_at_once_make_one_default(api: Api) -> None:
    answers = await asyncio.gather(
        *(api.put(f"{PATH}/{name}", body) for name, body in [("sandbox", {"isEnabled": True}), ("stripe", STRIPE)] * 3)
    )
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(is_default for _, is_default in (await defaults(api)).values()) == [False, False, True]


async def test_accounts_stand_in_for_those_with_the_role(api: Api) -> None:
    accounts = {one["accountNumber"]: one for one in (await api.get("/v1/accounts")).json()}
    roles = {number: accounts[number]["role"] for number in (6331, 2391, 8042)}
    assert roles == {6331: "PAYMENT_CLEARING", 2391: "PAYMENT_FEES", 8042: "UNIDENTIFIED_RECEIPTS"}
    named = {
        "clearingAccountId": accounts[6481]["id"],
        "feeAccountId": accounts[2390]["id"],
        "unidentifiedReceiptsAccountId": accounts[8041]["id"],
    }
    made = await put(api, "sandbox", **named)
    assert {name: made[name] for name in named} == named
    shop = Shop(api)
    path = f"{PATH}/sandbox"
    wrong = {"isEnabled": True, "feeAccountId": accounts[6480]["id"]}
    details = await shop.refused("PUT", path, wrong, 400, "PAYMENT_PROVIDER_ACCOUNT_INVALID")
    assert details == {"property": "feeAccountId", "accountId": accounts[6480]["id"]}
    for field, number in {
        "feeAccountId": 1010,
        "clearingAccountId": 6480,  # the bank's, where none is named
        "bankAccountId": 8042,
        "unidentifiedReceiptsAccountId": 7680,  # output VAT
    }.items():
        wrong = {"isEnabled": True, field: accounts[number]["id"]}
        details = await shop.refused("PUT", path, wrong, 400, "PAYMENT_PROVIDER_ACCOUNT_INVALID")
        assert details == {"property": field, "accountId": accounts[number]["id"]}
    heading = {"isEnabled": True, "clearingAccountId": accounts[1001]["id"]}
    await shop.refused("PUT", path, heading, 400, "ACCOUNT_NOT_BOOKABLE")
    unknown = {"isEnabled": True, "clearingAccountId": str(api.company_id)}
    assert await shop.refused("PUT", path, unknown, 404, "ACCOUNT_NOT_FOUND") == {
        "property": "clearingAccountId", "accountId": str(api.company_id),
    }  # fmt: skip
    assert (await api.get(path)).json() == made
    assert (await put(api, "sandbox"))["clearingAccountId"] is None


async def test_bad_requests_change_nothing(api: Api) -> None:
    shop = Shop(api)
    for name, body in {
        "stripe": {"isEnabled": True},
        "quickpay": {"isEnabled": True, "keys": {"apiKey": "a", "privateKey": "b", "secretKey": "c"}},
        "sandbox": {"isEnabled": False, "isDefault": True},
    }.items():
        await shop.refused("PUT", f"{PATH}/{name}", body, 400, "SHARED_VALIDATION_FAILED")
    for body in ({}, {"isEnabled": "yes"}, {"isEnabled": True, "keys": {"secretKey": "a b"}}, {"isEnabled": None}):
        await shop.refused("PUT", f"{PATH}/sandbox", body, 400, "SHARED_VALIDATION_FAILED")
    await shop.refused("PUT", f"{PATH}/adyen", {"isEnabled": True}, 404, "PAYMENT_PROVIDER_NOT_FOUND")
    await shop.refused("GET", f"{PATH}/adyen", None, 404, "PAYMENT_PROVIDER_NOT_FOUND")
    assert set((await defaults(api)).values()) == {(False, False)}


async def test_each_company_has_its_own(api: Api, other_api: Api) -> None:
    mine, theirs = await put(api, "sandbox"), await put(other_api, "sandbox", isEnabled=False)
    assert mine["callbackUrl"] != theirs["callbackUrl"]
    assert (await defaults(api))["sandbox"] == (True, True)
    assert (await defaults(other_api))["sandbox"] == (False, False)
    assert UUID(str((await stored(other_api, ProviderName.SANDBOX))[2])) == other_api.company_id
