"""`ledgerbee billing run`: the command carries runs out itself."""

import json
import os
import pty
import subprocess
from datetime import timedelta

import httpx
import pytest_asyncio
from tests.billing import Biller
from tests.conftest import SteeredClock, new_company
from tests.runtime.processes import PATIENCE, PROGRAM, cli, environment, refusal

from ledgerbee.core.dates import system_clock
from ledgerbee.platform.db import Database


@pytest_asyncio.fixture
async def biller(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> Biller:
    """A company of today with a subscription that began yesterday and costs 10.00 a day."""
    clock.now = system_clock()
    biller = Biller(await new_company(http, database, clock))
    await daily(biller, days=1)
    return biller


async def daily(biller: Biller, days: int) -> str:
    """A subscription that began some days ago."""
    start = biller.api.clock.now.date() - timedelta(days=days)
    return await biller.subscribe(await biller.plan(await biller.recurring("10", interval="day")), start.isoformat())


def command(biller: Biller, *options: str) -> tuple[str, ...]:
    return ("billing", "run", "--company", str(biller.api.company_id), *options)


async def test_a_run_bills_what_is_due(biller: Biller, database_url: str) -> None:
    dry = cli(*command(biller, "--dry-run", "--json"), DATABASE_URL=database_url)
    assert dry.returncode == 0, dry.stderr
    told = json.loads(dry.stdout)
    assert (told["status"], told["dryRun"], told["invoices"], len(told["results"])) == ("completed", True, 2, 2)
    assert await biller.invoices() == []
    done = cli(*command(biller), DATABASE_URL=database_url)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("2 invoices and 0 credit notes made, 0 skipped, 0 refused (run ")
    assert len(await biller.invoices()) == 2
    again = cli(*command(biller), DATABASE_URL=database_url)
    assert again.stdout.startswith("0 invoices and 0 credit notes made, 0 skipped, 0 refused")
    runs = (await biller.ok("GET", "/v1/billing-runs"))["data"]
    assert [one["status"] for one in runs] == ["completed"] * 3


async def test_what_was_not_billed_is_named(biller: Biller, database_url: str) -> None:
    late = await daily(biller, days=40)
    customer = await biller.customer()
    plan = await biller.plan(await biller.recurring("10", interval="day"))
    refused = await biller.subscribe(plan, biller.api.clock.now.date().isoformat(), customer)
    await biller.ok("PATCH", f"/v1/customers/{customer}", {"isActive": False})
    done = cli(*command(biller), DATABASE_URL=database_url)
    assert done.returncode == 1
    assert done.stdout.startswith("2 invoices and 0 credit notes made, 1 skipped, 1 refused")
    assert f"subscription {late}: skipped: needs_confirmation" in done.stderr
    assert f"subscription {refused}: refused: " in done.stderr
    assert "(SALES_DOCUMENT_CUSTOMER_INACTIVE)" in done.stderr
    await biller.ok("PATCH", f"/v1/customers/{customer}", {"isActive": True})
    confirmed = cli(*command(biller, "--confirm-catch-up"), DATABASE_URL=database_url)
    assert (confirmed.returncode, confirmed.stdout[:12]) == (0, "42 invoices ")


async def test_a_run_up_to_a_day(biller: Biller, database_url: str) -> None:
    today = biller.api.clock.now.date()
    yesterday = (today - timedelta(days=1)).isoformat()
    assert cli(*command(biller, "--as-of", yesterday), DATABASE_URL=database_url).stdout.startswith("1 invoice and")
    ahead = (today + timedelta(days=3)).isoformat()
    told = cli(*command(biller, "--as-of", ahead, "--dry-run", "--json"), DATABASE_URL=database_url)
    assert json.loads(told.stdout)["invoices"] == 4
    assert "asOf must not be after today" in refusal(*command(biller, "--as-of", ahead), DATABASE_URL=database_url)
    for wrong in ("2026-13-01", "1.1.2026", "20260101", "2026-W01-1"):
        said = refusal(*command(biller, "--as-of", wrong), DATABASE_URL=database_url)
        assert said == f"--as-of is a day, YYYY-MM-DD: {wrong!r} is none."


async def test_a_locked_day_is_said(biller: Biller, database_url: str) -> None:
    through = (biller.api.clock.now.date() + timedelta(days=1)).isoformat()
    await biller.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": through})
    assert "(PERIOD_LOCKED)" in refusal(*command(biller), DATABASE_URL=database_url)


async def test_a_terminal_shows_how_far_it_is(biller: Biller, database_url: str) -> None:
    reader, writer = pty.openpty()
    process = subprocess.Popen(  # noqa: ASYNC220  it starts and is left alone
        [str(PROGRAM), *command(biller)],
        env=environment(DATABASE_URL=database_url, TERM="xterm"),
        stdout=subprocess.PIPE,
        stderr=writer,
        text=True,
    )
    os.close(writer)
    shown = b""
    while True:
        try:
            if not (part := os.read(reader, 4096)):
                break
        except OSError:  # its end, on Linux
            break
        shown += part
    os.close(reader)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert output.startswith("2 invoices ")
    assert b"subscriptions" in shown
    assert b"1/1" in shown
