"""Every SQL statement of journal entries, split by what it is for."""

from ledgerbee.ledger.entries.store.arrays import ENTRY_TYPES, LINE_TYPES, arguments_of, array_literal
from ledgerbee.ledger.entries.store.books import hold_tags, load_books, load_references
from ledgerbee.ledger.entries.store.columns import ENTRY_COLUMNS, LINE_COLUMNS, entry_values_of, line_values_of, listed
from ledgerbee.ledger.entries.store.lines import LineStatements
from ledgerbee.ledger.entries.store.posting import PostingResult, post
from ledgerbee.ledger.entries.store.reads import (
    EntryFilter,
    Found,
    check_exists,
    count_lines,
    filters_of,
    find,
    get,
    get_for_update,
    get_many,
    get_many_for_update,
    get_portions,
    list_page,
    new_entry,
    update,
)

__all__ = [
    "ENTRY_COLUMNS",
    "ENTRY_TYPES",
    "LINE_COLUMNS",
    "LINE_TYPES",
    "EntryFilter",
    "Found",
    "LineStatements",
    "PostingResult",
    "arguments_of",
    "array_literal",
    "check_exists",
    "count_lines",
    "entry_values_of",
    "filters_of",
    "find",
    "get",
    "get_for_update",
    "get_many",
    "get_many_for_update",
    "get_portions",
    "hold_tags",
    "line_values_of",
    "list_page",
    "listed",
    "load_books",
    "load_references",
    "new_entry",
    "post",
    "update",
]
