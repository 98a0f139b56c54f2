"""Journal entries over HTTP: creating by both versions, VAT, control lines, currencies, batches, corrections."""

import asyncio
from typing import Any

import pytest_asyncio
from tests.conftest import Api
from tests.ledger_books import BANK, GOODS, PAYABLES, RECEIVABLES, SALES, Books, books_of


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


def line(books: Books, number: int, side: str, amount: str, **fields: Any) -> dict[str, Any]:
    return {"accountId": str(books.accounts[number]), "side": side, "amount": amount, **fields}


def plain(books: Books, amount: str = "100.00", **fields: Any) -> dict[str, Any]:
    """Bank against sales."""
    return {
        "entryType": "JOURNAL_ENTRY",
        "date": "2026-03-16",
        "originalAmount": amount,
        "lines": [line(books, BANK, "DEBIT", amount), line(books, SALES, "CREDIT", amount)],
        **fields,
    }


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
    assert answers[7].json()["details"]["property"] == "lines.0"
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
