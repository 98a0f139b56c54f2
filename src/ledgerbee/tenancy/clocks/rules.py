"""Pure rules of test clocks and of the hour at which a day's tasks are done."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from ledgerbee.core.errors import invalid
from ledgerbee.tenancy.clocks.model import MAX_AHEAD_DAYS, MAX_STEP_DAYS, ClockStatus, SandboxClock


def check_step(to_date: date, today: date, real_today: date) -> None:
    """Refuse days that a clock can't be moved to: past ones, those too far. Today is none of them: its tasks are done.

    Raises a validation error on `toDate`.
    """
    if to_date < today:
        raise invalid(("toDate", "minDate", f"toDate must not be before {today}, the company's day"))
    if (to_date - today).days > MAX_STEP_DAYS:
        raise invalid(("toDate", "maxDate", f"toDate must be at most {MAX_STEP_DAYS} days after {today}"))
    if (to_date - real_today).days > MAX_AHEAD_DAYS:
        raise invalid(("toDate", "maxDate", "toDate must be at most a hundred years ahead"))


def begun(to_date: date, today: date) -> SandboxClock:
    """The clock as it begins to move from today on."""
    return SandboxClock(ClockStatus.ADVANCING, today, today, to_date)


def progress_of(clock: SandboxClock) -> tuple[int, int] | None:
    """The days that a step has come, and how many it is in all; None while there is none."""
    if clock.started_on is None or clock.reached is None or clock.advancing_to is None:
        return None
    return (clock.reached - clock.started_on).days, (clock.advancing_to - clock.started_on).days


def is_time(now: datetime, time_zone: str, hour: int) -> bool:
    """Whether the hour of the day has come, at which the day's tasks are done."""
    return now.astimezone(ZoneInfo(time_zone)).hour >= hour


def next_time(now: datetime, time_zone: str, hour: int) -> datetime:
    """The next moment at which the hour comes, aware UTC. An hour that a day lacks comes with the one after it."""
    local = now.astimezone(ZoneInfo(time_zone))
    day = local.date() + timedelta(days=1 if local.hour >= hour else 0)
    return datetime.combine(day, time(hour), ZoneInfo(time_zone)).astimezone(UTC)
