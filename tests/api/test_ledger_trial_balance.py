"""The trial balance on real books, against the plain sum of all lines."""

import random
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio
from tests.conftest import Api, SteeredClock, new_company
from tests.ledger_books import BANK, CAPITAL, GOODS, RETAINED, SALES, Books, books_of

from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.ledger.reports.trial_balance.actions import trial_balance
from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database

PATH = "/v1/reports/trial-balance"
BOOKED = (SALES, GOODS, BANK, CAPITAL)


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


async def report(api: Api, **query: str) -> dict[str, Any]:
    answer = await api.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["totals"]["opening"] == body["totals"]["closing"] == "0.00"
    assert body["totals"]["debit"] == body["totals"]["credit"]
    return body


def row(body: Mapping[str, Any], number: int) -> tuple[str | None, ...]:
    (one,) = [one for one in body["rows"] if one["accountNumber"] == number]
    return one["opening"], one["debit"], one["credit"], one["closing"]


async def test_it_opens_with_the_fiscal_year_and_runs_to_today(books: Books) -> None:
    await books.open_years(2025)
    await books.post(
        books.entry("2025-12-31", [books.line(BANK, "500.00"), books.line(CAPITAL, "-500.00")]),
        books.sale("2025-06-30", "40.00"),
        books.sale("2026-01-01", "10.00"),
        books.sale("2026-03-16", "3.00"),
        books.sale("2026-03-17", "900.00"),
    )
    body = await report(books.api)
    assert (body["fromDate"], body["toDate"], body["currency"]) == ("2026-01-01", "2026-03-16", "DKK")
    assert (body["fiscalYearStart"], body["fiscalYearEnd"]) == ("2026-01-01", "2026-12-31")
    assert row(body, BANK) == ("540.00", "13.00", "0.00", "553.00")
    assert row(body, CAPITAL) == ("-500.00", "0.00", "0.00", "-500.00")
    assert row(body, SALES) == ("0.00", "0.00", "13.00", "-13.00")
    assert row(body, RETAINED) == ("-40.00", "0.00", "0.00", "-40.00")
    assert body["priorYearsResult"] == "-40.00"
    assert row(body, 4999) == ("0.00", "0.00", "13.00", "-13.00")  # the year's result, a total
    assert row(body, 6499) == ("540.00", "13.00", "0.00", "553.00")  # assets, a total
    assert row(body, 6502) == (None, None, None, None)  # a heading
    assert body["totals"]["debit"] == "13.00"
    numbers = [one["accountNumber"] for one in body["rows"]]
    assert numbers == sorted(numbers)


async def test_it_opens_in_the_middle_of_a_month_and_year(books: Books) -> None:
    await books.open_years(2025)
    await books.post(
        books.sale("2025-11-11", "1.00"),
        books.sale("2026-02-09", "2.00"),
        books.sale("2026-02-10", "4.00"),
        books.sale("2026-02-20", "8.00"),
        books.sale("2026-02-21", "16.00"),
    )
    body = await report(books.api, fromDate="2026-02-10", toDate="2026-02-20")
    assert row(body, BANK) == ("3.00", "12.00", "0.00", "15.00")
    assert row(body, SALES) == ("-2.00", "0.00", "12.00", "-14.00")
    assert row(body, RETAINED) == ("-1.00", "0.00", "0.00", "-1.00")


async def test_one_date_alone_says_the_other(books: Books) -> None:
    body = await report(books.api, fromDate="2025-05-05")
    assert (body["fromDate"], body["toDate"], body["fiscalYearStart"]) == ("2025-05-05", "2026-03-16", "2025-01-01")
    body = await report(books.api, toDate="2024-02-29")
    assert (body["fromDate"], body["toDate"]) == ("2024-01-01", "2024-02-29")
    body = await report(books.api, fromDate="2030-07-01")
    assert (body["fromDate"], body["toDate"]) == ("2030-07-01", "2030-12-31")


async def test_a_foreign_currency_counts_in_base_currency(books: Books) -> None:
    lines = [books.line(BANK, "100.00", "746.05"), books.line(SALES, "-100.00", "746.05")]
    await books.post(
        books.entry("2026-01-05", lines, currency="EUR", exchange_rate=Decimal("7.4605")),
        books.sale("2026-01-05", "1.00"),
    )
    assert row(await report(books.api), BANK) == ("0.00", "747.05", "0.00", "747.05")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"fromDate": "2026-03-02", "toDate": "2026-03-01"}, "toDate"),
        ({"fromDate": "1899-12-31"}, "fromDate"),
        ({"toDate": "3000-01-01"}, "toDate"),
        ({"fromDate": "9999-12-31"}, "fromDate"),
        ({"toDate": "2026-13-01"}, "toDate"),
    ],
)
async def test_days_that_make_no_sense_are_refused(api: Api, query: dict[str, str], name: str) -> None:
    answer = await api.get(PATH, params=query)
    assert answer.status_code == 400
    assert [problem["property"] for problem in answer.json()["details"]["validationErrors"]] == [name]


async def test_any_span_equals_the_sum_of_its_lines(books: Books) -> None:
    """Whatever the months' totals and the cut days make of it, it is what the lines say."""
    dice = random.Random(20260316)  # noqa: S311  a repeatable choice, not a secret
    entries: list[EntryToPost] = []
    for _ in range(400):
        amount = f"{dice.randint(0, 10_000) / Decimal(100)}"
        debit, credit = dice.sample(BOOKED, 2)
        day = date(2025, 1, 1) + timedelta(days=dice.randrange(730))
        entries.append(books.entry(day, [books.line(debit, amount), books.line(credit, f"-{amount}")]))
    await books.open_years(2025)
    await books.post(*entries)
    numbers = {account_id: number for number, account_id in books.accounts.items()}
    flat = [
        (numbers[line.account_id], entry.date, line.amount if line.side == "DEBIT" else -line.amount)
        for entry in entries
        for line in entry.lines
    ]
    for _ in range(40):
        first, last = sorted(date(2025, 1, 1) + timedelta(days=dice.randrange(730)) for _ in range(2))
        year = date(first.year, 1, 1)

        async def work(context: Context, first: date = first, last: date = last) -> Any:
            return await trial_balance(context, first, last)

        found = {row.account_number: row.balances for row in (await books.api.run(work)).rows}
        for number in BOOKED:
            opens = date.min if number in {BANK, CAPITAL} else year
            inside = [amount for one, day, amount in flat if one == number and first <= day <= last]
            balances = found[number]
            assert balances is not None
            assert balances.opening == sum(a for one, day, a in flat if one == number and opens <= day < first)
            assert balances.debit == sum(amount for amount in inside if amount > 0)
            assert balances.credit == -sum(amount for amount in inside if amount < 0)
        carried = sum(a for one, day, a in flat if one in {SALES, GOODS} and day < year)
        retained = found[RETAINED]
        assert retained is not None
        assert retained.opening == carried


@pytest.mark.parametrize("country", ["DK", "US"])
async def test_assets_equal_equity_and_liabilities_whatever_is_asked_for(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock, country: str
) -> None:
    """Entries on any account of a new chart and of one that was added, over three years, none of them closed."""
    books = await books_of(await new_company(http, database, clock, country))
    chart = (await books.api.get("/v1/accounts")).json()
    plain = [a["accountNumber"] for a in chart if a["accountClassification"] and not a["controlAccountType"]]
    fixed = {"ledgerType": "BALANCE_SHEET", "accountClassification": "ASSET", "name": "Far from the rest"}
    made = await books.api.post("/v1/accounts", {"accountNumber": 2_000_001, **fixed})
    books.accounts[2_000_001] = UUID(made.json()["id"])
    await books.open_years(2024)
    dice = random.Random(1390)  # noqa: S311  a repeatable choice, not a secret
    entries = []
    for _ in range(300):
        amount = f"{dice.randint(1, 100_000) / Decimal(100)}"
        debit, credit = dice.sample([*plain, 2_000_001], 2)
        day = date(2024, 1, 1) + timedelta(days=dice.randrange(1096))
        entries.append(books.entry(day, [books.line(debit, amount), books.line(credit, f"-{amount}")]))
    await books.post(*entries)
    lines = (6499, 9999, 4999, 6945) if country == "DK" else (1999, 2999, 8999, 2695)
    for _ in range(15):
        first, last = sorted(date(2024, 1, 1) + timedelta(days=dice.randrange(1096)) for _ in range(2))
        body = await report(books.api, fromDate=str(first), toDate=str(last))
        found = {one["accountNumber"]: one for one in body["rows"]}
        assets, whole, result, in_equity = (found[number] for number in lines)
        for column in ("opening", "closing"):
            assert Decimal(assets[column]) == -Decimal(whole[column])
        columns = ("opening", "debit", "credit", "closing")
        assert [result[column] for column in columns] == [in_equity[column] for column in columns]


async def test_the_years_result_stands_in_equity_until_an_entry_moves_it(books: Books) -> None:
    await books.open_years(2025)
    await books.post(books.sale("2025-06-30", "40.00"), books.sale("2026-01-05", "13.00"))
    body = await report(books.api, toDate="2026-02-01")
    assert row(body, RETAINED) == ("-40.00", "0.00", "0.00", "-40.00")  # no entry closed 2025
    assert row(body, 6945) == row(body, 4999) == ("0.00", "0.00", "13.00", "-13.00")
    assert row(body, 6950) == row(body, 6971) == row(body, 9999) == ("-40.00", "0.00", "13.00", "-53.00")
    closing = [books.line(SALES, "13.00"), books.line(RETAINED, "-13.00")]
    await books.post(books.entry("2026-02-01", closing))
    body = await report(books.api, toDate="2026-02-01")
    assert row(body, 6945) == ("0.00", "13.00", "13.00", "0.00")
    assert row(body, RETAINED)[3] == "-53.00"
    assert row(body, 9999)[3] == "-53.00"


@pytest.mark.parametrize(
    ("number", "total", "apart"),
    [
        (2866, 2990, 3100),  # the holiday pay obligation is staff costs
        (2898, 2990, 2840),  # ATP too
        (3740, 3790, 3702),  # tax is no financial item
        (6140, 6181, 6411),  # stock is no receivable
        (1801, 1810, 2831),  # production costs are costs of sales
        (7780, 7849, 8036),  # electricity tax owed goes with VAT
        (5602, 5771, 6491),  # accumulated depreciation is in fixed assets
    ],
)
async def test_an_account_counts_in_its_own_item(books: Books, number: int, total: int, apart: int) -> None:
    await books.post(books.entry("2026-01-05", [books.line(number, "7.00"), books.line(CAPITAL, "-7.00")]))
    body = await report(books.api)
    assert row(body, total) == ("0.00", "7.00", "0.00", "7.00")
    assert row(body, apart) == ("0.00", "0.00", "0.00", "0.00")
