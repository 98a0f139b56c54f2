"""Subscription plans over HTTP: what they look like, what they refuse, their versions and their prices."""

from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from tests.api.catalog_steps import (
    UNKNOWN,
    new_meter,
    new_price,
    new_product,
    problems,
    refusal,
    use_price,
)
from tests.conftest import Api, SteeredClock

from ledgerbee.billing.plans import store
from ledgerbee.billing.plans.model import PlanAlternative, PlanId, PlanItem, PlanVersion
from ledgerbee.catalog.prices.model import BillingInterval, PriceId
from ledgerbee.core.ids import parse_id
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.company import actions as company

PATH = "/v1/subscription-plans"
NOON = "2026-03-16T12:00:00.000Z"


@pytest.fixture
async def product(api: Api) -> dict[str, Any]:
    return await new_product(api, name="Basis")


async def recurring(api: Api, product: dict[str, Any], interval: str = "month", **fields: Any) -> str:
    """The id of a price of 100 that is billed every interval."""
    body = {"billingPeriodType": "RECURRING", "billingInterval": interval, **fields}
    return str((await new_price(api, product["id"], **body))["id"])


async def usage(api: Api, product: dict[str, Any], interval: str = "month") -> str:
    """The id of a price that a meter counts."""
    meter = await new_meter(api)
    return await recurring(api, product, interval, billingPeriodType="USAGE", meterId=meter)


def item(price: str, quantity: Any = 1, *, optional: bool = False) -> dict[str, Any]:
    """An item as it is answered."""
    return {"priceId": price, "quantity": quantity, "optional": optional}


async def new_plan(api: Api, *prices: str, **fields: Any) -> dict[str, Any]:
    """A plan of these prices, one of each."""
    body = {"name": "Basis", "items": [{"priceId": price} for price in prices], **fields}
    answer = await api.post(PATH, body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


async def read(api: Api, path: str) -> Any:
    answer = await api.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def changed(api: Api, plan: dict[str, Any], **fields: Any) -> dict[str, Any]:
    answer = await api.patch(f"{PATH}/{plan['id']}", fields)
    assert answer.status_code == 200, answer.text
    after: dict[str, Any] = answer.json()
    return after


async def give_licenses(api: Api, *licenses: str) -> None:
    async def work(context: Context) -> None:
        await company.set_licenses(context, licenses)

    await api.run(work)


async def events(api: Api, plan: dict[str, Any]) -> list[str]:
    told = (await read(api, f"/v1/audit-events?objectId={plan['id']}&limit=100"))["data"]
    return [event["type"].partition(".")[2] for event in reversed(told)]


async def test_the_whole_answer(api: Api, product: dict[str, Any]) -> None:
    monthly = await recurring(api, product, currencyAmounts=[{"currency": "EUR", "unitAmount": 13}])
    seats = await recurring(api, product, currency="EUR")
    yearly = await recurring(api, product, "year", currency="EUR")
    set_up = (await new_price(api, product["id"], currency="EUR"))["id"]
    calls = await usage(api, product)
    created = await new_plan(
        api,
        name=" Basis ",
        items=[
            {"priceId": monthly},
            {"priceId": seats, "quantity": "2.500000", "optional": True},
            {"priceId": set_up, "quantity": 3},
        ],
        currency="EUR",
        alternatives=[{"items": [{"priceId": yearly, "quantity": 10}]}],
        trialDays=14.0,
        displayOrder=3,
        vanity="basis-2026",
    )
    assert created == {
        "id": created["id"],
        "name": "Basis",
        "status": "ACTIVE",
        "currency": "EUR",
        "items": [item(monthly), item(seats, 2.5, optional=True), item(set_up, 3)],
        "interval": "month",
        "intervalCount": 1,
        "alternatives": [{"interval": "year", "intervalCount": 1, "items": [item(yearly, 10)]}],
        "trialDays": 14,
        "displayOrder": 3,
        "vanity": "basis-2026",
        "version": 1,
        "createdAt": NOON,
        "updatedAt": NOON,
    }
    assert await read(api, f"{PATH}/{created['id']}") == created
    plain = await new_plan(api, calls, interval="year")
    assert plain == {
        "id": plain["id"],
        "name": "Basis",
        "status": "ACTIVE",
        "currency": "DKK",
        "items": [item(calls)],
        "interval": "year",
        "intervalCount": 1,
        "alternatives": [],
        "trialDays": 0,
        "displayOrder": 0,
        "vanity": None,
        "version": 1,
        "createdAt": NOON,
        "updatedAt": NOON,
    }


async def test_the_list(api: Api, product: dict[str, Any], clock: SteeredClock) -> None:
    monthly = await recurring(api, product)
    made = []
    for name, order in (("Basis", 2), ("Plus", 3), ("bas", 1)):
        clock.advance(seconds=1)
        made.append(await new_plan(api, monthly, name=name, displayOrder=order))
    basis, plus, small = made
    await api.post(f"{PATH}/{plus['id']}/archive")

    async def names(query: str = "") -> list[str]:
        return [plan["name"] for plan in (await read(api, f"{PATH}{query}"))["data"]]

    assert await names() == ["bas", "Plus", "Basis"]
    assert await names("?sortBy=name&sortOrder=ASC") == ["bas", "Basis", "Plus"]
    assert await names("?sortBy=displayOrder&sortOrder=ASC") == ["bas", "Basis", "Plus"]
    assert await names("?sortBy=displayOrder") == ["Plus", "Basis", "bas"]
    assert await names("?search=BAS&sortBy=name&sortOrder=ASC") == ["bas", "Basis"]
    assert await names("?search=x") == []
    assert await names("?status=ARCHIVED") == ["Plus"]
    assert await names("?status=ACTIVE&search=b") == ["bas", "Basis"]
    page = await read(api, f"{PATH}?limit=2&page=2&sortBy=createdAt&sortOrder=ASC")
    assert page == {"data": [small], "total": 3, "page": 2, "limit": 2, "totalPages": 2}
    first = await read(api, f"{PATH}?limit=1&sortOrder=ASC")
    assert first["data"] == [basis]
    for query in ("?status=DISABLED", "?sortBy=version", "?interval=month"):
        assert (await api.get(f"{PATH}{query}")).status_code == 400


async def test_versions(api: Api, product: dict[str, Any], clock: SteeredClock) -> None:
    monthly, yearly = await recurring(api, product), await recurring(api, product, "year")
    plan = await new_plan(api, monthly)
    clock.advance(seconds=5)
    second = await changed(api, plan, items=[{"priceId": monthly, "quantity": 2}], name="Plus")
    assert (second["version"], second["updatedAt"], second["items"]) == (
        2,
        "2026-03-16T12:00:05.000Z",
        [item(monthly, 2)],
    )
    third = await changed(api, plan, items=[{"priceId": yearly}])
    assert (third["version"], third["interval"]) == (3, "year")
    same = await changed(api, plan, items=[{"priceId": yearly}], interval="year", intervalCount=1, trialDays=0)
    assert same == third == await read(api, f"{PATH}/{plan['id']}")
    moved = await changed(api, plan, displayOrder=7, vanity="plus", name="Mere")
    assert (moved["version"], moved["displayOrder"], moved["vanity"], moved["name"]) == (3, 7, "plus", "Mere")
    assert (await changed(api, plan, vanity=None))["vanity"] is None

    versions = await read(api, f"{PATH}/{plan['id']}/versions")
    assert [one["version"] for one in versions["data"]] == [3, 2, 1]
    assert (versions["total"], versions["page"], versions["limit"], versions["totalPages"]) == (3, 1, 25, 1)
    assert versions["data"][2] == {
        "planId": plan["id"],
        "version": 1,
        "currency": "DKK",
        "items": [item(monthly)],
        "interval": "month",
        "intervalCount": 1,
        "alternatives": [],
        "trialDays": 0,
        "createdAt": NOON,
    }
    assert versions["data"][1]["items"] == [item(monthly, 2)]
    assert versions["data"][1]["createdAt"] == "2026-03-16T12:00:05.000Z"
    page = await read(api, f"{PATH}/{plan['id']}/versions?limit=2&page=2")
    assert ([one["version"] for one in page["data"]], page["total"], page["totalPages"]) == ([1], 3, 2)
    assert (await read(api, f"{PATH}/{plan['id']}/versions?page=3"))["data"] == []
    assert await events(api, plan) == ["created", "updated", "updated", "updated", "updated"]


async def test_each_term_makes_a_version(api: Api, product: dict[str, Any]) -> None:
    both = await recurring(api, product, currencyAmounts=[{"currency": "EUR", "unitAmount": 13}])
    yearly = await recurring(api, product, "year", currency="EUR")
    calls = await usage(api, product)
    plan = await new_plan(api, both)
    steps: tuple[dict[str, Any], ...] = (
        {"trialDays": 30},
        {"currency": "EUR"},
        {"alternatives": [{"items": [{"priceId": yearly}]}]},
        {"alternatives": []},
        {"items": [{"priceId": both, "optional": True}]},
        {"items": [{"priceId": calls}], "currency": "DKK"},
        {"intervalCount": 3},
        {"interval": "year"},
    )
    for number, fields in enumerate(steps, 2):
        plan = await changed(api, plan, **fields)
        assert plan["version"] == number
    assert (plan["interval"], plan["intervalCount"]) == ("year", 3)


async def test_archiving_and_activating(api: Api, product: dict[str, Any], clock: SteeredClock) -> None:
    plan = await new_plan(api, await recurring(api, product))
    clock.advance(seconds=5)
    archived = (await api.post(f"{PATH}/{plan['id']}/archive")).json()
    assert archived == {**plan, "status": "ARCHIVED", "updatedAt": "2026-03-16T12:00:05.000Z"}
    clock.advance(seconds=5)
    again = await api.post(f"{PATH}/{plan['id']}/archive")
    assert (again.status_code, again.json()) == (200, archived)
    renamed = await changed(api, plan, name="Gammel")
    assert (renamed["status"], renamed["version"]) == ("ARCHIVED", 1)
    active = (await api.post(f"{PATH}/{plan['id']}/activate")).json()
    assert (active["status"], active["name"]) == ("ACTIVE", "Gammel")
    assert (await api.post(f"{PATH}/{plan['id']}/activate")).json() == active
    assert await events(api, plan) == ["created", "archived", "updated", "activated"]


async def test_a_vanity_is_one_plans(api: Api, product: dict[str, Any]) -> None:
    price = await recurring(api, product)
    first, second = await new_plan(api, price, vanity="basis"), await new_plan(api, price)
    taken = (409, "SUBSCRIPTION_PLAN_VANITY_ALREADY_EXISTS")
    await api.post(f"{PATH}/{first['id']}/archive")
    body = {"name": "x", "items": [{"priceId": price}], "vanity": "basis"}
    assert refusal(await api.post(PATH, body)) == taken
    assert refusal(await api.patch(f"{PATH}/{second['id']}", {"vanity": "basis", "trialDays": 9})) == taken
    assert await read(api, f"{PATH}/{second['id']}") == second
    assert (await read(api, PATH))["total"] == 2
    for wrong in ("Basis", "a b", "-a", "a-", "a--b", "æ", "a\n", "x" * 64, 5):
        assert set(problems(await api.post(PATH, {**body, "vanity": wrong}))) == {"vanity"}, wrong
    assert (await changed(api, second, vanity=" "))["vanity"] is None


async def test_what_no_plan_may_be(api: Api, product: dict[str, Any]) -> None:
    monthly = await recurring(api, product)
    calls = await usage(api, product)
    set_up = (await new_price(api, product["id"]))["id"]
    plan = await new_plan(api, monthly)
    good = {"name": "x", "items": [{"priceId": monthly}]}
    wrong: list[tuple[dict[str, Any], dict[str, str]]] = [
        ({"items": []}, {"items": "arrayMinSize"}),
        ({"items": [{"priceId": monthly}] * 2}, {"items.1.priceId": "arrayUnique"}),
        ({"items": [{"priceId": set_up}], "interval": "month"}, {"items": "arrayContains"}),
        ({"items": [{"priceId": calls, "quantity": 2}], "interval": "month"}, {"items.0.quantity": "equals"}),
        ({"items": [{"priceId": monthly, "quantity": 0}]}, {"items.0.quantity": "isPositive"}),
        ({"items": [{"priceId": monthly, "quantity": -1}]}, {"items.0.quantity": "isPositive"}),
        ({"items": [{"priceId": monthly, "quantity": "1.0000001"}]}, {"items.0.quantity": "maxDecimalPlaces"}),
        ({"items": [{"priceId": monthly, "optional": 1}]}, {"items.0.optional": "isBoolean"}),
        ({"trialDays": 366}, {"trialDays": "max"}),
        ({"trialDays": -1}, {"trialDays": "min"}),
        ({"trialDays": 1.5}, {"trialDays": "isInt"}),
        ({"displayOrder": -1}, {"displayOrder": "min"}),
        ({"interval": "quarter"}, {"interval": "isEnum"}),
        ({"alternatives": [{"items": [{"priceId": monthly}]}]}, {"alternatives.0.interval": "arrayUnique"}),
        ({"alternatives": [{"items": []}]}, {"alternatives.0.items": "arrayMinSize"}),
        ({"name": " "}, {"name": "minLength"}),
    ]
    for fields, told in wrong:
        for answer in (await api.post(PATH, {**good, **fields}), await api.patch(f"{PATH}/{plan['id']}", fields)):
            assert set(problems(answer)) == set(told), (fields, answer.text)
    assert problems(await api.post(PATH, {"name": "x", "items": [{"priceId": calls}]})) == {"interval": "isDefined"}
    assert (await read(api, PATH))["data"] == [plan]
    assert await events(api, plan) == ["created"]


async def test_prices_that_do_not_fit(api: Api, product: dict[str, Any]) -> None:
    monthly, yearly = await recurring(api, product), await recurring(api, product, "year")
    euros = await recurring(api, product, currency="EUR")
    calls = await usage(api, product, "year")
    archived, gone = await recurring(api, product), await new_product(api, status="ARCHIVED")
    await api.post(f"/v1/product-prices/{archived}/archive")
    other = await new_product(api)
    of_disabled = await recurring(api, other)
    await api.patch(f"/v1/products/{other['id']}", {"status": "DISABLED"})
    assert gone["status"] == "ARCHIVED"
    plan = await new_plan(api, monthly)
    for fields, status, code, place in (
        ({"items": [{"priceId": monthly}, {"priceId": UNKNOWN}]}, 404, "PRODUCT_PRICE_NOT_FOUND", "items.1.priceId"),
        ({"items": [{"priceId": archived}]}, 400, "SUBSCRIPTION_PLAN_PRICE_NOT_USABLE", "items.0.priceId"),
        ({"items": [{"priceId": of_disabled}]}, 400, "SUBSCRIPTION_PLAN_PRICE_NOT_USABLE", "items.0.priceId"),
        ({"items": [{"priceId": euros}]}, 400, "SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING", "items.0.priceId"),
        ({"currency": "EUR"}, 400, "SUBSCRIPTION_PLAN_PRICE_CURRENCY_MISSING", "items.0.priceId"),
        (
            {"items": [{"priceId": monthly}, {"priceId": yearly}]},
            400, "SUBSCRIPTION_PLAN_INTERVAL_MISMATCH", "items.1.priceId",
        ),
        ({"interval": "year"}, 400, "SUBSCRIPTION_PLAN_INTERVAL_MISMATCH", "items.0.priceId"),
        (
            {"items": [{"priceId": calls}, {"priceId": monthly}]},
            400, "SUBSCRIPTION_PLAN_INTERVAL_MISMATCH", "items.0.priceId",
        ),
        (
            {"alternatives": [{"items": [{"priceId": yearly}], "interval": "week"}]},
            400, "SUBSCRIPTION_PLAN_INTERVAL_MISMATCH", "alternatives.0.items.0.priceId",
        ),
    ):  # fmt: skip
        body = {"name": "x", "items": [{"priceId": monthly}], **fields}
        for answer in (await api.post(PATH, body), await api.patch(f"{PATH}/{plan['id']}", fields)):
            assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
            assert answer.json()["details"]["property"] == place
    assert (await read(api, PATH))["data"] == [plan]


async def test_what_stands_is_not_asked_again(api: Api, product: dict[str, Any]) -> None:
    """A plan whose price was archived can be renamed; a new version of it needs another price."""
    price, other = await recurring(api, product), await recurring(api, product)
    plan = await new_plan(api, other)
    await api.post(f"/v1/product-prices/{other}/archive")
    assert (await changed(api, plan, name="Plus", items=[{"priceId": other}]))["version"] == 1
    refused = await api.patch(f"{PATH}/{plan['id']}", {"trialDays": 3})
    assert refusal(refused) == (400, "SUBSCRIPTION_PLAN_PRICE_NOT_USABLE")
    assert (await changed(api, plan, trialDays=3, items=[{"priceId": price}]))["version"] == 2


async def test_prices_of_a_plan_are_locked(api: Api, product: dict[str, Any]) -> None:
    monthly, first = await recurring(api, product), await recurring(api, product)
    yearly = await recurring(api, product, "year")
    plan = await new_plan(api, first, alternatives=[{"items": [{"priceId": yearly}]}])
    await changed(api, plan, items=[{"priceId": monthly}], alternatives=[])
    for price in (first, monthly, yearly):
        path = f"/v1/product-prices/{price}"
        assert (await read(api, path))["isLocked"]
        assert refusal(await api.patch(path, {"unitAmount": 101})) == (409, "PRODUCT_PRICE_LOCKED")
        assert (await api.patch(path, {"nickname": "Basis"})).status_code == 200
        deleted = await api.delete(path)
        assert refusal(deleted) == (409, "PRODUCT_PRICE_IN_USE")
        assert deleted.json()["details"] == {"usedBy": ["subscriptionPlans"]}
    of_product = await api.delete(f"/v1/products/{product['id']}")
    assert refusal(of_product) == (409, "PRODUCT_IN_USE")
    assert of_product.json()["details"] == {"usedBy": ["subscriptionPlans"]}
    await use_price(api, monthly)
    both = ["documents", "subscriptionPlans"]
    assert (await api.delete(f"/v1/products/{product['id']}")).json()["details"] == {"usedBy": both}
    assert (await api.delete(f"/v1/product-prices/{monthly}")).json()["details"] == {"usedBy": both}


async def test_all_of_it_needs_the_licence(api: Api, product: dict[str, Any]) -> None:
    price = await recurring(api, product)
    plan = await new_plan(api, price)
    await give_licenses(api, "CustomerPortal", "MeteredProducts")
    one = f"{PATH}/{plan['id']}"
    body = {"name": "x", "items": [{"priceId": price}]}
    for method, path, sent in (
        ("GET", PATH, None), ("POST", PATH, body), ("GET", one, None), ("PATCH", one, {"name": "x"}),
        ("GET", f"{one}/versions", None), ("POST", f"{one}/archive", None), ("POST", f"{one}/activate", None),
    ):  # fmt: skip
        answer = await api.request(method, path, **({} if sent is None else {"json": sent}))
        assert refusal(answer) == (403, "LICENSE.REQUIRED")
        assert answer.json()["details"] == {"licenseKey": "Subscription"}
    await give_licenses(api, "Subscription")
    assert await read(api, one) == plan


async def test_versions_for_others(api: Api, product: dict[str, Any]) -> None:
    """What subscriptions read: any version, and many in one statement."""
    monthly, yearly = await recurring(api, product), await recurring(api, product, "year")
    plan = await new_plan(api, monthly, trialDays=7, alternatives=[{"items": [{"priceId": yearly, "quantity": 2}]}])
    other = await new_plan(api, yearly, name="Andet")
    await changed(api, plan, name="Plus", trialDays=0)
    plan_id, other_id = PlanId(parse_id(plan["id"])), PlanId(parse_id(other["id"]))

    async def work(context: Context) -> None:
        found = await store.get_versions(context, [(plan_id, 1), (plan_id, 2), (other_id, 1), (other_id, 2)])
        assert {key: one.trial_days for key, one in found.items()} == {
            (plan_id, 1): 7, (plan_id, 2): 0, (other_id, 1): 0,
        }  # fmt: skip
        first = found[plan_id, 1]
        assert await store.get_versions(context, [(plan_id, 1)]) == {(plan_id, 1): first}
        assert first == PlanVersion(
            plan_id=plan_id,
            version=1,
            name="Plus",
            currency="DKK",
            interval=BillingInterval.MONTH,
            interval_count=1,
            trial_days=7,
            items=(PlanItem(PriceId(parse_id(monthly)), Decimal(1)),),
            alternatives=(
                PlanAlternative(BillingInterval.YEAR, 1, (PlanItem(PriceId(parse_id(yearly)), Decimal(2)),)),
            ),
            created_at=first.created_at,
        )
        assert (await store.get(context, plan_id)).current == found[plan_id, 2]
        assert await store.get_versions(context, []) == {}
        assert await store.get_versions(context, [(other_id, 2)]) == {}

    await api.run(work)


async def test_a_version_never_changes(api: Api, product: dict[str, Any], database_url: str) -> None:
    plan = await new_plan(api, await recurring(api, product))
    connection = await asyncpg.connect(database_url)
    try:
        await connection.execute(f"SET app.company_id = '{api.company_id}'")
        for statement in (
            "UPDATE subscription_plan_versions SET trial_days = 9",
            "DELETE FROM subscription_plan_items",
            "UPDATE subscription_plan_cadences SET billing_interval = 'year'",
            "TRUNCATE subscription_plan_items",
            "UPDATE subscription_plans SET version = version - 1",
            "UPDATE subscription_plans SET version = version + 2",
            f"INSERT INTO subscription_plan_cadences VALUES ('{api.company_id}', '{plan['id']}', 1, 1, 'year', 1)",
        ):
            with pytest.raises(asyncpg.PostgresError) as caught:
                await connection.execute(statement)
            assert caught.value.sqlstate in {"LB451", "23503", "23514"}, (statement, caught.value)
    finally:
        await connection.close()
    assert await read(api, f"{PATH}/{plan['id']}") == plan
