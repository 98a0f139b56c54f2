"""A round: clients at work on new companies while parts of the system are killed, and the audit afterwards.

    python -m tests.sim.simulation [--rounds 100] [--seed N]     (`make chaos`)

Everything a round does follows from its seed, but for the moment within a request in which a process dies.
"""

import argparse
import asyncio
import secrets
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from uuid import UUID

import asyncpg
import httpx
from tests.runtime.processes import PATIENCE, cli
from tests.sim.auditor import MismatchError, audit, same
from tests.sim.clients import Client, Licensor, Line, Seller, Sharer, today
from tests.sim.debtor import CURRENCIES, Debtor
from tests.sim.founding import found
from tests.sim.listener import Listener, listening
from tests.sim.model import Company
from tests.sim.system import VICTIMS, System, running_system
from tests.sim.workload import Workload
from tests.sim.years import Year, before, months_later

from ledgerbee import embedded as postgres
from ledgerbee.app.blobs import blob_store
from ledgerbee.app.config import Settings
from ledgerbee.app.verify import verify
from ledgerbee.core.dates import system_clock
from ledgerbee.platform.context import Actor
from ledgerbee.platform.db import Database, Tenant

#: Companies with a client of their own: their currency, country and first financial year.
ALONE = (
    ("DKK", "DK", ("2025-07-01", "2026-12-31")),
    ("JPY", "JP", ("2025-01-01", "2025-12-31")),
    ("KWD", "KW", ("2026-01-01", "2026-12-31")),
)
#: One with several clients, who together open the year after its first.
SHARED = ("DKK", "DK", ("2025-01-01", "2025-12-31"))
SHARERS = 3
#: Rounds that a system lives for in `make chaos`: its tables grow with every round.
ROUNDS_A_SYSTEM = 10


@dataclass
class Blows:
    """Who is killed, by how many requests were sent before."""

    system: System
    random: Random
    due: dict[int, str]
    sent: int = 0
    struck: list[str] = field(default_factory=list)

    def count(self) -> None:
        """A request is about to be sent."""
        self.sent += 1
        victim = self.due.pop(self.sent, None)
        if victim is not None:
            self.struck.append(victim)
            asyncio.get_running_loop().call_later(self.random.uniform(0, 0.02), self.system.kill, victim)


async def run_round(system: System, seed: int, operations: int, kills: int, victims: Sequence[str] = VICTIMS) -> str:
    """Run a round of `operations` for each client and tell what happened. Raises `MismatchError` with the seed."""
    random = Random(seed)
    started = time.monotonic()
    blows = Blows(system, Random(seed), {})
    limits = httpx.Limits(max_connections=20, max_keepalive_connections=20)
    calling = httpx.AsyncClient(base_url=system.served.url, timeout=PATIENCE, limits=limits)
    async with calling as http, listening() as listener:
        assert system.served.key is not None
        operator = Line(http, system.served.key)
        companies: dict[str, Company] = {}
        workers: list[Client | Sharer | Seller | Licensor] = []
        founded = await asyncio.gather(
            *(found(operator, f"Company of {seed}", *particulars) for particulars in (*ALONE, SHARED))
        )
        for number, (company_id, key, company) in enumerate(founded):
            companies[company_id] = company
            await listener.subscribe(company_id, Line(http, key))
            shared = number == len(ALONE)
            for client in range(SHARERS if shared else 1):
                own = Random(random.getrandbits(64))
                line = Line(http, key, blows.count)
                workload = Workload(own, company, f"{seed}-{number}-{client}")
                workers.append((Sharer if shared else Client)(line, company, workload, own))
        seller_id, key, _ = await found(operator, f"Seller of {seed}", "DKK", "DK", _year_around_today())
        await listener.subscribe(seller_id, Line(http, key))
        seller = Seller(Line(http, key, blows.count), Random(random.getrandbits(64)), f"{seed}-seller")
        workers.append(seller)
        licensor_id, key, _ = await found(operator, f"Licensor of {seed}", "DKK", "DK", _year_around_today())
        await listener.subscribe(licensor_id, Line(http, key))
        workers.append(Licensor(Line(http, key, blows.count), Random(random.getrandbits(64)), f"{seed}-licensor"))
        total = operations * len(workers)
        moments = random.sample(range(total // 10, total), kills)
        blows.due = {moment: random.choice(victims) for moment in moments}
        try:
            async with asyncio.TaskGroup() as tasks:
                for worker in workers:
                    tasks.create_task(worker.work(operations))
            await asyncio.to_thread(system.wait_until_well)
            await _audit(system, companies, {seller_id: seller.debtor}, [licensor_id], listener)
        except* MismatchError as found_out:
            said = f"seed {seed}, after killing {blows.struck}: {found_out.exceptions[0]}"
            raise MismatchError(said + system.faults()) from None
    retries = sum(worker.line.retries for worker in workers)
    entries = sum(len(company.entries) for company in companies.values())
    return (
        f"seed {seed}: {total} operations, {entries} entries, killed {', '.join(blows.struck) or 'nobody'},"
        f" {retries} sent again, {time.monotonic() - started:.1f} s"
    )


def _year_around_today() -> Year:
    """A financial year with today in it, and the days before it that things are sold on."""
    start = months_later(f"{today():%Y-%m}-01", -1)
    return start, before(months_later(start, 12))


async def _audit(
    system: System,
    companies: dict[str, Company],
    debtors: dict[str, Debtor],
    others: Sequence[str],
    listener: Listener,
) -> None:
    """Every company's tables against its model, by the product's own verification, and what was told of it.

    `others` are companies whose client has compared them with its model itself.
    """
    dsn = postgres.ensure_running(system.data_dir).dsn()
    database = await Database.open(dsn, reactions={}, max_size=1)
    connection = await asyncpg.connect(dsn)
    blobs = blob_store(Settings(), system.data_dir)
    try:
        for company_id, company in companies.items():
            await audit(connection, company_id, company)
        for company_id, debtor in debtors.items():
            await _audit_settled(connection, company_id, debtor)
        for company_id in (*companies, *debtors, *others):
            tenant = Tenant(UUID(company_id), Actor("operator", "simulation"), "simulation", "Europe/Copenhagen")
            result = await database.run(
                tenant, system_clock(), lambda context: verify(context, blobs=blobs), read_only=True, one_snapshot=True
            )
            if not result.passed:
                raise MismatchError(f"verify of company {company_id}: {result.fault}")
        await listener.wait(connection)
        for company_id, view in listener.views.items():
            await view.compare_entries(companies.get(company_id))
        for company_id, debtor in debtors.items():
            await listener.views[company_id].compare_sales(debtor)
    finally:
        await connection.close()
        await database.close()


async def _audit_settled(connection: "asyncpg.Connection[asyncpg.Record]", company_id: str, debtor: Debtor) -> None:
    """What the ledger says that the customer owes: nothing, as all was paid and paid back.

    In kroner a unit may be left of a payment in euro that was taken back after a credit note: its entry is reversed as
    it is.
    """
    await connection.execute(f"SET app.company_id = '{company_id}'")
    rows = await connection.fetch(
        "SELECT currency, sum(amount) AS amount, sum(base_amount) AS base FROM journal_lines"
        " WHERE company_id = $1 AND customer_id IS NOT NULL GROUP BY currency",
        company_id,
    )
    for row in rows:
        same(f"due in {row['currency']}", 0, row["amount"])
        unit = Decimal(0) if row["currency"] == CURRENCIES[0] else Decimal("0.02")
        if abs(row["base"]) > unit * debtor.taken_back:
            raise MismatchError(f"due in {row['currency']}: {row['base']} is left in the base currency")


def check_with_the_command(system: System) -> None:
    """`ledgerbee verify` over everything that the system holds."""
    done = cli("verify", "--data-dir", system.data_dir)
    if done.returncode != 0:
        raise MismatchError(done.stdout + done.stderr)


def main() -> None:
    """Run rounds with new seeds, or one with a given seed, and say of each how it went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, help="of the first round; the others count on from it")
    parser.add_argument("--operations", type=int, default=200, help="of each client in a round")
    parser.add_argument("--victims", nargs="*", choices=VICTIMS, default=VICTIMS)
    parser.add_argument("--kills", type=int, default=3, help="in a round")
    options = parser.parse_args()
    first = options.seed if options.seed is not None else secrets.randbelow(10**9)
    for start in range(0, options.rounds, ROUNDS_A_SYSTEM):
        with running_system() as system:
            for seed in range(first + start, first + min(start + ROUNDS_A_SYSTEM, options.rounds)):
                print(
                    asyncio.run(run_round(system, seed, options.operations, options.kills, options.victims)), flush=True
                )
            check_with_the_command(system)


if __name__ == "__main__":
    try:
        main()
    except MismatchError as mismatch:
        sys.exit(str(mismatch))
