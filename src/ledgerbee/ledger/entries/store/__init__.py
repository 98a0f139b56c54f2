"""Every SQL statement of journal entries, split by what it is for."""

from ledgerbee.ledger.entries.store.books import load_books
from ledgerbee.ledger.entries.store.posting import Places, post
from ledgerbee.ledger.entries.store.reads import EntryFilter, correct, get, get_many, list_page, new_entry

__all__ = ["EntryFilter", "Places", "correct", "get", "get_many", "list_page", "load_books", "new_entry", "post"]
