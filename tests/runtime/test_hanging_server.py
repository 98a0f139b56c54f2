"""A server that hangs and keeps its connections open: requests get 503, and `/readyz` says so at once."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.runtime.processes import Served, wait_for

from ledgerbee import embedded
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.platform import db
from ledgerbee.platform.db import Database
from ledgerbee.platform.server_watch import Patience, ServerWatch

SHORT = Patience(look=0.05, in_use=0.2, probe=0.3)


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *map(int, children)]


@contextmanager
def hanging(data_dir: Path) -> Iterator[None]:
    """Stop the embedded server and its backends, as they are, for the length of the block."""
    pid = embedded.status(data_dir).pid
    assert pid is not None
    stopped = family(pid)
    for process in stopped:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in stopped:
            os.kill(process, signal.SIGCONT)


def test_requests_and_probes_have_an_answer(serve_own: Callable[..., Served], own_data: Path) -> None:
    served = serve_own()
    ended = [line for line in served.program.log if line["event"] == "process.ended"]
    path, headers = "/api/v1/customers", {"x-api-key": served.key or ""}

    def ask(path: str) -> int:
        return httpx.get(f"{served.url}{path}", headers=headers, timeout=120).status_code

    assert ask(path) == 200
    with ThreadPoolExecutor() as clients, hanging(own_data):
        waiting = [clients.submit(ask, path) for _ in range(8)]
        assert httpx.get(f"{served.url}/readyz", timeout=10).status_code == 503
        assert [request.result() for request in waiting] == [503] * 8
        assert "database.hangs" in {line["event"] for line in served.program.log}
        # The worker's connections too: it ends and is started again.
        wait_for(lambda: len([line for line in served.program.log if line["event"] == "process.ended"]) > len(ended))
    wait_for(lambda: ask("/readyz") == 200)
    assert ask(path) == 200


async def test_a_long_statement_on_a_server_that_answers_is_left_alone(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "ServerWatch", lambda dsn, cell: ServerWatch(dsn, cell, SHORT))
    database = await Database.open(database_url, reactions=REACTIONS, max_size=3)
    try:
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1 FROM pg_sleep(2)") == 1
    finally:
        await database.close()
