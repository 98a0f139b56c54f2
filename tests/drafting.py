"""Draft journal entries for tests."""

from typing import Any

import asyncpg
import pytest
from tests.ledger_books import BANK, SALES, Books

from ledgerbee.platform.context import Context

V1, V2 = "/v1/draft-journal-entries", "/v2/draft-journal-entries"
DOORS = pytest.mark.parametrize("path", [V1, V2])


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


async def invoice(books: Books, amount: str = "1250.00", **fields: Any) -> dict[str, Any]:
    """An invoice to a customer, without its receivable."""
    number = fields.pop("number", "1")
    counter = line(books, SALES, "CREDIT", amount)
    customer = str(await books.customer(number))
    return plain(books, amount, entryType="CUSTOMER_INVOICE", customerId=customer, lines=[counter], **fields)


async def drafted(books: Books, body: dict[str, Any], path: str = V2) -> dict[str, Any]:
    answer = await books.api.post(path, body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def lines_of(draft: dict[str, Any]) -> list[tuple[int, str, str, str]]:
    return [(one["accountNumber"], one["side"], one["amount"], one["lineType"]) for one in draft["lines"]]


async def rows(books: Books) -> tuple[int, ...]:
    """How many drafts, lines and events of drafts the company has."""

    async def work(context: Context) -> tuple[int, ...]:
        counts = [
            await context.connection.fetchval(
                f"SELECT count(*) FROM {table} WHERE company_id = $1", books.api.company_id
            )
            for table in ("draft_journal_entries", "draft_journal_lines", "events")
        ]
        return tuple(counts)

    found: tuple[int, ...] = await books.api.run(work)
    return found


async def told(books: Books, draft_id: str) -> list[tuple[str, Any]]:
    """The events of a draft, in order."""

    async def work(context: Context) -> list[asyncpg.Record]:
        return await context.connection.fetch(
            "SELECT type, data FROM events WHERE company_id = $1 AND object_id = $2 ORDER BY sequence",
            books.api.company_id,
            draft_id,
        )

    return [(row["type"], row["data"]) for row in await books.api.run(work)]


NOBODY = "0192d3a0-0000-7000-8000-000000000001"
