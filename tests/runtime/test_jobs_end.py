"""Real workers, and jobs that can't be done: what they work on ends as failed, with a reason that its owner sees."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from tests.api.test_imports import JSONL, PATH, burning_disk, lines, row
from tests.conftest import Api
from tests.ledger_books import Books, books_of
from tests.runtime.processes import PATIENCE, Program
from tests.selling import Shop, line

from ledgerbee.ledger.imports.model import IMPORT_JOB
from ledgerbee.sales.delivery.model import DELIVER_JOB

__all__ = ["burning_disk"]

IMPATIENT = {"heartbeat_timeout": 0.5, "poll": 0.1, "first_pause": 0.1, "max_interruptions": 1}


@pytest_asyncio.fixture
async def worker_of(database_url: str, tmp_path: Path) -> AsyncIterator[Callable[..., Program]]:
    """Starts workers of a job that take up at once what dead ones left, and find nothing of other tests to do."""
    started: list[Program] = []
    owner = await asyncpg.connect(database_url)
    await owner.execute("DELETE FROM pgqueuer WHERE entrypoint = ANY($1)", [IMPORT_JOB, DELIVER_JOB])
    await owner.close()

    def start(job: str, **variables: str) -> Program:
        folder = tmp_path / f"worker-{len(started)}"
        folder.mkdir()
        command: list[str | Path] = [sys.executable, "-m", "tests.runtime.worker", job, json.dumps(IMPATIENT)]
        started.append(Program.start(command, folder, DATABASE_URL=database_url, **variables))
        return started[-1]

    yield start
    for worker in started:
        worker.process.kill()
        worker.end()


async def until(answer: Callable[[], Any]) -> Any:
    """What `answer` says, once it says something."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await answer()):  # noqa: ASYNC110  another process is at it
            await asyncio.sleep(0.05)
    return found


async def ended(api: Api, import_id: str) -> dict[str, Any]:
    """An import, once it is over."""

    async def look() -> dict[str, Any] | None:
        found: dict[str, Any] = (await api.get(f"{PATH}/{import_id}")).json()
        return found if found["completedAt"] else None

    found: dict[str, Any] = await until(look)
    return found


HOSTILE: dict[str, tuple[str, bytes]] = {
    "a byte that is no UTF-8": (JSONL, lines(row()).encode() + b'{"description":"\xff"}\n'),
    "Latin-1 throughout": (JSONL, lines(row(description="Rødgrød")).encode("latin-1", "ignore") + b"\xf8\n"),
    "UTF-16": (JSONL, lines(row()).encode("utf-16")),
    "nested lists": (JSONL, b"[" * 100_000 + b"\n" + lines(row()).encode()),
    "nested objects": (JSONL, b'{"a":' * 100_000 + b"\n"),
    "an unpaired surrogate": (JSONL, b'{"description":"\\ud800"}\n'),
    "NUL": (JSONL, b'{"description":"\\u0000"}\n\0\0\n'),
    "digits without end": (JSONL, lines(row("9" * 600_000)).encode()),
    "an exponent without end": (JSONL, b'{"lines":[{"amount":1e999999999}]}\n'),
    "no number": (JSONL, b'{"lines":[{"amount":NaN}]}\n'),
    "a long line": (JSONL, b'{"description":"' + b"x" * 3_000_000 + b'"}\n'),
    "CSV of bad bytes": ("text/csv", b"entry,date,accountNumber,debit,credit\n1,\xff\xfe,1010,\0,5\n"),
    "CSV of an open quote": ("text/csv", b'entry,date,accountNumber,debit,credit\n"' + b"x\n" * 100_000),
    "CSV of carriage returns": ("text/csv", b"entry,date,accountNumber,debit,credit\r1,2026-01-01,1010,1,\r"),
    "CSV of digits": ("text/csv", b"entry,date,accountNumber,debit,credit\n1,2026-01-01,1010," + b"9" * 99_999),
}  # fmt: skip


async def test_no_hostile_import_goes_on_for_ever(api: Api, worker_of: Callable[..., Program]) -> None:
    await books_of(api)
    sent = {}
    for name, (media_type, content) in HOSTILE.items():
        answer = await api.request("POST", PATH, content=content, headers={"content-type": media_type})
        assert answer.status_code in {202, 400}, (name, answer.text)
        if answer.status_code == 202:
            sent[name] = answer.json()["id"]
    assert len(sent) > 8
    worker = worker_of(IMPORT_JOB)
    for name, import_id in sent.items():
        found = await ended(api, import_id)
        assert found["status"] == "failed" or found["errorCount"] > 0, (name, found)
    assert worker.stop() == 0
    assert [line for line in worker.log if line["event"] in {"job.failed", "job.held"}] == []


@pytest.mark.usefixtures("burning_disk")
async def test_an_import_that_something_unforeseen_stops_is_failed(api: Api, worker_of: Callable[..., Program]) -> None:
    await books_of(api)
    sent = await api.request("POST", PATH, content=lines(row(reference="fire")), headers={"content-type": JSONL})
    worker = worker_of(IMPORT_JOB)
    found = await ended(api, sent.json()["id"])
    assert worker.stop() == 0
    assert found["status"] == "failed"
    assert found["failure"].startswith("An unforeseen error stopped it 4 times behind line 0;")
    held = [line for line in worker.log if line["event"] == "job.held"]
    assert [(line["job"], line["attempt"]) for line in held] == [(IMPORT_JOB, 4)]
    assert "the disk is on fire" in held[0]["error"]


@pytest_asyncio.fixture
async def slow_disk(database_url: str) -> AsyncIterator[None]:
    """The database takes a while for each entry."""
    owner = await asyncpg.connect(database_url)
    await owner.execute(
        "CREATE FUNCTION crawl() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.05); RETURN NEW; END $$;"
        " CREATE TRIGGER crawl BEFORE INSERT ON journal_entries FOR EACH ROW EXECUTE FUNCTION crawl()"
    )
    yield
    await owner.execute("DROP TRIGGER crawl ON journal_entries; DROP FUNCTION crawl()")
    await owner.close()


@pytest.mark.usefixtures("slow_disk")
async def test_an_import_that_its_workers_die_with_is_failed(api: Api, worker_of: Callable[..., Program]) -> None:
    """As an import that takes all memory would: each worker is killed while it is at it."""
    books: Books = await books_of(api)
    content = lines(*(row() for _ in range(100)))
    sent = (await api.request("POST", PATH, content=content, headers={"content-type": JSONL})).json()["id"]

    async def begun_again() -> bool:
        async with api.database.connection() as connection:
            found: bool = await connection.fetchval(
                "SELECT EXISTS (SELECT FROM interrupted_jobs i JOIN pgqueuer q ON q.id = i.job_id"
                " WHERE convert_from(q.payload, 'UTF8') LIKE '%' || $1 || '%')",
                sent,
            )
        return found

    async def is_running() -> bool:
        return bool((await api.get(f"{PATH}/{sent}")).json()["status"] == "running")

    for is_at_it in (is_running, begun_again):
        worker = worker_of(IMPORT_JOB)
        await until(is_at_it)
        worker.send(signal.SIGKILL)
        worker.end()
    last = worker_of(IMPORT_JOB)
    found = await ended(api, sent)
    assert last.stop() == 0
    assert (found["status"], found["entriesPosted"]) == ("failed", 0)
    assert found["failure"].startswith("2 workers of the program died with it behind line 0;")
    assert (await books.verify_now()).passed


@asynccontextmanager
async def silent_server() -> AsyncIterator[tuple[asyncio.Server, list[asyncio.StreamWriter]]]:
    """A server that takes connections and says nothing, and the connections; closed in the end."""
    taken: list[asyncio.StreamWriter] = []

    def take(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        try:
            yield server, taken
        finally:
            for writer in taken:
                writer.close()
                with suppress(ConnectionError):  # the worker was killed
                    await writer.wait_closed()


async def test_a_delivery_that_its_workers_die_with_is_failed(api: Api, worker_of: Callable[..., Program]) -> None:
    """The mail server takes the connection and says nothing; each worker is killed while it waits."""
    shop = Shop(api)
    async with silent_server() as (server, taken):
        url = f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        draft = await shop.draft(await shop.customer(email="post@example.com"), line(await shop.price("10"), 1))
        invoice = await shop.send(draft, deliveryType="Email")
        first = worker_of(DELIVER_JOB, SMTP_URL=url)

        async def is_taken() -> bool:
            return len(taken) == 1

        await until(is_taken)
        first.send(signal.SIGKILL)
        first.end()
        async with api.database.connection() as connection:  # as if another worker had died with it before
            await connection.execute(
                "INSERT INTO interrupted_jobs (job_id, begun) SELECT q.id, 1 FROM pgqueuer q WHERE q.entrypoint = $1"
                " AND convert_from(q.payload, 'UTF8') LIKE '%' || $2 || '%'",
                DELIVER_JOB,
                invoice["id"],
            )
        last = worker_of(DELIVER_JOB, SMTP_URL=url)

        async def has_ended() -> dict[str, Any] | None:
            found: dict[str, Any] = await shop.ok("GET", f"/v1/invoices/{invoice['id']}/delivery-status")
            return found if found["status"] == "failed" else None

        found = await until(has_ended)
        assert last.stop() == 0
        assert len(taken) == 1
    assert [attempt["outcome"] for attempt in found["attempts"]] == ["failed"]
    assert found["attempts"][0]["message"].startswith("2 workers of the program died with it.")
    failed = [line for line in last.log if line["event"] == "delivery.failed"]
    assert [line["invoice_id"] for line in failed] == [invoice["id"]]
    assert "post@example.com" not in json.dumps(failed)
    (event,) = await shop.events("invoice.delivery_failed")
    assert event["number"] == invoice["number"]
    assert (await shop.invoice(invoice["id"]))["status"] == "scheduled"
