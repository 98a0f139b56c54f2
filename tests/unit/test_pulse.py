"""The event loop's delays are counted as long as they are."""

import asyncio
import time

from prometheus_client import REGISTRY

from ledgerbee.app.pulse import monitored_event_loop


def late(seconds: str) -> float:
    """How often the loop was at most so late, so far."""
    return REGISTRY.get_sample_value("ledgerbee_event_loop_late_seconds_bucket", {"le": seconds}) or 0.0


async def test_what_holds_the_loop_is_counted() -> None:
    before, all_before = late("0.1"), late("+Inf")
    async with monitored_event_loop():
        await asyncio.sleep(0.1)
        time.sleep(0.2)  # noqa: ASYNC251  what nothing of ours may do
        await asyncio.sleep(0.1)
    assert (late("+Inf") - all_before) - (late("0.1") - before) >= 1
