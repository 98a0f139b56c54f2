"""Pages of applications on this machine: where a member's answer arrives, and where an application says who it is."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Callback:
    """A page of an application on a port of loopback: what it was told, and the JSON that it has at `/client.json`."""

    port: int = 0
    told: "asyncio.Queue[dict[str, str]]" = field(default_factory=asyncio.Queue)
    document: dict[str, Any] = field(default_factory=dict)

    @property
    def uri(self) -> str:
        """Where members are led back to."""
        return f"http://127.0.0.1:{self.port}/callback"

    @property
    def client_id(self) -> str:
        """The address of the document."""
        return f"http://127.0.0.1:{self.port}/client.json"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # opened in advance, and not used
            writer.close()
            return
        target = urlsplit(head.split(b" ", 2)[1].decode())
        if target.path == "/callback":
            self.told.put_nowait({name: values[0] for name, values in parse_qs(target.query).items()})
        body = json.dumps(self.document).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n")
        writer.write(b"content-length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()
        await writer.wait_closed()


@asynccontextmanager
async def open_callback() -> AsyncIterator[Callback]:
    """A page, until the block ends."""
    callback = Callback()
    server = await asyncio.start_server(callback.answer, "127.0.0.1", 0)
    callback.port = server.sockets[0].getsockname()[1]
    try:
        yield callback
    finally:
        server.close()
        await server.wait_closed()
