"""The turns of imports whose files are long in coming to a row: a neighbour's import does not wait for their end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import pytest
from tests.api.test_imports import JSONL, PATH, errors_of, lines, row, send
from tests.conftest import BLOBS, Api
from tests.ledger_books import BANK, SALES, Books, books_of

from ledgerbee.app import worker as worker_module
from ledgerbee.app.worker import Worker
from ledgerbee.ledger.imports import entered, jobs
from ledgerbee.ledger.imports.formats import csv, rows
from ledgerbee.ledger.imports.jobs import IMPORTS
from ledgerbee.ledger.imports.model import IMPORT_JOB
from ledgerbee.platform.context import Context
from ledgerbee.platform.mail import Mailer

_CSV: Final = "text/csv"
_TIMEOUT_S: Final = 60
#: What a run looks through at least, and how long a line may be, here.
_LEAST: Final = 64 * 1024
_MAX_LINE: Final = 100 * 1024
_LONG: Final = 6 * _LEAST
_HEADER: Final = "entry;date;description;accountNumber;debit;credit\n"
_ENTRY: Final = f"a;2026-03-16;;{BANK};12,50;\na;;;{SALES};;12,50\n"
_SAID: Final = {"encoding": "utf-8", "decimalMark": ",", "dateFormat": "YYYY-MM-DD"}


def _unsettled(entries: int) -> str:
    """Entries that leave open what all of them mean."""
    text = "x" * (_LONG // entries)
    pair = f"{{}};01/02/2026;{text};{BANK};1.000;\n{{}};;;{SALES};;1.000\n"
    return _HEADER + "".join(pair.format(n, n) for n in range(entries))


def _many(text: str) -> str:
    return text * (_LONG // len(text))


@dataclass(frozen=True)
class Case:
    """A file that is long in coming to its end; how its import ends: status, entries, the lines of errors."""

    media_type: str
    content: str
    status: str
    entries: int
    errors: tuple[int, ...] = ()
    #: What is said of it, so that the file doesn't have to be looked through before.
    said: tuple[tuple[str, str], ...] = tuple(_SAID.items())


_NOTHING_SAID: Final[tuple[tuple[str, str], ...]] = ()
CASES: Final = {
    "settled by its last row": Case(
        _CSV,
        _unsettled(300) + f"b;13/02/2026;;{BANK};12,50;\nb;;;{SALES};;12,50\n",
        "completed",
        301,
        said=_NOTHING_SAID,
    ),
    "never settled": Case(_CSV, _HEADER + _many(";01/02/2026;;;;\n"), "failed", 0, said=_NOTHING_SAID),
    "not its encoding": Case(_CSV, _HEADER + _many("\n") + "\udce6\n", "failed", 0, (_LONG + 2,), said=_NOTHING_SAID),
    "empty before the header": Case(_CSV, _many("\n") + _HEADER + _ENTRY, "completed", 1, said=_NOTHING_SAID),
    "empty rows, to be settled": Case(_CSV, _HEADER + _many(";;;;;\n") + _ENTRY, "completed", 1, said=_NOTHING_SAID),
    "empty rows": Case(_CSV, _HEADER + _many(";;;;;\n") + _ENTRY, "completed", 1),
    "empty rows at the end": Case(_CSV, _HEADER + _ENTRY + _many(";;;;;\n"), "completed", 1),
    "rows of a refused entry": Case(
        _CSV, _HEADER + f"b;2026-03-16;;{BANK};x;\n" + _many(f"b;;;{BANK};1;\n") + _ENTRY, "completed", 1, (2,)
    ),
    "an entry without end": Case(_CSV, _HEADER + _many(f"b;2026-03-16;;{BANK};1;\n") + _ENTRY, "completed", 1, (2,)),
    "empty rows after one that is refused": Case(
        _CSV, _HEADER + "a;x\n" + _many("\n") + _ENTRY.replace("a;", "b;"), "completed", 1, (2,)
    ),
    "a line that is too long": Case(_CSV, _HEADER + _many("x") + "\n" + _ENTRY, "completed", 0, (2, 3)),
    "a line that is too long, after a quote": Case(
        _CSV, _HEADER + _ENTRY + 'b;"\n' + _many("x") + "\n", "completed", 1, (4, 5)
    ),
    "empty lines": Case(JSONL, _many("\n") + lines(row()), "completed", 1, said=_NOTHING_SAID),
    "empty lines at the end": Case(JSONL, lines(row()) + _many(" \r\n"), "completed", 1, said=_NOTHING_SAID),
    "a line of JSON that is too long": Case(
        JSONL, _many("1") + "\n" + lines(row()), "completed", 1, (1,), said=_NOTHING_SAID
    ),
}


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker for one import at a time, whose turns are over as soon as they may be."""
    monkeypatch.setattr(worker_module, "AT_ONCE", {IMPORT_JOB: 1})
    monkeypatch.setattr(jobs, "SHIFT_S", 0)
    monkeypatch.setattr(entered, "LEAST_BYTES", _LEAST)
    monkeypatch.setattr(rows, "MAX_LINE_BYTES", _MAX_LINE)
    monkeypatch.setattr(csv, "MAX_LINE_BYTES", _MAX_LINE)


@asynccontextmanager
async def working(api: Api) -> AsyncIterator[None]:
    worker = Worker(api.database, Mailer(None, "a@b.dk"), BLOBS, api.clock, jobs={IMPORT_JOB: IMPORTS})
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


async def ended(api: Api, import_id: str) -> dict[str, Any]:
    async with asyncio.timeout(_TIMEOUT_S):
        while True:
            found: dict[str, Any] = (await api.get(f"{PATH}/{import_id}")).json()
            if found["status"] not in {"queued", "running"}:
                return found
            await asyncio.sleep(0.05)


async def moments(api: Api) -> dict[str, Any]:
    """The first event of each type that tells of an import's progress: their ids ascend over all companies."""

    async def work(context: Context) -> dict[str, Any]:
        found = await context.connection.fetch(
            "SELECT type, min(id::text) AS id FROM events WHERE company_id = $1 AND type LIKE 'journal_import.%'"
            " GROUP BY type",
            context.company_id,
        )
        return {row["type"]: row["id"] for row in found}

    found: dict[str, Any] = await api.run(work)
    return found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_a_neighbour_does_not_wait_for_the_end(case: Case, api: Api, other_api: Api) -> None:
    await books_of(api)
    other: Books = await books_of(other_api)
    content = case.content.encode("utf-8", "surrogateescape")
    sent = await send(api, content, case.media_type, urlencode(case.said))
    assert sent.status_code == 202, sent.text
    small = await send(other.api, lines(row()))
    async with working(api):
        assert (await ended(other.api, small.json()["id"]))["entriesPosted"] == 1
        found = await ended(api, sent.json()["id"])
    assert (found["status"], found["entriesPosted"]) == (case.status, case.entries), found
    assert [line for line, _, _ in await errors_of(api, found)][: len(case.errors)] == list(case.errors)
    if case.status == "completed":
        assert found["errorCount"] == len(case.errors)
        assert found["bytesRead"] <= found["bytesTotal"] == len(content)
    theirs, ours = await moments(other.api), await moments(api)
    assert theirs["journal_import.completed"] < ours[f"journal_import.{case.status}"]
    if case is CASES["settled by its last row"]:
        assert theirs["journal_import.completed"] < ours["journal_import.posted"]
