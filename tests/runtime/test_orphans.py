"""API processes without a supervisor, or that wait no longer: no request is answered in a form of the server's own."""

import asyncio
import contextlib
import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from tests.runtime.conftest import Made
from tests.runtime.processes import PATIENCE, environment, today

from ledgerbee import embedded as postgres

#: Seconds that requests in hand get to finish in a test: they are thirty otherwise.
_GRACE = "import ledgerbee.app.api_process as api_process\napi_process.GRACE_S = 1\napi_process.main()\n"


def _start(folder: Path, url: str, lifeline: int, ready: int, *program: str) -> "tuple[subprocess.Popen[bytes], Any]":
    """An API process on those ends of its supervisor's pipes, and the address that it will listen on."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener, (folder / "errors").open("wb") as errors:
        descriptors = [lifeline, ready, listener.fileno()]
        process = subprocess.Popen(
            [sys.executable, *program, "api-1", *map(str, descriptors)],
            pass_fds=descriptors,
            env=environment(DATABASE_URL=url),
            stderr=errors,
        )
        return process, listener.getsockname()


def _log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "errors").read_text().splitlines()]


def test_its_supervisor_killed_while_it_starts_it_ends_and_answers_nothing_wrong(
    database_url: str, own_folder: Path
) -> None:
    lifeline, ready = os.pipe(), os.pipe()
    os.close(lifeline[1])
    os.close(ready[0])  # nobody hears that it is ready
    process, address = _start(own_folder, database_url, lifeline[0], ready[1], "-m", "ledgerbee.app.child", "api")
    os.close(lifeline[0])
    os.close(ready[1])
    clients = [socket.create_connection(address, timeout=PATIENCE) for _ in range(20)]
    for client in clients:
        client.sendall(b"GET /api/v1/company HTTP/1.1\r\nHost: here\r\n\r\n")
    answers = []
    for client in clients:
        said = b""
        with contextlib.suppress(ConnectionResetError), client:
            while block := client.recv(65536):
                said += block
        answers.append(said)
    assert process.wait(PATIENCE) == 0
    assert [line for line in _log(own_folder) if line["level"] in {"error", "critical"}] == []
    for said in filter(None, answers):
        head, _, body = said.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 401 ")
        assert json.loads(body)["statusCode"] == 401
    assert all(line["status"] == 401 for line in _log(own_folder) if line["event"] == "request")


async def test_what_is_waited_for_no_longer_is_told_as_json(own_data: Path, own_folder: Path, made: Made) -> None:
    """A process that was told to stop, while requests wait for a lock that nobody gives up."""
    lifeline, ready = os.pipe(), os.pipe()
    with postgres.running(own_data) as server:
        holder = await asyncpg.connect(server.dsn())
        process, (host, port) = _start(own_folder, server.dsn(), lifeline[0], ready[1], "-c", _GRACE)
        for descriptor in (lifeline[0], ready[1]):
            os.close(descriptor)
        try:
            answers = await _post_and_stop(holder, process, f"http://{host}:{port}", made)
        finally:
            process.kill()
            process.wait()
            await holder.close()
    for descriptor in (lifeline[1], ready[0]):
        os.close(descriptor)
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(503, "SERVER_STOPPING")] * 5
    assert all(answer.headers["connection"] == "close" for answer in answers)
    assert [line["status"] for line in _log(own_folder) if line["event"] == "request"] == [200, *[503] * 5]
    assert "Traceback" not in (own_folder / "errors").read_text()


async def _post_and_stop(
    holder: "asyncpg.Connection[asyncpg.Record]", process: "subprocess.Popen[bytes]", url: str, made: Made
) -> list[httpx.Response]:
    async with httpx.AsyncClient(base_url=url, headers={"x-api-key": made.key}, timeout=PATIENCE) as client:
        listed = (await client.get("/api/v1/accounts")).json()
        accounts = [account["id"] for account in listed if account["accountNumber"] in {1010, 6480}]
        body = {
            "entryType": "JOURNAL_ENTRY",
            "date": today(),
            "originalAmount": "1.00",
            "lines": [
                {"accountId": account, "side": side, "amount": "1.00"}
                for account, side in zip(accounts, ("DEBIT", "CREDIT"), strict=True)
            ],
        }
        await holder.execute(f"BEGIN; SET LOCAL app.company_id = '{made.company}'")
        await holder.execute("SELECT FROM ledgers WHERE company_id = $1 FOR UPDATE", made.company)
        tasks = [asyncio.create_task(client.post("/api/v2/journal-entries", json=body)) for _ in range(5)]
        await asyncio.sleep(1)
        assert not any(task.done() for task in tasks)
        process.terminate()
        answers = await asyncio.gather(*tasks)
        await asyncio.to_thread(process.wait, PATIENCE)
        return answers
