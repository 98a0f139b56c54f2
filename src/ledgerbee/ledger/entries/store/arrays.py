"""Entries as the arguments of `post_entries`: an array for each field, with an element for each entry or line.

Which arrays there are follows from the fields of `EntryToPost` and `LineToPost`: a new field is a new argument of the
function, called as the field in the plural.
"""

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from types import NoneType
from typing import Any, Final, NamedTuple, get_args, get_origin
from uuid import UUID

from msgspec import Struct
from msgspec.structs import FieldInfo, astuple, fields

from ledgerbee.core.dates import iso_day
from ledgerbee.ledger.entries.model import (
    DEBIT,
    EntryFields,
    EntryToPost,
    EntryType,
    LineFields,
    LineToPost,
    LineType,
    Side,
)
from ledgerbee.platform.literals import array, bytea_array, nullable_array, text_array


def array_literal(ids: Sequence[UUID]) -> str:
    """A list inside a column of lists: arrays of arrays would all have to be of one length."""
    return array([tag.hex for tag in ids])


def _written(elements: Sequence[object]) -> str:
    return array([str(element) for element in elements])


def _days(days: Sequence[date]) -> str:
    return array([iso_day(day) for day in days])


def _sides(sides: Sequence[Side]) -> str:
    return array(["t" if side is DEBIT else "f" for side in sides])


def _lists(lists: Sequence[Sequence[UUID]]) -> str | None:
    return _unless_empty(text_array, [array_literal(ids) if ids else None for ids in lists])


def _unless_empty(write: Callable[[Sequence[Any]], str], elements: Sequence[Any]) -> str | None:
    """An array without any value needs no elements: `unnest` fills up with nulls."""
    return None if elements.count(None) == len(elements) else write(elements)


#: The element type in the database of a field's type, and what writes such an array.
_WRITERS: Final[dict[Any, tuple[str, Callable[[Sequence[Any]], str | None]]]] = {
    UUID: ("uuid", _written),
    str: ("text", text_array),
    date: ("date", _days),
    Decimal: ("numeric", _written),
    EntryType: ("text", array),
    LineType: ("text", array),
    Side: ("boolean", _sides),
    tuple: ("text", _lists),
}
#: Arguments that are not called as their field in the plural.
_ENTRY_ARGUMENTS: Final = {
    "currency": "currencies",
    "exchange_rate": "rates",
    "reference": "refs",
    "external_system_id": "external_ids",
    "journal_category_id": "category_ids",
    "tag_ids": "tags",
    "reverses_entry_id": "reversed_ids",
}
_LINE_ARGUMENTS: Final = {
    "account_id": "line_accounts",
    "side": "line_debits",
    "vat_code_id": "line_vat_codes",
    "tag_ids": "line_tags",
    "line_type": "line_types",
}


class _Array(NamedTuple):
    """An argument: its name and element type in the database, the field, and what writes the array."""

    argument: str
    kind: str
    field: str
    write: Callable[[Sequence[Any]], str | None]


def _array(argument: str, field: FieldInfo) -> _Array:
    kind, write = _WRITERS[_type_of(field)]
    if NoneType in get_args(field.type):
        optional = text_array if kind == "text" else nullable_array
        return _Array(argument, kind, field.name, lambda elements: _unless_empty(optional, elements))
    return _Array(argument, kind, field.name, write)


def _type_of(field: FieldInfo) -> Any:
    """A field's type without parameters and None."""
    if NoneType in get_args(field.type):
        return next(kind for kind in get_args(field.type) if kind is not NoneType)
    return get_origin(field.type) or field.type


#: Types of the elements of arrays of the columns that posted entries and drafts share (`columns`). Lists are literals.
ENTRY_TYPES: Final = tuple(_WRITERS[_type_of(field)][0] for field in fields(EntryFields))
LINE_TYPES: Final = tuple(_WRITERS[_type_of(field)][0] for field in fields(LineFields))
_OF_ENTRIES: Final = tuple(
    _array(_ENTRY_ARGUMENTS.get(field.name, f"{field.name}s"), field)
    for field in fields(EntryToPost)
    if field.name not in {"lines", "attachment_hashes"}
)
_OF_LINES: Final = tuple(
    _array(_LINE_ARGUMENTS.get(field.name, f"line_{field.name}s"), field) for field in fields(LineToPost)
)
#: The arrays, in the order of what `arguments_of` gives: names and types of their elements.
ARRAYS: Final = (
    *((array.argument, array.kind) for array in (*_OF_ENTRIES, *_OF_LINES)),
    *(("line_counts", "int"), ("attachment_counts", "int"), ("digests", "bytea")),
    *(("line_entries", "int"), ("line_numbers", "int"), ("line_ids", "uuid")),
)
POST: Final = "SELECT * FROM post_entries(company => $1, moment => $2, spare_year_ids => $3, {})".format(
    ", ".join(f"{name} => ${place}::text::{kind}[]" for place, (name, kind) in enumerate(ARRAYS, 4))
)


def arguments_of(
    entries: Sequence[EntryToPost], line_ids: Sequence[Sequence[UUID]], digests: Sequence[bytes]
) -> tuple[str | None, ...]:
    """The entries as the arguments of `POST` after the first three; line ids and digests are in their order."""
    columns = _columns(EntryToPost, entries)
    return (
        *[array.write(columns[array.field]) for array in _OF_ENTRIES],
        *_of_lines([line for entry in entries for line in entry.lines]),
        array([str(len(entry.lines)) for entry in entries]),
        array([str(len(entry.attachment_hashes)) for entry in entries]),
        bytea_array(digests),
        array([str(place) for place, entry in enumerate(entries, 1) for _ in entry.lines]),
        array([str(number) for entry in entries for number in range(1, len(entry.lines) + 1)]),
        array([str(line_id) for ids in line_ids for line_id in ids]),
    )


def _of_lines(lines: Sequence[LineToPost]) -> list[str | None]:
    columns = _columns(LineToPost, lines)
    amounts = _written(columns["amount"])
    # In an entry in the company's currency they are the same objects.
    same = {"amount": amounts, "base_amount": amounts} if columns["amount"] == columns["base_amount"] else {}
    return [same.get(array.field) or array.write(columns[array.field]) for array in _OF_LINES]


def _columns(kind: type[Struct], rows: Sequence[Struct]) -> dict[str, tuple[Any, ...]]:
    """The values of each field, by its name."""
    if not rows:
        return dict.fromkeys(kind.__struct_fields__, ())
    return dict(zip(kind.__struct_fields__, zip(*map(astuple, rows), strict=True), strict=True))
