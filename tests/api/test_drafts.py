"""Draft journal entries over HTTP: entering by both versions, what is checked, lists, changes, deletion, tags."""

import asyncio
from typing import Any

import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.drafting import DOORS, NOBODY, V1, V2, drafted, invoice, line, lines_of, plain, rows, told
from tests.ledger_books import BANK, GOODS, PAYABLES, RECEIVABLES, SALES, Books, books_of

from ledgerbee.ledger.drafts import actions
from ledgerbee.ledger.entries.wire import CreateJournalEntryBatchRequest
from ledgerbee.platform.context import Context


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await books_of(api)


@DOORS
async def test_a_draft_is_read_as_it_was_entered(books: Books, path: str) -> None:
    tag = str(await books.tag())
    body = plain(books, description="Kaffe", reference="K-1", externalSystemId="x", tagIds=[tag])
    body["lines"][0] |= {"description": "Bønner", "tagIds": [tag]}
    draft = await drafted(books, body, path)
    assert (await books.api.get(f"{path}/{draft['id']}")).json() == draft
    listed = (await books.api.get(path)).json()
    assert listed == {"data": [draft], "total": 1, "page": 1, "limit": 25, "totalPages": 1}
    assert {name: draft[name] for name in body if name != "lines"} == {
        name: value for name, value in body.items() if name != "lines"
    }
    assert draft["lines"][0]["description"] == "Bønner"
    assert draft["lines"][0]["tagIds"] == [tag]
    assert draft["lines"][0]["accountName"]
    assert (draft["status"], draft["journalEntryId"], draft["currency"]) == ("draft", None, "DKK")
    assert (draft["exchangeRate"], draft["journalCategoryId"], draft["attachmentCount"]) == (None, None, 0)
    assert await told(books, draft["id"]) == [("draft_journal_entry.created", draft)]
    assert (await books.verify_all()).entries == 0


async def test_only_v2_adds_the_receivable_and_both_doors_show_all_drafts(books: Books) -> None:
    body = await invoice(books)
    added = await drafted(books, body)
    sent = await drafted(books, {**body, "lines": [*body["lines"], line(books, RECEIVABLES, "DEBIT", "1250")]}, V1)
    assert lines_of(added) == [(SALES, "CREDIT", "1250.00", "ENTERED"), (RECEIVABLES, "DEBIT", "1250.00", "CONTROL")]
    assert lines_of(sent) == [(SALES, "CREDIT", "1250.00", "ENTERED"), (RECEIVABLES, "DEBIT", "1250.00", "ENTERED")]
    for path in (V1, V2):
        assert {draft["id"] for draft in (await books.api.get(path)).json()["data"]} == {added["id"], sent["id"]}
    refused = await books.api.post(V2, {**body, "lines": [*body["lines"], line(books, RECEIVABLES, "DEBIT", "1250")]})
    assert refused.json()["code"] == "JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED"
    for draft, path in ((added, V1), (sent, V2)):
        entry = (await books.api.post(f"{path}/{draft['id']}/book")).json()
        assert lines_of(entry) == lines_of(draft)
    assert (await books.verify_all()).passed


@pytest.mark.parametrize(
    ("fields", "code", "place"),
    [
        ({"customerId": NOBODY}, "CUSTOMER_NOT_FOUND", "customerId"),
        ({"vendorId": NOBODY}, "VENDOR_NOT_FOUND", "vendorId"),
        ({"journalCategoryId": NOBODY}, "JOURNAL_CATEGORY_NOT_FOUND", "journalCategoryId"),
        ({"tagIds": [NOBODY]}, "DIMENSION_VALUE_NOT_FOUND", "tagIds.0"),
        ({"entryType": "CUSTOMER_INVOICE"}, "JOURNAL_ENTRY_PARTY_MISMATCH", "customerId"),
        ({"line": {"accountId": NOBODY}}, "ACCOUNT_NOT_FOUND", "lines.1.accountId"),
        ({"line": {"vatCodeId": NOBODY}}, "VAT_CODE_NOT_FOUND", "lines.1.vatCodeId"),
        ({"line": {"tagIds": [NOBODY]}}, "DIMENSION_VALUE_NOT_FOUND", "lines.1.tagIds.0"),
        ({"line": {"account": "heading"}}, "ACCOUNT_NOT_BOOKABLE", "lines.1.accountId"),
        ({"line": {"account": RECEIVABLES}}, "JOURNAL_ENTRY_PARTY_REQUIRED", "lines.1"),
        ({"line": {"account": PAYABLES}}, "JOURNAL_ENTRY_PARTY_REQUIRED", "lines.1"),
    ],
)
async def test_what_no_booking_would_take_is_refused_at_once(
    books: Books, fields: dict[str, Any], code: str, place: str
) -> None:
    body = plain(books)
    changes = dict(fields)
    extra = changes.pop("line", {})
    if "account" in extra:
        accounts = (await books.api.get("/v1/accounts")).json()
        heading = next(account["id"] for account in accounts if account["ledgerType"] == "HEADING")
        number = extra["account"]
        extra = {"accountId": heading if number == "heading" else str(books.accounts[number])}
    body |= changes
    body["lines"][1] |= extra
    draft = await drafted(books, plain(books))
    before = await rows(books)
    for version in ("v1", "v2"):
        answer = await books.api.post(f"/{version}/draft-journal-entries", body)
        assert (answer.json()["code"], answer.json()["details"]["property"]) == (code, place)
        batch = {"entries": [plain(books), plain(books), body]}
        answer = await books.api.post(f"/{version}/draft-journal-batches", batch)
        assert (answer.json()["code"], answer.json()["details"]["property"]) == (code, f"entries.2.{place}")
    patch = changes | ({"lines": body["lines"]} if extra else {})
    answer = await books.api.patch(f"{V2}/{draft['id']}", patch)
    assert (answer.json()["code"], answer.json()["details"]["property"]) == (code, place)
    assert (await books.api.get(f"{V2}/{draft['id']}")).json() == draft
    assert await rows(books) == before


@pytest.mark.parametrize(
    ("fields", "place", "rules"),
    [
        ({"currency": "JPY", "originalAmount": "100.5"}, "originalAmount", "maxDecimalPlaces"),
        ({"exchangeRate": "7.46"}, "exchangeRate", "equals"),
        ({"currency": "XXX"}, "currency", "isISO4217CurrencyCode"),
        ({"lines": []}, "lines", "arrayMinSize"),
        ({"date": None}, "date", "isDateString isDefined"),
        ({"tagIds": None}, "tagIds", "isArray isDefined"),
        ({"date": "2026-02-30"}, "date", "isDateString"),
    ],
)
async def test_amounts_and_forms(books: Books, fields: dict[str, Any], place: str, rules: str) -> None:
    draft = await drafted(books, plain(books))
    for answer in (
        await books.api.post(V2, plain(books) | fields),
        await books.api.patch(f"{V2}/{draft['id']}", fields),
    ):
        assert answer.status_code == 400, answer.text
        (problem,) = answer.json()["details"]["validationErrors"]
        assert (problem["property"], list(problem["constraints"])) == (place, rules.split())


async def test_another_companys_things_are_nobodys(books: Books, other_api: Api) -> None:
    other = await books_of(other_api)
    foreign = {"customerId": str(await other.customer())}
    answer = await books.api.post("/v2/draft-journal-batches", {"entries": [plain(books), plain(books) | foreign]})
    assert (answer.status_code, answer.json()["code"]) == (404, "CUSTOMER_NOT_FOUND")
    answer = await books.api.post("/v2/draft-journal-batches", {"entries": [plain(books), plain(other)]})
    assert (answer.status_code, answer.json()["details"]["property"]) == (404, "entries.1.lines.0.accountId")
    assert (await rows(books))[:2] == (0, 0)


async def test_a_batch_comes_in_order(books: Books) -> None:
    bodies = [plain(books, f"{n}.00") for n in range(1, 101)]
    answer = await books.api.post("/v2/draft-journal-batches", {"entries": bodies})
    assert answer.status_code == 201, answer.text
    assert answer.json()["totalCreated"] == 100
    assert [draft["originalAmount"] for draft in answer.json()["drafts"]] == [f"{n}.00" for n in range(1, 101)]
    assert (await rows(books))[:2] == (100, 200)
    for size in (0, 101):
        refused = await books.api.post("/v2/draft-journal-batches", {"entries": [plain(books)] * size})
        assert refused.json()["code"] == "SHARED_VALIDATION_FAILED"
    assert (await rows(books))[:2] == (100, 200)


async def test_a_batch_is_a_handful_of_statements(books: Books) -> None:
    codes = (await books.api.get("/v1/vat-codes")).json()
    tag, customer = str(await books.tag()), str(await books.customer())
    taxed = line(books, SALES, "CREDIT", "1", vatCodeId=codes[0]["id"])
    bodies = [
        plain(books, tagIds=[tag], customerId=customer, lines=[taxed], currency="EUR", date=f"2026-04-{n % 28 + 1:02}")
        for n in range(100)
    ]
    entries = [entry.entered() for entry in CreateJournalEntryBatchRequest.model_validate({"entries": bodies}).entries]
    statements: list[str] = []

    async def work(context: Context) -> None:
        await actions.create(context, entries[:1], [""])  # the driver asks for types that it hasn't seen
        with context.connection.query_logger(lambda record: statements.append(record.query)):
            await actions.create(context, entries, [""] * len(entries))

    await books.api.run(work)
    assert (await rows(books))[0] == 101
    assert len(statements) <= 8, statements


async def test_the_list_is_narrowed(books: Books) -> None:
    body = await invoice(books, description="Faktura 7", reference="F7", externalSystemId="ext")
    first = await drafted(books, body | {"date": "2026-03-01"})
    vendor = str(await books.vendor())
    bought = line(books, GOODS, "CREDIT", "50.00")
    second = await drafted(
        books,
        plain(books, "-50.00", entryType="SUPPLIER_INVOICE", vendorId=vendor, date="2026-03-20", lines=[bought]),
    )
    third = await drafted(books, plain(books, "10.00", description="kaffe", date="2026-03-20"))
    booked = await drafted(books, plain(books, description="Faktura 8", date="2026-03-02"))
    await books.api.post(f"{V2}/{booked['id']}/book")

    async def found(**query: str) -> list[str]:
        answers = [(await books.api.get(path, params=query)).json() for path in (V1, V2)]
        assert answers[0] == answers[1]
        assert answers[0]["total"] == len(answers[0]["data"])
        return [draft["id"] for draft in answers[0]["data"]]

    everything = [third["id"], second["id"], first["id"]]
    assert await found() == everything
    assert await found(fromDate="2026-03-01", toDate="2026-03-20") == everything
    assert await found(fromDate="2026-03-02") == everything[:2]
    assert await found(toDate="2026-03-19") == [first["id"]]
    assert await found(accountId=str(books.accounts[RECEIVABLES])) == [first["id"]]
    assert await found(accountId=str(books.accounts[BANK])) == [third["id"]]
    assert await found(customerId=body["customerId"]) == [first["id"]]
    assert await found(vendorId=vendor) == [second["id"]]
    assert await found(journalType="SUPPLIER_INVOICE") == [second["id"]]
    assert await found(minAmount="-50", maxAmount="10.00") == everything[:2]
    assert await found(minAmount="10.01") == [first["id"]]
    assert await found(externalSystemId="ext") == [first["id"]]
    assert await found(externalSystemId="EXT") == []
    assert await found(search="faktura") == await found(search="f7") == [first["id"]]
    assert await found(search="KAF") == [third["id"]]
    assert await found(search="ktura") == []
    page = (await books.api.get(V2, params={"page": 2, "limit": 2})).json()
    assert (page["total"], page["totalPages"], [draft["id"] for draft in page["data"]]) == (3, 2, everything[2:])
    assert (await books.api.get(V2, params={"limit": 101})).status_code == 400
    assert (await books.api.get(V2, params={"journalType": "X"})).status_code == 400


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ({}, "65312"),
        ({"accountId": BANK}, "65312"),
        ({"search": "n"}, "65312"),
        ({"search": "o"}, "531"),
        ({"search": "o", "toDate": "2025-12-31"}, "31"),
        ({"fromDate": "2025-02-28", "minAmount": "2"}, "653"),
    ],
)
async def test_every_page_is_where_it_belongs(books: Books, query: dict[str, Any], wanted: str) -> None:
    """Pages of every size, from either end. The fourth, which alone is found by its description's `o`, is booked."""
    await books.open_years(2025)
    days = ["2025-02-28", "2024-02-29", "2025-02-28", "2025-03-01", "2026-01-01", "2026-01-31"]
    for n, day in enumerate(days, 1):
        texts = {"description": f"{'o' if n == 4 else 'n'}{n}", "reference": "odd" if n % 2 else None}
        draft = await drafted(books, plain(books, f"{n}.00", date=day, **texts))
        if n == 4:
            assert (await books.api.post(f"{V2}/{draft['id']}/book")).status_code == 200
    if "accountId" in query:
        query = query | {"accountId": str(books.accounts[query["accountId"]])}
    for limit in range(1, 7):
        for page in range(1, len(wanted) // limit + 3):
            answer = (await books.api.get(V2, params=query | {"page": page, "limit": limit})).json()
            shown = "".join(draft["description"][1:] for draft in answer["data"])
            assert (shown, answer["total"]) == (wanted[(page - 1) * limit : page * limit], len(wanted)), (page, limit)


async def test_a_patch_changes_what_it_names(books: Books) -> None:
    draft = await drafted(books, plain(books, description="Kaffe", reference="K-1", externalSystemId="x"))
    books.api.clock.advance(minutes=1)
    assert (await books.api.patch(f"{V2}/{draft['id']}", {})).json() == draft
    changes = {"description": "Te", "reference": None, "date": "2026-03-17", "originalAmount": "5"}
    changed = (await books.api.patch(f"{V2}/{draft['id']}", changes)).json()
    assert changed == draft | changes | {"originalAmount": "5.00", "updatedAt": "2026-03-16T12:01:00.000Z"}
    assert (await books.api.get(f"{V2}/{draft['id']}")).json() == changed
    lines = [line(books, BANK, "DEBIT", "100"), line(books, SALES, "CREDIT", "60"), line(books, GOODS, "CREDIT", "40")]
    replaced = (await books.api.patch(f"{V2}/{draft['id']}", {"lines": lines})).json()
    assert [one["amount"] for one in replaced["lines"]] == ["100.00", "60.00", "40.00"]
    assert replaced["lines"][0] == draft["lines"][0], "a line that stays keeps its id"
    assert replaced["lines"][1]["id"] != draft["lines"][1]["id"]
    assert (await books.api.get(f"{V2}/{draft['id']}")).json() == replaced
    events = await told(books, draft["id"])
    assert [event for event, _ in events] == ["draft_journal_entry.created", *["draft_journal_entry.updated"] * 2]
    assert events[-1][1] == replaced


async def test_the_added_line_follows_from_what_it_stands_for(books: Books) -> None:
    draft = await drafted(books, await invoice(books))
    path = f"{V2}/{draft['id']}"
    credit = (await books.api.patch(path, {"originalAmount": "-10"})).json()
    assert lines_of(credit)[1] == (RECEIVABLES, "CREDIT", "10.00", "CONTROL")
    assert credit["lines"][0] == draft["lines"][0]
    payment = (await books.api.patch(path, {"entryType": "CUSTOMER_PAYMENT"})).json()
    assert lines_of(payment)[1] == (RECEIVABLES, "DEBIT", "10.00", "CONTROL")
    vendor = str(await books.vendor())
    answer = await books.api.patch(path, {"entryType": "SUPPLIER_INVOICE", "vendorId": vendor})
    assert answer.json()["code"] == "JOURNAL_ENTRY_PARTY_MISMATCH"
    bought = await books.api.patch(path, {"entryType": "SUPPLIER_INVOICE", "vendorId": vendor, "customerId": None})
    assert lines_of(bought.json())[1] == (PAYABLES, "DEBIT", "10.00", "CONTROL")
    plainly = (await books.api.patch(path, {"entryType": "JOURNAL_ENTRY"})).json()
    assert lines_of(plainly) == [(SALES, "CREDIT", "1250.00", "ENTERED")]
    again = (await books.api.patch(path, {"entryType": "SUPPLIER_PAYMENT"})).json()
    assert lines_of(again)[1] == (PAYABLES, "CREDIT", "10.00", "CONTROL")
    new = {"lines": [line(books, GOODS, "DEBIT", "10")]}
    assert lines_of((await books.api.patch(path, new)).json()) == [
        (GOODS, "DEBIT", "10.00", "ENTERED"), (PAYABLES, "CREDIT", "10.00", "CONTROL"),
    ]  # fmt: skip
    assert (await books.api.post(f"{path}/book")).status_code == 200
    assert (await books.verify_all()).passed


async def test_lines_that_the_caller_sent_are_the_callers(books: Books) -> None:
    body = await invoice(books)
    body["lines"].append(line(books, RECEIVABLES, "DEBIT", "1250.00"))
    draft = await drafted(books, body, V1)
    path = f"{V2}/{draft['id']}"
    changed = (await books.api.patch(path, {"originalAmount": "1", "description": "Te"})).json()
    assert changed["lines"] == draft["lines"]
    answer = await books.api.patch(path, {"lines": body["lines"]})
    assert answer.json()["code"] == "JOURNAL_ENTRY_CONTROL_LINE_NOT_ALLOWED"


async def test_a_new_currency_has_its_own_rate(books: Books) -> None:
    draft = await drafted(books, plain(books, currency="EUR", exchangeRate="7.46"))
    path = f"{V2}/{draft['id']}"
    assert (await books.api.patch(path, {"currency": "EUR"})).json()["exchangeRate"] == "7.46"
    changed = (await books.api.patch(path, {"currency": "USD"})).json()
    assert (changed["currency"], changed["exchangeRate"]) == ("USD", None)
    changed = (await books.api.patch(path, {"currency": "SEK", "exchangeRate": "0.65"})).json()
    assert (changed["currency"], changed["exchangeRate"]) == ("SEK", "0.65")
    changed = (await books.api.patch(path, {"currency": None})).json()
    assert (changed["currency"], changed["exchangeRate"]) == ("DKK", None)


@DOORS
async def test_a_deleted_draft_is_gone(books: Books, path: str) -> None:
    draft = await drafted(books, plain(books), path)
    assert (await books.api.delete(f"{path}/{draft['id']}")).status_code == 204
    assert await told(books, draft["id"]) == [
        ("draft_journal_entry.created", draft), ("draft_journal_entry.deleted", draft),
    ]  # fmt: skip
    for answer in (
        await books.api.get(f"{path}/{draft['id']}"),
        await books.api.delete(f"{path}/{draft['id']}"),
        await books.api.post(f"{path}/{draft['id']}/book"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "DRAFT_JOURNAL_ENTRY_NOT_FOUND")
    assert (await rows(books))[:2] == (0, 0)


async def new_value(books: Books, dimension: str) -> tuple[str, str]:
    """A value of a new dimension, and its path."""
    made = (await books.api.post("/v1/dimensions", {"name": dimension, "isUnique": False})).json()
    value = (await books.api.post(f"/v1/dimensions/{made['id']}/values", {"name": "Odense"})).json()
    return value["id"], f"/v1/dimensions/{made['id']}/values/{value['id']}"


@pytest.mark.parametrize("on_line", [False, True])
async def test_a_drafts_tags_stay(books: Books, on_line: bool) -> None:
    tag, path = await new_value(books, "Place")
    body = plain(books)
    (body["lines"][0] if on_line else body)["tagIds"] = [tag]
    draft = await drafted(books, body)
    refused = await books.api.delete(path)
    assert (refused.status_code, refused.json()["details"]) == (409, {"usedBy": ["draftJournalEntries"]})
    await books.api.post(f"{V2}/{draft['id']}/book")
    assert (await books.api.delete(path)).json()["details"] == {"usedBy": ["journalEntries"]}
    other, path = await new_value(books, "Other")
    deleted = await drafted(books, plain(books, tagIds=[other]))
    await books.api.delete(f"{V2}/{deleted['id']}")
    assert (await books.api.delete(path)).status_code == 204


async def test_of_a_draft_and_the_deletion_of_its_tag_one_is_refused(books: Books) -> None:
    for turn in range(6):
        tag, path = await new_value(books, f"Place {turn}")
        drafting, deleting = await asyncio.gather(
            books.api.post(V2, plain(books, tagIds=[tag])), books.api.delete(path)
        )
        assert (drafting.status_code, deleting.status_code) in {(201, 409), (404, 204)}
