"""How the balance of a ledger runs. Pure."""

from collections.abc import Iterable
from decimal import Decimal
from itertools import accumulate

from ledgerbee.core.money import EXACT


def running(before: Decimal, amounts: Iterable[Decimal]) -> list[Decimal]:
    """The balance after each amount."""
    return list(accumulate(amounts, EXACT.add, initial=before))[1:]
