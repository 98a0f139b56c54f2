"""Statements over plain tables, written out from the fields of their dataclass when a store is imported.

Text and arguments only: what is sent, when, and what comes of it stands in the store. A dataclass of a row has the
table's columns as its fields, in any order, but for `company_id`.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final, get_args, get_type_hints
from uuid import UUID

import asyncpg

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.fields import names_of

#: The columns' types of PostgreSQL; an enum is a text.
_SQL_TYPES: Final[Mapping[type, str]] = {
    UUID: "uuid", str: "text", Decimal: "numeric", bool: "boolean", int: "bigint", date: "date",
    datetime: "timestamptz",
}  # fmt: skip


def columns(kind: type[Any], alias: str = "") -> str:
    """Those columns for a SELECT; `alias` is the table's."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + name for name in names_of(kind))


def values(row: Any) -> list[Any]:
    """A row's values in the order of its columns."""
    return [getattr(row, name) for name in names_of(type(row))]


def insert(table: str, kind: type[Any], *keys: str) -> str:
    """INSERT of a row; takes `company_id` ($1), those of the `keys`, and `values`.

    `keys` are further columns, which no field of the dataclass holds: whose row it is.
    """
    listed = ", ".join(("company_id", *keys, columns(kind)))
    places = ", ".join(f"${number}" for number in range(1, len(names_of(kind)) + len(keys) + 2))
    return f"INSERT INTO {table} ({listed}) VALUES ({places})"


def update(table: str, kind: type[Any], fixed: Collection[str] = ("created_at",)) -> str:
    """UPDATE of the row by its id, of all but the `fixed` columns; takes `company_id` ($1) and `values`.

    A fixed column is compared instead: nothing of the arguments is left unused, and a row whose fixed columns are said
    to be others is not found.
    """
    places = {name: f"{name} = ${place}" for place, name in enumerate(names_of(kind), 2)}
    kept = " AND ".join(places.pop(name) for name in ("id", *fixed))
    return f"UPDATE {table} SET {', '.join(places.values())} WHERE company_id = $1 AND {kept}"


def arrays(kind: type[Any], first: int) -> str:
    """Places of an array for each column, from `$first` on: what `unnest` makes rows of. They take `column_values`."""
    hints = get_type_hints(kind)
    types = [_sql_type(hints[name]) for name in names_of(kind)]
    return ", ".join(f"${place}::{name}[]" for place, name in enumerate(types, first))


def column_values(rows: Sequence[Any]) -> list[list[Any]]:
    """The values of rows (one at least) by column, in the order of the columns."""
    return [[getattr(row, name) for row in rows] for name in names_of(type(rows[0]))]


def insert_many(table: str, kind: type[Any]) -> str:
    """INSERT of rows; takes `company_id` ($1) and `column_values`."""
    listed = columns(kind)
    return f"INSERT INTO {table} (company_id, {listed}) SELECT $1, {listed} FROM unnest({arrays(kind, 2)}) r ({listed})"


def update_many(
    table: str, kind: type[Any], fixed: Collection[str] = ("created_at",), untouched: Collection[str] = ()
) -> str:
    """UPDATE of rows as `update` does it; takes `company_id` ($1) and `column_values`.

    `untouched` columns stay as they are; they may be null, which `fixed` ones, that are compared, may not.
    """
    changed = ", ".join(f"{name} = r.{name}" for name in names_of(kind) if name not in {"id", *fixed, *untouched})
    kept = " AND ".join(f"t.{name} = r.{name}" for name in ("id", *fixed))
    return (
        f"UPDATE {table} t SET {changed} FROM unnest({arrays(kind, 2)}) r ({columns(kind)})"
        f" WHERE t.company_id = $1 AND {kept}"
    )


def _sql_type(hint: Any) -> str:
    found = next((part for part in get_args(hint) if part is not type(None)), hint)
    found = getattr(found, "__supertype__", found)
    return _SQL_TYPES.get(found) or _SQL_TYPES[next(base for base in found.__mro__ if base in _SQL_TYPES)]


@contextmanager
def refusing(refusals: Mapping[str, LedgerBeeError | Callable[[str | None], LedgerBeeError]]) -> Iterator[None]:
    """Raise the refusal of the constraint (by its name) that a statement breaks; any other fault stays as it is.

    A refusal may be made of the detail that a trigger of ours gives.
    """
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as fault:
        refusal = refusals.get(fault.constraint_name or "")
        if refusal is None:
            raise
        raise (refusal if isinstance(refusal, LedgerBeeError) else refusal(fault.detail)) from None
