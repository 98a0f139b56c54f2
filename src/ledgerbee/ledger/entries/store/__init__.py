"""Every SQL statement of journal entries, split by what it is for."""

from ledgerbee.ledger.entries.store.books import hold_tags, load_books, load_references
from ledgerbee.ledger.entries.store.posting import Places, array_literal, columns_of, post
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
    "EntryFilter",
    "Found",
    "Places",
    "array_literal",
    "columns_of",
    "correct",
    "count_lines",
    "filters_of",
    "find",
    "find_page",
    "get",
    "get_many",
    "hold",
    "hold_tags",
    "load_books",
    "load_references",
    "new_entry",
    "post",
    "read_portions",
    "require",
]
