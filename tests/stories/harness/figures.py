"""What answers say of amounts, debit positive, in the company's currency."""

from collections import defaultdict
from decimal import Decimal
from typing import Final

from tests.stories.harness.client import Body

SIGNS: Final = {"DEBIT": 1, "CREDIT": -1}
#: The kinds of accounts that are booked on; the other rows of a chart are headings and totals.
BOOKABLE: Final = {"BALANCE_SHEET", "PROFIT_AND_LOSS"}


def signed(line: Body) -> Decimal:
    """The amount of a line of an entry."""
    return SIGNS[line["side"]] * Decimal(line["amountInBaseCurrency"])


def moved(entry: Body) -> dict[int, Decimal]:
    """What an entry moved, by account number."""
    amounts: dict[int, Decimal] = defaultdict(Decimal)
    for line in entry["lines"]:
        amounts[line["accountNumber"]] += signed(line)
    return dict(amounts)


def bookable(report: Body) -> dict[int, Body]:
    """The accounts of a trial balance that can be booked on, by number."""
    return {row["accountNumber"]: row for row in report["rows"] if row["ledgerType"] in BOOKABLE}
