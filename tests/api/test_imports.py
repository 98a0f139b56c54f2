"""Imports of files: JSON Lines and CSV over HTTP, rows that are refused, interruptions, the same file twice."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from tests.conftest import BLOBS, Api
from tests.ledger_books import BANK, GOODS, RECEIVABLES, SALES, Books, books_of

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports import entered, jobs, rules
from ledgerbee.ledger.imports.jobs import import_entries
from ledgerbee.platform.context import Context
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


def line(number: int, side: str, amount: str) -> dict[str, Any]:
    return {"accountNumber": number, "side": side, "amount": amount}


def lines(*rows: Any) -> str:
    return "".join((text if isinstance(text, str) else json.dumps(text)) + "\n" for text in rows)


async def send(api: Api, content: Any, media_type: str = JSONL, query: str = "", **headers: str) -> Any:
    headers = {"content-type": media_type, **headers}
    return await api.request("POST", f"{PATH}?{query}", content=content, headers=headers)


def job_run(api: Api, import_id: str, attempt: int) -> JobRun:
    return JobRun(
        database=api.database,
        mailer=Mailer(None, "a@b.dk"),
        blobs=BLOBS,
        clock=api.clock,
        company_id=api.company_id,
        request_id="test",
        payload={"importId": import_id},
        attempt=attempt,
        max_attempts=8,
    )


async def work_off(api: Api, import_id: str, attempt: int = 1) -> dict[str, Any]:
    """Run the job of an import, in process, and answer with the import."""
    await import_entries(job_run(api, import_id, attempt))
    return dict((await api.get(f"{PATH}/{import_id}")).json())


async def imported(api: Api, content: Any, media_type: str = JSONL, **params: str) -> dict[str, Any]:
    answer = await send(api, content, media_type, urlencode(params))
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
    assert [(entry["entryNumber"], entry["originalAmount"]) for entry in listed] == [
        (3, "3.00"),
        (2, "2.50"),
        (1, "1.00"),
    ]
    assert (listed[2]["description"], listed[2]["reference"]) == ("Kaffe", "K-1")
    assert (await books.verify_all()).passed


async def test_parties_codes_and_categories_go_by_number_and_name(books: Books) -> None:
    customer, vendor = str(await books.customer("C-7")), str(await books.vendor("V-8"))
    category = (await books.api.get("/v1/journal-categories")).json()[0]
    invoice = row("125.00", entryType="CUSTOMER_INVOICE", customerNumber="C-7", journalCategory=category["name"])
    invoice["lines"] = [
        {"accountNumber": SALES, "side": "CREDIT", "amount": "100.00", "vatCode": await a_vat_code(books.api)}
    ]
    bill = row("80.00", entryType="SUPPLIER_INVOICE", vendorNumber="V-8")
    bill["lines"] = [{"accountNumber": GOODS, "side": "DEBIT", "amount": "80.00"}]
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
        row("6.00", date="2066-10-14"),
        row("7.00", lines=[line(RECEIVABLES, "DEBIT", "7"), line(SALES, "CREDIT", "7")]),
        row("8.001"),
        row("9.00", date="2026-02-30"),
        row("9.50", attachments=[]),
        '{"a":NaN}',
        "[1]",
        row("10.00"),
    )  # fmt: skip
    found = await imported(books.api, content)
    assert (found["entriesPosted"], found["errorCount"]) == (2, 12)
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
        (11, "SHARED_VALIDATION_FAILED", "attachments"),
        (12, "JOURNAL_IMPORT_UNREADABLE", ""),
        (13, "SHARED_VALIDATION_FAILED", ""),
    ]
    assert (await books.verify_all()).entries == 2


async def test_rows_make_nothing_but_entries(books: Books) -> None:
    """Accounts and dimension values have scopes of their own: what a row names is there, or the row is refused."""
    commodity = [line(BANK, "DEBIT", "7"), line(SALES, "CREDIT", "7")]
    content = lines(
        row("1.00", lines=[line(1_000_001, "DEBIT", "1"), line(SALES, "CREDIT", "1")]),
        row("2.00", lines=[{**line(BANK, "DEBIT", "2"), "accountName": "Assets:Bank"}, line(SALES, "CREDIT", "2")]),
        row("3.00", tagIds=["01890a5d-ac96-774b-bcce-b302099a8057"]),
        row("4.00", tags=["trip"]),
        row("7", currency="VACHR", exchangeRate="1", lines=commodity),
    )
    before = [(await books.api.get(path)).json() for path in ("/v1/accounts", "/v1/dimensions")]
    found = await imported(books.api, content)
    assert await errors_of(books.api, found) == [
        (1, "ACCOUNT_NOT_FOUND", "lines.0.accountNumber"),
        (2, "SHARED_VALIDATION_FAILED", "lines.0.accountName"),
        (3, "DIMENSION_VALUE_NOT_FOUND", "tagIds.0"),
        (4, "SHARED_VALIDATION_FAILED", "tags"),
        (5, "SHARED_VALIDATION_FAILED", "currency"),
    ]
    assert before == [(await books.api.get(path)).json() for path in ("/v1/accounts", "/v1/dimensions")]


async def test_what_only_the_database_refuses_is_taken_out(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks before posting see less than the database: as if an account had been closed in between."""
    closed = books.accounts[GOODS]
    bad = row("5.00", lines=[line(GOODS, "DEBIT", "5"), line(BANK, "CREDIT", "5")])
    await books.api.patch(f"/v1/accounts/{closed}", {"isActive": False})
    monkeypatch.setattr(rules, "check_postable", lambda *_: None)
    found = await imported(books.api, lines(row("1.00"), bad, row("2.00"), bad, row("3.00")))
    assert (found["entriesPosted"], found["errorCount"]) == (3, 2)
    assert await errors_of(books.api, found) == [
        (2, "ACCOUNT_NOT_BOOKABLE", "lines.0.accountId"),
        (4, "ACCOUNT_NOT_BOOKABLE", "lines.0.accountId"),
    ]
    assert (await books.verify_all()).entries == 3


async def test_csv_groups_rows_into_entries(books: Books) -> None:
    await books.customer("C-7")
    content = (
        "\ufeffentry;date;description;accountNumber;debit;credit;vatCode;lineDescription;entryType;customerNumber;originalAmount\r\n"
        f"1;2026-03-16;Kaffe;{BANK};1250,50;;;;;;\r\n"
        f"1;;;{SALES};0,00;1000;;Bønner;;;\r\n"
        f"1;;;{SALES};;250,50;;;;;\r\n"
        "\r\n"
        f'2;2026-03-17;"Te; og ""mere""\nover linjer"; {SALES};;100;U25;;CUSTOMER_INVOICE;C-7;125\r\n'
        f"3;2026-03-18;;{BANK};7;;;;;;\r\n"
        f"3;2026-03-18;;{SALES};;7;;;;;"
    ).replace("U25", await a_vat_code(books.api))
    found = await imported(books.api, content.encode(), "text/csv; charset=utf-8")
    assert await errors_of(books.api, found) == []
    assert (found["entriesPosted"], found["bytesRead"]) == (3, len(content.encode()))
    third, second, first = (await books.api.get("/v1/journal-entries")).json()["data"]
    assert [line["amount"] for line in first["lines"]] == ["1250.50", "1000.00", "250.50"]
    assert (first["originalAmount"], first["lines"][1]["description"]) == ("1250.50", "Bønner")
    assert second["description"] == 'Te; og "mere"\nover linjer'
    assert second["customerId"] is not None
    assert third["date"] == "2026-03-18"


async def a_vat_code(api: Api) -> str:
    """A sales code of 25 % that comes on top."""
    codes = (await api.get("/v1/vat-codes")).json()
    return str(next(c["vatCode"] for c in codes if (c["type"], c["vatRate"], c["principle"]) == ("SALES", 25, "Net")))


async def test_bad_rows_of_csv_cost_no_good_entry(books: Books) -> None:
    def good(name: str) -> str:
        return f"{name},2026-03-16,{BANK},5,\n{name},,{SALES},,5\n"

    content = (
        (
            "entry,date,accountNumber,debit,credit\n"
            + good("a")
            + "b,2026-03-16,1\n"  # 4: too few values
            + good("c")
            + f"d,2026-03-16,{BANK},5,5\n"  # 7: both sides
            + f"e,2026-03-16,{BANK},x,\ne,,{SALES},,5\n"  # 8: no number
            + f"f,2026-03-16,{BANK},5,\nf,2026-03-17,{SALES},,5\n"  # 11: another date
            + f"g,2026-03-16,{BANK},5,\n,,,,3\n"  # 13: no entry, so that 12 and 14 are none either
            + f"g,,{SALES},,5\n"  # balanced without it, and yet another entry
            + f'h,"2026-03-16,{BANK},5,\n'  # 15: a quote that is never closed
            + good("i")
        ).encode()
        + b"j,2026-03-16,\xff,5,\n"
        + good("k").encode()
    )  # 18: no UTF-8
    found = await imported(books.api, content, "text/csv", encoding="utf-8")
    listed = await errors_of(books.api, found)
    assert [line for line, _, _ in listed] == [4, 7, 8, 11, 12, 13, 14, 15, 18]
    assert found["entriesPosted"] == 4


@pytest.mark.parametrize(
    ("media_type", "content", "word"),
    [
        ("text/csv", "", "header"),
        ("text/csv", "entry,date\n", "accountNumber"),
        ("text/csv", "entry,date,accountNumber,colour\n", "colour"),
        ("text/csv", b"entry,\xff", "UTF-8"),
    ],
)
async def test_a_file_that_is_none_fails(books: Books, media_type: str, content: Any, word: str) -> None:
    found = await imported(books.api, content, media_type)
    assert (found["status"], found["entriesPosted"]) == ("failed", 0)
    assert word in found["failure"]


async def parts_of(api: Api) -> int:
    return int(
        await api.run(
            lambda context: context.connection.fetchval(
                "SELECT count(*) FROM import_parts WHERE company_id = $1", context.company_id
            )
        )
    )


@pytest.mark.parametrize("media_type", [JSONL, "text/csv"])
async def test_a_long_file_is_read_part_by_part(books: Books, media_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Several parts, several shifts: lines go over the border of two parts, and each run goes on where one stopped."""
    monkeypatch.setattr(jobs, "SHIFT_S", 0)
    text = "x" * 1000
    if media_type == JSONL:
        content = lines(*(row(f"{n}.00", description=f"{n}{text}") for n in range(1, 2501)))
    else:
        content = "entry,date,description,accountNumber,debit,credit\n" + "".join(
            f"{n},2026-03-16,{n}{text},{BANK},{n},\n{n},,,{SALES},,{n}\n" for n in range(1, 2501)
        )
    answer = await send(books.api, content, media_type)
    assert await parts_of(books.api) == -(-len(content) // 1024**2) > 2
    shifts = 0
    while (found := await work_off(books.api, answer.json()["id"]))["status"] == "running":
        shifts += 1
    assert shifts == 5
    assert (found["status"], found["entriesPosted"], found["errorCount"]) == ("completed", 2500, 0)
    assert await parts_of(books.api) == 0
    verified = await books.verify_all()
    assert (verified.passed, verified.entries) == (True, 2500)
    total = (await books.api.get("/v1/reports/trial-balance")).json()["totals"]
    assert total["debit"] == f"{2500 * 2501 // 2}.00"


@pytest.mark.parametrize(("limit", "text"), [("CHUNK_BYTES", "x"), ("CHUNK_BYTES_DECODED", '"')])
async def test_a_chunk_has_so_many_bytes(books: Books, monkeypatch: pytest.MonkeyPatch, limit: str, text: str) -> None:
    """Rows that are refused are held in memory like others, and may be as long as a line can be.

    One with an escape in it is decoded as a whole and takes more memory, as a refused one does.
    """
    monkeypatch.setattr(jobs, "SHIFT_S", 0)
    monkeypatch.setattr(entered, "CHUNK_BYTES_DECODED", 1000)
    monkeypatch.setattr(entered, limit, 1000)
    description = text * (300 // len(json.dumps(text)[1:-1]))
    content = lines(*(row(description=description) for _ in range(5)), "x" * 2000, row())
    sent = (await send(books.api, content)).json()
    posted = []
    while (found := await work_off(books.api, sent["id"]))["status"] == "running":
        posted.append((found["entriesPosted"], found["errorCount"]))
    assert posted == [(2, 0), (4, 0), (5, 1), (6, 1)]


async def test_events_tell_of_chunks(books: Books) -> None:
    found = await imported(books.api, lines(*(row() for _ in range(501))))

    async def events(context: Context) -> list[Any]:
        return await context.connection.fetch(
            "SELECT type, data FROM events WHERE company_id = $1 AND object_id = $2 ORDER BY sequence",
            context.company_id,
            UUID(found["id"]),
        )

    told = [(event["type"], event["data"]) for event in await books.api.run(events)]
    assert [name for name, _ in told] == [
        "journal_import.created", *["journal_import.posted"] * 2, "journal_import.completed",
    ]  # fmt: skip
    assert [(data["firstPosition"], data["lastPosition"]) for _, data in told[1:3]] == [(1, 500), (501, 501)]
    posted = await books.api.run(
        lambda context: context.connection.fetch(
            "SELECT id FROM journal_entries WHERE company_id = $1 ORDER BY chain_position", context.company_id
        )
    )
    assert [one for _, data in told[1:3] for one in data["entryIds"]] == [str(entry["id"]) for entry in posted]
    assert told[3][1]["entriesPosted"] == 501


async def test_an_upload_that_breaks_off_leaves_nothing(books: Books) -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield lines(*(row() for _ in range(10_000))).encode()
        raise ConnectionResetError

    assert (await send(books.api, broken())).status_code == 500
    assert (await books.api.get(PATH)).json()["data"] == []
    assert await parts_of(books.api) == 0


async def test_a_client_that_goes_away_leaves_nothing(books: Books) -> None:
    messages: list[Any] = [
        {"type": "http.request", "body": lines(*(row() for _ in range(5_000))).encode(), "more_body": True},
        {"type": "http.disconnect"},
    ]
    answers: list[Any] = []

    async def receive() -> Any:
        return messages.pop(0)

    async def answer(message: Any) -> None:
        answers.append(message)

    transport: Any = books.api.http._transport
    headers = [(b"x-api-key", books.api.key.encode()), (b"content-type", JSONL.encode())]
    scope = {
        "type": "http", "method": "POST", "path": f"/api{PATH}", "query_string": b"", "headers": headers,
        "http_version": "1.1", "scheme": "http", "server": ("t", 80), "client": ("127.0.0.1", 1), "root_path": "",
    }  # fmt: skip
    await transport.app(scope, receive, answer)
    assert answers == []  # there is nobody to tell
    (found,) = (await books.api.get(PATH)).json()["data"]
    assert found["status"] == "failed"
    assert await parts_of(books.api) == 0


async def test_a_cancelled_import_ends_where_it_stands(books: Books) -> None:
    sent = (await send(books.api, lines(row()))).json()
    cancelled = await books.api.post(f"{PATH}/{sent['id']}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (await work_off(books.api, sent["id"]))["entriesPosted"] == 0
    again = await books.api.post(f"{PATH}/{sent['id']}/cancel")
    assert (again.status_code, again.json()["code"]) == (409, "JOURNAL_IMPORT_INVALID_STATE")


async def test_an_upload_that_is_cancelled_meanwhile_leaves_nothing(books: Books) -> None:
    async def cancelled() -> AsyncIterator[bytes]:
        yield lines(*(row() for _ in range(5_000))).encode()
        (found,) = (await books.api.get(PATH)).json()["data"]
        assert (await books.api.post(f"{PATH}/{found['id']}/cancel")).status_code == 200
        yield lines(*(row() for _ in range(5_000))).encode()

    answer = await send(books.api, cancelled())
    assert (answer.status_code, answer.json()["code"]) == (409, "JOURNAL_IMPORT_INVALID_STATE")
    assert await parts_of(books.api) == 0


async def test_two_never_run_one_import(books: Books) -> None:
    sent = (await send(books.api, lines(*(row() for _ in range(1000))))).json()
    outcomes = await asyncio.gather(*(work_off(books.api, sent["id"]) for _ in range(2)), return_exceptions=True)
    (busy,) = [outcome for outcome in outcomes if isinstance(outcome, LedgerBeeError)]
    assert busy.code == "JOURNAL_IMPORT_BUSY"
    assert (await books.verify_all()).entries == 1000


async def test_what_is_no_file_is_refused_at_the_door(books: Books) -> None:
    # Nor Beancount books: whoever reads them runs the plug-ins that they name.
    for media_type in ("application/json", "image/png", "text/plain", "application/x-beancount", ""):
        answer = await send(books.api, "{}", media_type)
        assert (answer.status_code, answer.json()["code"]) == (415, "UNSUPPORTED_MEDIA_TYPE")
    answer = await books.api.post("/v2/journal-entries", content="x", headers={"content-type": JSONL})
    assert answer.status_code == 415
    answer = await send(books.api, "x", **{"content-length": str(10**12)})
    assert (answer.status_code, answer.json()["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert (await books.api.get(PATH)).json()["data"] == []


@pytest_asyncio.fixture
async def burning_disk(database_url: str) -> AsyncIterator[None]:
    """The database fails on entries with the reference "fire", in a way that nobody foresaw."""
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "CREATE FUNCTION burn() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'the disk is on fire' USING ERRCODE = '58030'; END $$;"
        " CREATE TRIGGER burn BEFORE INSERT ON journal_entries FOR EACH ROW WHEN (NEW.reference = 'fire')"
        " EXECUTE FUNCTION burn()"
    )
    yield
    await owner.execute("DROP TRIGGER burn ON journal_entries; DROP FUNCTION burn()")
    await owner.close()


@pytest.mark.usefixtures("burning_disk")
async def test_what_nobody_foresaw_is_tried_again_and_ends_the_import(books: Books) -> None:
    sent = (await send(books.api, lines(*(row() for _ in range(500)), row(), row(reference="fire"), row()))).json()
    for attempt in range(1, jobs.IMPORTS.max_unforeseen + 1):
        assert (await books.api.get(f"{PATH}/{sent['id']}")).json()["status"] == (
            "queued" if attempt == 1 else "running"
        )
        with pytest.raises(asyncpg.PostgresIOError) as fault:
            await work_off(books.api, sent["id"], attempt)
        assert jobs.IMPORTS.attempts_for(fault.value) == jobs.IMPORTS.max_unforeseen
    await jobs.IMPORTS.give_up(job_run(books.api, sent["id"], attempt), "an unforeseen error stopped it 4 times")
    found = await work_off(books.api, sent["id"], attempt + 1)
    assert (found["status"], found["entriesPosted"]) == ("failed", 500)
    assert "stopped it 4 times behind line 500" in found["failure"]
    assert "under request test" in found["failure"]
    assert await parts_of(books.api) == 0
    assert (await books.verify_all()).entries == 500


async def test_vat_beside_its_code_would_be_deducted_twice(books: Books) -> None:
    """Exports list the VAT that a code made, on the VAT account, beside the code."""
    codes = {code["vatCode"]: code for code in (await books.api.get("/v1/vat-codes")).json()}
    accounts = {one["id"]: one["accountNumber"] for one in (await books.api.get("/v1/accounts")).json()}
    vat = accounts[codes["K010"]["accountToBookId"]]
    goods = line(GOODS, "DEBIT", "1000") | {"vatCode": "K010", "vatIncluded": False}
    twice = row("1250", lines=[goods, line(vat, "DEBIT", "250"), line(BANK, "CREDIT", "1250")])
    once = row("1250", lines=[goods, line(BANK, "CREDIT", "1250")])
    settled = row("250", lines=[line(vat, "CREDIT", "250"), line(BANK, "DEBIT", "250")])
    found = await imported(books.api, lines(twice, once, settled))
    assert (found["entriesPosted"], found["errorCount"]) == (2, 1)
    assert await errors_of(books.api, found) == [(1, "SHARED_VALIDATION_FAILED", "lines.1.accountId")]
    listed = (await books.api.get(f"{PATH}/{found['id']}/errors")).json()["data"]
    assert "vatIncluded" in listed[0]["message"]


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("accountNumber", {"accountId": "01890a5d-ac96-774b-bcce-b302099a8057"}),
        ("vatCode", {"vatCode": "K010", "vatCodeId": "01890a5d-ac96-774b-bcce-b302099a8057"}),
    ],
)
async def test_a_line_names_what_it_needs_once(books: Books, name: str, fields: dict[str, Any]) -> None:
    content = lines(row("5", lines=[line(GOODS, "DEBIT", "5") | fields, line(BANK, "CREDIT", "5")]))
    found = await imported(books.api, content)
    assert await errors_of(books.api, found) == [(1, "SHARED_VALIDATION_FAILED", f"lines.0.{name}")]
