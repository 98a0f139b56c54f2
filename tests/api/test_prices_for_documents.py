"""What documents take from the catalogue: sellable prices with their zones, locks, amounts in other currencies."""

import asyncio
from datetime import date
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from tests.api.catalog_steps import UNKNOWN, account_ids, group_id, new_price, new_product
from tests.conftest import Api
from tests.selling import Shop, booked, line

from ledgerbee.catalog.prices import store
from ledgerbee.catalog.prices.model import SellablePrice
from ledgerbee.parties.customers.model import VatZone
from ledgerbee.platform.context import Context
from ledgerbee.sales.documents import actions as documents
from ledgerbee.sales.documents import store as document_store
from ledgerbee.sales.documents.model import DocumentFields, DocumentLineType, LineInput
from ledgerbee.sales.invoices.kind import INVOICES

DAY = date(2026, 3, 13)


async def sellable(api: Api, *price_ids: str) -> dict[UUID, SellablePrice]:
    async def work(context: Context) -> dict[UUID, SellablePrice]:
        return await store.get_many(context, [UUID(price_id) for price_id in price_ids])

    found: dict[UUID, SellablePrice] = await api.run(work)
    return found


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
    assert (domestic.rate_on(date.max).rate, domestic.einvoice_category) == (Decimal(25), "S")
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
    assert sale.vat_rate_on(date.max) == 0


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
        attempts, all_hold = 0, asyncio.Barrier(2)  # as many as a company may write at once

        async def document(order: list[UUID]) -> None:
            async def work(context: Context) -> None:
                nonlocal attempts
                attempts += 1
                assert len(await store.get_many_for_share(context, order)) == 8
                await all_hold.wait()

            await api.run(work)

        await asyncio.gather(*(document(order) for order in (ids, ids[::-1])))
        assert attempts == 2  # a deadlock would have been tried again


OWN_RATES = {"USD": "10", "KWD": "22.123456", "SEK": "0.63"}


async def own_rates(api: Api, day: str = "2026-03-16", **rates: str) -> None:
    """Set the company's own rates of a day: kroner for one unit."""
    for currency, rate in rates.items():
        answer = await api.put("/v1/exchange-rates", {"currency": currency, "date": day, "rate": rate})
        assert answer.status_code == 200, answer.text


async def rate_of(api: Api, currency: str, day: str = "2026-03-16") -> Decimal:
    """Kroner for one unit on a day, as the API tells it."""
    answer = await api.get("/v1/exchange-rates", params={"currency": currency, "date": day})
    return Decimal(answer.json()["rate"])


class TestInAnotherCurrency:
    """What a line costs in a document's currency: the rates that price it are the ones it is booked at."""

    @pytest.mark.parametrize(
        ("amount", "price_currency", "currency", "expected"),
        [
            ("80", "DKK", "USD", "8.00"),
            ("100", "DKK", "USD", "10.00"),
            ("100", "DKK", "KWD", "4.520"),  # nobody publishes it
            ("10", "USD", "DKK", "100.00"),
            ("100", "USD", "KWD", "45.201"),  # both own, through the krone
            ("7", "KWD", "SEK", "245.82"),
        ],
    )
    async def test_the_companys_own_rate_of_the_day(
        self, api: Api, amount: str, price_currency: str, currency: str, expected: str
    ) -> None:
        shop = Shop(api)
        await own_rates(api, **OWN_RATES)
        price = await shop.price(amount, currency=price_currency)
        customer = await shop.customer(vatZone="abroad", countryCode="US")
        draft = await shop.draft(customer, line(price), currency=currency)
        assert (draft["subtotal"], draft["currency"]) == (expected, currency)
        next_day = await api.post(
            "/v1/invoices",
            {"customerId": customer, "date": "2026-03-17", "lines": [line(price)], "currency": currency},
        )
        if "KWD" in {price_currency, currency}:
            assert next_day.json()["code"] == "SALES_DOCUMENT_PRICE_CURRENCY_MISSING"
        else:
            assert next_day.json()["subtotal"] != expected  # an own rate is good for its day

    async def test_priced_and_booked_at_one_rate(self, api: Api) -> None:
        """100.00 kroner at 10 kroner a dollar: 10.00 dollars, and 100.00 kroner in the books."""
        shop = Shop(api)
        await own_rates(api, USD="10")
        draft = await shop.draft(await shop.customer(), line(await shop.price("80")), currency="USD")
        assert (draft["subtotal"], draft["vat"], draft["amount"]) == ("8.00", "2.00", "10.00")
        sent = await shop.send(draft)
        entry = await shop.entry(sent["journalEntryId"])
        assert entry.content.exchange_rate == 10
        assert [amount for _, _, amount, kind in booked(entry) if kind == "CONTROL"] == [Decimal("100.00")]

    async def test_published_rates_lead_through_the_base_currency(self, api: Api) -> None:
        shop = Shop(api)
        price = await shop.price("5000", currency="JPY")
        draft = await shop.draft(await shop.customer(), line(price), currency="EUR")
        yen, euro = await rate_of(api, "JPY"), await rate_of(api, "EUR")
        assert Fraction(draft["subtotal"]) == Fraction(
            round(Fraction(5000) * Fraction(yen) / Fraction(euro) * 100), 100
        )

    async def test_a_fixed_amount_and_a_given_price_need_no_rate(self, api: Api) -> None:
        shop = Shop(api)
        fixed = await shop.price("100", currencyAmounts=[{"currency": "KWD", "unitAmount": "13.999"}])
        plain = await shop.price("100")
        lines = (line(fixed), line(plain, unitPrice="2.5"))
        draft = await shop.draft(await shop.customer(vatZone="abroad", countryCode="US"), *lines, currency="KWD")
        assert [shown["totalPrice"] for shown in draft["lines"]] == ["13.999", "2.500"]

    async def test_tiers(self, api: Api) -> None:
        shop = Shop(api)
        await own_rates(api, USD="10")
        tiers = [{"upTo": 5, "unitAmount": 100, "flatAmount": 50}, {"unitAmount": "0.5"}]
        price = await shop.price(pricingModel="GRADUATED", tiers=tiers)
        draft = await shop.draft(await shop.customer(), line(price, 7), currency="USD")
        assert draft["subtotal"] == "55.10"  # 5 x 10.00 + 5.00 + 2 x 0.05

    async def test_lines_of_one_pair_look_the_rate_up_once(self, api: Api, other_api: Api) -> None:
        """However many lines and prices: as many statements as for one of each currency."""

        async def statements(of: Api, lines: int) -> int:
            shop = Shop(of)
            product, customer = await shop.product(), await shop.customer()
            prices = [
                await shop.price("100", product=product, currency=c) for c in ("DKK", "SEK") for _ in range(lines)
            ]
            counted: list[str] = []

            async def work(context: Context) -> None:
                document = DocumentFields(customer_id=UUID(customer), issue_date=DAY)
                facts = (await document_store.get_sources(context, INVOICES, document)).facts
                given = [LineInput(DocumentLineType.PRODUCT, UUID(price)) for price in prices]
                with context.connection.query_logger(lambda record: counted.append(record.query)):
                    await documents.price_lines(context, given, facts, currency="USD", on=DAY, tax_point=DAY)

            await of.run(work)
            return len(counted)

        assert await statements(api, 1) == await statements(other_api, 6)

    @pytest.mark.parametrize(("currency", "on"), [("UYU", "2026-03-13"), ("EUR", "1990-01-01"), ("UYU", "2027-03-10")])
    async def test_no_rate(self, api: Api, currency: str, on: str) -> None:
        shop = Shop(api)
        price = await shop.price("100")
        body = {"customerId": await shop.customer(), "date": on, "lines": [line(price)], "currency": currency}
        refused = await shop.refused("POST", "/v1/invoices", body, 400, "SALES_DOCUMENT_PRICE_CURRENCY_MISSING")
        assert refused == {
            "property": "lines.0.priceId", "priceId": price, "currency": "DKK", "documentCurrency": currency,
        }  # fmt: skip
        assert (await api.get("/v1/invoices")).json()["total"] == 0

    async def test_a_new_date_takes_its_own_rate(self, api: Api) -> None:
        """Only what is converted is priced anew: a catalogue that has changed is no matter of the date."""
        shop = Shop(api)
        await own_rates(api, USD="10")
        await own_rates(api, "2026-03-17", USD="8")
        price, dollars = await shop.price("80"), await shop.price("80", currency="USD")
        draft = await shop.draft(
            await shop.customer(), line(price), line(price, unitPrice="5"), line(dollars), currency="USD"
        )
        assert [shown["totalPrice"] for shown in draft["lines"]] == ["8.00", "5.00", "80.00"]
        moved = await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"date": "2026-03-17"})
        assert [shown["totalPrice"] for shown in moved["lines"]] == ["10.00", "5.00", "80.00"]


class TestCatalogueReads:
    """`currency` of the single reads: what an invoice of today would charge."""

    async def test_amounts_in_another_currency(self, api: Api) -> None:
        await own_rates(api, **OWN_RATES)
        product = await new_product(api)
        plain = await new_price(
            api, product["id"], unitAmount="80", currencyAmounts=[{"currency": "EUR", "unitAmount": 9}]
        )
        path = f"/v1/product-prices/{plain['id']}"
        expected = {"USD": "8", "EUR": "9", "DKK": "80", "KWD": "3.616"}
        for currency, amount in expected.items():
            shown = (await api.get(path, params={"currency": currency})).json()
            assert shown == {**plain, "currency": currency, "unitAmount": amount}
        assert (await api.get(path)).json() == plain

        tiered = await new_price(
            api, product["id"], pricingModel="PACKAGE", unitAmount=None, currency="SEK",
            tiers=[{"unitAmount": 100, "flatAmount": 5, "packageSize": 12}],
        )  # fmt: skip
        shown = (await api.get(f"/v1/products/{product['id']}", params={"currency": "USD"})).json()
        assert {price["id"]: (price["currency"], price["baseCurrency"]) for price in shown["prices"]} == {
            plain["id"]: ("USD", "DKK"), tiered["id"]: ("USD", "SEK"),
        }  # fmt: skip
        (package,) = next(price["tiers"] for price in shown["prices"] if price["id"] == tiered["id"])
        assert package == {"upTo": None, "unitAmount": "6.3", "flatAmount": "0.32", "packageSize": 12}  # 0.63 / 10
        without = (await api.get(f"/v1/products/{product['id']}")).json()["prices"]
        assert {price["id"]: price["unitAmount"] for price in without} == {plain["id"]: "80", tiered["id"]: None}

    async def test_they_say_what_an_invoice_charges(self, api: Api) -> None:
        shop = Shop(api)
        price = await shop.price("123.45")
        shown = await shop.ok("GET", f"/v1/product-prices/{price}?currency=SEK")
        draft = await shop.draft(await shop.customer(), line(price), currency="SEK")
        assert Decimal(shown["unitAmount"]) == Decimal(draft["subtotal"])

    @pytest.mark.parametrize(
        ("currency", "code"),
        [("KWD", "EXCHANGE_RATE_MISSING"), ("ZZZ", "SHARED_VALIDATION_FAILED"), ("", "SHARED_VALIDATION_FAILED")],
    )
    async def test_refused(self, api: Api, currency: str, code: str) -> None:
        product = await new_product(api)
        price = await new_price(api, product["id"])
        for path in (f"/v1/product-prices/{price['id']}", f"/v1/products/{product['id']}"):
            answer = await api.get(path, params={"currency": currency})
            assert (answer.status_code, answer.json()["code"]) == (400, code)
            if code == "EXCHANGE_RATE_MISSING":
                assert answer.json()["details"] == {"currency": "DKK", "toCurrency": "KWD", "date": "2026-03-16"}


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
