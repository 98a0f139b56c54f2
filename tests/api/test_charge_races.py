"""Charges while something else happens to their invoice, their card or their provider: one charge, one booking."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from tests.card_provider import Behavior
from tests.charging import Charger
from tests.conftest import Api
from tests.days import job_of
from tests.selling import line

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.verify import verify
from ledgerbee.payments.charges import actions
from ledgerbee.payments.charges.audit import fault_in_card_charges
from ledgerbee.payments.charges.jobs import charge_card
from ledgerbee.payments.providers.model import ProviderName, ProviderUnclearError

CLEARING, UNIDENTIFIED, RECEIVABLE = 6331, 8042, 6190

Meanwhile = Callable[[Charger, dict[str, Any]], Awaitable[None]]


@pytest.fixture
async def charger(api: Api) -> Charger:
    charger = Charger(api)
    await charger.set_up()
    return charger


async def check_books(charger: Charger) -> None:
    """What the provider took stands on clearing, and the books hold."""
    assert await charger.balance(CLEARING) == sum(charger.provider.taken.values(), Decimal(0))
    assert (await charger.api.run(verify, one_snapshot=True)).fault is None
    assert await charger.api.run(fault_in_card_charges) is None


async def pay(charger: Charger, invoice: dict[str, Any]) -> None:
    body = {"date": "2026-03-16", "amount": invoice["amount"]}
    await charger.ok("POST", f"/v1/invoices/{invoice['id']}/payments", body)


async def pay_in_part(charger: Charger, invoice: dict[str, Any]) -> None:
    await charger.ok("POST", f"/v1/invoices/{invoice['id']}/payments", {"date": "2026-03-16", "amount": "250"})


async def credit(charger: Charger, invoice: dict[str, Any]) -> None:
    await charger.credited(invoice)


async def write_off(charger: Charger, invoice: dict[str, Any]) -> None:
    await charger.ok("POST", f"/v1/invoices/{invoice['id']}/write-off", {})


async def unassign(charger: Charger, invoice: dict[str, Any]) -> None:
    path = f"/v1/customers/{invoice['customerId']}/payment-methods"
    (card,) = await charger.ok("GET", path)
    await charger.ok_empty("DELETE", f"{path}/{card['id']}")


async def switch_off(charger: Charger, _: dict[str, Any]) -> None:
    await charger.ok("PUT", "/v1/payment-providers/stripe", {"isEnabled": False}, status=200)


#: What happens; what becomes of a charge before its provider was asked, and of one that it was asked for: the code of
#: its end, or what it is more than is due by then.
CASES: list[tuple[Meanwhile, str, str]] = [
    (pay, "nothing_due", "1250.00"),
    (pay_in_part, "nothing_due", "250.00"),
    (credit, "nothing_due", "1250.00"),
    (write_off, "nothing_due", "0.00"),
    (unassign, "card_unavailable", "0.00"),
    (switch_off, "card_unavailable", "0.00"),
]


@pytest.mark.parametrize(("meanwhile", "code", "unapplied"), CASES)
async def test_what_happens_before_the_provider_is_asked_and_after(
    charger: Charger, meanwhile: Meanwhile, code: str, unapplied: str
) -> None:
    """One that was not asked for isn't; one that was is booked, on the invoice as far as that takes it."""
    one, other = await charger.due(), await charger.due()
    asked = await charger.charge(one)
    charger.provider.next = [Behavior.LOSES_ANSWER]
    charge = await charger.carry_out(await charger.charge(other))
    for invoice in (one, other):
        await meanwhile(charger, invoice)
    ended = await charger.carry_out(asked)
    assert (ended["status"], ended["declineCode"], ended["retryOn"]) == ("failed", code, None)
    charge = await charger.carry_out(charge)
    assert (charge["status"], charge["unappliedAmount"]) == ("succeeded", unapplied)
    assert charger.provider.calls["charge"] == 1
    await check_books(charger)


async def test_tabs_the_next_try_and_workers_are_one_charge(charger: Charger) -> None:
    """Two tabs, the daily task's next try and three workers at once, again and again (C8)."""
    invoice = await charger.due()
    charger.provider.next = [Behavior.DECLINES]
    await charger.carry_out(await charger.charge(invoice))
    charger.api.clock.now += timedelta(days=1)
    path = f"/v1/invoices/{invoice['id']}/charges"
    *answers, _ = await asyncio.gather(
        charger.api.post(path), charger.api.post(path), charger.api.post(path), charger.api.run(actions.retry_due)
    )
    assert {one.status_code for one in answers} == {202}
    (charge_id,) = {one.json()["id"] for one in answers}
    assert len(await charger.ok("GET", path)) == 2
    charger.provider.next = [Behavior.LOSES_REQUEST]

    async def work() -> None:
        with suppress(ProviderUnclearError, LedgerBeeError):
            await charge_card({ProviderName.STRIPE: charger.provider}, job_of(charger.api, chargeId=charge_id))

    for _ in range(8):
        await asyncio.gather(work(), work(), work())
        charger.api.clock.now += timedelta(minutes=2)
    charge = await charger.charged(charge_id)
    assert (charge["status"], charge["unappliedAmount"], charge["attempt"]) == ("succeeded", "0.00", 2)
    assert len(charger.provider.taken) == 1
    assert charger.provider.calls["charge"] == 3  # declined, lost, and once more
    await check_books(charger)


async def test_a_payment_and_the_answer_at_once(charger: Charger) -> None:
    """Whichever comes first, together they pay the invoice once; the rest is unidentified, or refused."""
    for _ in range(4):
        invoice = await charger.due()
        charge = await charger.charge(invoice)
        body = {"date": "2026-03-16", "amount": "1250"}
        path = f"/v1/invoices/{invoice['id']}/payments"
        done, paid = await asyncio.gather(charger.carry_out(charge), charger.api.post(path, body))
        assert paid.status_code in {201, 409}, paid.text
        assert (await charger.invoice(invoice["id"]))["status"] == "paid"
        by_hand = paid.status_code == 201
        assert (done["status"], done["unappliedAmount"]) in {
            ("succeeded", "1250.00" if by_hand else "0.00"), ("failed", "0.00"),
        }  # fmt: skip
    assert await charger.balance(RECEIVABLE) == 0
    await check_books(charger)


async def test_those_that_begin_together_end_each_in_its_own_way(charger: Charger) -> None:
    """Of a billing run's: what has no clear answer, is undecided or can't be booked is left to a job of its own."""
    price = await charger.price("80")
    cards: dict[str, str] = {}
    invoices = []
    for _ in range(9):
        customer = await charger.customer()
        cards[customer] = await charger.card(customer)
        invoices.append(await charger.send(await charger.draft(customer, line(price))))
    await charger.begin_together([one["id"] for one in invoices], cards)
    await unassign(charger, invoices[0])
    await pay(charger, invoices[1])
    kinds = [
        Behavior.ANSWERS, Behavior.LOSES_ANSWER, Behavior.LOSES_REQUEST, Behavior.REFUSES, Behavior.DECLINES,
        Behavior.WANTS_CONFIRMATION, Behavior.MISUNDERSTANDS,
    ]  # fmt: skip
    charger.provider.next = list(kinds)
    await charger.carry_out_together()
    found = [(await charger.ok("GET", f"/v1/invoices/{one['id']}/charges"))[0] for one in invoices]
    assert sorted(one["status"] for one in found) == sorted(
        ["pending"] * 2 + ["succeeded"] + ["unclear"] * 3 + ["failed"] * 2 + ["requires_action"]
    )
    await charger.carry_out_together()  # its worker died, and the next has it again: nobody is asked
    assert charger.provider.calls["charge"] == len(kinds)
    waiting = await charger.value(
        "SELECT count(DISTINCT convert_from(payload, 'UTF8')::json ->> 'chargeId') FROM pgqueuer"
        " WHERE entrypoint = 'charge_card' AND convert_from(payload, 'UTF8')::json ->> 'companyId' = $1",
        str(charger.api.company_id),
    )
    assert waiting == 6
    charger.api.clock.now += timedelta(minutes=6)
    ended = [await charger.carry_out(one) for one in found]
    codes = sorted(one["declineCode"] or one["status"] for one in ended)
    assert codes == sorted(
        ["card_unavailable", "nothing_due", "provider_refused", "insufficient_funds", "requires_action"]
        + ["succeeded"] * 4
    )
    assert len(await charger.events("payment.succeeded")) == 4
    await check_books(charger)


async def test_those_that_begin_together_in_a_period_that_is_closed(charger: Charger) -> None:
    """None is asked for but by a job of its own, when the period is open."""
    price, customer = await charger.price("80"), await charger.customer()
    card = await charger.card(customer)
    invoices = [await charger.send(await charger.draft(customer, line(price))) for _ in range(3)]
    await charger.begin_together([one["id"] for one in invoices], {customer: card})
    await charger.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-03-31"}, status=200)
    await charger.carry_out_together()
    found = [(await charger.ok("GET", f"/v1/invoices/{one['id']}/charges"))[0] for one in invoices]
    assert {one["status"] for one in found} == {"pending"}
    assert charger.provider.calls["charge"] == 0
    await charger.ok("PUT", "/v1/ledger/lock-date", {"lockedThrough": "2026-02-28", "reopen": True}, status=200)
    assert {(await charger.carry_out(one))["status"] for one in found} == {"succeeded"}
    assert charger.provider.calls["charge"] == 3
    await check_books(charger)
