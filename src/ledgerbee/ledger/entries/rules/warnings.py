"""What is odd about an entry of which the caller sends all lines, but no reason to refuse it. Pure."""

import json
from collections.abc import Mapping
from typing import Final, NamedTuple
from uuid import UUID

from ledgerbee.chart.accounts.model import ControlAccountType
from ledgerbee.core.money import EXACT, ZERO, format_amount
from ledgerbee.ledger.entries.model import CONTROL_SIDES, CUSTOMER_TYPES, EntryToPost

#: No line of a customer's or vendor's entry stands on an account of what they owe or are owed.
CONTROL_LINE_MISSING: Final = "CONTROL_LINE_MISSING"
#: What stands there is not what `originalAmount` says.
CONTROL_AMOUNT_DIFFERS: Final = "CONTROL_AMOUNT_DIFFERS"


class EntryWarning(NamedTuple):
    """Something to look at: a stable code and what it means of this entry."""

    code: str
    message: str


def control_warnings(entry: EntryToPost, controls: Mapping[UUID, ControlAccountType | None]) -> list[EntryWarning]:
    """What is odd about the receivable or payable of an entry of one of the four locked types (contract 2.28).

    `controls` has for each account of its lines what it stands for. The receivable or payable is what its lines come
    to on the side where a positive original amount puts it, in the entry's currency.
    """
    side = CONTROL_SIDES.get(entry.entry_type)
    if side is None:
        return []
    is_customers = entry.entry_type in CUSTOMER_TYPES
    wanted = ControlAccountType.ACCOUNTS_RECEIVABLE if is_customers else ControlAccountType.ACCOUNTS_PAYABLE
    name = "receivable" if is_customers else "payable"
    lines = [line for line in entry.lines if controls.get(line.account_id) is wanted]
    if not lines:
        text = f"No line of this {entry.entry_type} stands on a {name}s account: the {name} is not changed by it"
        return [EntryWarning(CONTROL_LINE_MISSING, text)]
    booked = ZERO
    for line in lines:
        booked = EXACT.add(booked, line.amount if line.side is side else -line.amount)
    if booked == entry.original_amount:
        return []
    shown, stated = format_amount(booked, entry.currency), format_amount(entry.original_amount, entry.currency)
    text = f"The {name} changes by {shown} {entry.currency}, but originalAmount is {stated}"
    return [EntryWarning(CONTROL_AMOUNT_DIFFERS, text)]


def with_warnings(written: bytes, warnings: list[EntryWarning]) -> bytes:
    """An entry's JSON with its warnings at the end, where there are any."""
    if not warnings:
        return written
    text = json.dumps([one._asdict() for one in warnings], ensure_ascii=False, separators=(",", ":")).encode()
    return written[:-1] + b',"warnings":' + text + b"}"
