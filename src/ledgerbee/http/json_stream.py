"""Long JSON answers, streamed: only one piece is in memory, and it is written when the client has taken the one before.

A usual answer is made within its transaction and sent as a whole after it. Of a long one the transaction only finds
what it consists of; each piece is then read in a short transaction of its own. So a slow client holds no connection of
the database, and other requests run between two pieces. An error in between ends the connection: half an answer must
not look whole.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from ledgerbee.http.state import state_of


class JsonStream(StreamingResponse):
    """The pieces of a JSON document, in order. They are made one by one, each when the one before is on its way."""

    def __init__(self, pieces: AsyncGenerator[bytes], *, status_code: int = 200) -> None:
        super().__init__(pieces, status_code, media_type="application/json")
        self._pieces = pieces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what the client takes, until it has all or is gone."""
        request = Request(scope, receive)
        async with aclosing(self._pieces):
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            if not state_of(scope).is_head:
                async for piece in self._pieces:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                    if await request.is_disconnected():
                        return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
