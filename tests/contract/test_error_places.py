"""Where several places of a request have the same fault, all are named: `details.properties`."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import pytest
import pytest_asyncio
from tests.conftest import Api, SteeredClock, new_company
from tests.contract.operations import WRITES, Row
from tests.contract.test_openapi import SCHEMAS, operation_of
from tests.contract.test_operations import path_of
from tests.contract.world import NewWorld, World, make_world
from tests.journal_bodies import line, plain
from tests.ledger_books import BANK, GOODS, RECEIVABLES, SALES, Books, books_of
from tests.selling import Shop
from tests.selling import line as sale

from ledgerbee.core.errors import MAX_FINDINGS
from ledgerbee.platform.db import Database

HEADING = 1390
POST = "/v2/journal-entries"


def fields_of(schema: Mapping[str, Any], place: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The places of a body's fields, `*` for every one of a list."""
    if "$ref" in schema:
        schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
    for one in schema.get("anyOf", ()):
        yield from fields_of(one, place)
    if "items" in schema:
        yield from fields_of(schema["items"], (*place, "*"))
    for name, field in schema.get("properties", {}).items():
        yield (*place, name)
        yield from fields_of(field, (*place, name))


def body_schema(row: Row) -> Mapping[str, Any]:
    content = operation_of(row).get("requestBody", {}).get("content", {})
    return dict(content.get("application/json", {}).get("schema", {}))


#: No id of ours, and one that only stands beside an invoice's number (tests/api/test_credit_notes.py).
ELSEWHERE = {"externalSystemId", "invoiceLineId"}
#: What a reference can be refused for before it is looked for: a party that the type of entry doesn't have, a price
#: that the plan doesn't have.
BY_ANOTHER_CODE = {"JOURNAL_ENTRY_PARTY_MISMATCH", "SUBSCRIPTION_PRICE_NOT_IN_PLAN"}
#: Every field that refers to something from inside a list, of every body that has such.
REFERENCES = [
    (row, place)
    for row in WRITES
    if not row.file
    for place in fields_of(body_schema(row))
    if "*" in place and place[-1].endswith(("Id", "Ids")) and place[-1] not in ELSEWHERE
]


def everywhere(value: Any, place: tuple[str, ...], path: str, found: dict[str, str]) -> Any:
    """The value with an unknown id at every such place, two of the list at least; `found` gets them, by place."""
    first, rest = place[0], place[1:]
    if first == "*":
        is_outermost = not any(part.isdigit() for part in path.split("."))
        wanted = value * 2 if len(value) == 1 and is_outermost else value
        return [everywhere(one, rest, f"{path}{index}.", found) for index, one in enumerate(wanted)]
    if rest:
        return {**value, first: everywhere(value[first], rest, f"{path}{first}.", found)}
    unknown = str(uuid4())
    found[f"{path}{first}" + (".0" if first.endswith("Ids") else "")] = unknown
    return {**value, first: [unknown] if first.endswith("Ids") else unknown}


def test_operations_that_refer_from_lists_are_known() -> None:
    found = {str(row) for row, _ in REFERENCES}
    assert {"POST /v1/invoices", f"POST {POST}", f"POST {POST}/batch", "POST /v2/draft-journal-batches"} <= found
    assert len(REFERENCES) > 40


@pytest_asyncio.fixture(scope="module")
async def unchanged(http: httpx.AsyncClient, database: Database) -> World:
    """A company in which everything is as it was made, its draft unbooked: what it is asked for is refused."""
    return await make_world(await new_company(http, database, SteeredClock()))


@pytest.mark.parametrize(("row", "place"), REFERENCES, ids=str)
async def test_all_references_to_nothing_are_named(
    row: Row,
    place: tuple[str, ...],
    unchanged: World,
    new_world: NewWorld,
) -> None:
    world = unchanged if row.prepare is None else await new_world()
    body: dict[str, Any] = row.sent(world)["json"]
    if row.prepare is not None:
        await row.prepare(world)
    if place[0] == "document":  # of a conversion: what is made says otherwise
        (other,) = [one for one in WRITES if str(one) == f"POST {row.path.rsplit('/', 2)[0]}"]
        body = {**body, "document": {place[1]: other.sent(world)["json"][place[1]]}}
    elif place[0] not in body:  # a change of lines
        (other,) = [one for one in WRITES if str(one) == f"POST {row.path.rpartition('/')[0]}"]
        body = {**body, place[0]: other.sent(world)["json"][place[0]]}
    found: dict[str, str] = {}
    body = everywhere(body, place, "", found)
    answer = await world.api.request(row.method, path_of(row, world.ids), json=body)
    details, places = answer.json()["details"], list(found)
    if answer.json()["code"] not in BY_ANOTHER_CODE:
        assert answer.json()["code"].endswith("_NOT_FOUND"), answer.text
        assert found[places[0]] in details.values()
    assert details["property"] == places[0]
    assert len(places) > 1
    assert details["properties"] == places


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


async def refused(books: Books, code: str, path: str, body: Mapping[str, Any]) -> list[str]:
    """The places that a refusal names."""
    answer = await books.api.post(path, dict(body))
    assert answer.json()["code"] == code, answer.text
    details = answer.json()["details"]
    assert details["property"] == details["properties"][0]
    return list(details["properties"])


def on(books: Books, debit: int, credit: int, **fields: Any) -> dict[str, Any]:
    lines = [line(books, debit, "DEBIT", "100.00"), line(books, credit, "CREDIT", "100.00")]
    return {**plain(books, **fields), "lines": lines}


@pytest.mark.parametrize("path", [f"{POST}/batch", "/v2/draft-journal-batches"])
async def test_all_lines_on_accounts_that_take_none(books: Books, path: str) -> None:
    good = plain(books)
    entries = [good, on(books, BANK, HEADING), good, on(books, HEADING, HEADING)]
    assert await refused(books, "ACCOUNT_NOT_BOOKABLE", path, {"entries": entries}) == [
        "entries.1.lines.1.accountId", "entries.3.lines.0.accountId", "entries.3.lines.1.accountId",
    ]  # fmt: skip
    entries = [on(books, RECEIVABLES, SALES), good, on(books, SALES, RECEIVABLES)]
    assert await refused(books, "JOURNAL_ENTRY_PARTY_REQUIRED", path, {"entries": entries}) == [
        "entries.0.lines.0", "entries.2.lines.1",
    ]  # fmt: skip


async def test_one_place_alone_has_no_list(books: Books) -> None:
    answer = await books.api.post(f"{POST}/batch", {"entries": [plain(books), on(books, BANK, HEADING)]})
    assert answer.json()["details"] == {
        "property": "entries.1.lines.1.accountId", "accountId": str(books.accounts[HEADING]),
    }  # fmt: skip


async def test_all_entries_of_closed_days(books: Books) -> None:
    await books.lock("2026-02-28")
    days = ["2026-03-01", "2026-02-28", "2026-03-02", "2026-01-01"]
    entries = [plain(books, date=day) for day in days]
    assert await refused(books, "PERIOD_LOCKED", f"{POST}/batch", {"entries": entries}) == [
        "entries.1.date", "entries.3.date",
    ]  # fmt: skip
    entries = [plain(books, date=day) for day in ("2026-03-01", "2031-01-01", "2026-03-02", "2032-05-05")]
    assert await refused(books, "FISCAL_YEAR_MISSING", f"{POST}/batch", {"entries": entries}) == [
        "entries.1.date", "entries.3.date",
    ]  # fmt: skip


async def test_all_entries_that_do_not_balance(books: Books) -> None:
    wrong = plain(books)
    wrong["lines"][0]["amount"] = "99.00"
    entries = [wrong, plain(books), wrong]
    assert await refused(books, "JOURNAL_ENTRY_UNBALANCED", f"{POST}/batch", {"entries": entries}) == [
        "entries.0.lines", "entries.2.lines",
    ]  # fmt: skip
    foreign = plain(books, currency="XPF")
    entries = [plain(books), foreign, foreign]
    assert await refused(books, "EXCHANGE_RATE_MISSING", f"{POST}/batch", {"entries": entries}) == [
        "entries.1.currency", "entries.2.currency",
    ]  # fmt: skip


async def test_all_files_that_are_not_taken(books: Books) -> None:
    text = {"fileName": "a.pdf", "contentType": "application/pdf", "content": "QUJD"}
    files = [text, {**text, "contentType": "text/plain"}, {**text, "contentType": "no/type"}]
    for path in (POST, "/v2/draft-journal-entries"):
        assert await refused(books, "INVALID_ATTACHMENT_TYPE", path, plain(books, attachments=files)) == [
            "attachments.0.content", "attachments.2.contentType",
        ]  # fmt: skip
    entries = [plain(books, attachments=files[:1]), plain(books), plain(books, attachments=files[1:])]
    for path in (f"{POST}/batch", "/v2/draft-journal-batches"):
        assert await refused(books, "INVALID_ATTACHMENT_TYPE", path, {"entries": entries}) == [
            "entries.0.attachments.0.content", "entries.2.attachments.1.contentType",
        ]  # fmt: skip


async def test_all_accounts_of_a_product_group(books: Books) -> None:
    names = ["domesticAccountId", "euAccountId", "abroadAccountId", "domesticWithoutVatAccountId"]
    body = {"number": "9", "name": "x"}
    unknown = {name: str(uuid4()) for name in names}
    assert await refused(books, "ACCOUNT_NOT_FOUND", "/v1/product-groups", {**body, **unknown}) == names
    unusable = dict(zip(names, [str(books.accounts[one]) for one in (BANK, HEADING, SALES, HEADING)], strict=True))
    assert await refused(books, "PRODUCT_GROUP_ACCOUNT_INVALID", "/v1/product-groups", {**body, **unusable}) != names
    sales = str(books.accounts[SALES])
    unusable = {
        **dict.fromkeys(names, sales),
        "euAccountId": str(books.accounts[GOODS]),
        "abroadAccountId": str(books.accounts[HEADING]),
    }
    assert (
        await refused(books, "PRODUCT_GROUP_ACCOUNT_INVALID", "/v1/product-groups", {**body, **unusable}) == names[1:3]
    )


async def test_both_accounts_of_a_vat_code(books: Books) -> None:
    body = {
        "vatCode": "Z9", "name": "x", "vatRate": 25, "type": "PURCHASE", "principle": "Net",
        "accountToBookId": str(uuid4()), "contraAccountToBookId": str(uuid4()),
    }  # fmt: skip
    assert await refused(books, "ACCOUNT_NOT_FOUND", "/v1/vat-codes", body) == [
        "accountToBookId",
        "contraAccountToBookId",
    ]


async def test_all_prices_that_can_not_be_used(api: Api, books: Books) -> None:
    shop = Shop(api)
    archived, other, usable = [await shop.price() for _ in range(3)]
    for one in (archived, other):
        assert (await api.post(f"/v1/product-prices/{one}/archive")).is_success
    body = {
        "customerId": await shop.customer(), "date": "2026-03-16",
        "lines": [sale(usable), sale(archived), sale(other), sale(usable), sale(archived)],
    }  # fmt: skip
    assert await refused(books, "SALES_DOCUMENT_PRICE_NOT_USABLE", "/v1/invoices", body) == [
        "lines.1.priceId", "lines.2.priceId", "lines.4.priceId",
    ]  # fmt: skip


async def test_of_very_many_places_the_first_are_named(books: Books) -> None:
    lines = [line(books, HEADING, side, "1.00") for side in ("DEBIT", "CREDIT") for _ in range(MAX_FINDINGS)]
    answer = await books.api.post(POST, {**plain(books, "100.00"), "lines": lines})
    details = answer.json()["details"]
    assert details["properties"] == [f"lines.{number}.accountId" for number in range(MAX_FINDINGS)]
    assert details["furtherErrors"] == MAX_FINDINGS
