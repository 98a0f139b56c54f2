"""Delivery by the worker itself: jobs are taken from the queue, once, and tried again when a server was away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.conftest import BLOBS, Api
from tests.post_office import PostOffice, free_port, open_post_office
from tests.selling import Shop, line

from ledgerbee.app.worker import Worker
from ledgerbee.platform.mail import Mailer
from ledgerbee.sales.delivery.jobs import deliveries_of
from ledgerbee.sales.delivery.model import DELIVER_JOB
from ledgerbee.sales.kinds import KINDS

#: Long enough for a machine that has much else to do: two tries of a document may wait for a process that sets it.
TIMEOUT_S = 120


@pytest.fixture
def shop(api: Api) -> Shop:
    return Shop(api)


@asynccontextmanager
async def working(api: Api, url: str) -> AsyncIterator[None]:
    """A worker that runs until the block ends."""
    mailer = Mailer(url, "invoices@ledgerbee.example")
    jobs = {DELIVER_JOB: replace(deliveries_of(KINDS), first_pause=timedelta(milliseconds=200))}
    worker = Worker(api.database, mailer, BLOBS, api.clock, jobs=jobs)
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        worker.stop()
        await task


async def mailed(shop: Shop, number: int, quantity: int = 1) -> dict[str, Any]:
    customer = await shop.customer(email=f"buyer{number}.{shop.api.company_id}@havblik.example")
    return await shop.send(await shop.draft(customer, line(await shop.price("10"), quantity)), deliveryType="Email")


async def delivery_when(
    shop: Shop, invoice: dict[str, Any], attempts: int, status: str | None = None
) -> dict[str, Any]:
    """The delivery status once it has so many attempts, and stands where it is wanted."""
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            found: dict[str, Any] = await shop.ok("GET", f"/v1/invoices/{invoice['id']}/delivery-status")
            if len(found["attempts"]) >= attempts and status in {None, found["status"]}:
                return found
            await asyncio.sleep(0.05)


async def test_two_workers_deliver_each_invoice_once(shop: Shop) -> None:
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(open_post_office(PostOffice()))
        for _ in range(2):
            await stack.enter_async_context(working(shop.api, office.url))
        invoices = [await mailed(shop, number) for number in range(6)]
        found = [await delivery_when(shop, invoice, 1, status="delivered") for invoice in invoices]
    assert [(one["status"], len(one["attempts"])) for one in found] == [("delivered", 1)] * 6
    recipients = [one["attempts"][0]["recipient"] for one in found]
    assert [len(office.mails_to(recipient)) for recipient in recipients] == [1] * 6
    assert {(await shop.invoice(invoice["id"]))["status"] for invoice in invoices} == {"sent"}


async def test_a_mail_waits_for_a_server_that_is_away(shop: Shop) -> None:
    office = PostOffice(port=free_port())
    async with working(shop.api, office.url):
        invoice = await mailed(shop, 1)
        away = await delivery_when(shop, invoice, 1)
        assert {attempt["outcome"] for attempt in away["attempts"]} == {"failed"}
        async with open_post_office(office):
            found = await delivery_when(shop, invoice, len(away["attempts"]) + 1, status="delivered")
    *failed, delivered = found["attempts"]
    assert [attempt["outcome"] for attempt in failed] == ["failed"] * len(failed)
    assert delivered["outcome"] == "delivered"
    assert len(office.mails_to(delivered["recipient"])) == 1
    assert (await shop.invoice(invoice["id"]))["status"] == "sent"


async def test_the_mail_of_a_paid_invoice_goes_out(shop: Shop) -> None:
    async with open_post_office(PostOffice()) as office, working(shop.api, office.url):
        invoice = await mailed(shop, 1, quantity=0)
        found = await delivery_when(shop, invoice, 1, status="delivered")
    assert len(office.mails_to(found["attempts"][0]["recipient"])) == 1
    delivered = await shop.invoice(invoice["id"])
    assert (invoice["status"], delivered["status"]) == ("paid", "paid")
    assert delivered["sentAt"]
