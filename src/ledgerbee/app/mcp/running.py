"""The MCP server of a process: loaded and started by the first request that wants it."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from ledgerbee.platform.secrets import SecretBox

if TYPE_CHECKING:
    from ledgerbee.app.mcp.endpoint import Endpoint


def load(secrets: SecretBox) -> "Endpoint":
    """The server and the SDK that it stands on: see `server.new_server`."""
    from ledgerbee.app.mcp.endpoint import Endpoint  # noqa: PLC0415
    from ledgerbee.app.mcp.server import new_server  # noqa: PLC0415

    return Endpoint(new_server(secrets))


class McpServer:
    """Answers MCP messages for one process, until it is closed.

    `secrets` has the keys of the installation, `allowed_origins` are those of the API (`*` = any). `loads` makes what
    answers: tests add to it what judges of the protocol look for.
    The SDK takes a second to load, beside the event loop: most processes of most installations never need it.
    """

    def __init__(
        self, secrets: SecretBox, allowed_origins: tuple[str, ...] = (), loads: Callable[[SecretBox], "Endpoint"] = load
    ) -> None:
        self._secrets = secrets
        self._origins = frozenset(allowed_origins)
        self._loads = loads
        self._starting: asyncio.Task[Endpoint] | None = None
        self._running: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def allows(self, origin: str) -> bool:
        """Whether pages of this origin may call the API."""
        return origin in self._origins or "*" in self._origins

    async def started(self) -> "Endpoint":
        """What answers messages."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        return await asyncio.shield(self._starting)

    async def close(self) -> None:
        """End what requests have left running."""
        self._closing.set()
        if self._starting is not None:
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._running is not None:
            await self._running

    async def _start(self) -> "Endpoint":
        endpoint = await asyncio.to_thread(self._loads, self._secrets)
        is_running = asyncio.Event()

        async def run() -> None:
            async with endpoint.manager.run():  # a task group: the same task has to leave it
                is_running.set()
                await self._closing.wait()

        self._running = asyncio.create_task(run())
        await is_running.wait()
        return endpoint
