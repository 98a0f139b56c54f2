"""Moving a sandbox's day ahead, a day at a time; and claiming the daily tasks of a company."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from ledgerbee.core.dates import day_in
from ledgerbee.platform.context import Context
from ledgerbee.platform.credentials import store as credentials
from ledgerbee.platform.daily import DailyTask
from ledgerbee.tenancy.clocks import rules, store
from ledgerbee.tenancy.clocks.model import (
    ADVANCE_JOB,
    DAILY_JOB,
    TEST_CLOCK_ADVANCING,
    ClockStatus,
    SandboxClock,
)
from ledgerbee.tenancy.clocks.wire import TestClockResponse, render

_DAY: Final = timedelta(days=1)
#: How soon a sandbox that is being moved is looked at again.
_LATER: Final = timedelta(minutes=5)

_IDLE: Final = SandboxClock(ClockStatus.IDLE)

#: The day that a step has come to, and whether it may have tasks left; None: no step is under way.
Step = tuple[date, bool] | None


async def show(context: Context) -> TestClockResponse:
    """The company's test clock. Raises `TEST_CLOCK_UNAVAILABLE`."""
    return render(context, await store.get(context), context.today)


async def advance(context: Context, to_date: date) -> TestClockResponse:
    """Have the worker move the company's day ahead to another one. Emits `test_clock.advance_requested`.

    Raises `TEST_CLOCK_UNAVAILABLE`, `TEST_CLOCK_ADVANCING` and a validation error for a day that it can't be moved to.
    """
    clock = await store.get_for_update(context)
    if clock.status is ClockStatus.ADVANCING:
        raise TEST_CLOCK_ADVANCING.error(advancingTo=_text(clock.advancing_to))
    today = await store.current_day(context)
    rules.check_step(to_date, today, day_in(context.now, context.time_zone))
    clock = rules.begun(to_date, today)
    await store.update(context, clock)
    context.enqueue(ADVANCE_JOB)
    asked = {"from": today.isoformat(), "advancingTo": to_date.isoformat()}
    context.emit("test_clock.advance_requested", context.company_id, asked)
    return render(context, clock, today)


async def take_up(context: Context, tasks: Sequence[DailyTask]) -> Step:
    """Begin with the step of the company's clock that is under way, or go on with it."""
    clock = await store.get_for_update(context)
    if clock.status is not ClockStatus.ADVANCING:
        return None
    assert clock.reached is not None
    await store.begin_day(context, clock.reached)
    return clock.reached, await _has_tasks(context, tasks, clock.reached)


async def next_day(context: Context, tasks: Sequence[DailyTask], reached: date) -> Step:
    """End the day that a step has come to, whose tasks are done, and begin the next.

    On the last day the step is over. Emits `test_clock.advanced` then. Every process sees the new day at once.
    """
    clock = await store.get_for_update(context)
    if clock.status is not ClockStatus.ADVANCING or clock.reached != reached:
        return None
    assert clock.advancing_to is not None
    await store.finish_day(context, reached)
    if reached >= clock.advancing_to:
        await store.update(context, _IDLE)
        context.emit("test_clock.advanced", context.company_id, await _days(context, clock))
        return None
    day = reached + _DAY
    await store.update(context, replace(clock, reached=day))
    await store.begin_day(context, day)
    await store.move_to(context, day)
    await credentials.refresh_company(context)
    return day, await _has_tasks(context, tasks, day)


async def _has_tasks(context: Context, tasks: Sequence[DailyTask], day: date) -> bool:
    """Whether anything may be due on a day whose tasks aren't done."""
    known = await store.find_day(context, day)
    if known is not None and known.is_finished:
        return False
    on_that_day = replace(context, clock_offset=(day - day_in(context.now, context.time_zone)).days)
    for task in tasks:
        if task.is_due is None or await task.is_due(on_that_day, day):
            return True
    return False


async def fail(context: Context, reason: str) -> None:
    """End the step that is under way as failed, on the day that it has come to. Emits `test_clock.failed`."""
    clock = await store.get_for_update(context)
    if clock.status is ClockStatus.ADVANCING and clock.reached is not None:
        known = await store.find_day(context, clock.reached)
        failure = (known.failure if known else None) or reason
        await store.update(context, replace(clock, status=ClockStatus.FAILED, failure=failure))
        days = {**await _days(context, clock), "advancingTo": _text(clock.advancing_to), "failure": failure}
        context.emit("test_clock.failed", context.company_id, days)


async def start_day(context: Context) -> None:
    """Have the worker do the tasks of the company's day, where its hour has come and nobody did before.

    A sandbox that is being moved ahead is left alone: its step does them.
    """
    hour = await store.hour(context)
    if context.is_sandbox and (await store.get_for_update(context)).status is ClockStatus.ADVANCING:
        await store.set_wake(context, context.now + _LATER)
        return
    if rules.is_time(context.now, context.time_zone, hour):
        day = await store.current_day(context)
        if await store.begin_day(context, day):
            context.enqueue(DAILY_JOB, day=day.isoformat())
    await store.set_wake(context, rules.next_time(context.now, context.time_zone, hour))


async def _days(context: Context, clock: SandboxClock) -> dict[str, str | None]:
    """What events tell of a step."""
    return {
        "from": _text(clock.started_on),
        "today": _text(await store.current_day(context)),
        "realToday": _text(day_in(context.now, context.time_zone)),
    }


def _text(day: date | None) -> str | None:
    return day.isoformat() if day else None
