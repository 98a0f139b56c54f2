"""Financial years and the lock date on the wire (extensions)."""

from collections.abc import Iterable
from datetime import date
from typing import Annotated

from pydantic import Field

from ledgerbee.http.checks import Check, Facts
from ledgerbee.http.partial import given
from ledgerbee.http.wire import Day, IdText, RequestModel, ResponseModel, omitted
from ledgerbee.ledger.periods import rules
from ledgerbee.ledger.periods.model import FiscalYear, Span

#: Days that books can be about.
BookDay = Annotated[Day, Field(ge=date(1900, 1, 1), le=date(2999, 12, 31))]


class FiscalYearResponse(ResponseModel):
    """A financial year."""

    id: IdText
    start_date: date = Field(examples=["2026-01-01"])
    end_date: date = Field(description="The last day, inclusive", examples=["2026-12-31"])
    last_entry_number: int = Field(description="Number of the newest entry; 0 while there is none", examples=[42])
    is_locked: bool = Field(description="True when the whole year is locked")


class CreateFiscalYearRequest(RequestModel):
    """Which financial year to open."""

    start_date: BookDay = omitted(
        description="The first day of a month; left out: the day after the newest year, or twelve months before an "
        "`endDate` that lies before its end",
        examples=["2027-01-01"],
    )
    end_date: BookDay = omitted(
        description="The last day of a month, inclusive; left out: twelve months from `startDate`. A year in which the "
        "financial year is changed has 1 to 18 months.",
        examples=["2027-12-31"],
    )

    def checks(self, facts: Facts, path: str) -> Iterable[Check]:  # noqa: ARG002
        """Both days, where both are given."""
        yield lambda: rules.check_another(Span(given(self.start_date), given(self.end_date)), facts.today)


class LockDateResponse(ResponseModel):
    """How far the books are locked."""

    locked_through: date | None = Field(
        description="The last locked day: nothing is posted on it or before it. Null when nothing is locked.",
        examples=["2025-12-31"],
    )


class UpdateLockDateRequest(RequestModel):
    """How far to lock the books."""

    locked_through: BookDay | None = Field(description="The last locked day, inclusive; null locks nothing")
    reopen: bool = omitted(
        description="Must be true to move the date back (or to null), which reopens a locked period", strict=True
    )


def render(year: FiscalYear) -> FiscalYearResponse:
    return FiscalYearResponse.model_validate(year)
