"""The columns that posted entries and drafts share: those of `EntryFields` and `LineFields`, in their order."""

from collections.abc import Iterable
from operator import itemgetter
from typing import Any, Final

import asyncpg

from ledgerbee.ledger.entries.model import ENTRY_FIELDS, LINE_FIELDS, EntryType, LineType, Side

#: Fields whose columns have other names.
_COLUMN_OF: Final = {"date": "entry_date", "side": "is_debit"}

ENTRY_COLUMNS: Final = tuple(_COLUMN_OF.get(name, name) for name in ENTRY_FIELDS)
LINE_COLUMNS: Final = tuple(_COLUMN_OF.get(name, name) for name in LINE_FIELDS)

#: An enumeration's own way from a value to a member takes ten times as long.
_ENTRY_TYPES: Final = {kind.value: kind for kind in EntryType}
_LINE_TYPES: Final = {kind.value: kind for kind in LineType}
_ENTRY_VALUES: Final = itemgetter(*ENTRY_COLUMNS)
_LINE_VALUES: Final = itemgetter(*LINE_COLUMNS)


def listed(columns: Iterable[str], alias: str = "") -> str:
    """Columns for a statement; `alias` is the table's."""
    prefix = f"{alias}." if alias else ""
    return ", ".join([prefix + name for name in columns])


def entry_values_of(row: asyncpg.Record) -> tuple[Any, ...]:
    """The values of `EntryFields` in a row, in their order."""
    entry_type, *others, tag_ids = _ENTRY_VALUES(row)
    return _ENTRY_TYPES[entry_type], *others, tuple(tag_ids)


def line_values_of(row: asyncpg.Record) -> tuple[Any, ...]:
    """The values of `LineFields` in a row, in their order. Rows of posted lines have the sign of their side."""
    account_id, is_debit, amount, *others, tag_ids, line_type = _LINE_VALUES(row)
    side = Side.DEBIT if is_debit else Side.CREDIT
    return account_id, side, abs(amount), *others, tuple(tag_ids), _LINE_TYPES[line_type]
