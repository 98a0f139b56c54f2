"""Invoices of which something was open at the end of a day, and how long it was overdue."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from uuid import UUID


class AgeBand(StrEnum):
    """How long something is overdue, in days."""

    NOT_DUE = "notDue"
    DAYS_1_TO_30 = "days1To30"
    DAYS_31_TO_60 = "days31To60"
    DAYS_61_TO_90 = "days61To90"
    DAYS_91_AND_MORE = "days91AndMore"


@dataclass(frozen=True, slots=True)
class OpenFilter:
    """Which invoices are asked for: as of the end of a day, one customer's or all.

    Overdue by `min_days` at least; None: also those that aren't due.
    """

    as_of: date
    customer_id: UUID | None = None
    min_days: int | None = None


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice of which something was open, in its currency."""

    id: UUID
    number: str
    customer_id: UUID
    customer_number: str
    customer_name: str
    issue_date: date
    due_date: date
    currency: str
    amount: Decimal
    open_amount: Decimal


@dataclass(frozen=True, slots=True)
class BandSum:
    """What is open of a customer (None: of all) in a currency and a band."""

    customer_id: UUID | None
    currency: str
    band: AgeBand
    invoices: int
    open_amount: Decimal


@dataclass(frozen=True, slots=True)
class OpenInvoices:
    """A page of open invoices, the oldest day of payment first; sums of all of them, and of the page's customers."""

    invoices: Sequence[OpenInvoice]
    sums: Sequence[BandSum]
    customer_sums: Sequence[BandSum]

    @property
    def total(self) -> int:
        """How many invoices there are in all."""
        return sum(one.invoices for one in self.sums)
