"""Every SQL statement of journal entries, split by what it is for."""

from ledgerbee.ledger.entries.store.books import hold_tags, load_books, load_references
from ledgerbee.ledger.entries.store.posting import Places, array_literal, columns_of, post
from ledgerbee.ledger.entries.store.reads import (
    EntryFilter,
    correct,
    filters_of,
    get,
    get_many,
    hold,
    list_page,
    new_entry,
)

__all__ = [
    "EntryFilter",
    "Places",
    "array_literal",
    "columns_of",
    "correct",
    "filters_of",
    "get",
    "get_many",
    "hold",
    "hold_tags",
    "list_page",
    "load_books",
    "load_references",
    "new_entry",
    "post",
]
