"""Receivers of webhooks: real HTTP servers on this machine that answer as a test wants them to."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import h11


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes
    method: str = "POST"

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event


@dataclass(frozen=True)
class Answer:
    """What is answered: a status, headers and a body.

    Of the body only so many bytes are `sent`, and the connection is closed; or the whole answer is sent `times` over.
    """

    status: int = 200
    body: bytes = b"ok"
    headers: tuple[tuple[str, str], ...] = ()
    sent: int | None = None
    times: int = 1


#: Answers a request; None: the connection is dropped without a word.
Behaviour = Callable[[Received], Awaitable[Answer | None]]


async def accept(_: Received) -> Answer:
    return Answer()


@dataclass
class Receiver:
    """A server that keeps what it gets."""

    behaviour: Behaviour = accept
    received: list[Received] = field(default_factory=list)
    url: str = ""
    _came: asyncio.Condition = field(default_factory=asyncio.Condition)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def wait_for(self, count: int, seconds: float = 20) -> list[Received]:
        """What came, once that are so many requests. Raises `TimeoutError`."""
        async with asyncio.timeout(seconds), self._came:
            await self._came.wait_for(lambda: len(self.received) >= count)
        return list(self.received)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h11.Connection(h11.SERVER)
        with suppress(ConnectionError, h11.RemoteProtocolError):
            while await self._exchange(connection, reader, writer):
                connection.start_next_cycle()
        writer.close()

    async def _exchange(
        self, connection: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        request, body = None, b""
        while True:
            event = connection.next_event()
            if event is h11.NEED_DATA:
                connection.receive_data(await reader.read(65536))
            elif isinstance(event, h11.Request):
                request = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                break
            else:
                return False
        assert request is not None
        headers = {name.decode(): value.decode() for name, value in request.headers}
        received = Received(request.target.decode(), headers, body, request.method.decode())
        async with self._came:
            self.received.append(received)
            self._came.notify_all()
        answer = await self.behaviour(received)
        if answer is None:
            return False
        fields = [*answer.headers, ("content-length", str(len(answer.body)))]
        head = connection.send(h11.Response(status_code=answer.status, headers=fields)) or b""
        if answer.sent is not None:
            writer.write(head + answer.body[: answer.sent])
            await writer.drain()
            return False
        body = (connection.send(h11.Data(data=answer.body)) or b"") + (connection.send(h11.EndOfMessage()) or b"")
        writer.write((head + body) * answer.times)
        await writer.drain()
        return connection.our_state is h11.DONE and connection.their_state is h11.DONE


@asynccontextmanager
async def receiving(behaviour: Behaviour = accept) -> AsyncIterator[Receiver]:
    """A receiver at a port of its own, for the length of the block."""
    receiver = Receiver(behaviour)
    connections: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            await receiver.serve(reader, writer)
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            connections.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    try:
        yield receiver
    finally:
        server.close()
        for task in list(connections):
            task.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
