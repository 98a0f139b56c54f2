"""The timeline that follows from a chain's versions. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date

from ledgerbee.billing.timelines.model import Segment, TermsFrom, Timeline
from ledgerbee.core.fields import replace


def timeline_of(
    versions: Iterable[TermsFrom], *, trial_until: date | None = None, ends_on: date | None = None
) -> Timeline:
    """What holds on which days, of versions in the order in which they were made.

    Each version holds from its day on, whatever earlier ones said; two of one day end in the later one. Days before
    `trial_until` are the trial, nothing holds from `ends_on` on. Segments touch, and two that touch differ.
    """
    segments: list[Segment] = []
    for effective_on, terms in versions:
        while segments and segments[-1].start >= effective_on:
            segments.pop()
        if segments:
            segments[-1] = replace(segments[-1], end=effective_on)
        segments.append(Segment(effective_on, None, terms, is_trial=False))
    return tuple(_merged(_split_trial(_ended(segments, ends_on), trial_until)))


def segment_on(timeline: Timeline, day: date) -> Segment | None:
    """What holds on a day; None before the start and after the end."""
    return next(
        (segment for segment in timeline if segment.start <= day and (segment.end is None or day < segment.end)), None
    )


def _ended(segments: Iterable[Segment], ends_on: date | None) -> Iterator[Segment]:
    for segment in segments:
        if ends_on is None:
            yield segment
        elif segment.start < ends_on:
            yield replace(segment, end=ends_on if segment.end is None else min(segment.end, ends_on))


def _split_trial(segments: Iterable[Segment], trial_until: date | None) -> Iterator[Segment]:
    for segment in segments:
        if trial_until is None or segment.start >= trial_until:
            yield segment
        elif segment.end is not None and segment.end <= trial_until:
            yield replace(segment, is_trial=True)
        else:
            yield replace(segment, end=trial_until, is_trial=True)
            yield replace(segment, start=trial_until)


def _merged(segments: Iterable[Segment]) -> Iterator[Segment]:
    last: Segment | None = None
    for segment in segments:
        if last is not None and (last.terms, last.is_trial) == (segment.terms, segment.is_trial):
            last = replace(last, end=segment.end)
        else:
            if last is not None:
                yield last
            last = segment
    if last is not None:
        yield last
