"""Posting over HTTP beside what Python has for double entry, entries a second, on the same PostgreSQL in turn.

The peers run through their own Python API, one process and no HTTP, which favours them, each entry committed by
itself; ours with a credential, an idempotency key and everything else on, sent by many clients. Limits: 5 times the
fastest peer, alone; 70 times in batches of 100. The peers live in an environment of their own
(peers/requirements.lock), in a folder that git ignores; nothing of theirs is ever imported here.
"""

import asyncio
import hashlib
import statistics
import subprocess
import sys
from pathlib import Path

import uvloop
from bench.posting import Case, over_http, prepare
from bench.support import books, companies, scratch_database, server, verdict

from ledgerbee.app.main import create_app

PEERS = ("django-hordak", "django-ledger", "python-accounting")
ROUNDS = 3
SECONDS = 3
OURS = {
    "alone": (Case("alone", 1, 64, 1, (), 0), 5),
    "batches of 100": (Case("batches of 100", 100, 8, 8, (), 0), 70),
}
FOLDER = Path(__file__).with_name("peers")
LOCK = FOLDER / "requirements.lock"


def environment() -> Path:
    """The Python of the peers' environment, made when it is missing or another lock's."""
    target = Path(__file__).parents[1] / ".cache" / "peers"
    stamp = target / "lock.sha256"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    python = target / "bin" / "python"
    if not stamp.exists() or stamp.read_text() != digest:
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, target], check=True)
        synced = subprocess.run([uv, "pip", "sync", "-q", "--python", python, "--require-hashes", LOCK], check=False)
        if synced.returncode:  # its index is out of reach: pip takes the same file
            pip = (
                sys.executable,
                "-m",
                "pip",
                "--python",
                python,
                "install",
                "-q",
                "--no-deps",
                "--require-hashes",
                "-r",
                LOCK,
            )
            subprocess.run(pip, check=True)
        stamp.write_text(digest)
    return python


def peer(python: Path, name: str, url: str) -> float:
    """Entries a second of a peer, in a database of its own on the same server."""
    with scratch_database(url) as scratch:
        result = subprocess.run(
            [python, FOLDER / "run.py", name, scratch, str(SECONDS)], capture_output=True, text=True, check=False
        )
    assert result.returncode == 0, result.stderr
    return float(result.stdout)


def main() -> None:
    """Rounds in turn, medians."""
    python = environment()
    with books() as found:
        everyone = [found, *asyncio.run(companies(found.url, 15))]
        targets = asyncio.run(prepare(everyone))
        theirs: dict[str, list[float]] = {name: [] for name in PEERS}
        ours: dict[str, list[float]] = {name: [] for name in OURS}
        with server(create_app, found.url, processes=2) as port:
            for _ in range(ROUNDS):
                for name in PEERS:
                    theirs[name].append(peer(python, name, found.url))
                for name, (case, _) in OURS.items():
                    ours[name].append(uvloop.run(over_http(port, targets, case, SECONDS))[0])
    rates = {name: statistics.median(figures) for name, figures in theirs.items()}
    for name, rate in rates.items():
        print(f"{name:18} {rate:8,.1f}/s")
    for name, (_, limit) in OURS.items():
        rate = statistics.median(ours[name])
        times = rate / max(rates.values())
        kept = verdict(times, limit, at_least=True)
        print(f"ours, {name:14} {rate:6,.0f}/s  {times:.1f} times the fastest ({kept})")


if __name__ == "__main__":
    main()
