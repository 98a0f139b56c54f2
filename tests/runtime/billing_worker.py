"""A worker for tests that kills in the middle of billing: `python -m tests.runtime.billing_worker STEP VICTIM`.

It carries out billing runs, in small chunks, on the database of `DATABASE_URL`. When its steps have come to STEP (0:
never) it dies (SIGKILL), or the process VICTIM does (0: itself): the database. Steps are before and after each
transaction, and within it before and after what decides, books and writes. Its patience is a test's.
"""

import sys
from typing import Any

from tests.runtime.mail_worker import PATIENCE, counted
from tests.runtime.worker import limits_of

from ledgerbee.app.config import Settings
from ledgerbee.app.jobs import JOBS
from ledgerbee.app.worker import Limits
from ledgerbee.app.worker_process import run_worker
from ledgerbee.billing.runs import process, store
from ledgerbee.billing.runs.model import BILLING_RUN_JOB
from ledgerbee.billing.subscriptions.invoicing import actions as invoicing
from ledgerbee.billing.subscriptions.store import chains
from ledgerbee.platform import logs
from ledgerbee.platform.jobs import JobRun

#: Where billing can be broken off.
STEPS: tuple[tuple[Any, str], ...] = (
    (JobRun, "write"), (process, "advance"), (invoicing, "invoice"), (chains, "save"), (store, "add_results"),
)  # fmt: skip
#: Subscriptions of a chunk.
CHUNK = 20

if __name__ == "__main__":
    logs.configure("INFO")
    last, victim = (int(number) for number in sys.argv[1:])
    for owner, name in STEPS:
        setattr(owner, name, counted(getattr(owner, name), last, victim))
    vars(process)["CHUNK"] = CHUNK
    limits, kind = limits_of(PATIENCE, JOBS[BILLING_RUN_JOB])
    assert isinstance(limits, Limits)
    run_worker(Settings(), jobs={BILLING_RUN_JOB: kind}, limits=limits)
