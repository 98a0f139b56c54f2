"""An invoice states who sells (or is refused) and who buys (or warns): momsbekendtgørelsen § 58."""

from typing import Any

import pytest
from tests.conftest import Api, new_company
from tests.selling import Shop, line
from tests.table_rows import rows_of

SELLER = {"address": "Havnegade 1", "postalCode": "1058", "city": "København K", "vatNumber": "13585628"}
NOTHING = {"address": None, "postal_code": None, "city": None, "vat_number": None}
SWEDE = {"vatZone": "eu", "countryCode": "SE", "vatNumber": "SE556677889901"}
NORWEGIAN = {"vatZone": "abroad", "countryCode": "NO"}
WITHOUT_VAT = {"vatZone": "domestic_without_vat", "vatNumber": "13585628"}


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def company(api: Api, country: str = "DK", **options: Any) -> Shop:
    return Shop(await new_company(api.http, api.database, api.clock, country=country, **{**NOTHING, **options}))


class TestSeller:
    async def refused(self, shop: Shop, draft: dict[str, Any], **options: Any) -> list[str]:
        """What is missing; a refusal changes nothing and uses up no number."""
        before = await rows_of(shop.api)
        path = f"/v1/invoices/{draft['id']}/send"
        details = await shop.refused("POST", path, options, 400, "INVOICE_SELLER_INCOMPLETE")
        assert await rows_of(shop.api) == before
        assert not before.keys() & {"journal_entries", "document_snapshots", "deliveries", "number_series"}
        assert await shop.events("invoice.sent") == []
        assert details.keys() == {"missing"}
        missing: list[str] = details["missing"]
        return missing

    async def test_what_is_missing_is_named_as_the_company_has_it(self, api: Api) -> None:
        shop = await company(api)
        price = await shop.price()
        draft = await shop.draft(await shop.customer(email="post@example.com"), line(price))
        preview = await shop.api.get(f"/v1/invoices/{draft['id']}/pdf")
        assert (preview.status_code, preview.content[:5]) == (200, b"%PDF-")
        await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"notes": "Tak"})
        missing = ["address", "postalCode", "city", "vatNumber"]
        for field in list(missing):
            for options in ({"deliveryType": "Email"}, {}):
                assert await self.refused(shop, draft, **options) == missing
            await shop.ok("PATCH", "/v1/company", {field: SELLER[field]})
            missing.remove(field)
        sent = await shop.send(draft)
        assert (sent["status"], sent["number"]) == ("sent", "1")

    @pytest.mark.parametrize("field", SELLER)
    async def test_blank_is_missing(self, shop: Shop, field: str) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price()))
        await shop.ok("PATCH", "/v1/company", {field: "  "})
        assert await self.refused(shop, draft) == [field]

    async def test_also_for_nothing(self, api: Api) -> None:
        shop = await company(api)
        draft = await shop.draft(await shop.customer(), line(await shop.price(), 0))
        assert await self.refused(shop, draft) == ["address", "postalCode", "city", "vatNumber"]

    @pytest.mark.parametrize(
        ("customer", "group", "is_needed"),
        [
            ({}, "1", True),
            ({}, "2", True),
            (SWEDE, "1", True),
            (SWEDE, "2", True),
            (NORWEGIAN, "1", True),
            (NORWEGIAN, "2", True),
            (WITHOUT_VAT, "1", True),
            (WITHOUT_VAT, "2", False),
        ],
        ids=["goods", "services", "EU goods", "EU services", "export", "services abroad", "domestic reverse", "exempt"],
    )
    async def test_who_sells_nothing_but_the_exempt_needs_no_vat_number(
        self, shop: Shop, customer: dict[str, str], group: str, is_needed: bool
    ) -> None:
        draft = await shop.draft(await shop.customer(**customer), line(await shop.price(group=group)))
        await shop.ok("PATCH", "/v1/company", {"vatNumber": None})
        if is_needed:
            assert await self.refused(shop, draft) == ["vatNumber"]
        else:
            assert (await shop.send(draft))["status"] == "sent"

    async def test_one_taxed_line_is_enough_to_need_it(self, shop: Shop) -> None:
        exempt = await shop.customer(vatZone="domestic_without_vat", vatNumber="13585628")
        draft = await shop.draft(exempt, line(await shop.price(group="2")), line(await shop.price(group="1")))
        await shop.ok("PATCH", "/v1/company", {"vatNumber": None})
        assert await self.refused(shop, draft) == ["vatNumber"]

    async def test_without_a_vat_code_nothing_is_stated(self, shop: Shop) -> None:
        accounts = {account["accountNumber"]: account for account in await shop.ok("GET", "/v1/accounts")}
        without = next(
            account["id"] for account in accounts.values()
            if account["accountClassification"] == "REVENUE" and account["vatCodeId"] is None
            and account["ledgerType"] == "PROFIT_AND_LOSS"
        )  # fmt: skip
        group = (await shop.groups())["2"]
        await shop.ok("PATCH", f"/v1/product-groups/{group}", {"domesticWithoutVatAccountId": without})
        draft = await shop.draft(await shop.customer(vatZone="domestic_without_vat"), line(await shop.price()))
        await shop.ok("PATCH", "/v1/company", {"vatNumber": None})
        assert (await shop.send(draft))["status"] == "sent"

    @pytest.mark.parametrize(
        ("country", "missing"), [("SE", ["address", "postalCode", "city"]), ("HK", ["address", "city"])]
    )
    async def test_outside_the_eu_not_every_country_has_postal_codes(
        self, api: Api, country: str, missing: list[str]
    ) -> None:
        shop = await company(api, country, vat_number="556677889901")
        draft = await shop.draft(await shop.customer(), line(await shop.price()))
        assert await self.refused(shop, draft) == missing

    async def test_what_is_booked_can_be_handed_over_again(self, shop: Shop) -> None:
        """Its document says what it said; the company's present settings are nothing to it."""
        draft = await shop.draft(await shop.customer(email="post@example.com"), line(await shop.price()))
        sent = await shop.send(draft, deliveryType="Email")
        await shop.value(
            "UPDATE deliveries SET status = 'failed' WHERE company_id = $1 RETURNING 1", shop.api.company_id
        )
        await shop.ok("PATCH", "/v1/company", dict.fromkeys(SELLER))
        assert (await shop.send(sent))["status"] == "sent"


class TestBuyer:
    """A buyer without an address is told of, not refused."""

    async def warnings(self, shop: Shop, customer: dict[str, Any], amount: str, **fields: Any) -> Any:
        buyer = await shop.customer(**{"address": None, "postalCode": None, "city": None, **customer})
        draft = await shop.draft(buyer, line(await shop.price(), unitPrice=amount), **fields)
        answer = await shop.ok("POST", f"/v1/invoices/{draft['id']}/send", {}, status=200)
        assert (answer["success"], (await shop.invoice(draft["id"]))["status"]) == (True, "sent")
        return answer.get("warnings")

    @pytest.mark.parametrize(
        ("customer", "amount", "missing"),
        [
            ({}, "2400", None),
            ({}, "2400.01", ["address", "postalCode", "city"]),
            ({"customerType": "public"}, "5000", ["address", "postalCode", "city"]),
            ({"customerType": "private"}, "5000", None),
            ({"address": "Vej 1"}, "5000", ["postalCode", "city"]),
            ({"address": "Vej 1", "postalCode": "8000", "city": "Aarhus"}, "5000", None),
            (NORWEGIAN, "3000", None),
            (NORWEGIAN, "3000.01", ["address", "city"]),
            (SWEDE, "1", ["address", "postalCode", "city"]),
        ],
    )
    async def test_of_a_danish_seller(
        self, shop: Shop, customer: dict[str, Any], amount: str, missing: list[str] | None
    ) -> None:
        found = await self.warnings(shop, customer, amount)
        if missing is None:
            assert found is None
        else:
            (warning,) = found
            assert warning.keys() == {"code", "message", "details"}
            assert (warning["code"], warning["details"]) == ("INVOICE_BUYER_INCOMPLETE", {"missing": missing})

    async def test_an_export_within_the_eu_is_told(self, shop: Shop) -> None:
        swede = {**SWEDE, "vatZone": "abroad"}
        (warning,) = await self.warnings(shop, swede, "100")
        assert (warning["code"], warning["details"]) == ("INVOICE_VAT_ZONE_DOUBTFUL", {"countryCode": "SE"})

    async def test_kroner_are_counted_whatever_the_currency(self, shop: Shop) -> None:
        assert await self.warnings(shop, {}, "300", currency="EUR") is None
        assert await self.warnings(shop, {}, "330", currency="EUR")

    async def test_elsewhere_every_invoice_names_its_buyer(self, api: Api) -> None:
        complete = dict.fromkeys(NOTHING, "13585628")
        for country, currency in (("SE", "SEK"), ("DK", "EUR")):
            assert await self.warnings(await company(api, country, base_currency=currency, **complete), {}, "1")

    async def test_the_departments_address_counts(self, shop: Shop) -> None:
        buyer = await shop.customer(address=None, postalCode=None, city=None)
        place = {"name": "Lager", "address": "Kajen 2", "postalCode": "5000", "city": "Odense"}
        department = (await shop.ok("POST", f"/v1/customers/{buyer}/departments", place))["id"]
        draft = await shop.draft(buyer, line(await shop.price("5000")), customerDepartmentId=department)
        answer = await shop.ok("POST", f"/v1/invoices/{draft['id']}/send", {}, status=200)
        assert answer == {"success": True, "deliveryType": "Manual", "sproomDocumentId": None}
