"""Every SQL statement of journal entries, split by what it is for."""

from ledgerbee.ledger.entries.store.arrays import ENTRY_TYPES, LINE_TYPES, arguments_of, array_literal
from ledgerbee.ledger.entries.store.books import hold_tags, load_books, load_references
from ledgerbee.ledger.entries.store.columns import ENTRY_COLUMNS, LINE_COLUMNS, entry_values_of, line_values_of, listed
from ledgerbee.ledger.entries.store.posting import PostingResult, post
from ledgerbee.ledger.entries.store.reads import (
    EntryFilter,
    Found,
    correct,
    count_lines,
    filters_of,
    find,
    find_page,
    get,
    get_many,
    hold,
    new_entry,
    read_portions,
    require,
)

__all__ = [
    "ENTRY_COLUMNS",
    "ENTRY_TYPES",
    "LINE_COLUMNS",
    "LINE_TYPES",
    "EntryFilter",
    "Found",
    "PostingResult",
    "arguments_of",
    "array_literal",
    "correct",
    "count_lines",
    "entry_values_of",
    "filters_of",
    "find",
    "find_page",
    "get",
    "get_many",
    "hold",
    "hold_tags",
    "line_values_of",
    "listed",
    "load_books",
    "load_references",
    "new_entry",
    "post",
    "read_portions",
    "require",
]
