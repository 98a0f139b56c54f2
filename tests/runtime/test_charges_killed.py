"""Workers are killed between any two steps of charging cards, again and again, while the provider behaves badly too:
nobody is charged twice, and what the provider took is booked once, and nothing else.

`python -m tests.runtime.test_charges_killed --kills 100` is the long version, with the seeds that it prints;
`CHARGE_KILLS` and `CHARGE_SEED` are the same for `pytest`.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from tests import patient
from tests.charging import Charger
from tests.company_copies import SECRET_KEY
from tests.conftest import Api
from tests.runtime.card_network import QUICKPAY_CARD, STRIPE_CARD
from tests.runtime.processes import PATIENCE, environment
from tests.selling import line

from ledgerbee.ledger.verify import verify
from ledgerbee.payments.charges.audit import fault_in_card_charges
from ledgerbee.payments.providers.model import ProviderName

KILLS: Final = int(os.environ.get("CHARGE_KILLS", "10"))
SEED: Final = int(os.environ.get("CHARGE_SEED", "1"))
#: Charges that are begun before each death. A charge takes some twelve steps.
EACH: Final = 4
MOST_STEPS: Final = 12 * EACH
#: Deaths after which everything is carried out and looked at.
SERIES: Final = 25
CLEARING: Final = 6331

_BOOKED: Final = """
SELECT c.reference, c.status, c.amount, p.amount AS paid, count(p.id) OVER (PARTITION BY c.id) AS parts, e.id AS entry
FROM charges c LEFT JOIN payments p ON p.company_id = $1 AND p.invoice_id = c.invoice_id
LEFT JOIN journal_entries e ON e.company_id = $1 AND e.id = p.journal_entry_id
WHERE c.company_id = $1
"""


@dataclass
class Workers:
    """The process that becomes one worker after the other."""

    process: asyncio.subprocess.Process
    errors: Path

    async def begin(self, last_step: int) -> int:
        """Start a worker; its process id."""
        assert self.process.stdin is not None
        self.process.stdin.write(f"{last_step}\n".encode())
        return await self._said()

    async def end(self) -> int:
        """Wait for its end: the signal that it died of, or 0."""
        return os.waitstatus_to_exitcode(await self._said())

    async def _said(self) -> int:
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            said = await self.process.stdout.readline()
        assert said, self.errors.read_text()[-3000:]
        return int(said)


@asynccontextmanager
async def program(folder: Path, module: str, *arguments: str, **variables: str) -> AsyncIterator[Workers]:
    """A module as a process that ends with its input."""
    errors = folder / f"{module}.errors"
    with errors.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            f"tests.runtime.{module}",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=environment(**variables),
        )
        try:
            yield Workers(process, errors)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                await asyncio.wait_for(process.wait(), PATIENCE)
            finally:
                if process.returncode is None:
                    process.kill()


@dataclass
class Round:
    """A company that charges cards, the provider, and the workers that die."""

    charger: Charger
    network: str
    workers: Workers
    chance: random.Random
    #: The card of each customer.
    cards: dict[str, str] = field(default_factory=dict)
    price: str = ""
    deaths: Counter[str] = field(default_factory=Counter)

    async def set_up(self) -> None:
        """A customer with a card at each provider."""
        keys = {
            ProviderName.STRIPE: {"secretKey": "sk_test_hush", "webhookSecret": "whsec_hush"},
            ProviderName.QUICKPAY: {"apiKey": "hush", "privateKey": "hush"},
        }
        for provider, card in ((ProviderName.STRIPE, STRIPE_CARD), (ProviderName.QUICKPAY, QUICKPAY_CARD)):
            body = {"isEnabled": True, "keys": keys[provider]}
            await self.charger.ok("PUT", f"/v1/payment-providers/{provider}", body, status=200)
            customer = await self.charger.customer()
            self.cards[customer] = await self.charger.card(customer, provider=provider, agreement_id=card)
        self.price = await self.charger.price("80")

    async def begin(self) -> None:
        """Charges of new invoices: one by one, or as a billing run begins them."""
        ids = []
        for _ in range(EACH):
            draft = await self.charger.draft(self.chance.choice(list(self.cards)), line(self.price))
            ids.append((await self.charger.send(draft))["id"])
        if self.chance.random() < 0.5:
            await self.charger.begin_together(ids, self.cards)
        else:
            for invoice_id in ids:
                await self.charger.charge({"id": invoice_id})

    async def die(self) -> None:
        """A worker that dies: at a step of its own, or by somebody's hand at any moment."""
        by_step = self.chance.random() < 0.5
        worker = await self.workers.begin(self.chance.randint(1, MOST_STEPS) if by_step else 0)
        ended = asyncio.create_task(self.workers.end())
        moment = self.chance.uniform(0.1, 1.5) if not by_step else 3.0
        if not (await asyncio.wait([ended], timeout=moment))[0]:
            by_step = False
            os.kill(worker, signal.SIGKILL)
        assert await ended == -signal.SIGKILL, self.workers.errors.read_text()[-3000:]
        self.deaths["at a step" if by_step else "at a moment"] += 1

    async def carry_out(self) -> None:
        """What is left is done by a worker that lives."""
        worker = await self.workers.begin(0)
        async with asyncio.timeout(PATIENCE * 2):
            while await self.under_way():  # noqa: ASYNC110  another process is at it
                await asyncio.sleep(0.1)
        os.kill(worker, signal.SIGTERM)
        assert await self.workers.end() == 0, self.workers.errors.read_text()[-3000:]

    async def under_way(self) -> int:
        found: int = await self.charger.value(
            "SELECT count(*) FROM charges WHERE company_id = $1 AND finished_at IS NULL", self.charger.api.company_id
        )
        return found

    async def check(self) -> str:
        """What the provider took is booked, once, and nothing else; in a few words."""
        async with patient.async_client(base_url=self.network, trust_env=False) as client:
            taken: list[tuple[str, int]] = (await client.get("/taken")).json()
        times = Counter(reference for reference, _ in taken)
        assert [one for one, number in times.items() if number > 1] == []
        rows = await self.charger.api.run(lambda context: context.connection.fetch(_BOOKED, context.company_id))
        assert all(row["parts"] == 1 and row["entry"] and row["paid"] == row["amount"] for row in rows)
        assert {row["status"] for row in rows} == {"succeeded"}
        assert {row["reference"] for row in rows} == times.keys()
        assert len(rows) == len(taken)
        total = sum((Decimal(amount) for _, amount in taken), Decimal(0)) / 100
        assert await self.charger.balance(CLEARING) == total == sum(row["amount"] for row in rows)
        assert (await self.charger.api.run(verify, one_snapshot=True)).fault is None
        assert await self.charger.api.run(fault_in_card_charges) is None
        deaths = ", ".join(f"{number} {how}" for how, number in sorted(self.deaths.items()))
        return f"{len(rows)} charges, each taken and booked once; deaths: {deaths}"


async def test_nobody_is_charged_twice_whoever_dies(api: Api, database_url: str, tmp_path: Path) -> None:
    print(f"seed {SEED}, {KILLS} kills")
    chance = random.Random(SEED)  # noqa: S311  who dies when
    variables = {"DATABASE_URL": database_url, "LEDGERBEE_SECRET_KEYS": SECRET_KEY}
    async with program(tmp_path, "card_network", str(SEED)) as network:
        assert network.process.stdout is not None
        url = (await network.process.stdout.readline()).decode().strip()
        async with program(tmp_path, "charge_worker", url, str(time.time()), **variables) as workers:
            work = Round(Charger(api), url, workers, chance)
            await work.set_up()
            for death in range(1, KILLS + 1):
                await work.begin()
                await work.die()
                if death % SERIES == 0 or death == KILLS:
                    await work.carry_out()
                    print(f"after {death} deaths: {await work.check()}", flush=True)


def main(arguments: list[str]) -> None:
    """Become a run of the test with these numbers."""
    options = argparse.ArgumentParser()
    options.add_argument("--kills", default="100")
    options.add_argument("--seed", default=str(random.randrange(10**6)))  # noqa: S311  printed, so that it can be run again
    asked = options.parse_args(arguments)
    os.environ.update(CHARGE_KILLS=asked.kills, CHARGE_SEED=asked.seed)
    os.execv(sys.executable, [sys.executable, "-m", "pytest", "-q", "-s", "-n", "0", __file__])  # noqa: S606  no shell


if __name__ == "__main__":
    main(sys.argv[1:])
