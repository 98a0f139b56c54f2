"""March and April 2026 of Bigården ApS, a beekeeper in Copenhagen that has just begun.

It sells honey and candles in Denmark and to Germany, and rents out hives. Every figure is worked out by hand beside it:
kroner, debit positive. Danish VAT is 25 % of a price without it, and one fifth of a price that contains it.
"""

import io
from decimal import Decimal
from typing import NamedTuple

import httpx
import pypdf
from tests.attached import PDF
from tests.conftest import SteeredClock, new_company
from tests.post_office import PostOffice, attachments, open_post_office
from tests.stories.harness.client import Body
from tests.stories.harness.company import Company, Item, Sold, kroner
from tests.stories.harness.figures import moved
from tests.stories.harness.jobs import Jobs

from ledgerbee.platform.db import Database

HONEY, HONEY_EU, GOODS, GLASS, GOODS_EU, RENT, OFFICE, ROUNDING, LOSS = (
    1013, 1051, 1010, 1612, 1630, 2030, 2450, 2720, 3610,
)  # fmt: skip
DEBTORS, BANK, CAPITAL, OUTPUT_VAT, FOREIGN_VAT, INPUT_VAT = 6190, 6480, 6510, 7680, 7700, 7740


class March(NamedTuple):
    """What is still open when March is over."""

    stall: Body
    cafe: Body
    germans: Body


async def test_two_months_of_a_small_company(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> None:
    async with open_post_office(PostOffice()) as office:
        clock.now = clock.now.replace(month=3, day=1, hour=8)
        company = Company(await new_company(http, database, clock, email="signe@bigaarden.example"))
        company.jobs = Jobs(company.api, office)
        await it_sets_up(company)
        await it_begins_with_money_and_glass(company)
        open_invoices = await it_sells(company, office)
        await it_is_paid_and_not_paid(company, open_invoices)
        await the_rent_and_a_mistake(company)
        await march_is_over(company)
        await april_begins(company, office)
        await march_is_closed(company)
        await the_others_pay(company, open_invoices)
        await an_extractor_from_germany_and_the_vat_of_march(company)
        await april_is_over(company)


async def it_sets_up(company: Company) -> None:
    """Accounts of its own with VAT, products with prices, customers here and in the EU."""
    await company.on("2026-03-02")
    await company.looks_at_its_chart()
    for number, name, like, code in (
        (HONEY, "Salg af honning", 1010, "S01"),
        (HONEY_EU, "Salg af honning, EU", 1050, "S21"),
        (GLASS, "Glas og etiketter", 1610, "K010"),
    ):
        account = await company.opens_account(number, name, like=like)
        assert account["vatCodeId"] == company.codes[code]
    await company.sorts_products("Honning", home=HONEY, without_vat=1011, eu=HONEY_EU, abroad=1100)
    await company.offers("Honning 450 g", "48.00", group="Honning")
    await company.offers("Bivokslys", "65.50", group="Varer")
    await company.offers("Bistade, et kvartal", "1250.00", group="Ydelser")
    await company.gets_to_know("Torvehallens Honningbod ApS", vatNumber="25313763", email="bod@torvehallen.example")
    await company.gets_to_know("Café Solsort")
    await company.gets_to_know(
        "Imkerladen Lübeck GmbH", group=2, countryCode="DE", vatZone="eu", vatNumber="DE136695976",
        email="einkauf@imkerladen.example", address="Breite Straße 8", postalCode="23552", city="Lübeck",
    )  # fmt: skip


async def it_begins_with_money_and_glass(company: Company) -> None:
    capital = await company.enters("Indskud", Item(BANK, "40000.00"), Item(CAPITAL, "-40000.00"))
    assert (capital["entryNumber"], moved(capital)) == (1, kroner({BANK: "40_000.00", CAPITAL: "-40_000.00"}))

    await company.on("2026-03-03")
    receipt = {"kvittering-4711.pdf": PDF}
    glass = await company.enters(
        "Glas", Item(GLASS, "2500.00", "K010"), Item(BANK, "-2500.00"), vouchers=receipt
    )  # fmt: skip
    # 2,500.00 contain a fifth of VAT: 500.00. The glass costs the other 2,000.00.
    assert moved(glass) == kroner({GLASS: "2_000.00", INPUT_VAT: "500.00", BANK: "-2_500.00"})
    assert await company.vouchers(glass) == receipt


async def it_sells(company: Company, office: PostOffice) -> March:
    await company.on("2026-03-05")
    stall = await company.sells(
        "Torvehallens Honningbod ApS", Sold(100, "Honning 450 g"), Sold(20, "Bivokslys"), by_mail=True
    )
    # 100 x 48.00 = 4,800.00 and 20 x 65.50 = 1,310.00 make 6,110.00; 25 % of it are 1,527.50.
    assert (stall["number"], stall["subtotal"], stall["vat"], stall["amount"]) == ("1", "6110.00", "1527.50", "7637.50")
    assert await company.entry(stall["journalEntryId"]) == kroner(
        {DEBTORS: "7_637.50", HONEY: "-4_800.00", GOODS: "-1_310.00", OUTPUT_VAT: "-1_527.50"}
    )
    assert stall["status"] == "scheduled", "the books don't wait for the mail"
    assert await company.run_jobs() != []
    assert (await company.invoice(stall))["status"] == "sent"
    (mail,) = office.mails_to("bod@torvehallen.example")
    (pdf,) = attachments(mail).values()
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)
    assert "7.637,50" in text

    await company.on("2026-03-09")
    cafe = await company.sells("Café Solsort", Sold(12, "Honning 450 g", discount=10))
    # 12 x 48.00 = 576.00 less a tenth, 57.60, make 518.40; 25 % of it are 129.60.
    assert (cafe["number"], cafe["status"], cafe["amount"]) == ("2", "sent", "648.00")
    assert await company.entry(cafe["journalEntryId"]) == kroner(
        {DEBTORS: "648.00", HONEY: "-518.40", OUTPUT_VAT: "-129.60"}
    )

    await company.on("2026-03-12")
    await company.hears_a_rate("EUR", "7.4720")
    germans = await company.sells(
        "Imkerladen Lübeck GmbH", Sold(240, "Honning 450 g", price="5.90"), currency="EUR", by_mail=True
    )
    # 240 x EUR 5.90 = EUR 1,416.00, without VAT: the buyer pays it in Germany. At 7.4720: 10,580.352 kroner.
    assert (germans["number"], germans["currency"], germans["vat"], germans["amount"]) == (
        "3",
        "EUR",
        "0.00",
        "1416.00",
    )
    assert await company.entry(germans["journalEntryId"]) == kroner({DEBTORS: "10_580.35", HONEY_EU: "-10_580.35"})
    assert await company.run_jobs() != []
    assert len(office.mails_to("einkauf@imkerladen.example")) == 1
    return March(stall, cafe, germans)


async def it_is_paid_and_not_paid(company: Company, sold: March) -> None:
    await company.on("2026-03-19")
    await company.is_paid(sold.stall, "5000.00")
    stall = await company.invoice(sold.stall)
    # 7,637.50 - 5,000.00 = 2,637.50
    assert (stall["status"], stall["amountPaid"], stall["amountDue"]) == ("partially_paid", "5000.00", "2637.50")

    await company.on("2026-03-20")
    payment = await company.is_paid(sold.cafe, "648.00")
    assert (await company.invoice(sold.cafe))["status"] == "paid"
    assert await company.entry(payment["journalEntryId"]) == kroner({BANK: "648.00", DEBTORS: "-648.00"})

    await company.on("2026-03-23")
    returned = await company.gives_back(payment, "Banken fører beløbet tilbage")
    assert await company.entry(returned["reversalEntryId"]) == kroner({BANK: "-648.00", DEBTORS: "648.00"})
    cafe = await company.invoice(sold.cafe)
    assert (cafe["status"], cafe["amountPaid"], cafe["amountDue"]) == ("sent", "0.00", "648.00")


async def the_rent_and_a_mistake(company: Company) -> None:
    await company.on("2026-03-25")
    draft = await company.drafts_entry("Husleje marts", Item(RENT, "3500.00", "K010"), Item(BANK, "-3500.00"))
    before = await company.balances("2026-03-31")

    await company.on("2026-03-26")
    wrong = await company.enters("Etiketter", Item(OFFICE, "1250.00", "K010"), Item(BANK, "-1250.00"))
    # A fifth of 1,250.00 is 250.00.
    assert moved(wrong) == kroner({OFFICE: "1_000.00", INPUT_VAT: "250.00", BANK: "-1_250.00"})

    await company.on("2026-03-27")
    reversal = await company.reverses(wrong, "Tastefejl: 125,00")
    assert moved(reversal) == kroner({OFFICE: "-1_000.00", INPUT_VAT: "-250.00", BANK: "1_250.00"})
    assert await company.balances("2026-03-31") == before, "as if nothing had been entered, and a draft counts nowhere"
    right = await company.enters("Etiketter", Item(OFFICE, "125.00", "K010"), Item(BANK, "-125.00"))
    # A fifth of 125.00 is 25.00.
    assert moved(right) == kroner({OFFICE: "100.00", INPUT_VAT: "25.00", BANK: "-125.00"})

    await company.on("2026-03-31")
    await company.corrects(draft, Item(RENT, "3750.00", "K010"), Item(BANK, "-3750.00"))
    rent = await company.books(draft)
    # A fifth of 3,750.00 is 750.00.
    assert moved(rent) == kroner({RENT: "3_000.00", INPUT_VAT: "750.00", BANK: "-3_750.00"})
    assert rent["date"] == "2026-03-31"


async def march_is_over(company: Company) -> None:
    assert await company.balances("2026-03-31") == kroner(
        {
            HONEY: "-5_318.40",  # 4,800.00 + 518.40
            GOODS: "-1_310.00",
            HONEY_EU: "-10_580.35",
            GLASS: "2_000.00",
            RENT: "3_000.00",
            OFFICE: "100.00",
            DEBTORS: "13_865.85",  # 7,637.50 - 5,000.00 + 648.00 + 10,580.35
            BANK: "38_625.00",  # 40,000.00 - 2,500.00 + 5,000.00 - 125.00 - 3,750.00
            CAPITAL: "-40_000.00",
            OUTPUT_VAT: "-1_657.10",  # 1,527.50 + 129.60
            INPUT_VAT: "1_275.00",  # 500.00 + 25.00 + 750.00
        }
    )
    vat = await company.turnover("2026-03-01", "2026-03-31", OUTPUT_VAT, INPUT_VAT, FOREIGN_VAT)
    assert vat == kroner({OUTPUT_VAT: "-1_657.10", INPUT_VAT: "1_275.00", FOREIGN_VAT: "0.00"})
    # 1,657.10 - 1,275.00
    assert -sum(vat.values()) == Decimal("382.10")


async def april_begins(company: Company, office: PostOffice) -> None:
    """A mail server that is busy gets the mail fifteen seconds later."""
    await company.on("2026-04-01")
    office.recipient_answers.append("451 4.3.2 Try again later")
    hives = await company.sells("Torvehallens Honningbod ApS", Sold(1, "Bistade, et kvartal"), by_mail=True)
    # 25 % of 1,250.00 are 312.50.
    assert (hives["number"], hives["amount"]) == ("4", "1562.50")
    assert await company.entry(hives["journalEntryId"]) == kroner(
        {DEBTORS: "1_562.50", GOODS: "-1_250.00", OUTPUT_VAT: "-312.50"}
    )
    assert len(await company.run_jobs()) == 1
    assert (await company.invoice(hives))["status"] == "scheduled"
    assert len(office.mails_to("bod@torvehallen.example")) == 1, "that of March"
    await company.on("2026-04-02")
    assert (await company.invoice(hives))["sentAt"] == "2026-04-01T09:00:15.000Z"
    assert len(office.mails_to("bod@torvehallen.example")) == 2


async def march_is_closed(company: Company) -> None:
    """The café's candles were dated on the last day of March, a day too late for that."""
    await company.on("2026-04-10")
    await company.closes_the_books_through("2026-03-31")
    draft = await company.drafts_invoice("Café Solsort", Sold(6, "Bivokslys"), day="2026-03-31")
    before = await company.entries()
    code, details = await company.refused("POST", f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"})
    assert (code, details["lockedThrough"]) == ("PERIOD_LOCKED", "2026-03-31")
    assert await company.invoice(draft) == draft
    assert await company.entries() == before

    await company.ok("PATCH", f"/v1/invoices/{draft['id']}", {"date": "2026-04-10"})
    candles = await company.sends(draft)
    # 6 x 65.50 = 393.00; 25 % of it are 98.25. The refusal has used up no number.
    assert (candles["number"], candles["amount"]) == ("5", "491.25")
    assert await company.entry(candles["journalEntryId"]) == kroner(
        {DEBTORS: "491.25", GOODS: "-393.00", OUTPUT_VAT: "-98.25"}
    )
    await company.on("2026-04-13")
    await company.is_paid(candles, "491.25")


async def the_others_pay(company: Company, sold: March) -> None:
    await company.on("2026-04-14")
    await company.is_paid(sold.stall, "2637.50")
    payment = await company.is_paid(sold.germans, "1416.00", exchangeRate="7.4650")
    # EUR 1,416.00 x 7.4650 = 10,570.44: 9.91 kroner less than the 10,580.35 that were booked.
    assert await company.entry(payment["journalEntryId"]) == kroner(
        {BANK: "10_570.44", LOSS: "9.91", DEBTORS: "-10_580.35"}
    )
    assert payment["exchangeDifference"] == "-9.91"
    await company.on("2026-04-15")
    await company.is_paid(sold.cafe, "648.00")
    for invoice in sold:
        now = await company.invoice(invoice)
        assert (now["status"], now["amountDue"]) == ("paid", "0.00")


async def an_extractor_from_germany_and_the_vat_of_march(company: Company) -> None:
    await company.on("2026-04-20")
    extractor = await company.enters("Honningslynge", Item(GOODS_EU, "4000.00", "K210"), Item(BANK, "-4000.00"))
    # The bill has no VAT. The buyer owes 25 % of it, 1,000.00, and deducts as much.
    assert moved(extractor) == kroner(
        {GOODS_EU: "4_000.00", INPUT_VAT: "1_000.00", FOREIGN_VAT: "-1_000.00", BANK: "-4_000.00"}
    )

    await company.on("2026-04-28")
    # The return of March in whole kroner: 1,657 - 1,275 = 382.
    paid = await company.enters(
        "Moms, marts", Item(OUTPUT_VAT, "1657.10"), Item(INPUT_VAT, "-1275.00"), Item(ROUNDING, "-0.10"),
        Item(BANK, "-382.00"),
    )  # fmt: skip
    assert sum(moved(paid).values()) == 0


async def april_is_over(company: Company) -> None:
    await company.on("2026-05-01")
    assert await company.balances("2026-04-30") == kroner(
        {
            HONEY: "-5_318.40",
            GOODS: "-2_953.00",  # 1,310.00 + 1,250.00 + 393.00
            HONEY_EU: "-10_580.35",
            GLASS: "2_000.00",
            GOODS_EU: "4_000.00",
            RENT: "3_000.00",
            OFFICE: "100.00",
            ROUNDING: "-0.10",
            LOSS: "9.91",
            DEBTORS: "1_562.50",  # the hives
            # 38,625.00 + 491.25 + 2,637.50 + 10,570.44 + 648.00 - 4,000.00 - 382.00
            BANK: "48_590.19",
            CAPITAL: "-40_000.00",
            OUTPUT_VAT: "-410.75",  # 312.50 + 98.25
            INPUT_VAT: "1_000.00",
            FOREIGN_VAT: "-1_000.00",
        }
    )
    vat = await company.turnover("2026-04-01", "2026-04-27", OUTPUT_VAT, INPUT_VAT, FOREIGN_VAT)
    # 312.50 + 98.25 = 410.75 on sales; the 1,000.00 on the extractor are owed and deducted.
    assert vat == kroner({OUTPUT_VAT: "-410.75", INPUT_VAT: "1_000.00", FOREIGN_VAT: "-1_000.00"})
    assert -sum(vat.values()) == Decimal("410.75")

    entries = await company.entries()
    # By hand: capital, glass, labels, their reversal, labels, rent, extractor, VAT: 8. Invoices: 5. Payments: two of
    # the stall, three of the café, one of the Germans: 6; and one taken back.
    assert [entry["entryNumber"] for entry in entries] == list(range(1, 21))
    found = await company.audit()
    assert found.fault is None
    assert (found.entries, found.attachments) == (20, 1)
