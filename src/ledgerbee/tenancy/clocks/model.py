"""The test clock of a sandbox, and the days whose tasks were begun."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from ledgerbee.core.errors import ErrorCode

#: The job that moves a sandbox's day ahead. No payload: where to is in the clock's row.
ADVANCE_JOB: Final = "advance_test_clock"
#: The job that does the daily tasks of a company. Payload `day`, as 2026-03-16.
DAILY_JOB: Final = "run_daily_tasks"

#: Days that one step moves a clock ahead, at most: two years and some.
MAX_STEP_DAYS: Final = 750
#: Days that a clock is ahead of the real day, at most: a hundred years.
MAX_AHEAD_DAYS: Final = 36_525

TEST_CLOCK_UNAVAILABLE: Final = ErrorCode(
    "TEST_CLOCK_UNAVAILABLE", 409, "Only sandboxes have a test clock: this company's day is the real one"
)
TEST_CLOCK_ADVANCING: Final = ErrorCode("TEST_CLOCK_ADVANCING", 409, "The clock is being moved already")


class ClockStatus(StrEnum):
    """How a test clock fares."""

    IDLE = "idle"
    ADVANCING = "advancing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SandboxClock:
    """How a sandbox's day is moved ahead: the step that is under way, or that failed.

    `started_on` is the day that it began on, `reached` the one that it has come to, `advancing_to` the last one.
    All are None while the clock is idle.
    """

    status: ClockStatus
    started_on: date | None = None
    reached: date | None = None
    advancing_to: date | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class DailyRun:
    """A day whose tasks were begun: whether they are done, and why the last try failed."""

    day: date
    is_finished: bool
    failure: str | None
