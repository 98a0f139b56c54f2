"""`ledgerbee verify` over books of 100,000 imported entries: seconds, and the most memory that its process took."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop
from bench.posting import prepare
from bench.support import books, entry, verdict

from ledgerbee.app.cli.importing import begin_file, carry_out
from ledgerbee.app.database_access import Access

ENTRIES = 100_000
SECONDS = 60
#: The process by itself takes about 80 MB; it holds some hundred entries at a time, however many there are.
MEGABYTES = 250


def verify(url: str) -> tuple[float, float]:
    """Seconds and megabytes that the command took; it has to pass."""
    started = time.perf_counter()
    command = [str(Path(sys.executable).with_name("ledgerbee")), "verify", "--json"]
    with subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        found = json.loads(process.stdout.read())
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    assert found["passed"], found
    assert found["companies"][0]["entries"] == ENTRIES, found
    return time.perf_counter() - started, usage.ru_maxrss / 1024


def main() -> None:
    """Import, then verify."""
    with books() as found, TemporaryDirectory() as folder:
        (target,) = asyncio.run(prepare([found]))
        file = Path(folder) / "entries.jsonl"
        with file.open("w") as written:
            for number in range(ENTRIES):
                written.write(json.dumps(entry(target.debit, target.credit, number)) + "\n")
        access = Access(found.url, None, None)
        done, *_ = uvloop.run(carry_out(access, found.company_id, begin_file(file, "jsonl")))
        assert done.entries_posted == ENTRIES, done
        seconds, megabytes = verify(found.url)
    print(
        f"verify of {ENTRIES:,} entries: {seconds:.1f} s ({verdict(seconds, SECONDS)}), "
        f"{megabytes:.0f} MB ({verdict(megabytes, MEGABYTES)})"
    )


if __name__ == "__main__":
    main()
