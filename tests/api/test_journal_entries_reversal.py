"""Reversing journal entries over HTTP: what comes of it, and what can't be reversed."""

import asyncio
from importlib import import_module

import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.journal_bodies import plain, state
from tests.ledger_books import BANK, SALES, Books, books_of
from tests.selling import Shop, line

from ledgerbee.core.ids import new_id


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


async def posted(books: Books, **fields: object) -> dict[str, object]:
    answer = await books.api.post("/v2/journal-entries", plain(books, **fields))  # type: ignore[arg-type]
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def test_a_reversal(books: Books) -> None:
    entry = (await books.api.post("/v2/journal-entries", plain(books, description="Kaffe"))).json()
    path = f"/v1/journal-entries/{entry['id']}/reverse"
    answers = await asyncio.gather(*(books.api.post(path) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    reversal = next(answer.json() for answer in answers if answer.status_code == 201)
    assert reversal["reversesEntryId"] == entry["id"]
    assert reversal["description"] == "Tilbageførsel af nr. 1: Kaffe"
    assert [found["side"] for found in reversal["lines"]] == ["CREDIT", "DEBIT"]
    again = await books.api.post(f"/v1/journal-entries/{reversal['id']}/reverse")
    assert (again.status_code, again.json()["code"]) == (409, "JOURNAL_ENTRY_INVALID_STATE")
    assert (await books.verify()).entries == 2


async def test_both_are_linked_and_what_is_shown_is_what_was_answered(books: Books) -> None:
    entry = await posted(books, externalSystemId="x", reference="K-1", date="2026-02-01")
    answer = await books.api.post(
        f"/v1/journal-entries/{entry['id']}/reverse", {"date": "2026-02-03", "description": ""}
    )
    reversal = answer.json()
    assert answer.status_code == 201
    assert (reversal["date"], reversal["description"]) == ("2026-02-03", "")
    assert (reversal["reference"], reversal["externalSystemId"], reversal["originalAmount"]) == ("K-1", None, "-100.00")
    assert (await books.api.get(f"/v1/journal-entries/{reversal['id']}")).json() == reversal
    assert (await books.api.get(f"/v1/journal-entries/{entry['id']}")).json() == {
        **entry, "reversedByEntryId": reversal["id"],
    }  # fmt: skip
    balance = (await books.api.get("/v1/reports/trial-balance?toDate=2026-12-31")).json()
    closing = {row["accountNumber"]: row["closing"] for row in balance["rows"]}
    assert (closing[BANK], closing[SALES]) == ("0.00", "0.00")


async def test_without_a_date_it_is_today_but_never_before_the_entry(books: Books) -> None:
    """Today is 16 March in the tests."""
    for day, expected in (("2026-01-05", "2026-03-16"), ("2026-05-01", "2026-05-01")):
        entry = await posted(books, date=day)
        assert (await books.api.post(f"/v1/journal-entries/{entry['id']}/reverse")).json()["date"] == expected


async def test_whoever_loses_a_race_learns_what_the_winner_did(books: Books) -> None:
    """As one that comes later does: which entry it was, and what reversed it."""
    for _ in range(3):
        first, second = await posted(books), await posted(books)
        ids = [first["id"], second["id"]]
        single = [books.api.post(f"/v1/journal-entries/{first['id']}/reverse") for _ in range(3)]
        many = [
            books.api.post("/v1/journal-entries/reverse-batch", {"journalEntryIds": order})
            for order in (ids, ids[::-1], ids, ids[::-1])
        ]
        answers = await asyncio.gather(*single, *many)
        assert {answer.status_code for answer in answers} == {201, 409}
        taken = {one: (await books.api.get(f"/v1/journal-entries/{one}")).json()["reversedByEntryId"] for one in ids}
        for number, answer in enumerate(answers):
            if answer.status_code == 201:
                continue
            assert answer.json()["code"] == "JOURNAL_ENTRY_ALREADY_REVERSED"
            details = answer.json()["details"]
            assert details["reversedByEntryId"] == taken[details["journalEntryId"]] is not None
            if number < len(single):
                assert details.keys() == {"reversedByEntryId", "journalEntryId"}
                continue
            order = ids if number in {3, 5} else ids[::-1]
            reversed_ = [f"journalEntryIds.{index}" for index, one in enumerate(order) if taken[one]]
            assert details["property"] == reversed_[0]
            assert order[int(details["property"][-1])] == details["journalEntryId"]
            assert details.get("properties", reversed_) == reversed_


async def test_all_that_can_not_be_reversed_are_named(books: Books) -> None:
    entries = [await posted(books) for _ in range(4)]
    for entry in entries[1:3]:
        await books.api.post(f"/v1/journal-entries/{entry['id']}/reverse")
    body = {"journalEntryIds": [entry["id"] for entry in entries]}
    answer = await books.api.post("/v1/journal-entries/reverse-batch", body)
    assert answer.json()["code"] == "JOURNAL_ENTRY_ALREADY_REVERSED"
    assert answer.json()["details"]["journalEntryId"] == entries[1]["id"]
    assert answer.json()["details"]["properties"] == ["journalEntryIds.1", "journalEntryIds.2"]


async def test_many_are_reversed_together_in_the_order_of_their_ids(books: Books) -> None:
    ids = [(await posted(books, description=str(number)))["id"] for number in range(5)][::-1]
    answer = await books.api.post("/v1/journal-entries/reverse-batch", {"journalEntryIds": ids, "date": "2026-03-20"})
    assert (answer.status_code, answer.json()["totalCreated"]) == (201, 5)
    assert [entry["reversesEntryId"] for entry in answer.json()["entries"]] == ids
    assert [entry["entryNumber"] for entry in answer.json()["entries"]] == [6, 7, 8, 9, 10]
    assert {entry["date"] for entry in answer.json()["entries"]} == {"2026-03-20"}


async def test_entries_of_too_many_lines_are_not_reversed_together(
    books: Books, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [(await posted(books))["id"] for _ in range(3)]
    before = await state(books)
    monkeypatch.setattr(import_module("ledgerbee.ledger.entries.actions.reverse"), "MAX_LINES_TOGETHER", 5)
    answer = await books.api.post("/v1/journal-entries/reverse-batch", {"journalEntryIds": ids})
    assert (answer.status_code, answer.json()["code"]) == (400, "SHARED_VALIDATION_FAILED")
    (error,) = answer.json()["details"]["validationErrors"]
    assert (error["property"], list(error["constraints"])) == ("journalEntryIds", ["maxLines"])
    assert await state(books) == before
    answer = await books.api.post("/v1/journal-entries/reverse-batch", {"journalEntryIds": ids[:2]})
    assert answer.status_code == 201, answer.text


async def test_one_that_can_not_be_reversed_keeps_the_others(books: Books) -> None:
    first, second = await posted(books), await posted(books)
    reversal = (await books.api.post(f"/v1/journal-entries/{second['id']}/reverse")).json()
    before = await state(books)
    for wrong, status, code in (
        (str(new_id()), 404, "JOURNAL_ENTRY_NOT_FOUND"),
        (second["id"], 409, "JOURNAL_ENTRY_ALREADY_REVERSED"),
        (reversal["id"], 409, "JOURNAL_ENTRY_INVALID_STATE"),
    ):
        answer = await books.api.post("/v1/journal-entries/reverse-batch", {"journalEntryIds": [first["id"], wrong]})
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.json()["details"]["property"] == "journalEntryIds.1"
    for ids in ([], [first["id"]] * 2, [str(new_id()) for _ in range(101)]):
        answer = await books.api.post("/v1/journal-entries/reverse-batch", {"journalEntryIds": ids})
        assert answer.json()["details"]["validationErrors"][0]["property"] == "journalEntryIds"
    assert await state(books) == before


@pytest.mark.parametrize(
    ("day", "status", "code"),
    [
        ("2026-03-15", 400, "SHARED_VALIDATION_FAILED"),
        ("2077-01-01", 400, "FISCAL_YEAR_MISSING"),
        ("2026-03-17", 409, "PERIOD_LOCKED"),
    ],
)
async def test_the_day_of_a_reversal_is_open_and_not_before_the_entry(
    books: Books, day: str, status: int, code: str
) -> None:
    entry = await posted(books)
    await books.lock("2026-03-18")
    before = await state(books)
    answer = await books.api.post(f"/v1/journal-entries/{entry['id']}/reverse", {"date": day})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    later = await posted(books, date="2026-03-20")
    before = await state(books)
    body = {"journalEntryIds": [entry["id"], later["id"]], "date": day}
    many = await books.api.post("/v1/journal-entries/reverse-batch", body)
    for refused in (answer, many):
        if code == "SHARED_VALIDATION_FAILED" or refused is answer:
            assert refused.json()["code"] == code
        details = refused.json()["details"]
        places = [one["property"] for one in details.get("validationErrors", [details])]
        assert places == ["date"], details
    assert await state(books) == before


async def test_all_ids_that_are_not_there_are_named(books: Books) -> None:
    ids = [str(new_id()), (await posted(books))["id"], str(new_id())]
    answer = await books.api.post("/v1/journal-entries/reverse-batch", {"journalEntryIds": ids})
    assert answer.json()["details"] == {
        "property": "journalEntryIds.0", "journalEntryId": ids[0],
        "properties": ["journalEntryIds.0", "journalEntryIds.2"],
    }  # fmt: skip


async def test_the_entry_of_an_invoice_is_corrected_with_the_invoice(api: Api, books: Books) -> None:
    shop = Shop(api)
    await shop.sold(line(await shop.price()))
    entry = (await api.get("/v1/journal-entries")).json()["data"][0]
    before = await state(books)
    answer = await api.post(f"/v1/journal-entries/{entry['id']}/reverse")
    assert (answer.status_code, answer.json()["code"]) == (409, "JOURNAL_ENTRY_INVALID_STATE")
    assert answer.json()["details"]["sourceType"] == "invoice"
    assert await state(books) == before


async def test_what_a_reversal_tells(books: Books) -> None:
    entry = await posted(books)
    reversal = (await books.api.post(f"/v1/journal-entries/{entry['id']}/reverse")).json()
    events = await Shop(books.api).events("journal_entry.reversed")
    assert events == [{**entry, "reversedByEntryId": reversal["id"]}]
    assert (await Shop(books.api).events("journal_entry.posted"))[1] == reversal
