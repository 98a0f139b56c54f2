"""Charges over the adapters' own HTTP, to servers that stand for Stripe and QuickPay and behave as badly as any: each
ends, none is made twice, and what stands in the books is what the provider took.
"""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

import pytest
import pytest_asyncio
from tests.charging import Charger
from tests.conftest import Api, SteeredClock
from tests.days import job_of
from tests.providers import quickpay_server as quickpay
from tests.providers import stripe_server as stripe
from tests.providers.faults import Fault, Front, reference_of
from tests.receivers import Answer, Behaviour, Received, receiving
from tests.selling import line

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.ledger.verify import verify
from ledgerbee.payments.charges.jobs import charge_card, charges_of
from ledgerbee.payments.providers.model import Provider, ProviderName, ProviderUnclearError
from ledgerbee.payments.providers.quickpay import QuickPay
from ledgerbee.payments.providers.stripe import Stripe

CLEARING: Final = 6331
#: Seconds that the adapters wait here.
TIMEOUT_S: Final = 0.25
MOST_LOOKS: Final = 60
STRIPE, QUICKPAY = ProviderName.STRIPE, ProviderName.QUICKPAY


@dataclass
class Site:
    """A provider's server, its adapter and a saved card; what it took of cards, by reference, in minor units."""

    name: ProviderName
    front: Front
    adapter: Provider
    keys: dict[str, str]
    agreement_id: str
    taken: Callable[[], list[tuple[str, int]]]


@pytest_asyncio.fixture(scope="module")
async def stripe_behind() -> AsyncIterator[stripe.StripeServer]:
    async with stripe.stripe_server() as server:
        yield server


@pytest_asyncio.fixture
async def site(request: pytest.FixtureRequest, api: Api, stripe_behind: stripe.StripeServer) -> AsyncIterator[Site]:
    maker = _at_stripe if request.param is STRIPE else _at_quickpay
    async for found in maker(api.clock, stripe_behind):
        yield found


async def _at_stripe(clock: SteeredClock, server: stripe.StripeServer) -> AsyncIterator[Site]:
    front = Front(server.answer, clock, forget=server.forget)
    customer = await server.do("customers")
    card = {"card[number]": "4242424242424242", "card[exp_month]": "12", "card[exp_year]": "2030", "card[cvc]": "123"}
    method = await server.do("payment_methods", type="card", **card)
    await server.do(f"payment_methods/{method['id']}/attach", customer=customer["id"])

    def taken() -> list[tuple[str, int]]:
        return [
            (str(reference_of(one)), one["amount"])
            for one in server.made.values()
            if one["customer"] == customer["id"] and one["status"] == "succeeded"
        ]

    async with receiving(front.answer) as receiver:
        yield Site(
            STRIPE,
            front,
            Stripe(receiver.url.removesuffix("/hook"), TIMEOUT_S),
            {"secretKey": stripe.SECRET_KEY, "webhookSecret": stripe.WEBHOOK_SECRET},
            f"{customer['id']}/{method['id']}",
            taken,
        )


async def _at_quickpay(clock: SteeredClock, _: stripe.StripeServer) -> AsyncIterator[Site]:
    server = quickpay.QuickPayServer()
    server.subscriptions[7] = {"id": 7, "order_id": "CARD7", "state": "active", "currency": "DKK", "operations": []}
    front = Front(server.answer, clock)

    def taken() -> list[tuple[str, int]]:
        return [(one["order_id"], one["operations"][0]["amount"]) for one in server.payments.values()]

    async with receiving(front.answer) as receiver:
        yield Site(
            QUICKPAY,
            front,
            QuickPay(receiver.url.removesuffix("/hook"), TIMEOUT_S),
            {"apiKey": quickpay.API_KEY, "privateKey": quickpay.PRIVATE_KEY},
            "7",
            taken,
        )


@dataclass
class Till:
    """A company that charges at a site."""

    charger: Charger
    site: Site
    price: str = ""
    customer: str = ""

    @classmethod
    async def open(cls, api: Api, site: Site) -> "Till":
        """Set the provider up."""
        till = cls(Charger(api), site)
        till.price = await till.charger.price("80")
        till.customer = await till.charger.customer()
        body = {"isEnabled": True, "keys": site.keys}
        await till.charger.ok("PUT", f"/v1/payment-providers/{site.name}", body, status=200)
        await till.charger.card(till.customer, provider=site.name, agreement_id=site.agreement_id)
        return till

    async def begin(self) -> dict[str, Any]:
        """A charge of an invoice of 100.00."""
        draft = await self.charger.draft(self.customer, line(self.price))
        return await self.charger.charge(await self.charger.send(draft))

    async def look(self, charge: dict[str, Any]) -> dict[str, Any]:
        """One run of the charge's job."""
        with suppress(ProviderUnclearError, LedgerBeeError):
            await charge_card({self.site.name: self.site.adapter}, job_of(self.charger.api, chargeId=charge["id"]))
        return await self.charger.charged(charge["id"])

    async def to_its_end(self, charge: dict[str, Any]) -> dict[str, Any]:
        """The charge when it has ended, looked at as often as its job is run."""
        pauses = charges_of({})
        for attempt in range(1, MOST_LOOKS):
            charge = await self.look(charge)
            if charge["finishedAt"] is not None:
                return charge
            self.charger.api.clock.now += pauses.pause_after(attempt)
            await self.site.front.tick()
        raise AssertionError(charge)

    async def check(self, charge: dict[str, Any], *, is_taken: bool) -> None:
        """What the provider took of the one charge that there is, and that the books have it if it succeeded."""
        assert self.site.taken() == ([(charge["reference"], 10000)] if is_taken else [])
        booked = Decimal(100) if charge["status"] == "succeeded" else Decimal(0)
        assert await self.charger.balance(CLEARING) == booked
        assert (await self.charger.api.run(verify, one_snapshot=True)).fault is None


#: Faults of the requests to charge, and of the looks after them: they pass.
PASSING: Final[list[tuple[list[Fault], list[Fault]]]] = [([fault], []) for fault in Fault] + [
    ([Fault.ERROR_BEFORE, Fault.TOO_MANY, Fault.IS_LOST, Fault.ERROR_BEFORE], []),
    ([Fault.ANSWERS_LATE], [Fault.ERROR_AFTER, Fault.GARBAGE, Fault.EMPTY, Fault.HTML, Fault.TOO_MANY]),
    ([Fault.IS_LOST], [Fault.CLOSES, Fault.CUTS_BODY, Fault.ERROR_BEFORE, Fault.ANOTHER_OBJECT]),
    ([Fault.HANGS], [Fault.ANSWERS_LATE, Fault.ANSWERS_TWICE]),
    ([Fault.ERROR_AFTER], [Fault.WRONG_AMOUNT, Fault.WRONG_CURRENCY, Fault.WRONG_REFERENCE]),
]
BOTH: Final = pytest.mark.parametrize("site", [STRIPE, QUICKPAY], indirect=True)


@BOTH
async def test_whatever_passes_ends_with_one_charge(api: Api, site: Site) -> None:
    till = await Till.open(api, site)
    for number, (charging, looking) in enumerate(PASSING, 1):
        charge = await till.begin()
        site.front.charging, site.front.looking = list(charging), list(looking)
        charge = await till.to_its_end(charge)
        assert charge["status"] == "succeeded", (charging, looking, charge)
        assert len(site.taken()) == number, (charging, looking)
        assert site.taken()[-1] == (charge["reference"], 10000)
    assert await till.charger.balance(CLEARING) == 100 * len(PASSING)
    assert (await api.run(verify, one_snapshot=True)).fault is None


@BOTH
@pytest.mark.parametrize("lag", [timedelta(seconds=20), timedelta(minutes=2), timedelta(hours=3), timedelta(hours=20)])
async def test_what_is_shown_late_is_not_charged_again(api: Api, site: Site, lag: timedelta) -> None:
    """The provider doesn't know of the charge for a while and then does: by then it refuses the reference."""
    till = await Till.open(api, site)
    site.front.lag, site.front.charging = lag, [Fault.HANGS]
    charge = await till.to_its_end(await till.begin())
    assert charge["status"] == "succeeded"
    await till.check(charge, is_taken=True)
    assert (site.front.asked > 1) is (lag > timedelta(minutes=5))


@BOTH
async def test_a_charge_that_hangs_while_its_invoice_is_paid_is_not_lost(api: Api, site: Site) -> None:
    """Nothing is due any more, and the provider doesn't know of the charge yet: it has not failed."""
    till = await Till.open(api, site)
    site.front.charging = [Fault.HANGS]
    charge = await till.look(await till.begin())
    paid = {"date": "2026-03-16", "amount": "100"}
    await till.charger.ok("POST", f"/v1/invoices/{charge['invoiceId']}/payments", paid)
    assert (await till.look(charge))["status"] == "unclear"
    charge = await till.to_its_end(charge)
    assert (charge["status"], charge["unappliedAmount"]) == ("succeeded", "100.00")
    await till.check(charge, is_taken=True)


@BOTH
async def test_one_that_never_arrived_and_is_not_wanted_ends_after_a_day(api: Api, site: Site) -> None:
    till = await Till.open(api, site)
    site.front.charging = [Fault.IS_LOST]
    charge = await till.look(await till.begin())
    begun = api.clock.now
    paid = {"date": "2026-03-16", "amount": "1"}
    await till.charger.ok("POST", f"/v1/invoices/{charge['invoiceId']}/payments", paid)
    charge = await till.to_its_end(charge)
    assert (charge["status"], charge["declineCode"], charge["retryOn"]) == ("failed", "nothing_due", None)
    assert api.clock.now >= begun + timedelta(days=1)
    await till.check(charge, is_taken=False)


@BOTH
@pytest.mark.parametrize("fault", [Fault.WRONG_AMOUNT, Fault.WRONG_CURRENCY])
async def test_what_the_provider_stands_by_is_not_booked(api: Api, site: Site, fault: Fault) -> None:
    till = await Till.open(api, site)
    site.front.always = fault
    charge = await till.to_its_end(await till.begin())
    assert (charge["status"], charge["declineCode"], charge["retryOn"]) == ("failed", "amount_mismatch", None)
    assert site.front.asked == 1
    await till.check(charge, is_taken=True)


@BOTH
async def test_an_account_that_is_another_one_can_not_say(api: Api, site: Site) -> None:
    """The company has changed its keys: what the new account doesn't know was not charged there, but elsewhere."""
    till = await Till.open(api, site)
    site.front.charging = [Fault.ANSWERS_LATE]
    charge = await till.look(await till.begin())
    behind, site.front.behind = site.front.behind, OTHERS[site.name]
    for hours in range(30):
        api.clock.now += timedelta(hours=hours)
        assert (await till.look(charge))["status"] == "unclear"
    site.front.behind = behind
    charge = await till.to_its_end(charge)
    assert charge["status"] == "succeeded"
    await till.check(charge, is_taken=True)


async def _other_stripe(_: Received) -> Answer:
    return stripe.failure(400, "invalid_request_error", code="resource_missing", param="customer")


OTHERS: Final[Mapping[ProviderName, Behaviour]] = {STRIPE: _other_stripe, QUICKPAY: quickpay.QuickPayServer().answer}
