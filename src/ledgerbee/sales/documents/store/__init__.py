"""Rows of documents of any kind, and what a document is drawn up from."""

from ledgerbee.sales.documents.store.rows import (
    book,
    count_lines,
    delete,
    get,
    get_for_update,
    get_full,
    get_many_for_update,
    get_snapshot,
    insert,
    insert_many,
    lines_of,
    lines_of_many,
    list_page,
    replace_lines,
    take_numbers,
    update,
    update_many,
)
from ledgerbee.sales.documents.store.sources import get_many_sources, get_sources

__all__ = [
    "book",
    "count_lines",
    "delete",
    "get",
    "get_for_update",
    "get_full",
    "get_many_for_update",
    "get_many_sources",
    "get_snapshot",
    "get_sources",
    "insert",
    "insert_many",
    "lines_of",
    "lines_of_many",
    "list_page",
    "replace_lines",
    "take_numbers",
    "update",
    "update_many",
]
