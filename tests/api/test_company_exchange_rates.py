"""Exchange rates over HTTP (ours)."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import Api, new_company

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.rates import store
from ledgerbee.tenancy.rates.model import COMPANY, Rate

MONDAY = "2026-03-16"


async def rate(api: Api, currency: str, day: str | None = None) -> Any:
    query = {"currency": currency} | ({"date": day} if day else {})
    return await api.get("/v1/exchange-rates", params=query)


async def test_a_published_rate_is_carried_over_the_weekend(api: Api) -> None:
    friday, sunday = await rate(api, "EUR", "2026-03-13"), await rate(api, "EUR", "2026-03-15")
    assert friday.status_code == 200
    assert friday.json() == {
        "currency": "EUR", "baseCurrency": "DKK", "date": "2026-03-13", "rate": friday.json()["rate"],
        "source": "ECB", "publishedDate": "2026-03-13",
    }  # fmt: skip
    assert Decimal("7.4") < Decimal(friday.json()["rate"]) < Decimal("7.5")
    assert sunday.json() == {**friday.json(), "date": "2026-03-15"}


async def test_an_own_rate_goes_before_the_published_one_on_its_day(api: Api, other_api: Api) -> None:
    published = (await rate(api, "EUR", MONDAY)).json()
    answer = await api.put("/v1/exchange-rates", {"currency": "EUR", "date": MONDAY, "rate": "7.460038000001"})
    assert answer.status_code == 200
    own = {
        "currency": "EUR", "baseCurrency": "DKK", "date": MONDAY, "rate": "7.460038000001", "source": "COMPANY",
        "publishedDate": MONDAY,
    }  # fmt: skip
    assert answer.json() == own
    assert (await rate(api, "EUR")).json() == own  # today
    assert (await rate(api, "EUR", "2026-03-17")).json()["source"] == "ECB"
    assert (await rate(other_api, "EUR", MONDAY)).json() == published
    again = await api.put("/v1/exchange-rates", {"currency": "EUR", "date": MONDAY, "rate": 7.5})
    assert again.json()["rate"] == "7.5"
    assert (await rate(api, "EUR", MONDAY)).json()["rate"] == "7.5"


async def test_a_currency_that_nobody_publishes(api: Api) -> None:
    missing = await rate(api, "KWD", MONDAY)
    assert missing.status_code == 400
    assert missing.json()["code"] == "EXCHANGE_RATE_MISSING"
    assert missing.json()["details"] == {"currency": "KWD", "baseCurrency": "DKK", "date": MONDAY}
    await api.put("/v1/exchange-rates", {"currency": "KWD", "date": MONDAY, "rate": 22.5})
    assert (await rate(api, "KWD", MONDAY)).json()["rate"] == "22.5"
    assert (await rate(api, "KWD", "2026-03-17")).status_code == 400


async def test_the_base_currency_is_worth_one(api: Api) -> None:
    answer = (await rate(api, "DKK", "1990-01-01")).json()
    assert (answer["rate"], answer["source"]) == ("1", "SAME_CURRENCY")
    refused = await api.put("/v1/exchange-rates", {"currency": "DKK", "date": MONDAY, "rate": 2})
    assert refused.json()["details"]["validationErrors"][0]["property"] == "currency"


async def test_the_rate_that_booking_asks_for(api: Api) -> None:
    swedish = await new_company(api.http, api.database, api.clock, country="SE")
    await swedish.put("/v1/exchange-rates", {"currency": "DKK", "date": MONDAY, "rate": "1.45"})

    async def work(context: Context) -> Rate:
        return await store.rate_for(context, "DKK", date(2026, 3, 16))

    assert await swedish.run(work) == Rate(Decimal("1.45"), date(2026, 3, 16), COMPANY)
    assert (await api.run(work)).value == 1

    async def missing(context: Context) -> Rate:
        return await store.rate_for(context, "KWD", date(2026, 3, 16))

    with pytest.raises(LedgerBeeError, match="no exchange rate"):
        await api.run(missing)


@pytest.mark.parametrize(
    ("change", "property_"),
    [
        ({"rate": 0}, "rate"),
        ({"rate": -1}, "rate"),
        ({"rate": 1_000_000_000}, "rate"),
        ({"rate": "0.0000000000001"}, "rate"),
        ({"rate": "NaN"}, "rate"),
        ({"rate": True}, "rate"),
        ({"currency": "eur"}, "currency"),
        ({"currency": "ZZZ"}, "currency"),
        ({"date": "2026-02-30"}, "date"),
        ({"date": "2026-03-16T00:00:00Z"}, "date"),
    ],
)
async def test_bad_input(api: Api, change: dict[str, Any], property_: str) -> None:
    answer = await api.put("/v1/exchange-rates", {"currency": "EUR", "date": MONDAY, "rate": 7, **change})
    assert answer.status_code == 400, answer.text
    assert [row["property"] for row in answer.json()["details"]["validationErrors"]] == [property_]
    assert (await rate(api, "EUR", MONDAY)).json()["source"] == "ECB"


async def test_bad_questions(api: Api) -> None:
    for query in ({}, {"currency": "nope"}, {"currency": "EUR", "date": "yesterday"}):
        answer = await api.get("/v1/exchange-rates", params=query)
        assert answer.json()["code"] == "SHARED_VALIDATION_FAILED"


@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-10", "9999-12-31"])
async def test_a_day_without_a_rate_is_told_however_far_off(api: Api, day: str) -> None:
    for currency in ("EUR", "USD"):
        answer = await api.get("/v1/exchange-rates", params={"currency": currency, "date": day})
        assert (answer.status_code, answer.json()["code"]) == (400, "EXCHANGE_RATE_MISSING")
