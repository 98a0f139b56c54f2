"""Test clocks on the wire (ours)."""

from datetime import date

from pydantic import Field

from ledgerbee.core.dates import day_in
from ledgerbee.http.wire import Day, RequestModel, ResponseModel
from ledgerbee.platform.context import Context
from ledgerbee.tenancy.clocks.model import ClockStatus, SandboxClock
from ledgerbee.tenancy.clocks.rules import progress_of


class ClockProgressResponse(ResponseModel):
    """How far a step has come."""

    day: int = Field(description="Days that were moved so far", examples=[12])
    of: int = Field(description="Days in all", examples=[31])


class TestClockResponse(ResponseModel):
    """The test clock of a sandbox."""

    today: date = Field(description="The company's day", examples=["2026-04-30"])
    real_today: date = Field(description="The real day in the company's time zone", examples=["2026-03-16"])
    status: ClockStatus
    advancing_to: date | None = Field(
        description="The last day of the step that is under way, or that failed; null: none is",
        examples=["2026-05-31"],
    )
    progress: ClockProgressResponse | None = Field(description="How far that step has come; null: there is none")
    failure: str | None = Field(description="Why the last step failed; the day that it came to stays")


class AdvanceTestClockRequest(RequestModel):
    """Where to move the day."""

    to_date: Day = Field(
        description="The company's new day: today at the earliest, at most 750 days after it. Today does what is due "
        "today, if that wasn't done yet",
        examples=["2026-05-31"],
    )


def render(context: Context, clock: SandboxClock, today: date) -> TestClockResponse:
    """A test clock on the wire; `today` is the company's day by now."""
    progress = progress_of(clock)
    return TestClockResponse(
        today=today,
        real_today=day_in(context.now, context.time_zone),
        status=clock.status,
        advancing_to=clock.advancing_to,
        progress=ClockProgressResponse(day=progress[0], of=progress[1]) if progress else None,
        failure=clock.failure,
    )
