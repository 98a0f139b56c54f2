"""How long the event loop of an API process is held: what keeps one request waiting keeps all waiting.

No piece of work on it may take more than a tenth of a second; what would is done in steps, or by another process.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from prometheus_client import Histogram

#: Seconds between two looks.
INTERVAL_S: Final = 0.02

LAG: Final = Histogram(
    "ledgerbee_event_loop_late_seconds",
    f"How late the event loop of an API process came to a timer, every {INTERVAL_S:g} seconds",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5),
)


@asynccontextmanager
async def monitored_event_loop() -> AsyncIterator[None]:
    """Measure the lag of the running event loop until the block ends."""
    task = asyncio.create_task(_measure())
    try:
        yield
    finally:
        task.cancel()


async def _measure() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        LAG.observe(max(0.0, loop.time() - due))
