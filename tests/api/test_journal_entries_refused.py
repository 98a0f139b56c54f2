"""Every refusal of an entry that is entered: its code, the property it names, and nothing changed."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.journal_bodies import line, plain, state
from tests.ledger_books import BANK, GOODS, PAYABLES, RECEIVABLES, SALES, Books, books_of

from ledgerbee.core.ids import new_id

Spoil = Callable[[Books, dict[str, Any]], Awaitable[None]]
_HEADING = 1001
NOBODY = "0192d3a0-0000-7000-8000-000000000001"


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    books = await books_of(api)
    await books.lock("2025-12-31")
    return books


def fields(**values: Any) -> Spoil:
    """Other values for fields of the entry."""

    async def spoil(_: Books, body: dict[str, Any]) -> None:
        body.update(values)

    return spoil


def on_the_first_line(**values: Any) -> Spoil:
    """Other values for fields of the first line."""

    async def spoil(_: Books, body: dict[str, Any]) -> None:
        body["lines"][0].update(values)

    return spoil


def on_account(number: int, **values: Any) -> Spoil:
    """The first line on another account."""

    async def spoil(books: Books, body: dict[str, Any]) -> None:
        body["lines"][0]["accountId"] = str(books.accounts[number])
        body.update(values)

    return spoil


async def _worth_more_than_can_be_kept(books: Books, body: dict[str, Any]) -> None:
    body.update(plain(books, "9999999999999.99"), currency="EUR", exchangeRate="999999999")


async def _with_both_parties(books: Books, body: dict[str, Any]) -> None:
    body.update(
        entryType="SUPPLIER_INVOICE", customerId=str(await books.customer()), vendorId=str(await books.vendor())
    )


async def _on_the_payable(books: Books, body: dict[str, Any]) -> None:
    body.update(entryType="SUPPLIER_INVOICE", vendorId=str(await books.vendor()))
    body["lines"][1]["accountId"] = str(books.accounts[PAYABLES])


async def _with_the_category_of_purchases(books: Books, body: dict[str, Any]) -> None:
    categories = {entry["name"]: entry["id"] for entry in (await books.api.get("/v1/journal-categories")).json()}
    body["journalCategoryId"] = categories["Køb"]


async def _with_an_inactive_vat_code(books: Books, body: dict[str, Any]) -> None:
    code = {code["vatCode"]: code["id"] for code in (await books.api.get("/v1/vat-codes")).json()}["K060"]
    assert (await books.api.patch(f"/v1/vat-codes/{code}", {"isActive": False})).status_code == 200
    body["lines"][0]["vatCodeId"] = code


async def _with_vat_on_the_receivable(books: Books, body: dict[str, Any]) -> None:
    body["lines"][0] |= {
        "accountId": str(books.accounts[RECEIVABLES]),
        "vatCodeId": (await books.api.get("/v1/vat-codes")).json()[0]["id"],
    }
    body["customerId"] = str(await books.customer())


async def _on_an_inactive_account(books: Books, body: dict[str, Any]) -> None:
    account = str(books.accounts[GOODS])
    assert (await books.api.patch(f"/v1/accounts/{account}", {"isActive": False})).status_code == 200
    body["lines"][0]["accountId"] = account


async def _with_two_values_of_a_unique_dimension(books: Books, body: dict[str, Any]) -> None:
    dimension = (await books.api.post("/v1/dimensions", {"name": "Afdeling", "isUnique": True})).json()["id"]
    made = [await books.api.post(f"/v1/dimensions/{dimension}/values", {"name": name}) for name in ("Nord", "Syd")]
    body["tagIds"] = [made[0].json()["id"]]
    body["lines"][1]["tagIds"] = [made[1].json()["id"]]


async def _with_an_archived_project(books: Books, body: dict[str, Any]) -> None:
    project = (await books.api.post("/v1/projects", {"name": "Bro"})).json()
    archived = await books.api.put(f"/v1/projects/{project['id']}", {"name": "Bro", "isArchived": True})
    assert archived.status_code == 200, archived.text
    body["lines"][0]["tagIds"] = [project["subprojects"][0]["id"]]


#: What is changed of a good entry, and how the answer refuses it: status, code, property.
REFUSALS: tuple[tuple[Spoil, int, str, str], ...] = (
    (on_the_first_line(amount="99.99"), 400, "JOURNAL_ENTRY_UNBALANCED", "lines"),
    (fields(currency="EUR", exchangeRate="7", originalAmount="1", lines=[]), 400, "SHARED_VALIDATION_FAILED", "lines"),
    (on_the_first_line(amount="100.000000000001"), 400, "SHARED_VALIDATION_FAILED", "lines.0.amount"),
    (on_the_first_line(amount="100.001"), 400, "SHARED_VALIDATION_FAILED", "lines.0.amount"),
    (on_the_first_line(amount="1e18"), 400, "SHARED_VALIDATION_FAILED", "lines.0.amount"),
    (on_the_first_line(amount="0"), 400, "SHARED_VALIDATION_FAILED", "lines.0.amount"),
    (on_the_first_line(amount="-100"), 400, "SHARED_VALIDATION_FAILED", "lines.0.amount"),
    (on_the_first_line(amount="NaN"), 400, "SHARED_VALIDATION_FAILED", "lines.0.amount"),
    (on_the_first_line(amount="Infinity"), 400, "SHARED_VALIDATION_FAILED", "lines.0.amount"),
    (on_the_first_line(side="debit"), 400, "SHARED_VALIDATION_FAILED", "lines.0.side"),
    (on_the_first_line(party="x"), 400, "SHARED_VALIDATION_FAILED", "lines.0.party"),
    (fields(originalAmount="1e18"), 400, "SHARED_VALIDATION_FAILED", "originalAmount"),
    (fields(originalAmount="0.001"), 400, "SHARED_VALIDATION_FAILED", "originalAmount"),
    (_worth_more_than_can_be_kept, 400, "SHARED_VALIDATION_FAILED", "exchangeRate"),
    (fields(exchangeRate="7"), 400, "SHARED_VALIDATION_FAILED", "exchangeRate"),
    (fields(date="2026-02-29"), 400, "SHARED_VALIDATION_FAILED", "date"),
    (fields(description="x" * 10_001), 400, "SHARED_VALIDATION_FAILED", "description"),
    (fields(description="\0"), 400, "SHARED_VALIDATION_FAILED", "description"),
    (fields(entryType="CUSTOMER_PAYMENT"), 400, "JOURNAL_ENTRY_PARTY_MISMATCH", "customerId"),
    (_with_both_parties, 400, "JOURNAL_ENTRY_PARTY_MISMATCH", "customerId"),
    (on_account(RECEIVABLES), 400, "JOURNAL_ENTRY_PARTY_REQUIRED", "lines.0"),
    (on_account(PAYABLES), 400, "JOURNAL_ENTRY_PARTY_REQUIRED", "lines.0"),
    (_with_an_inactive_vat_code, 400, "JOURNAL_ENTRY_VAT_NOT_ALLOWED", "lines.0.vatCodeId"),
    (_with_vat_on_the_receivable, 400, "JOURNAL_ENTRY_VAT_NOT_ALLOWED", "lines.0.vatCodeId"),
    (fields(journalCategoryId=NOBODY), 400, "JOURNAL_CATEGORY_NOT_FOUND", "journalCategoryId"),
    (_with_the_category_of_purchases, 400, "JOURNAL_CATEGORY_TYPE_NOT_ALLOWED", "journalCategoryId"),
    (_with_two_values_of_a_unique_dimension, 400, "DIMENSION_NOT_ADDITIVE", "lines.1.tagIds.0"),
    (_with_an_archived_project, 400, "PROJECT_ARCHIVED", "lines.0.tagIds.0"),
    (on_account(_HEADING), 400, "ACCOUNT_NOT_BOOKABLE", "lines.0.accountId"),
    (_on_an_inactive_account, 400, "ACCOUNT_NOT_BOOKABLE", "lines.0.accountId"),
    (fields(currency="KWD"), 400, "EXCHANGE_RATE_MISSING", "currency"),
    (fields(currency="EUR", date="0001-01-01"), 400, "EXCHANGE_RATE_MISSING", "currency"),
    (fields(currency="EUR", date="9999-12-31"), 400, "EXCHANGE_RATE_MISSING", "currency"),
    (fields(date="9999-12-31"), 400, "FISCAL_YEAR_MISSING", "date"),
    (on_the_first_line(accountId=NOBODY), 404, "ACCOUNT_NOT_FOUND", "lines.0.accountId"),
    (on_the_first_line(vatCodeId=NOBODY), 404, "VAT_CODE_NOT_FOUND", "lines.0.vatCodeId"),
    (fields(customerId=NOBODY), 404, "CUSTOMER_NOT_FOUND", "customerId"),
    (fields(vendorId=NOBODY), 404, "VENDOR_NOT_FOUND", "vendorId"),
    (fields(tagIds=[NOBODY]), 404, "DIMENSION_VALUE_NOT_FOUND", "tagIds.0"),
    (on_the_first_line(tagIds=[NOBODY]), 404, "DIMENSION_VALUE_NOT_FOUND", "lines.0.tagIds.0"),
    (fields(date="2025-12-31"), 409, "PERIOD_LOCKED", "date"),
    (fields(date="0001-01-01"), 409, "PERIOD_LOCKED", "date"),
)


def _refusal(answer: Any) -> tuple[int, str, str]:
    body = answer.json()
    details = body["details"]
    place = details["validationErrors"][0]["property"] if "validationErrors" in details else details.get("property", "")
    return answer.status_code, body["code"], place


@pytest.mark.parametrize(
    ("spoil", "status", "code", "place"), REFUSALS, ids=[f"{number}-{row[2]}" for number, row in enumerate(REFUSALS)]
)
async def test_what_is_wrong_with_an_entry_is_named_and_changes_nothing(
    books: Books, spoil: Spoil, status: int, code: str, place: str
) -> None:
    body = plain(books)
    await spoil(books, body)
    before = await state(books)
    headers = {"x-api-idempotency-key": "once"}
    for version in (1, 2):
        answer = await books.api.post(f"/v{version}/journal-entries", body, headers=headers)
        assert _refusal(answer) == (status, code, place), answer.text
    inside = f"entries.1.{place}" if place else "entries.1"
    for path in ("/v1/journal-batches", "/v2/journal-entries/batch"):
        answer = await books.api.post(path, {"entries": [plain(books), body, plain(books)]}, headers=headers)
        assert _refusal(answer) == (status, code, inside), answer.text
    assert await state(books) == before
    assert (await books.api.post("/v2/journal-entries", plain(books), headers=headers)).status_code == 201


async def test_v2_adds_the_payable_and_refuses_one_that_is_sent(books: Books) -> None:
    body = plain(books)
    await _on_the_payable(books, body)
    before = await state(books)
    answer = await books.api.post("/v2/journal-entries", body)
    assert _refusal(answer) == (400, "JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED", "lines.1.accountId")
    assert await state(books) == before
    assert (await books.api.post("/v1/journal-entries", body)).status_code == 201


async def test_what_another_company_has_is_nobodys(books: Books, other_api: Api) -> None:
    theirs = await books_of(other_api)
    code = (await other_api.get("/v1/vat-codes")).json()[0]["id"]
    category = (await other_api.get("/v1/journal-categories")).json()[0]["id"]
    before = await state(books)
    for spoil, refusal in (
        (fields(customerId=str(await theirs.customer())), (404, "CUSTOMER_NOT_FOUND", "customerId")),
        (fields(vendorId=str(await theirs.vendor())), (404, "VENDOR_NOT_FOUND", "vendorId")),
        (fields(tagIds=[str(await theirs.tag())]), (404, "DIMENSION_VALUE_NOT_FOUND", "tagIds.0")),
        (fields(journalCategoryId=category), (400, "JOURNAL_CATEGORY_NOT_FOUND", "journalCategoryId")),
        (on_the_first_line(accountId=str(theirs.accounts[BANK])), (404, "ACCOUNT_NOT_FOUND", "lines.0.accountId")),
        (on_the_first_line(vatCodeId=code), (404, "VAT_CODE_NOT_FOUND", "lines.0.vatCodeId")),
    ):
        body = plain(books)
        await spoil(books, body)
        assert _refusal(await books.api.post("/v2/journal-entries", body)) == refusal
    assert await state(books) == before


async def test_a_refusal_counts_the_lines_that_were_entered(books: Books) -> None:
    """Those that the system adds for VAT stand between them in the books, but not in the request."""
    codes = {code["vatCode"]: code["id"] for code in (await books.api.get("/v1/vat-codes")).json()}
    body = plain(books, "125.00")
    body["lines"] = [
        line(books, GOODS, "DEBIT", "62.50", vatCodeId=codes["K040"]),
        line(books, GOODS, "DEBIT", "62.50", vatCodeId=codes["K660"]),
        line(books, SALES, "CREDIT", "125.00", accountId=str(new_id())),
    ]
    assert _refusal(await books.api.post("/v2/journal-entries", body)) == (
        404,
        "ACCOUNT_NOT_FOUND",
        "lines.2.accountId",
    )


async def test_two_lines_at_least(books: Books) -> None:
    body = plain(books)
    body["lines"].pop()
    assert _refusal(await books.api.post("/v1/journal-entries", body)) == (400, "SHARED_VALIDATION_FAILED", "lines")
