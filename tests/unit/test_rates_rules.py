"""Which days of published rates are taken, and how old the newest may be."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from ledgerbee.tenancy.rates.model import RatePair
from ledgerbee.tenancy.rates.rules import age, convert, cross_rate, new_days, published_by

MONDAY, TUESDAY, WEDNESDAY = (date(2026, 3, day) for day in (16, 17, 18))
ALL = {"DKK", "SEK", "NOK", "USD", "GBP", "JPY"}


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-03-16T15:00:00", date(2026, 3, 13)),  # Monday, 16:00 in Frankfurt: Friday's
        ("2026-03-16T15:05:00", MONDAY),
        ("2026-03-14T22:30:00", date(2026, 3, 13)),  # Saturday
        ("2026-03-15T22:30:00", date(2026, 3, 13)),  # Sunday
        ("2026-07-16T14:05:00", date(2026, 7, 16)),  # in summer an hour earlier by UTC
    ],
)
def test_rates_of_a_weekday_are_out_in_its_afternoon(now: str, day: date) -> None:
    assert published_by(datetime.fromisoformat(now).replace(tzinfo=UTC)) == day


def test_age_is_counted_in_days_of_frankfurt() -> None:
    assert age(MONDAY, datetime(2026, 3, 16, 22, 59, tzinfo=UTC)) == 0
    assert age(MONDAY, datetime(2026, 3, 16, 23, tzinfo=UTC)) == 1


def test_new_days_are_added_and_stored_ones_stay() -> None:
    added = new_days({MONDAY: ALL, TUESDAY: ALL, WEDNESDAY: ALL}, {TUESDAY: {"USD"}})
    assert (added.days, added.partial) == ((MONDAY, WEDNESDAY), ())


def test_a_day_that_lacks_more_than_three_waits() -> None:
    assert new_days({TUESDAY: set(sorted(ALL)[:3])}, {MONDAY: ALL}).days == (TUESDAY,)
    assert new_days({TUESDAY: set(sorted(ALL)[:2])}, {MONDAY: ALL}).partial == (TUESDAY,)
    # What is not whole is no measure for the next day, and neither is what is old.
    assert new_days({TUESDAY: {"USD"}, WEDNESDAY: ALL}, {MONDAY: ALL}).days == (WEDNESDAY,)
    assert new_days({WEDNESDAY: {"USD"}}, {date(2026, 3, 7): ALL}).days == (WEDNESDAY,)


def test_a_day_without_currencies_is_not_whole() -> None:
    assert new_days({MONDAY: set()}, {}).partial == (MONDAY,)


def test_rates_through_the_euro() -> None:
    # 7.47 kroner and 1.08 dollars a euro: 1.08 / 7.47 = 0.144578313253 dollars a krone.
    assert cross_rate(Decimal("7.47"), Decimal("1.08")) == Decimal("0.144578313253")
    assert convert(Decimal(747), RatePair(Decimal(1), Decimal("7.47"))) == 100
    for rates in ((Decimal(0), Decimal(1)), (Decimal(1), Decimal(-1))):
        with pytest.raises(ValueError, match="positive"):
            cross_rate(*rates)
