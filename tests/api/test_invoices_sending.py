"""Sending an invoice: number, entry and hand-over in one transaction."""

import asyncio
from decimal import Decimal
from typing import Any

import asyncpg
import pytest
from tests.conftest import Api, new_company
from tests.selling import Shop, as_told, booked, line
from tests.table_rows import rows_of

from ledgerbee.ledger.entries.model import EntryType
from ledgerbee.ledger.verify import verify
from ledgerbee.platform.context import Context

SWEDE = {"vatZone": "eu", "countryCode": "SE", "vatNumber": "SE556677889901"}
NORWEGIAN = {"vatZone": "abroad", "countryCode": "NO"}


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


async def rate_of(shop: Shop, currency: str, day: str = "2026-03-16") -> Decimal:
    """Kroner for one unit, as the day's published rates have it."""
    krone, other = [
        await shop.value(
            "SELECT rate_per_eur FROM exchange_rates WHERE currency = $1 AND day <= $2::text::date"
            " ORDER BY day DESC LIMIT 1",
            code,
            day,
        )
        or Decimal(1)
        for code in ("DKK", currency)
    ]
    return (krone / other).quantize(Decimal("1e-12"))


async def test_a_manual_send_books_and_numbers_the_invoice(shop: Shop) -> None:
    price = await shop.price("99.50")
    draft = await shop.draft(await shop.customer(), line(price, 3, discountPercent=10))
    answer = await shop.ok("POST", f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"}, status=200)
    assert answer == {"success": True, "deliveryType": "Manual", "sproomDocumentId": None}
    sent = await shop.invoice(draft["id"])
    news = {"status", "number", "journalEntryId", "documentTemplateId", "sentAt"}
    assert {name for name in sent if sent[name] != draft[name]} == news | {"deliveryStatus"}
    assert (sent["status"], sent["number"], sent["sentAt"]) == ("sent", "1", "2026-03-16T12:00:00.000Z")
    entry = await shop.entry(sent["journalEntryId"])
    assert booked(entry) == [
        (6190, Decimal("335.81"), Decimal("335.81"), "CONTROL"),
        (1010, Decimal("-268.65"), Decimal("-268.65"), "ENTERED"),
        (7680, Decimal("-67.16"), Decimal("-67.16"), "VAT"),
    ]
    assert (entry.content.entry_type, entry.content.reference, entry.content.description) == (
        EntryType.CUSTOMER_INVOICE,
        "1",
        "Faktura 1, Havblik A/S",
    )
    assert (entry.content.date.isoformat(), str(entry.content.customer_id)) == ("2026-03-16", draft["customerId"])
    assert entry.content.original_amount == Decimal("335.81")
    source = await shop.value("SELECT source_type || source_id FROM journal_entries WHERE id = $1", entry.id)
    assert source == "invoice" + draft["id"]
    assert await shop.events("invoice.sent") == [as_told(sent)]
    assert len(await shop.events("journal_entry.posted")) == 1


async def test_without_a_word_it_is_sent_by_hand(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price()), description="May")
    answer = await shop.ok("POST", f"/v1/invoices/{draft['id']}/send", {}, status=200)
    assert answer["deliveryType"] == "Manual"
    entry = await shop.entry((await shop.invoice(draft["id"]))["journalEntryId"])
    assert entry.content.description == "May, Faktura 1, Havblik A/S"


async def test_the_journal_text_can_be_as_long_as_any_and_ends_with_who_it_is_for(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price()), description="x" * 10_000)
    text = (await shop.entry(sent["journalEntryId"])).content.description
    assert text is not None
    assert (len(text), text[9_970:]) == (10_000, "xxxxxx, Faktura 1, Havblik A/S")


async def categories_of(shop: Shop) -> list[str]:
    """The categories of the company's entries, in the order of posting."""
    names = {found["id"]: found["name"] for found in await shop.ok("GET", "/v1/journal-categories")}
    entries = (await shop.ok("GET", "/v1/journal-entries"))["data"]
    return [names[entry["journalCategoryId"]] for entry in sorted(entries, key=lambda entry: int(entry["entryNumber"]))]


@pytest.mark.parametrize(("country", "sales"), [("DK", "Salg"), ("SE", "Sales")])
async def test_invoices_and_payments_go_to_their_own_categories(api: Api, country: str, sales: str) -> None:
    """Whatever categories are made later, also a new default."""
    shop = Shop(await new_company(api.http, api.database, api.clock, country=country))
    price = await shop.price()

    async def sell() -> None:
        sent = await shop.sold(line(price))
        body = {"date": "2026-03-16", "amount": sent["amount"]}
        await shop.ok("POST", f"/v1/invoices/{sent['id']}/payments", body)

    await sell()
    every_type = ["JOURNAL_ENTRY", "SUPPLIER_INVOICE", "SUPPLIER_PAYMENT", "CUSTOMER_INVOICE", "CUSTOMER_PAYMENT"]
    for made in (
        {"name": "Alt", "isDefault": True, "allowedJournalTypes": every_type},
        {"name": "Andet", "allowedJournalTypes": every_type},
        {"name": "Webshop", "allowedJournalTypes": ["CUSTOMER_INVOICE", "CUSTOMER_PAYMENT"]},
    ):
        shop.api.clock.advance(seconds=1)
        await shop.ok("POST", "/v1/journal-categories", made)
        await sell()
    assert await categories_of(shop) == [sales, "Bank"] * 4


async def test_without_a_category_of_their_own_invoices_go_to_the_default(shop: Shop) -> None:
    await execute(
        shop,
        "UPDATE journal_categories SET allowed_journal_types = '{JOURNAL_ENTRY}'"
        " WHERE company_id = $1 AND NOT is_default",
        as_owner=True,  # no role of the program may
    )
    await shop.sold(line(await shop.price()))
    assert await categories_of(shop) == ["Finans"]


@pytest.mark.parametrize(
    ("customer", "group", "account", "code", "charged"),
    [
        ({}, "1", 1010, "S01", True),
        (SWEDE, "1", 1050, "S21", False),
        (SWEDE, "2", 1150, "S23", False),
        (NORWEGIAN, "1", 1100, "S41", False),
        (NORWEGIAN, "2", 1200, "S42", False),
        ({"vatZone": "domestic_without_vat", "vatNumber": "13585628"}, "1", 1011, "S02", False),
        ({"vatZone": "domestic_without_vat"}, "2", 1012, "S82", False),
    ],
)
async def test_every_zone_has_its_account_and_code(
    shop: Shop, customer: dict[str, str], group: str, account: int, code: str, charged: bool
) -> None:
    draft = await shop.draft(await shop.customer(**customer), line(await shop.price("80", group)))
    entry = await shop.entry((await shop.send(draft))["journalEntryId"])
    vat = [(7680, Decimal(-20), Decimal(-20), "VAT")] if charged else []
    gross = Decimal(100 if charged else 80)
    assert booked(entry) == [(6190, gross, gross, "CONTROL"), (account, Decimal(-80), Decimal(-80), "ENTERED"), *vat]
    codes = {
        await shop.value("SELECT code FROM vat_codes WHERE company_id = $1 AND id = $2", shop.api.company_id, code_id)
        for code_id in {found.vat_code_id for found in entry.content.lines if found.vat_code_id}
    }
    assert codes == {code}


async def test_lines_of_an_account_are_booked_as_one(shop: Shop) -> None:
    goods, services = await shop.price("80", "1"), await shop.price("10", "2")
    swede = await shop.customer(**SWEDE)
    sent = await shop.send(await shop.draft(swede, line(goods), line(services, -2), line(goods, 2)))
    assert booked(await shop.entry(sent["journalEntryId"])) == [
        (6190, Decimal(220), Decimal(220), "CONTROL"),
        (1050, Decimal(-240), Decimal(-240), "ENTERED"),
        (1150, Decimal(20), Decimal(20), "ENTERED"),
    ]


async def test_an_invoice_of_nothing_is_booked_and_paid(shop: Shop) -> None:
    price = await shop.price("100")
    for nothing in ((line(price, 0), line(await shop.price("0"))), (line(price, discountPercent=100),)):
        sent = await shop.sold(*nothing)
        assert (sent["status"], sent["amount"], sent["amountDue"]) == ("paid", "0.00", "0.00")
        assert (sent["sentAt"], sent["amountPaid"]) == ("2026-03-16T12:00:00.000Z", "0.00")
        entry = await shop.entry(sent["journalEntryId"])
        assert [amount for _, amount, _, _ in booked(entry)] == [0, 0, 0]
        assert (await shop.events("invoice.sent"))[-1] == (await shop.events("invoice.paid"))[-1] == as_told(sent)
        assert await shop.events("payment.recorded") == []


async def test_a_foreign_currency_is_booked_at_the_days_rate(shop: Shop) -> None:
    price = await shop.price("33.33", currency="USD")
    sent = await shop.sold(line(price, 3), currency="USD", date="2026-03-15")  # a Sunday: Friday's rate
    entry = await shop.entry(sent["journalEntryId"])
    assert entry.content.currency == "USD"
    assert entry.content.exchange_rate == await rate_of(shop, "USD", "2026-03-15")
    receivable, revenue, vat = booked(entry)
    assert (receivable[1], revenue[1], vat[1]) == (Decimal("124.99"), Decimal("-99.99"), Decimal("-25.00"))
    assert receivable[2] == (Decimal("124.99") * entry.content.exchange_rate).quantize(Decimal("0.01"))
    assert receivable[2] + revenue[2] + vat[2] == 0
    content = await shop.value("SELECT content FROM document_snapshots")
    assert content["vatInBase"]["currency"] == "DKK"
    assert Decimal(content["vatInBase"]["amount"]) == -vat[2]


async def test_vat_in_kroner_is_told_only_where_vat_is_charged(shop: Shop) -> None:
    """Reverse charge in euros: no VAT, so none in kroner; at a rate of zero neither."""
    price = await shop.price("100", currency="EUR")
    swede = await shop.customer(**SWEDE, currency="EUR")
    sent = await shop.send(await shop.draft(swede, line(price), currency="EUR"))
    assert (sent["vat"], sent["currency"]) == ("0.00", "EUR")
    assert (await shop.value("SELECT content FROM document_snapshots"))["vatInBase"] is None


async def test_yen_have_no_cents(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price("99.5", currency="JPY"), 3), currency="JPY")
    assert (sent["subtotal"], sent["vat"], sent["amount"]) == ("299", "75", "374")
    assert [amount for _, amount, _, _ in booked(await shop.entry(sent["journalEntryId"]))] == [374, -299, -75]


async def test_three_decimals_are_kept(api: Api) -> None:
    shop = Shop(await new_company(api.http, api.database, api.clock, country="KW"))
    sent = await shop.sold(line(await shop.price("1.2345")))
    assert (sent["currency"], sent["amount"]) == ("KWD", "1.235")
    assert booked(await shop.entry(sent["journalEntryId"]))[0][2] == Decimal("1.235")


async def test_another_countrys_company_books_on_its_own_chart(api: Api) -> None:
    shop = Shop(await new_company(api.http, api.database, api.clock, country="SE"))
    sent = await shop.sold(line(await shop.price("100")))
    assert (sent["currency"], sent["vat"]) == ("SEK", "25.00")
    entry = await shop.entry(sent["journalEntryId"])
    assert entry.content.description == "Invoice 1, Havblik A/S"


async def test_a_thousand_lines(shop: Shop) -> None:
    price = await shop.price("0.33")
    sent = await shop.sold(*[line(price, description=f"Unit {number}") for number in range(1000)])
    assert (sent["subtotal"], sent["vat"], len(sent["lines"])) == ("330.00", "82.50", 1000)
    assert sum(Decimal(found["vatAmount"]) for found in sent["lines"]) == Decimal("82.50")
    assert [found["description"] for found in sent["lines"]] == [f"Unit {number}" for number in range(1000)]
    assert len(booked(await shop.entry(sent["journalEntryId"]))) == 3


class TestRefusals:
    """Refused means: nothing is changed, and no number is used up."""

    async def refused(
        self, shop: Shop, draft: dict[str, Any], status: int, code: str, **options: Any
    ) -> dict[str, Any]:
        before = await rows_of(shop.api)
        details = await shop.refused("POST", f"/v1/invoices/{draft['id']}/send", options, status, code)
        assert await rows_of(shop.api) == before
        assert not before.keys() & {"journal_entries", "document_snapshots", "deliveries"}
        assert await shop.events("invoice.sent") == []
        price = await shop.price()
        assert (await shop.sold(line(price), date="2026-12-31"))["number"] == "1"
        return details

    async def test_a_locked_period(self, shop: Shop) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price()))
        await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-16"})
        details = await self.refused(shop, draft, 409, "PERIOD_LOCKED")
        assert details == {"property": "date", "lockedThrough": "2026-03-16", "date": draft["date"]}

    async def test_an_account_out_of_use(self, shop: Shop) -> None:
        draft = await shop.draft(await shop.customer(**NORWEGIAN), line(await shop.price()))
        await execute(shop, "UPDATE accounts SET is_active = false WHERE company_id = $1 AND number = 1200")
        await self.refused(shop, draft, 400, "ACCOUNT_NOT_BOOKABLE")

    async def test_an_account_that_lost_its_vat_code(self, shop: Shop) -> None:
        """What was drafted keeps the code that it shows; nothing more can be drafted."""
        norwegian, price = await shop.customer(**NORWEGIAN), await shop.price()
        draft = await shop.draft(norwegian, line(price))
        await execute(shop, "UPDATE accounts SET vat_code_id = NULL WHERE company_id = $1 AND number = 1200")
        refused = await shop.api.post(
            "/v1/invoices", {"customerId": norwegian, "date": "2026-03-16", "lines": [line(price)]}
        )
        assert (refused.status_code, refused.json()["code"]) == (400, "SALES_DOCUMENT_VAT_CODE_UNUSABLE")
        assert (await shop.send(draft))["vat"] == "0.00"

    @pytest.mark.parametrize("group", ["1", "2"])
    async def test_reverse_charge_without_vat_number(self, shop: Shop, group: str) -> None:
        swede = await shop.customer(vatZone="eu", countryCode="SE")
        draft = await shop.draft(swede, line(await shop.price(group=group)))
        details = await self.refused(shop, draft, 400, "INVOICE_BUYER_VAT_NUMBER_MISSING")
        assert details["vatCategory"] == {"1": "K", "2": "AE"}[group]
        await shop.ok("PATCH", f"/v1/customers/{swede}", {"vatNumber": "SE556677889901"})
        assert (await shop.send(draft))["status"] == "sent"

    async def test_a_negative_total(self, shop: Shop) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price("10"), -1))
        await self.refused(shop, draft, 400, "INVOICE_AMOUNT_NEGATIVE")

    async def test_no_rate_for_the_currency(self, shop: Shop) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price(), unitPrice=1), currency="UYU")
        details = await self.refused(shop, draft, 400, "EXCHANGE_RATE_MISSING")
        assert details == {"currency": "UYU", "baseCurrency": "DKK", "date": "2026-03-16"}

    async def test_mail_to_nobody(self, shop: Shop) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price()))
        await self.refused(shop, draft, 400, "INVOICE_RECIPIENT_MISSING", deliveryType="Email")

    async def test_an_e_invoice_to_nobody(self, shop: Shop) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price()))
        details = await self.refused(shop, draft, 409, "E_INVOICE_INCOMPLETE", deliveryType="Sproom")
        assert details == {"format": "peppol", "missing": ["buyer.endpoint"]}

    async def test_an_inactive_customer(self, shop: Shop) -> None:
        customer = await shop.customer()
        draft = await shop.draft(customer, line(await shop.price()))
        await shop.ok("PATCH", f"/v1/customers/{customer}", {"isActive": False})
        await self.refused(shop, draft, 400, "SALES_DOCUMENT_CUSTOMER_INACTIVE")

    async def test_a_template_of_another_kind(self, shop: Shop) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price()))
        quotes = await shop.ok("GET", "/v1/document-templates?documentType=quote-template")
        template = quotes["data"][0]["id"]
        await self.refused(shop, draft, 400, "SALES_DOCUMENT_TEMPLATE_MISMATCH", documentTemplateId=template)

    @pytest.mark.parametrize(
        "options",
        [
            {"deliveryType": "Pigeon"},
            {"deliveryType": None},
            {"overrideEmail": "nobody"},
            {"overrideEanNumber": "5798009811579"},
            {"updateCustomerRecord": "yes"},
            {"number": "7"},
        ],
    )
    async def test_bad_options(self, shop: Shop, options: dict[str, Any]) -> None:
        draft = await shop.draft(await shop.customer(), line(await shop.price()))
        await self.refused(shop, draft, 400, "SHARED_VALIDATION_FAILED", **options)


async def execute(shop: Shop, statement: str, *, as_owner: bool = False) -> None:
    async def work(context: Context) -> None:
        if as_owner:
            await context.connection.execute("SET LOCAL ROLE NONE")
        await context.connection.execute(statement, context.company_id)

    await shop.api.run(work)


async def test_twice_is_once(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price()))
    details = await shop.refused("POST", f"/v1/invoices/{sent['id']}/send", {}, 409, "INVOICE_INVALID_STATE")
    assert details == {"status": "sent"}
    assert await shop.invoice(sent["id"]) == sent


async def test_of_racing_sends_one_wins(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price()))
    answers = await asyncio.gather(
        *(shop.api.post(f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"}) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
    assert {answer.json().get("code") for answer in answers} == {None, "INVOICE_INVALID_STATE"}
    for table in ("journal_entries", "document_snapshots", "deliveries"):
        assert await shop.value(f"SELECT count(*) FROM {table}") == 1
    assert (await shop.invoice(draft["id"]))["number"] == "1"


async def test_numbers_have_no_holes_whatever_fails(shop: Shop) -> None:
    customer, price = await shop.customer(), await shop.price()
    await shop.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-01-31"})
    drafts = [
        await shop.draft(customer, line(price), date="2026-01-15" if number % 3 == 0 else "2026-03-16")
        for number in range(15)
    ]
    answers = await asyncio.gather(*(shop.api.post(f"/v1/invoices/{draft['id']}/send") for draft in drafts))
    assert [answer.status_code for answer in answers] == [409 if number % 3 == 0 else 200 for number in range(15)]
    found = await shop.ok("GET", "/v1/invoices?sortBy=number&sortOrder=ASC&status=sent")
    assert [invoice["number"] for invoice in found["data"]] == [str(number) for number in range(1, 11)]
    entries = [(await shop.entry(invoice["journalEntryId"])) for invoice in found["data"]]
    assert [entry.entry_number for entry in entries] == list(range(1, 11)), "numbers and entries run together"
    assert [entry.content.reference for entry in entries] == [str(number) for number in range(1, 11)]


async def test_the_books_of_many_invoices_verify(shop: Shop) -> None:
    price = await shop.price("33.33")
    for currency in ("DKK", "EUR", "JPY"):
        await shop.sold(line(price, "1.5", unitPrice="7.77"), line(price, -1, unitPrice="0.01"), currency=currency)
    verified = await shop.api.run(verify, one_snapshot=True)
    assert verified.fault is None
    assert verified.entries == 3


async def test_a_replayed_send_books_once(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price()))
    for replayed in (None, "true"):
        response = await shop.api.post(
            f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"}, headers={"x-api-idempotency-key": "once"}
        )
        assert (response.status_code, response.headers.get("Idempotent-Replayed")) == (200, replayed)
    assert await shop.value("SELECT count(*) FROM journal_entries") == 1


async def test_vat_is_decided_on_the_day_it_is_sent(shop: Shop) -> None:
    customer = await shop.customer()
    draft = await shop.draft(customer, line(await shop.price("100")))
    assert draft["vat"] == "25.00"
    await shop.ok("PATCH", f"/v1/customers/{customer}", {"vatZone": "abroad", "countryCode": "NO"})
    sent = await shop.send(draft)
    assert (sent["vat"], sent["amount"], sent["lines"][0]["vatRate"]) == ("0.00", "100.00", 0)
    assert booked(await shop.entry(sent["journalEntryId"]))[1][0] == 1200


async def test_prices_stand_as_drafted(shop: Shop) -> None:
    product = await shop.product()
    await shop.price(product=product)
    price = await shop.price("100", product=product)
    draft = await shop.draft(await shop.customer(), line(price))
    await shop.ok("POST", f"/v1/product-prices/{price}/archive", {}, status=200)
    assert (await shop.send(draft))["subtotal"] == "100.00"


async def test_the_database_keeps_what_is_booked(shop: Shop) -> None:
    sent = await shop.sold(line(await shop.price()))
    for statement in (
        "UPDATE invoices SET notes = 'x' WHERE company_id = $1",
        "UPDATE invoices SET status = 'draft' WHERE company_id = $1",
        "UPDATE invoices SET number = '2' WHERE company_id = $1",
        "DELETE FROM invoice_lines WHERE company_id = $1",
        "DELETE FROM invoices WHERE company_id = $1",
    ):
        with pytest.raises((asyncpg.RaiseError, asyncpg.PostgresError), match=r"booked|violates foreign key"):
            await execute(shop, statement)
    for statement in (
        "UPDATE invoice_lines SET net = 0 WHERE company_id = $1",
        "UPDATE document_snapshots SET content = '{}' WHERE company_id = $1",
        "DELETE FROM document_snapshots WHERE company_id = $1",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await execute(shop, statement)
    assert await shop.invoice(sent["id"]) == sent
