"""Disputes in payouts: in whatever order they move and are told, clearing and unidentified receipts end at zero."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from tests.card_provider import CardProvider
from tests.charging import Charger
from tests.conftest import Api
from tests.days import job_of

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.payments.disputes.jobs import look_at_dispute
from ledgerbee.payments.payouts.audit import fault_in_payouts
from ledgerbee.payments.payouts.jobs import read_payouts
from ledgerbee.payments.providers.model import (
    Access,
    DisputeStatus,
    Movement,
    MovementType,
    ProviderDispute,
    ProviderName,
)

D = Decimal
BANK, CLEARING, FEES, UNIDENTIFIED = 6480, 6331, 2391, 8042
IMPORT = "/v1/payouts/import"

#: What happens of a disputed charge that a payout had: the provider pays out what it took, and what it gave back; it
#: tells of the dispute, and how it ends.
LOST = [
    order
    for steps in (("taken", "open", "lost"), ("taken", "lost"))
    for order in permutations(steps)
    if "open" not in order or order.index("open") < order.index("lost")
]
WON = [
    order
    for steps in (("taken", "back", "open", "won"), ("both", "open", "won"), ("taken", "back", "won"))
    for order in permutations(steps)
    if ("open" not in order or order.index("open") < order.index("won"))
    and ("back" not in order or order.index("taken") < order.index("back"))
]


class Teller(CardProvider):
    """A provider whose own list is what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.moves: list[Movement] = []

    async def movements(self, access: Access, since: datetime, until: datetime) -> AsyncIterator[Movement]:
        assert access.keys
        for one in self.moves:
            yield one


class Case:
    """A charge that was paid out, and its dispute."""

    def __init__(self, charger: Charger, provider: Teller, charge: dict[str, Any], *, is_read: bool) -> None:
        self.charger, self.provider, self.charge, self.is_read = charger, provider, charge, is_read
        there = next(one for one in provider.charges if one.reference == charge["reference"])
        self.object_id, self.name = there.provider_id, f"dp_{there.provider_id}"
        self.count = 0

    async def pay_out(self, *parts: tuple[str, str, str]) -> None:
        """A payout of movements: type, amount and fee."""
        self.count += 1
        payout = f"po_{self.name}_{self.count}"
        net = sum((D(amount) - D(fee) for _, amount, fee in parts), D(0)) or D(1)
        rows = [(*part, f"{payout}_{place}") for place, part in enumerate(parts)]
        rows += [("fee", "1", "0", f"{payout}_f")] if net == 1 else []
        rows.append(("payout", str(-net), "0", payout))
        if self.is_read:
            now = self.charger.api.clock.now
            self.provider.moves = [
                Movement(
                    provider_id=id_, type=MovementType(type_), amount=D(amount), fee=D(fee), currency="DKK", at=now,
                    object_id=payout if type_ == "payout" else self.name if "dispute" in type_ else None,
                    charge_id=self.object_id if "dispute" in type_ else None, payout_id=payout,
                    reference=self.charge["reference"] if type_ == "charge" else None,
                )
                for type_, amount, fee, id_ in rows
            ]  # fmt: skip
        else:
            body = [
                {"id": id_, "type": type_, "amount": amount, "fee": fee, "currency": "DKK", "date": "2026-03-16",
                 "payout": payout, "object": payout if type_ == "payout" else self.object_id}
                for type_, amount, fee, id_ in rows
            ]  # fmt: skip
            await self.charger.ok("POST", IMPORT, {"provider": "stripe", "movements": body})
        for _ in range(2):  # it waits once for the provider's word
            await self.run(read_payouts, provider="stripe")
        self.provider.moves = []

    async def run(self, job: Any, **payload: str) -> None:
        try:
            await job({ProviderName.STRIPE: self.provider}, job_of(self.charger.api, **payload))
        except LedgerBeeError as fault:
            assert fault.is_passing, fault.code

    async def happens(self, step: str) -> None:
        taken, back = ("dispute", "-1250", "100"), ("dispute_reversed", "1250", "0")
        if step in {"taken", "back", "both"}:
            await self.pay_out(*{"taken": [taken], "back": [back], "both": [taken, back]}[step])
            return
        self.provider.disputes[self.name] = ProviderDispute(
            provider_id=self.name, charge_id=self.object_id, status=DisputeStatus(step), amount=D(1250),
            currency="DKK", reason="fraudulent", fee=D(100),
        )  # fmt: skip
        await self.run(look_at_dispute, provider="stripe", disputeId=self.name)


@pytest.fixture
async def charger(api: Api) -> Charger:
    charger = Charger(api)
    charger.provider = Teller()
    await charger.set_up()
    return charger


async def balances(charger: Charger) -> tuple[Decimal, ...]:
    return tuple([await charger.balance(number) for number in (CLEARING, UNIDENTIFIED, FEES)])


async def disputed(charger: Charger, *, is_read: bool) -> Case:
    """A charge that was paid out."""
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    assert isinstance(charger.provider, Teller)
    case = Case(charger, charger.provider, charge, is_read=is_read)
    await case.pay_out(("charge", "1250", "0"))
    assert (await balances(charger))[:2] == (D(0), D(0))
    return case


@pytest.mark.parametrize("is_read", [True, False], ids=["read", "imported"])
@pytest.mark.parametrize("orders", [LOST, WON], ids=["lost", "won"])
async def test_in_whatever_order(charger: Charger, orders: Sequence[Sequence[str]], *, is_read: bool) -> None:
    for count, order in enumerate(orders, 1):
        case = await disputed(charger, is_read=is_read)
        for step in order:
            await case.happens(step)
        fees = D(100) * count - D(1) * sum(one.count("both") for one in orders[:0])
        assert (await balances(charger))[:2] == (D(0), D(0)), (order, fees)
    (pending,) = [await charger.ok("GET", "/v1/payouts?status=pending")]
    assert pending["total"] == 0
    assert await charger.api.run(fault_in_payouts) is None
