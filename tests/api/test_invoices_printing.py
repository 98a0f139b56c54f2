"""What printing an invoice may take, and what it holds meanwhile: nothing."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from tests.api.test_delivery_worker import delivery_when, mailed, working
from tests.conftest import Api
from tests.post_office import PostOffice, open_post_office
from tests.renderers import renderers, stopped
from tests.selling import Shop, line

from ledgerbee.sales.rendering.pool import TIMEOUT_S, close, use_fonts

#: Marks on letters: only setting them shows whether a font can.
MARKED = "שָׁלוֹם"


@pytest.fixture
async def shop(api: Api) -> AsyncIterator[Shop]:
    """A company, and a pool of processes that has none yet."""
    close()
    yield Shop(api)
    for pid, state in renderers().items():
        if state == "T":
            os.kill(pid, signal.SIGCONT)
    use_fonts(None)
    close()
    assert renderers() == {}


async def drafted(shop: Shop, **fields: Any) -> dict[str, Any]:
    return await shop.draft(await shop.customer(), line(await shop.price("100")), **fields)


@asynccontextmanager
async def all_busy(shop: Shop) -> AsyncIterator[list[int]]:
    """Every place in the pool is taken by a process that stands still; afterwards they go on and have to answer."""
    draft = await drafted(shop)
    requests, held = [], set[int]()
    for _ in os.sched_getaffinity(0):
        requests.append(asyncio.create_task(shop.api.get(f"/v1/invoices/{draft['id']}/pdf")))
        held.add(await stopped(held))
    yield sorted(held)
    for pid in held:
        os.kill(pid, signal.SIGCONT)
    assert [answer.status_code for answer in await asyncio.gather(*requests)] == [200] * len(requests)


async def none_open(database_url: str) -> None:
    """Returns once no transaction has been open on the database for a while."""
    owner = await asyncpg.connect(database_url)
    quiet = 0
    while quiet < 20:
        is_open = await owner.fetchval(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND xact_start IS NOT NULL AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        quiet = 0 if is_open else quiet + 1
        await asyncio.sleep(0.02)
    await owner.close()


async def test_no_transaction_is_open_while_a_document_waits_for_its_trial(shop: Shop, database_url: str) -> None:
    draft = await drafted(shop, notes=MARKED)
    async with all_busy(shop):
        sending = asyncio.create_task(shop.send(draft))
        await none_open(database_url)
        assert not sending.done()
        renamed = await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"reference": "PO-8"})
        assert renamed["status"] == "draft"  # nobody holds it
    sent = await sending
    assert (sent["number"], sent["reference"]) == ("1", "PO-8")


async def test_no_transaction_is_open_while_a_pdf_waits_for_its_turn(shop: Shop, database_url: str) -> None:
    draft = await drafted(shop)
    async with all_busy(shop):
        asking = asyncio.create_task(shop.api.get(f"/v1/invoices/{draft['id']}/pdf"))
        await none_open(database_url)
        assert not asking.done()
    assert (await asking).status_code == 200


async def test_what_is_changed_during_the_trial_is_tried_again(shop: Shop, database_url: str) -> None:
    draft = await drafted(shop, notes=MARKED)
    async with all_busy(shop):
        path, body = f"/v1/invoices/{draft['id']}/send", {"deliveryType": "Manual"}
        sending = asyncio.create_task(
            shop.refused("POST", path, body, 400, "DOCUMENT_CHARACTERS_UNPRINTABLE")  # the text as it is by then
        )
        await none_open(database_url)
        await shop.ok("PATCH", f"/v1/invoices/{draft['id']}", {"notes": f"{MARKED} 中"})
    details = await sending
    assert [(it["codePoint"], it["fields"]) for it in details["characters"]] == [("U+4E2D", ["notes"])]
    assert (await shop.invoice(draft["id"]))["status"] == "draft"
    assert await shop.value("SELECT count(*) FROM journal_entries WHERE company_id = $1", shop.api.company_id) == 0


async def test_a_send_with_a_trial_is_carried_out_once_under_its_key(shop: Shop) -> None:
    draft = await drafted(shop, notes=MARKED)
    path, headers = f"/v1/invoices/{draft['id']}/send", {"x-api-idempotency-key": "send-with-a-trial"}
    body = {"deliveryType": "Manual"}
    first, second = await asyncio.gather(
        *(shop.api.request("POST", path, json=body, headers=headers) for _ in range(2))
    )
    codes = sorted((first.status_code, second.status_code))
    assert codes in ([200, 200], [200, 409])
    again = await shop.api.request("POST", path, json=body, headers=headers)
    assert (again.status_code, again.json()) == (200, first.json() if first.status_code == 200 else second.json())
    assert await shop.value("SELECT count(*) FROM journal_entries WHERE company_id = $1", shop.api.company_id) == 1


async def test_printing_that_takes_too_long_is_refused_and_goes_on_afterwards(shop: Shop) -> None:
    plain, marked = await drafted(shop), await drafted(shop, notes=MARKED)
    use_fonts(None, timeout_s=0.05)  # a process takes longer to start
    path, body = f"/v1/invoices/{marked['id']}/send", {"deliveryType": "Manual"}
    await shop.refused("GET", f"/v1/invoices/{plain['id']}/pdf", None, 503, "DOCUMENT_PRINTING_FAILED")
    await shop.refused("POST", path, body, 503, "DOCUMENT_PRINTING_FAILED")
    assert (await shop.invoice(marked["id"]))["status"] == "draft"
    sent = await shop.send(plain)  # texts that every document can show need no trial
    assert sent["number"] == "1"
    use_fonts(None, timeout_s=TIMEOUT_S)
    assert (await shop.api.get(f"/v1/invoices/{plain['id']}/pdf")).status_code == 200
    assert (await shop.send(marked))["number"] == "2"


async def test_a_process_that_is_killed_is_replaced_and_the_request_answered(shop: Shop) -> None:
    draft = await drafted(shop)
    path = f"/v1/invoices/{draft['id']}/pdf"
    before = (await shop.api.get(path)).content
    (idle,) = renderers()
    os.kill(idle, signal.SIGSTOP)
    asking = asyncio.create_task(shop.api.get(path))
    await asyncio.sleep(0.2)
    assert not asking.done()
    os.kill(idle, signal.SIGKILL)
    answer = await asking
    assert (answer.status_code, answer.content) == (200, before)
    assert idle not in renderers()


async def test_a_mail_whose_document_takes_too_long_is_tried_again(shop: Shop) -> None:
    use_fonts(None, timeout_s=0.05)
    async with open_post_office(PostOffice()) as office, working(shop.api, office.url):
        invoice = await mailed(shop, 1)
        found = await delivery_when(shop, invoice, 1)
        assert found["attempts"][0]["outcome"] == "failed"
        assert "too much time" in found["attempts"][0]["message"]
        assert office.mails == []
        use_fonts(None, timeout_s=TIMEOUT_S)
        found = await delivery_when(shop, invoice, 2, status="delivered")
    assert len(office.mails_to(found["attempts"][-1]["recipient"])) == 1
