"""Rows of documents of any kind, and what a document is drawn up from."""

from ledgerbee.sales.documents.store.rows import (
    book,
    delete,
    get,
    get_for_update,
    get_full,
    get_snapshot,
    insert,
    lines_of,
    list_page,
    replace_lines,
    take_number,
    update,
)
from ledgerbee.sales.documents.store.sources import get_sources

__all__ = [
    "book",
    "delete",
    "get",
    "get_for_update",
    "get_full",
    "get_snapshot",
    "get_sources",
    "insert",
    "lines_of",
    "list_page",
    "replace_lines",
    "take_number",
    "update",
]
