"""Product prices over HTTP: what they look like, what they refuse, how they change and go."""

from typing import Any

import asyncpg
import pytest
from tests.api.catalog_steps import (
    UNKNOWN,
    group_id,
    new_meter,
    new_price,
    new_product,
    problems,
    refusal,
    set_licenses,
    use_price,
)
from tests.conftest import Api
from tests.document import DOCUMENT

from ledgerbee.core.ids import new_id

PATH = "/v1/product-prices"
MONTHLY = {"billingPeriodType": "RECURRING", "billingInterval": "month"}
TIERS = [{"upTo": 10, "unitAmount": "5.50", "flatAmount": 100}, {"upTo": None, "unitAmount": 4}]
DOZEN = [{"unitAmount": 60, "packageSize": 12}]


@pytest.fixture
async def product(api: Api) -> dict[str, Any]:
    return await new_product(api)


async def test_the_whole_answer(api: Api, product: dict[str, Any]) -> None:
    created = await new_price(
        api,
        product["id"],
        **MONTHLY,
        billingIntervalCount=3,
        unitAmount="99.500000000001",
        nickname=" Quarterly ",
        currencyAmounts=[{"currency": "SEK", "unitAmount": 149}, {"currency": "EUR", "unitAmount": "13.40"}],
    )
    assert created == {
        "id": created["id"],
        "productId": product["id"],
        "billingPeriodType": "RECURRING",
        "pricingModel": "FLAT_RATE",
        "currency": "DKK",
        "baseCurrency": "DKK",
        "status": "ACTIVE",
        "isDefault": True,
        "isLocked": False,
        "vatRatesByZone": {"domestic": "25", "eu": "0", "abroad": "0", "domestic_without_vat": "0"},
        "nickname": "Quarterly",
        "unitAmount": "99.500000000001",
        "billingInterval": "month",
        "billingIntervalCount": 3,
        "availableCurrencies": ["DKK", "EUR", "SEK"],
        "currencyAmounts": [{"currency": "EUR", "unitAmount": "13.4"}, {"currency": "SEK", "unitAmount": "149"}],
        "tiers": [],
        "meterId": None,
        "createdAt": "2026-03-16T12:00:00.000Z",
        "updatedAt": "2026-03-16T12:00:00.000Z",
    }
    assert (await api.get(f"{PATH}/{created['id']}")).json() == created


async def test_answers_have_the_documented_properties(api: Api, product: dict[str, Any]) -> None:
    schemas = DOCUMENT["components"]["schemas"]

    def properties(name: str) -> set[str]:
        return set(schemas[name]["properties"])

    price = await new_price(
        api,
        product["id"],
        pricingModel="PACKAGE",
        unitAmount=None,
        tiers=DOZEN,
    )
    fixed = await new_price(api, product["id"], currencyAmounts=[{"currency": "EUR", "unitAmount": 13}])
    assert set(price) == properties("ProductPriceResponse")
    assert set(schemas["ProductPriceResponse"]["required"]) == properties("ProductPriceResponse")
    assert set(price["tiers"][0]) == properties("TierResponse")
    assert set(price["vatRatesByZone"]) == properties("VatRatesByZone")
    assert set(fixed["currencyAmounts"][0]) == properties("CurrencyAmountResponse")
    read = (await api.get(f"/v1/products/{product['id']}")).json()
    assert set(read) == properties("ProductResponse")
    assert read["prices"] == [price, fixed]


async def test_a_price_with_tiers(api: Api, product: dict[str, Any]) -> None:
    for model in ("VOLUME", "GRADUATED"):
        created = await new_price(api, product["id"], pricingModel=model, unitAmount=None, tiers=TIERS, currency="EUR")
        assert created["unitAmount"] is None
        assert (created["currency"], created["baseCurrency"], created["availableCurrencies"]) == ("EUR", "EUR", ["EUR"])
        assert created["tiers"] == [
            {"upTo": 10, "unitAmount": "5.5", "flatAmount": "100"},
            {"upTo": None, "unitAmount": "4", "flatAmount": "0"},
        ]
        assert (await api.get(f"{PATH}/{created['id']}")).json() == created


async def test_a_price_by_the_package(api: Api, product: dict[str, Any]) -> None:
    created = await new_price(api, product["id"], pricingModel="PACKAGE", unitAmount=None, tiers=DOZEN)
    assert created["tiers"] == [{"upTo": None, "unitAmount": "60", "flatAmount": "0", "packageSize": 12}]
    assert (created["billingInterval"], created["billingIntervalCount"]) == (None, None)
    assert (await api.get(f"{PATH}/{created['id']}")).json() == created


async def test_amounts_are_never_floats(api: Api, product: dict[str, Any]) -> None:
    for sent, kept in (("0.10", "0.1"), ("1e3", "1000"), ("-0.0", "0"), ("9999999999999.999999999999", None)):
        body = (
            f'{{"productId": "{product["id"]}", "billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE",'
            f' "unitAmount": {sent}}}'
        )
        answer = await api.request("POST", PATH, content=body, headers={"content-type": "application/json"})
        if kept is None:
            assert problems(answer) == {"unitAmount": "max"}
        else:
            assert answer.json()["unitAmount"] == kept


async def test_vat_rates_come_from_the_accounts_of_the_group(api: Api) -> None:
    accounts = {a["accountNumber"]: a["id"] for a in (await api.get("/v1/accounts")).json()}
    group = await group_id(api, "2")
    product = await new_product(api, productGroupId=group)
    price = await new_price(api, product["id"])

    async def rates() -> dict[str, str]:
        found: dict[str, str] = (await api.get(f"{PATH}/{price['id']}")).json()["vatRatesByZone"]
        return found

    assert await rates() == {"domestic": "25", "eu": "0", "abroad": "0", "domestic_without_vat": "0"}
    await api.patch(f"/v1/product-groups/{group}", {"euAccountId": accounts[1010]})
    assert await rates() == {"domestic": "25", "eu": "25", "abroad": "0", "domestic_without_vat": "0"}
    await api.patch(f"/v1/product-groups/{group}", {"domesticWithoutVatAccountId": accounts[1550]})

    async def change(context: Any) -> None:
        await context.connection.execute("SET LOCAL ROLE NONE")  # no role of the program may
        await context.connection.execute(
            "UPDATE vat_codes SET contra_account_id = $2 WHERE company_id = $1 AND code = 'S42'",
            context.company_id,
            accounts[1550],
        )
        await context.connection.execute(
            "INSERT INTO vat_code_rates (company_id, vat_code_id, valid_from, rate, deductible_part, deductible_whole)"
            " SELECT company_id, id, '2026-01-01', 25, 1, 1 FROM vat_codes WHERE company_id = $1 AND code = 'S42'",
            context.company_id,
        )

    codes = {code["vatCode"]: code["id"] for code in (await api.get("/v1/vat-codes")).json()}
    rates_of = {"rates": [{"vatRate": "12.5"}, {"validFrom": "2026-03-17", "vatRate": "20"}]}
    assert (await api.put(f"/v1/vat-codes/{codes['S01']}/rates", rates_of)).status_code == 200
    await api.run(change)  # a reverse charge at 25 %: the buyer is charged none
    assert await rates() == {"domestic": "12.5", "eu": "12.5", "abroad": "0", "domestic_without_vat": "0"}


class TestCreate:
    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({"productId": "P-1"}, {"productId": "isUuid"}),
            ({"billingPeriodType": "one-time"}, {"billingPeriodType": "isEnum"}),
            ({"pricingModel": "TIERED"}, {"pricingModel": "isEnum"}),
            ({"unitAmount": None}, {"unitAmount": "isDefined"}),
            ({"unitAmount": "ten"}, {"unitAmount": "isNumber"}),
            ({"unitAmount": True}, {"unitAmount": "isNumber"}),
            ({"unitAmount": "1.0000000000001"}, {"unitAmount": "maxDecimalPlaces"}),
            ({"unitAmount": 10**14}, {"unitAmount": "max"}),
            ({"unitAmount": "Infinity"}, {"unitAmount": "isNumber"}),
            ({"currency": "dkk"}, {"currency": "isISO4217CurrencyCode"}),
            ({"currency": "XXX"}, {"currency": "isISO4217CurrencyCode"}),
            ({"nickname": "x" * 1001}, {"nickname": "maxLength"}),
            ({"isDefault": True}, {"isDefault": "whitelistValidation"}),
            ({"status": "DISABLED"}, {"status": "whitelistValidation"}),
            ({"billingInterval": "month"}, {"billingInterval": "isEmpty"}),
            ({"billingIntervalCount": 2}, {"billingIntervalCount": "isEmpty"}),
            ({"billingPeriodType": "RECURRING"}, {"billingInterval": "isDefined"}),
            ({**MONTHLY, "billingInterval": "quarter"}, {"billingInterval": "isEnum"}),
            ({**MONTHLY, "billingIntervalCount": 0}, {"billingIntervalCount": "min"}),
            ({**MONTHLY, "billingIntervalCount": 1001}, {"billingIntervalCount": "max"}),
            ({**MONTHLY, "billingIntervalCount": "3"}, {"billingIntervalCount": "isInt"}),
            ({**MONTHLY, "billingPeriodType": "USAGE"}, {"meterId": "isDefined"}),
            ({"meterId": UNKNOWN}, {"meterId": "isEmpty"}),
            ({"tiers": TIERS}, {"tiers": "isEmpty"}),
            ({"pricingModel": "VOLUME"}, {"unitAmount": "isEmpty", "tiers": "arrayMinSize"}),
            ({"pricingModel": "VOLUME", "unitAmount": None, "tiers": []}, {"tiers": "arrayMinSize"}),
            ({"pricingModel": "PACKAGE", "unitAmount": None, "tiers": TIERS[1:]}, {"tiers.0.packageSize": "isDefined"}),
            ({"pricingModel": "VOLUME", "unitAmount": None, "tiers": TIERS[:1]}, {"tiers.0.upTo": "isEmpty"}),
            ({"pricingModel": "VOLUME", "unitAmount": None, "tiers": [{}]}, {"tiers.0.unitAmount": "isDefined"}),
            (
                {"pricingModel": "VOLUME", "unitAmount": None, "tiers": [{"unitAmount": 1, "price": 2}]},
                {"tiers.0.price": "whitelistValidation"},
            ),
            ({"pricingModel": "VOLUME", "unitAmount": None, "tiers": TIERS * 51}, {"tiers": "arrayMaxSize"}),
            ({"currencyAmounts": [{"currency": "DKK", "unitAmount": 1}]}, {"currencyAmounts": "arrayNotContains"}),
            ({"currencyAmounts": [{"currency": "EUR", "unitAmount": 1}] * 2}, {"currencyAmounts": "arrayUnique"}),
            ({"currencyAmounts": [{"currency": "EUR"}]}, {"currencyAmounts.0.unitAmount": "isDefined"}),
        ],
    )
    async def test_what_does_not_fit(
        self, api: Api, product: dict[str, Any], fields: dict[str, Any], wrong: dict[str, str]
    ) -> None:
        right = {
            "productId": product["id"],
            "billingPeriodType": "ONE_TIME",
            "pricingModel": "FLAT_RATE",
            "unitAmount": 100,
        }
        assert problems(await api.post(PATH, right | fields)) == wrong
        assert (await api.get(f"/v1/products/{product['id']}")).json()["prices"] == []

    async def test_every_required_field_is_asked_for(self, api: Api) -> None:
        names = ["productId", "billingPeriodType", "pricingModel"]
        assert problems(await api.post(PATH, {})) == dict.fromkeys(names, "isDefined")

    async def test_the_product_must_be_the_companys_and_not_archived(
        self, api: Api, other_api: Api, product: dict[str, Any]
    ) -> None:
        body = {"billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE", "unitAmount": 1}
        foreign = await new_product(other_api)
        for product_id in (foreign["id"], UNKNOWN):
            assert refusal(await api.post(PATH, body | {"productId": product_id})) == (404, "PRODUCT_NOT_FOUND")
        await api.patch(f"/v1/products/{product['id']}", {"status": "ARCHIVED"})
        refused = await api.post(PATH, body | {"productId": product["id"]})
        assert refusal(refused) == (409, "PRODUCT_INVALID_STATE")
        assert refused.json()["details"] == {"status": "ARCHIVED"}

    @pytest.mark.parametrize(
        ("period", "held", "missing"),
        [
            ("RECURRING", ["CustomerPortal", "MeteredProducts"], "Subscription"),
            ("USAGE", ["CustomerPortal", "MeteredProducts"], "Subscription"),
            ("USAGE", ["Subscription"], "MeteredProducts"),
        ],
    )
    async def test_licences(
        self, api: Api, product: dict[str, Any], period: str, held: list[str], missing: str
    ) -> None:
        meter = {"meterId": await new_meter(api)} if period == "USAGE" else {}
        once = await new_price(api, product["id"])
        await set_licenses(api, *held)
        body = {"productId": product["id"], "pricingModel": "FLAT_RATE", "unitAmount": 1, "billingInterval": "month"}
        body |= {"billingPeriodType": period, **meter}
        refused = await api.post(PATH, body)
        assert refusal(refused) == (403, "LICENSE.REQUIRED")
        assert refused.json()["details"] == {"licenseKey": missing}
        changes = {"billingPeriodType": period, "billingInterval": "month", **meter}
        refused = await api.patch(f"{PATH}/{once['id']}", changes)
        assert refusal(refused) == (403, "LICENSE.REQUIRED")
        assert refused.json()["details"] == {"licenseKey": missing}
        await set_licenses(api, *held, missing)
        assert (await api.post(PATH, body)).status_code == 201
        assert (await api.patch(f"{PATH}/{once['id']}", changes)).status_code == 200

    async def test_once_needs_no_licence(self, api: Api, product: dict[str, Any]) -> None:
        await set_licenses(api)
        assert (await new_price(api, product["id"]))["billingPeriodType"] == "ONE_TIME"

    async def test_the_meter_of_a_usage_price(self, api: Api, other_api: Api, product: dict[str, Any]) -> None:
        usage = {**MONTHLY, "billingPeriodType": "USAGE"}
        meter = await new_meter(api)
        created = await new_price(api, product["id"], **usage, meterId=meter)
        assert created["meterId"] == meter
        body = {"productId": product["id"], "pricingModel": "FLAT_RATE", "unitAmount": 1, **usage}
        for unknown in (UNKNOWN, await new_meter(other_api)):
            assert refusal(await api.post(PATH, body | {"meterId": unknown})) == (404, "METER_NOT_FOUND")
            changed = await api.patch(f"{PATH}/{created['id']}", {"meterId": unknown})
            assert refusal(changed) == (404, "METER_NOT_FOUND")
        archived = await new_meter(api, "ARCHIVED")
        refused = await api.post(PATH, body | {"meterId": archived})
        assert refusal(refused) == (409, "METER_INVALID_STATE")
        assert refused.json()["details"] == {"status": "ARCHIVED"}

    async def test_the_company_currency_is_the_default(self, api: Api, product: dict[str, Any]) -> None:
        async def move_to_norway(context: Any) -> None:
            await context.connection.execute(
                "UPDATE companies SET base_currency = 'NOK' WHERE company_id = $1", context.company_id
            )

        await api.run(move_to_norway)
        assert (await new_price(api, product["id"]))["currency"] == "NOK"
        assert (await new_price(api, product["id"], currency="JPY"))["currency"] == "JPY"


class TestUpdate:
    async def test_only_what_is_sent_changes(self, api: Api, product: dict[str, Any]) -> None:
        created = await new_price(api, product["id"], **MONTHLY, nickname="Old")
        path = f"{PATH}/{created['id']}"
        api.clock.advance(minutes=5)
        changed = (await api.patch(path, {"unitAmount": "89.90"})).json()
        assert changed == created | {"unitAmount": "89.9", "updatedAt": "2026-03-16T12:05:00.000Z"}
        assert (await api.patch(path, {"nickname": None})).json()["nickname"] is None
        changed = (await api.patch(path, {"billingIntervalCount": 6, "billingInterval": "week"})).json()
        assert (changed["billingIntervalCount"], changed["billingInterval"]) == (6, "week")
        assert (await api.get(path)).json() == changed

    async def test_another_model(self, api: Api, product: dict[str, Any]) -> None:
        created = await new_price(api, product["id"], currencyAmounts=[{"currency": "EUR", "unitAmount": 13}])
        path = f"{PATH}/{created['id']}"
        changed = (await api.patch(path, {"pricingModel": "GRADUATED", "tiers": TIERS})).json()
        assert (changed["unitAmount"], changed["currencyAmounts"], len(changed["tiers"])) == (None, [], 2)
        changed = (await api.patch(path, {"pricingModel": "FLAT_RATE", "unitAmount": 7})).json()
        assert (changed["unitAmount"], changed["tiers"]) == ("7", [])
        assert problems(await api.patch(path, {"pricingModel": "PACKAGE"})) == {"tiers": "arrayMinSize"}
        assert (await api.get(path)).json() == changed

    @pytest.mark.parametrize(
        ("changes", "wrong"),
        [
            ({"unitAmount": None}, {"unitAmount": "isNumber"}),
            ({"pricingModel": None}, {"pricingModel": "isEnum"}),
            ({"tiers": None}, {"tiers": "isArray"}),
            ({"productId": UNKNOWN}, {"productId": "whitelistValidation"}),
            ({"isLocked": False}, {"isLocked": "whitelistValidation"}),
            ({"billingInterval": "month"}, {"billingInterval": "isEmpty"}),
            ({"tiers": TIERS}, {"tiers": "isEmpty"}),
        ],
    )
    async def test_refused(
        self, api: Api, product: dict[str, Any], changes: dict[str, Any], wrong: dict[str, str]
    ) -> None:
        created = await new_price(api, product["id"])
        assert problems(await api.patch(f"{PATH}/{created['id']}", changes)) == wrong
        assert (await api.get(f"{PATH}/{created['id']}")).json() == created

    async def test_a_locked_price(self, api: Api, product: dict[str, Any]) -> None:
        created = await new_price(
            api, product["id"], **MONTHLY, currencyAmounts=[{"currency": "EUR", "unitAmount": "13.40"}]
        )
        path = f"{PATH}/{created['id']}"
        await use_price(api, created["id"])
        locked = (await api.get(path)).json()
        assert locked == created | {"isLocked": True}
        for changes, fields in (
            ({"unitAmount": 99}, ["unitAmount"]),
            ({"currency": "SEK"}, ["currency"]),
            ({"billingInterval": "year"}, ["billingInterval"]),
            ({"billingPeriodType": "ONE_TIME"}, ["billingPeriodType", "billingInterval", "billingIntervalCount"]),
            ({"currencyAmounts": []}, ["currencyAmounts"]),
            (
                {"pricingModel": "VOLUME", "tiers": TIERS},
                ["pricingModel", "unitAmount", "tiers", "currencyAmounts"],
            ),
        ):
            refused = await api.patch(path, changes)
            assert refusal(refused) == (409, "PRODUCT_PRICE_LOCKED")
            assert refused.json()["details"] == {"fields": fields}
        assert (await api.get(path)).json() == locked
        same = {"unitAmount": "100.00", "billingInterval": "month", "nickname": "Renamed"}
        more = [{"currency": "EUR", "unitAmount": "13.4"}, {"currency": "SEK", "unitAmount": 149}]
        changed = await api.patch(path, same | {"currencyAmounts": more})
        assert changed.status_code == 200
        assert (changed.json()["nickname"], changed.json()["availableCurrencies"]) == ("Renamed", ["DKK", "EUR", "SEK"])


class TestDelete:
    async def test_gone(self, api: Api, product: dict[str, Any]) -> None:
        created = await new_price(api, product["id"])
        path = f"{PATH}/{created['id']}"
        deleted = await api.delete(path)
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert refusal(await api.get(path)) == (404, "PRODUCT_PRICE_NOT_FOUND")
        assert refusal(await api.delete(path)) == (404, "PRODUCT_PRICE_NOT_FOUND")

    async def test_not_while_in_use(self, api: Api, product: dict[str, Any]) -> None:
        created = await new_price(api, product["id"])
        await use_price(api, created["id"])
        refused = await api.delete(f"{PATH}/{created['id']}")
        assert refusal(refused) == (409, "PRODUCT_PRICE_IN_USE")
        assert refused.json()["details"] == {"usedBy": ["documents"]}
        assert (await api.get(f"{PATH}/{created['id']}")).status_code == 200

    async def test_the_default_goes_last(self, api: Api, product: dict[str, Any]) -> None:
        default, other = await new_price(api, product["id"]), await new_price(api, product["id"])
        refused = await api.delete(f"{PATH}/{default['id']}")
        assert refusal(refused) == (409, "PRODUCT_PRICE_INVALID_STATE")
        await api.post(f"{PATH}/{other['id']}/set-default")
        assert (await api.delete(f"{PATH}/{default['id']}")).status_code == 204
        assert (await api.delete(f"{PATH}/{other['id']}")).status_code == 204
        assert (await new_price(api, product["id"]))["isDefault"] is True


OPERATIONS = [("GET", ""), ("PATCH", ""), ("DELETE", "")] + [
    ("POST", f"/{action}") for action in ("activate", "archive", "disable", "set-default")
]


@pytest.mark.parametrize(("method", "action"), OPERATIONS)
async def test_foreign_and_malformed_ids(api: Api, other_api: Api, method: str, action: str) -> None:
    foreign = await new_price(other_api, (await new_product(other_api))["id"])
    for price_id in (foreign["id"], UNKNOWN, str(new_id())):
        answer = await api.request(method, f"{PATH}/{price_id}{action}", json={})
        assert refusal(answer) == (404, "PRODUCT_PRICE_NOT_FOUND")
    answer = await api.request(method, f"{PATH}/1{action}", json={})
    assert problems(answer) == {"productPriceId": "isUuid"}
    assert (await other_api.get(f"{PATH}/{foreign['id']}")).json() == foreign


async def test_the_database_keeps_a_locked_price_whoever_asks(
    api: Api, product: dict[str, Any], database_url: str
) -> None:
    created = await new_price(api, product["id"], currencyAmounts=[{"currency": "EUR", "unitAmount": 13}])
    await use_price(api, created["id"])
    owner = await asyncpg.connect(database_url)
    try:
        await owner.execute(f"SET app.company_id = '{api.company_id}'")
        for statement in (
            "UPDATE prices SET unit_amount = 1 WHERE id = $1",
            "UPDATE prices SET currency = 'EUR' WHERE id = $1",
            "UPDATE prices SET currency_amounts = '{}' WHERE id = $1",
            "DELETE FROM prices WHERE id = $1",
        ):
            with pytest.raises((asyncpg.RestrictViolationError, asyncpg.ForeignKeyViolationError)):
                await owner.execute(statement, created["id"])
        await owner.execute("UPDATE prices SET nickname = 'x', status = 'ARCHIVED' WHERE id = $1", created["id"])
    finally:
        await owner.close()
