"""Financial years and the lock date: when may be posted (decisions "Ledger")."""

from dataclasses import dataclass
from datetime import date
from typing import NamedTuple, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

FiscalYearId = NewType("FiscalYearId", UUID)


class Span(NamedTuple):
    """The days of a financial year, both inclusive."""

    start_date: date
    end_date: date

    def holds(self, day: date) -> bool:
        """Whether the day is one of them."""
        return self.start_date <= day <= self.end_date


@dataclass(frozen=True, slots=True, kw_only=True)
class FiscalYear:
    """A financial year of whole months; both days are inclusive. Numbers of entries start from 1 in each."""

    id: FiscalYearId
    start_date: date
    end_date: date
    last_entry_number: int
    is_locked: bool

    @property
    def span(self) -> Span:
        return Span(self.start_date, self.end_date)


FISCAL_YEAR_OVERLAPS = ErrorCode("FISCAL_YEAR_OVERLAPS", 409, "Another fiscal year has some of these days")
FISCAL_YEAR_NOT_ADJACENT = ErrorCode(
    "FISCAL_YEAR_NOT_ADJACENT",
    409,
    "A fiscal year begins the day after another one ends, or ends the day before another one begins",
)
LOCK_DATE_MOVES_BACK = ErrorCode(
    "LOCK_DATE_MOVES_BACK", 409, "This would reopen a locked period; say so with `reopen: true` if it is meant"
)
