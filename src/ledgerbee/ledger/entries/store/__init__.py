"""Every SQL statement of journal entries, split by what it is for."""

from ledgerbee.ledger.entries.store.books import load_books, load_references, tags_of
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
    "list_page",
    "load_books",
    "load_references",
    "new_entry",
    "post",
    "tags_of",
]
