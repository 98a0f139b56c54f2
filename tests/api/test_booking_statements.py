"""Bookings load, decide and write: how many statements that takes, and that the ledger is the first to be written."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.conftest import Api
from tests.selling import Shop, line

from ledgerbee.payments.customer_payments import actions as payments
from ledgerbee.payments.customer_payments.model import PaymentFields, PaymentId
from ledgerbee.platform.context import Context
from ledgerbee.sales.delivery.model import DeliveryType
from ledgerbee.sales.invoices import actions as invoices
from ledgerbee.sales.invoices.model import InvoiceId
from ledgerbee.sales.sending.model import SendCommand, SendOptions

Work = Callable[[Context], Awaitable[Any]]


async def statements(api: Api, work: Work) -> tuple[list[str], list[str]]:
    """What a command reads before it writes anything, and what it sends from its first write on."""
    sent: list[str] = []

    async def counted(context: Context) -> None:
        with context.connection.query_logger(lambda record: sent.append(record.query)):
            await work(context)

    await api.run(counted)
    # The driver asks for types that are new to it, once a connection.
    sent = [one for one in sent if "set_config('jit'" not in one and "typeinfo" not in one]
    writes = ("SELECT last_number, prefix FROM take_numbers", "SELECT * FROM post_entries", "INSERT", "UPDATE", "WITH")
    first = next(place for place, one in enumerate(sent) if one.startswith(writes))
    return sent[:first], [one.split("(", maxsplit=1)[0] for one in sent[first:]]


async def test_what_a_booking_reads_and_writes(api: Api) -> None:
    shop = Shop(api)
    await shop.sold(line(await shop.price()))  # opens the financial year
    draft = await shop.draft(await shop.customer(), line(await shop.price(), 2))
    invoice_id = InvoiceId(UUID(draft["id"]))

    read, written = await statements(
        api, lambda context: invoices.send([context], [SendCommand(invoice_id, SendOptions(DeliveryType.MANUAL))])
    )
    assert len(read) == 5  # the draft, its lines, what it is drawn up from, prices, their VAT zones
    assert written == [
        "SELECT last_number, prefix FROM take_numbers",
        "SELECT * FROM post_entries",
        "WITH booked AS ",
        "INSERT INTO deliveries ",
    ]

    period = {"servicePeriodStart": "2026-03-01", "servicePeriodEnd": "2026-12-31"}
    price = await shop.price()
    later = await shop.draft(await shop.customer(), *[line(price, **period)] * 3)
    later_id = InvoiceId(UUID(later["id"]))
    read_now, written_now = await statements(
        api, lambda context: invoices.send([context], [SendCommand(later_id, SendOptions(DeliveryType.MANUAL))])
    )
    assert len(read_now) == len(read)
    assert written_now == [*written[:3], "INSERT INTO revenue_deferrals ", *written[3:]]

    given = PaymentFields(paid_on=api.clock().date(), amount=Decimal(10))
    read, written = await statements(api, lambda context: payments.record(context, invoice_id, given))
    assert len(read) == 4  # the invoice, what the books say of it, accounts by role, its lines
    assert [one.split()[0] for one in written] == ["SELECT", "INSERT", "UPDATE"]
    assert written[0] == "SELECT * FROM post_entries"

    (paid,) = await shop.ok("GET", f"/v1/invoices/{draft['id']}/payments")
    payment_id = PaymentId(UUID(paid["id"]))
    read, written = await statements(api, lambda context: payments.reverse(context, payment_id, None, None))
    # payment, invoice, lines, delivery, what of its credit was used; the entry, its lines, the company's language
    assert len(read) == 8
    assert written[0] == "SELECT * FROM post_entries"
    assert [one.split()[:2] for one in written[1:]] == [["UPDATE", "payments"], ["UPDATE", "invoices"]]
