"""The first quarter of 2026 of a Danish company that is paid by cards, and every entry that it makes.

It lets a system for 800.00 a month, 1,000.00 with VAT, and sells single things, one of them in euros. The provider that
is built in keeps 1.4 % and 1.80 DKK of each charge (0.25 in euros), and pays out what moved on a day when it is over.
Payouts are read by the daily task, but for one that is brought as a file. Every figure is worked out by hand beside it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

import httpx
import pytest_asyncio
from tests.cards import Cards
from tests.conftest import SteeredClock, new_company
from tests.stories.harness.client import Body
from tests.stories.harness.figures import SIGNS
from tests.stories.subscriptions.steps import (
    BANK,
    OUTPUT_VAT,
    RECEIVABLE,
    REVENUE,
    REVENUE_EU,
    Story,
    moment,
)

from ledgerbee.platform.db import Database

SOFT_ONCE, DISPUTED = "4000000000009987", "4000000000000259"
BANK_ABROAD, CLEARING, FEES, GAIN, LOSS = 6481, 6331, 2391, 3535, 3610

#: Date and text of each entry; then account, debit and credit in kroner, and what it is in euros. Lines that begin with
#: # say how a figure is found.
JOURNAL: Final = """
2026-01-01 Faktura 1, Havnens Bageri ApS
  6190 Tilgodehavender fra salg og tjenesteydelser       1000.00
  1010 Salg af varer og ydelser                                       800.00
  7680 Salgsmoms                                                      200.00
2026-01-01 Betaling af faktura 1, Havnens Bageri ApS
  6331 Mellemregning, betalingsudbydere                  1000.00
  6190 Tilgodehavender fra salg og tjenesteydelser                   1000.00
# 14.00 and 1.80 are kept of 1,000.00.
2026-01-02 Udbetaling fra sandbox, payout_20260101_DKK
  6480 Bankkonto                                          984.20
  2391 Kortgebyrer                                         15.80
  6331 Mellemregning, betalingsudbydere                              1000.00
# Four days without the system: 200.00 and VAT. The provider gives no fee back, and takes the 250.00 from what it pays
# out next: until then the clearing account owes them.
2026-01-12 Kreditnota 1 til faktura 1, Havnens Bageri ApS
  6190 Tilgodehavender fra salg og tjenesteydelser                    250.00
  1010 Salg af varer og ydelser                           200.00
  7680 Salgsmoms                                           50.00
2026-01-12 Tilbagebetaling af korttræk, faktura 1, Havnens Bageri ApS
  6190 Tilgodehavender fra salg og tjenesteydelser        250.00
  6331 Mellemregning, betalingsudbydere                               250.00
2026-02-01 Faktura 2, Havnens Bageri ApS
  6190 Tilgodehavender fra salg og tjenesteydelser       1000.00
  1010 Salg af varer og ydelser                                       800.00
  7680 Salgsmoms                                                      200.00
2026-02-01 Betaling af faktura 2, Havnens Bageri ApS
  6331 Mellemregning, betalingsudbydere                  1000.00
  6190 Tilgodehavender fra salg og tjenesteydelser                   1000.00
# 1,000.00 - 250.00 - 15.80.
2026-02-02 Udbetaling fra sandbox, payout_20260201_DKK
  6480 Bankkonto                                          734.20
  2391 Kortgebyrer                                         15.80
  6331 Mellemregning, betalingsudbydere                               750.00
2026-02-10 Faktura 3, Cykelbutikken ApS
  6190 Tilgodehavender fra salg og tjenesteydelser        500.00
  1010 Salg af varer og ydelser                                       400.00
  7680 Salgsmoms                                                      100.00
2026-02-10 Betaling af faktura 3, Cykelbutikken ApS
  6331 Mellemregning, betalingsudbydere                   500.00
  6190 Tilgodehavender fra salg og tjenesteydelser                    500.00
# 7.00 and 1.80 of 500.00.
2026-02-11 Udbetaling fra sandbox, payout_20260210_DKK
  6480 Bankkonto                                          491.20
  2391 Kortgebyrer                                          8.80
  6331 Mellemregning, betalingsudbydere                               500.00
# A week after the charge. The fee of it is lost, and the invoice is due again.
2026-02-17 Tabt indsigelse mod korttræk, faktura 3, Cykelbutikken ApS
  6190 Tilgodehavender fra salg og tjenesteydelser        500.00
  6331 Mellemregning, betalingsudbydere                               500.00
# EUR 200.00 at 7.46, without VAT: the customer in Germany accounts for it.
2026-02-20 Faktura 4, Blumen Schmidt GmbH
  6190 Tilgodehavender fra salg og tjenesteydelser       1492.00               EUR  200.00
  1150 Salg af ydelser udland, EU                                    1492.00   EUR -200.00
2026-02-23 Betaling af faktura 3, Cykelbutikken ApS
  6480 Bankkonto                                          500.00
  6190 Tilgodehavender fra salg og tjenesteydelser                    500.00
# At 7.45: 1,490.00 came in for what was booked as 1,492.00.
2026-02-24 Betaling af faktura 4, Blumen Schmidt GmbH
  6331 Mellemregning, betalingsudbydere                  1490.00               EUR  200.00
  6190 Tilgodehavender fra salg og tjenesteydelser                   1492.00   EUR -200.00
  3610 Valutakursregulering (tab)                           2.00
# EUR 40.00 are credited at the invoice's rate, and go back at 7.45.
2026-02-24 Kreditnota 2 til faktura 4, Blumen Schmidt GmbH
  6190 Tilgodehavender fra salg og tjenesteydelser                    298.40   EUR  -40.00
  1150 Salg af ydelser udland, EU                         298.40               EUR   40.00
2026-02-24 Tilbagebetaling af korttræk, faktura 4, Blumen Schmidt GmbH
  6190 Tilgodehavender fra salg og tjenesteydelser        298.40               EUR   40.00
  6331 Mellemregning, betalingsudbydere                               298.00   EUR  -40.00
  3535 Valutakursregulering (gevinst)                                   0.40
# At 7.47: of EUR 200.00 2.80 and 0.25 are kept, 22.78; 200.00 - 40.00 - 3.05 are 156.95, 1,172.42. Both are 1,195.20,
# of which 1,490.00 - 298.00 stood on the clearing account.
2026-02-25 Udbetaling fra sandbox, payout_20260224_EUR
  6481 Bankkonto, fremmed valuta                         1172.42               EUR  156.95
  2391 Kortgebyrer                                         22.78               EUR    3.05
  6331 Mellemregning, betalingsudbydere                              1192.00   EUR -160.00
  3535 Valutakursregulering (gevinst)                                   3.20
# The new card declines on the first day, and pays on the second.
2026-03-01 Faktura 5, Havnens Bageri ApS
  6190 Tilgodehavender fra salg og tjenesteydelser       1000.00
  1010 Salg af varer og ydelser                                       800.00
  7680 Salgsmoms                                                      200.00
2026-03-02 Betaling af faktura 5, Havnens Bageri ApS
  6331 Mellemregning, betalingsudbydere                  1000.00
  6190 Tilgodehavender fra salg og tjenesteydelser                   1000.00
# 1,000.00 - 500.00 of the dispute - 15.80.
2026-03-03 Udbetaling fra sandbox, payout_20260302_DKK
  6480 Bankkonto                                          484.20
  2391 Kortgebyrer                                         15.80
  6331 Mellemregning, betalingsudbydere                               500.00
"""


@dataclass
class Quarter:
    """What the company did."""

    story: Story
    cards: Cards
    accounts: dict[int, str] = field(default_factory=dict)

    async def charged(self, invoice: str) -> Body:
        """Charge an invoice to the customer's card; the charge once the worker is done with it."""
        charge = await self.story.done("POST", f"/v1/invoices/{invoice}/charges", {})
        found: Body = await self.story.ok("GET", f"/v1/charges/{charge['id']}")
        assert found["status"] == "succeeded", found
        return found

    async def refunded(self, number: int, price: str, amount: str) -> Body:
        """Credit a price of the invoice with that number, and refund it: the invoice stays paid. The refund."""
        story, invoice = self.story, await self.story.invoice(number)
        lines = [{"invoiceLineId": invoice["lines"][0]["id"], "unitPrice": price}]
        body = {"customerId": invoice["customerId"], "invoiceNumber": invoice["number"], "lines": lines}
        note = await story.ok("POST", "/v1/credit-notes", body)
        await story.done("POST", f"/v1/credit-notes/{note['id']}/send", {"deliveryType": "Manual"})
        (charge,) = await self.charges(number)
        refund = await story.done("POST", f"/v1/charges/{charge['id']}/refunds", {"amount": amount})
        found: Body = await story.ok("GET", f"/v1/refunds/{refund['id']}")
        invoice = await story.invoice(number)
        assert (found["status"], invoice["status"], invoice["amountDue"]) == ("succeeded", "paid", "0.00")
        return found

    async def charges(self, number: int) -> list[Body]:
        """The charges of the invoice with that number, oldest first."""
        invoice = await self.story.invoice(number)
        found: list[Body] = await self.story.ok("GET", f"/v1/invoices/{invoice['id']}/charges")
        return sorted(found, key=lambda one: one["attempt"])

    async def sold(self, customer: str, amount: str, currency: str = "DKK") -> str:
        """An invoice of today for one thing, sent."""
        price = await self.story.price(amount, "once", currency=currency)
        today = (await self.story.ok("GET", "/v1/test-clock"))["today"]
        body = {"customerId": customer, "date": today, "currency": currency, "lines": [{"priceId": price}]}
        made: str = (await self.story.ok("POST", "/v1/invoices", body))["id"]
        await self.story.done("POST", f"/v1/invoices/{made}/send", {"deliveryType": "Manual"})
        return made

    async def rate_is(self, rate: str) -> None:
        """Today's rate of the euro."""
        today = (await self.story.ok("GET", "/v1/test-clock"))["today"]
        await self.story.ok("PUT", "/v1/exchange-rates", {"currency": "EUR", "date": today, "rate": rate})

    async def clearing(self) -> str:
        """What stands on the clearing account, in kroner."""
        return (await self.story.books()).get(CLEARING, "0.00")


@pytest_asyncio.fixture(scope="module")
async def quarter(http: httpx.AsyncClient, database: Database, module_clock: SteeredClock) -> Quarter:
    """The quarter as it was."""
    module_clock.now = moment("2026-01-01")
    api = await new_company(http, database, module_clock, is_sandbox=True)
    story, cards = Story(api), Cards(api)
    story.jobs.providers = cards.providers
    quarter = Quarter(story, cards)
    quarter.accounts = {row["accountNumber"]: row["id"] for row in await story.ok("GET", "/v1/accounts")}
    await cards.enable()
    subscription = await it_is_paid_before_it_delivers(quarter)
    await it_gives_back_for_four_days(quarter)
    await a_dispute_is_lost(quarter)
    await it_is_paid_in_euros(quarter)
    await a_new_card_declines_once(quarter, subscription)
    await story.on("2026-03-31")
    return quarter


async def it_is_paid_before_it_delivers(quarter: Quarter) -> str:
    """A customer saves a card on the provider's page; a subscription begins with its first charge."""
    story, plan = quarter.story, await quarter.story.plan_of("800")
    customer = await story.customer(name="Havnens Bageri ApS")
    page = await quarter.cards.link(customer)
    await quarter.cards.type(page["url"])
    await story.jobs.run()
    (card,) = [one["id"] for one in await quarter.cards.listed(customer)]
    fields = {"paymentMethodId": card, "automaticBilling": True, "paymentBehavior": "pay_first"}
    subscription = await story.subscribe(plan, "2026-01-01", customer, **fields)
    assert await story.status(subscription) == "active"
    assert await quarter.clearing() == "1000.00"
    await story.on("2026-01-02")
    assert await quarter.clearing() == "0.00"
    return subscription


async def it_gives_back_for_four_days(quarter: Quarter) -> None:
    """A credit note, and a refund of what it credits, which is taken from the next payout."""
    story = quarter.story
    await story.on("2026-01-12")
    await quarter.refunded(1, "200", "250")
    assert await quarter.clearing() == "-250.00"
    await story.on("2026-02-01")
    assert await quarter.clearing() == "750.00"
    await story.on("2026-02-02")
    assert await quarter.clearing() == "0.00"


async def a_dispute_is_lost(quarter: Quarter) -> None:
    """The owner of a card disputes its charge, which was paid out, and is right a week later."""
    story = quarter.story
    await story.on("2026-02-10")
    customer = await story.customer(name="Cykelbutikken ApS")
    await quarter.cards.save(customer, DISPUTED)
    await quarter.charged(await quarter.sold(customer, "400"))
    await story.on("2026-02-11")
    (dispute,) = (await story.ok("GET", "/v1/disputes"))["data"]
    # Nothing is booked while it is open.
    assert (dispute["status"], await quarter.clearing()) == ("open", "0.00")
    await story.on("2026-02-17")
    (dispute,) = (await story.ok("GET", "/v1/disputes"))["data"]
    assert (dispute["status"], await quarter.clearing()) == ("lost", "-500.00")
    assert (await story.invoice(3))["amountDue"] == "500.00"


async def it_is_paid_in_euros(quarter: Quarter) -> None:
    """The provider is switched off on the day on which it pays out, so its list is brought as a file; what it tells
    afterwards is known."""
    story = quarter.story
    await story.on("2026-02-20")
    await quarter.rate_is("7.46")
    customer = await story.customer(name="Blumen Schmidt GmbH", countryCode="DE", vatZone="eu", vatNumber="DE136695976")
    await quarter.cards.save(customer)
    invoice = await quarter.sold(customer, "200", "EUR")
    await story.on("2026-02-23")
    await story.is_paid(3)  # the disputed one, by transfer
    await story.on("2026-02-24")
    await quarter.rate_is("7.45")
    charge = await quarter.charged(invoice)
    refund = await quarter.refunded(4, "40", "40")
    await story.ok("PUT", "/v1/payment-providers/sandbox", {"isEnabled": False})
    await story.on("2026-02-25")
    await quarter.rate_is("7.47")
    assert await quarter.clearing() == "692.00"
    file = (
        "Transaktion;Type;Beløb;Gebyr;Valuta;Dato;Ordrenr.;Udbetaling\n"
        f"charge_{charge['providerId']};charge;200,00;3,05;EUR;24-02-2026;{charge['reference']};payout_20260224_EUR\n"
        f"refund_{refund['providerId']};refund;-40,00;;EUR;24-02-2026;{refund['reference']};payout_20260224_EUR\n"
        "payout_20260224_EUR;payout;-156,95;;EUR;25-02-2026;;payout_20260224_EUR\n"
    )
    brought = await story.ok(
        "POST", "/v1/payouts/import", content=file.encode(), headers={"content-type": "text/csv"},
        params={"provider": "sandbox", "bankAccountId": quarter.accounts[BANK_ABROAD], "dateFormat": "DD-MM-YYYY"},
    )  # fmt: skip
    assert [(one["status"], one["unmatched"]) for one in brought["payouts"]] == [("paid", [])]
    assert await quarter.clearing() == "-500.00"
    await quarter.cards.enable()


async def a_new_card_declines_once(quarter: Quarter, subscription: str) -> None:
    """The customer pays with another card from March on."""
    story = quarter.story
    customer = (await story.subscription(subscription))["customerId"]
    card = (await quarter.cards.save(customer, SOFT_ONCE))["id"]
    await story.ok("PATCH", f"/v1/subscriptions/{subscription}", {"paymentMethodId": card})
    await story.on("2026-03-01")
    (declined,) = await quarter.charges(5)
    assert (declined["declineCode"], declined["retryOn"]) == ("insufficient_funds", "2026-03-02")
    assert await quarter.clearing() == "-500.00"
    await story.on("2026-03-02")
    assert [one["status"] for one in await quarter.charges(5)] == ["failed", "succeeded"]
    assert await story.status(subscription) == "active"
    await story.on("2026-03-03")


async def entries_of(story: Story) -> list[Body]:
    """All entries, in the order of their numbers."""
    page = await story.ok("GET", "/v1/journal-entries", params={"limit": 100})
    assert page["total"] == len(page["data"])
    return sorted(page["data"], key=lambda one: int(one["entryNumber"]))


def written(entries: Iterable[Body]) -> list[str]:
    """Entries as `JOURNAL` has them."""
    lines: list[str] = []
    for entry in entries:
        lines.append(f"{entry['date']} {entry['description']}")
        for line in entry["lines"]:
            debit, credit = ((line["amountInBaseCurrency"], "") if line["side"] == "DEBIT" else
                             ("", line["amountInBaseCurrency"]))  # fmt: skip
            amount = SIGNS[line["side"]] * Decimal(line["amount"])
            currency = entry["currency"]
            abroad = f"   {currency} {amount:>7}" if currency != "DKK" and amount else ""
            account = f"{line['accountNumber']} {line['accountName']}"
            lines.append(f"  {account:<50}{debit:>12}{credit:>12}{abroad}".rstrip())
    return lines


async def test_the_journal(quarter: Quarter) -> None:
    expected = [line for line in JOURNAL.strip().splitlines() if not line.startswith("#")]
    assert written(await entries_of(quarter.story)) == expected


async def test_the_clearing_account_ends_at_zero_in_every_currency(quarter: Quarter) -> None:
    """All that was charged went to the bank, to the provider, or back to a card's owner. Nothing is receivable."""
    kroner: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    units: dict[tuple[int, str], Decimal] = defaultdict(Decimal)
    for entry in await entries_of(quarter.story):
        for line in entry["lines"]:
            sign, place = SIGNS[line["side"]], (line["accountNumber"], entry["currency"])
            kroner[place] += sign * Decimal(line["amountInBaseCurrency"])
            units[place] += sign * Decimal(line["amount"])
    for number in (CLEARING, RECEIVABLE):
        for found in (kroner, units):
            amounts = {currency: amount for (account, currency), amount in found.items() if account == number}
            assert amounts == {"DKK": 0, "EUR": 0}


async def test_the_payouts(quarter: Quarter) -> None:
    """Five, of which one was brought. The provider's list and the books agree."""
    payouts = (await quarter.story.ok("GET", "/v1/payouts"))["data"]
    assert [
        (one["date"], one["status"], one["amount"], one["feeAmount"], one["currency"], one["leftAmount"])
        for one in reversed(payouts)
    ] == [
        ("2026-01-02", "paid", "984.20", "15.80", "DKK", "0.00"),
        ("2026-02-02", "paid", "734.20", "15.80", "DKK", "0.00"),
        ("2026-02-11", "paid", "491.20", "8.80", "DKK", "0.00"),
        ("2026-02-25", "paid", "156.95", "3.05", "EUR", "0.00"),
        ("2026-03-03", "paid", "484.20", "15.80", "DKK", "0.00"),
    ]
    look = await quarter.story.ok("GET", "/v1/payment-providers/sandbox/reconciliation")
    assert (look["failure"], look["differences"]) == (None, [])


async def test_what_the_quarter_comes_to(quarter: Quarter) -> None:
    """And `ledgerbee verify` finds nothing."""
    await quarter.story.ends(
        invoices=[
            "2026-01-01: 800.00 = 800.00 (01-01/01-31)",
            "2026-02-01: 800.00 = 800.00 (02-01/02-28)",
            "2026-02-10: 400.00 = 400.00",
            "2026-02-20: 200.00 = 200.00",
            "2026-03-01: 800.00 = 800.00 (03-01/03-31)",
        ],
        notes=["2026-01-12: -200.00 on 1 = -200.00 (01-01/01-31)", "2026-02-24: -40.00 on 4 = -40.00"],
        ledger={
            REVENUE: "-2600.00",  # 3 x 800.00 - 200.00 + 400.00
            REVENUE_EU: "-1193.60",  # 1,492.00 - 298.40
            FEES: "78.98",  # 3 x 15.80 + 8.80 + 22.78
            GAIN: "-3.60",  # 0.40 + 3.20
            LOSS: "2.00",
            BANK: "3193.80",  # 984.20 + 734.20 + 491.20 + 500.00 + 484.20
            BANK_ABROAD: "1172.42",
            OUTPUT_VAT: "-650.00",  # a fourth of 2,600.00
        },
    )
    invoices = await quarter.story.documents("invoices")
    assert {(one["status"], one["amountDue"]) for one in invoices} == {("paid", "0.00")}
