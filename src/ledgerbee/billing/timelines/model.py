"""What a subscription has agreed to, day by day (decisions "Periods", contract 3.1).

Days are the company's local days, spans are half-open: `end` is the first day that is not covered. A subscription is a
chain of versions, none of which is ever changed; its timeline is what follows from them.
"""

from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from msgspec import Struct

from ledgerbee.catalog.prices.model import BillingInterval


class BillingDirection(StrEnum):
    """When a period is billed: at its start for the coming one, or at its end for the finished one."""

    ADVANCE = "advance"
    ARREARS = "arrears"


class ProrationBehavior(StrEnum):
    """What becomes of partial periods: given away, on the next regular invoice, or billed at once."""

    NONE = "none"
    CREATE_PRORATIONS = "create_prorations"
    ALWAYS_INVOICE = "always_invoice"


class Span(NamedTuple):
    """Days from `start` up to and without `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it has; never below zero."""
        return max((self.end - self.start).days, 0)


class Cadence(Struct, frozen=True):
    """How long a period is: `count` days, weeks, months or years."""

    interval: BillingInterval
    count: int


class Grid(Struct, frozen=True):
    """The boundaries of a cadence: all that follow from `anchor`, forwards and backwards.

    `anchor_day` is the day of the month that months and years start on, the last one where a month has no such day: it
    is not `anchor.day` where that month was too short (a boundary on 28 February of an anchor on the 31st).
    """

    cadence: Cadence
    anchor: date
    anchor_day: int

    @classmethod
    def from_anchor(cls, cadence: Cadence, anchor: date) -> "Grid":
        """The grid of an anchor that is a day of its own month."""
        return cls(cadence, anchor, anchor.day)


class Item(NamedTuple):
    """A price of a subscription and how much of it; usage prices count by their meter, their quantity is 1."""

    price_id: UUID
    quantity: Decimal


class Terms(Struct, frozen=True):
    """What holds over a stretch of days.

    `proration` is what becomes of a period whose first days they do not cover: as the change said that billing began
    with, else the subscription's. `restarted_by` is the change that began the grid anew, None for the first.
    """

    plan_id: UUID
    plan_version: int
    grid: Grid
    direction: BillingDirection
    items: tuple[Item, ...]
    proration: ProrationBehavior = ProrationBehavior.NONE
    is_paused: bool = False
    restarted_by: UUID | None = None


class TermsFrom(NamedTuple):
    """The terms of a version, and the day from which they hold."""

    effective_on: date
    terms: Terms


class Segment(Struct, frozen=True):
    """Days on which the same terms hold; `end` None: until further notice. In a trial nothing is billed."""

    start: date
    end: date | None
    terms: Terms
    is_trial: bool

    @property
    def is_billed(self) -> bool:
        """Whether its days cost anything."""
        return not self.is_trial and not self.terms.is_paused


Timeline = tuple[Segment, ...]
