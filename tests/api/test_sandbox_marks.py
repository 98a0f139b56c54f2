"""What leaves a sandbox is marked as test, its e-invoices never leave, and its days to come have rates."""

from pathlib import Path

import httpx
import pytest_asyncio
from tests.api.test_company_exchange_rates import rate
from tests.api.test_delivery import mailed, run_job
from tests.api.test_e_invoice_delivery import files, sent, status_of, work
from tests.conftest import Api, SteeredClock, new_company
from tests.post_office import PostOffice, open_post_office
from tests.receivers import receiving
from tests.sandboxes import advance, job_run
from tests.selling import Shop
from tests.ubl_files import peppol
from tests.webhooks import dispatching, subscribe

from ledgerbee.core.dates import day_in
from ledgerbee.network.transport.folder import FolderTransport
from ledgerbee.network.transport.model import NoTransport
from ledgerbee.platform.db import Database
from ledgerbee.purchases.incoming_documents.answers.jobs import send_answer
from ledgerbee.tenancy.rates.store import newest_day


@pytest_asyncio.fixture
async def sandbox(http: httpx.AsyncClient, database: Database, clock: SteeredClock) -> Api:
    """A new Danish sandbox."""
    return await new_company(http, database, clock, is_sandbox=True)


async def test_webhooks_and_the_feed_say_that_it_is_a_test(sandbox: Api, api: Api) -> None:
    for company, marks in ((sandbox, {"isTest": True}), (api, {})):
        async with receiving() as receiver, dispatching(company):
            await subscribe(company, receiver.url, "customer.created", "test_clock.advanced")
            await Shop(company).customer(name="Havblik A/S")
            if company is sandbox:
                day = day_in(company.clock(), "Europe/Copenhagen")
                await advance(company, day.replace(month=4))
            first, *others = await receiver.wait_for(len(marks) + 1)
        shown = (await company.get(f"/v1/events/{first.id}")).json()
        assert {name: first.event[name] for name in first.event.keys() & {"isTest"}} == marks
        assert {name: shown[name] for name in first.event} == first.event
        assert [one.event["type"] for one in others] == ["test_clock.advanced"] * len(marks)
        page = (await company.get("/v1/events")).json()["data"]
        assert {"isTest" in one for one in page} == {bool(marks)}


async def test_mails_say_that_it_is_a_test(sandbox: Api, api: Api) -> None:
    for company, subject, header in (
        (sandbox, "[TEST] Faktura 1 fra Nordlys ApS", "true"),
        (api, "Faktura 1 fra Nordlys ApS", None),
    ):
        async with open_post_office(PostOffice()) as office:
            shop = Shop(company)
            await run_job(shop, await mailed(shop), office.url)
        ((_, message),) = office.mails
        assert str(message["Subject"]) == subject
        assert message["X-LedgerBee-Test"] == header


async def test_e_invoices_of_sandboxes_go_nowhere(sandbox: Api, tmp_path: Path) -> None:
    shop = Shop(sandbox)
    for transport in (FolderTransport(tmp_path), NoTransport()):
        invoice = await sent(shop)
        await work(shop, invoice, transport)
        status = await status_of(shop, invoice)
        assert status["status"] == "delivered"
        assert [attempt["message"] for attempt in status["attempts"]] == ["Not sent: the company is a sandbox"]
    assert files(tmp_path) == {}


async def test_answers_of_sandboxes_go_nowhere(sandbox: Api, tmp_path: Path) -> None:
    received = await sandbox.request(
        "POST", "/v1/incoming-documents", content=peppol(number="S-1"), headers={"content-type": "application/xml"}
    )
    path = f"/v1/incoming-documents/{received.json()['id']}"
    answer = (await sandbox.post(f"{path}/answers", {"answer": "inProcess"})).json()
    await send_answer(FolderTransport(tmp_path), job_run(sandbox, answerId=answer["id"]))
    (shown,) = [one for one in (await sandbox.get(path)).json()["answers"] if one["id"] == answer["id"]]
    assert shown["status"] == "sent"
    assert files(tmp_path) == {}


async def test_days_to_come_have_the_newest_rate(sandbox: Api) -> None:
    async with sandbox.database.connection() as connection:
        newest = str(await newest_day(connection))  # later than today, by the clock of tests
    assert (await rate(sandbox, "EUR", "2028-06-01")).status_code == 400
    await advance(sandbox, day_in(sandbox.clock(), "Europe/Copenhagen").replace(year=2027))
    for day in ("2027-03-16", "2028-06-01"):
        found = (await rate(sandbox, "EUR", day)).json()
        assert (found["date"], found["publishedDate"]) == (day, newest)
    assert (await rate(sandbox, "EUR")).json()["date"] == "2027-03-16"
