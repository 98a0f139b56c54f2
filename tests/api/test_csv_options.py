"""CSV over HTTP: what is said of a file, what it settles by itself, and what it leaves open."""

from typing import Any
from urllib.parse import urlencode

import pytest
from tests.api.test_imports import JSONL, PATH, books, errors_of, imported, parts_of, send, work_off
from tests.ledger_books import BANK, SALES, Books

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.imports import actions, jobs, store
from ledgerbee.ledger.imports.model import NOTHING_SAID, CsvOptions, FileToImport, ImportFormat, ImportStatus, Place
from ledgerbee.platform.context import Context

__all__ = ["books"]

DANISH = (
    "Bilag;Dato;Tekst;Konto;Kontonavn;Debet;Kredit;Valuta;Kurs;\r\n"
    f"1;05-02-2026;Smørrebrød;{BANK};Bank;1.250,00;;;;\r\n1;;;{SALES};Salg;;1.250,00;;;\r\n"
    f"2;06-02-2026;Køb;{BANK};Bank;12.500;;EUR;746,01;\r\n2;;;{SALES};Salg;;12.500;;;\r\n"
)


async def test_danish_files_are_read_as_they_are_meant(books: Books) -> None:
    found = await imported(books.api, DANISH.encode("cp1252"), "text/csv", encoding="windows-1252", rateUnits="100")
    assert (found["status"], found["entriesPosted"]) == ("completed", 2), await errors_of(books.api, found)
    second, first = (await books.api.get("/v1/journal-entries")).json()["data"]
    assert (first["date"], first["description"], first["originalAmount"]) == ("2026-02-05", "Smørrebrød", "1250.00")
    assert (second["currency"], second["exchangeRate"], second["originalAmount"]) == ("EUR", "7.4601", "12500.00")
    assert (await books.api.get("/v1/reports/trial-balance")).json()["totals"]["debit"] == "94501.25"


async def test_what_a_file_leaves_open_posts_nothing_until_it_is_said(books: Books) -> None:
    """All questions at once, with the lines that show them: what was posted of it now would be posted twice."""
    content = DANISH.replace("1.250,00", "1.250").replace("746,01", "746").replace("-", "/").encode("cp1252")
    found = await imported(books.api, content, "text/csv", encoding="windows-1252")
    assert (found["status"], found["entriesPosted"], found["bytesRead"]) == ("failed", 0, 0)
    for name in ("decimalMark", "dateFormat", "rateUnits", "Nothing was posted"):
        assert name in found["failure"]
    assert await errors_of(books.api, found) == [
        (2, "JOURNAL_IMPORT_UNREADABLE", "debit"),
        (2, "JOURNAL_IMPORT_UNREADABLE", "date"),
        (3, "JOURNAL_IMPORT_UNREADABLE", "credit"),
        (4, "JOURNAL_IMPORT_UNREADABLE", "debit"),
        (4, "JOURNAL_IMPORT_UNREADABLE", "date"),
        (4, "JOURNAL_IMPORT_UNREADABLE", "exchangeRate"),
        (5, "JOURNAL_IMPORT_UNREADABLE", "credit"),
    ]
    assert await parts_of(books.api) == 0
    said = {"encoding": "windows-1252", "decimalMark": ",", "dateFormat": "DD/MM/YYYY", "rateUnits": "100"}
    found = await imported(books.api, content, "text/csv", **said)
    assert (found["status"], found["entriesPosted"], found["errorCount"]) == ("completed", 2, 0)


@pytest.mark.parametrize(
    ("media_type", "params", "name"),
    [
        ("text/csv", {"decimalMark": ";"}, "decimalMark"),
        ("text/csv", {"dateFormat": "DD-MM/YYYY"}, "dateFormat"),
        ("text/csv", {"dateFormat": "DD/YYYY/MM"}, "dateFormat"),
        ("text/csv", {"encoding": "utf-7"}, "encoding"),
        ("text/csv", {"rateUnits": "10"}, "rateUnits"),
        (JSONL, {"decimalMark": ","}, ""),
    ],
)
async def test_wrong_options_are_refused_at_the_door(
    books: Books, media_type: str, params: dict[str, str], name: str
) -> None:
    answer = await send(books.api, "x", media_type, urlencode(params))
    assert (answer.status_code, answer.json()["code"]) == (400, "SHARED_VALIDATION_FAILED")
    assert [error["property"] for error in answer.json()["details"]["validationErrors"]] == [name]
    assert (await books.api.get(PATH)).json()["data"] == []


async def test_every_run_reads_a_file_alike(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the last row of a file of several parts says what all amounts mean; when it is read, the first are gone."""
    monkeypatch.setattr(jobs, "SHIFT_S", 0)
    text = "x" * 1000
    content = "entry;date;description;accountNumber;debit;credit\n" + "".join(
        f"{n};01/02/2026;{text};{BANK};1.000;\n{n};;;{SALES};;1.000\n" for n in range(1500)
    )
    content += f"last;13/02/2026;;{BANK};12,50;\nlast;;;{SALES};;12,50\n"
    sent = (await send(books.api, content, "text/csv")).json()
    runs = 1
    while (found := await work_off(books.api, sent["id"]))["status"] == "running":
        runs += 1
    assert runs == 5
    assert (found["entriesPosted"], found["errorCount"]) == (1501, 0)
    balance = (await books.api.get("/v1/reports/trial-balance")).json()
    assert balance["totals"]["debit"] == "1500012.50"
    listed = (await books.api.get("/v1/journal-entries")).json()["data"]
    assert {entry["date"] for entry in listed} == {"2026-02-01", "2026-02-13"}


async def test_an_import_goes_on_as_it_was_begun(books: Books) -> None:
    """With other options it would post differently, or twice, what it has posted already."""

    def begin(options: CsvOptions) -> Any:
        async def work(context: Context) -> Any:
            file = FileToImport(ImportFormat.CSV, "a.csv", options)
            return await actions.begin_here(context, file, b"x" * 32, 1, again=False)

        return books.api.run(work)

    begun = await begin(CsvOptions(decimal_mark=","))
    assert (await begin(CsvOptions(decimal_mark=","))).id == begun.id
    for other in (CsvOptions(decimal_mark="."), NOTHING_SAID):
        with pytest.raises(LedgerBeeError, match="other options") as caught:
            await begin(other)
        assert caught.value.code == "JOURNAL_IMPORT_REPEATED"
    await books.api.post(f"{PATH}/{begun.id}/cancel")
    assert (await begin(NOTHING_SAID)).id != begun.id


@pytest.mark.parametrize(("posts", "is_repeated"), [(True, True), (False, False)])
async def test_a_file_is_imported_again_if_it_posted_nothing(books: Books, posts: bool, is_repeated: bool) -> None:
    async def begin(context: Context) -> Any:
        return await actions.begin_here(context, FileToImport(ImportFormat.CSV, "a.csv"), b"y" * 32, 1, again=False)

    begun = await books.api.run(begin)

    async def finish(context: Context) -> None:
        await store.advance(context, begun.id, Place(), Place(1, 1, 2), int(posts), 1)
        await store.end(context, begun.id, ImportStatus.COMPLETED)

    await books.api.run(finish)
    if is_repeated:
        with pytest.raises(LedgerBeeError) as caught:
            await books.api.run(begin)
        assert caught.value.code == "JOURNAL_IMPORT_REPEATED"
    else:
        assert (await books.api.run(begin)).id != begun.id


async def test_a_row_says_what_vat_its_voucher_states(books: Books) -> None:
    content = (
        "Bilag;Dato;Konto;Debet;Kredit;Moms;Momsbeløb;vatIncluded;Leveringsdato\n"
        "1;2026-03-10;2410;100,00;;K010;24,99;nej;2026-02-28\n1;;6480;;124,99;;;;\n"
        "2;2026-03-10;2410;125,00;;K010;25,01;Ja;\n2;;6480;;125,00;;;;\n"
        "3;2026-03-10;2410;125,00;;K010;;måske;\n3;;6480;;125,00;;;;\n"
        "4;2026-03-10;2410;125,00;;K010;-25,00;;\n4;;6480;;125,00;;;;\n"
        "5;2026-03-10;2410;125,00;;K010;20,00;;\n5;;6480;;125,00;;;;\n"
    )
    found = await imported(books.api, content, "text/csv")
    assert await errors_of(books.api, found) == [
        (6, "SHARED_VALIDATION_FAILED", "lines.0.vatIncluded"),
        (8, "SHARED_VALIDATION_FAILED", "lines.0.vatAmount"),
        (10, "JOURNAL_ENTRY_VAT_AMOUNT_MISMATCH", "lines.0.vatAmount"),
    ]
    listed = (await books.api.get("/v1/journal-entries")).json()["data"]
    assert {entry["deliveryDate"] for entry in listed} == {"2026-02-28", None}
    assert sorted(
        [(line["accountNumber"], line["amount"], line["vatDifference"]) for line in entry["lines"]] for entry in listed
    ) == [
        [(2410, "100.00", "-0.01"), (7740, "24.99", None), (6480, "124.99", None)],
        [(2410, "99.99", "0.01"), (7740, "25.01", None), (6480, "125.00", None)],
    ]
