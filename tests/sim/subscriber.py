"""Subscriptions at random: assigned, changed, paused, cancelled, used and billed; what they cost is predicted."""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import httpx
from tests.sim.agreements import Agreement, Plan, Prices, Refused, Used
from tests.sim.auditor import MismatchError, same
from tests.sim.figures import text_of
from tests.sim.requests import Request

CURRENCY: Final = "DKK"
ZONE: Final = ZoneInfo("Europe/Copenhagen")
MODES: Final = ("none", "create_prorations", "always_invoice")
#: Minor units a month. The second of each list is optional: it is billed where it was chosen.
_AMOUNTS: Final = ((100_00, 49_99), (333_33, 7_07))
#: Of what is used, by plan: up to so many, and what each costs in minor units.
_TIERS: Final = (((20, "23.5"), (45, "9.75"), (None, "3.3")), ((None, "12.25"),))
#: How events of a meter are counted, by what becomes of them.
_COUNTS: Final = ("unattributed", "billed", "open")


@dataclass
class Subscriber:
    """One seed's requests about subscriptions of one company, and what the model makes of them.

    `send` gets the answer to a request, however often that has to be sent; `bill` has everything billed that is due,
    and returns when it is; `today` is the company's day, and where it can be moved, `move` moves it. `tag` tells its
    idempotency keys from others'. Every method raises `MismatchError` where the system says something else.
    """

    send: Callable[[Request], Awaitable[httpx.Response]]
    bill: Callable[[], Awaitable[None]]
    today: Callable[[], date]
    random: Random
    tag: str
    move: Callable[[int], None] | None = None
    meter: str = ""
    customer: str = ""
    plans: list[Plan] = field(default_factory=list)
    prices: Prices = field(default_factory=lambda: Prices({}, {}))
    agreements: dict[str, Agreement] = field(default_factory=dict)
    #: By subscription, usage events that were taken in, by the id that each has.
    done: Counter[str] = field(default_factory=Counter)
    _count: int = 0

    async def begin(self) -> None:
        """Make the customer, two plans with usage of one meter, and the first subscription."""
        customer = {
            "customerNumber": "S1", "customerType": "company", "name": "Havblik A/S", "countryCode": "DK",
            "vatZone": "domestic", "customerGroupId": (await self._ok("GET", "/v1/customer-groups"))[0]["id"],
            "address": "Havnegade 1", "postalCode": "1058", "city": "København K",
        }  # fmt: skip
        self.customer = (await self._ok("POST", "/v1/customers", customer))["id"]
        group = (await self._ok("GET", "/v1/product-groups"))[0]["id"]
        product = (await self._ok("POST", "/v1/products", {"number": "S1", "name": "Plads", "productGroupId": group}))[
            "id"
        ]
        self.meter = (await self._ok("POST", "/v1/meters", {"name": f"Kald {self.tag}"}))["id"]
        monthly: dict[str, int] = {}
        tiers: dict[str, tuple[tuple[int | None, Fraction], ...]] = {}
        for number, (amounts, own) in enumerate(zip(_AMOUNTS, _TIERS, strict=True)):
            made = [
                await self._price(product, "RECURRING", "FLAT_RATE", unitAmount=text_of(one, CURRENCY))
                for one in amounts
            ]
            monthly |= dict(zip(made, amounts, strict=True))
            in_kroner = [{"upTo": up_to, "unitAmount": str(Decimal(each) / 100)} for up_to, each in own]
            metered = await self._price(product, "USAGE", "GRADUATED", tiers=in_kroner, meterId=self.meter)
            tiers[metered] = tuple((up_to, Fraction(each)) for up_to, each in own)
            items = [{"priceId": made[0]}, {"priceId": made[1], "optional": True}, {"priceId": metered}]
            plan = await self._ok("POST", "/v1/subscription-plans", {"name": f"Plan {number}", "items": items})
            self.plans.append(Plan(plan["id"], {made[0]: 1, made[1]: 0}, metered))
        self.prices = Prices(monthly, tiers)
        await self.assign()

    async def step(self) -> None:
        """One of the things that happen to subscriptions."""
        kinds = [self.assign, self.edit, self.edit, self.edit, self.schedule, self.replace_plan, self.pause,
                 self.resume, self.use, self.use, self.use, self.withdraw, self.cancel, self.bill_all]  # fmt: skip
        if self.move is not None:
            kinds += [self.pass_days] * 4
        await self.random.choice(kinds)()

    async def assign(self) -> None:
        """A subscription that began up to three months ago, mostly in mid-period, and is billed."""
        today, chance = self.today(), self.random
        start = today - timedelta(days=chance.randrange(100))
        anchor = chance.choice((start, start.replace(day=1), date(2020, 1, 31)))
        plan, mode, quantity = chance.choice(self.plans), chance.choice(MODES), chance.randrange(3)
        optional = list(plan.quantities)[1]
        body = {
            "customerId": self.customer, "planId": plan.id, "startDate": start.isoformat(),
            "billingCycleAnchor": anchor.isoformat(), "prorationBehavior": mode,
            "productOverrides": [{"priceId": optional, "quantity": quantity}] if quantity else [],
        }  # fmt: skip
        made = await self._ok("POST", "/v1/subscriptions", body)
        items = {price: count for price, count in {**plan.quantities, optional: quantity}.items() if count}
        self.agreements[made["id"]] = Agreement(self.prices, plan, start, anchor, mode, items)
        await self.bill_all()

    async def edit(self) -> None:
        subscription, agreement = self._any()
        quantities, mode = self._quantities(agreement), self._mode()
        body = {"type": "edit_products", "payload": _products(quantities), **self._at_once(mode)}
        await self._change(subscription, body, agreement.edit(self.today(), quantities, mode))

    async def schedule(self) -> None:
        """Other quantities from the next period on."""
        subscription, agreement = self._any()
        if agreement.end is not None and not agreement.is_over(self.today()):
            return  # it ends with this period
        quantities = self._quantities(agreement)
        body = {"type": "edit_products", "payload": _products(quantities)}
        await self._change(subscription, body, agreement.schedule(self.today(), quantities))

    async def replace_plan(self) -> None:
        subscription, agreement = self._any()
        if agreement.scheduled is not None:
            return  # the other plan doesn't have those prices
        mode, plan = self._mode(), next(plan for plan in self.plans if plan is not agreement.plan)
        body = {"type": "replace_plan", "payload": {"planId": plan.id}, **self._at_once(mode)}
        await self._change(subscription, body, agreement.replace_plan(self.today(), plan, mode))

    async def pause(self) -> None:
        subscription, agreement = self._any()
        mode = self._mode()
        await self._change(subscription, {"type": "pause", **self._at_once(mode)}, agreement.pause(self.today(), mode))

    async def resume(self) -> None:
        subscription, agreement = self._any(paused=True)
        mode = self._mode()
        body = {"type": "resume", **self._at_once(mode)}
        await self._change(subscription, body, agreement.resume(self.today(), mode))
        await self.bill_all()

    async def cancel(self) -> None:
        """At once or with the period, with and without what is paid ahead; few, so that some are left."""
        if len(self.agreements) < 3:
            return
        subscription, agreement = self._any()
        at_once, refunds = self.random.random() < 0.5, self.random.random() < 0.5
        body = {"id": subscription, "strategy": "immediately" if at_once else "end_of_cycle"}
        if at_once:
            body["refundBehavior"] = "prorated" if refunds else "none"
        refused = agreement.cancel(self.today(), at_once=at_once, refunds=refunds)
        await self._answer("/v1/subscriptions/cancel", body, refused)
        if refused is None:
            self.done["cancelled"] += 1
        await self.bill_all()

    async def use(self) -> None:
        """Report usage of any days, billed ones too, and before the start; each event twice in its batch."""
        running = [(key, one) for key, one in self.agreements.items() if not one.is_over(self.today())]
        if not running:
            return
        events: list[dict[str, Any]] = []
        for _ in range(self.random.randrange(1, 6)):
            subscription, agreement = self.random.choice(running)
            days = (self.today() - agreement.start).days
            day = self.today() - timedelta(days=self.random.randrange(days + 5))
            value = Decimal(self.random.randrange(0, 200)) / 10
            self._count += 1
            key = f"{self.tag}-used-{self._count}"
            moment = datetime(day.year, day.month, day.day, tzinfo=ZONE)
            agreement.used[key] = Used(day, value)
            events.append({
                "idempotencyKey": key, "meterId": self.meter, "customerId": self.customer, "value": str(value),
                "timestamp": moment.isoformat(), "metadata": {"subscriptionId": subscription},
            })  # fmt: skip
        answer = await self._ok("POST", "/v1/meters/report-batch", {"events": [*events, *events]})
        same("events taken in", (len(events), len(events)), (answer["accepted"], answer["duplicates"]))
        self.done["used"] += len(events)

    async def withdraw(self) -> None:
        """Take an event back that was reported."""
        page = await self._ok("GET", f"/v1/usage/events?meterId={self.meter}&limit=100")
        found = [
            (one["id"], agreement, one["idempotencyKey"])
            for one in page
            for agreement in self.agreements.values()
            if one["idempotencyKey"] in agreement.used and not agreement.is_over(self.today())
        ]
        if found:
            event, agreement, key = self.random.choice(found)
            await self._ok("POST", f"/v1/usage/events/{event}/withdraw", {})
            del agreement.used[key]

    async def bill_all(self) -> None:
        """Have everything billed that is due."""
        await self.bill()
        for agreement in self.agreements.values():
            agreement.bill(self.today())

    async def pass_days(self) -> None:
        """Up to three weeks go by, and everything is billed."""
        assert self.move is not None
        self.move(self.random.randrange(1, 22))
        await self.bill_all()

    async def end(self) -> None:
        """Have everything billed, late usage included, and compare."""
        await self.bill_all()
        await self.look()

    async def look(self) -> None:
        """Compare what was charged for each subscription, what the documents say and what became of usage."""
        documented = 0
        for subscription, agreement in self.agreements.items():
            charged: dict[str, int] = defaultdict(int)
            for charge in await self._all(f"/v1/subscriptions/{subscription}/charges"):
                units = _units(charge["amount"])
                charged[charge["kind"].partition("_")[0]] += units
                documented += 0 if charge["isWaiting"] else units
            wanted = {
                "recurring": agreement.recurring, "proration": agreement.prorated,
                "usage": agreement.usage(self.today()),
            }  # fmt: skip
            same(f"charged for {subscription}, {agreement}", wanted, {kind: charged[kind] for kind in wanted})
        said = sum(_units(one["subtotal"]) for one in await self._all("/v1/invoices"))
        said += sum(_units(one["subtotal"]) for one in await self._all("/v1/credit-notes"))
        same("what invoices and credit notes have", documented, said)
        counts = [agreement.counts(self.today()) for agreement in self.agreements.values()]
        usage = await self._ok("GET", f"/v1/meters/{self.meter}/usage")
        same(
            "events",
            dict(zip(_COUNTS, map(sum, zip(*counts, strict=True)), strict=True)),
            {k: usage[k] for k in _COUNTS},
        )
        same(
            "events that became something",
            usage["accepted"],
            sum(usage[name] for name in (*_COUNTS, "shown", "tooLate")),
        )

    # Requests

    async def _price(self, product: str, kind: str, model: str, **fields: Any) -> str:
        body = {
            "productId": product, "billingPeriodType": kind, "pricingModel": model, "billingInterval": "month",
            "currency": CURRENCY, **fields,
        }  # fmt: skip
        made: str = (await self._ok("POST", "/v1/product-prices", body))["id"]
        return made

    async def _change(self, subscription: str, body: dict[str, Any], refused: Refused | None) -> None:
        await self._answer(f"/v1/subscriptions/{subscription}/scheduled-changes", body, refused)
        self.done[f"refused {body['type']}" if refused else body["type"]] += 1

    async def _answer(self, path: str, body: Any, refused: Refused | None) -> None:
        if refused is None:
            await self._ok("POST", path, body)
            return
        request = self._request("POST", path, body)
        answer = await self.send(request)
        same(str(request), refused, (answer.status_code, answer.json().get("code")))

    async def _all(self, path: str) -> list[dict[str, Any]]:
        """All pages of a list."""
        found: list[dict[str, Any]] = []
        while True:
            page = await self._ok("GET", f"{path}?limit=100&page={len(found) // 100 + 1}")
            found += page
            if len(page) < 100:
                return found

    async def _ok(self, method: str, path: str, body: Any = None) -> Any:
        """The answer to a request that must succeed; of a list what is in it."""
        request = self._request(method, path, body)
        response = await self.send(request)
        if not response.is_success:
            raise MismatchError(f"{request}\nexpected success\ngot {response.status_code} {response.text}")
        answer = response.json()
        return answer["data"] if isinstance(answer, dict) and "data" in answer else answer

    def _request(self, method: str, path: str, body: Any) -> Request:
        self._count += 1
        return Request("", method, path, body, key=None if method == "GET" else f"{self.tag}-{self._count}")

    # What to choose from

    def _any(self, *, paused: bool | None = None) -> tuple[str, Agreement]:
        """A subscription; mostly one that is paused where that is asked for."""
        chosen = [one for one in self.agreements.items() if paused is None or (one[1].paused is not None) is paused]
        return self.random.choice(chosen or list(self.agreements.items()))

    def _quantities(self, agreement: Agreement) -> dict[str, int]:
        """New quantities of one or both prices; the optional one can go."""
        first, optional = agreement.plan.quantities
        chosen = {first: self.random.randrange(1, 5), optional: self.random.randrange(4)}
        return {price: chosen[price] for price in self.random.sample(sorted(chosen), self.random.choice((1, 2)))}

    def _mode(self) -> str | None:
        return self.random.choice((None, *MODES))

    def _at_once(self, mode: str | None) -> dict[str, Any]:
        said = {} if mode is None else {"prorationBehavior": mode}
        return {"effectiveDate": self.today().isoformat(), **said}


def _products(quantities: dict[str, int]) -> dict[str, Any]:
    return {"products": [{"priceId": price, "quantity": quantity} for price, quantity in quantities.items()]}


def _units(amount: str) -> int:
    return int(amount.replace(".", ""))
