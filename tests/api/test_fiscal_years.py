"""Financial years: which days can be posted on, by whatever posts, and how years are opened."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any

import httpx
import pytest
import pytest_asyncio
from tests.conftest import Api, SteeredClock, new_company
from tests.drafting import drafted
from tests.journal_bodies import line, plain, state
from tests.ledger_books import BANK, SALES, Books, as_owner, books_of
from tests.selling import Shop
from tests.selling import line as invoice_line

from ledgerbee.platform.context import Context
from ledgerbee.platform.db import Database

PATH = "/v1/fiscal-years"
#: The company's year is 2026, and the one after it opens by itself.
KNOWN, FOLLOWING = ("2026-01-01", "2026-12-31"), ("2027-01-01", "2027-12-31")
OUTSIDE = ("2025-12-31", "2028-01-01", "2035-06-30", "1900-01-01", "0001-01-01", "9999-12-31")


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


async def years_of(api: Api) -> list[tuple[str, str]]:
    return [(year["startDate"], year["endDate"]) for year in (await api.get(PATH)).json()]


async def told(api: Api) -> list[Any]:
    """What `fiscal_year.opened` told, in the order of the years."""

    async def work(context: Context) -> list[Any]:
        return await context.connection.fetch(
            "SELECT data FROM events WHERE company_id = $1 AND type = 'fiscal_year.opened'", context.company_id
        )

    return sorted((row["data"] for row in await api.run(work)), key=lambda year: str(year["startDate"]))


# What posts


async def by_v1(books: Books, day: str) -> httpx.Response:
    return await books.api.post("/v1/journal-entries", plain(books, date=day))


async def by_v2(books: Books, day: str) -> httpx.Response:
    return await books.api.post("/v2/journal-entries", plain(books, date=day))


async def by_batch_v1(books: Books, day: str) -> httpx.Response:
    entries = [plain(books, date=KNOWN[0]), plain(books, date=day)]
    return await books.api.post("/v1/journal-batches", {"entries": entries})


async def by_batch_v2(books: Books, day: str) -> httpx.Response:
    entries = [plain(books, date=KNOWN[0]), plain(books, date=day), plain(books, date=day)]
    return await books.api.post("/v2/journal-entries/batch", {"entries": entries})


async def by_draft(books: Books, day: str) -> httpx.Response:
    draft = await drafted(books, plain(books, date=day))
    return await books.api.post(f"/v2/draft-journal-entries/{draft['id']}/book")


async def by_draft_v1(books: Books, day: str) -> httpx.Response:
    draft = await drafted(books, plain(books, date=day), "/v1/draft-journal-entries")
    return await books.api.post(f"/v1/draft-journal-entries/{draft['id']}/book")


async def by_invoice(books: Books, day: str) -> httpx.Response:
    shop = Shop(books.api)
    draft = await shop.draft(await shop.customer(), invoice_line(await shop.price()), date=day)
    return await books.api.post(f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"})


async def by_payment(books: Books, day: str) -> httpx.Response:
    shop = Shop(books.api)
    sent = await shop.sold(invoice_line(await shop.price()))
    return await books.api.post(f"/v1/invoices/{sent['id']}/payments", {"date": day, "amount": "1"})


async def by_reversal(books: Books, day: str) -> httpx.Response:
    entry = (await by_v2(books, KNOWN[0])).json()
    return await books.api.post(f"/v1/journal-entries/{entry['id']}/reverse", {"date": day})


async def by_reversals(books: Books, day: str) -> httpx.Response:
    entry = (await by_v2(books, KNOWN[0])).json()
    body = {"journalEntryIds": [entry["id"]], "date": day}
    return await books.api.post("/v1/journal-entries/reverse-batch", body)


Door = Callable[[Books, str], Awaitable[httpx.Response]]
ENTRIES: tuple[Door, ...] = (by_v1, by_v2, by_batch_v1, by_batch_v2, by_draft, by_draft_v1)
#: These have an earliest or latest day of their own as well.
DATED: tuple[Door, ...] = (by_invoice, by_payment, by_reversal, by_reversals)


@pytest.mark.parametrize("post", [*ENTRIES, *DATED])
async def test_a_day_in_the_following_year_opens_it(books: Books, post: Door) -> None:
    answer = await post(books, "2027-03-01")
    assert answer.is_success, answer.text
    assert await years_of(books.api) == [KNOWN, FOLLOWING]
    opened = (await books.api.get(PATH)).json()[1]
    assert opened["lastEntryNumber"] == (2 if post is by_batch_v2 else 1)
    assert await told(books.api) == [opened]
    verified = await books.verify()
    assert verified.passed, verified.fault


@pytest.mark.parametrize("post", ENTRIES)
@pytest.mark.parametrize("day", OUTSIDE)
async def test_a_day_in_any_other_year_is_refused(books: Books, post: Door, day: str) -> None:
    answer = await post(books, day)
    assert (answer.status_code, answer.json()["code"]) == (400, "FISCAL_YEAR_MISSING")
    details = answer.json()["details"]
    assert details.pop("property", "") == ("entries.1.date" if post in {by_batch_v1, by_batch_v2} else "date")
    assert PATH in details.pop("hint")
    if post is by_batch_v2:  # two entries of that day
        assert details.pop("properties") == ["entries.1.date", "entries.2.date"]
    assert details == {"date": day, "firstKnownDay": "2026-01-01", "lastKnownDay": "2026-12-31"}
    assert await years_of(books.api) == [KNOWN]
    assert (await books.verify()).entries == 0
    assert await told(books.api) == []


@pytest.mark.parametrize(("post", "day"), [(by_invoice, "2025-12-31"), (by_payment, "2025-12-31")])
async def test_a_document_before_the_first_year_is_refused(books: Books, post: Door, day: str) -> None:
    answer = await post(books, day)
    assert (answer.status_code, answer.json()["code"]) == (400, "FISCAL_YEAR_MISSING")
    assert answer.json()["details"]["date"] == day
    assert await years_of(books.api) == [KNOWN]


@pytest.mark.parametrize("post", [by_reversal, by_reversals])
async def test_a_reversal_after_the_following_year_is_refused(books: Books, post: Door) -> None:
    answer = await post(books, "2028-01-01")
    assert (answer.status_code, answer.json()["code"]) == (400, "FISCAL_YEAR_MISSING")
    assert (await books.verify()).entries == 1


async def test_the_edges_of_years(books: Books) -> None:
    for day, status in (
        ("2025-12-31", 400), ("2026-01-01", 201), ("2026-12-31", 201), ("2028-01-01", 400), ("2027-12-31", 201),
        ("2027-01-01", 201), ("2025-12-31", 400), ("2029-01-01", 400),
    ):  # fmt: skip
        assert (await by_v2(books, day)).status_code == status, day
    assert await years_of(books.api) == [KNOWN, FOLLOWING]


async def test_a_refused_entry_leaves_no_year_behind(books: Books) -> None:
    before = await state(books)
    crooked = plain(
        books, date="2027-01-01", lines=[line(books, BANK, "DEBIT", "1"), line(books, SALES, "CREDIT", "2")]
    )
    lost = plain(books, date="2027-01-01")
    lost["lines"][0]["accountId"] = str(books.api.company_id)
    for body in (crooked, lost):
        assert (await books.api.post("/v2/journal-entries", body)).status_code in {400, 404}
    entries = [plain(books, date="2027-01-01"), plain(books, date="2029-01-01")]
    answer = await books.api.post("/v2/journal-entries/batch", {"entries": entries})
    assert answer.json()["details"]["property"] == "entries.1.date"
    assert answer.json()["details"]["lastKnownDay"] == "2027-12-31", "what the batch itself would have opened"
    assert await state(books) == before


async def test_many_at_once_open_one_year(books: Books) -> None:
    answers = await asyncio.gather(*(by_v2(books, f"2027-01-{day:02}") for day in range(1, 31)))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["entryNumber"] for answer in answers) == list(range(1, 31))
    assert await years_of(books.api) == [KNOWN, FOLLOWING]
    assert len(await told(books.api)) == 1


async def test_one_of_many_at_once_is_refused_alone(books: Books) -> None:
    days = ["2027-01-05", "2029-01-05", "2026-06-01", "2025-01-05"] * 5
    answers = await asyncio.gather(*(by_v2(books, day) for day in days))
    assert [answer.status_code for answer in answers] == [201, 400, 201, 400] * 5
    for day, answer in zip(days, answers, strict=True):
        assert answer.json().get("details", {"date": day})["date"] == day


# Opening


@pytest.mark.parametrize(
    ("body", "start", "end"),
    [
        ({}, "2027-01-01", "2027-12-31"),
        ({"startDate": "2027-01-01"}, "2027-01-01", "2027-12-31"),
        ({"endDate": "2027-06-30"}, "2027-01-01", "2027-06-30"),
        ({"startDate": "2027-01-01", "endDate": "2028-06-30"}, "2027-01-01", "2028-06-30"),
        ({"endDate": "2025-12-31"}, "2025-01-01", "2025-12-31"),
        ({"startDate": "2024-07-01", "endDate": "2025-12-31"}, "2024-07-01", "2025-12-31"),
    ],
)
async def test_a_year_is_opened_beside_the_others(books: Books, body: dict[str, str], start: str, end: str) -> None:
    answer = await books.api.post(PATH, body)
    assert answer.status_code == 201, answer.text
    year = answer.json()
    assert year == {"id": year["id"], "startDate": start, "endDate": end, "lastEntryNumber": 0, "isLocked": False}
    assert year in (await books.api.get(PATH)).json()
    assert await told(books.api) == [year]
    assert (await by_v2(books, start)).json()["entryNumber"] == 1
    assert (await by_v2(books, end)).json()["entryNumber"] == 2
    assert (await books.verify()).passed


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"startDate": "2026-01-01"}, "FISCAL_YEAR_OVERLAPS"),
        ({"startDate": "2026-12-01"}, "FISCAL_YEAR_OVERLAPS"),
        ({"startDate": "2025-02-01", "endDate": "2026-01-31"}, "FISCAL_YEAR_OVERLAPS"),
        ({"startDate": "2025-12-01", "endDate": "2027-01-31"}, "FISCAL_YEAR_OVERLAPS"),
        ({"startDate": "2026-03-01", "endDate": "2026-05-31"}, "FISCAL_YEAR_OVERLAPS"),
        ({"startDate": "2027-02-01"}, "FISCAL_YEAR_NOT_ADJACENT"),
        ({"startDate": "2035-01-01"}, "FISCAL_YEAR_NOT_ADJACENT"),
        ({"endDate": "2024-12-31"}, "FISCAL_YEAR_NOT_ADJACENT"),
        ({"endDate": "2025-11-30"}, "FISCAL_YEAR_NOT_ADJACENT"),
    ],
)
async def test_years_neither_overlap_nor_lie_apart(books: Books, body: dict[str, str], code: str) -> None:
    before = await state(books)
    answer = await books.api.post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert answer.json()["details"] == {"firstKnownDay": "2026-01-01", "lastKnownDay": "2026-12-31"}
    assert await state(books) == before


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"startDate": "2027-01-01", "endDate": "2028-07-31"}, "endDate"),
        ({"startDate": "2027-01-01", "endDate": "2026-12-31"}, "endDate"),
        ({"endDate": "2027-12-30"}, "endDate"),
        ({"endDate": "2025-12-30"}, "endDate"),
        ({"startDate": "2027-01-02"}, "startDate"),
        ({"startDate": "2036-01-01"}, "endDate"),
        ({"startDate": "1899-01-01"}, "startDate"),
        ({"endDate": "3000-01-31"}, "endDate"),
        ({"startDate": "2027-13-01"}, "startDate"),
        ({"startDate": None}, "startDate"),
        ({"months": 12}, "months"),
    ],
)
async def test_what_is_no_financial_year(books: Books, body: dict[str, Any], name: str) -> None:
    before = await state(books)
    answer = await books.api.post(PATH, body)
    assert answer.status_code == 400, answer.text
    assert [problem["property"] for problem in answer.json()["details"]["validationErrors"]] == [name]
    assert await state(books) == before


async def test_a_changed_year_goes_on_from_its_new_end(books: Books) -> None:
    """Three months, and then years from April: årsregnskabsloven § 15, stk. 3."""
    await books.api.post(PATH, {"endDate": "2027-03-31"})
    assert (await by_v2(books, "2028-03-31")).json()["entryNumber"] == 1
    assert await years_of(books.api) == [KNOWN, ("2027-01-01", "2027-03-31"), ("2027-04-01", "2028-03-31")]


async def test_a_year_opened_behind_the_lock_date_is_locked(books: Books) -> None:
    await books.lock("2026-02-28")
    opened = (await books.api.post(PATH, {"endDate": "2025-12-31"})).json()
    assert opened["isLocked"] is True
    assert (await by_v2(books, "2025-06-01")).json()["code"] == "PERIOD_LOCKED"


@pytest.mark.parametrize("rivals", ["years", "year and entries"])
async def test_of_many_at_once_one_opens_the_year(books: Books, rivals: str) -> None:
    openings = [books.api.post(PATH, {"startDate": "2027-01-01"}) for _ in range(8)]
    posting = [by_v2(books, "2027-02-01") for _ in range(8 if rivals == "year and entries" else 0)]
    answers = await asyncio.gather(*openings, *posting)
    statuses = [answer.status_code for answer in answers[:8]]
    assert statuses.count(201) + statuses.count(409) == 8
    assert statuses.count(201) == 1 if not posting else statuses.count(201) <= 1
    assert {answer.status_code for answer in answers[8:]} <= {201}
    assert await years_of(books.api) == [KNOWN, FOLLOWING]
    assert len(await told(books.api)) == 1
    assert (await books.verify()).passed


async def test_a_replayed_request_opens_no_second_year(api: Api) -> None:
    headers = {"x-api-idempotency-key": "year"}
    first, again = [await api.post(PATH, {}, headers=headers) for _ in range(2)]
    assert (again.status_code, again.json()) == (201, first.json())
    assert await years_of(api) == [KNOWN, FOLLOWING]


async def test_books_from_before_the_rule_keep_years_that_lie_apart(books: Books, database_url: str) -> None:
    """They could be posted in as they came. What lies between is filled from either side, and never by itself."""
    owner = await as_owner(database_url)
    await owner.execute(
        "INSERT INTO fiscal_years (company_id, id, start_date, end_date) VALUES"
        " ($1, gen_random_uuid(), '1900-01-01', '1900-12-31'), ($1, gen_random_uuid(), '2030-07-01', '2031-06-30')",
        books.api.company_id,
    )
    await owner.close()
    for day, status in (
        ("1900-05-05", 201), ("2030-07-01", 201), ("1899-12-31", 400), ("1901-01-01", 400), ("2025-12-31", 400),
        ("2027-01-01", 400), ("2030-06-30", 400), ("2031-07-01", 201), ("2033-07-01", 400),
    ):  # fmt: skip
        assert (await by_v2(books, day)).status_code == status, day
    for body in ({"endDate": "1902-12-31"}, {"endDate": "2030-05-31"}):
        assert (await books.api.post(PATH, body)).json()["code"] == "FISCAL_YEAR_NOT_ADJACENT"
    for body in ({"startDate": "2027-01-01"}, {"startDate": "2030-01-01", "endDate": "2030-06-30"}):
        assert (await books.api.post(PATH, body)).status_code == 201
    assert (await by_v2(books, "2027-01-01")).status_code == 201
    verified = await books.verify()
    assert (verified.passed, verified.fiscal_years) == (True, 6)


# Founding


@pytest.mark.parametrize(
    ("asked", "year"),
    [
        ({}, ("2026-01-01", "2026-12-31")),
        ({"fiscalYearStart": "2025-07-01"}, ("2025-07-01", "2026-06-30")),
        ({"fiscalYearStart": "2025-07-01", "fiscalYearEnd": "2026-12-31"}, ("2025-07-01", "2026-12-31")),
        ({"fiscalYearStart": "2026-04-01", "fiscalYearEnd": "2026-09-30"}, ("2026-04-01", "2026-09-30")),
        ({"fiscalYearStart": "2013-02-01"}, ("2013-02-01", "2014-01-31")),
    ],
)
async def test_a_company_is_founded_with_its_financial_year(
    api: Api, asked: dict[str, str], year: tuple[str, str]
) -> None:
    made = await api.post("/v1/companies", {"name": "Søster ApS", "countryCode": "DK", **asked})
    assert made.status_code == 201, made.text
    other = Api(api.http, made.json()["id"], made.json()["key"], api.database, api.clock)
    assert await years_of(other) == [year]
    balance = (await other.get("/v1/reports/trial-balance", params={"fromDate": year[1]})).json()
    assert (balance["fiscalYearStart"], balance["fiscalYearEnd"]) == year


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ({"fiscalYearStart": "2026-01-02"}, "fiscalYearStart"),
        ({"fiscalYearStart": "2026-01-01", "fiscalYearEnd": "2026-05-31"}, "fiscalYearEnd"),
        ({"fiscalYearStart": "2026-01-01", "fiscalYearEnd": "2027-07-31"}, "fiscalYearEnd"),
        ({"fiscalYearStart": "2026-01-01", "fiscalYearEnd": "2026-12-30"}, "fiscalYearEnd"),
        ({"fiscalYearEnd": "2025-12-31"}, "fiscalYearEnd"),
        ({"fiscalYearStart": "2027-04-01"}, "fiscalYearStart"),
        ({"fiscalYearStart": "2935-01-01"}, "fiscalYearStart"),
        ({"fiscalYearStart": "1899-12-01"}, "fiscalYearStart"),
        ({"fiscalYearStart": None}, "fiscalYearStart"),
    ],
)
async def test_a_company_needs_a_financial_year_that_is_one(api: Api, asked: dict[str, Any], name: str) -> None:
    answer = await api.post("/v1/companies", {"name": "Søster ApS", "countryCode": "DK", **asked})
    assert answer.status_code == 400, answer.text
    assert [problem["property"] for problem in answer.json()["details"]["validationErrors"]] == [name]


async def test_the_default_year_is_that_of_the_companys_own_today(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    clock.now = clock.now.replace(month=12, day=31, hour=23, minute=30)  # already 2027 in Copenhagen
    assert await years_of(await new_company(http, database, clock)) == [FOLLOWING]
    assert await years_of(await new_company(http, database, clock, country="US")) == [KNOWN]


async def test_the_year_after_an_uneven_first_one_has_twelve_months(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock
) -> None:
    first = (date(2025, 7, 1), date(2026, 12, 31))
    books = await books_of(await new_company(http, database, clock, fiscal_year=first))
    assert (await by_v2(books, "2025-06-30")).status_code == 400
    assert [(await by_v2(books, day)).json()["entryNumber"] for day in ("2025-07-01", "2026-12-31")] == [1, 2]
    assert (await by_v2(books, "2027-12-31")).json()["entryNumber"] == 1
    assert await years_of(books.api) == [("2025-07-01", "2026-12-31"), FOLLOWING]
