"""The rules of test clocks and of the hour of a day."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.core.dates import day_in, moved
from ledgerbee.core.errors import LedgerBeeError
from ledgerbee.tenancy.clocks import rules
from ledgerbee.tenancy.clocks.model import MAX_AHEAD_DAYS, MAX_STEP_DAYS, ClockStatus, SandboxClock

TODAY = date(2026, 3, 16)
zones = st.sampled_from(
    ["Europe/Copenhagen", "America/New_York", "Asia/Kolkata", "Pacific/Auckland", "Africa/Cairo", "UTC"]
)
moments = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("to_date", "today", "is_right"),
    [
        (TODAY - timedelta(days=1), TODAY, False),
        (TODAY, TODAY, True),
        (TODAY + timedelta(days=MAX_STEP_DAYS), TODAY, True),
        (TODAY + timedelta(days=MAX_STEP_DAYS + 1), TODAY, False),
        (TODAY + timedelta(days=MAX_AHEAD_DAYS), TODAY + timedelta(days=MAX_AHEAD_DAYS - 1), True),
        (TODAY + timedelta(days=MAX_AHEAD_DAYS + 1), TODAY + timedelta(days=MAX_AHEAD_DAYS), False),
    ],
)
def test_a_step_goes_forward_and_not_too_far(to_date: date, today: date, is_right: bool) -> None:
    if is_right:
        rules.check_step(to_date, today, TODAY)
        return
    with pytest.raises(LedgerBeeError) as fault:
        rules.check_step(to_date, today, TODAY)
    assert fault.value.details["validationErrors"][0]["property"] == "toDate"


def test_progress() -> None:
    assert rules.progress_of(SandboxClock(ClockStatus.IDLE)) is None
    assert rules.progress_of(rules.begun(TODAY + timedelta(days=3), TODAY)) == (0, 3)
    failed = SandboxClock(ClockStatus.FAILED, TODAY, TODAY + timedelta(days=2), TODAY + timedelta(days=3), "broken")
    assert rules.progress_of(failed) == (2, 3)


@given(moments, zones, st.integers(0, 23))
def test_the_next_time_is_the_first_at_which_the_hour_has_come(now: datetime, zone: str, hour: int) -> None:
    found = rules.next_time(now, zone, hour)
    assert timedelta(0) < found - now <= timedelta(hours=25)
    assert rules.is_time(found, zone, hour)
    assert day_in(found, zone) == day_in(now, zone) + timedelta(days=1 if rules.is_time(now, zone, hour) else 0)


@given(moments, zones, st.integers(0, 36_525))
def test_a_moved_moment_is_on_the_moved_day(now: datetime, zone: str, days: int) -> None:
    there = moved(now, days, zone)
    assert there.tzinfo is UTC
    assert day_in(there, zone) == day_in(now, zone) + timedelta(days=days)
    wall, before = there.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    assert abs(timedelta(hours=wall.hour - before.hour, minutes=wall.minute - before.minute)) <= timedelta(hours=1)
