"""Bodies of journal entries for tests, on the accounts of a new Danish company."""

from typing import Any

from tests.ledger_books import BANK, SALES, Books


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


async def state(books: Books) -> dict[str, int]:
    """What posting moves, counted: what was refused has changed none of it."""
    counts = {
        "entries": "count(*) FROM journal_entries",
        "lines": "count(*) FROM journal_lines",
        "months": "count(*) FROM account_months",
        "days": "count(*) FROM account_days",
        "tag months": "count(*) FROM tag_months",
        "number": "sum(last_entry_number) FROM fiscal_years",
        "years": "count(*) FROM fiscal_years",
        "position": "sum(chain_position) FROM ledgers",
        "events": "count(*) FROM events",
        "answers": "count(*) FROM idempotency_keys",
    }
    query = ", ".join(f"(SELECT {count} WHERE company_id = $1)::int" for count in counts.values())
    row = await books.api.run(lambda context: context.connection.fetchrow(f"SELECT {query}", context.company_id))
    return dict(zip(counts, row, strict=True))
