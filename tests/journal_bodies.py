"""Bodies of journal entries for tests, on the accounts of a new Danish company."""

from typing import Any

from tests.ledger_books import BANK, SALES, Books
from tests.table_rows import rows_of


def line(books: Books, number: int, side: str, amount: str, **fields: Any) -> dict[str, Any]:
    return {"accountId": str(books.accounts[number]), "side": side, "amount": amount, **fields}


def plain(books: Books, amount: str = "100.00", **fields: Any) -> dict[str, Any]:
    """Bank against sales."""
    return {
        "entryType": "JOURNAL_ENTRY",
        "date": "2026-03-16",
        "originalAmount": amount,
        "lines": [line(books, BANK, "DEBIT", amount), line(books, SALES, "CREDIT", amount)],
        **fields,
    }


async def state(books: Books) -> dict[str, list[str]]:
    """All that the company has, row by row: what was refused has changed none of it."""
    return await rows_of(books.api)
