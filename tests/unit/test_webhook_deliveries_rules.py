"""When a delivery is tried again, and when an endpoint is given up."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledgerbee.webhooks.deliveries.rules import MAX_ATTEMPTS, WAITS, is_given_up, wait_after

START = datetime(2026, 3, 16, 12, 0, tzinfo=UTC)
SPREADS = st.floats(min_value=0, max_value=1, exclude_max=True)


def test_there_are_eight_attempts_over_some_21_hours() -> None:
    assert [wait_after(number, 0) for number in range(1, 9)] == [*WAITS, None]
    assert MAX_ATTEMPTS == 8
    assert timedelta(hours=21) < sum(WAITS, timedelta()) < timedelta(hours=22)
    assert [wait.total_seconds() for wait in WAITS[:4]] == [30, 120, 480, 1920]


@given(st.integers(1, 7), SPREADS)
def test_jitter_is_below_a_tenth(number: int, spread: float) -> None:
    wait = wait_after(number, spread)
    assert wait is not None
    assert WAITS[number - 1] <= wait < WAITS[number - 1] * 1.1


@given(st.integers(1, 7), SPREADS, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_retry_after_postpones_within_the_plan(number: int, spread: float, asked: timedelta) -> None:
    planned, wait = wait_after(number, spread), wait_after(number, spread, asked)
    assert planned is not None
    assert wait is not None
    following = WAITS[number] if number < len(WAITS) else timedelta(0)
    assert planned <= wait <= planned + following
    if asked <= planned:
        assert wait == planned
    elif asked <= planned + following:
        assert wait == asked


def test_retry_after_adds_no_attempt() -> None:
    assert wait_after(8, 0, timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("passed", "is_over"),
    [
        (timedelta(0), False),
        (timedelta(hours=12), False),
        (timedelta(days=5) - timedelta(seconds=1), False),
        (timedelta(days=5), True),
        (timedelta(days=30), True),
    ],
)
def test_an_endpoint_is_given_up_after_five_days(passed: timedelta, is_over: bool) -> None:
    assert is_given_up(START, START + passed) is is_over
