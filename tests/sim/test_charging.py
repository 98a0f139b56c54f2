"""Charges at random, in one process: the provider is as bad as it can be, and whoever asks it dies at any point."""

import asyncio
import os
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Any, Final

import pytest
from tests.card_provider import HANGS, Behavior
from tests.charging import Charger
from tests.conftest import Api
from tests.days import job_of

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.verify import verify
from ledgerbee.payments.charges import actions
from ledgerbee.payments.charges.audit import fault_in_card_charges
from ledgerbee.payments.charges.jobs import charge_card
from ledgerbee.payments.providers.model import ChargeStatus, ProviderName, ProviderUnclearError

#: `CHARGING_SEEDS` has others: `1-20`.
SEEDS: Final = range(
    *(int(end) + place for place, end in enumerate(os.environ.get("CHARGING_SEEDS", "1-2").split("-")))
)
_INVOICES: Final = 8
_STEPS: Final = 60
_CLEARING: Final = 6331


class Chaos:
    """What happens to the charges of some invoices."""

    def __init__(self, charger: Charger, random: Random) -> None:
        self.charger, self.random = charger, random
        self.invoices: list[dict[str, Any]] = []
        self.taken_away: dict[str, str] = {}

    async def under_way(self) -> list[str]:
        found = await self.charger.value(
            "SELECT array_agg(id) FROM charges WHERE company_id = $1 AND finished_at IS NULL",
            self.charger.api.company_id,
        )
        return [str(one) for one in found or ()]

    async def ask(self) -> None:
        """Two tabs at once."""
        invoice = self.random.choice(self.invoices)
        path = f"/v1/invoices/{invoice['id']}/charges"
        answers = await asyncio.gather(*(self.charger.api.post(path, {}) for _ in range(2)))
        assert {one.status_code for one in answers} in ({202}, {409}), [one.text for one in answers]

    async def look(self, *, may_die: bool = True) -> None:
        """The job of a charge, in two workers at once or in one that dies."""
        charges = await self.under_way()
        if not charges:
            return
        charge_id = self.random.choice(charges)
        provider = {ProviderName.STRIPE: self.charger.provider}

        async def run() -> None:
            with suppress(ProviderUnclearError, LedgerBeeError):
                await charge_card(provider, job_of(self.charger.api, chargeId=charge_id))

        workers = [asyncio.create_task(run()) for _ in range(self.random.choice((1, 1, 2)))]
        if may_die and self.random.random() < 0.4:
            self.charger.provider.meanwhile = workers[0].cancel if self.random.random() < 0.5 else None
            if self.charger.provider.meanwhile is None:
                await asyncio.sleep(self.random.random() * 0.02)
                workers[0].cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        self.charger.provider.meanwhile = None

    async def decide(self) -> None:
        """The bank or the card's owner decides."""
        open_ = [
            one.reference
            for one in self.charger.provider.charges
            if one.status in {ChargeStatus.PENDING, ChargeStatus.REQUIRES_ACTION}
        ]
        if open_:
            end = self.random.choice((ChargeStatus.SUCCEEDED, ChargeStatus.FAILED))
            self.charger.provider.decide(self.random.choice(open_), end)

    async def pay(self) -> None:
        """A transfer comes in meanwhile."""
        invoice = await self.charger.invoice(self.random.choice(self.invoices)["id"])
        if Decimal(invoice["amountDue"]) > 100:
            body = {"date": "2026-03-16", "amount": "100"}
            await self.charger.ok("POST", f"/v1/invoices/{invoice['id']}/payments", body)

    async def wait(self) -> None:
        self.charger.api.clock.now += timedelta(minutes=self.random.choice((1, 2, 6, 90, 25 * 60)))
        await self.charger.api.run(actions.retry_due)

    async def change_cards(self) -> None:
        """Somebody takes a customer's card away, or gives it back."""
        invoice = self.random.choice(self.invoices)
        path = f"/v1/customers/{invoice['customerId']}/payment-methods"
        cards = await self.charger.ok("GET", path)
        if cards:
            await self.charger.ok_empty("DELETE", f"{path}/{cards[0]['id']}")
            self.taken_away[cards[0]["id"]] = invoice["customerId"]
        for card, customer in list(self.taken_away.items())[:-1]:
            await self.charger.ok("POST", f"/v1/customers/{customer}/payment-methods/{card}/assign", {}, status=200)
            del self.taken_away[card]


#: How long a provider lags and remembers. One that forgets at once shows what it did before anybody asks it again.
_KINDS: Final = (
    (timedelta(0), timedelta(0)),
    (timedelta(minutes=2), timedelta(0)),
    (timedelta(hours=10), timedelta(days=1)),
)
#: What comes of a look that says something about a charge.
_LOOKS: Final = (Behavior.ANSWERS, Behavior.ANSWERS, Behavior.MISUNDERSTANDS, Behavior.CONVERTS, Behavior.MIXES_UP)


@pytest.mark.parametrize("seed", SEEDS)
async def test_nobody_is_charged_twice_and_nothing_goes_unbooked(api: Api, seed: int) -> None:
    random, charger = Random(seed), Charger(api)
    provider = charger.provider
    provider.clock = api.clock
    provider.lag, provider.memory = random.choice(_KINDS)
    await charger.set_up()
    chaos = Chaos(charger, random)
    for number in range(_INVOICES):
        chaos.invoices.append(await charger.due(str(200 * (number + 1))))
    steps = (chaos.ask, chaos.look, chaos.decide, chaos.pay, chaos.wait, chaos.change_cards)
    weights = (4, 6, 2, 2, 3, 1)
    for _ in range(_STEPS):
        provider.then = random.choice(list(Behavior))
        provider.looks = random.choice(_LOOKS)
        provider.is_silent = random.random() < 0.2
        await random.choices(steps, weights)[0]()
    # The provider is well again: every charge ends.
    provider.then, provider.looks, provider.is_silent = Behavior.ANSWERS, Behavior.ANSWERS, False
    api.clock.now += HANGS
    for reference in [one.reference for one in provider.charges if one.status is not ChargeStatus.FAILED]:
        provider.decide(reference, ChargeStatus.SUCCEEDED)
    while await chaos.under_way():
        api.clock.now += timedelta(hours=1)
        await chaos.look(may_die=False)
    taken = [one for one in provider.charges if one.status is ChargeStatus.SUCCEEDED]
    assert max(Counter(one.reference for one in taken).values(), default=1) == 1
    rows = await charger.value(
        "SELECT array_agg(ARRAY[reference, amount::text, status, decline_code]) FROM charges WHERE company_id = $1",
        api.company_id,
    )
    asked = {reference: (Decimal(amount), status, code) for reference, amount, status, code in rows or ()}
    as_asked = [one for one in taken if one.amount == asked[one.reference][0]]
    assert {one for one, (_, status, _) in asked.items() if status == "succeeded"} == {
        one.reference for one in as_asked
    }
    # What it charged another amount of is nobody's until it is paid out: that is said of the charge.
    assert all(asked[one.reference][2] == "amount_mismatch" for one in taken if one not in as_asked)
    assert await charger.balance(_CLEARING) == sum((one.amount for one in as_asked), Decimal(0))
    assert (await api.run(verify, one_snapshot=True)).fault is None
    assert await api.run(fault_in_card_charges) is None
