"""Journal entries over HTTP: creating by both versions, VAT, control lines, currencies, batches, corrections."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from tests.api.instances import instance
from tests.conftest import Api
from tests.journal_bodies import line, plain
from tests.ledger_books import BANK, GOODS, PAYABLES, RECEIVABLES, SALES, Books, books_of

from ledgerbee.chart.journal_categories.model import JournalType


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


async def test_an_entry_is_posted_as_it_is_read(books: Books) -> None:
    answer = await books.api.post("/v2/journal-entries", plain(books, description="Kaffe", reference="K-1"))
    assert answer.status_code == 201, answer.text
    entry = answer.json()
    assert (await books.api.get(f"/v1/journal-entries/{entry['id']}")).json() == entry
    assert (await books.api.get("/v1/journal-entries")).json()["data"] == [entry]
    assert [found["amount"] for found in entry["lines"]] == ["100.00", "100.00"]


async def test_the_receivable_is_added(books: Books) -> None:
    customer = str(await books.customer())
    body = plain(books, "1250.00", entryType="CUSTOMER_INVOICE", customerId=customer)
    body["lines"] = [line(books, SALES, "CREDIT", "1250.00")]
    entry = (await books.api.post("/v2/journal-entries", body)).json()
    assert [(found["accountNumber"], found["side"], found["lineType"]) for found in entry["lines"]] == [
        (SALES, "CREDIT", "ENTERED"), (RECEIVABLES, "DEBIT", "CONTROL"),
    ]  # fmt: skip


async def test_many_at_once_have_their_own_answers(books: Books) -> None:
    bodies = [plain(books, f"{n}.00") for n in range(1, 31)]
    bodies[7]["lines"][0]["accountId"] = "0192d3a0-0000-7000-8000-000000000001"
    bodies[9]["journalCategoryId"] = "0192d3a0-0000-7000-8000-000000000001"
    answers = await asyncio.gather(*(books.api.post("/v2/journal-entries", body) for body in bodies))
    statuses = [answer.status_code for answer in answers]
    assert statuses == [404 if n == 7 else 400 if n == 9 else 201 for n in range(30)]
    assert answers[7].json()["details"]["property"] == "lines.0.accountId"
    assert [answer.json()["originalAmount"] for answer in answers if answer.status_code == 201] == [
        f"{n}.00" for n in range(1, 31) if n not in {8, 10}
    ]
    result = await books.verify()
    assert result.passed, result.fault
    assert result.entries == 28


async def test_the_same_key_at_once_posts_once(books: Books) -> None:
    answers = await asyncio.gather(
        *(
            books.api.post("/v2/journal-entries", plain(books), headers={"x-api-idempotency-key": "once"})
            for _ in range(8)
        )
    )
    assert {answer.status_code for answer in answers} <= {201, 409}
    created = [answer for answer in answers if answer.status_code == 201]
    assert len({answer.json()["id"] for answer in created}) == 1
    assert (await books.verify()).entries == 1
    again = await books.api.post("/v2/journal-entries", plain(books), headers={"x-api-idempotency-key": "once"})
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == created[0].json()
    other = await books.api.post("/v2/journal-entries", plain(books, "2.00"), headers={"x-api-idempotency-key": "once"})
    assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


async def test_a_purchase_with_vat(books: Books) -> None:
    codes = {code["vatCode"]: code for code in (await books.api.get("/v1/vat-codes")).json()}
    vendor = str(await books.vendor())
    bought = line(books, GOODS, "DEBIT", "1250.00", vatCodeId=codes["K010"]["id"])
    body = plain(books, "1250.00", entryType="SUPPLIER_INVOICE", vendorId=vendor, lines=[bought])
    entry = (await books.api.post("/v2/journal-entries", body)).json()
    assert [(found["accountNumber"], found["side"], found["amount"]) for found in entry["lines"]] == [
        (GOODS, "DEBIT", "1000.00"), (codes["K010"]["accountToBookNumber"], "DEBIT", "250.00"),
        (PAYABLES, "CREDIT", "1250.00"),
    ]  # fmt: skip


async def test_the_two_versions_are_two_doors_to_the_same(books: Books) -> None:
    """v1 takes every line and may leave the original amount out; the entry is the same."""
    customer = str(await books.customer())
    lines = [line(books, SALES, "CREDIT", "800.00"), line(books, SALES, "CREDIT", "200.00")]
    fields = {"entryType": "CUSTOMER_INVOICE", "date": "2026-03-16", "customerId": customer, "reference": " F-7 "}
    two = await books.api.post("/v2/journal-entries", {**fields, "originalAmount": 1000, "lines": lines})
    receivable = line(books, RECEIVABLES, "DEBIT", "1000")
    one = await books.api.post("/v1/journal-entries", {**fields, "lines": [*lines, receivable]})
    assert (one.status_code, two.status_code) == (201, 201), (one.text, two.text)
    unlike = {"id", "entryNumber", "lines", "postedAt", "createdAt", "previousHash", "hash"}
    assert {name: value for name, value in one.json().items() if name not in unlike} == {
        name: value for name, value in two.json().items() if name not in unlike
    }
    assert one.json()["reference"] == "F-7"
    assert one.json()["previousHash"] == two.json()["hash"]
    assert [found["lineType"] for found in two.json()["lines"]] == ["ENTERED", "ENTERED", "CONTROL"]
    assert {found["lineType"] for found in one.json()["lines"]} == {"ENTERED"}
    assert "Sunset" not in one.headers


async def test_without_an_original_amount_v1_takes_the_debits(books: Books) -> None:
    body = plain(books, "12.50")
    del body["originalAmount"]
    assert (await books.api.post("/v1/journal-entries", body)).json()["originalAmount"] == "12.50"
    refused = await books.api.post("/v2/journal-entries", body)
    assert refused.json()["details"]["validationErrors"][0]["property"] == "originalAmount"


async def test_debits_that_sum_to_more_than_can_be_kept_are_refused_as_that(books: Books) -> None:
    largest = "9999999999999.99"
    body = plain(books, largest)
    body["lines"] *= 2
    del body["originalAmount"]
    answer = await books.api.post("/v1/journal-entries", body)
    assert answer.json()["details"]["validationErrors"] == [
        {
            "property": "originalAmount",
            "constraints": {"max": "originalAmount must not be greater than 9999999999999.9999"},
        }
    ]


@pytest.mark.parametrize("amount", ["-0", "0", "-0.00", 0])
async def test_zero_is_shown_as_it_is_read(books: Books, amount: Any) -> None:
    answer = await books.api.post("/v2/journal-entries", {**plain(books), "originalAmount": amount})
    assert answer.json()["originalAmount"] == "0.00"
    assert (await books.api.get(f"/v1/journal-entries/{answer.json()['id']}")).content == answer.content
    assert (await books.verify()).passed


async def test_a_foreign_currency_is_kept_in_both(books: Books) -> None:
    """The day's rate unless one is given. Each amount is converted by itself; what was sold takes what is left."""
    await books.api.put("/v1/exchange-rates", {"currency": "EUR", "date": "2026-03-16", "rate": "7.461"})
    body = plain(books, "100.01", currency="EUR")
    body["lines"] = [
        line(books, BANK, "DEBIT", "33.33"), line(books, BANK, "DEBIT", "66.68"),
        line(books, SALES, "CREDIT", "100.01"),
    ]  # fmt: skip
    entry = (await books.api.post("/v2/journal-entries", body)).json()
    assert (entry["currency"], entry["exchangeRate"]) == ("EUR", "7.461")
    assert [found["amountInBaseCurrency"] for found in entry["lines"]] == ["248.68", "497.50", "746.18"]
    given = (await books.api.post("/v2/journal-entries", {**body, "exchangeRate": "7.5"})).json()
    assert given["lines"][2]["amountInBaseCurrency"] == "750.08"
    assert (await books.verify()).passed


async def test_a_batch_is_answered_in_the_order_of_the_request(books: Books) -> None:
    bodies = [plain(books, f"{n}.00", description=str(n), date=f"2026-0{n % 3 + 1}-10") for n in range(1, 101)]
    for path in ("/v2/journal-entries/batch", "/v1/journal-batches"):
        answer = await books.api.post(path, {"entries": bodies})
        assert answer.status_code == 201, answer.text
        assert list(answer.json()) == ["totalCreated", "entries"]
        entries = answer.json()["entries"]
        assert answer.json()["totalCreated"] == len(entries) == 100
        assert [entry["description"] for entry in entries] == [str(n) for n in range(1, 101)]
        assert [entry["previousHash"] for entry in entries[1:]] == [entry["hash"] for entry in entries[:-1]]
    assert [entry["entryNumber"] for entry in entries] == list(range(101, 201))
    assert (await books.verify()).entries == 200


@pytest.mark.parametrize("count", [0, 101])
async def test_a_batch_has_one_to_a_hundred_entries(books: Books, count: int) -> None:
    for path in ("/v2/journal-entries/batch", "/v1/journal-batches"):
        answer = await books.api.post(path, {"entries": [plain(books)] * count})
        assert answer.status_code == 400
        assert answer.json()["details"]["validationErrors"][0]["property"] == "entries"
    assert (await books.verify()).entries == 0


async def test_ten_thousand_lines_are_an_entry_and_one_more_is_none(books: Books) -> None:
    half = [line(books, BANK, "DEBIT", "0.01")] * 5_000
    body = plain(books, "50.00", lines=[*half, *[line(books, SALES, "CREDIT", "0.01")] * 5_000])
    answer = await books.api.post("/v2/journal-entries", body)
    assert (answer.status_code, len(answer.json()["lines"])) == (201, 10_000)
    body["lines"].append(line(books, SALES, "CREDIT", "0.01"))
    answer = await books.api.post("/v2/journal-entries", body)
    assert answer.json()["details"]["validationErrors"] == [
        {"property": "lines", "constraints": {"arrayMaxSize": "lines must contain no more than 10000 elements"}}
    ]
    assert (await books.verify()).lines == 10_000


async def test_two_fields_of_a_posted_entry_may_be_corrected(books: Books) -> None:
    entry = (await books.api.post("/v2/journal-entries", plain(books, reference="A", externalSystemId="x"))).json()
    path = f"/v1/journal-entries/{entry['id']}"
    expected = entry
    changes: tuple[dict[str, Any], ...] = (
        {"reference": "  B  "}, {"externalSystemId": None}, {"reference": None, "externalSystemId": "y"}, {},
    )  # fmt: skip
    for change in changes:
        answer = await books.api.patch(path, change)
        expected = {**expected, **{name: text and text.strip() for name, text in change.items()}}
        assert (answer.status_code, answer.json()) == (200, expected)
        assert (await books.api.get(path)).json() == expected
    for refused in ({"description": "x"}, {"date": "2026-03-17"}, {"reference": 7}, {"reference": "x" * 1_001}):
        answer = await books.api.patch(path, refused)
        assert answer.json()["details"]["validationErrors"][0]["property"] == next(iter(refused))
    assert (await books.api.get(path)).json() == expected
    assert (await books.verify()).passed


async def test_a_new_default_category_counts_at_once_in_every_process(database_url: str, books: Books) -> None:
    """What a process knows of the books from the last entry is no longer so."""
    api, path = books.api, "/v2/journal-entries"
    before = (await api.post(path, plain(books))).json()["journalCategoryId"]
    async with instance(database_url, api.clock) as other_process:

        async def posted_elsewhere() -> str:
            answer = await other_process.post(f"/api{path}", json=plain(books), headers={"x-api-key": api.key})
            return str(answer.json()["journalCategoryId"])

        assert await posted_elsewhere() == before
        body = {"name": "Alt", "isDefault": True, "allowedJournalTypes": list(JournalType)}
        new = (await api.post("/v1/journal-categories", body)).json()["id"]
        assert await posted_elsewhere() == new
        assert (await api.post(path, plain(books))).json()["journalCategoryId"] == new


async def test_what_is_told_and_kept_of_a_batch_is_what_was_answered(books: Books) -> None:
    """An answer that lists what its events tell is sent to the database once: all of them are parts of one text."""
    entries = [plain(books, description=f"Rødgrød 🦊 {number}" * number) for number in range(3)]
    key = {"x-api-idempotency-key": "batch"}
    first = await books.api.post("/v2/journal-entries/batch", {"entries": entries}, headers=key)
    again = await books.api.post("/v2/journal-entries/batch", {"entries": entries}, headers=key)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.content == first.content
    assert await told(books, "journal_entry.posted") == first.json()["entries"]


async def test_what_is_told_beside_the_answer_is_kept_apart_from_it(books: Books) -> None:
    """A booking tells of the draft and of the entry, and answers with the entry alone."""
    draft = (await books.api.post("/v2/draft-journal-entries", plain(books, description="Æble"))).json()
    path, key = f"/v2/draft-journal-entries/{draft['id']}/book", {"x-api-idempotency-key": "book"}
    first = await books.api.post(path, headers=key)
    again = await books.api.post(path, headers=key)
    assert (again.headers["Idempotent-Replayed"], again.content) == ("true", first.content)
    assert await told(books, "journal_entry.posted") == [first.json()]
    assert [shown["journalEntryId"] for shown in await told(books, "draft_journal_entry.booked")] == [
        first.json()["id"]
    ]


async def told(books: Books, event_type: str) -> list[dict[str, Any]]:
    """What the company's events of a type tell, in order."""
    rows = await books.api.run(
        lambda context: context.connection.fetch(
            "SELECT data FROM events WHERE company_id = $1 AND type = $2 ORDER BY id", context.company_id, event_type
        )
    )
    return [row["data"] for row in rows]
