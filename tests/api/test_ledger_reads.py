"""The list and the single read of posted entries over HTTP."""

from typing import Any

import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.ledger_books import BANK, PAYABLES, RECEIVABLES, SALES, Books, books_of

from ledgerbee.core.ids import new_id
from ledgerbee.ledger.entries.model import EntryType
from ledgerbee.platform.context import Context

PATH = "/v1/journal-entries"


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


async def found(api: Api, **query: Any) -> list[str]:
    """Descriptions of the entries that the list answers with; the total must agree."""
    answer = await api.get(PATH, params=query)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["total"] == len(body["data"])
    return [entry["description"] for entry in body["data"]]


async def test_an_entry_reads_as_documented(books: Books) -> None:
    customer = await books.customer()
    entry = books.invoice("2026-02-01", customer, description="Faktura 1", reference="1", external_system_id="ext")
    (posted,) = await books.post(entry)
    shown = (await books.api.get(f"{PATH}/{entry.id}")).json()
    lines = shown.pop("lines")
    assert shown == {
        "id": str(entry.id),
        "entryNumber": 1,
        "entryType": "CUSTOMER_INVOICE",
        "date": "2026-02-01",
        "description": "Faktura 1",
        "reference": "1",
        "deliveryDate": None,
        "externalSystemId": "ext",
        "currency": "DKK",
        "exchangeRate": "1",
        "originalAmount": "1250.00",
        "customerId": str(customer),
        "vendorId": None,
        "journalCategoryId": None,
        "tagIds": [],
        "attachmentCount": 0,
        "reversesEntryId": None,
        "reversedByEntryId": None,
        "sourceType": "API",
        "sourceId": None,
        "postedBy": "operator:tests",
        "postedAt": "2026-03-16T12:00:00.000Z",
        "createdAt": "2026-03-16T12:00:00.000Z",
        "previousHash": posted.previous_hash.hex(),
        "hash": posted.hash.hex(),
    }
    assert lines[2].pop("id")
    assert lines[2] == {
        "accountId": str(books.accounts[7680]),
        "accountNumber": 7680,
        "accountName": "Salgsmoms",
        "side": "CREDIT",
        "amount": "250.00",
        "amountInBaseCurrency": "250.00",
        "lineType": "VAT",
        "vatCodeId": None,
        "description": None,
        "tagIds": [],
        "vatRate": None,
        "vatDifference": None,
    }
    listed = (await books.api.get(PATH)).json()
    assert listed["data"][0] == (await books.api.get(f"{PATH}/{entry.id}")).json()
    assert (listed["total"], listed["page"], listed["limit"], listed["totalPages"]) == (1, 1, 25, 1)


async def test_an_unknown_entry_is_not_found(books: Books, other_api: Api) -> None:
    theirs = await books_of(other_api)
    entry = theirs.sale("2026-01-01", "1.00")
    await theirs.post(entry)
    for unknown in (entry.id, new_id()):
        answer = await books.api.get(f"{PATH}/{unknown}")
        assert (answer.status_code, answer.json()["code"]) == (404, "JOURNAL_ENTRY_NOT_FOUND")
    assert (await books.api.get(f"{PATH}/17")).status_code == 400
    assert await found(books.api) == []


async def test_the_list_is_narrowed_by_every_filter(books: Books) -> None:
    api = books.api
    customer, vendor = await books.customer(), await books.vendor()
    supplier_lines = [books.line(SALES, "80.00"), books.line(PAYABLES, "-80.00")]
    await books.post(
        books.sale("2026-01-10", "10.00", description="apples", reference="R-1"),
        books.sale("2026-01-12", "20.00", description="Apricots", external_system_id="dup"),
        books.sale("2026-01-11", "30.00", description="pears", external_system_id="dup", reference="apr-7"),
        books.invoice("2026-02-01", customer, description="100%_invoice"),
        books.entry(
            "2026-03-01", supplier_lines, vendor_id=vendor, description="bill", entry_type=EntryType.SUPPLIER_INVOICE,
            original_amount=-supplier_lines[0].amount,
        ),
    )  # fmt: skip
    assert await found(api) == ["bill", "100%_invoice", "Apricots", "pears", "apples"]
    assert await found(api, fromDate="2026-01-11", toDate="2026-01-12") == ["Apricots", "pears"]
    assert await found(api, fromDate="0001-01-01", toDate="9999-12-31", journalType="SUPPLIER_INVOICE") == ["bill"]
    assert await found(api, accountId=str(books.accounts[RECEIVABLES])) == ["100%_invoice"]
    assert await found(api, accountId=str(books.accounts[BANK]), toDate="2026-01-10") == ["apples"]
    assert await found(api, accountId=str(new_id())) == []
    assert await found(api, customerId=str(customer)) == ["100%_invoice"]
    assert await found(api, vendorId=str(vendor)) == ["bill"]
    assert await found(api, minAmount="20", maxAmount="30.00") == ["Apricots", "pears"]
    assert await found(api, maxAmount="-80") == ["bill"]
    assert await found(api, externalSystemId="dup") == ["Apricots", "pears"]
    assert await found(api, search="AP") == ["Apricots", "pears", "apples"]
    assert await found(api, search="r-1") == ["apples"]
    assert await found(api, search="100%") == ["100%_invoice"]
    assert await found(api, search="1%") == []
    assert await found(api, search="a" * 200) == []


async def test_pages_follow_each_other(books: Books) -> None:
    await books.post(*[books.sale(f"2026-01-{1 + n % 5:02}", "1.00", description=str(n)) for n in range(25)])
    seen = []
    for page in range(1, 5):
        body = (await books.api.get(PATH, params={"page": page, "limit": 7})).json()
        assert (body["total"], body["totalPages"]) == (25, 4)
        seen += [(entry["date"], entry["entryNumber"]) for entry in body["data"]]
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 25
    assert (await books.api.get(PATH, params={"page": 5, "limit": 7})).json()["data"] == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"fromDate": "2026-02-30"}, "fromDate"),
        ({"accountId": "x"}, "accountId"),
        ({"journalType": "OTHER"}, "journalType"),
        ({"minAmount": "NaN"}, "minAmount"),
        ({"maxAmount": "1e30"}, "maxAmount"),
        ({"limit": "101"}, "limit"),
        ({"page": "0"}, "page"),
        ({"search": "x" * 201}, "search"),
    ],
)
async def test_filters_that_make_no_sense_are_refused(api: Api, query: dict[str, str], name: str) -> None:
    answer = await api.get(PATH, params=query)
    assert answer.status_code == 400
    assert [problem["property"] for problem in answer.json()["details"]["validationErrors"]] == [name]


async def test_long_texts_are_posted_and_found(books: Books) -> None:
    """An index row holds less than a description may have: any 10,000 characters can be posted."""
    text = "".join(chr(0x4E00 + n * 7919 % 20000) for n in range(10_000))
    await books.post(books.sale("2026-01-01", "1.00", description=text, reference=text[:1000]))
    assert await found(books.api, search=text[:200]) == [text]


async def test_a_correction_shows_and_changes_no_hash(books: Books) -> None:
    entry = books.sale("2026-01-01", "1.00", reference="wrong")
    await books.post(entry)
    before = (await books.api.get(f"{PATH}/{entry.id}")).json()

    async def correct(context: Context) -> None:
        await context.connection.execute(
            "UPDATE journal_entries SET reference = 'right' WHERE company_id = $1 AND id = $2",
            context.company_id,
            entry.id,
        )

    await books.api.run(correct)
    assert (await books.api.get(f"{PATH}/{entry.id}")).json() == before | {"reference": "right"}


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, "87531642"),
        ({"fromDate": "2022-01-02"}, "8753164"),
        ({"fromDate": "2022-12-31", "toDate": "2025-06-01"}, "753164"),
        ({"accountId": BANK}, "87531642"),
        ({"accountId": BANK, "toDate": "2025-06-15"}, "7531642"),
        ({"accountId": BANK, "journalType": "JOURNAL_ENTRY"}, "87531642"),
        ({"journalType": "JOURNAL_ENTRY", "minAmount": "2.00"}, "8753642"),
        ({"search": "n"}, "7531642"),
        ({"search": "N", "maxAmount": "6"}, "531642"),
        ({"search": "odd"}, "7531"),
        ({"search": "o"}, "87531"),
        ({"search": "o", "fromDate": "2025-06-01"}, "8753"),
        ({"externalSystemId": "odd"}, "7531"),
    ],
)
async def test_every_page_of_several_years_is_where_it_belongs(
    books: Books, query: dict[str, Any], wanted: str
) -> None:
    """Pages of every size, from either end: years of different lengths, one without entries; several entries on a day.

    An `o` is found in both columns that are searched, in one entry in both of them.
    """
    await books.open_years(2022)
    days = ["2025-05-31", "2022-01-01", "2025-06-01", "2022-12-31", "2025-06-01", "2024-01-01", "2025-06-01"]
    await books.post(
        *(
            books.sale(day, f"{n}.00", description=f"n{n}", reference="odd" if n % 2 else None,
                       external_system_id="odd" if n % 2 else "even")
            for n, day in enumerate(days, 1)
        )
    )  # fmt: skip
    await books.post(books.sale("2026-01-01", "8.00", description="o8", reference="o"))
    if "accountId" in query:
        query = query | {"accountId": str(books.accounts[query["accountId"]])}
    for limit in range(1, 10):
        for page in range(1, len(wanted) // limit + 3):
            answer = (await books.api.get(PATH, params=query | {"page": page, "limit": limit})).json()
            shown = "".join(entry["description"][1:] for entry in answer["data"])
            assert (shown, answer["total"]) == (wanted[(page - 1) * limit : page * limit], len(wanted)), (page, limit)


async def test_two_lines_on_an_account_are_one_entry(books: Books) -> None:
    lines = [books.line(BANK, "1.00"), books.line(BANK, "2.00"), books.line(SALES, "-3.00")]
    await books.post(books.entry("2026-01-15", lines, description="twice"), books.sale("2026-01-16", "4.00"))
    bank = str(books.accounts[BANK])
    assert await found(books.api, accountId=bank, toDate="2026-01-15") == ["twice"]
    assert await found(books.api, accountId=bank, fromDate="2026-01-16") == [None]
    assert await found(books.api, accountId=bank, minAmount="1.00", maxAmount="1.00") == ["twice"]
