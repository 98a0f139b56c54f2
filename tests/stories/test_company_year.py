"""A Danish company's year, written out, booked over the API, and computed beside it by plain arithmetic."""

import re
import sys
from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio
from tests.conftest import SteeredClock, new_company
from tests.ledger_books import Books
from tests.stories.company_year import closing, diary, law, ledger
from tests.stories.company_year import oracle as oracle_module
from tests.stories.company_year.bookkeeper import Bookkeeper
from tests.stories.company_year.diary import Event, read_year
from tests.stories.company_year.ledger import CREDITORS, DEBTORS, kroner
from tests.stories.company_year.oracle import Accountant
from tests.stories.company_year.people import CATALOGUE, CUSTOMERS, VENDORS
from tests.stories.harness.figures import BOOKABLE, moved, signed

from ledgerbee.platform.db import Database

YEAR: Final = read_year()
QUARTERS: Final = {
    1: (date(2026, 1, 1), date(2026, 3, 31)),
    2: (date(2026, 4, 1), date(2026, 6, 30)),
    3: (date(2026, 7, 1), date(2026, 9, 30)),
    4: (date(2026, 10, 1), date(2026, 12, 31)),
}
each_quarter = pytest.mark.parametrize("quarter", QUARTERS)
#: The accounts of the VAT return's boxes.
BOXES: Final = (law.OUTPUT, law.FOREIGN_GOODS, law.FOREIGN_SERVICES, law.INPUT)


@pytest.fixture(scope="module")
def oracle() -> Accountant:
    accountant = Accountant({name: body["vatZone"] for name, (_, body) in CUSTOMERS.items()}, CATALOGUE)
    accountant.keep(YEAR)
    return accountant


@pytest_asyncio.fixture(scope="module")
async def bookkeeper(http: httpx.AsyncClient, database: Database, module_clock: SteeredClock) -> Bookkeeper:
    """The year as the product keeps it."""
    module_clock.now = datetime(2026, 1, 1, 8, tzinfo=UTC)
    keeper = Bookkeeper(await new_company(http, database, module_clock))
    await keeper.set_up()
    months: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in YEAR:
        months[event.day.year, event.day.month].append(event)
    for events in months.values():
        await keeper.keep(events)
    return keeper


@pytest_asyncio.fixture(scope="module")
async def entries(bookkeeper: Bookkeeper) -> list[dict[str, Any]]:
    """All entries, over the API."""
    found: list[dict[str, Any]] = []
    while True:
        query = {"limit": 100, "page": len(found) // 100 + 1}
        page = await bookkeeper.ok("GET", "/v1/journal-entries", params=query)
        found += page["data"]
        if len(found) >= page["total"]:
            return found


def test_the_oracle_knows_nothing_of_the_product() -> None:
    modules = (closing, diary, law, ledger, oracle_module)
    for module in modules:
        text = Path(module.__file__ or "").read_text(encoding="utf-8")
        imported = set(re.findall(r"^\s*(?:from|import) ([\w.]+)", text, re.MULTILINE))
        foreign = imported - {"tests.stories.company_year"} - {module.__name__ for module in modules}
        assert imported
        assert foreign <= sys.stdlib_module_names | {"collections.abc"}


def test_the_year_is_a_whole_one() -> None:
    kinds = Counter(event.kind for event in YEAR)
    assert sum(kinds.values()) - kinds["lock"] >= 150
    assert {event.currency for event in YEAR} == {"DKK", "EUR", "USD"}
    assert {event.day.month for event in YEAR if event.day.year == 2026} == set(range(1, 13))
    used = {item.code for event in YEAR for item in event.items if item.code}
    sold = {"S01", "S02", "S21", "S23", "S41", "S42", "S82"}
    assert law.CODES.keys() - used - sold == set()


async def trial_balance(bookkeeper: Bookkeeper, quarter: int) -> list[dict[str, Any]]:
    """The rows of the quarter's trial balance that have figures."""
    first, last = (day.isoformat() for day in QUARTERS[quarter])
    report = await bookkeeper.ok("GET", "/v1/reports/trial-balance", params={"fromDate": first, "toDate": last})
    assert {name: report["totals"][name] for name in ("opening", "closing")} == {"opening": "0.00", "closing": "0.00"}
    assert report["totals"]["debit"] == report["totals"]["credit"]
    figures = ("opening", "debit", "credit", "closing")
    return [
        row | {name: Decimal(row[name]) for name in figures} for row in report["rows"] if row["closing"] is not None
    ]


@each_quarter
async def test_every_account_of_the_quarter(bookkeeper: Bookkeeper, oracle: Accountant, quarter: int) -> None:
    first, last = QUARTERS[quarter]
    rows = {
        row["accountNumber"]: row for row in await trial_balance(bookkeeper, quarter) if row["ledgerType"] in BOOKABLE
    }
    assert {posting.account for posting in oracle.postings} <= rows.keys()
    expected = {
        number: (
            kroner(oracle.balance(number, last) - oracle.balance(number, last, first)),
            kroner(oracle.balance(number, last, first)),
            kroner(oracle.balance(number, last)),
        )
        for number in rows
    }
    found = {number: (row["opening"], row["debit"] - row["credit"], row["closing"]) for number, row in rows.items()}
    assert differences(found, expected) == {}


def differences(found: dict[Any, Any], expected: dict[Any, Any]) -> dict[Any, Any]:
    """What differs: found and expected, by key."""
    return {key: (found.get(key), value) for key, value in expected.items() if found.get(key) != value}


@each_quarter
async def test_assets_are_liabilities_equity_and_result(
    bookkeeper: Bookkeeper, oracle: Accountant, quarter: int
) -> None:
    """The account numbers of the standard chart: 1010-4999 the result, 5010-6499 assets, 6510-9999 the other side."""
    last = QUARTERS[quarter][1]

    def closing(*numbers: int) -> Decimal:
        return kroner(sum((oracle.balance(number, last) for number in range(*numbers)), Fraction(0)))

    result, assets = closing(1010, 5000), closing(5010, 6500)
    rows = {row["accountNumber"]: row["closing"] for row in await trial_balance(bookkeeper, quarter)}
    assert rows[4999] == rows[6945] == result < 0 < assets
    assert rows[6499] == assets == -(closing(6510, 10000) + result)
    assert rows[9999] == -assets


def by_code(oracle: Accountant, quarter: int) -> dict[tuple[str, str], Decimal]:
    """What stands in the oracle's books by VAT code: the base, and the tax on each account of the return."""
    first, last = QUARTERS[quarter]
    found: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for posting in oracle.postings:
        if posting.code is None or not first <= posting.day <= last:
            continue
        if posting.is_base:
            found[posting.code, "base"] += posting.kroner
        elif posting.account in BOXES:
            found[posting.code, str(posting.account)] += posting.kroner
    return {key: kroner(amount) for key, amount in found.items() if amount}


def booked_by_code(
    entries: list[dict[str, Any]], codes: dict[str, str], quarter: int
) -> dict[tuple[str, str], Decimal]:
    """The same of the product's journal lines."""
    first, last = (day.isoformat() for day in QUARTERS[quarter])
    names = {code_id: code for code, code_id in codes.items()}
    found: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for entry in entries:
        for line in entry["lines"]:
            if line["vatCodeId"] is None or not first <= entry["date"] <= last:
                continue
            if line["lineType"] == "ENTERED":
                found[names[line["vatCodeId"]], "base"] += signed(line)
            elif line["accountNumber"] in BOXES:
                found[names[line["vatCodeId"]], str(line["accountNumber"])] += signed(line)
    return {key: amount for key, amount in found.items() if amount}


@each_quarter
async def test_vat_by_code(
    bookkeeper: Bookkeeper, oracle: Accountant, entries: list[dict[str, Any]], quarter: int
) -> None:
    expected = by_code(oracle, quarter)
    found = booked_by_code(entries, bookkeeper.codes, quarter)
    assert differences(found, expected) == {}
    assert found.keys() == expected.keys()


#: The VAT returns of the year in whole kroner (ML § 57(1)), as they were filed. By hand, of the first quarter: rubric A
#: services: EUR 458.50 x 7.4622 + 3,417.60 + 2,988.40 = 9,827.42; rubric B services: EUR 3,737.48 x 7.4640 = 27,896.55.
RETURNS: Final = {
    1: {
        "output VAT": 130074, "VAT on foreign goods": 47682, "VAT on foreign services": 3338, "input VAT": 94398,
        "A goods": 91988, "A services": 9827, "B goods": 212890, "B services": 27897, "C": 349796,
    },
    2: {
        "output VAT": 91611, "VAT on foreign goods": 69852, "VAT on foreign services": 2958, "input VAT": 96183,
        "A goods": 279409, "A services": 9029, "B goods": 390931, "B services": 8109, "C": 590057,
    },
    3: {
        "output VAT": 106749, "VAT on foreign goods": 56396, "VAT on foreign services": 9172, "input VAT": 95485,
        "A goods": 74208, "A services": 21580, "B goods": 112758, "B services": 17695, "C": 298725,
    },
    4: {
        "output VAT": 94880, "VAT on foreign goods": 28757, "VAT on foreign services": 2270, "input VAT": 58934,
        "A goods": 59716, "A services": 6233, "B goods": 438174, "B services": 55525, "C": 97142,
    },
}  # fmt: skip


def the_return(figures: dict[tuple[str, str], Decimal], by_regulation: Decimal) -> dict[str, int]:
    """The boxes of a VAT return, from figures by code; `by_regulation` is input VAT that has no base."""
    names = dict(
        zip(BOXES, ("output VAT", "VAT on foreign goods", "VAT on foreign services", "input VAT"), strict=True)
    )
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for (code, what), amount in figures.items():
        if what != "base":
            name = names[int(what)]
            sums[name] += amount if name == "input VAT" else -amount
        elif box := law.CODES[code].box:
            sums[box] += amount if code.startswith("K") else -amount
    sums["input VAT"] += by_regulation
    return {name: int(law.whole(Fraction(amount))) for name, amount in sums.items()}


@each_quarter
async def test_vat_returns(
    bookkeeper: Bookkeeper, oracle: Accountant, entries: list[dict[str, Any]], quarter: int
) -> None:
    regulation = [p.kroner for p in oracle.postings if p.key == "J1214" and p.account == law.INPUT]
    filed = the_return(by_code(oracle, quarter), kroner(sum(regulation, Fraction(0))) if quarter == 4 else Decimal(0))
    assert filed == RETURNS[quarter]
    # What is settled is what is filed.
    settlement = next(
        event for event in YEAR if event.options.get("rule") == "vat" and event.day == QUARTERS[quarter][1]
    )
    (settled,) = [item.amount for item in settlement.items if item.account == law.PAYABLE]
    taxes = [filed[name] for name in ("output VAT", "VAT on foreign goods", "VAT on foreign services")]
    assert -settled == sum(taxes) - filed["input VAT"]


async def test_what_each_customer_and_vendor_owes(
    bookkeeper: Bookkeeper, oracle: Accountant, entries: list[dict[str, Any]]
) -> None:
    found: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for line in entry["lines"]:
            if line["accountNumber"] in {DEBTORS, CREDITORS}:
                found[entry["customerId"] or entry["vendorId"]] += signed(line)
    expected = {
        name: kroner(oracle.owed(account, name))
        for names, account in ((CUSTOMERS, DEBTORS), (VENDORS, CREDITORS))
        for name in names
    }
    assert differences({name: found[bookkeeper.parties[name]] for name in expected}, expected) == {}
    assert sum(found.values()) == sum(expected.values())


def test_what_the_accountant_wrote_follows_from_the_law(oracle: Accountant) -> None:
    """Wages, settlements, depreciation, tax, exchange differences: the diary's own figures are those of the rules."""
    derived = [event for event in YEAR if "rule" in event.options or "fc" in event.options]
    assert len(derived) > 50
    for event in derived:
        written: Counter[int] = Counter()
        for item in event.items:
            written[item.account] += item.amount  # type: ignore[assignment]
        if event.kind == "pay":
            written[CREDITORS] += event.amount  # type: ignore[assignment]
        computed: dict[int, Fraction] = defaultdict(Fraction)
        for posting in oracle.postings:
            if posting.key == event.key:
                computed[posting.account] += posting.kroner
        assert {account: kroner(amount) for account, amount in computed.items() if amount} == dict(written), event.key


async def test_the_auditor_finds_nothing(bookkeeper: Bookkeeper, entries: list[dict[str, Any]]) -> None:
    found = await Books(bookkeeper.api, {}).verify()
    assert found.fault is None
    assert found.entries == len(entries) == sum(event.kind != "lock" for event in YEAR)


async def test_invoices_have_numbers_without_a_gap_and_what_is_due_on_them(
    bookkeeper: Bookkeeper, oracle: Accountant
) -> None:
    keys = [event.key for event in YEAR if event.kind == "invoice"]
    invoices = [await bookkeeper.ok("GET", f"/v1/invoices/{bookkeeper.invoices[key]}") for key in keys]
    assert [invoice["number"] for invoice in invoices] == [str(number) for number in range(1, len(keys) + 1)]
    for key, invoice in zip(keys, invoices, strict=True):
        due = kroner(oracle.open[key].units)
        assert Decimal(invoice["amountDue"]) == due, key
        untouched = due == Decimal(invoice["amount"]) > 0
        assert invoice["status"] == ("paid" if due == 0 else "sent" if untouched else "partially_paid"), key


async def test_the_next_year_opens_with_the_result_in_equity(bookkeeper: Bookkeeper, oracle: Accountant) -> None:
    query = {"fromDate": "2027-01-01", "toDate": "2027-01-31"}
    report = await bookkeeper.ok("GET", "/v1/reports/trial-balance", params=query)
    rows = {row["accountNumber"]: row for row in report["rows"]}
    end = QUARTERS[4][1]
    result = sum((oracle.balance(number, end) for number in range(1010, 4999)), Fraction(0))
    assert Decimal(report["priorYearsResult"]) == kroner(result)
    assert Decimal(rows[6935]["opening"]) == kroner(result + oracle.balance(6935, end))
    profit_and_loss = [row for row in rows.values() if row["ledgerType"] == "PROFIT_AND_LOSS"]
    assert {Decimal(row["opening"]) for row in profit_and_loss} == {Decimal(0)}
    assert report["totals"]["opening"] == "0.00"
    for number, row in rows.items():
        if row["ledgerType"] == "BALANCE_SHEET" and number != 6935:
            assert Decimal(row["opening"]) == kroner(oracle.balance(number, end)), number


#: Worked out by hand, debit positive; how stands beside each in the diary.
BY_HAND: Final = {
    # Rent: 28,125.00 contain 5,625.00; 93 % are deducted.
    "B0103": {2030: "22893.75", 7740: "5231.25", 7440: "-28125.00"},
    # EUR 6,247.35 at 7.4611; the tax is of the kroner.
    "B0105": {1630: "46612.10", 7740: "11653.03", 7700: "-11653.03", 7440: "-46612.10"},
    # 249.99 of VAT as stated, 93 % deducted.
    "B0107": {2450: "1017.50", 7740: "232.49", 7440: "-1249.99"},
    # Representation: a quarter of 168.75.
    "B0108": {1910: "801.56", 7740: "42.19", 7440: "-843.75"},
    # EUR 3,150.00: opened at 7.46, paid at 7.4582.
    "P0102": {7440: "23499.00", 6480: "-23493.33", 3535: "-5.67"},
    # A customs value of 98,742.00.
    "J0201": {1650: "0.00", 7740: "24685.50", 7700: "-24685.50"},
    # A Danish bill in euros at 7.4619: VAT of 237.53 in full, a quarter of 49.88.
    "B0209": {1870: "7089.70", 1910: "1767.94", 7740: "1865.48", 7440: "-10723.12"},
    # The margin scheme: a fifth of 4,500.00.
    "C0301": {6190: "12000.00", 1010: "-11100.00", 7680: "-900.00"},
    # A credit note for the quarter before, at the rate of the bill.
    "B0404": {1630: "-3076.21", 7740: "-769.05", 7700: "769.05", 7440: "3076.21"},
    # An asset of EUR 25,125.40 at 7.4680.
    "B0504": {5580: "187636.49", 7740: "46909.12", 7700: "-46909.12", 7440: "-187636.49"},
    # Two thirds of 359.99.
    "B0511": {2450: "1559.96", 7740: "239.99", 7440: "-1799.95"},
    # A price that contains the tax.
    "C0601": {6190: "1250.01", 1010: "-1000.01", 7680: "-250.00"},
    # Five sensors taken back.
    "C1001": {6190: "-43096.25", 1010: "34477.00", 7680: "8619.25"},
    # A debtor's bankruptcy.
    "C1101": {6190: "-27836.25", 2280: "22269.00", 7680: "5567.25"},
}


@pytest.mark.parametrize("key", BY_HAND)
async def test_figures_by_hand(bookkeeper: Bookkeeper, oracle: Accountant, key: str) -> None:
    expected = {number: Decimal(amount) for number, amount in BY_HAND[key].items()}
    computed: dict[int, Fraction] = defaultdict(Fraction)
    for posting in oracle.postings:
        if posting.key == key:
            computed[posting.account] += posting.kroner
    assert {number: kroner(amount) for number, amount in computed.items()} == expected
    entry = await bookkeeper.ok("GET", f"/v1/journal-entries/{bookkeeper.entries[key]}")
    assert moved(entry) == expected
