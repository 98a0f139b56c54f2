"""Booking drafts: once, whoever comes at the same time; what was booked changes no more."""

import asyncio

import asyncpg
import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.drafting import DOORS, V1, V2, drafted, line, lines_of, plain, rows, told
from tests.ledger_books import BANK, GOODS, PAYABLES, Books, as_owner, books_of


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


@DOORS
async def test_booking_posts_the_entry_once(books: Books, path: str) -> None:
    draft = await drafted(books, plain(books, description="Kaffe", reference="K-1", externalSystemId="x"), path)
    books.api.clock.advance(minutes=1)
    answer = await books.api.post(f"{path}/{draft['id']}/book")
    assert answer.status_code == 200, answer.text
    entry = answer.json()
    assert (await books.api.get(f"/v1/journal-entries/{entry['id']}")).json() == entry
    assert (entry["description"], entry["reference"], entry["externalSystemId"]) == ("Kaffe", "K-1", "x")
    booked = (await books.api.get(f"{path}/{draft['id']}")).json()
    assert booked == draft | {
        "status": "booked", "journalEntryId": entry["id"], "updatedAt": "2026-03-16T12:01:00.000Z",
    }  # fmt: skip
    assert (await books.api.get(path)).json()["total"] == 0
    assert [event for event, _ in await told(books, draft["id"])] == [
        "draft_journal_entry.created", "draft_journal_entry.booked",
    ]  # fmt: skip
    assert (await told(books, draft["id"]))[1][1] == booked
    for again in (
        await books.api.post(f"{path}/{draft['id']}/book"),
        await books.api.delete(f"{path}/{draft['id']}"),
        await books.api.patch(f"{V2}/{draft['id']}", {"description": "Te"}),
        await books.api.patch(f"{V2}/{draft['id']}", {}),
    ):
        assert (again.status_code, again.json()["code"]) == (409, "DRAFT_JOURNAL_ENTRY_INVALID_STATE")
        assert again.json()["details"] == {"status": "booked", "journalEntryId": entry["id"]}
    assert (await books.api.get(f"{path}/{draft['id']}")).json() == booked
    result = await books.verify_all()
    assert (result.passed, result.entries) == (True, 1)
    # It is an entry like any other: no document stands behind it.
    assert (await books.api.post(f"/v1/journal-entries/{entry['id']}/reverse")).status_code == 201


async def test_what_cannot_be_posted_stays_a_draft(books: Books) -> None:
    crooked = plain(books)
    crooked["lines"][1]["amount"] = "99.99"
    draft = await drafted(books, crooked)
    before = await rows(books)
    answer = await books.api.post(f"{V2}/{draft['id']}/book")
    assert (answer.status_code, answer.json()["code"]) == (400, "JOURNAL_ENTRY_UNBALANCED")
    assert answer.json()["details"]["property"] == "lines"
    assert await rows(books) == before
    assert (await books.api.get(f"{V2}/{draft['id']}")).json() == draft
    assert (await books.verify_all()).entries == 0

    late = await drafted(books, plain(books, date="2026-02-27"))
    await books.lock("2026-02-28")
    answer = await books.api.post(f"{V2}/{late['id']}/book")
    assert (answer.status_code, answer.json()["code"]) == (409, "PERIOD_LOCKED")
    assert (await books.api.get(f"{V2}/{late['id']}")).json() == late
    fixed = await books.api.patch(f"{V2}/{late['id']}", {"date": "2026-03-01"})
    assert fixed.status_code == 200
    assert (await books.api.post(f"{V2}/{late['id']}/book")).status_code == 200

    far = await drafted(books, plain(books, date="2199-01-01"))
    answer = await books.api.post(f"{V2}/{far['id']}/book")
    assert (answer.status_code, answer.json()["code"]) == (400, "FISCAL_YEAR_MISSING")

    one = await drafted(books, plain(books, lines=[line(books, BANK, "DEBIT", "1")]))
    assert (await books.api.post(f"{V2}/{one['id']}/book")).status_code == 400
    assert (await books.verify_all()).entries == 1


async def test_the_rate_is_that_of_the_day_when_it_is_booked(books: Books) -> None:
    draft = await drafted(books, plain(books, currency="EUR", date="2027-05-01"))
    given = await drafted(books, plain(books, currency="EUR", date="2027-05-01", exchangeRate="7.5"))
    assert (draft["exchangeRate"], given["exchangeRate"]) == (None, "7.5")
    answer = await books.api.post(f"{V2}/{draft['id']}/book")
    assert (answer.status_code, answer.json()["code"]) == (400, "EXCHANGE_RATE_MISSING")
    await books.api.put("/v1/exchange-rates", {"currency": "EUR", "date": "2027-05-01", "rate": "7.46"})
    assert (await books.api.post(f"{V2}/{draft['id']}/book")).json()["exchangeRate"] == "7.46"
    assert (await books.api.post(f"{V2}/{given['id']}/book")).json()["exchangeRate"] == "7.5"
    assert (await books.verify_all()).passed


async def test_vat_is_split_when_it_is_booked(books: Books) -> None:
    codes = {code["vatCode"]: code for code in (await books.api.get("/v1/vat-codes")).json()}
    bought = line(books, GOODS, "DEBIT", "1250.00", vatCodeId=codes["K010"]["id"])
    vendor = str(await books.vendor())
    draft = await drafted(books, plain(books, "1250", entryType="SUPPLIER_INVOICE", vendorId=vendor, lines=[bought]))
    assert lines_of(draft) == [(GOODS, "DEBIT", "1250.00", "ENTERED"), (PAYABLES, "CREDIT", "1250.00", "CONTROL")]
    entry = (await books.api.post(f"{V2}/{draft['id']}/book")).json()
    assert lines_of(entry) == [
        (GOODS, "DEBIT", "1000.00", "ENTERED"), (codes["K010"]["accountToBookNumber"], "DEBIT", "250.00", "VAT"),
        (PAYABLES, "CREDIT", "1250.00", "CONTROL"),
    ]  # fmt: skip


async def test_of_many_bookings_one_wins(books: Books) -> None:
    for _ in range(5):
        draft = await drafted(books, plain(books))
        path = f"{V2}/{draft['id']}"
        answers = await asyncio.gather(*(books.api.post(f"{path}/book") for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409, 409]
        entry = next(answer.json() for answer in answers if answer.status_code == 200)
        assert (await books.api.get(path)).json()["journalEntryId"] == entry["id"]
    result = await books.verify_all()
    assert (result.passed, result.entries) == (True, 5)


async def test_a_draft_is_booked_or_deleted(books: Books) -> None:
    booked = 0
    for turn in range(8):
        draft = await drafted(books, plain(books))
        path = f"{V2}/{draft['id']}"
        calls = [books.api.post(f"{path}/book"), books.api.delete(path)]
        first, second = await asyncio.gather(*(calls if turn % 2 else reversed(calls)))
        booking, deleting = (first, second) if turn % 2 else (second, first)
        if booking.status_code == 200:
            booked += 1
            assert deleting.json()["details"] == {"status": "booked", "journalEntryId": booking.json()["id"]}
        else:
            assert (booking.status_code, deleting.status_code) == (404, 204)
        assert (await books.api.get(path)).status_code == (200 if booking.status_code == 200 else 404)
    result = await books.verify_all()
    assert (result.passed, result.entries) == (True, booked)


async def test_what_is_booked_is_the_draft_before_or_after_a_change(books: Books) -> None:
    for turn in range(8):
        draft = await drafted(books, plain(books, description="before"))
        path = f"{V2}/{draft['id']}"
        changes = {"description": "after", "lines": plain(books, "7.00")["lines"]}
        calls = [books.api.post(f"{path}/book"), books.api.patch(path, changes)]
        first, second = await asyncio.gather(*(calls if turn % 2 else reversed(calls)))
        booking, patching = (first, second) if turn % 2 else (second, first)
        assert booking.status_code == 200
        assert patching.status_code in {200, 409}
        entry, kept = booking.json(), (await books.api.get(path)).json()
        seen = (entry["description"], {one["amount"] for one in entry["lines"]})
        assert seen == (("after", {"7.00"}) if patching.status_code == 200 else ("before", {"100.00"}))
        assert seen == (kept["description"], {one["amount"] for one in kept["lines"]})
    assert (await books.verify_all()).passed


async def test_the_same_key_books_once(books: Books) -> None:
    draft = await drafted(books, plain(books))
    headers = {"x-api-idempotency-key": "once"}
    first = await books.api.post(f"{V1}/{draft['id']}/book", headers=headers)
    again = await books.api.post(f"{V1}/{draft['id']}/book", headers=headers)
    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Deprecation"] == "true"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE draft_journal_entries SET description = 'x' WHERE company_id = $1 AND id = $2",
        "UPDATE draft_journal_entries SET status = 'draft', journal_entry_id = NULL WHERE company_id = $1 AND id = $2",
        "DELETE FROM draft_journal_entries WHERE company_id = $1 AND id = $2",
        "DELETE FROM draft_journal_lines WHERE company_id = $1 AND draft_id = $2",
        "UPDATE draft_journal_lines SET amount = 1 WHERE company_id = $1 AND draft_id = $2",
        (
            "INSERT INTO draft_journal_lines SELECT company_id, draft_id, 9, draft_id, account_id, true, 1, 'ENTERED'"
            " FROM draft_journal_lines WHERE company_id = $1 AND draft_id = $2 AND line_number = 1"
        ),
    ],
)
async def test_the_database_itself_keeps_what_was_booked(books: Books, database_url: str, statement: str) -> None:
    draft = await drafted(books, plain(books))
    await books.api.post(f"{V2}/{draft['id']}/book")
    owner = await as_owner(database_url)
    await owner.execute("SELECT set_config('app.company_id', $1, false)", str(books.api.company_id))
    with pytest.raises(asyncpg.PostgresError) as refused:
        await owner.execute(statement, books.api.company_id, draft["id"])
    assert refused.value.sqlstate == "LB431"
    await owner.close()
