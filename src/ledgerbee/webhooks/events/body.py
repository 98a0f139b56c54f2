"""What receivers get of an event: the body of a delivery, and its `data` in the feed (contract 1.8)."""

from datetime import datetime
from typing import Final
from uuid import UUID

from ledgerbee.core.dates import format_moment
from ledgerbee.platform.event_json import with_members

_BODY: Final = b'{"id":"%b","type":"%b","timestamp":"%b",%b"data":%b}'
_TEST_MEMBER: Final = b'"isTest":true,'


def body_of(
    event_id: UUID, event_type: str, occurred_at: datetime, sequence: int, data_text: str, *, is_test: bool = False
) -> bytes:
    """The body of each delivery of an event: compact JSON, UTF-8, the same bytes every time.

    `data_text` is an object, as the database writes it: `data` has the event's `sequence` ahead of its members.
    `is_test`: the event is a sandbox's, and the body says so.
    """
    moment = format_moment(occurred_at).encode()
    data = with_members(sequence_member(sequence), data_text)
    mark = _TEST_MEMBER if is_test else b""
    return _BODY % (str(event_id).encode(), event_type.encode(), moment, mark, data)


def sequence_member(sequence: int) -> bytes:
    """The member that `data` has ahead of the object's own: which of the object's events it is, from 1."""
    return b'"sequence":%d' % sequence
