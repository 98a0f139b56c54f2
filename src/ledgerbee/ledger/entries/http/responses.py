"""New entries as responses: their JSON was written when they were posted."""

from collections.abc import Sequence

from fastapi import Response

from ledgerbee.ledger.entries.model import PostedEntry


def created(posted: PostedEntry) -> Response:
    """A new entry as a response."""
    return Response(posted.json, 201, media_type="application/json")


def created_batch(posted: Sequence[PostedEntry]) -> Response:
    """Entries that were posted together, as a response."""
    entries = b",".join([one.json for one in posted])
    return Response(b'{"totalCreated":%d,"entries":[%b]}' % (len(posted), entries), 201, media_type="application/json")
