"""Disputes in payouts: in whatever order they move and are told, clearing and unidentified receipts end at zero."""

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
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
        assert since < until
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
        net = sum((D(amount) - D(fee) for _, amount, fee in parts), D(0))
        rows = [(*part, f"{payout}_{place}") for place, part in enumerate(parts)]
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
        with suppress(LedgerBeeError):
            await job({ProviderName.STRIPE: self.provider}, job_of(self.charger.api, **payload))

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
        assert await balances(charger) == (D(0), D(0), D(100) * count), order
    assert (await charger.ok("GET", "/v1/payouts?status=pending"))["total"] == 0
    assert await charger.api.run(fault_in_payouts) is None


def moved(id_: str, type_: str, amount: str, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "type": type_, "amount": amount, "currency": "DKK", "date": "2026-03-16", **fields}


async def test_it_is_paid_out_once_and_comes_back_only_then(charger: Charger) -> None:
    case = await disputed(charger, is_read=False)
    await case.happens("open")
    await case.happens("taken")
    assert (await balances(charger))[:2] == (D(1350), D(0))
    again = {"object": case.object_id, "payout": "x"}
    body = {"provider": "stripe", "movements": [
        moved("d0", "dispute", "-1250", **again),
        moved("d1", "dispute_reversed", "700", object="dp_of_nobody", payout="x"),
        moved("d2", "payout", "550", object="x"),
    ]}  # fmt: skip
    answer = await charger.ok("POST", IMPORT, body)
    assert [one["kind"] for one in answer["differences"]] == ["unknown_here", "unknown_here"]
    await case.run(read_payouts, provider="stripe")
    (payout,) = [one for one in (await charger.ok("GET", "/v1/payouts"))["data"] if one["providerId"] == "x"]
    unmatched = (await charger.ok("GET", f"/v1/payouts/{payout['id']}"))["unmatched"]
    assert {one["providerId"]: one["unidentifiedAmount"] for one in unmatched} == {"d0": "-1250.00", "d1": "700.00"}
    assert (await balances(charger))[:2] == (D(1350), D(550))
    await case.happens("lost")
    assert (await balances(charger))[:2] == (D(0), D(550))
    # What comes back of one that is lost is nobody's to say.
    await case.happens("back")
    assert (await balances(charger))[:2] == (D(0), D(-700))
    assert await charger.api.run(fault_in_payouts) is None


async def test_another_amount_is_named_and_verify_looks(charger: Charger) -> None:
    charge = await charger.carry_out(await charger.charge(await charger.due()))
    body = {"provider": "stripe", "movements": [
        moved("t1", "charge", "1249.00", reference=charge["reference"], payout="p"),
        moved("t2", "payout", "-1249.00", object="p"),
    ]}  # fmt: skip
    answer = await charger.ok("POST", IMPORT, body)
    assert [(one["kind"], one["amount"], one["providerAmount"]) for one in answer["differences"]] == [
        ("amount_differs", "1250.00", "1249.00")
    ]
    (unmatched,) = answer["payouts"][0]["unmatched"]
    assert (unmatched["chargeId"], unmatched["unidentifiedAmount"]) == (charge["id"], "-1.00")
    assert await balances(charger) == (D(0), D(1), D(0))
    assert await charger.api.run(fault_in_payouts) is None
    for day in ("2027-03-16", "0001-01-01", "9999-12-31"):
        ahead = {"provider": "stripe", "movements": [moved("t9", "fee", "-1") | {"date": day}]}
        await charger.refused("POST", IMPORT, ahead, 400, "SHARED_VALIDATION_FAILED")
    raw = b"id;type;amount;currency;date\nt9;fee;-1,50;DKK;2027-03-16\n"
    headers = {"content-type": "text/csv"}
    refused = (await charger.api.request("POST", f"{IMPORT}?provider=stripe", content=raw, headers=headers)).json()
    assert (refused["code"], refused["details"]["line"]) == ("PAYOUT_IMPORT_UNREADABLE", 2)
