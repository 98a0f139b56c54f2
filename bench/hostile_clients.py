"""What hostile clients do to their neighbours: `/healthz` and the memory of a real `ledgerbee serve` meanwhile.

    python -m bench.hostile_clients [--port N]

Each attack runs for some seconds against one API process with its default settings, while `/healthz` is asked every
few milliseconds. The table has the median and the worst of its answers, and how much the process grew at its peak.
What a single body holds the event loop for is no more than the worst answer.
"""

import argparse
import asyncio
import base64
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_HALF_OPEN = 3_000
Attack = Callable[["Server"], Awaitable[object]]


@dataclass(frozen=True)
class Server:
    """A running `serve`."""

    port: int
    key: str
    pid: int

    def get(self, path: str) -> Any:
        """The JSON of an answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"x-api-key": self.key})
        with urllib.request.urlopen(request) as answer:  # noqa: S310  our own server
            return json.load(answer)

    def memory(self, name: str = "VmRSS") -> float:
        """Megabytes of the API process: now (`VmRSS`) or at its peak (`VmHWM`)."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(name))

    def forget_peak(self) -> None:
        """Begin to look for a new peak."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")


@contextmanager
def served(port: int) -> Iterator[Server]:
    """`ledgerbee serve` on a data folder of its own."""
    with tempfile.TemporaryDirectory(prefix="ledgerbee-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        program = Path(sys.executable).with_name("ledgerbee")
        command: list[str | Path] = [
            program,
            "serve",
            "--processes",
            "1",
            "--port",
            str(port),
            "--data-dir",
            folder / "data",
        ]
        with (folder / "out").open("w") as out, (folder / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=out, stderr=log)
        try:
            while "API key" not in (text := (folder / "out").read_text()) or not text.endswith("\n"):
                time.sleep(0.1)
            said = {line[:9].strip(): line[9:].strip() for line in text.splitlines()}
            started = [json.loads(line) for line in (folder / "log").read_text().splitlines() if line[:1] == "{"]
            pid = next(line["pid"] for line in started if line.get("process") == "api-1")
            url = said["API"].removesuffix("/api")
            yield Server(int(url.rpartition(":")[2]), said["API key"], pid)
        finally:
            process.terminate()
            process.wait()
            subprocess.run([program, "db", "stop", "--data-dir", folder / "data"], check=False, capture_output=True)


async def post(server: Server, path: str, body: bytes, content_type: str = "application/json") -> int:
    """The status of an answer; 0 where the connection broke."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**26)
    head = f"POST {path} HTTP/1.1\r\nhost: a\r\nx-api-key: {server.key}\r\ncontent-type: {content_type}\r\n"
    with suppress(ConnectionError):
        writer.write(f"{head}content-length: {len(body)}\r\nconnection: close\r\n\r\n".encode() + body)
        answer = await reader.read()
        writer.close()
        return int(answer.split()[1]) if answer else 0
    return 0


async def half_open(server: Server) -> None:
    """Three thousand connections that begin a request and never end it."""
    writers = []
    for number in range(_HALF_OPEN):
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: a\r\n" if number % 2 else b"")
            writers.append(writer)
    await asyncio.sleep(3)
    for writer in writers:
        writer.close()


async def endless(server: Server, begin: bytes, more: bytes) -> None:
    """A hundred megabytes of what should have come to an end long before."""
    _, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"GET /healthz HTTP/1.1\r\nhost: a\r\n" + begin)
    with suppress(ConnectionError):
        for _ in range(100 * 2**20 // len(more)):
            writer.write(more)
            await writer.drain()


def bodies(server: Server) -> Iterator[tuple[str, Attack]]:
    """Bodies that cost as much as they may, or would."""

    def sends(path: str, body: bytes, times: int = 1) -> Attack:
        async def run(server: Server) -> str:
            return str(await asyncio.gather(*(post(server, path, body) for _ in range(times))))

        return run

    customers, entries, batch = "/api/v1/customers", "/api/v2/journal-entries", "/api/v2/journal-entries/batch"
    accounts = {account["accountNumber"]: account["id"] for account in server.get("/api/v1/accounts")}
    line = {"accountId": accounts[1010], "side": "DEBIT", "amount": "1.00"}
    lines = [line, {**line, "side": "CREDIT"}]
    today = datetime.now(UTC).date().isoformat()
    entry = {"entryType": "JOURNAL_ENTRY", "date": today, "originalAmount": "100.00"}
    keys = json.dumps({f"k{number}": 1 for number in range(1_100_000)}).encode()
    yield "1.1 million unknown keys", sends(customers, keys)
    yield "1.1 million unknown keys, entry", sends(entries, keys)
    yield "19,000 unknown keys", sends(customers, json.dumps({f"k{number}": 1 for number in range(19_000)}).encode())
    yield "99,000 unknown keys, entry", sends(entries, json.dumps({f"k{n}": 1 for n in range(99_000)}).encode())
    yield "14 MB of digits", sends(entries, b'{"originalAmount":' + b"9" * 14_000_000 + b"}")
    yield "14 MB of decimals", sends(entries, b'{"originalAmount":1.' + b"9" * 14_000_000 + b"}")
    yield "14 MB of empty lists", sends(entries, b"[" + b"[]," * 4_600_000 + b"[]]")
    yield "14 MB of text", sends(entries, b'{"description":"' + b"a" * 14_000_000 + b'"}')
    yield "490,000 escapes", sends(entries, b'{"description":"' + b"\\u0041" * 490_000 + b'"}')
    yield "nested 10,000 deep", sends(entries, b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}")
    wrong = json.dumps({"entries": [{**entry, "lines": [{"x": 1}] * 400}] * 100}).encode()
    yield "batch of 40,000 wrong lines", sends(batch, wrong)
    whole = json.dumps({"entries": [{**entry, "lines": lines * 110}] * 100}).encode()
    yield "batch of 22,000 lines", sends(batch, whole)
    yield "the same, not plain", sends(batch, whole.replace(b'"JOURNAL_ENTRY"', b'"JOURNAL\\u005fENTRY"'))
    yield "entry of 10,000 lines", sends(entries, json.dumps({**entry, "lines": lines * 5_000}).encode())
    file = base64.b64encode(b"%PDF-1.7\n" + b"\0" * 10_500_000 + b"\n%%EOF\n").decode()
    attached = {"fileName": "a.pdf", "contentType": "application/pdf", "content": file}
    filed = json.dumps({**entry, "lines": lines, "attachments": [attached]}).encode()
    yield "14 MB file", sends(entries, filed)
    yield "eight 14 MB files at once", sends(entries, filed, 8)


def attacks(server: Server) -> Iterator[tuple[str, Attack]]:
    """All of them by name."""

    async def quiet(_: Server) -> None:
        await asyncio.sleep(2)

    async def endless_header(server: Server) -> None:
        await endless(server, b"x-filler: ", b"a" * 2**20)

    async def many_headers(server: Server) -> None:
        await endless(server, b"", b"a: b\r\n" * 200_000)

    yield "nothing", quiet
    yield f"{_HALF_OPEN} half-open connections", half_open
    yield "100 MB header", endless_header
    yield "200,000 header fields and more", many_headers
    yield from bodies(server)


async def _healthz(port: int, stop: asyncio.Event) -> AsyncIterator[float]:
    """Seconds that each of many probes took, on connections of their own."""
    while not stop.is_set():
        began = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        assert answer.startswith(b"HTTP/1.1 200"), answer[:100]
        yield time.perf_counter() - began
        await asyncio.sleep(0.005)


def probe(port: int) -> None:
    """In a process of its own, so that the attacker's work isn't measured: probes until standard input ends."""

    async def run() -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().add_reader(sys.stdin, stop.set)
        print(json.dumps([seconds async for seconds in _healthz(port, stop)]))

    asyncio.run(run())


async def run(attack: Attack, server: Server) -> object:
    """What an attack tells of its answers."""
    return await attack(server)


def main() -> None:
    """Run all attacks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--probe", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.probe:
        probe(arguments.probe)
        return
    with served(arguments.port) as server:
        print(f"{'attack':32} {'median ms':>10} {'worst ms':>10} {'grew MB':>8}  answers")
        for name, attack in attacks(server):
            server.forget_peak()
            before = server.memory()
            command = [sys.executable, "-m", "bench.hostile_clients", "--probe", str(server.port)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as prober:
                time.sleep(1)
                said = asyncio.run(run(attack, server))
                taken = json.loads(prober.communicate()[0])
            grew = server.memory("VmHWM") - before
            median, worst = 1000 * statistics.median(taken), 1000 * max(taken)
            print(f"{name:32} {median:10.1f} {worst:10.1f} {grew:8.0f}  {said or ''}", flush=True)


if __name__ == "__main__":
    main()
