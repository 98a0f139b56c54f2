"""Recomputes the VAT and the base amounts of posted entries, for `verify`. Pure: rows in, the first fault out.

Of entries as they are posted today. A reversal repeats the amounts of what it takes back, a payment or a write-off
settles a receivable at its invoice's rate, used credit goes at the rates of its documents, and what goes back of a
charge at those of what it is taken from: none of them is looked at here, but with what they settle.
"""

from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from itertools import chain
from typing import Final

import asyncpg

from ledgerbee.core.money import EXACT, HUNDRED, ZERO, multiply, percent_of, round_money, total
from ledgerbee.ledger.entries.model import DRAFT_SOURCE, IMPORT_SOURCE

#: Documents whose entries bring their own base amounts.
_SETTLEMENTS: Final = frozenset({"payment", "credit_use", "write_off", "refund", "dispute"})
#: What posts entries as they are entered, with VAT and conversion by the ledger's own rules.
_AS_ENTERED: Final = frozenset({None, DRAFT_SOURCE, IMPORT_SOURCE})


def fault_in_amounts(entry: asyncpg.Record, lines: Sequence[asyncpg.Record], base_currency: str) -> str | None:
    """What is wrong with the VAT or the conversion of an entry, None for nothing.

    `lines` in their order, each with `is_control` and `is_reverse_charge`.
    """
    if entry["reverses_entry_id"] is not None or entry["source_type"] in _SETTLEMENTS:
        return None
    is_document = entry["source_type"] not in _AS_ENTERED
    if not is_document and (fault := _fault_in_vat(entry["currency"], lines)) is not None:
        return fault
    if entry["currency"] == base_currency:
        return None
    return _fault_in_conversion(entry["exchange_rate"], lines, base_currency, is_document=is_document)


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


def _fault_in_conversion(
    rate: Decimal, lines: Sequence[asyncpg.Record], base_currency: str, *, is_document: bool
) -> str | None:
    """VAT and what parties owe are amount x rate; the other lines take what is left, and no more than that.

    What settles a receivable takes off what is left of it: what its own rate makes of it otherwise is an exchange
    difference, a line in base currency only. So are what the last lines of a document take out at another rate, that
    of an earlier document: how many they are isn't said, and it is enough that there is a number that fits.

    Not every line in base currency only is one: a base of nothing (what was given away, a cent that is VAT alone) takes
    what is left as any other does. In an entry as it was entered there are no others.
    """
    groups = list(_groups(lines))
    with_amounts = [group[0] for group in groups if group[0]["amount"]]
    in_base_only = [group[0] for group in groups if not group[0]["amount"]]
    counts = range(_carried_at_most(groups) + 1) if is_document else ()
    apart = ([*in_base_only, *with_amounts[len(with_amounts) - count :]] for count in counts)
    first = None
    for lines_apart in chain(apart, [[]]):
        fault = _fault_with_apart(rate, groups, base_currency, lines_apart, is_document=is_document)
        if fault is None:
            return None
        first = first or fault
    return first


def _carried_at_most(groups: Sequence[Sequence[asyncpg.Record]]) -> int:
    """How many of the last lines with an amount may be at another rate: entered ones that no VAT follows."""
    last = [group for group in groups if group[0]["amount"]]
    count = 0
    while count < len(last):
        own, *vat_lines = last[-1 - count]
        if vat_lines or own["line_type"] != "ENTERED" or own["is_control"]:
            break
        count += 1
    return count


def _fault_with_apart(
    rate: Decimal,
    groups: Sequence[Sequence[asyncpg.Record]],
    base_currency: str,
    apart: Sequence[asyncpg.Record],
    *,
    is_document: bool,
) -> str | None:
    """What is wrong where the lines `apart` are exchange differences, or at another rate."""

    def converted(amount: Decimal) -> Decimal:
        return round_money(multiply(amount, rate), base_currency)

    def off(line: asyncpg.Record) -> Decimal:
        return EXACT.subtract(line["base_amount"], converted(line["amount"]))

    apart_numbers = {line["line_number"] for line in apart}
    difference = total(list(map(off, apart)))
    faults: list[str] = []
    moved: list[Decimal] = []
    for own, *vat_lines in groups:
        if own["line_type"] == "CONTROL" or own["is_control"]:
            expected = EXACT.subtract(converted(own["amount"]), difference)
            faults += [_off(own, expected)] if own["base_amount"] != expected else []
        elif own["line_number"] not in apart_numbers:
            moved.append(off(own))
        if is_document:
            faults += [
                _off(line, expected)
                for line in vat_lines
                if line["base_amount"] != (expected := converted(line["amount"]))
            ]
        else:
            faults += _faults_in_vat_in_base(own, vat_lines, converted, base_currency)
    if not moved:  # there is nothing else that could take the difference
        return "nothing is left that its rate is of" if any(line["amount"] for line in apart) else None
    if not faults and total([abs(one) for one in moved]) != abs(total(moved)):
        faults.append("its base amounts are further from amount x rate than balancing takes")
    return next(iter(faults), None)


def _faults_in_vat_in_base(
    own: asyncpg.Record,
    vat_lines: Sequence[asyncpg.Record],
    converted: Callable[[Decimal], Decimal],
    base_currency: str,
) -> list[str]:
    """The VAT of an entered line, deducted or not, is that of its voucher; a reverse charge's is that of its base."""
    if not vat_lines:
        return []
    charged = [line for line in vat_lines if line["line_type"] == "VAT"]
    expected = converted(total([line["amount"] for line in charged]))
    if own["is_reverse_charge"] and own["vat_rate"] is not None:
        owed = round_money(percent_of(abs(converted(own["amount"])), own["vat_rate"]), base_currency)
        expected = owed if own["is_debit"] else -owed
    found = total([line["base_amount"] for line in charged])
    contra = total([line["base_amount"] for line in vat_lines if line["line_type"] == "VAT_CONTRA"])
    number = own["line_number"]
    if found != expected:
        return [f"the VAT of line {number} is {found:f} in base currency, not {expected:f}"]
    if own["is_reverse_charge"] and contra != -expected:
        return [f"the reverse charge of line {number} is {contra:f} in base currency, not {-expected:f}"]
    return []


def _off(line: asyncpg.Record, expected: Decimal) -> str:
    number, base = line["line_number"], line["base_amount"]
    return f"line {number} is {base:f} in base currency, its amount x rate is {expected:f}"
