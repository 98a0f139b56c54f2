"""Subscriptions that begin when they are paid, at random: each begins or ends, and its invoice says the same."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from random import Random
from typing import Any, Final

import pytest
from tests.billing import Biller
from tests.card_provider import Behavior
from tests.charging import Charger
from tests.conftest import Api
from tests.days import job_of

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.charges import actions
from ledgerbee.payments.charges.jobs import charge_card
from ledgerbee.payments.providers.model import ChargeStatus, ProviderName, ProviderUnclearError

_SUBSCRIPTIONS: Final = 7
_STEPS: Final = 30
_OUTCOMES: Final = (
    Behavior.ANSWERS, Behavior.LOSES_ANSWER, Behavior.DECLINES, Behavior.DECLINES, Behavior.DECLINES_FOR_GOOD,
    Behavior.WANTS_CONFIRMATION, Behavior.UNDECIDED,
)  # fmt: skip


class Chaos:
    """What happens to subscriptions that wait to be paid for, two things at a time."""

    def __init__(self, api: Api, random: Random) -> None:
        self.api, self.random = api, random
        self.charger, self.biller = Charger(api), Biller(api)
        self.ids: list[str] = []

    async def begin(self) -> None:
        await self.charger.set_up()
        plan = await self.biller.plan(await self.biller.recurring("100"))
        for _ in range(_SUBSCRIPTIONS):
            customer = await self.biller.customer(email="faktura@example.com")
            card = await self.charger.card(customer)
            fields = {"paymentMethodId": card, "automaticBilling": True, "paymentBehavior": "pay_first"}
            day = (self.api.clock() + timedelta(days=self.random.randrange(3))).date().isoformat()
            self.ids.append(await self.biller.subscribe(plan, day, customer, **fields))

    async def bill(self) -> None:
        await self.biller.bill()

    async def look(self) -> None:
        for charge_id in await self._under_way():
            await self._look_at(charge_id)

    async def _look_at(self, charge_id: str) -> None:
        with suppress(ProviderUnclearError, LedgerBeeError):
            await charge_card({ProviderName.STRIPE: self.charger.provider}, job_of(self.api, chargeId=charge_id))

    async def _under_way(self) -> list[str]:
        found = await self.charger.value(
            "SELECT array_agg(id) FROM charges WHERE company_id = $1 AND finished_at IS NULL", self.api.company_id
        )
        return [str(one) for one in found or ()]

    async def decide(self) -> None:
        provider = self.charger.provider
        waiting = {ChargeStatus.PENDING, ChargeStatus.REQUIRES_ACTION}
        for one in [one for one in provider.charges if one.status in waiting]:
            provider.decide(one.reference, self.random.choice((ChargeStatus.SUCCEEDED, ChargeStatus.FAILED)))

    async def pay(self) -> None:
        """By hand, all or a part, of an invoice that may be settled by then."""
        first = (await self.biller.subscription(self.random.choice(self.ids)))["firstInvoiceId"]
        if first is not None:
            body = {"date": self.api.clock().date().isoformat(), "amount": self.random.choice(("125", "60"))}
            answer = await self.api.post(f"/v1/invoices/{first}/payments", body)
            assert answer.status_code in {201, 409, 400}, answer.text

    async def credit(self) -> None:
        first = (await self.biller.subscription(self.random.choice(self.ids)))["firstInvoiceId"]
        if first is not None:
            invoice = await self.biller.invoice(first)
            body = {"customerId": invoice["customerId"], "invoiceNumber": invoice["number"]}
            made = await self.api.post("/v1/credit-notes", body)
            if made.status_code == 201:
                await self.api.post(f"/v1/credit-notes/{made.json()['id']}/send", {"deliveryType": "Manual"})

    async def cancel(self) -> None:
        answer = await self.api.post(
            "/v1/subscriptions/cancel", {"id": self.random.choice(self.ids), "strategy": "end_of_cycle"}
        )
        assert answer.status_code in {200, 409}, answer.text

    async def wait(self) -> None:
        self.api.clock.now += timedelta(days=1)
        await self.api.run(actions.retry_due)

    async def told(self) -> dict[str, list[str]]:
        topics: dict[str, list[str]] = {one: [] for one in self.ids}
        for topic in ("started", "churned"):
            for event in await self.biller.events(f"subscription.{topic}"):
                topics[event["subscriptionId"]].append(topic)
        return topics

    async def end(self) -> None:
        """The provider is well again, and two weeks go by."""
        self.charger.provider.then = Behavior.DECLINES_FOR_GOOD
        for _ in range(14):
            await self.wait()
            await self.decide()
            await self.look()
            await self.bill()


def ending(subscription: dict[str, Any], topics: list[str], invoice: dict[str, Any] | None) -> bool:
    """Whether it stands where its events and its invoice say."""
    status, paid = subscription["status"], None if invoice is None else invoice["status"]
    if "started" in topics:
        going_on = {"active", "pending_cancellation"}
        return topics.count("started") == 1 and paid in {"paid", "credited"} and status in {*going_on, "cancelled"}
    return topics == ["churned"] and status in {"expired", "cancelled"} and paid in {"credited", None}


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_begins_or_ends_and_its_invoice_says_the_same(api: Api, seed: int) -> None:
    random = Random(seed)
    chaos = Chaos(api, random)
    await chaos.begin()
    await chaos.bill()
    steps = (
        chaos.bill, chaos.bill, chaos.look, chaos.look, chaos.look, chaos.decide, chaos.pay, chaos.pay, chaos.credit,
        chaos.cancel, chaos.wait,
    )  # fmt: skip
    for _ in range(_STEPS):
        chaos.charger.provider.then = random.choice(_OUTCOMES)
        first, second = random.sample(steps, 2)
        if chaos.wait in {first, second}:
            await first()
            await second()
        else:
            await asyncio.gather(first(), second())
    await chaos.end()
    topics = await chaos.told()
    for one in chaos.ids:
        subscription = await chaos.biller.subscription(one)
        first_id = subscription["firstInvoiceId"]
        invoice = None if first_id is None else await chaos.biller.invoice(first_id)
        assert ending(subscription, topics[one], invoice), (subscription["status"], topics[one], invoice)
    taken = chaos.charger.provider.taken
    succeeded = await chaos.charger.value(
        "SELECT array_agg(reference) FROM charges WHERE company_id = $1 AND status = 'succeeded'", api.company_id
    )
    assert set(succeeded or ()) == set(taken)
    await chaos.biller.check_books()
