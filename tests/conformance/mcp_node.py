"""`make mcp-node`: the conformance suite of MCP against the real server, in both revisions that it speaks.

A command of its own: Node, npm and its registry are not on every machine that the tests run on. The suite can't show a
token: a proxy in front of the server adds it. What fails and is expected to stands in
`mcp-expected-failures-*.yaml`.
"""

import asyncio
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import uvicorn
from pydantic import SecretStr
from starlette.types import ASGIApp, Receive, Scope, Send
from tests import patient
from tests.company_copies import SECRET_KEY
from tests.conformance import mcp_fixtures
from tests.conftest import SteeredClock, clone_template, new_company, with_database
from tests.connections import connect

from ledgerbee.app.config import Settings
from ledgerbee.app.main import create_app
from ledgerbee.app.reactions import REACTIONS
from ledgerbee.core.dates import system_clock
from ledgerbee.embedded import running
from ledgerbee.identity.connections.model import MCP_PATH
from ledgerbee.platform.db import Database
from ledgerbee.platform.secrets import SecretBox

_PACKAGE: Final = "@modelcontextprotocol/conformance@0.2.0-alpha.12"
_OLDEST_NODE: Final = 22
_REVISIONS: Final = ("2026-07-28", "2025-11-25")


class BearerProxy:
    """Adds the token of a connection to each request for `/mcp`, which it has the application answer."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self.app = app
        self.token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = [*scope["headers"], (b"authorization", f"Bearer {self.token}".encode())]
            scope = {**scope, "path": MCP_PATH, "raw_path": MCP_PATH.encode(), "headers": headers}
        await self.app(scope, receive, send)


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """The application on a port of loopback, in a thread; its address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield f"http://localhost:{listener.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            thread.join()


async def token_of_a_company(url: str) -> str:
    """The token of a connection with every scope, in a new company."""
    database = await Database.open(url, reactions=REACTIONS, max_size=2)
    database.secrets = SecretBox(lambda: [SECRET_KEY])
    try:
        async with patient.async_client() as http:
            api = await new_company(http, database, SteeredClock(system_clock()))
            return (await connect(api, url))[1]
    finally:
        await database.close()


def main() -> None:
    """Judge both revisions; ends with status 1 where something is not as expected, and without Node and npm."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None or not _is_new_enough(node):
        sys.exit(f"node, {_OLDEST_NODE} or newer, and npm are needed")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        install = [npm, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", _PACKAGE]
        subprocess.run(install, cwd=folder, check=True)
        with running(folder / "postgres") as server:
            own = server.dsn(database="postgres")
            asyncio.run(clone_template(own, "conformance"))
            url = with_database(own, "conformance")
            token = asyncio.run(token_of_a_company(url))
            settings = Settings(attachments_dir=folder / "files", secret_keys=SecretStr(SECRET_KEY))
            app = create_app(url, settings, loads_mcp=mcp_fixtures.load)
            with served(BearerProxy(app, token)) as address:
                failed = [revision for revision in _REVISIONS if not _passes(node, folder, address, revision)]
    if failed:
        sys.exit(f"not as expected: {', '.join(failed)}")


def _is_new_enough(node: str) -> bool:
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout
    return int(version.removeprefix("v").partition(".")[0]) >= _OLDEST_NODE


def _passes(node: str, folder: Path, address: str, revision: str) -> bool:
    program = folder / "node_modules/@modelcontextprotocol/conformance/dist/index.js"
    expected = Path(__file__).with_name(f"mcp-expected-failures-{revision}.yaml")
    options = {
        "--url": address,
        "--requirements": revision,
        "--expected-failures": str(expected),
        "--timeout": "10000",
    }
    arguments = [word for option in options.items() for word in option]
    return subprocess.run([node, str(program), "server", *arguments], cwd=folder, check=False).returncode == 0


if __name__ == "__main__":
    main()
