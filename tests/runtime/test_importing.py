"""Imports carried out by real processes, which are killed; and the command line."""

import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio
from tests.api.test_imports import JSONL, PATH, burning_disk, lines, row
from tests.conftest import Api
from tests.ledger_books import Books, books_of
from tests.runtime.processes import PROGRAM, Program, Served, cli, today

from ledgerbee.ledger.imports.model import IMPORT_JOB
from ledgerbee.platform.context import Context

__all__ = ["burning_disk"]

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
    verified = await books.verify_now()
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
    assert (told.returncode, told.stdout.split(",")[0]) == (1, "1 entry posted")
    assert "line 4" in told.stderr
    assert "ACCOUNT_NOT_FOUND" in told.stderr

    told = cli("import", "csv", "/dev/zero", "--data-dir", own_data)
    assert (told.returncode, "not a regular file" in told.stderr) == (1, True)

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
    verified = await (await books_of(api)).verify_now()
    assert (verified.passed, verified.entries) == (True, ROWS - 3)


GOOD_ROWS = lines(row("1.00"), row("2.00")).encode()
HEADER = b"entry;date;description;accountNumber;debit;credit\n"
GOOD_CSV = b"a;2026-03-16;;6480;5;\na;;;1010;;5\nb;2026-03-16;;6480;5;\nb;;;1010;;5\n"
#: Files that no program writes, or no longer: kind, content, status, entries posted, lines refused.
HOSTILE: dict[str, tuple[str, bytes, str, int, list[int]]] = {
    "windows-1252 in JSON": ("jsonl", GOOD_ROWS + b'{"description":"K\xf8b"}\n', "completed", 2, [3]),
    "NUL in JSON": ("jsonl", GOOD_ROWS + b'{"a":"\x00"}\n{"a":"\\u0000"}\n', "completed", 2, [3, 4]),
    "half a character": ("jsonl", GOOD_ROWS + b'{"\\ud800":1}\n', "completed", 2, [3]),
    "deep JSON": ("jsonl", GOOD_ROWS + b"[" * 100_000 + b"\n" + b'{"a":' * 990 + b"\n", "completed", 2, [3, 4]),
    "huge numbers": (
        "jsonl",
        GOOD_ROWS + lines(row("1"), row("1")).replace('"1"', "1e999999999", 1).replace('"1"', "9" * 5000).encode(),
        "completed", 2, [3, 4],
    ),
    "long names": ("jsonl", GOOD_ROWS + b'{"' + b"x" * 1_000_000 + b'":1}\n', "completed", 2, [3]),
    "UTF-16 JSON": ("jsonl", lines(row("1.00")).encode("utf-16"), "completed", 0, [1, 2]),
    "no JSON": ("jsonl", bytes(range(256)), "completed", 0, [1, 2]),
    "NUL in CSV": ("csv", HEADER + GOOD_CSV + b"c;2026-03-16;\x00;6480;5;\n", "completed", 2, [6]),
    "CR alone": ("csv", (HEADER + GOOD_CSV).replace(b"\n", b"\r"), "failed", 0, []),
    "CR in the header": ("csv", HEADER.replace(b";", b"\r;", 1) + GOOD_CSV, "failed", 0, []),
    "CR in a row": ("csv", HEADER + GOOD_CSV + b"c;2026-03-16;a\rb;6480;5;\n", "completed", 2, [6]),
    "windows-1252 in CSV": ("csv", HEADER + GOOD_CSV + b"c;2026-03-16;K\xf8b;6480;5;\n", "failed", 0, [6]),
    "UTF-16 CSV": ("csv", (HEADER + GOOD_CSV).decode().encode("utf-16"), "failed", 0, []),
    "open quote": ("csv", HEADER + GOOD_CSV + b'c;2026-03-16;"a;6480;5;\n' * 200, "completed", 2, [6]),
    "long value": ("csv", HEADER + GOOD_CSV + b'c;2026-03-16;"' + b"x" * 300_000 + b'";6480;5;\n', "completed", 2, [6]),
    "many values": ("csv", HEADER + GOOD_CSV + b"c;" * 100_000 + b"\nd;2026-03-16\n", "completed", 2, [6, 7]),
    "huge amount": ("csv", HEADER + GOOD_CSV + b"c;2026-03-16;;6480;" + b"9" * 5000 + b";\n", "completed", 2, [6]),
    "no CSV": ("csv", bytes(range(256)), "failed", 0, []),
    "no header": ("csv", GOOD_CSV, "failed", 0, []),
    "nothing": ("csv", b"", "failed", 0, []),
}  # fmt: skip
MEDIA_TYPES = {"jsonl": JSONL, "csv": "text/csv"}


async def test_every_file_comes_to_an_end(api: Api, workers: Callable[[], Program]) -> None:
    """Through a real worker: a refused row with its line, or a failed import with a reason."""
    books = await books_of(api)
    sent, requests = {}, set()
    for name, (kind, content, *_) in HOSTILE.items():
        answer = await api.request("POST", PATH, content=content, headers={"content-type": MEDIA_TYPES[kind]})
        sent[name] = f"{PATH}/{answer.json()['id']}"
        requests.add(answer.headers["x-request-id"])
    worker = workers()
    for name, (_, _, status, count, refused) in HOSTILE.items():
        while not (found := (await api.get(sent[name])).json())["completedAt"]:
            assert worker.process.poll() is None
        assert (name, found["status"], found["entriesPosted"]) == (name, status, count)
        assert bool(found["failure"]) == (status == "failed")
        errors = (await api.get(f"{sent[name]}/errors?limit=100")).json()["data"]
        assert (name, [error["line"] for error in errors]) == (name, refused[:100])
    assert worker.stop() == 0
    ours = [line for line in worker.log if line.get("request_id") in requests]
    assert len({line["request_id"] for line in ours}) == len(HOSTILE)
    assert not [line for line in ours if line["event"] in {"job.failed", "job.held"}]
    assert (await books.verify_now()).passed


def test_the_command_line_tells_of_every_file_in_words(api: Api, database_url: str, tmp_path: Path) -> None:
    for number, (kind, content, status, count, refused) in enumerate(HOSTILE.values()):
        file = tmp_path / f"{number}.{kind}"
        file.write_bytes(content)
        done = cli("import", kind, file, "--company", str(api.company_id), "--again", DATABASE_URL=database_url)
        assert "Traceback" not in done.stderr
        assert done.returncode == 1
        assert done.stderr.startswith("error: ") or "line " in done.stderr
        if status == "completed":
            assert done.stdout.startswith("1 entry posted, " if count == 1 else f"{count} entries posted, "), (
                done.stdout
            )
        if refused:
            assert f"line {refused[0]}" in done.stderr


def test_the_command_line_takes_what_a_file_leaves_open(api: Api, database_url: str, tmp_path: Path) -> None:
    file = tmp_path / "danish.csv"
    file.write_bytes("Bilag;Dato;Tekst;Konto;Beløb\n1;05/02/2026;Køb;6480;12.500\n1;;;1010;-12.500\n".encode("cp1252"))
    command: list[str | Path] = ["import", "csv", file, "--company", str(api.company_id)]
    assert "--encoding" in cli(*command, DATABASE_URL=database_url).stderr
    said = ["--encoding", "windows-1252"]
    told = cli(*command, *said, DATABASE_URL=database_url).stderr
    assert "--decimal-mark" in told
    assert "--date-format" in told
    assert "lines 2" not in told
    for wrong in (["--decimal-mark", ";"], ["--date-format", "DD/YYYY"], ["--encoding", "x"], ["--rate-units", "7"]):
        done = cli(*command, *wrong, DATABASE_URL=database_url)
        assert (done.returncode, wrong[0] in done.stderr) == (1, True)
    said += ["--decimal-mark", ",", "--date-format", "DD/MM/YYYY"]
    done = cli(*command, *said, DATABASE_URL=database_url)
    assert done.stdout.startswith("1 entry posted, 0 errors"), done.stderr


async def test_real_workers_end_what_nobody_foresaw(
    api: Api, workers: Callable[[], Program], burning_disk: None, database_url: str, tmp_path: Path
) -> None:
    content = lines(row("1.00", reference="fire"))
    sent = await api.request("POST", PATH, content=content, headers={"content-type": JSONL})
    worker = workers()
    while not (found := (await api.get(f"{PATH}/{sent.json()['id']}")).json())["completedAt"]:
        assert worker.process.poll() is None
    assert found["status"] == "failed"
    assert "4 times" in found["failure"]
    assert worker.stop() == 0
    ended = [line for line in worker.log if line["event"] in {"job.failed", "job.held"} and line["job"] == IMPORT_JOB]
    # The database is shared: the worker may also end an import that another test left in the queue.
    told = [line for line in ended if line["request_id"] in found["failure"]]
    assert [(line["event"], line["attempt"]) for line in told] == [
        ("job.failed", 1), ("job.failed", 2), ("job.failed", 3), ("job.held", 4)
    ]  # fmt: skip
    assert all("the disk is on fire" in line["error"] for line in told)

    file = tmp_path / "fire.jsonl"
    file.write_text(content)
    done = cli("import", "jsonl", file, "--company", str(api.company_id), DATABASE_URL=database_url)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)
    assert "the disk is on fire" in done.stderr
    assert "stopped it once behind line 0" in done.stderr
    listed = (await api.get(PATH)).json()["data"]
    assert [one["status"] for one in listed] == ["failed", "failed"]


async def import_of(api: Api, rows: int) -> str:
    """Send a file of so many rows; the import's address."""
    content = lines(*(row("1.00") for _ in range(rows)))
    answer = await api.request("POST", PATH, content=content, headers={"content-type": JSONL})
    assert answer.status_code == 202
    return f"{PATH}/{answer.json()['id']}"


async def test_an_import_does_not_wait_behind_anothers_many(
    api: Api, other_api: Api, workers: Callable[[], Program]
) -> None:
    many = [await import_of(api, 200) for _ in range(20)]
    one = await import_of(other_api, 1)
    worker = workers()
    while not (found := (await other_api.get(one)).json())["completedAt"]:
        assert worker.process.poll() is None
    theirs = [(await api.get(address)).json() for address in many]
    while not all(one["completedAt"] for one in theirs):
        assert worker.process.poll() is None
        theirs = [(await api.get(address)).json() for address in many]
    assert worker.stop() == 0
    assert len([one for one in theirs if one["startedAt"] < found["startedAt"]]) <= 3
    begun = [one["startedAt"] for one in theirs]  # three at a time, and the oldest first
    assert all(before <= after for before, after in zip(begun, begun[3:], strict=False))
    assert {one["status"] for one in [*theirs, found]} == {"completed"}


async def test_long_imports_let_anothers_in_between(api: Api, other_api: Api, workers: Callable[[], Program]) -> None:
    """One company's fill all places there are; the other's comes long before they are done."""
    long = [await import_of(api, 20_000) for _ in range(4)]
    worker = workers()
    while [(await api.get(address)).json()["status"] for address in long[:3]] != ["running"] * 3:
        assert worker.process.poll() is None
    one = await import_of(other_api, 1)
    while not (await other_api.get(one)).json()["completedAt"]:
        assert worker.process.poll() is None
    assert not [address for address in long if (await api.get(address)).json()["completedAt"]]
    while not (await api.get(long[0])).json()["completedAt"]:  # who was interrupted goes on before what came later
        assert worker.process.poll() is None
    assert (await api.get(long[3])).json()["completedAt"] is None
    for address in long[1:]:
        await api.post(f"{address}/cancel")
    assert worker.stop() == 0
