"""Totals by day, rolled up by strides of 256 entries: any span is the sum of its lines, wherever a stride stands."""

import asyncio
import random
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
import pytest_asyncio
from tests.conftest import Api
from tests.ledger_books import BANK, CAPITAL, GOODS, SALES, Books, books_of, post

from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.core.ids import new_id
from ledgerbee.core.money import round_money
from ledgerbee.ledger.entries.model import EntryToPost
from ledgerbee.ledger.reports.trial_balance import rules, store
from ledgerbee.ledger.reports.trial_balance.model import AccountTurnover
from ledgerbee.platform.context import Context

FIRST_DAY, DAYS = date(2025, 1, 1), 730
EURO = Decimal("7.46")
_RAW = """
SELECT account_id, coalesce(sum(base_amount) FILTER (WHERE entry_date < $3), 0) AS before,
       coalesce(sum(base_amount) FILTER (WHERE entry_date < $2), 0) AS before_year,
       coalesce(sum(base_amount) FILTER (WHERE is_debit AND entry_date BETWEEN $3 AND $4), 0) AS debit,
       coalesce(-sum(base_amount) FILTER (WHERE NOT is_debit AND entry_date BETWEEN $3 AND $4), 0) AS credit
FROM journal_lines WHERE company_id = $1 GROUP BY account_id
"""


@pytest_asyncio.fixture
async def books(api: Api) -> Books:
    return await two_years(api)


async def two_years(api: Api) -> Books:
    """Books that all days of `some` can be posted in."""
    books = await books_of(api)
    await books.open_years(FIRST_DAY.year)
    return books


@pytest.fixture
def dice() -> random.Random:
    return random.Random(20260316)  # noqa: S311  a repeatable choice, not a secret


def some(books: Books, dice: random.Random, count: int) -> list[EntryToPost]:
    """Entries of any day, in any order, some of them in euros."""
    entries = []
    for _ in range(count):
        amount = f"{dice.randint(0, 10_000) / Decimal(100)}"
        base = f"{round_money(Decimal(amount) * EURO, 'DKK')}"
        debit, credit = dice.sample((SALES, GOODS, BANK, CAPITAL), 2)
        day = FIRST_DAY + timedelta(days=dice.randrange(DAYS))
        if dice.random() < 0.8:
            entries.append(books.entry(day, [books.line(debit, amount), books.line(credit, f"-{amount}")]))
        else:
            lines = [books.line(debit, amount, base), books.line(credit, f"-{amount}", base)]
            entries.append(books.entry(day, lines, currency="EUR", exchange_rate=EURO))
    return entries


async def compare(context: Context, dice: random.Random, spans: int = 12) -> None:
    """The figures of some spans are the sums of the lines."""
    for _ in range(spans):
        first, last = sorted(FIRST_DAY + timedelta(days=dice.randrange(DAYS)) for _ in range(2))
        year = date(first.year, 1, 1)
        cuts = rules.cut_before(first), rules.cut_before(last + timedelta(days=1))
        found: dict[UUID, AccountTurnover] = await store.list_turnovers(context, year, *cuts)
        lines = await context.connection.fetch(_RAW, context.company_id, year, first, last)
        assert found == {row["account_id"]: AccountTurnover(**row) for row in lines}, (first, last)


async def check(books: Books, dice: random.Random) -> None:
    """The report is right, and what it reads of days is what the whole strides posted."""

    async def work(context: Context) -> tuple[int, Decimal, Decimal]:
        await compare(context, dice)
        rolled_up = "e.chain_position <= g.chain_position / 256 * 256"
        row = await context.connection.fetchrow(
            "SELECT g.chain_position, (SELECT coalesce(sum(d.base_debit), 0) FROM account_days d"
            " WHERE d.company_id = $1), (SELECT coalesce(sum(l.base_amount) FILTER (WHERE l.is_debit), 0)"
            " FROM journal_entries e JOIN journal_lines l ON l.company_id = e.company_id AND l.entry_id = e.id"
            f" WHERE e.company_id = $1 AND {rolled_up}) FROM ledgers g WHERE g.company_id = $1",
            context.company_id,
        )
        assert row is not None
        return tuple(row)

    position, by_day, by_line = await books.api.run(work)
    assert by_day == by_line
    assert (by_day > 0) == (position >= 256)
    result = await books.verify()
    assert result.passed, result.fault
    assert result.entries == position


@pytest.mark.parametrize(
    "batches",
    [[1], [255], [255, 1], [256], [257], [600], [250, *[1] * 12], [100, 500, 1, 167, 1], [256, 256, 1]],
)
async def test_any_span_is_the_sum_of_its_lines(books: Books, dice: random.Random, batches: Sequence[int]) -> None:
    for count in batches:
        await books.post(*some(books, dice, count))
    await check(books, dice)


async def test_what_is_rolled_up_can_be_reversed_and_more_be_posted_on_its_day(
    books: Books, dice: random.Random
) -> None:
    posted = await books.post(*some(books, dice, 255), books.sale("2026-02-14", "10.00"))
    for number in range(3):
        answer = await books.api.post(f"/v1/journal-entries/{posted[-1 - number].id}/reverse")
        assert answer.status_code == 201, answer.text
        await books.post(books.sale("2026-02-14", "5.00"))
        await check(books, dice)
    await books.post(*some(books, dice, 255))
    await check(books, dice)


async def test_calls_of_one_transaction_fill_a_stride_together(books: Books, dice: random.Random) -> None:
    async def work(context: Context) -> None:
        for count in (200, 100, 300):
            await post(context, some(books, dice, count))
            await compare(context, dice, spans=2)

    await books.api.run(work)
    await check(books, dice)


async def test_what_rolls_back_is_in_no_total(books: Books, dice: random.Random) -> None:
    await books.post(*some(books, dice, 250))

    async def fails(context: Context) -> None:
        await post(context, some(books, dice, 300))
        raise LookupError

    with pytest.raises(LookupError):
        await books.api.run(fails)
    await check(books, dice)
    unknown = Books(books.api, {**books.accounts, BANK: new_id()})
    with pytest.raises(LedgerBeeError) as refused:
        await books.post(*some(books, dice, 100), unknown.sale("2026-01-01", "1.00"))
    assert refused.value.code == "ACCOUNT_NOT_FOUND"
    await check(books, dice)
    await books.post(*some(books, dice, 300))
    await check(books, dice)


async def test_companies_have_strides_of_their_own(books: Books, other_api: Api, dice: random.Random) -> None:
    others = await two_years(other_api)
    for count in (200, 200, 200):
        await books.post(*some(books, dice, count))
        await others.post(*some(others, dice, count // 2))
    for one in (books, others):
        await check(one, dice)


async def test_posting_and_reading_at_once(books: Books, dice: random.Random) -> None:
    """Every report is of one moment: no stride is counted twice, or not at all, while it is rolled up."""
    posting = [
        asyncio.create_task(books.post(*some(books, dice, count))) for count in (dice.randint(1, 60) for _ in range(30))
    ]

    async def read(context: Context) -> int:
        await compare(context, dice, spans=3)
        position: int = await context.connection.fetchval(
            "SELECT chain_position FROM ledgers WHERE company_id = $1", context.company_id
        )
        return position

    positions = [await books.api.run(read, one_snapshot=True)]
    while not all(one.done() for one in posting):
        positions.append(await books.api.run(read, one_snapshot=True))
    await asyncio.gather(*posting)
    assert any(earlier < later for earlier, later in pairwise(positions))
    await check(books, dice)
