"""The MCP server of a process: loaded and started by the first request that wants it."""

import asyncio
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager


class McpServer:
    """Answers MCP requests for one process, until it is closed.

    The SDK takes a second to load, beside the event loop: most processes of most installations never need it.
    """

    def __init__(self) -> None:
        self._starting: asyncio.Task[StreamableHTTPSessionManager] | None = None
        self._running: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request: the ASGI interface."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        manager = await asyncio.shield(self._starting)
        await manager.handle_request(scope, receive, send)

    async def close(self) -> None:
        """End what requests have left running."""
        self._closing.set()
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._running is not None:
            await self._running

    async def _start(self) -> "StreamableHTTPSessionManager":
        manager = await asyncio.to_thread(_load)
        is_running = asyncio.Event()

        async def run() -> None:
            async with manager.run():  # a task group: the same task has to leave it
                is_running.set()
                await self._closing.wait()

        self._running = asyncio.create_task(run())
        await is_running.wait()
        return manager


def _load() -> "StreamableHTTPSessionManager":
    from ledgerbee.app.mcp.server import session_manager  # noqa: PLC0415

    return session_manager()
