"""The worker is killed between any two steps of delivering documents, again and again.

`make chaos` runs it with 200 documents and 50 deaths: `MAIL_DOCUMENTS`, `MAIL_DEATHS`, `MAIL_SEED`.
"""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.conftest import Api
from tests.post_office import PostOffice, open_post_office
from tests.runtime.processes import PATIENCE, Program
from tests.selling import Shop, line

from ledgerbee.app.verify import verify
from ledgerbee.platform.context import Context

DOCUMENTS = int(os.environ.get("MAIL_DOCUMENTS", "6"))
DEATHS = int(os.environ.get("MAIL_DEATHS", "2"))
SEED = int(os.environ.get("MAIL_SEED", "1"))
#: Steps of one delivery, or a little more: a worker has up to twenty in hand.
MOST_STEPS = 60


async def test_each_is_booked_numbered_and_mailed_and_told_truthfully(
    api: Api, database_url: str, tmp_path: Path
) -> None:
    shop, chance = Shop(api), random.Random(SEED)  # noqa: S311  when to die
    price = await shop.price()
    drafts = [
        await shop.draft(await shop.customer(email=f"{number}@havblik.example"), line(price))
        for number in range(DOCUMENTS)
    ]
    async with open_post_office(PostOffice()) as office:

        def worker(number: int, last_step: int) -> Program:
            folder = tmp_path / str(number)
            folder.mkdir()
            command: list[str | Path] = [sys.executable, "-m", "tests.runtime.mail_worker", str(last_step)]
            return Program.start(command, folder, DATABASE_URL=database_url, SMTP_URL=office.url)

        sent = await shop.ok(
            "POST", "/v1/invoices/send-batch",
            {"invoiceIds": [one["id"] for one in drafts], "deliveryType": "Email"}, status=200,
        )  # fmt: skip
        assert {one["outcome"] for one in sent["results"]} == {"sent"}
        died = 0
        for number in range(DEATHS):
            dying = worker(number, chance.randint(1, MOST_STEPS))
            async with asyncio.timeout(PATIENCE):
                while dying.process.poll() is None and await open_deliveries(shop):  # noqa: ASYNC110  a process
                    await asyncio.sleep(0.05)
            died += dying.process.poll() == -signal.SIGKILL
            dying.process.kill()
            dying.end()
        last = worker(DEATHS, 0)
        async with asyncio.timeout(PATIENCE * 3):
            while await open_deliveries(shop):  # noqa: ASYNC110  another process is at it
                await asyncio.sleep(0.1)
        assert last.stop() == 0
    assert died
    await check_books(shop)
    await check_mails(shop, office, drafts)


async def open_deliveries(shop: Shop) -> int:
    found: int = await shop.value(
        "SELECT count(*) FROM deliveries WHERE company_id = $1 AND status IN ('pending', 'sending')",
        shop.api.company_id,
    )
    return found


async def check_books(shop: Shop) -> None:
    """Booked once, numbered once, no number missing."""
    numbers = await shop.value(
        "SELECT array_agg(number_sequence ORDER BY number_sequence) FROM invoices WHERE company_id = $1",
        shop.api.company_id,
    )
    assert numbers == list(range(1, DOCUMENTS + 1))
    entries = "SELECT count(*) FROM journal_entries WHERE company_id = $1"
    assert await shop.value(entries, shop.api.company_id) == DOCUMENTS
    assert len(await shop.events("invoice.sent")) == DOCUMENTS

    async def work(context: Context) -> str | None:
        fault = (await verify(context)).fault
        return None if fault is None else fault.what

    assert await shop.api.run(work, one_snapshot=True) is None


async def check_mails(shop: Shop, office: PostOffice, drafts: list[dict[str, Any]]) -> None:
    """Mailed at least once, each time the same; marked as delivered once, and what may have gone out beside it told."""
    got = Counter(recipients[0] for recipients, _ in office.mails)
    assert len(set(office.received)) == DOCUMENTS
    for number, draft in enumerate(drafts):
        found = await shop.ok("GET", f"/v1/invoices/{draft['id']}/delivery-status")
        outcomes = [one["outcome"] for one in found["attempts"]]
        assert (found["status"], outcomes.count("delivered"), outcomes[-1]) == ("delivered", 1, "delivered")
        assert all("may have gone out" in one["message"] for one in found["attempts"][:-1])
        assert 1 <= got[f"{number}@havblik.example"] <= len(outcomes)
        assert (await shop.invoice(draft["id"]))["status"] == "sent"
