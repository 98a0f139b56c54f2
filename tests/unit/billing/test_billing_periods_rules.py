"""Boundaries of periods and timelines: what decisions "Periods" says, by tables and for all grids."""

import itertools
from calendar import monthrange
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.billing.chains import DAY, MONTH, WEEK, YEAR, day

from ledgerbee.billing.timelines.model import (
    BillingDirection,
    Cadence,
    Grid,
    Item,
    Segment,
    Span,
    Terms,
    TermsFrom,
    Timeline,
)
from ledgerbee.billing.timelines.rules import (
    boundary,
    index_at,
    moved_to,
    next_boundary,
    period_at,
    segment_on,
    timeline_of,
)
from ledgerbee.core.ids import new_id

ANY_DAY = st.dates(date(1996, 1, 1), date(2046, 12, 31))
GRIDS = st.builds(
    lambda interval, count, anchor: Grid.from_anchor(Cadence(interval, count), anchor),
    st.sampled_from([DAY, WEEK, MONTH, YEAR]),
    st.integers(1, 14),
    ANY_DAY,
)


def grid(anchor: str, interval: object = MONTH, count: int = 1) -> Grid:
    return Grid.from_anchor(Cadence(interval, count), day(anchor))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("anchored", "boundaries"),
    [
        pytest.param(grid("01-29"), "01-29 02-28 03-29 04-29", id="29th"),
        pytest.param(grid("01-30"), "01-30 02-28 03-30 04-30", id="30th"),
        pytest.param(grid("01-31"), "01-31 02-28 03-31 04-30 05-31 06-30 07-31", id="31st"),
        pytest.param(grid("2027-12-31"), "2027-12-31 2028-01-31 2028-02-29 2028-03-31", id="31st of a leap year"),
        pytest.param(grid("2027-12-30"), "2027-12-30 2028-01-30 2028-02-29 2028-03-30", id="30th of a leap year"),
        pytest.param(grid("2024-02-29", YEAR), "2024-02-29 2025-02-28 2026-02-28 2027-02-28 2028-02-29", id="leap day"),
        pytest.param(grid("2024-02-29"), "2024-02-29 2024-03-29 2024-04-29", id="leap day, months"),
        pytest.param(grid("02-28"), "02-28 03-28 04-28", id="28th is no end of month"),
        pytest.param(grid("01-31", MONTH, 3), "01-31 04-30 07-31 10-31 2027-01-31", id="quarter"),
        pytest.param(grid("11-30", MONTH, 3), "11-30 2027-02-28 2027-05-30 2027-08-30", id="quarter over the year"),
        pytest.param(grid("03-01", YEAR, 2), "03-01 2028-03-01 2030-03-01", id="two years"),
        pytest.param(grid("02-26", WEEK), "02-26 03-05 03-12", id="week"),
        pytest.param(grid("12-24", WEEK, 2), "12-24 2027-01-07 2027-01-21", id="two weeks"),
        pytest.param(grid("02-27", DAY), "02-27 02-28 03-01 03-02", id="day"),
        pytest.param(grid("02-01", DAY, 30), "02-01 03-03 04-02", id="thirty days"),
    ],
)
def test_boundaries_come_from_the_anchor(anchored: Grid, boundaries: str) -> None:
    expected = [day(text) for text in boundaries.split()]
    assert [boundary(anchored, number) for number in range(len(expected))] == expected
    for start, end in itertools.pairwise(expected):
        assert period_at(anchored, start) == period_at(anchored, end - timedelta(days=1)) == Span(start, end)
        assert next_boundary(anchored, start) == end


@pytest.mark.parametrize("anchor", ["2026-07-31", "2001-07-31", "2051-07-31", "2026-01-31", "2031-12-31"])
def test_only_the_phase_of_an_anchor_counts(anchor: str) -> None:
    anchored = grid(anchor)
    assert period_at(anchored, day("02-10")) == Span(day("01-31"), day("02-28"))
    assert period_at(anchored, day("02-28")) == Span(day("02-28"), day("03-31"))
    assert period_at(anchored, day("2028-02-28")) == Span(day("2028-01-31"), day("2028-02-29"))


def test_an_anchor_after_the_start_counts_backwards() -> None:
    assert period_at(grid("2027-03-15", YEAR), day("03-14")) == Span(day("2025-03-15"), day("03-15"))
    assert period_at(grid("03-15", MONTH, 3), day("01-01")) == Span(day("2025-12-15"), day("03-15"))
    assert period_at(grid("03-15", WEEK), day("03-14")) == Span(day("03-08"), day("03-15"))


@given(GRIDS, ANY_DAY)
def test_periods_tile_time(anchored: Grid, on: date) -> None:
    number = index_at(anchored, on)
    period = period_at(anchored, on)
    assert period == Span(boundary(anchored, number), boundary(anchored, number + 1))
    assert period.start <= on < period.end == next_boundary(anchored, on)
    assert period_at(anchored, period.end).start == period.end
    assert period_at(anchored, period.start - timedelta(days=1)).end == period.start
    assert period.days > 0


@given(GRIDS, ANY_DAY)
def test_boundaries_of_months_have_the_anchors_day_as_far_as_the_month_has_it(anchored: Grid, on: date) -> None:
    start = period_at(anchored, on).start
    if anchored.cadence.interval in {MONTH, YEAR}:
        assert start.day == min(anchored.anchor.day, monthrange(start.year, start.month)[1])
        months = (start.year - anchored.anchor.year) * 12 + start.month - anchored.anchor.month
        assert months % (anchored.cadence.count * (12 if anchored.cadence.interval is YEAR else 1)) == 0
    else:
        length = anchored.cadence.count * (7 if anchored.cadence.interval is WEEK else 1)
        assert (start - anchored.anchor).days % length == 0


@given(GRIDS, ANY_DAY, st.integers(-60, 60))
def test_an_anchor_that_is_some_periods_away_gives_the_same_boundaries(anchored: Grid, on: date, away: int) -> None:
    other = boundary(anchored, away)
    if other.day == anchored.anchor.day or anchored.cadence.interval in {DAY, WEEK}:
        assert period_at(Grid.from_anchor(anchored.cadence, other), on) == period_at(anchored, on)


@pytest.mark.parametrize(
    ("before", "cadence", "start", "boundaries"),
    [
        pytest.param(grid("01-31"), Cadence(MONTH, 3), "02-28", "02-28 05-31 08-31 11-30", id="month to quarter"),
        pytest.param(grid("01-31"), Cadence(YEAR, 1), "03-31", "03-31 2027-03-31", id="month to year (B15)"),
        pytest.param(grid("01-31"), Cadence(YEAR, 1), "02-28", "02-28 2027-02-28 2028-02-29", id="to year in February"),
        pytest.param(grid("2024-02-29", YEAR), Cadence(MONTH, 1), "02-28", "02-28 03-29 04-29", id="year to month"),
        pytest.param(grid("01-31"), Cadence(WEEK, 1), "02-28", "02-28 03-07", id="month to week"),
        pytest.param(grid("01-29", WEEK), Cadence(MONTH, 1), "02-26", "02-26 03-26 04-26", id="week to month"),
    ],
)
def test_another_cadence_counts_from_its_boundary(before: Grid, cadence: Cadence, start: str, boundaries: str) -> None:
    after = moved_to(before, cadence, day(start))
    expected = [day(text) for text in boundaries.split()]
    assert [boundary(after, number) for number in range(len(expected))] == expected
    assert period_at(after, expected[0]) == Span(expected[0], expected[1])


def test_a_span_that_ends_before_it_begins_has_no_days() -> None:
    assert Span(day("02-02"), day("02-01")).days == 0
    assert Span(day("2028-02-01"), day("2028-03-01")).days == 29


# Timelines

PLAN, PRICE = new_id(), new_id()


def terms(quantity: int = 1, *, is_paused: bool = False) -> Terms:
    return Terms(
        plan_id=PLAN,
        plan_version=1,
        grid=grid("01-01"),
        direction=BillingDirection.ADVANCE,
        items=(Item(PRICE, Decimal(quantity)),),
        is_paused=is_paused,
    )


def shown(timeline: Timeline) -> list[tuple[str, str | None, int, bool]]:
    return [
        (
            f"{one.start:%m-%d}",
            None if one.end is None else f"{one.end:%m-%d}",
            int(one.terms.items[0].quantity),
            one.is_trial,
        )
        for one in timeline
    ]


def versions(*found: tuple[str, int]) -> list[TermsFrom]:
    return [TermsFrom(day(on), terms(quantity)) for on, quantity in found]


def test_each_version_holds_from_its_day_on() -> None:
    assert shown(timeline_of(versions(("01-01", 1), ("01-10", 2), ("02-01", 3)))) == [
        ("01-01", "01-10", 1, False),
        ("01-10", "02-01", 2, False),
        ("02-01", None, 3, False),
    ]


def test_versions_of_one_day_end_in_the_later_one() -> None:
    assert shown(timeline_of(versions(("01-01", 1), ("01-10", 2), ("01-10", 3)))) == [
        ("01-01", "01-10", 1, False),
        ("01-10", None, 3, False),
    ]
    assert shown(timeline_of(versions(("01-01", 1), ("01-10", 2), ("01-10", 1)))) == [("01-01", None, 1, False)]
    assert shown(timeline_of(versions(("01-01", 1), ("01-01", 2)))) == [("01-01", None, 2, False)]


def test_a_later_version_of_an_earlier_day_takes_what_came_after_it_away() -> None:
    assert shown(timeline_of(versions(("01-01", 1), ("02-01", 2), ("01-15", 3)))) == [
        ("01-01", "01-15", 1, False),
        ("01-15", None, 3, False),
    ]


def test_a_trial_splits_what_holds() -> None:
    found = timeline_of(versions(("01-01", 1), ("01-10", 2), ("02-01", 3)), trial_until=day("01-15"))
    assert shown(found) == [
        ("01-01", "01-10", 1, True),
        ("01-10", "01-15", 2, True),
        ("01-15", "02-01", 2, False),
        ("02-01", None, 3, False),
    ]
    assert [one.is_billed for one in found] == [False, False, True, True]
    assert shown(timeline_of(versions(("01-01", 1), ("01-10", 2)), trial_until=day("01-10"))) == [
        ("01-01", "01-10", 1, True),
        ("01-10", None, 2, False),
    ]


def test_nothing_holds_from_the_end_on() -> None:
    found = timeline_of(versions(("01-01", 1), ("01-10", 2), ("02-01", 3)), ends_on=day("02-01"))
    assert shown(found) == [("01-01", "01-10", 1, False), ("01-10", "02-01", 2, False)]
    assert timeline_of(versions(("01-01", 1)), ends_on=day("01-01")) == ()
    assert shown(timeline_of(versions(("01-01", 1)), ends_on=day("01-05"), trial_until=day("01-20"))) == [
        ("01-01", "01-05", 1, True)
    ]
    assert timeline_of([]) == ()


def test_what_holds_on_a_day() -> None:
    found = timeline_of(versions(("01-01", 1), ("01-10", 2)), ends_on=day("02-01"))
    assert segment_on(found, day("2025-12-31")) is None
    assert segment_on(found, day("01-01")) == segment_on(found, day("01-09")) == found[0]
    assert segment_on(found, day("01-10")) == segment_on(found, day("01-31")) == found[1]
    assert segment_on(found, day("02-01")) is None


def test_a_pause_is_not_billed() -> None:
    assert not Segment(day("01-01"), None, terms(is_paused=True), is_trial=False).is_billed


DAYS = st.integers(0, 40).map(lambda number: day("01-01") + timedelta(days=number))


@given(st.lists(st.tuples(DAYS, st.integers(1, 3)), min_size=1, max_size=8), st.none() | DAYS, st.none() | DAYS, DAYS)
def test_a_timeline_says_of_each_day_what_its_versions_say(
    found: list[tuple[date, int]], trial_until: date | None, ends_on: date | None, on: date
) -> None:
    timeline = timeline_of(
        [TermsFrom(since, terms(quantity)) for since, quantity in found], trial_until=trial_until, ends_on=ends_on
    )
    holding = [quantity for since, quantity in found if since <= on]
    segment = segment_on(timeline, on)
    if not holding or (ends_on is not None and on >= ends_on):
        assert segment is None
    else:
        assert segment is not None
        assert segment.terms == terms(holding[-1])
        assert segment.is_trial == (trial_until is not None and on < trial_until)
    for left, right in itertools.pairwise(timeline):
        assert left.end == right.start > left.start
        assert (left.terms, left.is_trial) != (right.terms, right.is_trial)
    if timeline:
        assert timeline[-1].end == ends_on
