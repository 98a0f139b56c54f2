"""Recomputes the VAT and the base amounts of posted entries, for `verify`. Pure: rows in, the first fault out.

Of entries as they are posted today. A reversal repeats the amounts of what it takes back, and a payment settles a
receivable at its invoice's rate: neither is looked at here.
"""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final

import asyncpg

from ledgerbee.core.money import EXACT, HUNDRED, ZERO, multiply, percent_of, round_money, total

#: Documents whose entries bring their own base amounts.
_SETTLEMENTS: Final = frozenset({"payment"})


def fault_in_amounts(entry: asyncpg.Record, lines: Sequence[asyncpg.Record], base_currency: str) -> str | None:
    """What is wrong with the VAT or the conversion of an entry, None for nothing.

    `lines` in their order, each with `is_control` and `is_reverse_charge`.
    """
    if entry["reverses_entry_id"] is not None or entry["source_type"] in _SETTLEMENTS:
        return None
    if entry["source_type"] is None and (fault := _fault_in_vat(entry["currency"], lines)) is not None:
        return fault
    if entry["currency"] == base_currency:
        return None
    return _fault_in_conversion(entry["exchange_rate"], lines, base_currency)


def _groups(lines: Sequence[asyncpg.Record]) -> Iterator[list[asyncpg.Record]]:
    """Each entered line with the lines of its VAT, which follow it."""
    group: list[asyncpg.Record] = []
    for line in lines:
        if line["line_type"] not in {"VAT", "VAT_CONTRA"} and group:
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _fault_in_vat(currency: str, lines: Sequence[asyncpg.Record]) -> str | None:
    """The VAT of each line follows from its base and rate, up to what the voucher states otherwise."""
    for own, *vat_lines in _groups(lines):
        rate: Decimal | None = own["vat_rate"]
        if rate is None:
            continue
        base = abs(own["amount"])
        vat = total([abs(line["amount"]) for line in vat_lines if line["line_type"] == "VAT"])
        computed = EXACT.subtract(vat, own["vat_difference"] or ZERO)
        on_top = round_money(percent_of(base, rate), currency)
        contained = round_money(EXACT.divide(multiply(EXACT.add(base, vat), rate), EXACT.add(HUNDRED, rate)), currency)
        if computed not in {on_top, contained}:
            return f"the VAT of line {own['line_number']} is {vat:f}, which {rate:f} % of {base:f} does not make"
        contra = total([abs(line["amount"]) for line in vat_lines if line["line_type"] == "VAT_CONTRA"])
        if own["is_reverse_charge"] and contra != vat:
            return f"the reverse charge of line {own['line_number']} deducts {vat:f} and owes {contra:f}"
    return None


def _fault_in_conversion(rate: Decimal, lines: Sequence[asyncpg.Record], base_currency: str) -> str | None:
    """VAT and what parties owe are amount x rate; the other lines take what is left, and no more than that."""

    def converted(amount: Decimal) -> Decimal:
        return round_money(multiply(amount, rate), base_currency)

    moved: list[Decimal] = []
    fault: str | None = None
    for own, *vat_lines in _groups(lines):
        expected = [converted(line["amount"]) for line in (own, *vat_lines)]
        if own["is_reverse_charge"] and vat_lines and vat_lines[-1]["line_type"] == "VAT_CONTRA":
            # Of the converted base: which part of it is deducted, the amounts tell only roughly.
            owed = round_money(percent_of(abs(expected[0]), own["vat_rate"] or ZERO), base_currency)
            if own["vat_rate"] is not None and abs(vat_lines[-1]["base_amount"]) != owed:
                fault = fault or f"the reverse charge of line {own['line_number']} is not {owed:f} in base currency"
            expected[1:] = [line["base_amount"] for line in vat_lines]
        for line, amount in zip((own, *vat_lines), expected, strict=True):
            off = EXACT.subtract(line["base_amount"], amount)
            if line["line_type"] in {"VAT", "VAT_CONTRA", "CONTROL"} or line["is_control"]:
                fault = fault or (
                    f"line {line['line_number']} is {line['base_amount']:f} in base currency, its amount x rate is "
                    f"{amount:f}"
                    if off
                    else None
                )
            elif line["amount"]:  # an exchange difference exists in base currency only
                moved.append(off)
    if not moved:  # there is nothing else that could take the difference
        return None
    if fault is None and total([abs(off) for off in moved]) != abs(total(moved)):
        fault = "its base amounts are further from amount x rate than balancing takes"
    return fault
