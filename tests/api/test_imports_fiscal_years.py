"""Imports and financial years: which rows are refused for their day, and which years are opened for them."""

import asyncio

import pytest
import pytest_asyncio
from tests.api.test_imports import JSONL, PATH, errors_of, imported, lines, row, send, work_off
from tests.conftest import Api
from tests.ledger_books import BANK, SALES, Books, books_of

from ledgerbee.ledger.imports import entered, jobs


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


async def years_of(api: Api) -> list[str]:
    return [year["startDate"] for year in (await api.get("/v1/fiscal-years")).json()]


#: Rows in the company's year, the one after it, and others.
SPREAD = (
    "2026-03-16",
    "2027-12-31",
    "2024-07-01",
    "2028-01-01",
    "2026-01-01",
    "1899-12-31",
    "2022-02-28",
    "2035-01-01",
)


@pytest.mark.parametrize("chunk", [1, 500])
async def test_a_row_outside_the_known_years_is_refused(
    books: Books, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the chunks are: the years that an import opens are settled when it begins."""
    monkeypatch.setattr(entered, "CHUNK_ENTRIES", chunk)
    found = await imported(books.api, lines(*(row("1.00", date=day) for day in SPREAD)))
    assert (found["entriesPosted"], found["openFiscalYears"]) == (3, False)
    assert await errors_of(books.api, found) == [(number, "FISCAL_YEAR_MISSING", "date") for number in (3, 4, 6, 7, 8)]
    assert await years_of(books.api) == ["2026-01-01", "2027-01-01"]
    message = (await books.api.get(f"{PATH}/{found['id']}/errors")).json()["data"][0]["message"]
    assert "openFiscalYears" in message


@pytest.mark.parametrize("chunk", [1, 500])
@pytest.mark.parametrize("media_type", [JSONL, "text/csv"])
async def test_an_import_opens_the_years_it_needs_when_asked(
    books: Books, media_type: str, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entered, "CHUNK_ENTRIES", chunk)
    content = lines(*(row("1.00", date=day) for day in SPREAD))
    if media_type != JSONL:
        content = "entry,date,accountNumber,debit,credit\n" + "".join(
            f"{n},{day},{BANK},1,\n{n},,{SALES},,1\n" for n, day in enumerate(SPREAD)
        )
    found = await imported(books.api, content, media_type, openFiscalYears="true")
    assert (found["entriesPosted"], found["openFiscalYears"]) == (5, True)
    assert [code for _, code, _ in await errors_of(books.api, found)] == ["FISCAL_YEAR_MISSING"] * 3
    assert await years_of(books.api) == [f"{year}-01-01" for year in range(2022, 2028)]
    verified = await books.verify()
    assert (verified.passed, verified.entries) == (True, 5)
    told = await books.api.run(
        lambda context: context.connection.fetchval(
            "SELECT count(*) FROM events WHERE company_id = $1 AND type = 'fiscal_year.opened'", context.company_id
        )
    )
    assert told == 5


async def test_mistyped_years_open_none(books: Books) -> None:
    """Fifteen years back, not a century; the text doesn't advise what was done."""
    days = ("1900-03-16", "2010-12-31", "2011-01-01", "2206-03-16", "0026-03-16")
    found = await imported(books.api, lines(*(row("1.00", date=day) for day in days)), openFiscalYears="true")
    assert (found["entriesPosted"], found["openFiscalYears"]) == (1, True)
    assert await errors_of(books.api, found) == [(number, "FISCAL_YEAR_MISSING", "date") for number in (1, 2, 4, 5)]
    for error in (await books.api.get(f"{PATH}/{found['id']}/errors")).json()["data"]:
        assert "openFiscalYears" not in error["message"]
        assert "from 2011-01-01 through 2027-12-31" in error["message"]
    assert await years_of(books.api) == [f"{year}-01-01" for year in range(2011, 2027)]
    # However early the company's books begin then: what this import opened is no way further back.
    assert (await books.api.post("/v1/fiscal-years", {"endDate": "2010-12-31"})).status_code == 201
    again = await imported(books.api, lines(row("1.00", date="2010-03-16")))
    assert again["entriesPosted"] == 1


async def test_years_are_opened_for_rows_that_are_posted_only(books: Books) -> None:
    bad = row("1.00", date="2024-01-01")
    bad["lines"][0]["accountNumber"] = 77
    found = await imported(books.api, lines(bad, row("1.00", date="2025-05-05")), openFiscalYears="true")
    assert (found["entriesPosted"], found["errorCount"]) == (1, 1)
    assert await years_of(books.api) == ["2025-01-01", "2026-01-01"]


@pytest.mark.parametrize("asked", ["true", "false"])
async def test_an_import_that_goes_on_opens_what_it_was_begun_to_open(
    books: Books, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens a year in its first shift, and time passes: that makes no other year the one after the newest."""
    monkeypatch.setattr(jobs, "SHIFT_S", 0)
    monkeypatch.setattr(entered, "CHUNK_ENTRIES", 1)
    days = ("2027-01-01", "2028-01-01", "2023-01-01", "2026-01-01")
    answer = await send(books.api, lines(*(row("1.00", date=day) for day in days)), query=f"openFiscalYears={asked}")
    while (found := await work_off(books.api, answer.json()["id"]))["status"] == "running":
        books.api.clock.advance(days=300)
    posted = 3 if asked == "true" else 2
    assert (found["entriesPosted"], found["errorCount"]) == (posted, 4 - posted)
    assert "2028-01-01" not in await years_of(books.api)


async def test_opening_years_takes_the_scope_for_it(books: Books) -> None:
    body = {"name": "importer", "scopes": ["journal-entries-write", "journal-entries-read"]}
    key = (await books.api.post("/v1/api-keys", body)).json()["key"]
    importer = Api(books.api.http, books.api.company_id, key, books.api.database, books.api.clock)
    answer = await send(importer, lines(row()), query="openFiscalYears=true")
    assert (answer.status_code, answer.json()["code"]) == (403, "INSUFFICIENT_PERMISSIONS")
    assert answer.json()["details"] == {"requiredScopes": ["accounts-write"]}
    assert (await send(importer, lines(row()))).status_code == 202
    assert (await books.api.get(PATH)).json()["total"] == 1
    assert (await send(books.api, lines(row()), query="openFiscalYears=perhaps")).status_code == 400


async def test_many_imports_at_once_open_the_same_years(books: Books) -> None:
    content = lines(*(row("1.00", date=f"{year}-06-01") for year in range(2015, 2028)))
    sent = [await send(books.api, content, query="openFiscalYears=true") for _ in range(4)]
    found = await asyncio.gather(*(work_off(books.api, answer.json()["id"]) for answer in sent))
    assert [(one["entriesPosted"], one["errorCount"]) for one in found] == [(13, 0)] * 4
    assert await years_of(books.api) == [f"{year}-01-01" for year in range(2015, 2028)]
    assert (await books.verify()).passed
