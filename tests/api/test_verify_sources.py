"""`verify` and where entries come from: what an entry names knows of it, whatever became of that."""

import pytest
from tests.api.test_imports import PATH, imported, lines, row
from tests.api.test_ledger_verify import tampered
from tests.conftest import Api
from tests.drafting import V2, drafted, plain
from tests.ledger_books import Books, books_of


async def books_with_sources(api: Api) -> Books:
    """Two booked drafts and one that is not, two entries of an import that refused a row, and one of another."""
    books = await books_of(api)
    for _ in range(2):
        draft = await drafted(books, plain(books))
        assert (await api.post(f"{V2}/{draft['id']}/book")).status_code == 200
    await drafted(books, plain(books))
    found = await imported(api, lines(row("1.00"), "{", row("2.00")))
    assert (found["entriesPosted"], found["errorCount"]) == (2, 1)
    assert (await imported(api, lines(row("3.00"))))["entriesPosted"] == 1
    return books


async def test_drafts_and_imports_and_their_entries_agree(api: Api) -> None:
    books = await books_with_sources(api)
    entries = (await api.get("/v1/journal-entries")).json()["data"]
    assert [entry["sourceType"] for entry in entries] == ["IMPORT"] * 3 + ["DRAFT"] * 2
    for entry in (entries[0], entries[-1]):  # what takes an entry back is of no import
        taken_back = await api.post(f"/v1/journal-entries/{entry['id']}/reverse", {"date": "2026-03-16"})
        assert taken_back.status_code == 201, taken_back.text
    assert (await books.verify_all()).passed


@pytest.mark.parametrize(
    ("statements", "what"),
    [
        (["DELETE FROM draft_journal_entries WHERE company_id = $1 AND status = 'booked'"],
         "that it is of a document (draft) that does not name it"),
        ([("UPDATE draft_journal_entries SET journal_entry_id = (SELECT id FROM journal_entries"
           " WHERE company_id = $1 AND chain_position = 3) WHERE company_id = $1 AND status = 'booked'")],
         "that it is of a document (draft) that does not name it"),
        ([("UPDATE draft_journal_entries SET status = 'booked', journal_entry_id = (SELECT id FROM journal_entries"
           " WHERE company_id = $1 AND chain_position = 3) WHERE company_id = $1 AND status = 'draft'")],
         "is booked, but no entry is of it"),
        (["DELETE FROM journal_imports WHERE company_id = $1"],
         "that it is of a document (import) that does not name it"),
        (["UPDATE journal_imports SET entries_posted = 3 WHERE company_id = $1 AND entries_posted = 2"],
         "counts 3 entries posted, 2 are of it"),
        (["UPDATE journal_imports SET entries_posted = 0 WHERE company_id = $1"],
         "counts 0 entries posted, 2 are of it"),
    ],
)  # fmt: skip
async def test_what_knows_nothing_of_its_entry_is_named(
    api: Api, database_url: str, statements: list[str], what: str
) -> None:
    books = await books_with_sources(api)
    assert (await tampered(books, database_url, *statements)).passed  # the ledger by itself is as it was
    fault = (await books.verify_all()).fault
    assert fault is not None
    assert what in fault.what


async def test_an_import_has_its_own_entries(api: Api, database_url: str) -> None:
    """An entry more of the one and one less of the other: the import that was begun first is named."""
    books = await books_with_sources(api)
    more = "UPDATE journal_imports SET entries_posted = 3 - entries_posted WHERE company_id = $1"
    assert (await tampered(books, database_url, more)).passed
    fault = (await books.verify_all()).fault
    first = (await api.get(PATH)).json()["data"][-1]["id"]
    assert fault is not None
    assert fault.what == f"import {first} counts 1 entries posted, 2 are of it"
