"""The worker is killed between any two steps of delivering documents of every kind, again and again.

`make chaos` runs it with 200 documents and 50 deaths: `MAIL_DOCUMENTS`, `MAIL_DEATHS`, `MAIL_SEED`.
"""

import asyncio
import os
import random
import signal
import sys
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
from tests.conftest import Api
from tests.post_office import PostOffice, open_post_office
from tests.runtime.processes import PATIENCE, Program
from tests.selling import Shop, line

from ledgerbee.app.verify import verify
from ledgerbee.core.dates import system_clock
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery.model import DELIVER_E_INVOICE_JOB, DELIVER_JOB

DOCUMENTS = int(os.environ.get("MAIL_DOCUMENTS", "6"))
DEATHS = int(os.environ.get("MAIL_DEATHS", "2"))
SEED = int(os.environ.get("MAIL_SEED", "1"))
#: Steps of one delivery, or a little more: a worker has up to twenty in hand.
MOST_STEPS = 60
#: The participant that each e-invoice goes to.
EAN = "5798009811578"


@dataclass(frozen=True)
class Way:
    """A kind of document and how it leaves; `topic` begins the names of its events."""

    path: str
    table: str
    topic: str
    is_booked: bool
    by: str = "Email"


BY_MAIL = Way("/v1/invoices", "invoices", "invoice", is_booked=True)
BY_NETWORK = replace(BY_MAIL, by="Sproom")
CREDIT = Way("/v1/credit-notes", "credit_notes", "credit_note", is_booked=True)
QUOTE = Way("/v1/quotes", "quotes", "quote", is_booked=False)
ORDER = Way("/v1/order-confirmations", "order_confirmations", "order_confirmation", is_booked=False)
#: One after the other, so that each kind has its share. A credit note is on an invoice that is being mailed too.
WAYS = (BY_MAIL, BY_NETWORK, CREDIT, QUOTE, ORDER)


@dataclass(frozen=True)
class Sent:
    """A document that waits for the worker; `address` is where its mail goes, and no other one's."""

    way: Way
    id: str
    address: str


async def test_each_is_booked_numbered_and_delivered_and_told_truthfully(
    api: Api, database_url: str, tmp_path: Path
) -> None:
    owner = await asyncpg.connect(database_url)
    await owner.execute("DELETE FROM pgqueuer WHERE entrypoint = ANY($1)", [DELIVER_JOB, DELIVER_E_INVOICE_JOB])
    await owner.close()  # of other tests
    shop, chance = Shop(api), random.Random(SEED)  # noqa: S311  when to die
    documents = await send_all(shop)
    network = tmp_path / "network"
    async with open_post_office(PostOffice()) as office:

        def worker(number: int, last_step: int) -> Program:
            folder = tmp_path / str(number)
            folder.mkdir()
            command: list[str | Path] = [sys.executable, "-m", "tests.runtime.mail_worker", str(last_step)]
            return Program.start(
                command, folder, DATABASE_URL=database_url, SMTP_URL=office.url, LEDGERBEE_EINVOICE_DIR=str(network)
            )

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
    api.clock.now = system_clock()  # the workers' events are of now
    await check_books(shop, documents)
    await check_deliveries(shop, documents)
    await check_mails(shop, office, documents)
    await check_files(shop, files_in(network), documents)


async def send_all(shop: Shop) -> list[Sent]:
    """Send the documents, each kind in turn."""
    price = await shop.price()
    drafts: list[tuple[Way, dict[str, Any]]] = []
    for number in range(DOCUMENTS):
        way = WAYS[number % len(WAYS)]
        if way is not CREDIT:
            fields = {"eanNumber": EAN} if way is BY_NETWORK else {}
            customer = await shop.customer(email=f"{number}@havblik.example", **fields)
            body = {"customerId": customer, "date": "2026-03-16", "lines": [line(price)]}
            drafts.append((way, await shop.ok("POST", way.path, body)))
        else:
            drafts.append((way, {}))
    for way in (BY_MAIL, BY_NETWORK):
        ids = [one["id"] for other, one in drafts if other is way]
        answer = await shop.ok(
            "POST", "/v1/invoices/send-batch", {"invoiceIds": ids, "deliveryType": way.by}, status=200
        )
        assert {one["outcome"] for one in answer["results"]} == {"sent"}
    credited = iter([one["id"] for way, one in drafts if way is BY_MAIL])
    sent = []
    for number, (way, draft) in enumerate(drafts):
        document, address, options = draft, f"{number}@havblik.example", {"deliveryType": way.by}
        if way is CREDIT:
            invoice = await shop.invoice(next(credited))
            document = await shop.credit(invoice, {"invoiceLineId": invoice["lines"][0]["id"], "unitPrice": "40"})
            options["overrideEmail"] = address
        if way.path != BY_MAIL.path:
            await shop.ok("POST", f"{way.path}/{document['id']}/send", options, status=200)
        sent.append(Sent(way, document["id"], address))
    return sent


async def open_deliveries(shop: Shop) -> int:
    found: int = await shop.value(
        "SELECT count(*) FROM deliveries WHERE company_id = $1 AND status IN ('pending', 'sending')",
        shop.api.company_id,
    )
    return found


async def rows(shop: Shop, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Rows of the company, which is $1."""

    async def work(context: Context) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await context.connection.fetch(query, context.company_id, *arguments)]

    found: list[tuple[Any, ...]] = await shop.api.run(work)
    return found


async def check_books(shop: Shop, documents: list[Sent]) -> None:
    """Booked once, or not at all; numbered once, and no number of a series is missing; sent once."""
    for way in set(WAYS) - {BY_NETWORK}:
        ids = {UUID(one.id) for one in documents if one.way.table == way.table}
        found = await rows(shop, f"SELECT id, number_sequence FROM {way.table} WHERE company_id = $1")
        assert {row[0] for row in found} == ids
        assert sorted(row[1] for row in found) == list(range(1, len(ids) + 1))
        assert len(await shop.events(f"{way.topic}.sent")) == len(ids)
    entries = await rows(shop, "SELECT source_id FROM journal_entries WHERE company_id = $1")
    assert sorted(str(row[0]) for row in entries) == sorted(one.id for one in documents if one.way.is_booked)

    async def work(context: Context) -> str | None:
        fault = (await verify(context)).fault
        return None if fault is None else fault.what

    assert await shop.api.run(work, one_snapshot=True) is None


async def check_deliveries(shop: Shop, documents: list[Sent]) -> None:
    """Each was delivered once; the tries before it say that they were broken off, and what may be so."""
    for one in documents:
        found = await shop.ok("GET", f"{one.way.path}/{one.id}")
        assert (found["deliveryStatus"], found["status"]) == ("delivered", "sent")
        tries = await tries_of(shop, one)
        outcomes = [outcome for outcome, _ in tries]
        assert outcomes == ["failed"] * (len(tries) - 1) + ["delivered"]
        said = "may have arrived" if one.way is BY_NETWORK else "may have gone out"
        assert all(said in message for _, message in tries[:-1])
        if one.way.is_booked:
            told = await shop.ok("GET", f"{one.way.path}/{one.id}/delivery-status")
            assert (told["status"], told["deliveryType"]) == ("delivered", one.way.by)
            assert [(attempt["outcome"], attempt["message"]) for attempt in told["attempts"]] == tries


async def tries_of(shop: Shop, document: Sent) -> list[tuple[Any, ...]]:
    """The outcome and message of each attempt, the oldest first."""
    return await rows(
        shop,
        "SELECT a.outcome, a.message FROM delivery_attempts a"
        " JOIN deliveries d ON d.company_id = a.company_id AND d.id = a.delivery_id"
        " WHERE a.company_id = $1 AND d.document_id = $2 ORDER BY a.at, a.id",
        UUID(document.id),
    )


async def check_mails(shop: Shop, office: PostOffice, documents: list[Sent]) -> None:
    """Mailed at least once, no more often than was told, and the same each time."""
    mailed = [one for one in documents if one.way.by == "Email"]
    got = Counter(recipients[0] for recipients, _ in office.mails)
    assert set(got) == {one.address for one in mailed}
    assert len(set(office.received)) == len(mailed)
    for one in mailed:
        assert 1 <= got[one.address] <= len(await tries_of(shop, one))


def files_in(folder: Path) -> dict[str, bytes]:
    """The e-invoices that wait there. What a killed worker left half written begins with a point, and is none."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


async def check_files(shop: Shop, files: dict[str, bytes], documents: list[Sent]) -> None:
    """Each e-invoice is one file, however often it was written: the bytes that are kept, under one id."""
    sent = {UUID(one.id) for one in documents if one.way is BY_NETWORK}
    kept = await rows(shop, "SELECT document_id, id, content, number FROM e_invoices WHERE company_id = $1")
    assert len(kept) == len(sent)
    assert {document for document, *_ in kept} == sent
    assert files == {f"0184-13585628_invoice_{number}.xml": content for _, _, content, number in kept}
    told = {event["documentId"]: event for event in await shop.events("e_invoice.delivered")}
    assert len(await shop.events("e_invoice.delivered")) == len(sent)
    assert {UUID(document): UUID(event["messageId"]) for document, event in told.items()} == {
        document: message for document, message, *_ in kept
    }
    assert await shop.events("e_invoice.failed") == []
