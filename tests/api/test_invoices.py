"""Draft invoices over HTTP: what goes in, what is computed, what is refused."""

from decimal import Decimal
from typing import Any

import pytest
from tests.conftest import Api
from tests.selling import Shop, as_told, line

NOBODY = "01a205bb-0000-7000-8000-000000000000"


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def test_a_draft_has_amounts_and_no_number(shop: Shop) -> None:
    customer, price = await shop.customer(), await shop.price("100")
    draft = await shop.draft(
        customer,
        line(price, "2.5", description="Work in May"),
        {"lineType": "separator"},
        {"lineType": "text", "description": "Thank you"},
        reference="PO-7",
        ourReference="Anna",
        notes="Two\nlines",
    )
    product, separator, text = draft.pop("lines")
    assert draft.pop("id")
    assert draft == {
        "number": None,
        "status": "draft",
        "customerId": customer,
        "customerDepartmentId": None,
        "customerContactId": None,
        "date": "2026-03-16",
        "deliveryDate": None,
        "dueDate": "2026-03-30",
        "paymentTerms": 14,
        "currency": "DKK",
        "subtotal": "250.00",
        "vat": "62.50",
        "amount": "312.50",
        "amountPaid": "0.00",
        "creditedAmount": "0.00",
        "appliedCredit": "0.00",
        "writtenOffAmount": "0.00",
        "amountDue": "312.50",
        "reference": "PO-7",
        "ourReference": "Anna",
        "description": None,
        "notes": "Two\nlines",
        "documentTemplateId": None,
        "journalEntryId": None,
        "isPrepayment": False,
        "deductedByInvoiceId": None,
        "convertedFrom": None,
        "sentAt": None,
        "deliveryStatus": None,
        "createdAt": "2026-03-16T12:00:00.000Z",
        "updatedAt": "2026-03-16T12:00:00.000Z",
    }
    assert product.pop("id")
    assert product.pop("productId")
    assert product == {
        "lineType": "product",
        "priceId": price,
        "description": "Work in May",
        "quantity": 2.5,
        "unit": "hours",
        "unitPrice": "100",
        "discountPercent": 0,
        "prepaymentInvoiceId": None,
        "subscriptionId": None,
        "childCustomerId": None,
        "servicePeriodStart": None,
        "servicePeriodEnd": None,
        "totalPrice": "250.00",
        "vatRate": 25,
        "vatAmount": "62.50",
    }
    for empty in (separator, text):
        assert {empty[name] for name in product if name not in {"lineType", "description"}} == {None}
    assert text["description"] == "Thank you"


async def test_a_read_is_what_create_answered(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price("0.123456789012"), 1000))
    assert draft["lines"][0]["unitPrice"] == "0.123456789012"
    assert draft["lines"][0]["totalPrice"] == "123.46"
    assert await shop.invoice(draft["id"]) == draft
    assert await shop.events("invoice.created") == [as_told(draft)]


async def test_numbers_in_requests_are_exact(shop: Shop) -> None:
    draft = await shop.draft(
        await shop.customer(), line(await shop.price(), "3", unitPrice=0.1, discountPercent=33.3333)
    )
    assert (draft["lines"][0]["unitPrice"], draft["lines"][0]["totalPrice"]) == ("0.1", "0.20")


async def test_the_price_lends_name_unit_and_tiers(shop: Shop) -> None:
    tiers = [{"upTo": 10, "unitAmount": "5", "flatAmount": "0"}, {"upTo": None, "unitAmount": "3", "flatAmount": "1"}]
    price = await shop.price(pricingModel="GRADUATED", tiers=tiers)
    customer = await shop.customer()
    computed = (await shop.draft(customer, line(price, 12)))["lines"][0]
    assert (computed["description"], computed["unit"]) == ("Consulting", "hours")
    assert (computed["unitPrice"], computed["totalPrice"]) == ("4.75", "57.00")
    flat = (await shop.draft(customer, line(price, 12, unitPrice="2")))["lines"][0]
    assert (flat["unitPrice"], flat["totalPrice"]) == ("2", "24.00")
    returned = {"customerId": customer, "date": "2026-03-16", "lines": [line(price, 1), line(price, -1)]}
    details = await shop.refused("POST", "/v1/invoices", returned, 400, "PRODUCT_PRICE_QUANTITY_INVALID")
    assert details == {"property": "lines.1.quantity", "priceId": price, "quantity": "-1"}
    returned["lines"] = [line(price, -2), line(price, 1), line(price, -1)]
    details = await shop.refused("POST", "/v1/invoices", returned, 400, "PRODUCT_PRICE_QUANTITY_INVALID")
    assert (details["property"], details["properties"]) == (
        "lines.0.quantity",
        ["lines.0.quantity", "lines.2.quantity"],
    )


async def test_terms_come_from_invoice_customer_company(shop: Shop) -> None:
    price = await shop.price()
    prompt = await shop.customer(paymentTerms=8)
    assert (await shop.draft(prompt, line(price)))["dueDate"] == "2026-03-24"
    assert (await shop.draft(prompt, line(price), paymentTerms=0))["dueDate"] == "2026-03-16"
    fixed = await shop.draft(prompt, line(price), dueDate="2026-04-01")
    assert (fixed["dueDate"], fixed["paymentTerms"]) == ("2026-04-01", 8)


async def test_the_groups_discount_applies_where_a_line_has_none(shop: Shop) -> None:
    accounts = await shop.ok("GET", "/v1/accounts")
    receivable = next(a["id"] for a in accounts if a["controlAccountType"] == "ACCOUNTS_RECEIVABLE")
    group = await shop.ok(
        "POST", "/v1/customer-groups", {"number": "9", "name": "Friends", "discount": 20, "accountId": receivable}
    )
    customer, price = await shop.customer(customerGroupId=group["id"]), await shop.price("100")
    draft = await shop.draft(customer, line(price), line(price, discountPercent=0), line(price, unitPrice=50))
    assert [found["totalPrice"] for found in draft["lines"]] == ["80.00", "100.00", "40.00"]
    assert [found["discountPercent"] for found in draft["lines"]] == [20, 0, 20]


@pytest.mark.parametrize(
    ("zone", "country", "group", "rate"),
    [
        ("domestic", "DK", "1", 25),
        ("eu", "SE", "1", 0),
        ("eu", "SE", "2", 0),
        ("abroad", "NO", "1", 0),
        ("domestic_without_vat", "DK", "1", 0),
    ],
)
async def test_vat_follows_the_zone(shop: Shop, zone: str, country: str, group: str, rate: int) -> None:
    customer = await shop.customer(vatZone=zone, countryCode=country, vatNumber=None)
    draft = await shop.draft(customer, line(await shop.price("80", group)))
    assert draft["lines"][0]["vatRate"] == rate
    assert draft["vat"] == f"{80 * rate // 100}.00"


async def test_another_currency_converts_or_takes_the_prices_own_amount(shop: Shop) -> None:
    customer = await shop.customer(currency="EUR")
    converted = await shop.draft(customer, line(await shop.price("100")), currency="EUR")
    rate = await shop.value("SELECT rate_per_eur FROM exchange_rates WHERE currency = 'DKK' AND day = '2026-03-16'")
    assert converted["currency"] == "EUR"
    assert Decimal(converted["subtotal"]) == (Decimal(100) / rate).quantize(Decimal("0.01"))
    yen = await shop.draft(customer, line(await shop.price("1000", currency="JPY"), "1.5"), currency="JPY")
    assert (yen["subtotal"], yen["vat"], yen["amount"], yen["amountDue"]) == ("1500", "375", "1875", "1875")


async def test_without_any_rate_the_price_must_be_given(shop: Shop) -> None:
    customer, price = await shop.customer(), await shop.price("100")
    body = {"customerId": customer, "date": "2026-03-16", "currency": "UYU", "lines": [line(price)]}
    details = await shop.refused("POST", "/v1/invoices", body, 400, "SALES_DOCUMENT_PRICE_CURRENCY_MISSING")
    assert details["property"] == "lines.0.priceId"
    draft = await shop.draft(customer, line(price, unitPrice="9.99"), currency="UYU")
    assert draft["subtotal"] == "9.99"


def constraints(details: dict[str, Any]) -> dict[str, list[str]]:
    return {error["property"]: sorted(error["constraints"]) for error in details["validationErrors"]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"customerId": None}, {"customerId": ["isDefined", "isUuid"]}),
        ({"date": "2026-02-30"}, {"date": ["isDateString"]}),
        ({"date": "2026-03-16T10:00:00Z"}, {"date": ["isDateString"]}),
        ({"lines": []}, {"lines": ["arrayMinSize"]}),
        ({"lines": [{"lineType": "text", "description": "Hi"}]}, {"lines": ["arrayMinSize"]}),
        ({"lines": [{}]}, {"lines.0.priceId": ["isDefined"]}),
        ({"lines": [{"lineType": "gift"}]}, {"lines.0.lineType": ["isEnum"]}),
        ({"lines": [{"priceId": "x"}]}, {"lines.0.priceId": ["isUuid"]}),
        ({"lines": [{"priceId": NOBODY, "quantity": "9999999999"}]}, {"lines.0.quantity": ["max"]}),
        ({"lines": [{"priceId": NOBODY, "quantity": "NaN"}]}, {"lines.0.quantity": ["isNumber"]}),
        ({"lines": [{"priceId": NOBODY, "quantity": "0.0000001"}]}, {"lines.0.quantity": ["maxDecimalPlaces"]}),
        ({"lines": [{"priceId": NOBODY, "quantity": True}]}, {"lines.0.quantity": ["isNumber"]}),
        ({"lines": [{"priceId": NOBODY, "discountPercent": 101}]}, {"lines.0.discountPercent": ["max"]}),
        ({"lines": [{"priceId": NOBODY, "discountPercent": -1}]}, {"lines.0.discountPercent": ["min"]}),
        ({"lines": [{"priceId": NOBODY, "totalPrice": 1}]}, {"lines.0.totalPrice": ["whitelistValidation"]}),
        ({"lines": [{"priceId": NOBODY, "vatRate": 25}]}, {"lines.0.vatRate": ["whitelistValidation"]}),
        ({"lines": [{"priceId": NOBODY, "vatAmount": 1}]}, {"lines.0.vatAmount": ["whitelistValidation"]}),
        (
            {"lines": [{"priceId": NOBODY}, {"lineType": "separator", "priceId": NOBODY, "quantity": 1}]},
            {"lines.1.priceId": ["whitelistValidation"], "lines.1.quantity": ["whitelistValidation"]},
        ),
        ({"lines": [{"priceId": NOBODY}, {"lineType": "text"}]}, {"lines.1.description": ["isDefined"]}),
        ({"currency": "DKR"}, {"currency": ["isISO4217CurrencyCode"]}),
        ({"paymentTerms": -1}, {"paymentTerms": ["min"]}),
        ({"paymentTerms": 4000}, {"paymentTerms": ["max"]}),
        ({"number": "17"}, {"number": ["whitelistValidation"]}),
        ({"reference": "x" * 1001}, {"reference": ["maxLength"]}),
        ({"notes": "x" * 10001}, {"notes": ["maxLength"]}),
    ],
)
async def test_bad_input_is_named(shop: Shop, change: dict[str, Any], expected: dict[str, list[str]]) -> None:
    body = {"customerId": NOBODY, "date": "2026-03-16", "lines": [{"priceId": NOBODY}]} | change
    details = await shop.refused("POST", "/v1/invoices", body, 400, "SHARED_VALIDATION_FAILED")
    assert constraints(details) == expected
    assert await shop.value("SELECT count(*) FROM invoices") == 0


async def test_the_due_date_is_not_before_the_date(shop: Shop) -> None:
    lines = [line(await shop.price())]
    body = {"customerId": await shop.customer(), "date": "2026-03-16", "dueDate": "2026-03-15", "lines": lines}
    details = await shop.refused("POST", "/v1/invoices", body, 400, "SHARED_VALIDATION_FAILED")
    assert constraints(details) == {"dueDate": ["minDate"]}


async def test_nul_and_lone_surrogates_are_refused(shop: Shop) -> None:
    for text in ("\\u0000", "\\ud800"):
        raw = f'{{"customerId":"{NOBODY}","date":"2026-03-16","notes":"a{text}","lines":[{{"priceId":"{NOBODY}"}}]}}'
        response = await shop.api.request(
            "POST", "/v1/invoices", content=raw, headers={"content-type": "application/json"}
        )
        assert (response.status_code, response.json()["code"]) == (400, "SHARED_VALIDATION_FAILED")


async def test_amounts_beyond_the_books_are_refused(shop: Shop) -> None:
    lines = [line(await shop.price(), 1_000_000_000, unitPrice="9999999999999")]
    body = {"customerId": await shop.customer(), "date": "2026-03-16", "lines": lines}
    await shop.refused("POST", "/v1/invoices", body, 400, "SALES_DOCUMENT_AMOUNT_TOO_LARGE")


async def test_what_is_not_the_companys_does_not_exist(shop: Shop, other_api: Api) -> None:
    other = Shop(other_api)
    customer, price = await shop.customer(), await shop.price()
    strangers = {
        "customerId": (await other.customer(), "CUSTOMER_NOT_FOUND"),
        "documentTemplateId": (await template(other, "invoice-template"), "DOCUMENT_TEMPLATE_NOT_FOUND"),
        "customerContactId": (await contact(other, await other.customer()), "CONTACT_NOT_FOUND"),
        "customerDepartmentId": (await department(other, await other.customer()), "DEPARTMENT_NOT_FOUND"),
    }
    body = {"customerId": customer, "date": "2026-03-16", "lines": [line(price)]}
    for name, (stranger, code) in strangers.items():
        for unknown in (stranger, NOBODY):
            await shop.refused("POST", "/v1/invoices", body | {name: unknown}, 404, code)
    for unknown in (await other.price(), NOBODY):
        lines = [line(price), line(unknown)]
        details = await shop.refused("POST", "/v1/invoices", body | {"lines": lines}, 404, "PRODUCT_PRICE_NOT_FOUND")
        assert details == {"property": "lines.1.priceId", "priceId": unknown}
    draft = await other.draft(await other.customer(), line(await other.price()))
    for method, path in (
        ("GET", ""),
        ("GET", "/delivery-status"),
        ("GET", "/pdf"),
        ("DELETE", ""),
        ("GET", "/payments"),
    ):
        response = await shop.api.request(method, f"/v1/invoices/{draft['id']}{path}")
        assert (response.status_code, response.json()["code"]) == (404, "INVOICE_NOT_FOUND"), path
    await shop.refused("PATCH", f"/v1/invoices/{draft['id']}", {"notes": "mine"}, 404, "INVOICE_NOT_FOUND")
    await shop.refused("DELETE", f"/v1/invoices/{draft['id']}", None, 404, "INVOICE_NOT_FOUND")
    await shop.refused("POST", f"/v1/invoices/{draft['id']}/send", {}, 404, "INVOICE_NOT_FOUND")


async def template(shop: Shop, document_type: str, name: str | None = None) -> str:
    found = await shop.ok("GET", f"/v1/document-templates?documentType={document_type}")
    return next(str(item["id"]) for item in found["data"] if name in {None, item["name"]})


async def contact(shop: Shop, customer: str, **fields: Any) -> str:
    body = {"name": "Ida Lund", **fields}
    created: str = (await shop.ok("POST", f"/v1/customers/{customer}/contacts", body))["id"]
    return created


async def department(shop: Shop, customer: str, **fields: Any) -> str:
    body = {"name": "Indkøb", **fields}
    created: str = (await shop.ok("POST", f"/v1/customers/{customer}/departments", body))["id"]
    return created


async def test_people_belong_to_the_customer(shop: Shop) -> None:
    customer, another, price = await shop.customer(), await shop.customer(), await shop.price()
    ida, buying = await contact(shop, customer), await department(shop, customer)
    draft = await shop.draft(customer, line(price), customerContactId=ida, customerDepartmentId=buying)
    assert (draft["customerContactId"], draft["customerDepartmentId"]) == (ida, buying)
    body = {"customerId": another, "date": "2026-03-16", "lines": [line(price)]}
    await shop.refused("POST", "/v1/invoices", body | {"customerContactId": ida}, 404, "CONTACT_NOT_FOUND")
    await shop.refused("POST", "/v1/invoices", body | {"customerDepartmentId": buying}, 404, "DEPARTMENT_NOT_FOUND")


async def test_a_closed_department_is_not_named(shop: Shop) -> None:
    customer = await shop.customer()
    await department(shop, customer)
    closed = await department(shop, customer, name="Lager")
    await shop.ok("PATCH", f"/v1/customers/{customer}/departments/{closed}", {"isActive": False})
    body = {"customerId": customer, "date": "2026-03-16", "lines": [line(await shop.price())]}
    await shop.refused(
        "POST", "/v1/invoices", body | {"customerDepartmentId": closed}, 400, "SALES_DOCUMENT_DEPARTMENT_INACTIVE"
    )


async def test_a_template_is_for_its_kind(shop: Shop) -> None:
    quote = await template(shop, "quote-template")
    body = {"customerId": await shop.customer(), "date": "2026-03-16", "lines": [line(await shop.price())]}
    await shop.refused(
        "POST", "/v1/invoices", body | {"documentTemplateId": quote}, 400, "SALES_DOCUMENT_TEMPLATE_MISMATCH"
    )


async def test_an_inactive_customer_buys_nothing(shop: Shop) -> None:
    customer = await shop.customer(isActive=False)
    body = {"customerId": customer, "date": "2026-03-16", "lines": [line(await shop.price())]}
    await shop.refused("POST", "/v1/invoices", body, 400, "SALES_DOCUMENT_CUSTOMER_INACTIVE")


@pytest.mark.parametrize("action", ["archive", "disable"])
async def test_a_price_out_of_use_is_not_sold(shop: Shop, action: str) -> None:
    product = await shop.product()
    await shop.price(product=product)
    price = await shop.price(product=product)
    await shop.ok("POST", f"/v1/product-prices/{price}/{action}", {}, status=200)
    body = {"customerId": await shop.customer(), "date": "2026-03-16", "lines": [line(price)]}
    details = await shop.refused("POST", "/v1/invoices", body, 400, "SALES_DOCUMENT_PRICE_NOT_USABLE")
    assert details["property"] == "lines.0.priceId"
    assert details["productStatus"] == "ACTIVE"


async def test_a_product_out_of_use_is_not_sold(shop: Shop) -> None:
    product = await shop.product()
    price = await shop.price(product=product)
    await shop.ok("PATCH", f"/v1/products/{product}", {"status": "ARCHIVED"})
    body = {"customerId": await shop.customer(), "date": "2026-03-16", "lines": [line(price)]}
    details = await shop.refused("POST", "/v1/invoices", body, 400, "SALES_DOCUMENT_PRICE_NOT_USABLE")
    assert details["productStatus"] == "ARCHIVED"


async def test_a_price_on_a_draft_stays(shop: Shop) -> None:
    price = await shop.price()
    draft = await shop.draft(await shop.customer(), line(price))
    await shop.refused("DELETE", f"/v1/product-prices/{price}", {}, 409, "PRODUCT_PRICE_IN_USE")
    await shop.ok_empty("DELETE", f"/v1/invoices/{draft['id']}")
    await shop.ok_empty("DELETE", f"/v1/product-prices/{price}")


async def test_markup_is_text(shop: Shop) -> None:
    hostile = '\'; DROP TABLE invoices; -- #import "x" <script>${7*7}</script>'
    draft = await shop.draft(
        await shop.customer(), line(await shop.price(), description=hostile), notes=hostile, description=hostile
    )
    found = await shop.invoice(draft["id"])
    assert (found["notes"], found["description"], found["lines"][0]["description"]) == (hostile,) * 3


class TestUpdate:
    """PATCH of a draft."""

    async def test_only_what_is_sent_changes(self, shop: Shop) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price("100")), reference="PO-1", notes="Hi")
        shop.api.clock.advance(hours=1)
        changed = await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"reference": None, "ourReference": "Bo"})
        later = {"reference": None, "ourReference": "Bo", "updatedAt": "2026-03-16T13:00:00.000Z"}
        assert changed == draft | later
        assert await shop.invoice(draft["id"]) == changed

    async def test_lines_are_replaced_as_a_whole(self, shop: Shop) -> None:
        price = await shop.price("100")
        draft = await shop.draft(await shop.customer(), line(price), line(price, 2))
        changed = await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"lines": [line(price, 5)]})
        assert (changed["subtotal"], len(changed["lines"])) == ("500.00", 1)

    async def test_prices_stand_until_lines_are_sent(self, shop: Shop) -> None:
        """A price that is in use can still get an amount in a further currency."""
        price = await shop.price("100")
        draft = await shop.draft(await shop.customer(), line(price), currency="EUR")
        more = {"currencyAmounts": [{"currency": "EUR", "unitAmount": "150"}]}
        await shop.ok("PATCH", f"/v1/product-prices/{price}", more)
        path = f"/v1/invoices/{draft['id']}"
        assert (await shop.ok("PATCH", path, {"notes": "x"}))["lines"] == draft["lines"]
        assert draft["subtotal"] != "150.00"
        assert (await shop.ok("PATCH", path, {"lines": [line(price)]}))["subtotal"] == "150.00"

    async def test_a_new_currency_prices_anew_but_keeps_what_was_given(self, shop: Shop) -> None:
        price = await shop.price("100")
        draft = await shop.draft(await shop.customer(), line(price, 2, unitPrice="7.5"), line(price))
        changed = await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"currency": "EUR"})
        assert changed["lines"][0]["unitPrice"] == "7.5"
        assert Decimal(changed["lines"][1]["unitPrice"]) < 20

    async def test_a_new_customer_brings_zone_terms_and_nobody_else(self, shop: Shop) -> None:
        customer = await shop.customer()
        draft = await shop.draft(
            customer, line(await shop.price("100")), customerContactId=await contact(shop, customer)
        )
        abroad = await shop.customer(vatZone="abroad", countryCode="NO", paymentTerms=30)
        changed = await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"customerId": abroad})
        assert (changed["vat"], changed["customerContactId"], changed["dueDate"]) == ("0.00", None, "2026-04-15")

    async def test_the_due_date_follows_unless_it_was_given(self, shop: Shop) -> None:
        customer, price = await shop.customer(), await shop.price()
        derived = await shop.draft(customer, line(price))
        fixed = await shop.draft(customer, line(price), dueDate="2026-05-01")
        for draft, due in ((derived, "2026-04-01"), (fixed, "2026-05-01")):
            path = f"/v1/invoices/{draft['id']}"
            assert (await shop.ok("PATCH", path, {"date": "2026-03-18"}))["dueDate"] == due
            assert (await shop.ok("PATCH", path, {"paymentTerms": 1}))["dueDate"] == "2026-03-19"

    async def test_null_takes_back_what_was_given(self, shop: Shop) -> None:
        draft = await shop.draft(
            await shop.customer(paymentTerms=8), line(await shop.price()), paymentTerms=3, dueDate="2026-05-01"
        )
        changed = await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"paymentTerms": None, "dueDate": None})
        assert (changed["paymentTerms"], changed["dueDate"]) == (8, "2026-03-24")

    @pytest.mark.parametrize("change", [{"date": None}, {"customerId": None}, {"lines": None}, {"status": "sent"}])
    async def test_what_every_invoice_has_can_not_be_taken_away(self, shop: Shop, change: dict[str, Any]) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price()))
        await shop.refused("PATCH", f"/v1/invoices/{draft['id']}", change, 400, "SHARED_VALIDATION_FAILED")
        assert await shop.invoice(draft["id"]) == draft

    async def test_booked_is_booked(self, shop: Shop) -> None:
        sent = await shop.sold(line(await shop.price()))
        path = f"/v1/invoices/{sent['id']}"
        details = await shop.refused("PATCH", path, {"notes": "x"}, 409, "INVOICE_INVALID_STATE")
        assert details == {"status": "sent"}
        await shop.refused("DELETE", path, {}, 409, "INVOICE_INVALID_STATE")
        assert await shop.invoice(sent["id"]) == sent


async def test_a_deleted_draft_is_gone(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price()))
    await shop.ok_empty("DELETE", f"/v1/invoices/{draft['id']}")
    await shop.refused("DELETE", f"/v1/invoices/{draft['id']}", {}, 404, "INVOICE_NOT_FOUND")
    assert await shop.value("SELECT count(*) FROM invoice_lines") == 0


class TestList:
    """GET of the list."""

    @pytest.fixture
    async def shop(self, api: Api) -> Shop:
        shop = Shop(api)
        self.customer, self.price = await shop.customer(), await shop.price("100")
        return shop

    async def drafted(self, shop: Shop, quantity: int, **fields: Any) -> dict[str, Any]:
        shop.api.clock.advance(minutes=1)
        return await shop.draft(self.customer, line(self.price, quantity), **fields)

    async def listed(self, shop: Shop, query: str = "") -> list[str]:
        return [found["id"] for found in (await shop.ok("GET", f"/v1/invoices{query}"))["data"]]

    async def test_newest_first_without_lines(self, shop: Shop) -> None:
        first, second = await self.drafted(shop, 1), await self.drafted(shop, 2)
        page = await shop.ok("GET", "/v1/invoices")
        for draft in (first, second):
            del draft["lines"]
        assert page == {"data": [second, first], "total": 2, "page": 1, "limit": 25, "totalPages": 1}

    async def test_pages_sort_and_filter(self, shop: Shop) -> None:
        one = await self.drafted(shop, 3, date="2026-03-10", description="Spring clean")
        two = await self.drafted(shop, 1, date="2026-03-12", description="100% wool")
        three = await self.drafted(shop, 2, date="2026-03-11")
        for draft in (three, one):
            await shop.send(draft)
        ids = {one["id"]: "1", two["id"]: "2", three["id"]: "3"}
        other = await shop.customer()

        async def order(query: str) -> str:
            return "".join(ids[found] for found in await self.listed(shop, query))

        assert await order("") == "321"
        assert await order("?sortOrder=ASC") == "123"
        assert await order("?sortBy=date") == "231"
        assert await order("?sortBy=amount&sortOrder=ASC") == "231"
        assert await order("?sortBy=number&sortOrder=ASC") == "312"
        assert await order("?limit=2&page=2") == "1"
        assert await order("?page=9") == ""
        assert await order("?status=draft") == "2"
        assert await order("?status=sent") == "31"
        assert await order(f"?customerId={self.customer}") == "321"
        assert await order(f"?customerId={other}") == ""
        assert await order("?search=spring") == "1"
        assert await order("?search=100%25") == "2"
        assert await order("?search=%25") == ""
        assert await order("?search=2") == "1"

    @pytest.mark.parametrize(
        "query",
        ["page=0", "limit=0", "limit=101", "page=x", "sortBy=vat", "sortOrder=up", "status=new", "customerId=7"],
    )
    async def test_absurd_queries_are_refused(self, shop: Shop, query: str) -> None:
        await shop.refused("GET", f"/v1/invoices?{query}", None, 400, "SHARED_VALIDATION_FAILED")
