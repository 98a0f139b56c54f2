"""Calls of MCP tools that read, against the same reads over the API, in both revisions of the protocol.

One server process on one database, in turn: the figure is the server's CPU per request, the median of rounds. Limit:
twice that of the read over the API.
"""

import asyncio
import json
import statistics
from typing import Any, Final
from uuid import UUID

import httpx
from bench.support import Books, books, get, load, meter, post, server, verdict
from starlette.types import ASGIApp
from tests.conftest import Api, SteeredClock
from tests.connections import connect
from tests.selling import Shop, line

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.dates import system_clock
from ledgerbee.platform.db import Database
from ledgerbee.platform.secrets import SecretBox

REQUESTS: Final = 400
ROUNDS: Final = 3
LIMIT: Final = 2.0
INVOICES: Final = 100
_ADDRESS: Final = "http://bench"


def app(url: str) -> ASGIApp:
    """The application, which lets a client call as often as it likes."""
    return create_app(url, Settings(public_url=_ADDRESS), loads_mcp=_unlimited)


def _unlimited(secrets: SecretBox) -> Any:
    from ledgerbee.app.mcp.endpoint import Endpoint  # noqa: PLC0415  in the server's process alone
    from ledgerbee.app.mcp.rate_limits import RateLimiter  # noqa: PLC0415
    from ledgerbee.app.mcp.server import new_server  # noqa: PLC0415

    return Endpoint(new_server(secrets), RateLimiter(most=10**9))


async def prepared(found: Books, port: int) -> tuple[str, str]:
    """Invoices to read, the token of a connection, and the id of an entry."""
    database = await Database.open(found.url, reactions=REACTIONS, max_size=2)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            api = Api(http, found.company_id, found.key, database, SteeredClock(system_clock()))
            shop = Shop(api)
            day = {"date": system_clock().date().isoformat()}
            customer, price = await shop.customer(), await shop.price("100")
            sent = await shop.send(await shop.draft(customer, line(price), **day))
            for _ in range(INVOICES - 1):
                await shop.draft(customer, line(price), **day)
            entry: str = (await shop.invoice(sent["id"]))["journalEntryId"]
            return (await connect(api, found.url))[1], str(UUID(entry))
    finally:
        await database.close()


def called(token: str, tool: str, arguments: dict[str, Any], *, is_new: bool) -> bytes:
    """The bytes of a call, as a client of the newer or of the older revision sends it."""
    params: dict[str, Any] = {"name": tool, "arguments": arguments}
    headers = f"Authorization: Bearer {token}\r\nAccept: application/json, text/event-stream\r\n"
    if is_new:
        start = "io.modelcontextprotocol"
        info = {"name": "bench", "version": "1"}
        revision = "2026-07-28"
        params["_meta"] = {
            f"{start}/protocolVersion": revision, f"{start}/clientCapabilities": {}, f"{start}/clientInfo": info,
        }  # fmt: skip
        headers += f"MCP-Protocol-Version: {revision}\r\nMcp-Method: tools/call\r\nMcp-Name: {tool}\r\n"
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    head, rest = post("/api/v1/mcp", "", body).split(b"x-api-key: \r\n")
    return head + headers.encode() + rest


async def _milliseconds(port: int, request: bytes) -> float:
    before = (await meter(port))["cpu"]
    await load(port, request, REQUESTS)
    return ((await meter(port))["cpu"] - before) / REQUESTS * 1000


async def compare(found: Books, port: int) -> None:
    """Print each read's figures, over the API and over MCP."""
    token, entry = await prepared(found, port)
    reads: dict[str, tuple[str, str, dict[str, Any]]] = {
        "company": ("/api/v1/company", "get_company", {}),
        "an entry": (f"/api/v1/journal-entries/{entry}", "get_journal_entry", {"journalEntryId": entry}),
        "10 invoices": ("/api/v1/invoices?limit=10", "list_documents", {"kind": "invoice", "limit": 10}),
        "100 invoices": ("/api/v1/invoices?limit=100", "list_documents", {"kind": "invoice", "limit": 100}),
    }
    for name, (path, tool, arguments) in reads.items():
        requests = [
            get(path, found.key),
            called(token, tool, arguments, is_new=True),
            called(token, tool, arguments, is_new=False),
        ]
        for request in requests:
            await load(port, request, 100)
        rounds = [[await _milliseconds(port, request) for request in requests] for _ in range(ROUNDS)]
        api, newer, older = (statistics.median(figures) for figures in zip(*rounds, strict=True))
        for revision, figure in (("2026-07-28", newer), ("2025-11-25", older)):
            ratio = figure / api
            print(
                f"{name} by {tool} ({revision}): {figure:.2f} ms of CPU, over the API {api:.2f} ms: {ratio:.2f} times"
                f" ({verdict(ratio, LIMIT)})"
            )


def main() -> None:
    """Measure and print."""
    with books() as found, server(app, found.url) as port:
        asyncio.run(compare(found, port))


if __name__ == "__main__":
    main()
