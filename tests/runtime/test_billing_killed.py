"""The worker is killed between any two steps of a billing run, again and again: nobody is billed twice or left out.

`make chaos` may run it with more: `BILLING_SUBSCRIPTIONS`, `BILLING_DEATHS`, `BILLING_SEED`.
"""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx
from tests.billing import Biller
from tests.conftest import SteeredClock, new_company
from tests.runtime.processes import PATIENCE, Program

from ledgerbee.billing.runs.model import BILLING_RUN_JOB
from ledgerbee.billing.subscriptions.model import BILL_SUBSCRIPTIONS_JOB
from ledgerbee.core.dates import system_clock
from ledgerbee.platform.db import Database

SUBSCRIPTIONS = int(os.environ.get("BILLING_SUBSCRIPTIONS", "300"))
DEATHS = int(os.environ.get("BILLING_DEATHS", "3"))
SEED = int(os.environ.get("BILLING_SEED", "1"))
#: Subscriptions of each customer, who is billed for all of them or for none.
EACH = 3
#: A third of the steps of a run of 300 subscriptions: some are left for the last worker.
MOST_STEPS = SUBSCRIPTIONS // 6


async def test_each_is_billed_once(
    http: httpx.AsyncClient, database: Database, clock: SteeredClock, database_url: str, tmp_path: Path
) -> None:
    clock.now = system_clock()  # the workers' day
    biller, chance = Biller(await new_company(http, database, clock)), random.Random(SEED)  # noqa: S311  when to die
    start = clock.now.date() - timedelta(days=1)
    plan = await biller.plan(await biller.recurring("10", interval="day"))
    subscriptions = []
    for _ in range(0, SUBSCRIPTIONS, EACH):
        customer = await biller.customer()
        subscriptions += [await biller.subscribe(plan, start.isoformat(), customer) for _ in range(EACH)]
    owner = await asyncpg.connect(database_url)
    await owner.execute("DELETE FROM pgqueuer WHERE entrypoint = ANY($1)", [BILL_SUBSCRIPTIONS_JOB, BILLING_RUN_JOB])
    await owner.close()
    run_id = await biller.start_run(asOf=start.isoformat())

    def worker(number: int, last_step: int) -> Program:
        folder = tmp_path / str(number)
        folder.mkdir()
        command: list[str | Path] = [sys.executable, "-m", "tests.runtime.billing_worker", str(last_step)]
        return Program.start(command, folder, DATABASE_URL=database_url)

    async def is_open() -> bool:
        return (await biller.run(run_id))["status"] in {"queued", "running"}

    died = 0
    for number in range(DEATHS):
        dying = worker(number, chance.randint(3, MOST_STEPS))
        async with asyncio.timeout(PATIENCE * 2):
            while dying.process.poll() is None and await is_open():  # noqa: ASYNC110  a process
                await asyncio.sleep(0.1)
        died += dying.process.poll() == -signal.SIGKILL
        dying.process.kill()
        dying.end()
    last = worker(DEATHS, 0)
    async with asyncio.timeout(PATIENCE * 4):
        while await is_open():  # noqa: ASYNC110  another process is at it
            await asyncio.sleep(0.1)
    assert last.stop() == 0
    assert died
    clock.now = system_clock()

    run = await biller.run(run_id)
    assert (run["status"], run["refused"], run["skipped"]) == ("completed", 0, 0)
    assert run["processed"] == run["invoices"] == run["total"] == SUBSCRIPTIONS
    found = await biller.api.run(
        lambda context: context.connection.fetch(
            "SELECT c.subscription_id::text, i.number_sequence FROM subscription_charges c"
            " JOIN invoices i ON i.company_id = c.company_id AND i.id = c.invoice_id WHERE c.company_id = $1",
            context.company_id,
        )
    )
    assert Counter(row["subscription_id"] for row in found) == Counter(subscriptions)
    assert sorted(row["number_sequence"] for row in found) == list(range(1, SUBSCRIPTIONS + 1))
    assert await biller.count("invoices") == SUBSCRIPTIONS
    assert len(await biller.events("subscription.billed")) == SUBSCRIPTIONS
    await biller.check_books()
