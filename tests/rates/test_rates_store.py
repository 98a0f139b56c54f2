"""Seeding and reading exchange rates on a real PostgreSQL."""

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from ledgerbee.platform.rates import ecb, store
from ledgerbee.platform.rates.model import ECB, SAME_CURRENCY, Rate

if TYPE_CHECKING:
    from asyncpg import Connection, Record

FRIDAY, MONDAY, TUESDAY = date(2026, 1, 2), date(2026, 1, 5), date(2026, 1, 6)
ROWS = [
    ("DKK", MONDAY, Decimal("7.4695")),
    ("USD", MONDAY, Decimal("1.1664")),
    ("DKK", FRIDAY, Decimal("7.4694")),
    ("SEK", FRIDAY, Decimal("10.8085")),
]


async def test_seeding_twice_changes_nothing(conn: "Connection[Record]") -> None:
    assert await store.seed(conn, ROWS) == 4
    assert await store.seed(conn, ROWS) == 0
    assert await conn.fetchval("SELECT count(*) FROM exchange_rates") == 4


async def test_seeding_adds_only_days_after_the_newest(conn: "Connection[Record]") -> None:
    await store.seed(conn, ROWS)
    late = [("DKK", TUESDAY, Decimal("7.4727")), ("DKK", MONDAY, Decimal(1)), ("NOK", FRIDAY, Decimal("11.7985"))]
    assert await store.seed(conn, late) == 1
    assert await conn.fetchval("SELECT count(*) FROM exchange_rates WHERE currency = 'NOK'") == 0
    assert await store.rate(conn, "EUR", "DKK", MONDAY) == Rate(Decimal("7.4695"), MONDAY, ECB)
    assert await store.rate(conn, "EUR", "DKK", TUESDAY) == Rate(Decimal("7.4727"), TUESDAY, ECB)


async def test_a_failed_seed_leaves_nothing(conn: "Connection[Record]") -> None:
    with pytest.raises(Exception, match="duplicate key"):
        await store.seed(conn, [*ROWS, ROWS[0]])
    assert await conn.fetchval("SELECT count(*) FROM exchange_rates") == 0


async def test_a_rate_to_and_from_the_euro(conn: "Connection[Record]") -> None:
    await store.seed(conn, ROWS)
    assert await store.rate(conn, "EUR", "DKK", FRIDAY) == Rate(Decimal("7.4694"), FRIDAY, ECB)
    found = await store.rate(conn, "DKK", "EUR", FRIDAY)
    assert found is not None
    assert found.value == Decimal("0.133879561946")  # 1 / 7.4694


async def test_a_cross_rate_takes_both_legs_from_one_day(conn: "Connection[Record]") -> None:
    await store.seed(conn, ROWS)
    found = await store.rate(conn, "SEK", "DKK", TUESDAY)
    # The krona was quoted on Friday only, so the krone of Friday counts, not Monday's.
    assert found == Rate(Decimal("0.691067215617"), FRIDAY, ECB)


async def test_the_last_rate_is_carried_forward_ten_days(conn: "Connection[Record]") -> None:
    await store.seed(conn, ROWS)
    saturday = FRIDAY + timedelta(days=1)
    assert await store.rate(conn, "EUR", "DKK", saturday) == Rate(Decimal("7.4694"), FRIDAY, ECB)
    last = MONDAY + timedelta(days=10)
    for currency, base in (("USD", "EUR"), ("USD", "DKK")):
        found = await store.rate(conn, currency, base, last)
        assert found is not None
        assert found.day == MONDAY
        assert await store.rate(conn, currency, base, last + timedelta(days=1)) is None


async def test_no_rate_before_the_first_day_or_for_an_unknown_currency(conn: "Connection[Record]") -> None:
    await store.seed(conn, ROWS)
    assert await store.rate(conn, "EUR", "DKK", FRIDAY - timedelta(days=1)) is None
    assert await store.rate(conn, "XXX", "DKK", MONDAY) is None
    assert await store.rate(conn, "DKK", "XXX", MONDAY) is None
    assert await store.rate(conn, "XXX", "EUR", MONDAY) is None


async def test_a_currency_in_itself_is_one(conn: "Connection[Record]") -> None:
    for currency in ("DKK", "EUR", "XXX"):
        assert await store.rate(conn, currency, currency, MONDAY) == Rate(Decimal(1), MONDAY, SAME_CURRENCY)


async def test_the_shipped_history_seeds_the_table(conn: "Connection[Record]") -> None:
    assert await store.seed(conn, ecb.history(date(2025, 12, 1))) > 500
    assert await store.seed(conn, ecb.history(date(2025, 12, 1))) == 0
    # New Year's Eve has a rate, New Year's Day has none.
    assert await store.rate(conn, "EUR", "DKK", date(2026, 1, 1)) == await store.rate(
        conn, "EUR", "DKK", date(2025, 12, 31)
    )
    assert await store.rate(conn, "EUR", "DKK", FRIDAY) == Rate(Decimal("7.4694"), FRIDAY, ECB)
    # The lev gave way to the euro at the turn of the year: carried ten days, then gone.
    assert await store.rate(conn, "BGN", "DKK", date(2026, 1, 10)) is not None
    assert await store.rate(conn, "BGN", "DKK", date(2026, 1, 11)) is None
