"""Books out of what Beancount's tools print."""

import csv
import hashlib
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from ledgerbee.app.beancount.model import KINDS, Books, BooksRefusedError, Posting, Transaction
from ledgerbee.app.beancount.tools import Tools, plain
from ledgerbee.core.money import MAX_AMOUNT, format_decimal, round_to
from ledgerbee.ledger.entries.rules import RATE_PLACES

#: Every posting in the order of the books. Numbers as text: as numbers, `bean-query` may round them for display.
#: `nothing` shows what stands for NULL, which the user may have set.
_COLUMNS: Final = {
    "id": "id",
    "file": "entry_meta('filename')",
    "line": "entry_meta('lineno')",
    "day": "str(date)",
    "payee": "payee",
    "narration": "narration",
    "tags": "tags",
    "links": "links",
    "account": "account",
    "number": "str(number)",
    "currency": "currency",
    "weight": "str(number(weight))",
    "weight_currency": "currency(weight)",
    "cost": "str(cost_number)",
    "cost_currency": "cost_currency",
    "cost_day": "str(cost_date)",
    "cost_label": "cost_label",
    "rate": "str(getprice(currency(weight), '{base_currency}', date))",
    "nothing": "NULL",
}
#: The columns that say what was booked: the same bookings are the same import, wherever they are written.
_BOOKED: Final = [name for name in _COLUMNS if name not in {"id", "file", "line", "rate", "nothing"}]

# A column's text, None where it is NULL; what a posting always has is text.
_Row = dict[str, Any]


async def read_books(file: Path, base_currency: str, seconds: float) -> Books:
    """The books in a file, as Beancount books them; `base_currency` is the company's.

    Raises `BooksRefusedError`: a tool is missing or needs more `seconds`, or finds an error in the books.
    """
    with tempfile.TemporaryDirectory(prefix="ledgerbee-") as folder:
        tools = Tools.on(file, Path(folder), seconds)
        await tools.check()
        options, operating_currencies = await tools.options()
        columns = [f"{what.format(base_currency=base_currency)} AS {name}" for name, what in _COLUMNS.items()]
        answer = await tools.query(f"SELECT {', '.join(columns)}")
        digest = hashlib.sha256()
        transactions = []
        for _, rows in groupby(_rows(answer, digest.update), key=lambda row: row["id"]):
            transactions.append(_transaction(list(rows), tools))
    names = {kind: options.get(f"name_{kind.lower()}", kind) for kind in KINDS}
    return Books(transactions, names, operating_currencies, digest.digest())


def _rows(answer: Path, digest: Callable[[bytes], None]) -> Iterator[_Row]:
    with answer.open(encoding="utf-8", errors="replace", newline="") as opened, _values_of_any_length():
        reader = csv.DictReader(opened)
        if reader.fieldnames != list(_COLUMNS):
            raise BooksRefusedError("bean-query didn't answer with CSV: does ~/.config/beanquery/init change that?")
        for found in reader:
            row = {name: None if text == found["nothing"] else text for name, text in found.items()}
            digest(repr([row[name] for name in _BOOKED]).encode())
            yield row


@contextmanager
def _values_of_any_length() -> Iterator[None]:
    """A narration may be longer than what the csv module takes, which only has a limit for the whole process."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def _transaction(rows: Sequence[_Row], tools: Tools) -> Transaction:
    first = rows[0]
    place = tools.place(first["file"], first["line"])
    tags = [*_names(first["tags"]), *(f"^{name}" for name in _names(first["links"]))]
    text = " | ".join(text for text in (first["payee"], first["narration"]) if text)
    try:
        postings = [_posting(row) for row in rows]
    except OverflowError as fault:
        raise BooksRefusedError(f"{place}: {plain(str(fault))} is more than an amount can be.") from None
    return Transaction(place, date.fromisoformat(first["day"]), text, tags, postings)


def _names(listed: str | None) -> list[str]:
    return listed.split(",") if listed else []


def _posting(row: _Row) -> Posting:
    number = _number(row["number"])
    lot = None
    if row["cost"] is not None:
        label = f', "{row["cost_label"]}"' if row["cost_label"] else ""
        cost = f"{format_decimal(round_to(_number(row['cost']), RATE_PLACES))} {row['cost_currency']}"
        lot = f"{format_decimal(number)} {row['currency']} {{{cost}, {row['cost_day']}{label}}}"
    return Posting(
        account=row["account"],
        number=number,
        currency=row["currency"],
        weight=_number(row["weight"]),
        weight_currency=row["weight_currency"],
        lot=lot,
        rate=Decimal(row["rate"]) if row["rate"] is not None else None,
    )


def _number(text: str) -> Decimal:
    """A number that can be an amount. Raises `OverflowError`."""
    number = Decimal(text)
    if not number.is_finite() or abs(number) > MAX_AMOUNT:
        raise OverflowError(text)
    return number
