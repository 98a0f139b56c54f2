"""The company, and companies made over HTTP (contract 2.3)."""

import base64
import json
from typing import Any

import asyncpg
import pytest
from tests.api.instances import instance
from tests.conftest import Api, new_company
from tests.pictures import HOSTILE, plain_png, read, turned_jpeg

from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials.model import SCOPES
from ledgerbee.tenancy.company import store

NEW = {
    "name": "Nordlys ApS", "email": None, "address": "Havnegade 1", "vat": 13585628, "billingEmail": None,
    "city": "København K", "postalCode": "1058", "countryCode": "DK", "phone": None, "preferredLanguage": "da",
    "contactPersonFirstName": None, "contactPersonLastName": None, "vatNumber": "13585628", "website": None,
    "baseCurrency": "DKK", "timeZone": "Europe/Copenhagen", "paymentTerms": 14, "bankName": None,
    "bankRegistrationNumber": None, "bankAccountNumber": None, "iban": None, "bic": None,
    "usageGraceDays": 0,
    "afterLastDecline": "keep",
    "fikCreditorNumber": None, "hasLogo": False, "dailyHour": 5, "isSandbox": False, "today": "2026-03-16",
    "licenses": ["Subscription", "CustomerPortal", "MeteredProducts"],
    "createdAt": "2026-03-16T12:00:00.000Z", "updatedAt": "2026-03-16T12:00:00.000Z",
}  # fmt: skip


def encoded(content: bytes) -> str:
    return base64.b64encode(content).decode()


async def test_the_company(api: Api) -> None:
    answer = await api.get("/v1/company")
    assert answer.status_code == 200
    assert answer.json() == {"id": str(api.company_id), **NEW}


async def test_every_setting_changes_and_the_others_stay(api: Api) -> None:
    changes: dict[str, Any] = {
        "name": "Nordlys A/S",
        "email": "Faktura@Nordlys.DK",
        "billingEmail": "bogholderi@nordlys.dk",
        "phone": "+45 33 12 34 56",
        "website": "https://nordlys.dk",
        "address": "Havnegade 1\n2. sal",
        "postalCode": "1058",
        "city": "København K",
        "vatNumber": "DK 13 58 56 28",
        "contactPersonFirstName": "Åse",
        "contactPersonLastName": "Ørsted",
        "preferredLanguage": "en",
        "paymentTerms": 30,
        "timeZone": "America/New_York",
        "bankName": "Danske Bank",
        "bankRegistrationNumber": "0040",
        "bankAccountNumber": "0440116243",
        "iban": "DK50 0040 0440 1162 43",
        "bic": "dabadkkk",
    }
    kept = {
        **changes, "email": "Faktura@nordlys.dk", "vatNumber": "13585628", "iban": "DK5000400440116243",
        "bic": "DABADKKK",
    }  # fmt: skip
    expected = (await api.get("/v1/company")).json()
    for field, value in changes.items():
        api.clock.advance(seconds=1)
        answer = await api.patch("/v1/company", {field: value})
        assert answer.status_code == 200, answer.text
        expected |= {field: kept[field], "updatedAt": answer.json()["updatedAt"]}
        expected |= {"vat": 13585628} if field == "vatNumber" else {}
        assert answer.json() == expected
        assert answer.json()["updatedAt"] > expected["createdAt"]
    assert (await api.get("/v1/company")).json() == expected


async def test_null_and_blank_clear(api: Api) -> None:
    await api.patch("/v1/company", {"vatNumber": "13585628", "phone": "1", "email": "a@example.com"})
    answer = await api.patch("/v1/company", {"vatNumber": None, "phone": " ", "email": ""})
    assert answer.status_code == 200
    assert {answer.json()[field] for field in ("vat", "vatNumber", "phone", "email")} == {None}


@pytest.mark.parametrize(
    ("change", "property_", "rule"),
    [
        ({"name": None}, "name", "isString"),
        ({"name": "  "}, "name", "minLength"),
        ({"email": "nobody"}, "email", "isEmail"),
        ({"billingEmail": "a b@example.com"}, "billingEmail", "isEmail"),
        ({"vatNumber": "12345678"}, "vatNumber", "isVatNumber"),
        ({"vatNumber": "SE556703748501"}, "vatNumber", "isVatNumber"),
        ({"preferredLanguage": "de"}, "preferredLanguage", "isEnum"),
        ({"paymentTerms": -1}, "paymentTerms", "min"),
        ({"paymentTerms": 3651}, "paymentTerms", "max"),
        ({"paymentTerms": "14"}, "paymentTerms", "isInt"),
        ({"timeZone": "Europe/Atlantis"}, "timeZone", "isTimeZone"),
        ({"timeZone": "localtime"}, "timeZone", "isTimeZone"),
        ({"bankRegistrationNumber": "40"}, "bankRegistrationNumber", "matches"),
        ({"bankAccountNumber": "12345678901"}, "bankAccountNumber", "matches"),
        ({"iban": "DK5100400440116243"}, "iban", "isIBAN"),
        ({"bic": "NOBANK"}, "bic", "isBIC"),
        ({"fikCreditorNumber": "1234567"}, "fikCreditorNumber", "matches"),
        ({"fikCreditorNumber": "+8888888"}, "fikCreditorNumber", "matches"),
        ({"countryCode": "SE"}, "countryCode", "whitelistValidation"),
        ({"baseCurrency": "SEK"}, "baseCurrency", "whitelistValidation"),
        ({"logo": "not base64!"}, "logo", "isBase64"),
        ({"logo": 5}, "logo", "isBase64"),
        ({"logo": encoded(b"hello")}, "logo", "isImage"),
        ({"logo": encoded(plain_png()[:-20])}, "logo", "isImage"),
        ({"logo": encoded(plain_png().replace(b"\0\0\0\2\0\0\0\2", b"\0\1\0\0\0\1\0\0"))}, "logo", "isImage"),
        ({"logo": encoded(b"\x89PNG\r\n\x1a\n" + b"x" * 500_000)}, "logo", "maxSize"),
    ],
)
async def test_bad_input_changes_nothing(api: Api, change: dict[str, Any], property_: str, rule: str) -> None:
    before = (await api.get("/v1/company")).json()
    answer = await api.patch("/v1/company", {"phone": "1", **change})
    assert answer.status_code == 400, answer.text
    [problem] = answer.json()["details"]["validationErrors"]
    assert problem["property"] == property_
    assert rule in problem["constraints"], problem
    assert (await api.get("/v1/company")).json() == before


async def test_a_logo_is_kept_and_removed(api: Api) -> None:
    async def logo(context: Context) -> bytes | None:
        return await store.logo(context)

    assert await api.run(logo) is None
    for content, size in ((plain_png(), (2, 2)), (turned_jpeg(), (20, 40)), (plain_png(4_000, 40), (1654, 17))):
        answer = await api.patch("/v1/company", {"logo": encoded(content)})
        assert answer.status_code == 200, answer.text
        assert answer.json()["hasLogo"] is True
        assert "logo" not in answer.json()
        kept = await api.run(logo)
        assert kept is not None
        assert read(kept).size == size
        assert kept != content
    assert (await api.patch("/v1/company", {"city": "Aarhus"})).json()["hasLogo"] is True
    assert (await api.patch("/v1/company", {"logo": None})).json()["hasLogo"] is False
    assert await api.run(logo) is None


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_file_that_is_no_logo_changes_nothing(api: Api, name: str) -> None:
    await api.patch("/v1/company", {"logo": encoded(plain_png(7, 7))})
    before, kept = (await api.get("/v1/company")).json(), await api.run(store.logo)
    answer = await api.patch("/v1/company", {"city": "Aarhus", "logo": encoded(HOSTILE[name]())})
    assert answer.status_code == 400, answer.text
    [problem] = answer.json()["details"]["validationErrors"]
    assert problem["property"] == "logo"
    assert set(problem["constraints"]) <= {"isImage", "maxSize"}
    if name.startswith("SVG") and name != "SVG in UTF-16":
        assert "SVG drawing: save it as PNG" in problem["constraints"]["isImage"]
    assert ((await api.get("/v1/company")).json(), await api.run(store.logo)) == (before, kept)


async def test_a_logo_is_read_while_no_transaction_is_open(api: Api, database_url: str) -> None:
    """Somebody holds the company's row: the logo is refused all the same, for it never waits for it."""
    holder = await asyncpg.connect(database_url)
    try:
        async with holder.transaction():
            await holder.execute("SELECT set_config('app.company_id', $1, true)", str(api.company_id))
            await holder.fetch("SELECT FROM companies WHERE company_id = $1 FOR UPDATE", api.company_id)
            answer = await api.patch("/v1/company", {"logo": encoded(HOSTILE["profile bomb"]())})
            assert answer.status_code == 400
    finally:
        await holder.close()


async def test_a_logo_of_before_is_kept_and_not_printed(api: Api, database_url: str) -> None:
    """A drawing that an older release took: the company is told that it has none, and can have another."""
    owner = await asyncpg.connect(database_url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(api.company_id))
    drawing = HOSTILE["SVG"]()
    await owner.execute(
        "UPDATE companies SET logo = $2, logo_format = NULL WHERE company_id = $1", api.company_id, drawing
    )
    assert (await api.get("/v1/company")).json()["hasLogo"] is False
    assert await api.run(store.logo) is None
    assert (await api.patch("/v1/company", {"city": "Aarhus"})).json()["hasLogo"] is False
    assert await owner.fetchval("SELECT logo FROM companies WHERE company_id = $1", api.company_id) == drawing
    assert (await api.patch("/v1/company", {"logo": encoded(plain_png())})).json()["hasLogo"] is True
    await owner.close()


async def test_a_time_zone_counts_at_once_in_every_process(database_url: str, api: Api) -> None:
    """The company's today follows: here by the rate of the day that an answer names."""
    api.clock.advance(hours=11, minutes=30)  # 23:30 UTC: already tomorrow in Copenhagen
    async with instance(database_url, api.clock) as other_process:
        path, headers = "/api/v1/exchange-rates?currency=EUR", {"x-api-key": api.key}
        assert (await other_process.get(path, headers=headers)).json()["date"] == "2026-03-17"
        assert (await api.patch("/v1/company", {"timeZone": "America/New_York"})).status_code == 200
        assert (await other_process.get(path, headers=headers)).json()["date"] == "2026-03-16"


async def test_abroad_a_vat_number_is_taken_as_it_is(api: Api) -> None:
    other = await new_company(api.http, api.database, api.clock, country="SE")
    answer = await other.patch("/v1/company", {"vatNumber": "se 556703748501", "bankAccountNumber": "8327-9, 1"})
    assert answer.status_code == 200
    assert answer.json()["vatNumber"] == "SE556703748501"
    assert answer.json()["vat"] is None
    assert answer.json()["baseCurrency"] == "SEK"


async def test_another_company_over_http(api: Api) -> None:
    body = {"name": "Søster ApS", "countryCode": "DK", "vatNumber": "13585628"}
    answer = await api.post("/v1/companies", body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    key = made.pop("key")
    assert made == {
        "id": made["id"],
        "name": "Søster ApS",
        "countryCode": "DK",
        "baseCurrency": "DKK",
        "timeZone": "Europe/Copenhagen",
        "preferredLanguage": "da",
        "vatNumber": "13585628",
        "isSandbox": False,
        "apiKeyId": made["apiKeyId"],
    }
    assert made["id"] != str(api.company_id)
    headers = {"x-api-key": key}
    company = (await api.http.get("/api/v1/company", headers=headers)).json()
    assert (company["id"], company["vat"]) == (made["id"], 13585628)
    assert (await api.http.get("/api/v1/api-key", headers=headers)).json()["scopes"] == sorted(
        {*SCOPES} - {"companies-write"}
    )
    keys = (await api.http.get("/api/v1/api-keys", headers=headers)).json()
    assert [row["id"] for row in keys] == [made["apiKeyId"]]
    for path in ("accounts", "vat-codes", "journal-categories"):
        assert (await api.http.get(f"/api/v1/{path}", headers=headers)).json() != []
        assert len((await api.get(f"/v1/{path}")).json()) > 0
    assert (await api.get("/v1/company")).json()["id"] == str(api.company_id)  # the caller's key stays where it was
    assert [row["name"] for row in (await api.get("/v1/api-keys")).json()] == ["tests"]


async def test_a_company_abroad_with_its_own_choices(api: Api) -> None:
    body = {
        "name": "Nordlys Ltd", "countryCode": "GB", "baseCurrency": "EUR", "timeZone": "Europe/Dublin",
        "preferredLanguage": "da",
    }  # fmt: skip
    made = (await api.post("/v1/companies", body)).json()
    assert {field: made[field] for field in body} == body
    plain = (await api.post("/v1/companies", {"name": "Nordlys Inc", "countryCode": "US"})).json()
    assert (plain["baseCurrency"], plain["preferredLanguage"]) == ("USD", "en")


async def test_a_company_with_all_that_its_invoices_say(api: Api) -> None:
    particulars = {
        "email": "faktura@example.com", "address": "Havnegade 1", "postalCode": "1058", "city": "København K",
        "vatNumber": "13585628", "bankName": "Danske Bank", "bankRegistrationNumber": "0040",
        "bankAccountNumber": "0440116243", "iban": "DK5000400440116243", "bic": "DABADKKK",
    }  # fmt: skip
    made = (await api.post("/v1/companies", {"name": "Søster ApS", "countryCode": "DK", **particulars})).json()
    company = (await api.http.get("/api/v1/company", headers={"x-api-key": made["key"]})).json()
    assert {field: company[field] for field in particulars} == particulars
    for field, value in (("iban", "DK51"), ("email", "nobody"), ("bankRegistrationNumber", "4"), ("vatNumber", "1")):
        answer = await api.post("/v1/companies", {"name": "X", "countryCode": "DK", **particulars, field: value})
        assert answer.status_code == 400, answer.text
        assert [row["property"] for row in answer.json()["details"]["validationErrors"]] == [field]


async def test_a_replay_makes_no_second_company(api: Api) -> None:
    headers = {"x-api-idempotency-key": "company-1"}
    body = {"name": "Søster ApS", "countryCode": "DK"}
    first = await api.post("/v1/companies", body, headers=headers)
    again = await api.post("/v1/companies", body, headers=headers)
    assert again.status_code == 201
    assert again.headers["idempotent-replayed"] == "true"
    assert again.json() == {**first.json(), "key": None}
    reused = await api.post("/v1/companies", {**body, "name": "Other"}, headers=headers)
    assert reused.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_the_answer_is_kept_by_the_company_that_asked_and_without_the_secret(api: Api, database_url: str) -> None:
    headers = {"x-api-idempotency-key": "company-1"}
    made = (await api.post("/v1/companies", {"name": "X", "countryCode": "DK"}, headers=headers)).json()
    owner = await asyncpg.connect(database_url)
    kept: list[list[Any]] = []
    for company_id in (str(api.company_id), made["id"]):
        await owner.execute("SELECT set_config('app.company_id', $1, false)", company_id)
        answers = await owner.fetch("SELECT body FROM idempotency_keys WHERE company_id = $1", company_id)
        kept.append([json.loads(row["body"]) for row in answers])
    await owner.close()
    assert kept == [[{**made, "key": None}], []]


@pytest.mark.parametrize(
    ("change", "property_"),
    [
        ({"name": ""}, "name"),
        ({"countryCode": "ZZ"}, "countryCode"),
        ({"countryCode": "dk"}, "countryCode"),
        ({"baseCurrency": "XXX"}, "baseCurrency"),
        ({"timeZone": "Mars/Olympus"}, "timeZone"),
        ({"vatNumber": "12345678"}, "vatNumber"),
        ({"preferredLanguage": "sv"}, "preferredLanguage"),
    ],
)
async def test_a_company_that_can_not_be(api: Api, change: dict[str, Any], property_: str) -> None:
    headers = {"x-api-idempotency-key": "company-1"}
    answer = await api.post("/v1/companies", {"name": "X", "countryCode": "DK", **change}, headers=headers)
    assert answer.status_code == 400
    assert [row["property"] for row in answer.json()["details"]["validationErrors"]] == [property_]
    # Nothing was kept: the key is free for the corrected request.
    made = await api.post("/v1/companies", {"name": "X", "countryCode": "DK"}, headers=headers)
    assert made.status_code == 201
