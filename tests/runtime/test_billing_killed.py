"""Worker and database are killed between any two steps of billing runs, again and again, while usage comes in: nobody
is billed twice, or left out, or billed another amount than by plain sums of what was agreed and used.

`make chaos` runs it with 100 deaths in a year of runs: `BILLING_DEATHS`, `BILLING_MONTHS`, `BILLING_SUBSCRIPTIONS`,
`BILLING_SEED`.
"""

import asyncio
import os
import random
import signal
import sys
import time
from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
import pytest
import pytest_asyncio
from asgi_lifespan import LifespanManager
from tests.billing import Biller
from tests.conftest import PUBLIC_URL, Api, SteeredClock, new_company
from tests.platform.servers import end
from tests.runtime.processes import PATIENCE, Program

from ledgerbee import embedded as postgres
from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.dates import day_in, system_clock
from ledgerbee.core.ids import new_id
from ledgerbee.migrations.migrate import migrate
from ledgerbee.platform.db import Database

SUBSCRIPTIONS: Final = int(os.environ.get("BILLING_SUBSCRIPTIONS", "120"))
#: Of processes; the worker and the database die in turn.
DEATHS: Final = int(os.environ.get("BILLING_DEATHS", "2"))
#: One run for each; all subscriptions begin in the first.
MONTHS: Final = int(os.environ.get("BILLING_MONTHS", "3"))
SEED: Final = int(os.environ.get("BILLING_SEED", "1"))
#: Subscriptions of each customer.
EACH: Final = 3
#: Steps of a run of all subscriptions, about half of them: some are left for the last worker.
STEPS: Final = SUBSCRIPTIONS // 3
ZONE: Final = "Europe/Copenhagen"
#: What is used of each period at least: what is taken off it later leaves something.
USED_FIRST: Final = Decimal(60)
#: Events that are reported at once, while a run is going on.
BATCH: Final = 40

#: By plan: the fee of a month, and the price of a unit up to so many.
FEES: Final = (Decimal("120.00"), 3 * Decimal("49.99"))
TIERS: Final = (
    ((Decimal(50), Decimal("0.235")), (Decimal(65), Decimal("0.1845")), (None, Decimal("0.0975"))),
    ((None, Decimal("0.335")),),
)


def months_after(day: date, count: int) -> date:
    """The day so many months later; the last one of a month that is too short for it."""
    year, month = divmod(day.year * 12 + day.month - 1 + count, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass
class Agreed:
    """A subscription, and what was used of it: by plain sums what it costs."""

    id: str
    customer: str
    plan: int
    start: date
    #: Values of events, by day.
    used: dict[date, list[Decimal]] = field(default_factory=lambda: defaultdict(list))

    def boundaries(self, until: date) -> list[date]:
        """The first days of periods, up to a day."""
        days: list[date] = []
        while (day := months_after(self.start, len(days))) <= until:
            days.append(day)
        return days

    def cost(self, until: date) -> Decimal:
        """What is billed up to a day: fees at each boundary, usage of each period that has ended there."""
        days = self.boundaries(until)
        return len(days) * FEES[self.plan] + sum(
            (_for_usage(self.plan, self.within(*period)) for period in pairwise(days)), Decimal(0)
        )

    def within(self, first: date, end: date) -> Decimal:
        """What was used from a day to before another."""
        return sum((value for day, values in self.used.items() if first <= day < end for value in values), Decimal(0))

    def events(self, until: date) -> tuple[int, int]:
        """How many events are of periods that have ended by a day, and how many of later days."""
        last = self.boundaries(until)[-1]
        billed = sum(len(values) for day, values in self.used.items() if day < last)
        return billed, sum(len(values) for values in self.used.values()) - billed


def _for_usage(plan: int, quantity: Decimal) -> Decimal:
    amount, below = Decimal(0), Decimal(0)
    for up_to, each in TIERS[plan]:
        amount += (max(quantity if up_to is None else min(quantity, up_to), below) - below) * each
        below = up_to or below
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


@dataclass
class PatientApi(Api):
    """Asks again, under the same idempotency key, for as long as the database is away."""

    async def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        keyed = {} if method == "GET" else {"x-api-idempotency-key": str(new_id())}
        options["headers"] = keyed | options.pop("headers", {})
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = await super().request(method, path, **options)
            if answer.status_code != 503:
                return answer
            assert time.monotonic() < deadline, answer.text
            await asyncio.sleep(0.05)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder for a server that nobody else uses: it is killed."""
    folder = Path(mkdtemp(prefix="lb-billing-", dir="/tmp")).resolve()
    folder.chmod(0o711)  # the server's account has to pass through
    yield folder / "data"
    end(folder / "data")
    rmtree(folder)


@pytest_asyncio.fixture
async def biller(data_dir: Path, tmp_path: Path) -> AsyncIterator[Biller]:
    """A new company on that server, its API in this process, by the real time."""
    dsn = (await asyncio.to_thread(postgres.ensure_running, data_dir)).dsn()
    await migrate(dsn)
    clock = SteeredClock(system_clock())
    app = create_app(dsn, Settings(attachments_dir=tmp_path / "files", public_url=PUBLIC_URL), clock=system_clock)
    async with LifespanManager(app) as manager:
        transport = httpx.ASGITransport(manager.app, client=("127.0.0.1", 40000))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
            database = await Database.open(dsn, reactions=REACTIONS, max_size=2)
            made = await new_company(client, database, clock)
            await database.close()
            yield Biller(PatientApi(client, made.company_id, made.key, database, clock))


@dataclass
class Round:
    """Subscriptions, the usage that is reported, and the workers that bill."""

    biller: Biller
    data_dir: Path
    folder: Path
    random: random.Random
    today: date
    meters: list[str] = field(default_factory=list)
    agreed: list[Agreed] = field(default_factory=list)
    is_billing: bool = False
    workers: list[Program] = field(default_factory=list)
    died: list[str] = field(default_factory=list)

    async def begin(self) -> None:
        """Assign the subscriptions, which begin in the first month, and report usage of each period."""
        plans = []
        for (fee, quantity), tiers in zip((("120", 1), ("49.99", 3)), TIERS, strict=True):
            own = [{"upTo": None if up_to is None else str(up_to), "unitAmount": str(each)} for up_to, each in tiers]
            meter, usage = await self.biller.metered(pricingModel="GRADUATED", tiers=own)
            recurring = await self.biller.recurring(fee)
            items = [{"priceId": recurring, "quantity": quantity}, {"priceId": usage}]
            plans.append(await self.biller.plan(items=items))
            self.meters.append(meter)
        first = months_after(self.today, -MONTHS)
        starts = [day for day in (first + timedelta(days=number) for number in range(1, 28)) if day.day <= 28]
        for number in range(0, SUBSCRIPTIONS, EACH):
            customer = await self.biller.customer()
            for place in range(EACH):
                start, plan = self.random.choice(starts), (number + place) % len(plans)
                made = await self.biller.subscribe(plans[plan], start.isoformat(), customer)
                self.agreed.append(Agreed(made, customer, plan, start))
        events = [
            (one, first_day, USED_FIRST + self.random.randrange(-20, 20) / Decimal(10))
            for one in self.agreed
            for first_day in one.boundaries(self.today)
        ]
        for start_of_batch in range(0, len(events), 1000):
            await self._report(events[start_of_batch : start_of_batch + 1000])

    async def use(self, *, is_over: bool) -> None:
        """Report usage while it is billed: of any day, or, when the last bills are made, of what is open after them."""
        while self.is_billing:
            events = []
            for one in self.random.sample(self.agreed, BATCH):
                earliest = one.boundaries(self.today)[-1] if is_over else one.start
                day = earliest + timedelta(days=self.random.randrange((self.today - earliest).days + 1))
                value = self.random.randrange(-2, 90) / Decimal(10)
                events.append((one, day, value))
            await self._report(events)
            await asyncio.sleep(0.2)

    async def _report(self, events: Sequence[tuple[Agreed, date, Decimal]]) -> None:
        """Report values of days; they count when the answer is there, which comes at last."""
        moments = [datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(ZONE)) for _, day, _ in events]
        body = {
            "events": [
                {
                    "idempotencyKey": str(new_id()), "meterId": self.meters[one.plan], "customerId": one.customer,
                    "value": str(value), "timestamp": moment.isoformat(), "metadata": {"subscriptionId": one.id},
                }
                for (one, _, value), moment in zip(events, moments, strict=True)
            ]
        }  # fmt: skip
        for one, day, value in events:
            one.used[day].append(value)
        answer = await self.biller.ok("POST", "/v1/meters/report-batch", body, status=202)
        assert answer["accepted"] + answer["duplicates"] == len(events)

    async def bill(self, as_of: date, deaths: int) -> dict[str, Any]:
        """A run that is broken off so many times; the run."""
        run_id = await self.biller.start_run(asOf=as_of.isoformat())
        for _ in range(deaths):
            await self._die(run_id, self.random.randint(1, max(STEPS // deaths, 8)))
        last = self._worker(0, 0)
        async with asyncio.timeout(PATIENCE * 4):
            while await self._is_open(run_id):  # noqa: ASYNC110  another process is at it
                await asyncio.sleep(0.1)
        assert last.stop() == 0, last.errors
        return await self.biller.run(run_id, limit=1)

    async def _die(self, run_id: str, step: int) -> None:
        """A worker that dies at a step of the run, or by whose hand the database does."""
        kills_database = len(self.died) % 2
        server = postgres.status(self.data_dir).pid
        assert server is not None
        worker = self._worker(step, server if kills_database else 0)
        async with asyncio.timeout(PATIENCE * 2):
            while await self._goes_on(worker, server, run_id):  # noqa: ASYNC110  other processes are at it
                await asyncio.sleep(0.1)
        if worker.process.poll() == -signal.SIGKILL:
            self.died.append("worker")
        elif not await self._is_there(server):
            self.died.append("database")
            await asyncio.to_thread(postgres.ensure_running, self.data_dir)
        worker.process.kill()
        worker.end()

    async def _goes_on(self, worker: Program, server: int, run_id: str) -> bool:
        is_alive = worker.process.poll() is None and await self._is_there(server)
        return is_alive and await self._is_open(run_id)

    async def _is_there(self, server: int) -> bool:
        return await asyncio.to_thread(lambda: postgres.status(self.data_dir).pid == server)

    async def _is_open(self, run_id: str) -> bool:
        # Without patience: nobody else sees that the database is gone.
        answer = await Api.request(self.biller.api, "GET", f"/v1/billing-runs/{run_id}?limit=1")
        return answer.status_code == 503 or answer.json()["status"] in {"queued", "running"}

    def _worker(self, step: int, victim: int) -> Program:
        folder = self.folder / str(len(self.workers))
        folder.mkdir()
        command: list[str | Path] = [sys.executable, "-m", "tests.runtime.billing_worker", str(step), str(victim)]
        dsn = postgres.ensure_running(self.data_dir).dsn()
        self.workers.append(Program.start(command, folder, DATABASE_URL=dsn))
        return self.workers[-1]


async def test_each_is_billed_once(biller: Biller, data_dir: Path, tmp_path: Path) -> None:
    today = day_in(system_clock(), ZONE)
    seed = random.Random(SEED)  # noqa: S311  what is used, and when who dies
    work = Round(biller, data_dir, tmp_path, seed, today)
    try:
        await bill_all(work)
    finally:
        for worker in work.workers:  # none outlives a test that fails
            worker.process.kill()
    await check(work)


async def bill_all(work: Round) -> None:
    """Assign everything and bill month after month; what the runs say."""
    await work.begin()
    today = work.today
    billed_before, runs = 0, [months_after(today, number - MONTHS + 1) for number in range(MONTHS)]
    for number, as_of in enumerate(runs):
        work.is_billing = True
        using = asyncio.create_task(work.use(is_over=as_of == today))
        left = DEATHS - len(work.died)
        run = await work.bill(as_of, -(-left // (MONTHS - number)))
        work.is_billing = False
        await using
        boundaries = sum(len(one.boundaries(as_of)) for one in work.agreed)
        assert (run["status"], run["refused"], run["skipped"], run["creditNotes"]) == ("completed", 0, 0, 0)
        assert run["invoices"] == boundaries - billed_before
        # Whose usage came late meanwhile is looked at once more when the run is resumed.
        assert run["processed"] >= SUBSCRIPTIONS
        billed_before = boundaries
    assert len(work.died) == DEATHS
    assert Counter(work.died)["database"] == DEATHS // 2


async def check(work: Round) -> None:
    """What was billed is what was agreed and used, each period once; and the books are whole."""
    biller, today = work.biller, work.today
    database = await Database.open(postgres.ensure_running(work.data_dir).dsn(), reactions=REACTIONS, max_size=2)
    api = Api(biller.api.http, biller.api.company_id, biller.api.key, database, SteeredClock(system_clock()))
    biller = Biller(api)
    found = await api.run(
        lambda context: context.connection.fetch(
            "SELECT subscription_id::text AS id, kind, period_start, net, invoice_id FROM subscription_charges"
            " WHERE company_id = $1",
            context.company_id,
        )
    )
    assert all(row["invoice_id"] for row in found if row["net"])
    charged: dict[str, Decimal] = defaultdict(Decimal)
    for row in found:
        charged[row["id"]] += row["net"]
    assert charged == {one.id: one.cost(today) for one in work.agreed}
    for kind, left_out in (("recurring", None), ("usage", -1)):
        periods = Counter((row["id"], row["period_start"]) for row in found if row["kind"] == kind)
        wanted = ((one.id, day) for one in work.agreed for day in one.boundaries(today)[:left_out])
        assert periods == Counter(wanted)
    assert {row["kind"] for row in found} == {"recurring", "usage", "usage_difference"}, "usage came late"
    invoices = await api.run(
        lambda context: context.connection.fetch(
            "SELECT number_sequence, subtotal FROM invoices WHERE company_id = $1", context.company_id
        )
    )
    count = sum(len(one.boundaries(today)) for one in work.agreed)
    assert sorted(row["number_sequence"] for row in invoices) == list(range(1, count + 1))
    assert sum(row["subtotal"] for row in invoices) == sum(charged.values())
    assert len(await biller.events("subscription.billed")) == count
    assert await biller.count("credit_notes") == 0
    for plan, meter in enumerate(work.meters):
        events = [one.events(today) for one in work.agreed if one.plan == plan]
        billed, still_open = (sum(counts) for counts in zip(*events, strict=True))
        usage = await biller.ok("GET", f"/v1/meters/{meter}/usage")
        assert (usage["billed"], usage["open"], usage["unattributed"]) == (billed, still_open, 0)
        assert usage["accepted"] == usage["attributed"] == billed + still_open
    await biller.check_books()
    await database.close()
