"""Imports carried out by real processes, which are killed; and the command line."""

import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
from tests.api.test_imports import JSONL, PATH, lines, row
from tests.conftest import Api
from tests.ledger_books import Books, books_of
from tests.runtime.processes import PROGRAM, Program, Served, cli, today

from ledgerbee.ledger.imports.model import IMPORT_JOB
from ledgerbee.platform.context import Context

#: A worker that dies is missed soon, and its job is tried again soon.
IMPATIENT = {"heartbeat_timeout": 0.5, "poll": 0.1, "first_pause": 0.1}
#: Rows that are no entries, and where they stand among those that are.
BAD = {7: "{", 701: "[]", 2999: '{"entryType":"LOAN"}'}
ROWS = 3000


def file_of_rows() -> str:
    return lines(*(BAD.get(number) or row(f"{number}.00") for number in range(1, ROWS + 1)))


@pytest_asyncio.fixture
async def workers(database_url: str, tmp_path: Path) -> AsyncIterator[Callable[[], Program]]:
    """Starts workers that take up at once what dead ones left."""
    started: list[Program] = []

    def start() -> Program:
        folder = tmp_path / f"worker-{len(started)}"
        folder.mkdir()
        command: list[str | Path] = [sys.executable, "-m", "tests.runtime.worker", IMPORT_JOB, json.dumps(IMPATIENT)]
        started.append(Program.start(command, folder, DATABASE_URL=database_url))
        return started[-1]

    yield start
    for worker in started:
        worker.process.kill()
        worker.end()


async def posted(api: Api) -> int:
    """How many entries the company's import has posted so far."""

    async def work(context: Context) -> int | None:
        count: int | None = await context.connection.fetchval(
            "SELECT entries_posted FROM journal_imports WHERE company_id = $1", context.company_id
        )
        return count

    return await api.run(work) or 0


async def test_killed_workers_neither_lose_nor_double_an_entry(api: Api, workers: Callable[[], Program]) -> None:
    """Each worker is killed as soon as it has moved the import on; the last one is left alone."""
    books: Books = await books_of(api)
    sent = await api.request("POST", PATH, content=file_of_rows(), headers={"content-type": JSONL})
    address = f"{PATH}/{sent.json()['id']}"

    seen = []
    for _ in range(3):
        worker = workers()
        before = await posted(api)
        while (now := await posted(api)) == before:
            assert worker.process.poll() is None
        worker.send(signal.SIGKILL)
        worker.end()
        seen.append(now)
    assert 0 < seen[0] < seen[1] < ROWS
    last = workers()
    while not (found := (await api.get(address)).json())["completedAt"]:
        assert last.process.poll() is None
    assert last.stop() == 0
    assert (found["status"], found["entriesPosted"], found["errorCount"]) == ("completed", ROWS - 3, 3)
    errors = (await api.get(f"{address}/errors")).json()["data"]
    assert [error["line"] for error in errors] == sorted(BAD)
    verified = await books.verify()
    assert (verified.passed, verified.entries) == (True, ROWS - 3)
    total = (await api.get("/v1/reports/trial-balance")).json()["totals"]["debit"]
    assert total == f"{ROWS * (ROWS + 1) // 2 - sum(BAD)}.00"


def test_the_command_line_imports_beside_a_running_serve(
    serve_own: Callable[..., Served], own_data: Path, tmp_path: Path
) -> None:
    served = serve_own()
    assert served.key is not None
    good = tmp_path / "good.jsonl"
    good.write_text(lines(row("1.00", date=today()), row("2.00", date=today())))
    done = imported("jsonl", good, own_data)
    assert (done["status"], done["entriesPosted"], done["errors"]) == ("completed", 2, [])

    again = cli("import", "jsonl", good, "--data-dir", own_data)
    assert again.returncode == 1
    assert "JOURNAL_IMPORT_REPEATED" in again.stderr
    assert imported("jsonl", good, own_data, "--again")["entriesPosted"] == 2

    bad = tmp_path / "bad.csv"
    rows = f"1,{today()},6480,5,\n1,,1010,,5\n2,{today()},77,5,\n"
    bad.write_text("entry,date,accountNumber,debit,credit\n" + rows)
    told = cli("import", "csv", bad, "--data-dir", own_data)
    assert (told.returncode, told.stdout.split(",")[0]) == (1, "1 entries posted")
    assert "line 4" in told.stderr
    assert "ACCOUNT_NOT_FOUND" in told.stderr

    old = tmp_path / "old.jsonl"
    old.write_text(lines(row("1.00", date="2019-05-05")))
    told = cli("import", "jsonl", old, "--data-dir", own_data)
    assert (told.returncode, told.stdout.split(",")[0]) == (1, "0 entries posted")
    assert "FISCAL_YEAR_MISSING" in told.stderr
    done = imported("jsonl", old, own_data, "--again", "--open-fiscal-years")
    assert (done["entriesPosted"], done["openFiscalYears"]) == (1, True)
    assert cli("verify", "--data-dir", own_data).returncode == 0


def imported(file_format: str, file: Path, data_dir: Path, *options: str) -> Any:
    done = cli("import", file_format, file, "--data-dir", data_dir, "--json", *options)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def test_a_killed_command_goes_on_when_it_is_run_again(api: Api, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "long.jsonl"
    file.write_text(file_of_rows())
    command: list[str | Path] = [PROGRAM, "import", "jsonl", file, "--company", str(api.company_id)]
    running = Program.start(command, tmp_path, DATABASE_URL=database_url)
    while not await posted(api):
        assert running.process.poll() is None, running.errors
    running.send(signal.SIGKILL)
    assert running.end() == -signal.SIGKILL
    assert 0 < await posted(api) < ROWS
    done = cli(*command[1:], DATABASE_URL=database_url)
    assert (done.returncode, done.stdout.split(" (")[0]) == (1, f"{ROWS - 3} entries posted, 3 errors"), done.stderr
    verified = await (await books_of(api)).verify()
    assert (verified.passed, verified.entries) == (True, ROWS - 3)
