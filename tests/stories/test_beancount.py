"""Real books come in: what stands afterwards is what the `beancount` package makes of the same file."""

import random
from collections import defaultdict
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from io import StringIO
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from beancount import loader
from beancount.core import convert
from beancount.core.data import Transaction
from beancount.scripts import example
from tests.conftest import Api, new_company

from ledgerbee.core.money import places_of
from ledgerbee.ledger.imports import actions, reading, run, source, store
from ledgerbee.ledger.imports.model import ImportFormat, JournalImport, Refusal
from ledgerbee.ledger.verify import verify
from ledgerbee.platform.context import Context

Balances = dict[tuple[str, str], Decimal]


class Imported(NamedTuple):
    """An import that is over, with its errors and what stands on each account in each currency afterwards."""

    state: JournalImport
    errors: list[Refusal]
    balances: Balances
    base_balances: dict[str, Decimal]


async def imported(api: Api, file: Path, numbers: dict[str, int] | None = None) -> Imported:
    """Import a file as the command line does."""
    means = run.Means(api.database, api.clock, api.tenant)
    content = read(file)

    async def rows_of(state: JournalImport) -> run.Rows:
        return await reading.rows_of(means, state, source.File(file), include=reading.Folder(file), numbers=numbers)

    begun = await means.write(
        lambda context: actions.begin_here(
            context,
            ImportFormat.BEANCOUNT,
            file.name,
            content[:32].ljust(32),
            len(content),
            again=True,
            open_fiscal_years=True,
        )
    )
    state = await run.carry_out(means, begun.id, rows_of)
    errors = (await means.read(lambda context: store.list_errors(context, state.id, page=1, limit=100))).rows

    async def sums(context: Context) -> list[Any]:
        return await context.connection.fetch(
            "SELECT a.name, l.currency, sum(l.amount) AS amount, sum(l.base_amount) AS base_amount"
            " FROM journal_lines l JOIN accounts a ON a.company_id = l.company_id AND a.id = l.account_id"
            " WHERE l.company_id = $1 GROUP BY 1, 2",
            context.company_id,
        )

    balances: Balances = {}
    base_balances: dict[str, Decimal] = defaultdict(Decimal)
    for row in await means.read(sums):
        if row["amount"]:
            balances[row["name"], row["currency"]] = row["amount"]
        base_balances[row["name"]] += row["base_amount"]
    assert (await api.run(verify)).passed
    return Imported(state, list(errors), balances, base_balances)


def read(file: Path) -> bytes:
    return file.read_bytes()


def rounded(number: Decimal, currency: str) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places_of(currency)), rounding=ROUND_HALF_UP)


def expected(file: Path) -> Balances:
    """What stands on each account by the judge: units, or of what is held at cost its cost, rounded a posting."""
    entries, errors, _ = loader.load_file(str(file))
    assert not errors, errors
    balances: Balances = defaultdict(Decimal)
    for entry in entries:
        if not isinstance(entry, Transaction):
            continue
        off: dict[str, Decimal] = defaultdict(Decimal)
        for posting in entry.postings:
            weight = convert.get_weight(posting)  # type: ignore[no-untyped-call]
            held: Any = weight if posting.cost is not None else posting.units
            balances[posting.account, held.currency] += rounded(held.number, held.currency)
            off[weight.currency] += rounded(weight.number, weight.currency)
            if posting.cost is None and posting.price is not None:
                balances["Equity:Conversions", held.currency] -= rounded(held.number, held.currency)
                balances["Equity:Conversions", weight.currency] += rounded(weight.number, weight.currency)
        for currency, number in off.items():
            balances["Equity:Rounding", currency] -= number
    return {key: number for key, number in balances.items() if number}


def example_books(file: Path, seed: int, years: int) -> Path:
    """Books of an imagined person, as `bean-example` writes them."""
    random.seed(seed)
    output = StringIO()
    example.write_example_file(  # type: ignore[no-untyped-call]
        date(1980, 5, 12), date(2024 - years, 1, 1), date(2024, 6, 30), True, file=output
    )
    file.write_text(output.getvalue())
    return file


@pytest.mark.parametrize(("seed", "years"), [(1, 1), (2, 2), (3, 4), (4, 10)])
async def test_example_books(api: Api, tmp_path: Path, seed: int, years: int, us: Api) -> None:
    file = example_books(tmp_path / "example.beancount", seed, years)
    found = await imported(us, file)
    assert found.errors == []
    assert (found.state.status, found.state.error_count) == ("completed", 0)
    assert found.balances == expected(file)
    assert found.base_balances["Equity:Conversions"] == 0
    summary = found.state.summary
    assert summary is not None
    assert summary["balancesChecked"] > 10 * years
    rounding = {currency: number for (name, currency), number in found.balances.items() if name == "Equity:Rounding"}
    assert {currency: Decimal(text) for currency, text in summary["rounding"].items()} == rounding


@pytest.fixture
async def us(http: Any, database: Any, clock: Any) -> Api:
    """An American company: the example books are kept in dollars."""
    return await new_company(http, database, clock, "US")


BOOKS = """
option "title" "Everything"
option "operating_currency" "USD"
plugin "beancount.plugins.auto_accounts"
pushtag #pushed

2024-01-01 open Assets:Bank USD,EUR
2024-01-01 open Assets:Broker "FIFO"
2024-01-01 open Equity:Opening-Balances
2024-01-02 * "Opening"
  Assets:Bank:Dollars                    1,000.00 USD
  Assets:Bank:Euros                      (100 * 5 + 0.50) EUR @ 1.1 USD
  Equity:Opening-Balances

2024-01-03 txn "Café" "Two
lines of \\"narration\\""  #trip ^receipt-1
  document: "x.pdf"
  #late
  Assets:Bank:Euros    -20 EUR
  Expenses:Food         20 EUR
    note: "postings have metadata too"

2024-01-04 ! "Exchange in total"
  Assets:Bank:Euros      -100 EUR @@ 109.337 USD
  Assets:Bank:Dollars  109.34 USD

2024-01-05 * "Shares"
  Assets:Broker      10 HOOL {100.123 USD, "first"}
  Assets:Broker       5 HOOL {{510.00 USD}}
  Expenses:Fees    9.95 USD
  Assets:Bank:Dollars

2024-02-05 * "Sale from both lots"
  Assets:Broker          -12 HOOL {} @ 120 USD
  Assets:Bank:Dollars   1440 USD
  Income:Gains

2024-02-06 * "Nine euros of shares at a price, not at cost"
  Assets:Vouchers       3 GIFT @ 3.3333 EUR
  Assets:Bank:Euros

2024-02-07 * "Hours"
  Assets:Vacation      4.5 VACHR
  Income:Vacation

2024-02-08 * "Yen"
  Assets:Yen           1000 JPY @ 0.0067 USD
  Assets:Bank:Dollars  -6.70 USD

2024-02-08 * "Yen are spent"
  Expenses:Food         300 JPY
  Assets:Yen

2024-02-09 pad Assets:Cash Equity:Opening-Balances
2024-02-10 balance Assets:Cash  50.00 USD
2024-02-10 balance Assets:Broker  3 HOOL
2024-02-10 balance Assets:Bank:Euros  370.50 ~ 0.50 EUR
2024-02-10 price EUR 1.08 USD
2024-02-11 note Assets:Cash "Only words"
poptag #pushed
"""


async def test_everything_the_language_says_of_entries(us: Api, tmp_path: Path) -> None:
    file = tmp_path / "books.beancount"
    file.write_text(BOOKS)
    found = await imported(us, file)
    assert found.errors == []
    assert found.balances == expected(file)
    assert found.base_balances["Equity:Conversions"] == 0
    assert found.state.summary is not None
    assert found.state.summary["skipped"] == {"plugin": 1, "price": 1, "note": 1}
    listed = (await us.get("/v1/journal-entries?search=Café")).json()["data"]
    (coffee,) = listed
    assert coffee["description"] == 'Café | Two\nlines of "narration"'
    assert (coffee["currency"], len(coffee["tagIds"])) == ("EUR", 4)


async def test_what_is_wrong_is_told_by_line_and_the_rest_is_imported(us: Api, tmp_path: Path) -> None:
    file = tmp_path / "bad.beancount"
    file.write_text(
        'option "operating_currency" "USD"\n'
        "2024-01-01 open Assets:Cash\n"
        '2024-01-02 * "Good"\n  Assets:Cash  10.00 USD\n  Income:Work\n'
        '2024-01-03 * "Unbalanced"\n  Assets:Cash  10.00 USD\n  Income:Work  -9.00 USD\n'
        '2024-01-04 * "Half"\n  Assets:Cash  1O.00 USD\n  Income:Work  -10.00 USD\n'
        "2024-13-01 open Assets:Never\n"
        "something else\n"
        '2024-01-05 * "Two are silent"\n  Assets:Cash\n  Income:Work\n'
        '2024-01-06 * "Lots"\n  Assets:Cash  -3 HOOL {5.00 USD}\n  Assets:Cash  3 HOOL {6.00 USD}\n'
        '2024-01-07 * "Never closed\n  Assets:Cash 1 USD\n'
        "2024-01-08 balance Assets:Cash  99.00 USD\n"
        'include "nowhere.beancount"\n'
        '1850-01-08 * "Too early"\n  Assets:Cash  1.00 USD\n  Income:Work\n'
        '2024-01-09 * "Good too"\n  Assets:Cash  5.00 USD\n  Income:Work\n'
    )
    found = await imported(us, file)
    assert [error.line for error in found.errors] == sorted(error.line for error in found.errors)
    told = {error.line: error.message for error in found.errors}
    assert "doesn't balance" in told[6]
    assert "unexpected" in told[10]
    assert "month" in told[12]
    assert "no such directive" in told[13]
    assert "more than one posting" in told[14]
    assert "unexpected" in told[20]
    assert "holds 10 USD" in told[22]
    assert [error.code for error in found.errors if error.line == 22] == ["JOURNAL_IMPORT_BALANCE_DIFFERS"]
    assert "nowhere" in told[23]
    assert "fiscal year" in told[24]
    assert len(told) == 10, told
    assert found.balances["Assets:Cash", "USD"] == 15


async def test_mapped_accounts_included_files_and_names_of_kinds(us: Api, tmp_path: Path) -> None:
    accounts = {account["name"]: account for account in (await us.get("/v1/accounts")).json()}
    bank = next(a for a in accounts.values() if a["ledgerType"] == "BALANCE_SHEET" and not a["controlAccountType"])
    (tmp_path / "years").mkdir()
    (tmp_path / "years/2024.beancount").write_text(
        '2024-01-02 * "Included"\n  Aktiver:Bank  10.00 USD\n  Indtægter:Arbejde  -10.00 USD\n'
    )
    file = tmp_path / "main.beancount"
    file.write_text(
        'option "operating_currency" "USD"\noption "name_assets" "Aktiver"\noption "name_income" "Indtægter"\n'
        'include "years/*.beancount"\n'
        '2024-01-03 * "Here"\n  Aktiver:Bank  1.00 USD\n  Indtægter:Arbejde  -1.00 USD\n'
    )
    found = await imported(us, file, {"Aktiver:Bank": bank["accountNumber"]})
    assert found.errors == []
    assert found.balances == {(bank["name"], "USD"): 11, ("Indtægter:Arbejde", "USD"): -11}
    made = {account["name"]: account for account in (await us.get("/v1/accounts")).json()}["Indtægter:Arbejde"]
    assert (made["accountNumber"], made["accountClassification"]) == (4_000_001, "REVENUE")
    wrong = await imported(us, file, {"Aktiver:Bank": 77})
    assert wrong.state.status == "failed"
    assert "77" in (wrong.state.failure or "")


async def test_books_in_another_currency_are_refused_whole(api: Api, tmp_path: Path) -> None:
    file = example_books(tmp_path / "example.beancount", 1, 1)
    found = await imported(api, file)
    assert found.state.status == "failed"
    assert found.state.failure is not None
    assert "USD" in found.state.failure
    assert found.balances == {}


async def test_an_import_goes_on_where_it_stopped(us: Api, tmp_path: Path) -> None:
    """Each run ends after its first chunk, until none is left."""
    file = example_books(tmp_path / "example.beancount", 5, 3)
    means = run.Means(us.database, us.clock, us.tenant)
    content = read(file)
    begun = await means.write(
        lambda context: actions.begin_here(
            context, ImportFormat.BEANCOUNT, file.name, content[:32], len(content), again=True, open_fiscal_years=True
        )
    )

    async def rows_of(state: JournalImport) -> run.Rows:
        return await reading.rows_of(means, state, source.File(file))

    runs = 0
    state = begun
    while not state.is_over:
        state = await run.carry_out(means, begun.id, rows_of, is_time_over=lambda: True)
        runs += 1
    assert runs > 3
    assert (state.status, state.error_count) == ("completed", 0)
    trial = (await us.get("/v1/reports/trial-balance?fromDate=2015-01-01&toDate=2025-12-31")).json()
    by_name = {row["name"]: Decimal(row["closing"]) for row in trial["rows"] if row["closing"]}
    dollars = {name: number for (name, currency), number in expected(file).items() if currency == "USD"}
    assert {name: by_name[name] for name in dollars} == dollars
