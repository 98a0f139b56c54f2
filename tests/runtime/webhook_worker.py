"""A worker for tests that sends webhooks and kills itself in the middle.

    python -m tests.runtime.webhook_worker STEP BEGUN

It runs the dispatcher and nothing else, on the database of `DATABASE_URL`, and dies (SIGKILL) when the steps of all
that it has in hand, counted together, have come to STEP (0: never). Steps are before and after each time that it claims
companies, each transaction, what is written within one, each connection to a receiver and each request over it: after
the request the receiver has answered, and nothing of that is recorded.

Its clock has been running `SPEED` times as fast as any other since BEGUN (seconds since 1970), in each of the workers
that follow one another: the waits of the plan are over in moments.
"""

import asyncio
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Final

import uvloop

from ledgerbee.app.config import Settings
from ledgerbee.app.process import database_login
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.secret_keys import secret_box
from ledgerbee.platform import logs
from ledgerbee.platform.db import WORKER_ROLE, Database
from ledgerbee.webhooks import targets
from ledgerbee.webhooks.sending import sender as sender_module
from ledgerbee.webhooks.sending import store
from ledgerbee.webhooks.sending.connections import Connection
from ledgerbee.webhooks.sending.dispatcher import Dispatcher
from ledgerbee.webhooks.sending.sender import Sender

#: The first wait of the plan, half a minute, takes a tenth of a second.
SPEED: Final = 300
#: How often the worker looks for what is due, in the seconds of everybody else.
POLL: Final = timedelta(seconds=0.1)
#: Where it can be broken off.
STEPS: Final[tuple[tuple[Any, str], ...]] = (
    (Dispatcher, "_claim"), (Database, "run"), (store, "lock_endpoints"), (store, "record"), (store, "list_events"),
    (store, "insert"), (store, "list_due"), (store, "update_endpoints"), (store, "next_attempt_after"),
    (Sender, "post"), (sender_module, "connect"), (Connection, "ask"),
)  # fmt: skip

steps = count(1)


def counted(original: Callable[..., Awaitable[Any]], last: int) -> Callable[..., Awaitable[Any]]:
    """The same, with a step before and after; the last one is where it ends."""

    def step() -> None:
        if next(steps) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    async def run(*arguments: Any, **options: Any) -> Any:
        step()
        result = await original(*arguments, **options)
        step()
        return result

    return run


def clock_since(begun: float) -> Callable[[], datetime]:
    """A clock that was right at `begun`."""

    def clock() -> datetime:
        return datetime.fromtimestamp(begun + (time.time() - begun) * SPEED, UTC)

    return clock


async def work(begun: float) -> None:
    """Send webhooks until SIGTERM."""
    settings = Settings()
    targets.allow_loopback(bool(settings.webhooks_allow_loopback))
    url, switches = database_login(settings, settings.database_worker_url)
    database = await Database.open(url, reactions=REACTIONS, role=WORKER_ROLE if switches else None)
    sender = Sender()
    dispatcher = Dispatcher(database, sender, clock_since(begun), secret_box(settings), POLL)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, dispatcher.stop)
    await dispatcher.run()
    await sender.close()
    await database.close()


if __name__ == "__main__":
    logs.configure("INFO")
    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name), int(sys.argv[1])))
    uvloop.run(work(float(sys.argv[2])))
