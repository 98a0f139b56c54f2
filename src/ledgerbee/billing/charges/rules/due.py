"""Which period of a subscription is to be billed next, and when. Pure."""

from collections.abc import Callable, Collection, Iterator
from datetime import date
from uuid import UUID

from ledgerbee.billing.charges.model import DuePeriod, Part
from ledgerbee.billing.timelines.model import BillingDirection, Cadence, Grid, Item, Segment, Span, Timeline
from ledgerbee.billing.timelines.rules import period_at
from ledgerbee.core.fields import replace

GridOf = Callable[[Segment], Grid]


def next_recurring(timeline: Timeline, billed_until: date, recurring: Collection[UUID]) -> DuePeriod | None:
    """The period after `billed_until` of a subscription's recurring prices, which share one cadence.

    None when nothing is left of the timeline that costs anything. A trial, a pause and days without a recurring price
    are passed over. Where a change begins another grid, or the subscription ends, the period is cut.
    """
    return _next(timeline, billed_until, recurring, lambda segment: segment.terms.grid)


def next_usage(timeline: Timeline, billed_until: date, price_id: UUID, cadence: Cadence) -> DuePeriod | None:
    """The period after `billed_until` of one usage price, which has a cadence of its own; billed at its end."""
    return _next(timeline, billed_until, {price_id}, lambda segment: usage_grid(segment, cadence), is_usage=True)


def usage_grid(segment: Segment, cadence: Cadence) -> Grid:
    """The periods of a usage price: its own cadence, from the subscription's anchor."""
    grid = segment.terms.grid
    return grid if grid.cadence == cadence else replace(grid, cadence=cadence)


def _next(
    timeline: Timeline, billed_until: date, prices: Collection[UUID], grid_of: GridOf, *, is_usage: bool = False
) -> DuePeriod | None:
    first = next(
        (
            segment
            for segment in timeline
            if (segment.end is None or segment.end > billed_until) and list(_items(segment, prices))
        ),
        None,
    )
    if first is None:
        return None
    grid, restarted_by = grid_of(first), first.terms.restarted_by
    start = max(first.start, billed_until)
    period = period_at(grid, start)
    until = period.end
    parts: list[Part] = []
    for segment in timeline:
        if segment.end is not None and segment.end <= start:
            continue
        if segment.start >= until:
            break
        if (grid_of(segment), segment.terms.restarted_by) != (grid, restarted_by):
            until = segment.start
            break
        until = until if segment.end is None or segment is not timeline[-1] else min(until, segment.end)
        span = Span(max(segment.start, start), until if segment.end is None else min(segment.end, until))
        parts += [Part(item.price_id, item.quantity, span) for item in _items(segment, prices)]
    is_arrears = is_usage or first.terms.direction is BillingDirection.ARREARS
    return DuePeriod(
        period=period,
        parts=_merged(parts),
        until=until,
        due_on=until if is_arrears else start,
        is_arrears=is_arrears,
        proration=first.terms.proration,
        restarted_by=restarted_by,
    )


def _items(segment: Segment, prices: Collection[UUID]) -> Iterator[Item]:
    return (item for item in segment.terms.items if segment.is_billed and item.price_id in prices)


def _merged(parts: list[Part]) -> tuple[Part, ...]:
    """Parts of one price and quantity that touch as one, in the order of their first day."""
    merged: list[Part] = []
    for part in parts:
        place = next(
            (
                index
                for index, earlier in enumerate(merged)
                if (earlier.price_id, earlier.quantity) == (part.price_id, part.quantity)
                and earlier.span.end == part.span.start
            ),
            None,
        )
        if place is None:
            merged.append(part)
        else:
            merged[place] = part._replace(span=Span(merged[place].span.start, part.span.end))
    return tuple(merged)
