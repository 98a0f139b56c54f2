"""What the database itself holds to of tags, attachments and idempotency keys, tried as SQL by the application."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, TypeAlias
from uuid import UUID

import asyncpg
import pytest
from tests.api.test_ledger_sql import application, books, call, owner  # noqa: F401  the fixtures
from tests.conftest import Api
from tests.ledger_books import BANK, SALES, Books, as_owner, books_of

from ledgerbee.core.ids import new_id

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


def literal(*tags: UUID) -> str:
    return "{" + ",".join(tag.hex for tag in tags) + "}"


async def months(connection: Connection, company: UUID) -> list[tuple[Any, ...]]:
    """The totals by tag, account number, month."""
    rows = await connection.fetch(
        "SELECT t.tag_id, a.number, t.month::text, t.base_debit, t.base_credit FROM tag_months t"
        " JOIN accounts a USING (company_id) WHERE t.company_id = $1 AND a.id = t.account_id ORDER BY 1, 2, 3",
        company,
    )
    return [tuple(row) for row in rows]


async def test_tags_of_nobody_and_of_another_company_are_refused(
    books: Books,  # noqa: F811
    application: Connection,  # noqa: F811
    other_api: Api,
) -> None:
    own, foreign = await books.tag(), await (await books_of(other_api)).tag()
    sale = books.sale("2026-01-01", "1.00")
    wrong: list[dict[str, Sequence[Any]]] = [
        {"tags": [literal(foreign)]},
        {"tags": [literal(own, new_id())]},
        {"line_tags": [literal(own), literal(foreign)]},
        {"line_tags": [None, literal(new_id())]},
    ]
    for changed in wrong:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await call(application, sale, **changed)
        assert refused.value.sqlstate == "LB417"
        assert "tagIds" in (refused.value.detail or "")
    assert await months(application, books.api.company_id) == []
    assert await call(application, sale, tags=[literal(own)]) is not None


async def test_a_tag_counts_a_line_once_however_it_is_carried(books: Books, application: Connection) -> None:  # noqa: F811
    both, line_only = await books.tag("Odense", "Place"), await books.tag("Nord", "Region")
    sale = books.sale("2026-01-31", "7.00")
    await call(application, sale, tags=[literal(both)], line_tags=[literal(both, line_only), None])
    expected = [
        (both, BANK, "2026-01-01", Decimal(7), Decimal(0)),
        (both, SALES, "2026-01-01", Decimal(0), Decimal(7)),
        (line_only, BANK, "2026-01-01", Decimal(7), Decimal(0)),
    ]
    found = await months(application, books.api.company_id)
    assert sorted(found) == sorted(expected)


async def test_nothing_less_than_no_attachment(books: Books, application: Connection) -> None:  # noqa: F811
    with pytest.raises(asyncpg.CheckViolationError):
        await call(application, books.sale("2026-01-01", "1.00"), attachment_counts=[-1])


async def test_posting_dates_lines_as_their_entry(books: Books, application: Connection) -> None:  # noqa: F811
    """There is no date of a line to give: both are the entry's."""
    names = await application.fetchval("SELECT proargnames FROM pg_proc WHERE proname = 'post_entries'")
    assert [name for name in names if "date" in name] == ["dates", "delivery_dates"]
    sale = books.sale("2026-02-10", "1.00")
    assert await call(application, sale) is not None
    dates = await application.fetch(
        "SELECT DISTINCT entry_date::text FROM journal_lines WHERE company_id = $1 AND entry_id = $2",
        books.api.company_id,
        sale.id,
    )
    assert [row[0] for row in dates] == ["2026-02-10"]


async def test_helpers_of_the_guards_are_nobodys_to_call(application: Connection, books: Books) -> None:  # noqa: F811
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await application.fetchval("SELECT are_tags($1, '{}')", books.api.company_id)


async def test_a_key_is_held_to_the_end_of_its_transaction_and_its_answer_for_a_day(
    books: Books,  # noqa: F811
    database_url: str,
) -> None:
    company, keys = books.api.company_id, [b"k1".hex(), b"k2".hex()]

    async def reserve(session: Connection, company_id: UUID, *wanted: str) -> int:
        """What entering the company with these keys answers."""
        enter_with = "SELECT FROM enter_company_for_job($1, $2, now(), true)"
        return len(await session.fetch(enter_with, company_id, wanted))

    first = await as_owner(database_url)
    rival = await as_owner(database_url)
    try:
        async with first.transaction():
            assert await reserve(first, company, *keys) == 0
            assert await reserve(first, company, *keys) == 0  # one's own is no obstacle
            async with rival.transaction():
                assert await reserve(rival, company, b"k3".hex()) == 0
                assert await reserve(rival, company, keys[1]) == 2
                assert await reserve(rival, new_id(), *keys) == 0  # another company's keys are its own
        async with first.transaction():
            await first.execute(
                "INSERT INTO idempotency_keys (company_id, key, request_hash, status, content_type, body, created_at)"
                " VALUES ($1, 'k1', '', 201, 'application/json', '', now() - interval '23 hours'),"
                " ($1, 'k2', '', 201, 'application/json', '', now() - interval '25 hours')",
                company,
            )
            assert await reserve(first, company, keys[1]) == 0
            assert await reserve(first, company, *keys) == 3
    finally:
        await first.close()
        await rival.close()
