"""Every SQL statement of journal entries, split by what it is for."""

from ledgerbee.ledger.entries.store.books import load_books, load_references, tags_of
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
    "load_books",
    "load_references",
    "new_entry",
    "post",
    "read_portions",
    "require",
    "tags_of",
]
