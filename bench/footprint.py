"""What the application costs before it does anything: import time, and memory, also that of a long import of entries.

Limits: `import ledgerbee.app.main` under 1.5 s in a fresh interpreter; an API process under 200 MB resident after ten
thousand requests; the process that imports a file no larger at the end of a long one than of a short one.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import asyncpg
from bench.support import Books, books, entry, get, load, meter, server, verdict

from ledgerbee.app.cli.importing import begin_file, carry_out
from ledgerbee.app.database_access import Access
from ledgerbee.app.main import create_app

IMPORT_LIMIT_S = 1.5
MEMORY_LIMIT_MB = 200
REQUESTS = 10_000
IMPORTED = (10_000, 200_000)


def import_seconds() -> float:
    """One import in a fresh interpreter, less the interpreter's own start."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import ledgerbee.app.main"], check=True)
    imported = time.perf_counter()
    subprocess.run([sys.executable, "-c", "pass"], check=True)
    return (imported - started) - (time.perf_counter() - imported)


async def megabytes_after_requests(port: int, key: str) -> float:
    """Resident memory of the API process after a mix of reads and refusals."""
    await load(port, get("/api/v1/product-groups?limit=100", key), REQUESTS // 2)
    await load(port, get("/api/v1/accounts", key), REQUESTS // 2)
    return (await meter(port))["rss"] / 1e6


async def accounts(found: Books) -> tuple[str, str]:
    """Two accounts to post on."""
    connection = await asyncpg.connect(found.url)
    await connection.execute("SELECT set_config('app.company_id', $1, false)", str(found.company_id))
    rows = await connection.fetch(
        "SELECT id FROM accounts WHERE company_id = $1 AND role IN ('BANK', 'RETAINED_EARNINGS')", found.company_id
    )
    await connection.close()
    debit, credit = (str(row["id"]) for row in rows)
    return debit, credit


def imported_megabytes(found: Books, file: Path, entries: int) -> float:
    """Peak memory of a process that imports a file of so many entries."""
    debit, credit = asyncio.run(accounts(found))
    with file.open("w") as written:
        written.writelines(json.dumps(entry(debit, credit, number)) + "\n" for number in range(entries))
    with get_context("spawn").Pool(1) as pool:
        peak, posted = pool.apply(run_import, (found.url, found.company_id, file))
    assert posted == entries
    return peak


def run_import(url: str, company_id: UUID, file: Path) -> tuple[float, int]:
    """Import a file in this process; its peak memory in megabytes, and the entries posted."""
    access = Access(url, None, None)
    done, *_ = asyncio.run(carry_out(access, company_id, begin_file(file, "jsonl")))
    status = Path("/proc/self/status").read_text()  # getrusage() would tell of the process that started this one too
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000, done.entries_posted


def main() -> None:
    """Print both figures beside their limits."""
    import_seconds()
    seconds = [import_seconds() for _ in range(5)]
    middle, best = statistics.median(seconds), min(seconds)
    print(f"import ledgerbee.app.main  {middle:.2f} s ({verdict(middle, IMPORT_LIMIT_S)}; best {best:.2f})")
    with books() as found, server(create_app, found.url) as port:
        memory = asyncio.run(megabytes_after_requests(port, found.key))
    print(f"resident after {REQUESTS:,} requests  {memory:.0f} MB ({verdict(memory, MEMORY_LIMIT_MB)})")
    with books() as found, TemporaryDirectory() as folder:
        short, long = (imported_megabytes(found, Path(folder) / f"{count}.jsonl", count) for count in IMPORTED)
    print(f"peak while importing {IMPORTED[0]:,} entries  {short:.0f} MB, {IMPORTED[1]:,}  {long:.0f} MB")


if __name__ == "__main__":
    main()
