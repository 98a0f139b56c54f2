"""Dated VAT rates and the VAT of vouchers, over HTTP: entries, drafts, imports, invoices."""

import json
from decimal import Decimal
from typing import Any

import pytest
from tests.api.test_imports import errors_of, imported
from tests.conftest import Api
from tests.ledger_books import as_owner, books_of
from tests.selling import Shop, line

from ledgerbee.ledger.verify import verify

APRIL = "2026-04-01"


async def vat_code(api: Api, code: str) -> dict[str, Any]:
    found: dict[str, Any] = next(row for row in (await api.get("/v1/vat-codes")).json() if row["vatCode"] == code)
    return found


async def set_rates(api: Api, code: str, *rates: dict[str, Any]) -> dict[str, Any]:
    answer = await api.put(f"/v1/vat-codes/{(await vat_code(api, code))['id']}/rates", {"rates": list(rates)})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def account(api: Api, number: int) -> str:
    return str(next(row["id"] for row in (await api.get("/v1/accounts")).json() if row["accountNumber"] == number))


async def vendor(api: Api) -> str:
    group = (await api.get("/v1/vendor-groups")).json()[0]["id"]
    body = {
        "vendorNumber": "V1", "name": "Papir", "vendorGroupId": group, "currency": "DKK", "countryCode": "DK",
        "contacts": [{"name": "Bo"}],
    }  # fmt: skip
    return str((await api.post("/v1/vendors", body)).json()["id"])


async def bill(api: Api, total: str, code: str, amount: str, **fields: Any) -> dict[str, Any]:
    """The body of a supplier's bill with one line on 2410."""
    of_line: dict[str, Any] = {name: fields.pop(name) for name in ("vatIncluded", "vatAmount") if name in fields}
    one = {"accountId": await account(api, 2410), "side": "DEBIT", "amount": amount, **of_line}
    return {
        "entryType": "SUPPLIER_INVOICE", "date": "2026-03-10", "originalAmount": total, "vendorId": await vendor(api),
        "lines": [one | {"vatCodeId": (await vat_code(api, code))["id"]}], **fields,
    }  # fmt: skip


def figures(entry: dict[str, Any], name: str = "amount") -> list[tuple[int, str]]:
    return [(one["accountNumber"], one[name] if one["side"] == "DEBIT" else f"-{one[name]}") for one in entry["lines"]]


class TestRates:
    async def test_rates_hold_from_their_days(self, api: Api) -> None:
        made = await set_rates(
            api, "K070", {"vatRate": 25, "deductibleShare": "1/4"},
            {"validFrom": APRIL, "vatRate": "20.5", "deductiblePercent": "33.3"},
        )  # fmt: skip
        assert made["rates"] == [
            {"validFrom": None, "vatRate": 25, "deductiblePercent": 25, "deductibleShare": "1/4"},
            {"validFrom": APRIL, "vatRate": 20.5, "deductiblePercent": 33.3, "deductibleShare": "333/1000"},
        ]
        assert (made["vatRate"], made["deductiblePercent"]) == (25, 25)  # as of today, 16 March
        assert await vat_code(api, "K070") == made
        api.clock.advance(days=16)
        assert (await vat_code(api, "K070"))["vatRate"] == 20.5
        assert (await set_rates(api, "K070", {"vatRate": 25}))["rates"] == [
            {"validFrom": None, "vatRate": 25, "deductiblePercent": 100, "deductibleShare": "1/1"}
        ]

    @pytest.mark.parametrize("share", ["2/3", "1/1", "0/1", "333/1000", "1/7"])
    async def test_what_is_read_can_be_sent_back(self, api: Api, share: str) -> None:
        made = await set_rates(api, "K070", {"vatRate": 25, "deductibleShare": share})
        assert await set_rates(api, "K070", *made["rates"]) == made

    @pytest.mark.parametrize(
        ("code", "rates", "property_"),
        [
            ("K010", [], "rates"),
            ("K010", [{"validFrom": APRIL, "vatRate": 25}], "rates.0.validFrom"),
            ("K010", [{"vatRate": 25}, {"vatRate": 20}], "rates.1.validFrom"),
            ("K010", [{"vatRate": 25}, *2 * [{"validFrom": APRIL, "vatRate": 20}]], "rates.2.validFrom"),
            ("K010", [{"vatRate": 25}, *[{"validFrom": d, "vatRate": 1} for d in (APRIL, "2026-03-31")]],
             "rates.2.validFrom"),
            ("K010", [{"vatRate": 101}], "rates.0.vatRate"),
            ("K010", [{"vatRate": 25, "deductibleShare": "4/3"}], "rates.0.deductibleShare"),
            ("K010", [{"vatRate": 25, "deductibleShare": "1/0"}], "rates.0.deductibleShare"),
            ("K010", [{"vatRate": 25, "deductibleShare": "two thirds"}], "rates.0.deductibleShare"),
            ("K010", [{"vatRate": 25, "deductibleShare": "1/2", "deductiblePercent": 51}], "rates.0.deductibleShare"),
            ("K010", [{"vatRate": 25, "deductiblePercent": "33.33333"}], "rates.0.deductiblePercent"),
            ("S01", [{"vatRate": 25, "deductibleShare": "1/2"}], "deductiblePercent"),
            ("S01", [{"vatRate": 25}, {"validFrom": APRIL, "vatRate": 0}], "eInvoiceCategory"),
            ("K030", [{"vatRate": 25}], "accountToBookId"),
        ],
    )  # fmt: skip
    async def test_rates_that_no_code_can_have(
        self, api: Api, code: str, rates: list[dict[str, Any]], property_: str
    ) -> None:
        before = await vat_code(api, code)
        refused = await api.put(f"/v1/vat-codes/{before['id']}/rates", {"rates": rates})
        assert refused.status_code == 400, refused.text
        assert refused.json()["details"]["validationErrors"][0]["property"] == property_
        assert await vat_code(api, code) == before

    async def test_of_another_company(self, api: Api, other_api: Api) -> None:
        foreign = await vat_code(other_api, "K010")
        refused = await api.put(f"/v1/vat-codes/{foreign['id']}/rates", {"rates": [{"vatRate": 1}]})
        assert (refused.status_code, refused.json()["code"]) == (404, "VAT_CODE_NOT_FOUND")
        assert await vat_code(other_api, "K010") == foreign


class TestEntries:
    async def test_an_entry_takes_the_rate_of_its_date_whenever_it_is_entered(self, api: Api) -> None:
        await set_rates(api, "K010", {"vatRate": 25}, {"validFrom": APRIL, "vatRate": 20})
        body = await bill(api, "1200.00", "K010", "1200.00", date=APRIL)
        after = (await api.post("/v2/journal-entries", body)).json()
        assert figures(after) == [(2410, "1000.00"), (7740, "200.00"), (7440, "-1200.00")]
        assert [one["vatRate"] for one in after["lines"]] == [20, 20, None]
        before = (await api.post("/v2/journal-entries", {**body, "date": "2026-03-31"})).json()
        assert figures(before) == [(2410, "960.00"), (7740, "240.00"), (7440, "-1200.00")]
        assert [one["vatRate"] for one in before["lines"]] == [25, 25, None]
        # What is posted keeps its rate, and can be taken back by it.
        await set_rates(api, "K010", {"vatRate": 10})
        assert (await api.get(f"/v1/journal-entries/{after['id']}")).json() == after
        reversal = (await api.post(f"/v1/journal-entries/{after['id']}/reverse", {"date": APRIL})).json()
        assert figures(reversal) == [(2410, "-1000.00"), (7740, "-200.00"), (7440, "1200.00")]
        assert (await api.run(verify, one_snapshot=True)).passed

    async def test_a_day_of_delivery_goes_before_the_date(self, api: Api) -> None:
        """Billed in April for what was delivered in March, and the other way round; drafted, changed and reversed."""
        await set_rates(api, "K010", {"vatRate": 25}, {"validFrom": APRIL, "vatRate": 20})
        body = await bill(api, "1250.00", "K010", "1250.00", date=APRIL, deliveryDate="2026-03-31")
        draft = (await api.post("/v2/draft-journal-entries", body)).json()
        assert draft["deliveryDate"] == "2026-03-31"
        changed = await api.patch(f"/v2/draft-journal-entries/{draft['id']}", {"deliveryDate": None})
        assert changed.json()["deliveryDate"] is None
        await api.patch(f"/v2/draft-journal-entries/{draft['id']}", {"deliveryDate": "2026-03-31"})
        booked = (await api.post(f"/v2/draft-journal-entries/{draft['id']}/book")).json()
        for entry in (booked, (await api.post("/v2/journal-entries", body)).json()):
            assert (entry["date"], entry["deliveryDate"]) == (APRIL, "2026-03-31")
            assert figures(entry) == [(2410, "1000.00"), (7740, "250.00"), (7440, "-1250.00")]
            assert (await api.get(f"/v1/journal-entries/{entry['id']}")).json() == entry
        reversal = (await api.post(f"/v1/journal-entries/{booked['id']}/reverse", {"date": "2026-05-01"})).json()
        assert reversal["deliveryDate"] == "2026-03-31"
        early = (await api.post("/v2/journal-entries", {**body, "date": "2026-03-31", "deliveryDate": APRIL})).json()
        assert [one["vatRate"] for one in early["lines"]] == [20, 20, None]
        assert (await api.run(verify, one_snapshot=True)).passed

    async def test_a_draft_takes_the_rate_of_its_date_when_it_is_booked(self, api: Api) -> None:
        body = await bill(api, "1250.00", "K010", "1250.00", date="2026-03-31")
        draft = (await api.post("/v2/draft-journal-entries", body)).json()
        await set_rates(api, "K010", {"vatRate": 25}, {"validFrom": APRIL, "vatRate": 20})
        api.clock.advance(days=40)
        entry = (await api.post(f"/v2/draft-journal-entries/{draft['id']}/book")).json()
        assert figures(entry) == [(2410, "1000.00"), (7740, "250.00"), (7440, "-1250.00")]

    async def test_the_vat_of_the_voucher_is_booked_shown_and_kept(self, api: Api) -> None:
        body = await bill(api, "1249.99", "K010", "1000.00", vatIncluded=False, vatAmount="249.99")
        draft = (await api.post("/v2/draft-journal-entries", body)).json()
        assert (draft["lines"][0]["vatIncluded"], draft["lines"][0]["vatAmount"]) == (False, "249.99")
        booked = (await api.post(f"/v2/draft-journal-entries/{draft['id']}/book")).json()
        posted = (await api.post("/v2/journal-entries", body)).json()
        for entry in (booked, posted):
            assert figures(entry) == [(2410, "1000.00"), (7740, "249.99"), (7440, "-1249.99")]
            assert [one["vatDifference"] for one in entry["lines"]] == ["-0.01", None, None]
            assert (await api.get(f"/v1/journal-entries/{entry['id']}")).json() == entry
        assert (await api.run(verify, one_snapshot=True)).passed

    async def test_what_is_off_too_far_is_refused_and_changes_nothing(self, api: Api) -> None:
        body = await bill(api, "1253.51", "K010", "1000.00", vatIncluded=False, vatAmount="253.51")
        for path in ("/v2/journal-entries", "/v2/draft-journal-entries"):
            refused = await api.post(path, body)
            assert (refused.status_code, refused.json()["code"]) == (400, "JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH")
            assert refused.json()["details"] == {
                "property": "lines.0.vatAmount", "vatAmount": "253.51", "computedVatAmount": "250.00",
            }  # fmt: skip
        assert (await api.get("/v1/journal-entries")).json()["total"] == 0

    async def test_a_foreign_bill_amount_by_amount(self, api: Api, database_url: str) -> None:
        body = await bill(api, "6247.35", "K210", "6247.35", currency="EUR", exchangeRate="7.4611")
        entry = (await api.post("/v2/journal-entries", body)).json()
        assert figures(entry, "amountInBaseCurrency") == [
            (2410, "46612.10"), (7740, "11653.03"), (7700, "-11653.03"), (7440, "-46612.10"),
        ]  # fmt: skip
        books = await books_of(api)
        assert (await books.verify()).passed
        owner = await as_owner(database_url)
        try:
            await owner.execute("SET session_replication_role = replica")
            for account_number, moved in ((2410, "0.01"), (7440, "-0.01")):
                await owner.execute(
                    "UPDATE journal_lines l SET base_amount = base_amount + $2::text::numeric FROM accounts a"
                    " WHERE l.company_id = $1 AND a.company_id = $1 AND a.id = l.account_id AND a.number = $3",
                    api.company_id, moved, account_number,
                )  # fmt: skip
        finally:
            await owner.close()
        fault = (await books.verify()).fault
        assert fault is not None
        assert fault.what == "line 4 is -46612.1100 in base currency, its amount x rate is -46612.10"

    async def test_a_row_of_a_file_says_it_too(self, api: Api) -> None:
        row = {
            "entryType": "JOURNAL_ENTRY", "date": "2026-03-10", "originalAmount": "124.99",
            "lines": [
                {"accountNumber": 2410, "side": "DEBIT", "amount": "100.00", "vatCode": "K010", "vatIncluded": False,
                 "vatAmount": "24.99"},
                {"accountNumber": 6480, "side": "CREDIT", "amount": "124.99"},
            ],
        }  # fmt: skip
        wrong = json.loads(json.dumps(row))
        wrong["lines"][0]["vatAmount"] = "20.00"
        content = "".join(json.dumps(one) + "\n" for one in (row, wrong))
        found = await imported(api, content)
        assert found["entriesPosted"] == 1
        assert [(number, code) for number, code, _ in await errors_of(api, found)] == [
            (2, "JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH")
        ]


class TestInvoices:
    @pytest.fixture
    def shop(self, api: Api) -> Shop:
        return Shop(api)

    @pytest.mark.parametrize(
        ("dates", "vat"),
        [
            ({"date": "2026-03-31"}, "25.00"),
            ({"date": APRIL}, "20.00"),
            ({"date": APRIL, "deliveryDate": "2026-03-31"}, "25.00"),
            ({"date": "2026-03-31", "deliveryDate": APRIL}, "20.00"),
        ],
    )
    async def test_an_invoice_takes_the_rate_of_its_tax_point(self, shop: Shop, dates: Any, vat: str) -> None:
        early = await shop.draft(await shop.customer(), line(await shop.price("100.00")), **dates)
        assert early["vat"] == "25.00"  # nobody knows of the new rate yet
        await set_rates(shop.api, "S01", {"vatRate": 25}, {"validFrom": APRIL, "vatRate": 20})
        late = await shop.draft(early["customerId"], line(early["lines"][0]["priceId"]), **dates)
        assert late["vat"] == vat
        shop.api.clock.advance(days=30)
        for draft in (early, late):
            sent = await shop.send(draft)
            assert (sent["vat"], sent["deliveryDate"]) == (vat, dates.get("deliveryDate"))
            assert sent["lines"][0]["vatRate"] == int(vat[:2])
        assert (await shop.api.run(verify, one_snapshot=True)).passed

    @pytest.mark.parametrize("delivered", ["0001-01-01", "2016-03-01", "2027-03-18", "9999-12-31"])
    async def test_a_mistyped_delivery_is_refused(self, api: Api, shop: Shop, delivered: str) -> None:
        body = await bill(api, "1250.00", "K010", "1250.00", deliveryDate=delivered)
        draft = {"customerId": await shop.customer(), "date": "2026-03-16", "lines": [line(await shop.price("100.00"))]}
        for refused in (
            await api.post("/v2/journal-entries", body),
            await shop.api.post("/v1/invoices", draft | {"deliveryDate": delivered}),
        ):
            assert refused.status_code == 400, refused.text
            (problem,) = refused.json()["details"]["validationErrors"]
            assert problem["property"] == "deliveryDate"

    async def test_a_new_delivery_date_taxes_a_draft_anew(self, shop: Shop) -> None:
        await set_rates(shop.api, "S01", {"vatRate": 25}, {"validFrom": APRIL, "vatRate": 20})
        draft = await shop.draft(await shop.customer(), line(await shop.price("100.00")), date="2026-03-31")
        moved = await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"deliveryDate": APRIL})
        assert (draft["vat"], moved["vat"]) == ("25.00", "20.00")
        back = await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"deliveryDate": None})
        assert (back["vat"], back["deliveryDate"]) == ("25.00", None)

    async def test_a_draft_keeps_its_code_when_the_account_gets_another(self, shop: Shop) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price("100.00")))
        code = {
            "vatCode": "T20", "name": "20 %", "vatRate": "20", "type": "SALES", "principle": "Net",
            "accountToBookId": (await vat_code(shop.api, "S01"))["accountToBookId"], "eInvoiceCategory": "S",
        }  # fmt: skip
        made = (await shop.api.post("/v1/vat-codes", code)).json()
        await shop.ok("PATCH", f"/v1/accounts/{await account(shop.api, 1010)}", {"vatCodeId": made["id"]})
        later = await shop.draft(draft["customerId"], line(draft["lines"][0]["priceId"]))
        assert later["vat"] == "20.00"
        assert (await shop.send(draft))["vat"] == "25.00"
        # Changed again, it is taxed by the chart as it is.
        again = await shop.draft(draft["customerId"], line(draft["lines"][0]["priceId"]))
        changed = await shop.ok("PATCH", f"/v1/invoices/{again['id']}", {"notes": "x"})
        assert changed["vat"] == "20.00"

    @pytest.mark.parametrize("unit_price", ["33.33", "123.45", "6247.35", "0.01", "99999.99"])
    async def test_in_another_currency_what_is_printed_is_booked(self, shop: Shop, unit_price: str) -> None:
        await shop.api.put("/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.4611"})
        goods, services = await shop.price("1", "1"), await shop.price("1", "2")
        sent = await shop.sold(
            line(goods, 3, unitPrice=unit_price), line(services, 1, unitPrice=unit_price), currency="EUR"
        )
        entry = await shop.entry(sent["journalEntryId"])
        rate = Decimal("7.4611")
        for one in entry.content.lines:
            if one.line_type != "ENTERED":
                assert one.base_amount == (one.amount * rate).quantize(Decimal("0.01"))
        printed = await shop.value(
            "SELECT content FROM document_snapshots WHERE company_id = $1 AND document_id = $2::text::uuid",
            shop.api.company_id, sent["id"],
        )  # fmt: skip
        vat = sum(one.base_amount for one in entry.content.lines if one.line_type == "VAT")
        assert Decimal(printed["vatInBase"]["amount"]) == vat
        assert Decimal(printed["vatInBase"]["rate"]) == rate
        assert (await shop.api.run(verify, one_snapshot=True)).passed
