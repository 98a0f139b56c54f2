"""An access point for tests: a server over HTTP that keeps what it gets and answers as it is told."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

#: An answer: its status and its body; None ends the connection without one.
Answer = tuple[int, bytes] | None


@dataclass
class Got:
    """A message that came in: its header fields (in lower case) and its bytes."""

    fields: dict[str, str]
    content: bytes


@dataclass
class AccessPointServer:
    """Answers with the next of `answers`, with 202 when there is none left."""

    answers: list[Answer] = field(default_factory=list)
    got: list[Got] = field(default_factory=list)
    port: int = 0
    #: Set when a message has come in.
    taken: asyncio.Event = field(default_factory=asyncio.Event)
    #: Cleared while no message is answered.
    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.go_on.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/messages"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one message."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").split("\r\n")
            assert head[0] == "POST /messages HTTP/1.1"
            fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
            self.got.append(Got(fields, await reader.readexactly(int(fields["content-length"]))))
            self.taken.set()
            await self.go_on.wait()
            answer = self.answers.pop(0) if self.answers else (202, b'{"id": "AP-1"}')
            if answer is not None:
                status, body = answer
                start = f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\ncontent-length: {len(body)}\r\n"
                location = "location: http://127.0.0.1:9/\r\n" if 300 <= status <= 399 else ""
                writer.write(f"{start}{location}connection: close\r\n\r\n".encode() + body)
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def open_access_point() -> AsyncIterator[AccessPointServer]:
    """A server that listens until the block ends."""
    point = AccessPointServer()
    server = await asyncio.start_server(point.serve, "127.0.0.1", 0)
    point.port = server.sockets[0].getsockname()[1]
    try:
        yield point
    finally:
        point.go_on.set()
        server.close()
