"""What hostile clients do to their neighbours: the event loop and the memory of a real `ledgerbee serve` meanwhile.

    python -m bench.hostile_clients [--port N]

Each attack runs for some seconds against one API process with its default settings, while `/healthz` is asked every
few milliseconds. The table has the median and the worst of its answers; how long the event loop was held at most, as
the process itself counts it (`ledgerbee_event_loop_late_seconds`, so up to the bound of a bucket), and how often for
more than 100 ms, which is the line; and how much the process grew at its peak.

Other work on the machine can hold the event loop as well: run it on a calm one. An attack that crosses the line is run
again, and what it does in the best of its rounds counts.
"""

import argparse
import asyncio
import base64
import json
import re
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
#: Lines of an invoice (`sales.documents.model`).
_MOST_LINES = 5_000
#: Letters with marks: they are tried before they are sent.
_MARKED = "\u05e9\u05c1\u05b8"
#: Seconds that the event loop may be held for, and rounds of an attack that seems to hold it longer.
_LINE_S = 0.1
_ROUNDS = 3
Attack = Callable[["Server"], Awaitable[object]]


@dataclass(frozen=True)
class Server:
    """A running `serve`."""

    port: int
    key: str
    pid: int

    def ask(self, path: str, body: Any = None) -> Any:
        """The JSON of an answer, to a POST where there is a body."""
        with self._answer(path, None if body is None else json.dumps(body).encode()) as answer:
            return json.load(answer)

    def late(self) -> dict[float, float]:
        """How often the event loop was at most so many seconds late, so far."""
        with self._answer("/metrics") as answer:
            found = re.findall(
                r'^ledgerbee_event_loop_late_seconds_bucket{le="(.+)"} (.+)$', answer.read().decode(), re.MULTILINE
            )
        return {float(seconds): float(times) for seconds, times in found}

    def _answer(self, path: str, body: bytes | None = None) -> Any:
        headers = {"x-api-key": self.key, "content-type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", body, headers)
        return urllib.request.urlopen(request)  # noqa: S310  our own server

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


async def send(server: Server, method: str, path: str, body: bytes, content_type: str = "application/json") -> int:
    """The status of an answer; 0 where the connection broke."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=2**26)
    head = f"{method} {path} HTTP/1.1\r\nhost: a\r\nx-api-key: {server.key}\r\ncontent-type: {content_type}\r\n"
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


def sends(path: str, body: bytes = b"", times: int = 1, method: str = "POST", kind: str = "application/json") -> Attack:
    """The attack of so many requests at once."""

    async def run(server: Server) -> str:
        return str(await asyncio.gather(*(send(server, method, path, body, kind) for _ in range(times))))

    return run


def bodies(server: Server) -> Iterator[tuple[str, Attack]]:
    """Bodies that cost as much as they may, or would."""

    customers, entries, batch = "/api/v1/customers", "/api/v2/journal-entries", "/api/v2/journal-entries/batch"
    accounts = {account["accountNumber"]: account["id"] for account in server.ask("/api/v1/accounts")}
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
    drafts = json.dumps({"entries": [{**entry, "lines": lines * 110}] * 100}).encode()
    yield "a page of 22,000 lines", sends("/api/v1/journal-entries?limit=100", method="GET")
    yield "batch of drafts, 22,000 lines", sends("/api/v2/draft-journal-batches", drafts)
    rows = b"\n".join([json.dumps({**entry, "lines": lines}).encode()] * 40_000)
    yield "import of 10 MB", sends("/api/v2/journal-entries/import", rows, kind="application/x-ndjson")
    in_one = json.dumps({**entry, "lines": lines * 5_000}).encode()
    yield "import of one line of 1 MB", sends("/api/v2/journal-entries/import", in_one, kind="application/x-ndjson")
    yield from invoices(server)


def invoices(server: Server) -> Iterator[tuple[str, Attack]]:
    """The largest invoice there may be, from its draft to its PDF."""
    group = server.ask("/api/v1/product-groups")["data"][0]["id"]
    product = server.ask("/api/v1/products", {"number": "P1", "name": "Hours", "productGroupId": group})["id"]
    price = server.ask(
        "/api/v1/product-prices",
        {"productId": product, "billingPeriodType": "ONE_TIME", "pricingModel": "FLAT_RATE", "unitAmount": "1"},
    )["id"]
    customer = server.ask(
        "/api/v1/customers",
        {
            "customerNumber": "C1",
            "customerType": "company",
            "name": "Havblik A/S",
            "countryCode": "DK",
            "vatZone": "domestic",
            "customerGroupId": server.ask("/api/v1/customer-groups")[0]["id"],
        },
    )["id"]
    texts = [f"{number} " + "Kaffe og service " * 7 for number in range(_MOST_LINES)]
    lines = [{"priceId": price, "description": text[:90]} for text in texts]
    whole = {"customerId": customer, "date": datetime.now(UTC).date().isoformat(), "lines": lines}
    company = {"address": "Strandvejen 7", "postalCode": "2900", "city": "Hellerup", "vatNumber": "13585628"}
    yield "(the company)", sends("/api/v1/company", json.dumps(company).encode(), method="PATCH")
    yield "draft of 5,000 lines", sends("/api/v1/invoices", json.dumps(whole).encode())
    path = f"/api/v1/invoices/{server.ask('/api/v1/invoices', whole)['id']}"
    plain = [server.ask("/api/v1/invoices", whole)["id"] for _ in range(_ROUNDS)]
    marked = [server.ask("/api/v1/invoices", {**whole, "notes": _MARKED})["id"] for _ in range(_ROUNDS)]
    sent = f"/api/v1/invoices/{plain[-1]}/pdf"

    def sends_next(drafts: list[str]) -> Attack:
        async def run(server: Server) -> str:
            return str(await send(server, "POST", f"/api/v1/invoices/{drafts.pop()}/send", b"{}"))

        return run

    yield "it is changed", sends(path, json.dumps({"lines": lines}).encode(), method="PATCH")
    yield "it is read", sends(path, method="GET")
    yield "its PDF, twice at once", sends(f"{path}/pdf", times=2, method="GET")
    yield "it is sent", sends_next(plain)
    yield "one with a trial is sent", sends_next(marked)
    yield "the PDF of the sent one", sends(sent, method="GET")


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
        print(f"{'attack':34} {'median ms':>9} {'worst ms':>8} {'held ms':>8} {'times':>5} {'grew MB':>8}  answers")
        crossed = []
        for name, attack in attacks(server):
            rounds = [measure(attack, server)]
            while rounds[-1].times and len(rounds) < _ROUNDS:
                again = measure(attack, server)
                if again.said != rounds[0].said:  # it was something else the second time
                    break
                rounds.append(again)
            best = min(rounds, key=lambda one: one.held)
            print(
                f"{name:34} {best.median:9.1f} {best.worst:8.1f} {_bound(best.held):>8} {best.times:5}"
                f" {max(one.grew for one in rounds):8.0f}  {rounds[0].said or ''}",
                flush=True,
            )
            if best.times:
                crossed.append(name)
    print(f"event loop held over {1000 * _LINE_S:.0f} ms by: {', '.join(crossed) or 'nothing'}")


@dataclass(frozen=True)
class Measured:
    """One round: milliseconds of `/healthz`; the bound (s) of the loop's lateness, how often over the line; MB."""

    median: float
    worst: float
    held: float
    times: int
    grew: float
    said: object


def measure(attack: Attack, server: Server) -> Measured:
    """Run an attack once."""
    server.forget_peak()
    before, late = server.memory(), server.late()
    command = [sys.executable, "-m", "bench.hostile_clients", "--probe", str(server.port)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as prober:
        time.sleep(1)
        said = asyncio.run(run(attack, server))
        taken = json.loads(prober.communicate()[0])
    since = {bound: times - late[bound] for bound, times in server.late().items()}
    total = since[float("inf")]
    return Measured(
        median=1000 * statistics.median(taken),
        worst=1000 * max(taken),
        held=min(bound for bound, times in since.items() if times == total),
        times=int(total - since[_LINE_S]),
        grew=server.memory("VmHWM") - before,
        said=said,
    )


def _bound(seconds: float) -> str:
    return "more" if seconds == float("inf") else f"< {1000 * seconds:.0f}"


if __name__ == "__main__":
    main()
