"""What the application costs before it does anything: import time, and memory after ten thousand requests.

Limits: `import ledgerbee.app.main` under 1.5 s in a fresh interpreter; an API process under 200 MB resident.
"""

import asyncio
import statistics
import subprocess
import sys
import time

from bench.support import books, get, load, meter, server

from ledgerbee.app.main import create_app

IMPORT_LIMIT_S = 1.5
MEMORY_LIMIT_MB = 200
REQUESTS = 10_000


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


def main() -> None:
    """Print both figures beside their limits."""
    import_seconds()
    seconds = [import_seconds() for _ in range(5)]
    middle, best = statistics.median(seconds), min(seconds)
    print(f"import ledgerbee.app.main  {middle:.2f} s (limit {IMPORT_LIMIT_S}; best {best:.2f})")
    with books() as found, server(create_app, found.url) as port:
        memory = asyncio.run(megabytes_after_requests(port, found.key))
    print(f"resident after {REQUESTS:,} requests  {memory:.0f} MB (limit {MEMORY_LIMIT_MB})")


if __name__ == "__main__":
    main()
