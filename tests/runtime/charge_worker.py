"""Workers for tests that charge cards and are killed: `python -m tests.runtime.charge_worker URL BEGUN`.

For each line of its input, a number STEP, it becomes a new worker process on the database of `DATABASE_URL`, which asks
the provider at URL and dies (SIGKILL) when its steps have come to STEP (0: never), or when somebody kills it; it prints
the process's id when it begins and how it ended. Steps are before and after each transaction, each question to a
provider and each request over HTTP.

Its clock stands at a company's day at BEGUN (seconds since 1970) and goes on from there. Its patience is a test's.
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
from tests.runtime.card_network import MOST_DELAY_S, MOST_LAG_S
from tests.runtime.mail_worker import PATIENCE as PATIENCE_OF_WORKERS
from tests.runtime.worker import limits_of

from ledgerbee.app.blobs import blob_store
from ledgerbee.app.config import Settings
from ledgerbee.app.process import database_login
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.app.secret_keys import secret_box
from ledgerbee.app.worker import POOL_SIZE, Worker
from ledgerbee.payments.charges.jobs import charges_of, charges_together_of
from ledgerbee.payments.charges.model import CHARGE_JOB, CHARGES_JOB, Patience
from ledgerbee.payments.providers.model import ProviderName, Providers
from ledgerbee.payments.providers.quickpay import QuickPay
from ledgerbee.payments.providers.stripe import Stripe
from ledgerbee.payments.providers.stripe_http import StripeHttp
from ledgerbee.platform import logs
from ledgerbee.platform.db import WORKER_ROLE, Database
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer

#: Seconds that the adapters wait: less than the provider may take.
TIMEOUT_S: Final = 0.4
#: What is waited for: somewhat more than the provider may take for all that it does.
PATIENCE: Final = Patience(
    asking=timedelta(seconds=2 * TIMEOUT_S),
    settling=timedelta(seconds=2 * MOST_DELAY_S + MOST_LAG_S + 0.3),
    deciding=timedelta(seconds=30),
)
STEPS: Final[tuple[tuple[Any, str], ...]] = (
    (JobRun, "write"), (JobRun, "read"), (Stripe, "charge"), (Stripe, "find_charge"), (QuickPay, "charge"),
    (QuickPay, "find_charge"), (StripeHttp, "request_async"), (QuickPay, "_ask"),
)  # fmt: skip


def counted(original: Callable[..., Awaitable[Any]], steps: "count[int]", last: int) -> Callable[..., Awaitable[Any]]:
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


async def work(url: str, begun: float) -> None:
    """Charge until SIGTERM."""
    settings = Settings()
    login, switches = database_login(settings, settings.database_worker_url)
    database = await Database.open(
        login, reactions=REACTIONS, max_size=POOL_SIZE, role=WORKER_ROLE if switches else None
    )
    database.public_url, database.secrets = "https://books.example", secret_box(settings)
    providers: Providers = {
        ProviderName.STRIPE: Stripe(url, TIMEOUT_S),
        ProviderName.QUICKPAY: QuickPay(url, TIMEOUT_S),
    }
    limits, kind = limits_of(PATIENCE_OF_WORKERS, charges_of(providers, PATIENCE))
    _, together = limits_of(PATIENCE_OF_WORKERS, charges_together_of(providers, PATIENCE))
    jobs = {CHARGE_JOB: kind, CHARGES_JOB: together}

    def clock() -> datetime:
        return datetime(2026, 3, 16, 12, tzinfo=UTC) + timedelta(seconds=time.time() - begun)

    mailer = Mailer(None, "books@example.dk")
    worker = Worker(database, mailer, blob_store(settings), clock, jobs=jobs, timetable={}, limits=limits)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    await worker.run()
    await database.close()


def live(url: str, begun: float, last: int) -> None:
    """The life of one worker."""
    steps = count(1)
    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name), steps, last))
    uvloop.run(work(url, begun))


if __name__ == "__main__":
    logs.configure("INFO")
    for line in sys.stdin:
        if not (child := os.fork()):
            live(sys.argv[1], float(sys.argv[2]), int(line))
            os._exit(0)
        print(child, flush=True)
        print(os.waitpid(child, 0)[1], flush=True)
