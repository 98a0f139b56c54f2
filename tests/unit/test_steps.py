"""Work in steps gives the same, and others have their turn in between."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.selling import as_told

from ledgerbee.platform.steps import STRIDE, StepCounter, in_steps
from ledgerbee.sales.documents.model import DocumentLineType, FullDocument, Line
from ledgerbee.sales.invoices.model import Invoice, InvoiceId, InvoiceStatus
from ledgerbee.sales.invoices.wire import event_form, render

ID = UUID("01930000-0000-7000-8000-000000000000")


async def turns_during(work: Awaitable[object]) -> int:
    """How often somebody else had a turn meanwhile."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    neighbour = asyncio.create_task(count())
    await work
    neighbour.cancel()
    return turns


@given(st.lists(st.integers(0, 3 * STRIDE), max_size=50))
def test_all_items_come_once_and_in_order(sizes: list[int]) -> None:
    async def taken() -> list[int]:
        return [one async for one in in_steps(sizes, lambda size: size)]

    async def run() -> int:
        return await turns_during(taken())

    assert asyncio.run(taken()) == sizes
    counter = StepCounter()
    assert asyncio.run(run()) == sum(counter.is_due(size) for size in sizes)


@given(st.lists(st.integers(0, STRIDE - 1), max_size=50))
def test_no_more_is_done_between_two_turns_than_a_stride_and_an_item(sizes: list[int]) -> None:
    counter, done = StepCounter(), 0
    for size in sizes:
        done += size
        if counter.is_due(size):
            done = 0
        assert done < STRIDE


@pytest.mark.parametrize("work", [render, event_form])
async def test_a_large_invoice_is_written_out_in_steps(work: object) -> None:
    line = Line(ID, DocumentLineType.TEXT, "Kaffe")
    moment = datetime(2026, 3, 16, 12, tzinfo=UTC)
    invoice = Invoice(
        id=InvoiceId(ID),
        status=InvoiceStatus.DRAFT,
        created_at=moment,
        updated_at=moment,
        customer_id=ID,
        customer_department_id=None,
        customer_contact_id=None,
        reference=None,
        our_reference=None,
        description=None,
        notes=None,
        document_template_id=None,
        issue_date=date(2026, 3, 16),
        due_date=date(2026, 3, 30),
        payment_terms_days=14,
        currency="DKK",
        subtotal=Decimal(1),
        vat=Decimal(0),
        amount=Decimal(1),
    )
    assert callable(work)
    assert await turns_during(work(FullDocument(invoice, (line,) * 5_000))) >= 5_000 // STRIDE
    whole = await event_form(FullDocument(invoice, (line,) * 300))
    assert whole == as_told((await render(FullDocument(invoice, (line,) * 300))).model_dump(mode="json"))
