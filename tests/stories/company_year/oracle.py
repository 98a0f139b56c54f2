"""The year's books by plain arithmetic, from what the diary says happened. Nothing here is the product's."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from fractions import Fraction
from typing import Final

from tests.stories.company_year import law
from tests.stories.company_year.closing import Closing
from tests.stories.company_year.diary import Event, Item, Sold
from tests.stories.company_year.law import CODES, ore
from tests.stories.company_year.ledger import BANK, CREDITORS, DEBTORS, GAIN, LOSS, NOTHING, Open, Posting, shared

#: How a customer's sales are taxed: the place of supply of goods and of services (ML §§ 14-16), as account and code.
ZONES: Final = {
    "domestic": {"goods": (1010, "S01"), "services": (1010, "S01"), "course": (1012, "S82")},
    "eu": {"goods": (1050, "S21"), "services": (1150, "S23")},
    "abroad": {"goods": (1100, "S41"), "services": (1200, "S42")},
    "domestic_without_vat": {"goods": (1011, "S02"), "services": (1012, "S82")},
}


class Accountant(Closing):
    """Keeps the books of the diary. `zones` by customer; `catalogue` holds each product's kind and price in kroner."""

    def __init__(self, zones: dict[str, str], catalogue: dict[str, tuple[str, str]]) -> None:
        super().__init__()
        self.zones = zones
        self.catalogue = catalogue
        self.receipts: dict[str, Event] = {}

    def keep(self, events: Iterable[Event]) -> None:
        """Book all transactions. Each one balances by itself."""
        for event in events:
            handler: Callable[[Event], None] = getattr(self, f"_{event.kind}")
            handler(event)
            off = sum(posting.kroner for posting in self.postings if posting.key == event.key)
            assert off == 0, (event.key, float(off))

    def _bill(self, event: Event) -> None:
        """BL § 10, MB § 97(3), (4): in kroner at the day's rate; what is owed is exact, the cost takes the rest."""
        self._voucher(event, CREDITORS, 1)

    def _charge(self, event: Event) -> None:
        """ML § 27(1): without the tax. § 27(4), (6): what is taken back or lost lessens the base as it made it."""
        if "of" in event.options:
            assert -event.amount == self.open[event.options["of"]].units, "all that is lost"
        self._voucher(event, DEBTORS, -1)

    def _voucher(self, event: Event, control: int, sign: int) -> None:
        rate = Fraction(event.rate)
        total = Fraction(event.amount)
        owed = ore(total * rate)
        bases: list[tuple[Item, Fraction]] = []
        taxes: list[Posting] = []
        summed = NOTHING
        for item in event.items:
            base, vat, stated = self._taxed(item)
            summed += base + vat
            bases.append((item, base))
            code = CODES[item.code] if item.code else law.Code()
            if not vat and not code.owed_on:
                continue
            if sign < 0:
                taxes.append(self._posting(event, law.OUTPUT, -ore(vat * rate), code=item.code))
            else:
                taxes += self._bought(event, item, ore(vat * rate) if stated else ore(ore(base * rate) * law.VAT))
        assert summed == total, (event.key, float(summed))
        for_bases = owed - sign * sum(posting.kroner for posting in taxes)
        for (item, _), kroner in zip(bases, shared([base * rate for _, base in bases], for_bases), strict=True):
            self.postings.append(self._posting(event, item.account, sign * kroner, code=item.code, is_base=True))
        self.postings += taxes
        units = total if event.currency != "DKK" else NOTHING
        self.postings.append(self._posting(event, control, -sign * owed, units=-sign * units))
        self._remember(event.key, total, owed, rate)

    def _bought(self, event: Event, item: Item, tax: Fraction) -> list[Posting]:
        """The tax of a purchase in kroner: what is deducted, what is not and so is a cost, and what we owe as buyer.

        What can be deducted is a share of the tax in kroner (ML § 38 and § 42(2)), the rest of it is a cost. Nobody
        bills the tax that the buyer owes: it is of the base in kroner (ML § 27).
        """
        assert item.code is not None
        code = CODES[item.code]
        deducted = ore(tax * code.share)
        left = tax - deducted
        self.full_vat[item.code] += tax
        postings = [
            self._posting(event, law.INPUT, deducted, code=item.code),
            self._posting(event, item.account, left, code=item.code),
        ]
        return postings + ([self._posting(event, code.owed_on, -tax, code=item.code)] if code.owed_on else [])

    def _taxed(self, item: Item) -> tuple[Fraction, Fraction, bool]:
        """Base and VAT of an item in the voucher's currency, and whether that VAT stands on the voucher.

        A voucher's own VAT is what is deducted (ML § 37(2) no. 1: the tax on the supplies, as the invoice states it).
        """
        amount = Fraction(item.amount)
        if item.code is None:
            return amount, NOTHING, True
        code = CODES[item.code]
        if item.code.startswith("K") and code.owed_on:
            return amount, NOTHING, False
        taxed = code.owed_on is not None or code.share > 0
        contains = code.in_price if item.contains is None else item.contains
        if not taxed:
            return amount, NOTHING, True
        if item.stated_vat is not None:
            vat = Fraction(item.stated_vat)
        else:
            vat = ore(amount * law.CONTAINED) if contains else ore(amount * law.VAT)
        return (amount - vat if contains else amount), vat, True

    def _invoice(self, event: Event) -> None:
        """ML § 27: the tax is of the price; per rate on the sum of the lines (EN 16931), not of each line."""
        rate = Fraction(event.rate)
        zone = ZONES[self.zones[event.party]]
        nets: dict[tuple[int, str], Fraction] = defaultdict(Fraction)
        for sold in event.sold:
            nets[zone[self.catalogue[sold.product][0]]] += self._net(sold, rate)
        taxed = sum((net for (_, code), net in nets.items() if CODES[code].owed_on), NOTHING)
        vat = ore(taxed * law.VAT)
        total = sum(nets.values(), NOTHING) + vat
        assert total == Fraction(event.amount), (event.key, float(total))
        # VAT Directive, article 230: the tax in kroner is the tax x the rate, and so is what is owed.
        owed, tax = ore(total * rate), ore(vat * rate)
        for ((account, code), _), kroner in zip(
            nets.items(), shared([net * rate for net in nets.values()], owed - tax), strict=True
        ):
            self.postings.append(self._posting(event, account, -kroner, code=code, is_base=True))
        if tax:
            self.postings.append(self._posting(event, law.OUTPUT, -tax, code="S01"))
        units = total if event.currency != "DKK" else NOTHING
        self.postings.append(self._posting(event, DEBTORS, owed, units=units))
        self._remember(event.key, total, owed, rate)

    def _net(self, sold: Sold, rate: Fraction) -> Fraction:
        """MB § 58(1) no. 7: of the unit price on the invoice; one of the catalogue is converted to the cent."""
        price = ore(Fraction(self.catalogue[sold.product][1]) / rate) if sold.price is None else Fraction(sold.price)
        return ore(Fraction(sold.quantity) * price * (100 - Fraction(sold.discount)) / 100)

    def _receipt(self, event: Event) -> None:
        """ÅRL § 39: what differs between the rate of the invoice and of the day of payment is a gain or a loss."""
        self.receipts[event.key] = event
        settled = self._settle(event.party, Fraction(event.amount))
        got = ore(Fraction(event.amount) * Fraction(event.rate))
        units = Fraction(event.amount) if event.currency != "DKK" else NOTHING
        party = self._party_of(event.party)
        account = int(event.options.get("to", BANK))
        self.postings.append(self._posting(event, account, got, units=units))
        self.postings.append(self._posting(event, DEBTORS, -settled, party=party, units=-units))
        self._difference(event, settled - got)

    def _returned(self, event: Event) -> None:
        """The invoice is open again, and the gain or loss never was."""
        self._again(event)
        receipt = self.receipts[event.party]
        (settled,) = [p.kroner for p in self.postings if p.key == event.key and p.account == DEBTORS]
        left = self.open[receipt.party]
        self.open[receipt.party] = Open(left.units + Fraction(receipt.amount), left.kroner + settled, left.rate)

    def _reverse(self, event: Event) -> None:
        self._again(event)

    def _again(self, event: Event) -> None:
        self.postings += [
            posting._replace(day=event.day, key=event.key, kroner=-posting.kroner, units=-posting.units)
            for posting in self.postings
            if posting.key == event.party
        ]

    def _pay(self, event: Event) -> None:
        if "fc" not in event.options:
            units = Fraction(event.amount) if event.currency != "DKK" else NOTHING
            kroner = ore(Fraction(event.amount) * Fraction(event.rate))
            self.postings.append(self._posting(event, CREDITORS, kroner, units=units))
            self._counter(event)
            return
        # A bill in another currency that is paid in kroner: `fc` is the amount of the bill and the bank's rate.
        amount, _, rate = event.options["fc"].partition("@")
        settled = self._settle(event.options["of"], Fraction(amount))
        given = ore(Fraction(amount) * Fraction(rate))
        self.postings.append(self._posting(event, CREDITORS, settled, units=Fraction(amount)))
        self.postings.append(self._posting(event, BANK, -given))
        self._difference(event, given - settled)

    def _collect(self, event: Event) -> None:
        self.postings.append(self._posting(event, DEBTORS, -ore(Fraction(event.amount) * Fraction(event.rate))))
        self._counter(event)

    def _counter(self, event: Event) -> None:
        for item in event.items:
            kroner = ore(Fraction(item.amount) * Fraction(event.rate))
            units = Fraction(item.amount) if event.currency != "DKK" else NOTHING
            self.postings.append(self._posting(event, item.account, kroner, units=units))

    def _difference(self, event: Event, loss: Fraction) -> None:
        if loss:
            self.postings.append(self._posting(event, LOSS if loss > 0 else GAIN, loss))

    def _lock(self, event: Event) -> None:
        """Nothing is booked."""

    def _journal(self, event: Event) -> None:
        rule = event.options.get("rule")
        if rule is None:
            self._plain(event)
            return
        computed: Callable[[Event], dict[int, Fraction]] = getattr(self, f"rule_{rule}")
        for account, kroner in computed(event).items():
            if kroner:
                self.postings.append(self._posting(event, account, kroner))

    def _plain(self, event: Event) -> None:
        rate = Fraction(event.rate)
        for item in event.items:
            base, vat, stated = self._taxed(item)
            kroner = ore(base * rate)
            units = base if event.currency != "DKK" else NOTHING
            self.postings.append(self._posting(event, item.account, kroner, code=item.code, is_base=True, units=units))
            if item.code and (vat or CODES[item.code].owed_on):
                # Of an import the tax is of the customs value (ML § 32).
                self.postings += self._bought(event, item, ore(vat * rate) if stated else ore(kroner * law.VAT))
