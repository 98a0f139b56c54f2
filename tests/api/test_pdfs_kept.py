"""PDFs of sent documents are set once and kept, by all that they show."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.api.test_pdfs_of_sent import pdf, sold, text_of
from tests.conftest import BLOBS, Api
from tests.renderers import renderers
from tests.selling import Shop, line

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.platform.blobs.store import Folder
from ledgerbee.platform.context import Context
from ledgerbee.platform.jobs import JobRun
from ledgerbee.platform.mail import Mailer
from ledgerbee.sales.delivery.model import PRINT_JOB
from ledgerbee.sales.delivery.printing import print_sent
from ledgerbee.sales.documents.actions import PrintedDocument, print_document
from ledgerbee.sales.documents.kept_pdfs import name_of_pdf, pdf_of_sent
from ledgerbee.sales.invoices.kind import INVOICES
from ledgerbee.sales.kinds import KINDS
from ledgerbee.sales.rendering.pool import close


@pytest.fixture
async def shop(api: Api) -> AsyncIterator[Shop]:
    """A company, and a pool of processes that has none yet."""
    close()
    yield Shop(api)
    close()


async def jobs_of(shop: Shop) -> list[dict[str, Any]]:
    """The payloads of the company's jobs that set documents."""
    async with shop.api.database.connection() as connection:
        rows = await connection.fetch("SELECT payload FROM pgqueuer WHERE entrypoint = $1 ORDER BY id", PRINT_JOB)
    payloads = [json.loads(row["payload"]) for row in rows]
    return [payload for payload in payloads if payload["companyId"] == str(shop.api.company_id)]


def run_of(shop: Shop, payload: dict[str, Any]) -> JobRun:
    api = shop.api
    return JobRun(
        database=api.database, mailer=Mailer(None, "invoices@ledgerbee.example"), blobs=BLOBS, clock=api.clock,
        company_id=api.company_id, request_id="test", payload=payload, attempt=1, max_attempts=5,
    )  # fmt: skip


async def run_print_jobs(shop: Shop) -> None:
    for payload in await jobs_of(shop):
        await print_sent(KINDS, run_of(shop, payload))


async def printed(shop: Shop, invoice: dict[str, Any]) -> PrintedDocument:
    async def work(context: Context) -> PrintedDocument:
        return await print_document(context, INVOICES, UUID(invoice["id"]))

    found: PrintedDocument = await shop.api.run(work)
    return found


async def test_the_worker_sets_what_was_sent_and_nobody_sets_it_again(shop: Shop) -> None:
    invoice, quote = await sold(shop), await shop.offered(line(await shop.price("10")))
    order = await shop.ordered(quote)
    note = await shop.send_note(await shop.credit(invoice))
    paths = [
        f"invoices/{invoice['id']}", f"quotes/{quote['id']}", f"order-confirmations/{order['id']}",
        f"credit-notes/{note['id']}",
    ]  # fmt: skip
    await run_print_jobs(shop)
    assert len(renderers()) >= 1
    close()
    kept = [await pdf(shop, path) for path in paths]
    assert renderers() == {}, "a process was started to set one of them again"
    titles = ("Faktura", "Tilbud", "Ordrebekræftelse", "Kreditnota")
    assert [title in text_of(content) for title, content in zip(titles, kept, strict=True)] == [True] * 4


async def test_a_batch_is_one_job(shop: Shop) -> None:
    customer, price = await shop.customer(), await shop.price("10")
    ids = [(await shop.draft(customer, line(price)))["id"] for _ in range(3)]
    await shop.ok("POST", "/v1/invoices/send-batch", {"invoiceIds": ids}, status=200)
    (job,) = await jobs_of(shop)
    assert sorted(job["documentIds"]) == sorted(ids)
    await run_print_jobs(shop)
    close()
    assert {text_of(await pdf(shop, f"invoices/{one}")).count("Til betaling") for one in ids} == {1}
    assert renderers() == {}


async def test_one_that_can_not_be_set_keeps_no_other_from_it(shop: Shop) -> None:
    first, second = await sold(shop), await sold(shop)
    payload = {"kind": "invoice", "documentIds": [first["id"], str(UUID(int=7)), second["id"]]}
    with pytest.raises(LedgerBeeError) as refused:
        await print_sent(KINDS, run_of(shop, payload))
    assert refused.value.code == "INVOICE_NOT_FOUND"
    close()
    for invoice in (first, second):
        await pdf(shop, f"invoices/{invoice['id']}")
    assert renderers() == {}


async def test_those_who_ask_at_once_wait_for_one(shop: Shop) -> None:
    invoice = await sold(shop)
    contents = await asyncio.gather(*(pdf(shop, f"invoices/{invoice['id']}") for _ in range(4)))
    assert len(set(contents)) == 1
    assert len(renderers()) == 1, "each document in hand has a process of its own"


async def test_a_draft_is_not_kept(shop: Shop) -> None:
    draft = await shop.draft(await shop.customer(), line(await shop.price("10")))
    await pdf(shop, f"invoices/{draft['id']}")
    assert not (BLOBS.path / str(shop.api.company_id)).exists()
    sent = await shop.send(draft)
    assert "KLADDE" in text_of((await shop.api.get(f"/v1/invoices/{sent['id']}/pdf?draft=true")).content)
    assert not (BLOBS.path / str(shop.api.company_id)).exists()


async def test_what_is_kept_is_the_companys(shop: Shop, other_api: Api) -> None:
    invoice = await sold(shop)
    own = await pdf(shop, f"invoices/{invoice['id']}")
    document = await printed(shop, invoice)
    name = name_of_pdf(document.snapshot, document.logo)
    assert await BLOBS.get(shop.api.company_id, name) == own
    assert await BLOBS.get(other_api.company_id, name) is None
    assert (await other_api.get(f"/v1/invoices/{invoice['id']}/pdf")).status_code == 404


async def test_a_store_that_is_full_keeps_nobody_from_a_pdf(shop: Shop, tmp_path: Path) -> None:
    invoice = await sold(shop)
    own = await pdf(shop, f"invoices/{invoice['id']}")
    document = await printed(shop, invoice)
    (tmp_path / "file").write_text("no folder")
    blobs = Folder(tmp_path / "file" / "folder")
    content = await pdf_of_sent(blobs, shop.api.company_id, document.snapshot, logo=None, attach=INVOICES.attach)
    assert content == own
