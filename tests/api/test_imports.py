"""Imports of files: JSON Lines and CSV over HTTP, rows that are refused, interruptions, the same file twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.ledger_books import BANK, GOODS, RECEIVABLES, SALES, Books, books_of

from ledgerbee.core.dates import system_clock
from ledgerbee.ledger.imports.jobs import import_entries
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer

JSONL = "application/x-ndjson"
PATH = "/v2/journal-entries/import"


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


def row(amount: str = "100.00", **fields: Any) -> dict[str, Any]:
    """Bank against sales, accounts by number."""
    return {
        "entryType": "JOURNAL_ENTRY",
        "date": "2026-03-16",
        "originalAmount": amount,
        "lines": [
            {"accountNumber": BANK, "side": "DEBIT", "amount": amount},
            {"accountNumber": SALES, "side": "CREDIT", "amount": amount},
        ],
        **fields,
    }


def lines(*rows: Any) -> str:
    return "".join((text if isinstance(text, str) else json.dumps(text)) + "\n" for text in rows)


async def send(api: Api, content: Any, media_type: str = JSONL, **headers: str) -> Any:
    return await api.request("POST", PATH, content=content, headers={"content-type": media_type, **headers})


async def work_off(api: Api, import_id: str) -> dict[str, Any]:
    """Run the job of an import, in process, and answer with the import."""
    await import_entries(
        JobRun(api.database, Mailer(None, "a@b.dk"), api.clock, api.company_id, "r", {"importId": import_id}, 1, 8)
    )
    return dict((await api.get(f"{PATH}/{import_id}")).json())


async def imported(api: Api, content: Any, media_type: str = JSONL) -> dict[str, Any]:
    answer = await send(api, content, media_type)
    assert answer.status_code == 202, answer.text
    assert answer.json()["status"] == "queued"
    return await work_off(api, answer.json()["id"])


async def errors_of(api: Api, found: dict[str, Any]) -> list[tuple[int, str, str]]:
    listed = (await api.get(f"{PATH}/{found['id']}/errors?limit=100")).json()
    assert listed["total"] == found["errorCount"]
    return [(error["line"], error["code"], error["property"]) for error in listed["data"]]


async def test_each_line_is_an_entry(books: Books) -> None:
    content = lines(row("1.00", description="Kaffe", reference="K-1"), "", row("2.5"), row("3.00"))
    found = await imported(books.api, content)
    assert (found["status"], found["entriesPosted"], found["errorCount"]) == ("completed", 3, 0)
    assert found["bytesRead"] == found["bytesTotal"] == len(content)
    listed = (await books.api.get("/v1/journal-entries")).json()["data"]
    assert [(entry["entryNumber"], entry["originalAmount"]) for entry in listed] == [(3, "3.00"), (2, "2.50"), (1, "1.00")]
    assert (listed[2]["description"], listed[2]["reference"]) == ("Kaffe", "K-1")
    assert (await books.verify()).passed


async def test_parties_codes_and_categories_go_by_number_and_name(books: Books) -> None:
    customer, vendor = str(await books.customer("C-7")), str(await books.vendor("V-8"))
    category = (await books.api.get("/v1/journal-categories")).json()[0]
    invoice = row("125.00", entryType="CUSTOMER_INVOICE", customerNumber="C-7", journalCategory=category["name"])
    invoice["lines"] = [{"accountNumber": SALES, "side": "CREDIT", "amount": "125.00", "vatCode": "U25"}]
    bill = row("80.00", entryType="SUPPLIER_INVOICE", vendorNumber="V-8")
    bill["lines"] = [{"accountNumber": GOODS, "side": "DEBIT", "amount": "80.00"}]
    codes = {code["vatCode"]: code["id"] for code in (await books.api.get("/v1/vat-codes")).json()}
    assert "U25" in codes, sorted(codes)
    found = await imported(books.api, lines(invoice, bill))
    assert (found["entriesPosted"], found["errorCount"]) == (2, 0), await errors_of(books.api, found)
    listed = (await books.api.get("/v1/journal-entries")).json()["data"]
    assert {entry["customerId"] for entry in listed} == {customer, None}
    assert {entry["vendorId"] for entry in listed} == {vendor, None}
    (sold,) = [entry for entry in listed if entry["customerId"]]
    assert sold["journalCategoryId"] == category["id"]
    assert [line["lineType"] for line in sold["lines"]] == ["ENTERED", "VAT", "CONTROL"]


async def test_bad_rows_are_refused_alone(books: Books) -> None:
    await books.lock("2025-12-31")
    content = lines(
        row("1.00"),
        "{not json",
        row("2.00", lines=[{"accountNumber": BANK, "side": "DEBIT", "amount": "2.00"}]),
        row("3.00", surprise=1),
        row("4.00", lines=[{"accountNumber": 77, "side": "DEBIT", "amount": "4"}] * 2),
        row("5.00", date="2025-06-01"),
        row("6.00", date="1066-10-14"),
        row("7.00", lines=[{"accountNumber": RECEIVABLES, "side": "DEBIT", "amount": "7"}, {"accountNumber": SALES, "side": "CREDIT", "amount": "7"}]),
        row("8.001"),
        row("9.00", date="2026-02-30"),
        '{"a":NaN}',
        "[1]",
        row("10.00"),
    )  # fmt: skip
    found = await imported(books.api, content)
    assert (found["entriesPosted"], found["errorCount"]) == (2, 11)
    assert await errors_of(books.api, found) == [
        (2, "JOURNAL_IMPORT_UNREADABLE", ""),
        (3, "SHARED_VALIDATION_FAILED", "lines"),
        (4, "SHARED_VALIDATION_FAILED", "surprise"),
        (5, "ACCOUNT_NOT_FOUND", "lines.0.accountNumber"),
        (6, "PERIOD_LOCKED", "date"),
        (7, "FISCAL_YEAR_MISSING", "date"),
        (8, "JOURNAL_ENTRY_PARTY_REQUIRED", "customerId"),
        (9, "SHARED_VALIDATION_FAILED", "originalAmount"),
        (10, "SHARED_VALIDATION_FAILED", "date"),
        (11, "JOURNAL_IMPORT_UNREADABLE", ""),
        (12, "SHARED_VALIDATION_FAILED", ""),
    ]
    assert (await books.verify()).entries == 2
