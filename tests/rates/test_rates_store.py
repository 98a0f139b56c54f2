"""Seeding and reading exchange rates on a real PostgreSQL."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.rates.conftest import Rates

from ledgerbee.tenancy.rates import ecb, store
from ledgerbee.tenancy.rates.model import ECB, SAME_CURRENCY, Rate

FRIDAY, MONDAY, TUESDAY = date(2026, 1, 2), date(2026, 1, 5), date(2026, 1, 6)
ROWS = [
    ("DKK", MONDAY, Decimal("7.4695")),
    ("USD", MONDAY, Decimal("1.1664")),
    ("DKK", FRIDAY, Decimal("7.4694")),
    ("SEK", FRIDAY, Decimal("10.8085")),
]


async def test_seeding_twice_changes_nothing(rates: Rates) -> None:
    assert await store.seed(rates.owner, ROWS) == 4
    assert await store.seed(rates.owner, ROWS) == 0
    assert await rates.owner.fetchval("SELECT count(*) FROM exchange_rates") == 4


async def test_seeding_adds_only_days_after_the_newest(rates: Rates) -> None:
    await store.seed(rates.owner, ROWS)
    late = [("DKK", TUESDAY, Decimal("7.4727")), ("DKK", MONDAY, Decimal(1)), ("NOK", FRIDAY, Decimal("11.7985"))]
    assert await store.seed(rates.owner, late) == 1
    assert await rates.owner.fetchval("SELECT count(*) FROM exchange_rates WHERE currency = 'NOK'") == 0
    assert await rates.find("EUR", "DKK", MONDAY) == Rate(Decimal("7.4695"), MONDAY, ECB)
    assert await rates.find("EUR", "DKK", TUESDAY) == Rate(Decimal("7.4727"), TUESDAY, ECB)


async def test_a_failed_seed_leaves_nothing(rates: Rates) -> None:
    with pytest.raises(Exception, match="duplicate key"):
        await store.seed(rates.owner, [*ROWS, ROWS[0]])
    assert await rates.owner.fetchval("SELECT count(*) FROM exchange_rates") == 0


async def test_a_rate_to_and_from_the_euro(rates: Rates) -> None:
    await store.seed(rates.owner, ROWS)
    assert await rates.find("EUR", "DKK", FRIDAY) == Rate(Decimal("7.4694"), FRIDAY, ECB)
    found = await rates.find("DKK", "EUR", FRIDAY)
    assert found is not None
    assert found.value == Decimal("0.133879561946")  # 1 / 7.4694


async def test_a_cross_rate_takes_both_legs_from_one_day(rates: Rates) -> None:
    await store.seed(rates.owner, ROWS)
    found = await rates.find("SEK", "DKK", TUESDAY)
    # The krona was quoted on Friday only, so the krone of Friday counts, not Monday's.
    assert found == Rate(Decimal("0.691067215617"), FRIDAY, ECB)


async def test_the_last_rate_is_carried_forward_ten_days(rates: Rates) -> None:
    await store.seed(rates.owner, ROWS)
    saturday = FRIDAY + timedelta(days=1)
    assert await rates.find("EUR", "DKK", saturday) == Rate(Decimal("7.4694"), FRIDAY, ECB)
    last = MONDAY + timedelta(days=10)
    for currency, base in (("USD", "EUR"), ("USD", "DKK")):
        found = await rates.find(currency, base, last)
        assert found is not None
        assert found.day == MONDAY
        assert await rates.find(currency, base, last + timedelta(days=1)) is None


async def test_no_rate_before_the_first_day_or_for_an_unknown_currency(rates: Rates) -> None:
    await store.seed(rates.owner, ROWS)
    assert await rates.find("EUR", "DKK", FRIDAY - timedelta(days=1)) is None
    assert await rates.find("XXX", "DKK", MONDAY) is None
    assert await rates.find("XXX", "EUR", MONDAY) is None


async def test_a_currency_in_itself_is_one(rates: Rates) -> None:
    for currency in ("DKK", "EUR", "JPY"):
        assert await rates.find(currency, currency, MONDAY) == Rate(Decimal(1), MONDAY, SAME_CURRENCY)


async def test_the_shipped_history_seeds_the_table(rates: Rates) -> None:
    assert await store.seed(rates.owner, ecb.history(date(2025, 12, 1))) > 500
    assert await store.seed(rates.owner, ecb.history(date(2025, 12, 1))) == 0
    # New Year's Eve has a rate, New Year's Day has none.
    assert await rates.find("EUR", "DKK", date(2026, 1, 1)) == await rates.find("EUR", "DKK", date(2025, 12, 31))
    assert await rates.find("EUR", "DKK", FRIDAY) == Rate(Decimal("7.4694"), FRIDAY, ECB)
    # The lev gave way to the euro at the turn of the year: carried ten days, then gone.
    assert await rates.find("BGN", "DKK", date(2026, 1, 10)) is not None
    assert await rates.find("BGN", "DKK", date(2026, 1, 11)) is None
