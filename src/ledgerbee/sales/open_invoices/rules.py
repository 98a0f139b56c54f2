"""How long an invoice is overdue. Pure."""

from datetime import date
from typing import Final

from ledgerbee.sales.open_invoices.model import AgeBand

#: The last day of each band but the open one.
BAND_ENDS: Final = (
    (0, AgeBand.NOT_DUE),
    (30, AgeBand.DAYS_1_TO_30),
    (60, AgeBand.DAYS_31_TO_60),
    (90, AgeBand.DAYS_61_TO_90),
)


def days_overdue(due_date: date, as_of: date) -> int:
    """Days from the day of payment to a day: one on the day after it, none until then."""
    return max((as_of - due_date).days, 0)


def band_of(days: int) -> AgeBand:
    """The band of something that is overdue by `days`."""
    return next((band for end, band in BAND_ENDS if days <= end), AgeBand.DAYS_91_AND_MORE)
