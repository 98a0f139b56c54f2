"""The oracle's ledger: postings, and what can be asked of them. Nothing here is the product's."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Final, NamedTuple

from tests.stories.company_year.diary import Event
from tests.stories.company_year.law import ore

NOTHING: Final = Fraction(0)
DEBTORS, CREDITORS, BANK = 6190, 7440, 6480
GAIN, LOSS, ROUNDING = 3535, 3610, 2720
LOAN, TAX_DUE, DEFERRED_TAX = 7120, 8041, 7010


class Posting(NamedTuple):
    """Kroner on an account (debit positive), and the units of a foreign currency behind them."""

    day: date
    key: str
    account: int
    kroner: Fraction
    party: str = ""
    code: str | None = None
    is_base: bool = False
    units: Fraction = NOTHING


class Open(NamedTuple):
    """What is left of an invoice or bill: in its currency, and in kroner at its rate."""

    units: Fraction
    kroner: Fraction
    rate: Fraction


class Ledger:
    """All postings, what is open, and the VAT of purchases by code, deducted or not."""

    def __init__(self) -> None:
        self.postings: list[Posting] = []
        self.open: dict[str, Open] = {}
        self.full_vat: dict[str, Fraction] = defaultdict(Fraction)

    def balance(self, account: int, through: date, since: date = date.min) -> Fraction:
        """What was booked on an account from `since` through a day, debit positive."""
        found = (p.kroner for p in self.postings if p.account == account and since <= p.day <= through)
        return sum(found, NOTHING)

    def cost(self, key: str) -> Fraction:
        """The base of a voucher in kroner."""
        return sum((posting.kroner for posting in self.postings if posting.key == key and posting.is_base), NOTHING)

    def owed(self, account: int, party: str) -> Fraction:
        """What stands for one customer or vendor."""
        found = (p.kroner for p in self.postings if p.account == account and p.party == party)
        return sum(found, NOTHING)

    def _posting(
        self,
        event: Event,
        account: int,
        kroner: Fraction,
        *,
        party: str | None = None,
        code: str | None = None,
        is_base: bool = False,
        units: Fraction = NOTHING,
    ) -> Posting:
        if party is None:
            party = event.party if account in {DEBTORS, CREDITORS} else ""
        return Posting(event.day, event.key, account, kroner, party, code, is_base, units)

    def _remember(self, key: str, total: Fraction, kroner: Fraction, rate: Fraction) -> None:
        self.open[key] = Open(total, kroner, rate)

    def _party_of(self, key: str) -> str:
        return next(posting.party for posting in self.postings if posting.key == key and posting.party)

    def _settle(self, key: str, units: Fraction) -> Fraction:
        """What a payment takes off in kroner: at the voucher's rate, and the last one all that is left."""
        left = self.open[key]
        kroner = left.kroner if units == left.units else ore(units * left.rate)
        self.open[key] = Open(left.units - units, left.kroner - kroner, left.rate)
        return kroner


def shared(exact: Sequence[Fraction], total: Fraction) -> list[Fraction]:
    """Amounts in whole øre that sum to `total`: where rounding each leaves a rest, those take it that it cost most."""
    rounded = [ore(amount) for amount in exact]
    rest = total - sum(rounded, NOTHING)
    step = Fraction(1 if rest > 0 else -1, 100)
    worst = sorted(range(len(exact)), key=lambda place: -(exact[place] - rounded[place]) * step)
    for place in worst[: int(abs(rest) * 100)]:
        rounded[place] += step
    return rounded


def kroner(amount: Fraction) -> Decimal:
    """An exact amount as a decimal with two places."""
    return (Decimal(amount.numerator) / Decimal(amount.denominator)).quantize(Decimal("0.01"))
