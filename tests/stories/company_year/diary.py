"""Reads the written-out year: text files with a block for each transaction, in the order of their days.

A block is a head, indented lines below it, and the accountant's remarks as comments (`#`):

    DAY KIND KEY [PARTY] [AMOUNT] [CURRENCY RATE] [name=value ...] | text
      ACCOUNT [VAT CODE] AMOUNT [incl|excl] [vat=AMOUNT]        bill, charge, pay, collect, journal
      PRODUCT QUANTITY [@ UNIT PRICE] [-PERCENT%]               invoice
      slip|asset NAME ...                                       facts that a rule computes from

KEY is the voucher's number. AMOUNT is what the voucher says in total, in its currency: negative for a credit note. In
bills and charges the items have the voucher's sign, in all other kinds debit is positive. RATE is kroner for one unit.

    bill      a supplier's invoice or credit note
    pay       a payment to a supplier; paid in kroner, `of` is the bill, `fc` its amount at the bank's rate
    invoice   an invoice of ours, sent as a document
    receipt   a payment of an invoice; PARTY is the invoice's key
    returned  a payment that the bank takes back; PARTY is the receipt's key
    charge    an invoice or credit note of ours by entry
    collect   a payment of a customer by entry
    journal   anything else; `rule` names what its items follow from (closing.py)
    reverse   an entry taken back; PARTY is its key
    lock      the books are closed through a day
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

KINDS: Final = frozenset(
    ["bill", "charge", "pay", "collect", "journal", "invoice", "receipt", "returned", "reverse", "lock"]
)
FILES: Final = tuple(sorted(Path(__file__).parent.glob("2*.txt")))


@dataclass(frozen=True)
class Item:
    """A line on an account. `contains` says whether the amount contains its VAT; None leaves it to the code."""

    account: int
    amount: Decimal
    code: str | None = None
    contains: bool | None = None
    stated_vat: Decimal | None = None


@dataclass(frozen=True)
class Sold:
    """A line of an invoice; without a price the catalogue's counts."""

    product: str
    quantity: Decimal
    price: Decimal | None = None
    discount: Decimal = Decimal(0)


@dataclass(frozen=True)
class Event:
    """One transaction. `facts` are the words of its slips and assets."""

    day: date
    kind: str
    key: str
    party: str
    amount: Decimal
    currency: str
    rate: Decimal
    options: dict[str, str]
    text: str
    items: tuple[Item, ...]
    sold: tuple[Sold, ...]
    facts: tuple[tuple[str, ...], ...]


def read_year() -> list[Event]:
    """All transactions, as they stand in the files."""
    events = [event for file in FILES for event in read(file.read_text(encoding="utf-8"))]
    assert [event.day for event in events] == sorted(event.day for event in events), "in the order of their days"
    keys = [event.key for event in events]
    assert len(keys) == len(set(keys)), sorted(key for key in keys if keys.count(key) > 1)
    return events


def read(text: str) -> list[Event]:
    """The transactions of a file."""
    blocks: list[list[str]] = []
    for raw in text.splitlines():
        line = raw.partition("#")[0].rstrip()
        if line and not line.startswith(" "):
            blocks.append([line])
        elif line:
            blocks[-1].append(line.strip())
    return [_event(head, lines) for head, *lines in blocks]


def _event(head: str, lines: list[str]) -> Event:
    front, _, text = head.partition("|")
    day, kind, key, *words = front.split()
    assert kind in KINDS, head
    party, amount, currency, rate = "", Decimal(0), "DKK", Decimal(1)
    options = dict(word.split("=", 1) for word in words if "=" in word)
    plain = iter([word for word in words if "=" not in word])
    for word in plain:
        if word.isalpha() and word.isupper() and len(word) == 3:
            currency, rate = word, Decimal(next(plain))
        elif word[-1].isdigit() and word.lstrip("-").replace(".", "").isdigit():
            amount = Decimal(word)
        else:
            party = word
    split = [line.split() for line in lines]
    return Event(
        date.fromisoformat(day),
        kind,
        key,
        party,
        amount,
        currency,
        rate,
        options,
        text.strip(),
        items=tuple(_item(words) for words in split if words[0].isdigit()),
        sold=tuple(_sold(words) for words in split if words[0].isupper()),
        facts=tuple(tuple(words) for words in split if words[0].islower()),
    )


def _item(words: list[str]) -> Item:
    account, *rest = words
    code = rest.pop(0) if rest[0][0] in "KS" else None
    amount, *more = rest
    contains = {"incl": True, "excl": False}
    stated = [Decimal(word.removeprefix("vat=")) for word in more if word.startswith("vat=")]
    said = [contains[word] for word in more if word in contains]
    return Item(int(account), Decimal(amount), code, said[0] if said else None, stated[0] if stated else None)


def _sold(words: list[str]) -> Sold:
    product, quantity, *rest = words
    discounts = [Decimal(word.strip("-%")) for word in rest if word.endswith("%")]
    price = Decimal(rest[1]) if rest and rest[0] == "@" else None
    return Sold(product, Decimal(quantity), price, discounts[0] if discounts else Decimal(0))
