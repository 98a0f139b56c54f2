"""Events as integrators see them: those of `topics.TOPICS`, in the order in which they were committed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NewType
from uuid import UUID

from ledgerbee.core.errors import ErrorCode

EventId = NewType("EventId", UUID)

#: How long the feed shows an event. The audit trail keeps it.
SHOWN_FOR: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldEvent:
    """A row of the company's events that integrators are told of. `occurred_at` is aware UTC.

    `sequence` counts the events of the object from 1, `position` those of the company in the order of their commits.
    `data` is JSON as the database writes it, None of an event whose JSON is long: `size` says how long in bytes, or
    more.
    """

    id: EventId
    type: str
    object_id: UUID
    sequence: int
    position: int
    occurred_at: datetime
    data: str | None
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFilter:
    """What the feed is narrowed to. `types` are topics; `since` and `until` are aware UTC, both inclusive."""

    types: frozenset[str] | None = None
    object_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeedPage:
    """Events in the order of their positions, and the position up to which everything was looked at."""

    events: Sequence[ToldEvent]
    looked_up_to: int


EVENT_NOT_FOUND = ErrorCode("EVENT_NOT_FOUND", 404, "No such event in the company, or no longer shown")
