"""Every SQL statement of journal entries, split by what it is for."""

from ledgerbee.ledger.entries.store.arrays import arguments_of
from ledgerbee.ledger.entries.store.books import hold_tags, load_books, load_references
from ledgerbee.ledger.entries.store.lines import Found
from ledgerbee.ledger.entries.store.posting import PostingResult, post
from ledgerbee.ledger.entries.store.reads import (
    EntryFilter,
    check_exists,
    count_lines,
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
    "EntryFilter",
    "Found",
    "PostingResult",
    "arguments_of",
    "check_exists",
    "count_lines",
    "find",
    "get",
    "get_for_update",
    "get_many",
    "get_many_for_update",
    "get_portions",
    "hold_tags",
    "list_page",
    "load_books",
    "load_references",
    "new_entry",
    "post",
    "update",
]
