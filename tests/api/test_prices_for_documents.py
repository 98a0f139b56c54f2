"""What documents take from the catalogue: sellable prices with their zones, locks, amounts in other currencies."""

import asyncio
from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from tests.api.catalog_steps import UNKNOWN, account_ids, group_id, new_price, new_product
from tests.conftest import Api
from tests.selling import Shop, line

from ledgerbee.catalog.prices import actions, store
from ledgerbee.catalog.prices.model import Price, PricingModel, SellablePrice
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.money import round_money
from ledgerbee.parties.customers.model import VatZone
from ledgerbee.platform.context import Context
from ledgerbee.platform.rates import store as rates

DAY = date(2026, 3, 13)


async def sellable(api: Api, *price_ids: str) -> dict[UUID, SellablePrice]:
    async def work(context: Context) -> dict[UUID, SellablePrice]:
        return await store.sellable(context, [UUID(price_id) for price_id in price_ids])

    found: dict[UUID, SellablePrice] = await api.run(work)
    return found


async def prices_in(api: Api, found: list[Price], currency: str, on: date = DAY) -> dict[UUID, Price]:
    async def work(context: Context) -> dict[UUID, Price]:
        return await actions.prices_in(context, found, currency, on)

    converted: dict[UUID, Price] = await api.run(work)
    return converted


async def test_price_product_and_zones(api: Api) -> None:
    accounts = {number: UUID(account) for number, account in (await account_ids(api)).items()}
    chair = await new_product(api, number="P1", description="Oak", unit="pcs")
    advice = await new_product(api, productGroupId=await group_id(api, "2"))
    one, two, three = (
        await new_price(api, chair["id"], unitAmount="10.50"),
        await new_price(api, chair["id"], currencyAmounts=[{"currency": "EUR", "unitAmount": 2}]),
        await new_price(
            api,
            advice["id"],
            pricingModel="GRADUATED",
            unitAmount=None,
            tiers=[{"upTo": "1.5", "unitAmount": 3, "flatAmount": "0.5"}, {"unitAmount": 2}],
        ),
    )
    found = await sellable(api, one["id"], two["id"], three["id"], one["id"], UNKNOWN)
    assert set(found) == {UUID(one["id"]), UUID(two["id"]), UUID(three["id"])}
    first = found[UUID(one["id"])]
    assert (first.price.unit_amount, first.price.currency, first.price.tiers) == (Decimal("10.5"), "DKK", ())
    assert (first.product.number, first.product.description, first.product.unit) == ("P1", "Oak", "pcs")
    assert found[UUID(two["id"])].price.currency_amounts == {"EUR": Decimal(2)}
    tier = found[UUID(three["id"])].price.tiers[0]
    assert (tier.up_to, tier.unit_amount, tier.flat_amount) == (Decimal("1.5"), Decimal(3), Decimal("0.5"))

    goods = {
        zone: (sale.account_id, sale.vat_code.code if sale.vat_code else None) for zone, sale in first.zones.items()
    }
    assert goods == {
        VatZone.DOMESTIC: (accounts[1010], "S01"),
        VatZone.EU: (accounts[1050], "S21"),
        VatZone.ABROAD: (accounts[1100], "S41"),
        VatZone.DOMESTIC_WITHOUT_VAT: (accounts[1011], "S02"),
    }
    domestic = first.zones[VatZone.DOMESTIC].vat_code
    assert domestic is not None
    assert (domestic.rate, domestic.einvoice_category) == (Decimal(25), "S")
    assert domestic.account_id == accounts[7680]
    eu_service = found[UUID(three["id"])].zones[VatZone.EU].vat_code
    assert eu_service is not None
    assert (eu_service.code, eu_service.einvoice_category) == ("S23", "AE")
    assert eu_service.exemption_reason is not None
    assert eu_service.exemption_reason_da is not None


async def test_an_account_without_a_code_sells_without_vat(api: Api) -> None:
    product = await new_product(api)
    price = await new_price(api, product["id"])
    accounts = await account_ids(api)
    await api.patch(f"/v1/product-groups/{product['productGroupId']}", {"domesticWithoutVatAccountId": accounts[1550]})
    sale = (await sellable(api, price["id"]))[UUID(price["id"])].zones[VatZone.DOMESTIC_WITHOUT_VAT]
    assert sale.account_id == UUID(accounts[1550])
    assert sale.vat_code is None
    assert sale.vat_rate == 0


async def test_another_companys_prices_are_not_there(api: Api, other_api: Api) -> None:
    foreign = await new_price(other_api, (await new_product(other_api))["id"])
    assert await sellable(api, foreign["id"]) == {}
    assert await sellable(api) == {}


@pytest.mark.parametrize(
    ("product_status", "action", "expected"),
    [
        ("ACTIVE", None, True),
        ("DISABLED", None, False),
        ("ARCHIVED", None, False),
        ("ACTIVE", "disable", False),
        ("ACTIVE", "archive", False),
    ],
)
async def test_what_new_documents_may_carry(api: Api, product_status: str, action: str | None, expected: bool) -> None:
    product = await new_product(api)
    price = await new_price(api, product["id"])
    await api.patch(f"/v1/products/{product['id']}", {"status": product_status})
    if action:
        await api.post(f"/v1/product-prices/{price['id']}/{action}")
    assert (await sellable(api, price["id"]))[UUID(price["id"])].is_sellable is expected


class TestHold:
    async def test_documents_at_once_do_not_stand_in_each_others_way(self, api: Api) -> None:
        product = await new_product(api)
        ids = [UUID((await new_price(api, product["id"]))["id"]) for _ in range(8)]
        attempts, all_hold = 0, asyncio.Barrier(4)

        async def document(order: list[UUID]) -> None:
            async def work(context: Context) -> None:
                nonlocal attempts
                attempts += 1
                assert len(await store.sellable(context, order, hold=True)) == 8
                await all_hold.wait()

            await api.run(work)

        await asyncio.gather(*(document(order) for order in (ids, ids[::-1], ids[4:] + ids[:4], ids[::-1])))
        assert attempts == 4  # a deadlock would have been tried again


class TestInAnotherCurrency:
    async def test_own_fixed_and_converted(self, api: Api) -> None:
        product = await new_product(api)
        plain = await new_price(api, product["id"], unitAmount="100")
        fixed = await new_price(api, product["id"], currencyAmounts=[{"currency": "EUR", "unitAmount": "13.99"}])
        yen = await new_price(api, product["id"], currency="JPY", unitAmount="5000")
        found = {
            str(key): value.price for key, value in (await sellable(api, plain["id"], fixed["id"], yen["id"])).items()
        }

        async def day_rate(context: Context) -> tuple[Decimal, Decimal]:
            krone = await rates.rate(context.connection, "DKK", "EUR", DAY)
            jpy = await rates.rate(context.connection, "JPY", "EUR", DAY)
            assert krone is not None
            assert jpy is not None
            return krone.value, jpy.value

        krone, jpy = await api.run(day_rate)
        euros = {str(key): value for key, value in (await prices_in(api, list(found.values()), "EUR")).items()}
        assert {price.currency for price in euros.values()} == {"EUR"}
        assert euros[plain["id"]].unit_amount == round_money(100 * krone, "EUR")
        assert euros[fixed["id"]].unit_amount == Decimal("13.99")
        assert euros[yen["id"]].unit_amount == round_money(5000 * jpy, "EUR")
        kroner = await prices_in(api, [found[plain["id"]]], "DKK", date(1980, 1, 1))
        assert kroner[UUID(plain["id"])] == found[plain["id"]]

        async def single(context: Context) -> Price:
            return await actions.price_in(context, found[plain["id"]], "EUR", DAY)

        assert await api.run(single) == euros[plain["id"]]

    async def test_tiers(self, api: Api) -> None:
        product = await new_product(api)
        created = await new_price(
            api, product["id"], pricingModel="VOLUME", unitAmount=None, tiers=[{"unitAmount": 100, "flatAmount": 50}]
        )
        price = (await sellable(api, created["id"]))[UUID(created["id"])].price
        flat = replace(price, pricing_model=PricingModel.FLAT_RATE, unit_amount=Decimal(100), tiers=())
        (converted,) = (await prices_in(api, [price], "SEK")).values()
        (expected,) = (await prices_in(api, [flat], "SEK")).values()
        assert converted.tiers[0].unit_amount == expected.unit_amount
        assert converted.unit_amount is None

    @pytest.mark.parametrize(("currency", "on"), [("UYU", DAY), ("EUR", date(1990, 1, 1)), ("EUR", date(2190, 1, 1))])
    async def test_no_rate(self, api: Api, currency: str, on: date) -> None:
        created = await new_price(api, (await new_product(api))["id"])
        price = (await sellable(api, created["id"]))[UUID(created["id"])].price
        with pytest.raises(LedgerBeeError) as refused:
            await prices_in(api, [price], currency, on)
        assert refused.value.code == "EXCHANGE_RATE_MISSING"
        assert refused.value.details == {"currency": "DKK", "toCurrency": currency, "date": on.isoformat()}


async def test_a_price_is_locked_while_anything_uses_it(api: Api) -> None:
    """By a draft, until the draft drops the line or is deleted; by what is booked for good. PATCH and DELETE agree."""
    shop = Shop(api)
    product = await shop.product()
    price, other, elsewhere = await shop.price(product=product), await shop.price(product=product), await shop.price()
    customer = await shop.customer()
    path = f"/v1/product-prices/{price}"

    async def is_locked() -> bool:
        found = await shop.ok("GET", path)
        listed = {one["id"]: one["isLocked"] for one in (await shop.ok("GET", f"/v1/products/{product}"))["prices"]}
        assert listed == {price: found["isLocked"], other: False}
        if not found["isLocked"]:
            amount = str(int(found["unitAmount"]) + 1)
            assert (await shop.ok("PATCH", path, {"unitAmount": amount}))["unitAmount"] == amount
            return False
        for change, fields in (
            ({"unitAmount": 1}, ["unitAmount"]),
            ({"currency": "EUR"}, ["currency"]),
            ({"pricingModel": "VOLUME", "tiers": [{"unitAmount": 1}]}, ["pricingModel", "unitAmount", "tiers"]),
            (
                {"billingPeriodType": "RECURRING", "billingInterval": "month"},
                ["billingPeriodType", "billingInterval", "billingIntervalCount"],
            ),
        ):
            details = await shop.refused("PATCH", path, change, 409, "PRODUCT_PRICE_LOCKED")
            assert details == {"fields": fields}
        in_use = {"usedBy": ["documents"]}
        assert await shop.refused("DELETE", path, {}, 409, "PRODUCT_PRICE_IN_USE") == in_use
        assert await shop.refused("DELETE", f"/v1/products/{product}", {}, 409, "PRODUCT_IN_USE") == in_use
        assert await shop.ok("GET", path) == found
        return True

    assert not await is_locked()
    drafts = [await shop.draft(customer, line(price)) for _ in range(2)]
    assert await is_locked()
    await shop.ok_empty("DELETE", f"/v1/invoices/{drafts[0]['id']}")
    assert await is_locked()
    drafted = f"/v1/invoices/{drafts[1]['id']}"
    await shop.ok("PATCH", drafted, {"lines": [line(elsewhere)]})
    assert not await is_locked()
    await shop.ok("PATCH", drafted, {"lines": [line(price)]})
    assert await is_locked()
    await shop.ok_empty("DELETE", drafted)
    assert not await is_locked()
    await shop.send(await shop.draft(customer, line(price)))
    assert await is_locked()
    await shop.ok_empty("DELETE", f"/v1/product-prices/{other}")
