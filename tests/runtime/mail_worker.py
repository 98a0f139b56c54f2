"""A worker for tests that kills itself in the middle: `python -m tests.runtime.mail_worker STEP [JOB]`.

It delivers documents (or does the JOB instead), on the database of `DATABASE_URL`, to the mail server of `SMTP_URL`
and, as e-invoices, into the folder of `LEDGERBEE_EINVOICE_DIR`, and dies (SIGKILL) when the steps of all deliveries
that it has in hand, counted together, have come to STEP (0: never). Steps are before and after each transaction, each
file that is stored, each command to the mail server, and all that makes an e-invoice's file: that it is there, has its
bytes and has its name.
Its patience is a test's: who finds a worker dead doesn't wait for minutes.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import count
from typing import Any

import aiosmtplib
from tests.runtime.worker import limits_of

from ledgerbee.app.config import Settings
from ledgerbee.app.e_invoices import transport_of
from ledgerbee.app.jobs import jobs_with
from ledgerbee.app.worker import Limits
from ledgerbee.app.worker_process import run_worker
from ledgerbee.network.transport import folder
from ledgerbee.platform import logs
from ledgerbee.platform.blobs.store import Folder
from ledgerbee.platform.jobs import JobRun
from ledgerbee.sales.delivery import rules
from ledgerbee.sales.delivery.model import DELIVER_E_INVOICE_JOB, DELIVER_JOB

#: Seconds and numbers, as `tests.runtime.worker` takes them. What is interrupted ever so often is tried again.
PATIENCE = (
    '{"heartbeat_timeout": 2, "poll": 0.1, "max_interruptions": 1000000, "max_attempts": 1000000,'
    ' "max_unforeseen": 1000000, "first_pause": 0.1, "longest_pause": 0.3}'
)
#: Where a delivery can be broken off: what is awaited, and what a thread does.
STEPS: tuple[tuple[type[Any], str], ...] = (
    (JobRun, "write"), (Folder, "put"), (aiosmtplib.SMTP, "connect"), (aiosmtplib.SMTP, "mail"),
    (aiosmtplib.SMTP, "rcpt"), (aiosmtplib.SMTP, "data"),
)  # fmt: skip
STEPS_OF_FILES: tuple[tuple[Any, str], ...] = (
    (folder, "create_private"), (os, "fsync"), (os, "link"), (folder, "sync_folder"),
)  # fmt: skip

steps = count(1)


def step(last: int, victim: int = 0) -> None:
    """One step; the last one is where this process ends, or the `victim`."""
    if next(steps) == last:
        os.kill(victim or os.getpid(), signal.SIGKILL)


def counted(original: Callable[..., Awaitable[Any]], last: int, victim: int = 0) -> Callable[..., Awaitable[Any]]:
    """The same, with a step before and after."""

    async def run(*arguments: Any, **options: Any) -> Any:
        step(last, victim)
        result = await original(*arguments, **options)
        step(last, victim)
        return result

    return run


def counted_in_thread(original: Callable[..., Any], last: int) -> Callable[..., Any]:
    """As `counted`, of what isn't awaited."""

    def run(*arguments: Any, **options: Any) -> Any:
        step(last)
        result = original(*arguments, **options)
        step(last)
        return result

    return run


if __name__ == "__main__":
    logs.configure("INFO")
    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name), int(sys.argv[1])))
    for owner, name in STEPS_OF_FILES:
        setattr(owner, name, counted_in_thread(getattr(owner, name), int(sys.argv[1])))
    vars(rules)["CLAIM_LASTS"] = timedelta(seconds=0.5)
    settings = Settings()
    known, jobs = jobs_with(transport_of(settings)), {}
    for name in sys.argv[2:] or (DELIVER_JOB, DELIVER_E_INVOICE_JOB):
        limits, jobs[name] = limits_of(PATIENCE, known[name])
    assert isinstance(limits, Limits)
    run_worker(settings, jobs=jobs, limits=limits)
