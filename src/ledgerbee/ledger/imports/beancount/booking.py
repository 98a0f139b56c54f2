"""From transactions as written to transactions with everything said: lots, missing numbers, paddings. Pure."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final

from ledgerbee.core.money import ZERO
from ledgerbee.ledger.imports.beancount.model import (
    Amount,
    Balance,
    Booked,
    BookedPosting,
    Cost,
    CostSpec,
    Directive,
    Open,
    Pad,
    Posting,
    Price,
    Problem,
    Source,
    Transaction,
)

_ORDER: Final = {Open: -2, Balance: -1}
_HALF: Final = Decimal("0.5")
#: Digits of a tolerance up to which a missing number is rounded to it.
_TOLERANCE_DIGITS: Final = 5

#: The day of a lot that doesn't say one, until it gets the transaction's.
_NO_DAY: Final = date.min

#: Units of each lot of an account by currency; what is held without cost is the lot None.
Inventory = dict[tuple[str, Cost | None], Decimal]


class BookingProblemError(Exception):
    """A transaction of which something can't be worked out, or that doesn't balance."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """A balance to check: against our books, or (units of something held at cost) against what was worked out here."""

    source: Balance
    tolerance: Decimal
    #: What the lots say; None for what our books can say.
    units: Decimal | None


@dataclass(slots=True)
class Bookkeeper:
    """Goes through the directives in order and knows what each account holds."""

    source: Source
    assertions: list[Assertion] = field(default_factory=list)
    _inventories: dict[str, Inventory] = field(default_factory=lambda: defaultdict(dict))
    _methods: dict[str, str] = field(default_factory=dict)
    _pads: dict[str, tuple[Pad, set[str]]] = field(default_factory=dict)

    def ordered(self) -> list[Directive]:
        """The directives by day; within one, what is opened and what must balance goes first."""
        return sorted(self.source.directives, key=lambda one: (one.date, _ORDER.get(type(one), 0), one.where.line))

    def booked(self) -> Iterator[Booked | Problem]:
        """The transactions, those of paddings included, or what is wrong with one."""
        for directive in self.ordered():
            match directive:
                case Transaction():
                    yield self._transaction(directive)
                case Open():
                    self._methods[directive.account] = directive.booking or ""
                case Pad():
                    self._pads[directive.account] = directive, set()
                case Balance():
                    padding = self._balance(directive)
                    if padding is not None:
                        yield padding
                case Price():
                    pass

    def _transaction(self, transaction: Transaction) -> Booked | Problem:
        tolerances = self._tolerances(transaction.postings)
        try:
            postings = _fill_in(self._with_lots(transaction), tolerances)
        except BookingProblemError as fault:
            return Problem(transaction.where, str(fault))
        postings = [_dated(posting, transaction.date) for posting in postings]
        self._keep(postings)
        return Booked(transaction, postings)

    def _keep(self, postings: Sequence[BookedPosting]) -> None:
        for posting in postings:
            inventory = self._inventories[posting.account]
            lot = posting.currency, posting.cost
            left = inventory.get(lot, ZERO) + posting.units
            if left:
                inventory[lot] = left
            else:
                inventory.pop(lot, None)

    # Lots.

    def _with_lots(self, transaction: Transaction) -> list[Posting | BookedPosting]:
        """The postings; those that reduce lots are booked, one for each lot."""
        found: list[Posting | BookedPosting] = []
        taken: dict[tuple[str, Cost], Decimal] = defaultdict(lambda: ZERO)
        for posting in transaction.postings:
            lots = self._reduced(posting, taken)
            if lots is None:
                found.append(posting)
                continue
            for cost, units in lots:
                taken[posting.account, cost] += units
                assert posting.units is not None
                assert posting.units.currency is not None
                found.append(
                    BookedPosting(
                        posting.account, units, posting.units.currency, cost, units * cost.number, cost.currency
                    )
                )
        return found

    def _reduced(
        self, posting: Posting, taken: Mapping[tuple[str, Cost], Decimal]
    ) -> list[tuple[Cost, Decimal]] | None:
        """The lots that a posting takes from, and how many units of each; None when it adds a lot."""
        units, spec = posting.units, posting.cost
        method = self._methods.get(posting.account) or self.source.options.get("booking_method", ["STRICT"])[-1]
        if spec is None or units is None or units.number is None or units.currency is None or method == "NONE":
            return None
        held = [
            (cost, number + taken.get((posting.account, cost), ZERO))
            for (currency, cost), number in self._inventories[posting.account].items()
            if currency == units.currency and cost is not None and number * units.number < 0
        ]
        if not held:
            return None
        matching = [(cost, number) for cost, number in held if number and _matches(spec, cost, units.number)]
        if not matching:
            raise BookingProblemError(f"{posting.account} has no lot of {units.currency} like the one it is taken from")
        if method in {"FIFO", "LIFO", "HIFO"}:
            by = (lambda lot: lot[0].number) if method == "HIFO" else (lambda lot: lot[0].day)
            matching.sort(key=by, reverse=method != "FIFO")
        elif len(matching) > 1 and sum(number for _, number in matching) != -units.number:
            raise BookingProblemError(f"{posting.account} has several lots of {units.currency} like the one named")
        return _take(posting, units.number, matching)

    # Balances.

    def _balance(self, balance: Balance) -> Booked | None:
        """Note what has to be checked; the padding that makes it true, if there is one to make."""
        held, at_cost = self._held(balance)
        tolerance = balance.tolerance
        if tolerance is None:
            exponent = balance.number.as_tuple().exponent
            assert isinstance(exponent, int)
            tolerance = Decimal(1).scaleb(exponent) * self._multiplier() * 2 if exponent < 0 else ZERO
        self.assertions.append(Assertion(balance, tolerance, held if at_cost else None))
        pad, done = self._pads.get(balance.account, (None, set()))
        if pad is None or balance.currency in done:
            return None
        done.add(balance.currency)
        missing = balance.number - held
        if abs(missing) <= tolerance:
            return None
        text = f"Padding for the balance of {balance.date}"
        source = Transaction(pad.where, pad.date, None, text, ())
        postings = [
            BookedPosting(account, number, balance.currency, None, number, balance.currency)
            for account, number in ((pad.account, missing), (pad.source, -missing))
        ]
        self._keep(postings)
        return Booked(source, postings)

    def _held(self, balance: Balance) -> tuple[Decimal, bool]:
        """Units in the account and those below it, and whether any are held at cost."""
        total, at_cost = ZERO, False
        below = balance.account + ":"
        for account, inventory in self._inventories.items():
            if account == balance.account or account.startswith(below):
                for (currency, cost), number in inventory.items():
                    if currency == balance.currency:
                        total += number
                        at_cost = at_cost or cost is not None
        return total, at_cost

    # Tolerances.

    def _multiplier(self) -> Decimal:
        for name in ("inferred_tolerance_multiplier", "tolerance_multiplier"):
            if name in self.source.options:
                return Decimal(self.source.options[name][-1])
        return _HALF

    def _tolerances(self, postings: Sequence[Posting]) -> dict[str, Decimal]:
        """What a transaction may be off by in each currency: half of the last digit that it has there."""
        multiplier = self._multiplier()
        found: dict[str, Decimal] = {}
        for posting in postings:
            if posting.units is None or posting.units.number is None or posting.units.currency is None:
                continue
            exponent = posting.units.number.as_tuple().exponent
            if isinstance(exponent, int) and exponent < 0:
                tolerance = Decimal(1).scaleb(exponent) * multiplier
                found[posting.units.currency] = max(tolerance, found.get(posting.units.currency, ZERO))
        for text in self.source.options.get("inferred_tolerance_default", ()):
            currency, _, number = text.partition(":")
            found.setdefault(currency.strip(), Decimal(number.strip()))
        return found


def _dated(posting: BookedPosting, day: date) -> BookedPosting:
    """A new lot is of the transaction's day unless it says another."""
    if posting.cost is None or posting.cost.day != _NO_DAY:
        return posting
    return replace(posting, cost=posting.cost._replace(day=day))


def _matches(spec: CostSpec, cost: Cost, units: Decimal) -> bool:
    number = spec.per_unit if spec.total is None else abs(spec.total / units)
    return (
        (number is None or number == cost.number)
        and spec.currency in {None, cost.currency}
        and spec.day in {None, cost.day}
        and spec.label in {None, cost.label}
    )


def _take(posting: Posting, units: Decimal, lots: Sequence[tuple[Cost, Decimal]]) -> list[tuple[Cost, Decimal]]:
    taken = []
    left = units
    for cost, number in lots:
        part = max(left, -number) if left < 0 else min(left, -number)
        if part:
            taken.append((cost, part))
            left -= part
    if left:
        raise BookingProblemError(f"{posting.account} holds less than is taken from it: {abs(left)} are missing")
    return taken


# Missing numbers.


def _fill_in(postings: Sequence[Posting | BookedPosting], tolerances: Mapping[str, Decimal]) -> list[BookedPosting]:
    """The postings with everything said. Raises `BookingProblemError` for what can't be, and what doesn't balance."""
    residual: dict[str, Decimal] = defaultdict(lambda: ZERO)
    booked: list[BookedPosting | Posting] = []
    for posting in postings:
        whole = posting if isinstance(posting, BookedPosting) else _whole(posting)
        if whole is not None:
            residual[whole.weight_currency] += whole.weight
        booked.append(posting if whole is None else whole)
    unknown = [index for index, posting in enumerate(booked) if isinstance(posting, Posting)]
    # Those of which the currency is known go first: what is left over after them is for the one that says nothing.
    unknown.sort(key=lambda index: _says_nothing(booked[index]))
    if sum(_says_nothing(booked[index]) for index in unknown) > 1:
        raise BookingProblemError("more than one posting has no amount")
    filled: dict[int, list[BookedPosting]] = {}
    for index in unknown:
        posting = booked[index]
        assert isinstance(posting, Posting)
        filled[index] = _solve(posting, residual, tolerances)
        for solved in filled[index]:
            residual[solved.weight_currency] += solved.weight
    for currency, number in residual.items():
        if abs(number) > tolerances.get(currency, tolerances.get("*", ZERO)):
            raise BookingProblemError(f"the transaction doesn't balance: {number.normalize():f} {currency}")
    result: list[BookedPosting] = []
    for index, posting in enumerate(booked):
        result.extend(filled.get(index, ()) if isinstance(posting, Posting) else (posting,))
    return result


def _says_nothing(posting: Posting | BookedPosting) -> bool:
    return isinstance(posting, Posting) and (posting.units is None or posting.units == (None, None))


def _whole(posting: Posting) -> BookedPosting | None:
    """The posting if nothing is missing in it."""
    units, spec, price = posting.units, posting.cost, posting.price
    if units is None or units.number is None or units.currency is None:
        return None
    number, currency = units.number, units.currency
    if spec is not None:
        if (spec.per_unit is None and spec.total is None) or spec.currency is None:
            return None
        weight = (spec.per_unit or ZERO) * number
        if spec.total is not None:
            weight += spec.total if number > 0 else -spec.total
        return _at_cost(posting, number, currency, weight, spec.currency)
    if price is None:
        return BookedPosting(posting.account, number, currency, None, number, currency)
    if price.number is None or price.currency is None:
        return None
    return BookedPosting(posting.account, number, currency, None, _priced(posting, number, price), price.currency)


def _priced(posting: Posting, number: Decimal, price: Amount) -> Decimal:
    assert price.number is not None
    if not posting.price_is_total:
        return number * price.number
    return price.number if number >= 0 else -price.number


def _at_cost(posting: Posting, number: Decimal, currency: str, weight: Decimal, in_currency: str) -> BookedPosting:
    if number == 0:
        raise BookingProblemError("a lot of nothing has no cost")
    spec = posting.cost
    assert spec is not None
    per_unit = spec.per_unit if spec.per_unit is not None and spec.total is None else weight / number
    cost = Cost(per_unit, in_currency, spec.day or _NO_DAY, spec.label)
    return BookedPosting(posting.account, number, currency, cost, weight, in_currency)


def _solve(posting: Posting, residual: Mapping[str, Decimal], tolerances: Mapping[str, Decimal]) -> list[BookedPosting]:
    """What a posting has to be for the transaction to balance."""
    units, spec, price = posting.units, posting.cost, posting.price
    if units is None or units.number is None or units.currency is None:
        if spec is not None or price is not None:
            raise BookingProblemError("a posting with a cost or price needs an amount")
        return [
            BookedPosting(posting.account, number, currency, None, number, currency)
            for currency, number in _missing(units, residual, tolerances)
        ]
    priced_in = spec.currency if spec is not None else price.currency if price is not None else None
    weight_currency = priced_in or _only(residual)
    weight = -residual.get(weight_currency, ZERO)
    if spec is not None:
        if spec.per_unit is not None or spec.total is not None:  # its currency was missing
            weight = (spec.per_unit or ZERO) * units.number + (spec.total or ZERO)
        return [_at_cost(posting, units.number, units.currency, weight, weight_currency)]
    assert price is not None, "else nothing is missing"
    if price.number is not None:
        weight = _priced(posting, units.number, price)
    return [BookedPosting(posting.account, units.number, units.currency, None, weight, weight_currency)]


def _missing(
    units: Amount | None, residual: Mapping[str, Decimal], tolerances: Mapping[str, Decimal]
) -> list[tuple[str, Decimal]]:
    """Currencies and numbers of a posting that leaves some of it to the others: all that is left where it is silent."""
    if units is None or units == (None, None):
        return [(currency, _rounded(-number, currency, tolerances)) for currency, number in residual.items() if number]
    if units.number is not None:
        return [(_only(residual), units.number)]
    assert units.currency is not None
    return [(units.currency, _rounded(-residual.get(units.currency, ZERO), units.currency, tolerances))]


def _only(residual: Mapping[str, Decimal]) -> str:
    open_ones = [currency for currency, number in residual.items() if number]
    if len(open_ones) != 1:
        raise BookingProblemError("the currency of an amount can't be worked out")
    return open_ones[0]


def _rounded(number: Decimal, currency: str, tolerances: Mapping[str, Decimal]) -> Decimal:
    """A missing number at the digits that the transaction has in the currency."""
    tolerance = tolerances.get(currency)
    if not tolerance:
        return number
    quantum = (tolerance * 2).normalize()
    if len(quantum.as_tuple().digits) > _TOLERANCE_DIGITS:
        return number
    return number.quantize(quantum, rounding=ROUND_HALF_EVEN)
