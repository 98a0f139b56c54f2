"""The published invoices (`examples/`), and what each becomes as plain lines on an invoice of ours.

An invoice here is quantity x unit price less a percentage, line by line. Published documents know more: prices per
several units, allowances and charges on lines and on the document. `examples/README.md` says how each is restated.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeAlias

from ledgerbee.app.demo.form import check
from ledgerbee.app.shipped import shipped
from ledgerbee.core.money import (
    EXACT,
    ONE,
    UNIT_PRICE_PLACES,
    ZERO,
    format_decimal,
    multiply,
    round_to,
    total,
)

#: A published document as the file has it: strings, lists and objects.
Document: TypeAlias = Mapping[str, Any]

FILE: Final = "published-invoices.json"

#: What a published document has that an invoice doesn't state, by its note.
_UNSTATED: Final = {
    "prepaid-amount": "{prepaid} paid in advance: not stated on an invoice, recorded as its payment",
    "payable-rounding": "cash rounding of {rounding} on what is paid: not part of the invoice",
    "tax-currency": "VAT also stated in {taxCurrency} at a rate of the sender's: not stated",
    "line-net-differs-from-quantity-and-price": "line {line} as published is not quantity x price: its net is kept",
}
_UNSTATED_ON_NOTES: Final = {"prepaid-amount": "{prepaid} paid in advance: not stated on a credit note"}


@dataclass(frozen=True, slots=True)
class Tax:
    """How a line is taxed: category of EN 16931, percent, and why there is no VAT."""

    category: str
    rate: Decimal
    reason: str | None = None

    @property
    def label(self) -> str:
        """`S 25 %`: short enough for a name."""
        return f"{self.category} {format_decimal(self.rate)} %"


@dataclass(frozen=True, slots=True)
class Item:
    """What is sold, as the catalogue keeps it. `unit_price` excludes VAT, in the document's currency."""

    number: str
    name: str
    description: str | None
    unit: str | None
    unit_price: Decimal
    tax: Tax


@dataclass(frozen=True, slots=True)
class SoldLine:
    """A line to be sold. `unit_price` is given where it isn't the item's own."""

    item: Item
    quantity: Decimal
    unit_price: Decimal | None = None
    discount_percent: Decimal = ZERO
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Net, VAT and gross of a document, in its currency."""

    net: Decimal
    vat: Decimal
    gross: Decimal


def documents(file: Path | None = None) -> list[Document]:
    """The published documents of `file`; left out: those that ship with the package or lie in its checkout.

    Raises `OSError` for a file that can't be read and `ValueError` for one that isn't such a file.
    """
    try:
        content = json.loads(text_of_example(FILE) if file is None else file.read_text("utf-8"))
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    check(content)
    found: list[Document] = content["documents"]
    return found


def text_of_example(name: str) -> str:
    """A file of examples/, which ships with the package."""
    return shipped("ledgerbee.app.demo", "examples", name).decode()


def figures(document: Document) -> Figures:
    """What the document was published with."""
    totals = document["totals"]
    return Figures(Decimal(totals["net"]), Decimal(totals["vat"]), Decimal(totals["gross"]))


def is_credit_note(document: Document) -> bool:
    """Whether it credits what it lists; its amounts are positive all the same."""
    return bool(document["kind"] == "credit_note")


def remarks(document: Document) -> list[str]:
    """What of the document the invoice doesn't say, or says differently."""
    facts = {**document["totals"], "taxCurrency": document.get("taxCurrency"), "line": _odd_line(document)}
    texts = _UNSTATED | (_UNSTATED_ON_NOTES if is_credit_note(document) else {})
    return [text.format(**facts) for note, text in texts.items() if note in document["notes"]]


def prepaid(document: Document) -> Decimal:
    """What was paid before the document was issued, in its currency."""
    return Decimal(document["totals"]["prepaid"])


def lines(document: Document) -> list[SoldLine]:
    """The document as plain lines that give its net, VAT and gross."""
    reasons = {
        (row["category"], Decimal(row["rate"])): row["exemptionReason"]
        for row in document["vat"]
        if "exemptionReason" in row
    }
    sold: list[SoldLine] = []
    for line in document["lines"]:
        sold.extend(_published_line(line, _tax(line, reasons)))
    sold.extend(_adjustment(entry, _tax(entry, reasons)) for entry in document["allowancesAndCharges"])
    return sold


def _published_line(line: Document, tax: Tax) -> Iterator[SoldLine]:
    quantity, price = Decimal(line["quantity"]), _price_of_one(line)
    item = Item(
        number=line.get("itemNumber") or line["name"],
        name=line["name"],
        description=line.get("description"),
        unit=line.get("unit"),
        unit_price=price,
        tax=tax,
    )
    charged = EXACT.add(price, EXACT.divide(_gap(line), quantity))
    discount, rest = ZERO, []
    for entry in line.get("allowancesAndCharges", []):
        if discount == 0 and _is_discount(entry, multiply(quantity, charged)):
            discount = Decimal(entry["percent"])
        else:
            rest.append(entry)
    yield SoldLine(item, quantity, None if charged == price else _as_price(charged), discount)
    for entry in rest:
        yield _adjustment(entry, tax)


def _adjustment(entry: Document, tax: Tax) -> SoldLine:
    kind = "allowance" if entry["kind"] == "allowance" else "charge"
    item = Item(
        f"{kind}-{tax.category}-{format_decimal(tax.rate)}", f"{kind.title()}, {tax.label}", None, None, ZERO, tax
    )
    return SoldLine(item, ONE, unit_price=_signed(entry), description=entry.get("reason"))


def _is_discount(entry: Document, gross: Decimal) -> bool:
    """True for a percentage of the line's own amount: what a discount of ours is."""
    return entry["kind"] == "allowance" and "percent" in entry and Decimal(entry["baseAmount"]) == gross


def _price_of_one(line: Document) -> Decimal:
    return _as_price(EXACT.divide(Decimal(line["unitPrice"]), Decimal(line.get("baseQuantity", "1"))))


def _as_price(price: Decimal) -> Decimal:
    return round_to(price, UNIT_PRICE_PLACES)


def _gap(line: Document) -> Decimal:
    """What the published net has over quantity x price with its allowances and charges; zero on nearly all lines."""
    entries = [_signed(entry) for entry in line.get("allowancesAndCharges", [])]
    computed = total([multiply(Decimal(line["quantity"]), _price_of_one(line)), *entries])
    return EXACT.subtract(Decimal(line["net"]), computed)


def _odd_line(document: Document) -> str:
    return ", ".join(line["id"] for line in document["lines"] if _gap(line))


def _signed(entry: Document) -> Decimal:
    amount = Decimal(entry["amount"])
    return amount if entry["kind"] == "charge" else -amount


def _tax(entry: Document, reasons: Mapping[tuple[str, Decimal], str]) -> Tax:
    category, rate = entry["vatCategory"], Decimal(entry["vatRate"])
    return Tax(category, rate, reasons.get((category, rate)))
