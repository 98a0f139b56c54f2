"""An event as integrators get it: in a delivery, and in the feed (contract 1.8)."""

from datetime import datetime
from uuid import UUID

from ledgerbee.core.dates import format_moment


def body_of(event_id: UUID, event_type: str, occurred_at: datetime, sequence: int, data: str) -> bytes:
    """The JSON of an event. `data` is the JSON of the object, which gets its `sequence`; the moment is aware UTC.

    The same bytes each time: they are signed anew for each attempt, and told the same.
    """
    rest = data[1:] if data[1:].lstrip().startswith("}") else f",{data[1:]}"
    return (
        f'{{"id":"{event_id}","type":"{event_type}","timestamp":"{format_moment(occurred_at)}",'
        f'"data":{{"sequence":{sequence}{rest}}}'
    ).encode()
