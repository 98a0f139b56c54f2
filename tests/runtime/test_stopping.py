"""The end of `serve`: asked for, and not asked for."""

import asyncio
import http.client
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from tests import patient
from tests.api.test_imports import JSONL, lines, row
from tests.platform.servers import is_up, value
from tests.runtime.processes import PATIENCE, PROGRAM, Program, Served, is_alive, today, wait_for

from ledgerbee import embedded as postgres


def test_told_to_stop_it_finishes_what_is_under_way(own_data: Path, serve_own: Callable[..., Served]) -> None:
    served = serve_own()
    body = json.dumps(served.group_body("SLOW")).encode()
    request = http.client.HTTPConnection(*served.address, timeout=60)
    request.putrequest("POST", "/api/v1/product-groups")
    request.putheader("x-api-key", str(served.key))
    request.putheader("content-type", "application/json")
    request.putheader("content-length", str(len(body)))
    request.endheaders()
    request.send(body[:20])
    idle = http.client.HTTPConnection(*served.address, timeout=60)
    idle.request("GET", "/healthz")
    idle.getresponse().read()

    served.program.send(signal.SIGTERM)
    wait_for(served.refuses_connections)
    assert served.program.process.poll() is None
    request.send(body[20:])
    answer = request.getresponse()
    assert (answer.status, json.loads(answer.read())["number"]) == (201, "SLOW")
    assert answer.headers["connection"] == "close"
    request.close()
    idle.close()

    assert served.program.end() == 0
    assert not is_up(own_data)
    with postgres.running(own_data) as server:
        assert value(server, "SELECT number FROM product_groups WHERE number = 'SLOW'") == "SLOW"


def test_told_to_stop_it_finishes_what_waits_to_be_carried_out(
    own_data: Path, serve_own: Callable[..., Served]
) -> None:
    """One transaction waits for a lock, more entries than fit into the next wait for it: all are answered."""
    served = serve_own()
    accounts = [a["id"] for a in served.http.get("/api/v1/accounts").json() if a["accountNumber"] in {1010, 6480}]
    body = {
        "entryType": "JOURNAL_ENTRY",
        "date": today(),
        "originalAmount": "1.00",
        "lines": [
            {"accountId": account, "side": side, "amount": "1.00"}
            for account, side in zip(accounts, ("DEBIT", "CREDIT"), strict=True)
        ],
    }

    async def post_and_stop(dsn: str) -> list[int]:
        holder = await asyncpg.connect(dsn)
        await holder.execute(f"BEGIN; SET LOCAL app.company_id = '{served.company}'")
        await holder.execute("SELECT FROM ledgers WHERE company_id = $1 FOR UPDATE", served.company)
        limits, headers = httpx.Limits(max_connections=None), {"x-api-key": str(served.key)}
        async with httpx.AsyncClient(limits=limits, headers=headers, timeout=60) as client:
            url = f"{served.url}/api/v2/journal-entries"
            tasks = [asyncio.create_task(client.post(url, json=body)) for _ in range(150)]
            await asyncio.sleep(2)
            served.program.send(signal.SIGTERM)
            while not served.refuses_connections():  # noqa: ASYNC110  another process's doing
                await asyncio.sleep(0.05)
            assert not any(task.done() for task in tasks)
            assert served.program.process.poll() is None
            await holder.close()
            return [answer.status_code for answer in await asyncio.gather(*tasks)]

    count = ("SET row_security = off", f"SELECT count(*) FROM journal_entries WHERE company_id = '{served.company}'")
    with postgres.running(own_data) as server:
        before = int(value(server, *count))  # the folder is other tests' too
        assert asyncio.run(post_and_stop(server.dsn())) == [201] * 150
        assert served.program.end() == 0
        assert int(value(server, *count)) == before + 150


def test_told_to_stop_while_it_starts_it_leaves_nothing_running(own_data: Path, own_folder: Path) -> None:
    program = Program.start([PROGRAM, "serve", "--port", "0", "--data-dir", own_data], own_folder)
    wait_for(lambda: is_up(own_data))
    program.send(signal.SIGTERM)
    assert program.end() == 0
    assert program.out == ""
    assert not is_up(own_data), program.errors


def test_what_is_killed_below_it_is_started_again_and_its_own_death_costs_nothing(
    own_data: Path, serve_own: Callable[..., Served]
) -> None:
    # Names as common as these must not reach the job queue.
    served = serve_own(CHANNEL="another", FUNCTION="f", TRIGGER="t", QUEUE_TABLE="q")
    program = served.program
    assert served.http.post("/api/v1/product-groups", json=served.group_body("BEFORE")).status_code == 201

    first = program.pid_of("api-1")
    os.kill(first, signal.SIGKILL)
    program.wait_for_event("process.started", 3)
    assert served.http.get("/healthz").text == "ok"  # waits in the socket's queue until somebody takes it
    assert program.pid_of("api-1") != first

    database = postgres.status(own_data).pid
    assert database is not None
    os.kill(database, signal.SIGKILL)
    program.wait_for_event("database.started_again")
    wait_for(lambda: patient.get(f"{served.url}/readyz").status_code == 200)
    assert "BEFORE" in served.group_numbers()
    assert "ledgerbee_database_up 1.0" in patient.get(f"{served.url}/metrics").text

    assert is_alive(program.pid_of("api-1"))
    program.send(signal.SIGKILL)
    assert program.end() == -signal.SIGKILL
    children = [line["pid"] for line in program.log if line["event"] == "process.started"]
    host, port = served.address
    again = serve_own("--host", host, "--port", str(port))
    wait_for(lambda: not any(map(is_alive, children)))
    assert again.key == served.key
    assert "BEFORE" in again.group_numbers()
    assert again.stop() == 0
    assert not is_up(own_data)


def test_an_import_outlives_the_database_and_costs_no_traceback(
    own_data: Path, serve_own: Callable[..., Served]
) -> None:
    """PostgreSQL is killed while a chunk is posted and the next one is read: both fail, each for the same reason."""
    served = serve_own()
    content = lines(*(row("1.00", date=today()) for _ in range(6_000)))
    address = "/api/v2/journal-entries/import"
    sent = served.http.post(address, content=content, headers={"content-type": JSONL}).json()["id"]
    wait_for(lambda: served.http.get(f"{address}/{sent}").json()["entriesPosted"])
    database = postgres.status(own_data).pid
    assert database is not None
    os.kill(database, signal.SIGKILL)
    served.program.wait_for_event("database.started_again")

    def ended() -> dict[str, Any] | None:
        answer = served.http.get(f"{address}/{sent}")
        return answer.json() if answer.status_code == 200 and answer.json()["completedAt"] else None

    found = wait_for(ended, 2 * PATIENCE)
    assert (found["status"], found["entriesPosted"], found["errorCount"]) == ("completed", 6_000, 0)
    assert "\n".join(str(line) for line in served.program.log if "Traceback" in str(line)) == ""
    assert served.stop() == 0
