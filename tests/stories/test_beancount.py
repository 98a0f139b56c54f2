"""Real books come in: what stands afterwards is what the `beancount` package makes of the same file."""

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from tests.beancount_books import HEAD, expected, imported, nothing_was_made
from tests.conftest import Api

from ledgerbee.app.beancount.importing import begin_import
from ledgerbee.app.beancount.model import BooksRefusedError
from ledgerbee.chart.accounts.model import LedgerType
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports import run
from ledgerbee.platform.db import CompanySession


def example_books(file: Path, seed: int, years: int) -> Path:
    """Books of an imagined person, as `bean-example` writes them."""
    dates = ("--date-birth", "1980-05-12", "--date-begin", f"{2024 - years}-01-01", "--date-end", "2024-06-30")
    program = Path(sys.executable).with_name("bean-example")
    subprocess.run([program, "--seed", str(seed), *dates, "-o", file], check=True, capture_output=True, timeout=60)
    return file


async def closing_balances(api: Api) -> dict[str, Decimal]:
    """The accounts of the trial balance that aren't zero; its totals have to agree."""
    trial = (await api.get("/v1/reports/trial-balance?fromDate=2010-01-01&toDate=2025-12-31")).json()
    closing = {row["name"]: (row["ledgerType"], Decimal(row["closing"] or 0)) for row in trial["rows"]}
    assert closing["Total assets"][1] == -closing["Total equity and liabilities"][1]
    bookable = {LedgerType.BALANCE_SHEET, LedgerType.PROFIT_AND_LOSS}
    return {name: number for name, (ledger_type, number) in closing.items() if number and ledger_type in bookable}


@pytest.mark.parametrize(("seed", "years"), [(1, 1), (2, 2), (3, 4), (4, 10)])
async def test_example_books(us: Api, tmp_path: Path, seed: int, years: int) -> None:
    file = example_books(tmp_path / "example.beancount", seed, years)
    found = await imported(us, file)
    assert found.errors == []
    assert (found.state.status, found.state.error_count) == ("completed", 0)
    assert found.balances == expected(file)
    assert found.base_balances.get("Equity:Conversions", 0) == 0
    assert await closing_balances(us) == {name: number for name, number in found.base_balances.items() if number}
    summary = found.state.summary
    assert summary is not None
    rounding = {currency: number for (name, currency), number in found.balances.items() if name == "Equity:Rounding"}
    assert {currency: Decimal(text) for currency, text in summary["rounding"].items()} == rounding
    assert summary["accountsCreated"] == len(found.base_balances)


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
    assert found.state.summary["transactions"] == 10
    listed = (await us.get("/v1/journal-entries?search=Café")).json()["data"]
    (coffee,) = listed
    assert coffee["description"] == 'Café | Two\nlines of "narration"'
    assert (coffee["currency"], len(coffee["tagIds"])) == ("EUR", 4)


async def test_books_with_errors_are_refused_whole_and_every_error_is_told(us: Api, tmp_path: Path) -> None:
    file = tmp_path / "bad.beancount"
    file.write_text(
        HEAD + "2024-01-01 open Assets:Cash\n"
        '2024-01-02 * "Good" #tag\n  Assets:Cash  10.00 USD\n  Income:Work\n'
        '2024-01-03 * "Unbalanced"\n  Assets:Cash  10.00 USD\n  Income:Work  -9.00 USD\n'
        '2024-01-04 * "Half"\n  Assets:Cash  1O.00 USD\n  Income:Work  -10.00 USD\n'
        "2024-13-01 open Assets:Never\n"
        '2024-01-05 * "Two are silent"\n  Assets:Cash\n  Income:Work\n'
        '2024-01-06 * "Lots"\n  Assets:Cash  -3 HOOL {5.00 USD}\n  Assets:Cash  3 HOOL {6.00 USD}\n'
        "2024-01-08 balance Assets:Cash  99.00 USD\n"
        'include "nowhere.beancount"\n'
        'plugin "no.such.plugin"\n'
    )
    with pytest.raises(BooksRefusedError) as refused:
        await imported(us, file)
    told = str(refused.value)
    assert "bad.beancount, so nothing was imported:\n" in told
    for line in (6, 10, 12, 15, 16, 19):
        assert f"  bad.beancount:{line}: " in told
    for word in ("balance", "month", "99.00 USD", "nowhere.beancount", "No module named 'no'"):
        assert word in told
    assert "Traceback" not in told
    assert await nothing_was_made(us)


async def test_what_the_books_of_the_company_refuse_is_told_by_its_place(us: Api, tmp_path: Path) -> None:
    (tmp_path / "old.beancount").write_text('\n1850-01-08 * "Too early"\n  Assets:Cash  1.00 USD\n  Income:Work\n')
    file = tmp_path / "main.beancount"
    file.write_text(HEAD + 'include "old.beancount"\n2024-01-09 * "Good"\n  Assets:Cash  5.00 USD\n  Income:Work\n')
    found = await imported(us, file)
    assert found.errors == [("old.beancount:2", "FISCAL_YEAR_MISSING")]
    assert found.balances["Assets:Cash", "USD"] == 5


async def test_years_are_opened_unless_it_is_told_not_to(us: Api, tmp_path: Path) -> None:
    file = tmp_path / "books.beancount"
    file.write_text(HEAD + '2019-01-09 * "Old"\n  Assets:Cash  5.00 USD @ 1.00 EUR\n  Assets:Euros  -5.00 EUR\n')
    refused = await imported(us, file, open_fiscal_years=False)
    assert refused.errors == [("books.beancount:2", "FISCAL_YEAR_MISSING")] * 2  # both entries of the transaction
    assert refused.balances == {}
    assert (await imported(us, file, again=True)).balances == expected(file)


async def test_mapped_accounts_included_files_and_names_of_kinds(us: Api, tmp_path: Path) -> None:
    accounts = {account["name"]: account for account in (await us.get("/v1/accounts")).json()}
    bank = next(a for a in accounts.values() if a["ledgerType"] == "BALANCE_SHEET" and not a["controlAccountType"])
    (tmp_path / "years").mkdir()
    names = 'option "name_assets" "Aktiver"\noption "name_income" "Indtægter"\n'
    (tmp_path / "years/2024.beancount").write_text(
        f'{names}2024-01-02 * "Included"\n  Aktiver:Bank  10.00 USD\n  Indtægter:Arbejde  -10.00 USD\n'
    )
    file = tmp_path / "main.beancount"
    file.write_text(
        f'{HEAD}{names}include "years/*.beancount"\n'
        '2024-01-03 * "Here"\n  Aktiver:Bank  1.00 USD\n  Indtægter:Arbejde  -1.00 USD\n'
    )
    found = await imported(us, file, {"Aktiver:Bank": bank["accountNumber"]})
    assert found.errors == []
    assert found.balances == {(bank["name"], "USD"): 11, ("Indtægter:Arbejde", "USD"): -11}
    made = {account["name"]: account for account in (await us.get("/v1/accounts")).json()}["Indtægter:Arbejde"]
    assert (made["accountNumber"], made["accountClassification"]) == (4_000_001, "REVENUE")


async def test_a_mapping_to_what_cant_be_booked_on_is_refused(us: Api, tmp_path: Path) -> None:
    file = tmp_path / "main.beancount"
    file.write_text(HEAD + '2024-01-03 * "x"\n  Assets:Bank  1.00 USD\n  Income:Work\n')
    listed = (await us.get("/v1/accounts")).json()
    owed = next(one["accountNumber"] for one in listed if one["controlAccountType"])  # would need a customer
    heading = next(one["accountNumber"] for one in listed if one["ledgerType"] == "HEADING")
    for number in (77, owed, heading):
        with pytest.raises(BooksRefusedError, match=f"Assets:Bank is mapped to {number}"):
            await imported(us, file, {"Assets:Bank": number})
    assert await nothing_was_made(us)


async def test_books_that_cant_be_valued_or_kept_are_refused_whole(api: Api, tmp_path: Path) -> None:
    """What would be refused of one entry of a transaction only."""
    file = tmp_path / "books.beancount"
    for text, words in (
        ('option "operating_currency" "USD"\n', "kept in USD, the company's in DKK"),
        ('2024-01-03 * "x"\n  Assets:A  1 XOF @ 2 XAF\n  Assets:B\n', "books.beancount:1: nobody says what XAF"),
        (f'2024-01-03 * "x"\n  Assets:A  1{"0" * 13} DKK\n  Assets:B\n', "more than an amount can be"),
        (f'2024-01-03 * "x" #{"t" * 256}\n  Assets:A  1 DKK\n  Assets:B\n', "at most 255 characters"),
    ):
        file.write_text(text)
        with pytest.raises(BooksRefusedError, match=words):
            await imported(api, file)
    assert await nothing_was_made(api)


async def test_a_foreign_currency_is_valued_by_the_books_else_by_the_rate_of_the_day(api: Api, tmp_path: Path) -> None:
    file = tmp_path / "books.beancount"
    file.write_text(
        "2026-03-02 price SEK 0.70 DKK\n2026-03-02 price DKK 0.10 NOK\n"
        '2026-03-03 * "x"\n  Assets:A  100 SEK\n  Assets:A  100 NOK\n  Assets:A  100 EUR\n  Equity:O\n'
        '2026-03-04 * "x"\n  Assets:B  10 EUR @ 11.2 SEK\n  Assets:C\n'
    )
    await own_rate(api, "2026-03-03", "7.5")
    found = await imported(api, file)
    assert found.errors == []
    # 100 x 0.70 + 100 x 10 + 100 x 7.5, and 112 SEK on both sides of the exchange.
    assert found.base_balances["Assets:A"] == Decimal("1820.00")
    assert (found.base_balances["Assets:B"], found.base_balances["Assets:C"]) == (Decimal("78.40"), Decimal("-78.40"))
    assert found.base_balances["Equity:Conversions"] == 0
    assert found.balances == expected(file)


async def own_rate(api: Api, day: str, rate: str) -> None:
    body = {"currency": "EUR", "date": day, "rate": rate}
    assert (await api.put("/v1/exchange-rates", body)).status_code == 200


async def test_the_same_bookings_are_imported_once(us: Api, tmp_path: Path) -> None:
    file = tmp_path / "books.beancount"
    text = '2024-01-03 * "x"\n  Assets:Bank  1.00 USD\n  Income:Work\n'
    file.write_text(text)
    await imported(us, file)
    file.write_text(f"; a comment, and a price\n2023-01-01 price EUR 1.1 USD\n{text}")
    with pytest.raises(LedgerBeeError) as repeated:
        await imported(us, file)
    assert repeated.value.code == "JOURNAL_IMPORT_REPEATED"
    again = await imported(us, file, again=True)
    assert again.balances["Assets:Bank", "USD"] == 2
    file.write_text(text.replace("1.00", "1.01"))
    assert (await imported(us, file)).balances["Assets:Bank", "USD"] == Decimal("3.01")


async def test_an_import_goes_on_where_it_stopped(us: Api, tmp_path: Path) -> None:
    """Each run ends after its first chunk, until none is left. The lines stay those of the first run."""
    file = tmp_path / "books.beancount"
    euros = [f'2020-12-{day:02} * "Euros"\n  Assets:Euros  1 EUR\n  Equity:Euros\n' for day in range(1, 29)]
    dollars = [f'2021-01-02 * "{n}"\n  Assets:Dollars  {n} USD\n  Equity:Dollars\n' for n in range(1, 1101)]
    file.write_text("".join(euros + dollars))
    session = CompanySession(us.database, us.clock, us.tenant)
    runs = 0
    while True:
        begun = await begin_import(session, file, {}, seconds=60)
        state = await run.carry_out(session, begun.import_id, begun.rows_of, is_time_over=lambda: True)
        runs += 1
        if state.is_over:
            break
        await own_rate(us, "2020-12-02", f"{runs}.12345678901")  # longer than the published one
    assert runs == 4
    assert (state.status, state.entries_posted, state.error_count) == ("completed", 1128, 0)
    closing = await closing_balances(us)
    assert (closing["Assets:Dollars"], closing["Equity:Dollars"]) == (Decimal(605_550), Decimal(-605_550))
