"""A customer's receivables as the documents describe them, in whole minor units and plain Python.

Written from the contract and the decisions ("Documents"), with no line of `ledgerbee`. Each method says how the system
has to answer, and what is so afterwards. Amounts include VAT.
"""

from dataclasses import dataclass, field

#: A predicted refusal.
Refused = tuple[int, str]


@dataclass(kw_only=True)
class Sale:
    """A sent invoice, or, without a number, nothing."""

    number: str
    currency: str
    day: str
    amount: int
    #: By id: what each payment that was not taken back paid.
    payments: dict[str, int] = field(default_factory=dict)
    credited: int = 0
    applied: int = 0
    #: What was used elsewhere of what it has too much.
    used: int = 0

    @property
    def settled(self) -> int:
        return sum(self.payments.values()) + self.credited + self.applied

    @property
    def due(self) -> int:
        return max(self.amount - self.settled, 0)

    @property
    def left(self) -> int:
        """What it has too much, and nobody has used."""
        return max(self.settled - self.amount, 0) - self.used

    @property
    def status(self) -> str:
        if self.credited == self.amount:
            return "credited"
        if not self.due:
            return "paid"
        return "partially_paid" if self.payments or self.applied else "sent"


@dataclass(kw_only=True)
class Gift:
    """A sent credit note of no invoice."""

    number: str
    currency: str
    day: str
    amount: int
    used: int = 0

    @property
    def left(self) -> int:
        return self.amount - self.used


@dataclass
class Receivables:
    """All of one customer."""

    sales: dict[str, Sale] = field(default_factory=dict)
    gifts: dict[str, Gift] = field(default_factory=dict)
    applied: dict[str, int] = field(default_factory=dict)
    refunded: dict[str, int] = field(default_factory=dict)

    def credit(self, currency: str) -> int:
        """What can be used."""
        return sum(one.left for one in self._sources(currency))

    def balance(self, currency: str) -> int:
        """What stands on the receivables account, in the currency."""
        return sum(one.due for one in self.sales.values() if one.currency == currency) - self.credit(currency)

    def balances(self) -> dict[str, tuple[int, int, int, int]]:
        """By currency with any credit ever: all of it, what was used on invoices, what was paid back, what is left."""
        found = {}
        documents: list[Sale | Gift] = [*self.sales.values(), *self.gifts.values()]
        for currency in sorted({one.currency for one in documents}):
            sources = self._sources(currency)
            whole = sum(one.left + one.used for one in sources)
            if whole:
                used = self.applied.get(currency, 0), self.refunded.get(currency, 0)
                found[currency] = (whole, *used, self.credit(currency))
        return found

    def pay(self, sale: Sale, amount: int) -> Refused | None:
        if not sale.due:
            return 409, "INVOICE_INVALID_STATE"
        return (400, "PAYMENT_EXCEEDS_INVOICE") if amount > sale.due else None

    def reverse(self, sale: Sale, payment: str) -> Refused | None:
        if payment not in sale.payments:
            return 409, "PAYMENT_ALREADY_REVERSED"
        left = max(sale.settled - sale.payments[payment] - sale.amount, 0)
        if sale.used > left:
            return 409, "PAYMENT_CREDIT_USED"
        del sale.payments[payment]
        return None

    def credit_note(self, sale: Sale, amount: int) -> Refused | None:
        if sale.credited + amount > sale.amount:
            return 409, "CREDIT_NOTE_EXCEEDS_INVOICE"
        sale.credited += amount
        return None

    def apply(self, sale: Sale, amount: int | None) -> Refused | int:
        """What is used; None: as much as there is and is due."""
        if not sale.due:
            return 409, "INVOICE_INVALID_STATE"
        available = self.credit(sale.currency)
        wanted = min(sale.due, available) if amount is None else amount
        if wanted > sale.due:
            return 400, "CREDIT_EXCEEDS_INVOICE"
        if not wanted or wanted > available:
            return 409, "CUSTOMER_CREDIT_INSUFFICIENT"
        self._take(sale.currency, wanted)
        sale.applied += wanted
        self.applied[sale.currency] = self.applied.get(sale.currency, 0) + wanted
        return wanted

    def refund(self, currency: str, amount: int) -> Refused | None:
        if amount > self.credit(currency):
            return 409, "CUSTOMER_CREDIT_INSUFFICIENT"
        self._take(currency, amount)
        self.refunded[currency] = self.refunded.get(currency, 0) + amount
        return None

    def _sources(self, currency: str) -> list[Sale | Gift]:
        """The oldest first; of the same day credit notes before invoices."""
        gifts = sorted((one for one in self.gifts.values() if one.currency == currency), key=_age)
        sales = sorted((one for one in self.sales.values() if one.currency == currency), key=_age)
        return sorted([*gifts, *sales], key=lambda one: (one.day, isinstance(one, Sale)))

    def _take(self, currency: str, amount: int) -> None:
        for one in self._sources(currency):
            taken = min(one.left, amount)
            one.used += taken
            amount -= taken
        assert not amount


def _age(one: Sale | Gift) -> tuple[str, int]:
    return one.day, int(one.number)
